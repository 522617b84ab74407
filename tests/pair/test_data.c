#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/random.h"
#include "pair.h"

enum { RECORD_HEADER_BYTES = 5, RECORD_APPLICATION_DATA = 23, TRANSFER_BYTES = 1000000 };

/* What the record headers in a queue say. */
struct wire {
    size_t record_count;
    size_t largest_bytes;
};

static struct wire wire_parse(const struct slab_queue *queue)
{
    uint8_t *bytes = malloc(queue->bytes + 1);
    struct wire wire = {0};
    size_t total = 0;

    for (const struct slab *slab = queue->head; slab != NULL; slab = slab->next) {
        memcpy(bytes + total, slab->data + slab->start, slab->end - slab->start);
        total += slab->end - slab->start;
    }
    for (size_t at = 0; at < total;) {
        size_t length = (size_t)bytes[at + 3] << 8 | bytes[at + 4];

        cr_assert_eq(bytes[at], RECORD_APPLICATION_DATA);
        cr_assert_leq(at + RECORD_HEADER_BYTES + length, total);
        wire.record_count++;
        wire.largest_bytes = length > wire.largest_bytes ? length : wire.largest_bytes;
        at += RECORD_HEADER_BYTES + length;
    }
    free(bytes);
    return wire;
}

static uint8_t *random_bytes(size_t count)
{
    uint8_t *bytes = malloc(count);

    random_fill(&(struct random){.state = 7}, bytes, count);
    return bytes;
}

struct data_fixture {
    struct pair_setup setup;
    struct pair pair;
    uint8_t *bytes;
};

static void open_pair(struct data_fixture *fixture)
{
    pair_setup_init(&fixture->setup, NULL);
    pair_init(&fixture->pair, fixture->setup.client, fixture->setup.server, NULL);
    cr_assert(pair_handshake(&fixture->pair), "client: %s; server: %s",
              fixture->pair.client.failure.reason, fixture->pair.server.failure.reason);
    fixture->bytes = random_bytes(TRANSFER_BYTES);
}

static void close_pair(struct data_fixture *fixture)
{
    pair_deinit(&fixture->pair);
    pair_setup_deinit(&fixture->setup);
    free(fixture->bytes);
}

struct transfer_row {
    enum tls_version version;
    unsigned fragment_bytes;
    size_t piece_bytes;
    size_t count;
};

