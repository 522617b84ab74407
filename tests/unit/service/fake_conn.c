#include "fake_conn.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct fake_conn *fake_of(struct conn *conn)
{
    return (struct fake_conn *)(void *)conn;
}

void conn_write(struct conn *conn, const void *bytes, size_t count)
{
    struct fake_conn *fake = fake_of(conn);

    if (conn->state != CONN_OPEN) {
        return;
    }
    if (fake->fails) {
        conn_abort(conn, CONN_END_TLS);
        return;
    }
    while (fake->sent_count + count + 1 > fake->sent_bytes) {
        fake->sent_bytes = fake->sent_bytes * 2 + 1024;
        fake->sent = realloc(fake->sent, fake->sent_bytes);
        cr_assert(fake->sent != NULL);
    }
    memcpy(fake->sent + fake->sent_count, bytes, count);
    fake->sent_count += count;
    fake->write_count++;
    conn->output.bytes += count;
    if (conn->output.bytes > fake->output_max) {
        fake->output_max = conn->output.bytes;
    }
}

void conn_close(struct conn *conn)
{
    fake_of(conn)->close_count++;
    conn->state = CONN_CLOSING;
    conn->end = CONN_END_CLEAN;
}

void conn_abort(struct conn *conn, enum conn_end end)
{
    fake_of(conn)->abort_count++;
    conn->state = CONN_CLOSED;
    conn->end = end;
    conn->output.bytes = 0;
}

void conn_count_message(struct conn *conn, uint64_t amount)
{
    fake_of(conn)->message_count += amount;
}

uint64_t conn_now_ns(const struct conn *conn)
{
    (void)conn;
    return 0;
}

struct fake_conn *fake_conn_new_limited(const struct service *service, uint64_t source_bytes)
{
    static const uint32_t output_high_bytes = CONN_OUTPUT_HIGH_BYTES;
    struct fake_conn *fake = aligned_alloc(64, (sizeof *fake + 63) / 64 * 64);

    cr_assert(fake != NULL);
    memset(fake, 0, sizeof *fake);
    payload_init(&fake->payload);
    fake->config = (struct service_config){&fake->payload, source_bytes};
    fake->conn.output_high_bytes = &output_high_bytes;
    fake->conn.service = service;
    fake->conn.service_config = &fake->config;
    fake->conn.state = CONN_OPEN;
    if (service->on_open != NULL) {
        service->on_open(&fake->conn);
    }
    return fake;
}

struct fake_conn *fake_conn_new(const struct service *service)
{
    return fake_conn_new_limited(service, 0);
}

void fake_conn_free(struct fake_conn *fake)
{
    if (fake->conn.service->on_closed != NULL) {
        fake->conn.service->on_closed(&fake->conn);
    }
    free(fake->sent);
    free(fake);
}

size_t fake_conn_offer(struct fake_conn *fake, const void *bytes, size_t count)
{
    /* A copy of exactly this size, so that a sanitizer sees a service that reads beyond it. */
    uint8_t *record = malloc(count);
    size_t taken;

    cr_assert(record != NULL);
    memcpy(record, bytes, count);
    taken = fake->conn.service->on_data(&fake->conn, record, count);
    free(record);
    cr_assert(taken <= count);
    cr_assert(taken == count || conn_output_room(&fake->conn) == 0);
    return taken;
}

void fake_conn_drain(struct fake_conn *fake)
{
    bool was_full = conn_output_room(&fake->conn) == 0;

    fake->conn.output.bytes = 0;
    if (was_full && fake->conn.state == CONN_OPEN && fake->conn.service->on_writable != NULL) {
        fake->conn.service->on_writable(&fake->conn);
    }
}

void fake_conn_receive(struct fake_conn *fake, const void *bytes, size_t count, size_t record_bytes)
{
    const uint8_t *next = bytes;

    while (count > 0 && fake->conn.state == CONN_OPEN) {
        size_t taken = fake_conn_offer(fake, next, count < record_bytes ? count : record_bytes);

        next += taken;
        count -= taken;
        do {
            fake_conn_drain(fake);
        } while (conn_output_room(&fake->conn) == 0);
    }
}

const char *fake_conn_say(struct fake_conn *fake, const char *text)
{
    fake_conn_receive(fake, text, strlen(text), strlen(text));
    return fake_conn_sent(fake);
}

void fake_conn_end(struct fake_conn *fake)
{
    if (fake->conn.service->on_end != NULL) {
        fake->conn.service->on_end(&fake->conn);
    } else {
        conn_close(&fake->conn);
    }
}

void fake_conn_server_drains(struct fake_conn *fake)
{
    if (fake->conn.service->on_drain != NULL) {
        fake->conn.service->on_drain(&fake->conn);
    }
}

const char *fake_conn_sent(struct fake_conn *fake)
{
    if (fake->sent == NULL) {
        return "";
    }
    fake->sent[fake->sent_count] = '\0';
    return (const char *)fake->sent;
}