ParameterizedTestParameters(data, passes_both_ways_intact)
{
    static struct transfer_row rows[] = {
        {TLS_VERSION_1_3, 0, 0, 1},
        {TLS_VERSION_1_3, 0, 1, 20000},
        {TLS_VERSION_1_3, 0, 4096, TRANSFER_BYTES},
        {TLS_VERSION_1_3, 512, 0, TRANSFER_BYTES},
        {TLS_VERSION_1_3, 1400, 1447, TRANSFER_BYTES},
        {TLS_VERSION_1_3, 16384, 0, TRANSFER_BYTES},
        {TLS_VERSION_1_2, 0, 1, 20000},
        {TLS_VERSION_1_2, 0, 4096, TRANSFER_BYTES},
        {TLS_VERSION_1_2, 512, 0, TRANSFER_BYTES},
        {TLS_VERSION_1_2, 16384, 0, TRANSFER_BYTES},
        {TLS_VERSION_1_1, 512, 1000, 100000},
        {TLS_VERSION_1_0, 0, 1000, 100000},
    };

    return cr_make_param_array(struct transfer_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct transfer_row *row, data, passes_both_ways_intact)
{
    struct data_fixture fixture = {.setup = {
                                       .server_config = {.version_min = row->version,
                                                         .version_max = row->version,
                                                         .max_send_fragment = row->fragment_bytes},
                                       .client_config = {.version_min = row->version,
                                                         .version_max = row->version,
                                                         .max_send_fragment = row->fragment_bytes},
                                   }};
    struct pair *pair = &fixture.pair;

    open_pair(&fixture);
    pair->piece_bytes = row->piece_bytes;
    pair_send(pair, &pair->client, &pair->server, fixture.bytes, row->count);
    pair_send(pair, &pair->server, &pair->client, fixture.bytes, row->count);
    close_pair(&fixture);
}

/* A fragment of TLS 1.3 carries a type byte and a 16-byte tag more. */
static void expect_fragments(struct data_fixture *fixture, size_t fragment_bytes)
{
    struct pair_end *server = &fixture->pair.server;
    struct wire wire;

    cr_assert_eq(tls_engine_write(&server->engine, fixture->bytes, 100000, &server->failure),
                 TLS_OK, "%s", server->failure.reason);
    wire = wire_parse(&server->queue);
    cr_assert_eq(wire.largest_bytes, fragment_bytes + 17);
    cr_assert_eq(wire.record_count, (100000 + fragment_bytes - 1) / fragment_bytes);
    slab_queue_clear(&server->queue);
}

Test(data, fragment_size_is_seen_on_the_wire_and_can_change_any_time)
{
    struct data_fixture fixture = {.setup = {.server_config = {.max_send_fragment = 512}}};
    struct tls_engine *server = &fixture.pair.server.engine;

    open_pair(&fixture);
    expect_fragments(&fixture, 512);
    cr_assert(tls_engine_set_max_send_fragment(server, 16384));
    expect_fragments(&fixture, 16384);
    cr_assert(tls_engine_set_max_send_fragment(server, 1000));
    expect_fragments(&fixture, 1000);
    tls_engine_idle(server);
    expect_fragments(&fixture, 1000);
    cr_assert(tls_engine_set_max_send_fragment(server, 16384));
    expect_fragments(&fixture, 16384);
    close_pair(&fixture);
}

Test(data, fragment_size_out_of_range_is_refused_and_changes_nothing)
{
    struct data_fixture fixture = {0};
    struct tls_engine *server = &fixture.pair.server.engine;

    open_pair(&fixture);
    cr_assert_not(tls_engine_set_max_send_fragment(server, 511));
    cr_assert_not(tls_engine_set_max_send_fragment(server, 16385));
    cr_assert_not(tls_engine_set_max_send_fragment(server, 0));
    expect_fragments(&fixture, 16384);
    close_pair(&fixture);
}

Test(data, fragment_size_can_rise_in_the_middle_of_an_incoming_record)
{
    struct data_fixture fixture = {.setup = {.server_config = {.max_send_fragment = 512}}};
    struct pair *pair = &fixture.pair;
    uint8_t received[1000];

    open_pair(&fixture);
    tls_engine_idle(&pair->server.engine);
    tls_engine_write(&pair->client.engine, fixture.bytes, 1000, &pair->client.failure);
    /* All but the last byte: the server's read buffer holds most of a record. */
    pair_inject(&pair->server, pair->client.queue.head->data + pair->client.queue.head->start,
                pair->client.queue.bytes - 1);
    slab_queue_consume(&pair->client.queue, pair->client.queue.bytes - 1);
    cr_assert_eq(pair_read(pair, &pair->server, received, sizeof(received)), 0);
    cr_assert(tls_engine_set_max_send_fragment(&pair->server.engine, 16384));
    expect_fragments(&fixture, 16384);
    pair_move(&pair->client, &pair->server);
    cr_assert_eq(pair_read(pair, &pair->server, received, sizeof(received)), 1000);
    cr_assert_arr_eq(received, fixture.bytes, 1000);
    close_pair(&fixture);
}

Test(data, records_are_counted_alike_at_both_ends)
{
    struct data_fixture fixture = {0};
    struct tls_tally before;
    const struct tls_tally *server = &fixture.pair.server.engine.tally;
    const struct tls_tally *client = &fixture.pair.client.engine.tally;

    open_pair(&fixture);
    before = *server;
    pair_send(&fixture.pair, &fixture.pair.server, &fixture.pair.client, fixture.bytes, 100000);
    cr_assert_eq(server->records_out - before.records_out, 7);
    cr_assert_eq(server->records_out, client->records_in);
    cr_assert_eq(client->records_out, server->records_in);
    cr_assert_eq(server->tickets_issued, 1);
    cr_assert_eq(client->tickets_received, 1);
    close_pair(&fixture);
}

Test(data, goes_on_after_idle)
{
    struct data_fixture fixture = {0};
    struct pair *pair = &fixture.pair;

    open_pair(&fixture);
    tls_engine_idle(&pair->server.engine);
    tls_engine_idle(&pair->client.engine);
    pair_send(pair, &pair->client, &pair->server, fixture.bytes, 50000);
    tls_engine_idle(&pair->server.engine);
    pair_send(pair, &pair->server, &pair->client, fixture.bytes, 50000);
    close_pair(&fixture);
}

Test(data, a_small_destination_takes_a_record_in_parts)
{
    struct data_fixture fixture = {0};
    struct pair_end *server = &fixture.pair.server;
    struct pair_end *client = &fixture.pair.client;
    uint8_t received[100];

    open_pair(&fixture);
    tls_engine_write(&client->engine, fixture.bytes, 250, &client->failure);
    pair_move(client, server);
    cr_assert_eq(pair_read(&fixture.pair, server, received, 100), 100);
    cr_assert_eq(pair_read(&fixture.pair, server, received, 100), 100);
    cr_assert_eq(pair_read(&fixture.pair, server, received, 100), 50);
    cr_assert_arr_eq(received, fixture.bytes + 200, 50);
    cr_assert_eq(server->status, TLS_AGAIN);
    close_pair(&fixture);
}

Test(data, close_notify_is_told_from_truncation)
{
    struct data_fixture fixture = {0};
    struct pair *pair = &fixture.pair;
    uint8_t received[8];

    open_pair(&fixture);
    /* Nothing more comes, and no close_notify: the engine only ever asks for more. */
    pair_send(pair, &pair->client, &pair->server, fixture.bytes, 8);
    cr_assert_eq(pair_read(pair, &pair->server, received, 1), 0);
    cr_assert_eq(pair->server.status, TLS_AGAIN);

    tls_engine_write(&pair->client.engine, fixture.bytes, 8, &pair->client.failure);
    tls_engine_close(&pair->client.engine);
    pair_move(&pair->client, &pair->server);
    cr_assert_eq(pair_read(pair, &pair->server, received, 8), 8);
    cr_assert_eq(pair_read(pair, &pair->server, received, 1), 0);
    cr_assert_eq(pair->server.status, TLS_CLOSED);
    cr_assert_eq(pair_read(pair, &pair->server, received, 1), 0);
    cr_assert_eq(pair->server.status, TLS_CLOSED);
    close_pair(&fixture);
}

Test(data, the_other_direction_stays_open_after_close_notify)
{
    struct data_fixture fixture = {0};
    struct pair *pair = &fixture.pair;

    open_pair(&fixture);
    tls_engine_close(&pair->client.engine);
    pair_move(&pair->client, &pair->server);
    pair_send(pair, &pair->server, &pair->client, fixture.bytes, 30000);
    close_pair(&fixture);
}

Test(data, close_is_harmless_twice_and_before_the_handshake)
{
    struct pair_setup setup = {0};
    struct pair pair;

    pair_setup_init(&setup, NULL);
    pair_init(&pair, setup.client, setup.server, NULL);
    tls_engine_close(&pair.client.engine);
    cr_assert_eq(pair.client.queue.bytes, 0);
    cr_assert(pair_handshake(&pair));
    tls_engine_close(&pair.client.engine);
    cr_assert_eq(wire_parse(&pair.client.queue).record_count, 1);
    tls_engine_close(&pair.client.engine);
    cr_assert_eq(wire_parse(&pair.client.queue).record_count, 1);
    pair_deinit(&pair);
    pair_setup_deinit(&setup);
}

/* A server name and a protocol so long that the ticket, which holds both, needs two records. */
Test(data, a_write_waits_while_a_ticket_is_cut_in_two)
{
    char alpn[256];
    char server_name[251];
    struct data_fixture fixture = {
        .setup = {.server_config = {.max_send_fragment = 512, .alpn = alpn},
                  .client_config = {.alpn = alpn}},
    };
    struct tls_engine_options options = {.server_name = server_name};
    struct pair_end *client = &fixture.pair.client;
    uint8_t out[16];
    size_t count;
    size_t first;

    memset(alpn, 'a', 255);
    alpn[255] = '\0';
    for (size_t i = 0; i < 250; i++) {
        server_name[i] = i % 25 == 24 ? '.' : 'h';
    }
    server_name[249] = 'h';
    server_name[250] = '\0';
    pair_setup_init(&fixture.setup, NULL);
    pair_init(&fixture.pair, fixture.setup.client, fixture.setup.server, &options);
    cr_assert(pair_handshake(&fixture.pair), "%s", fixture.pair.client.failure.reason);
    first = RECORD_HEADER_BYTES + ((size_t)client->inbox[client->inbox_fed + 3] << 8) +
            client->inbox[client->inbox_fed + 4];
    cr_assert_lt(first, client->inbox_bytes - client->inbox_fed, "the ticket is one record");

    tls_engine_feed(&client->engine, client->inbox + client->inbox_fed, first);
    cr_assert_eq(tls_engine_read(&client->engine, out, sizeof out, &count, &client->failure),
                 TLS_AGAIN);
    cr_assert_eq(tls_engine_write(&client->engine, out, 4, &client->failure), TLS_AGAIN);
    cr_assert_eq(client->queue.bytes, 0);

    tls_engine_feed(&client->engine, client->inbox + client->inbox_fed + first,
                    client->inbox_bytes - client->inbox_fed - first);
    cr_assert_eq(tls_engine_read(&client->engine, out, sizeof out, &count, &client->failure),
                 TLS_AGAIN);
    cr_assert_eq(client->engine.tally.tickets_received, 1);
    cr_assert_eq(tls_engine_write(&client->engine, out, 4, &client->failure), TLS_OK);
    cr_assert_gt(client->queue.bytes, 0);
    pair_deinit(&fixture.pair);
    pair_setup_deinit(&fixture.setup);
}
