/* A connection without a data path: it defines the functions of conn/conn.h that services call,
 * records what a service writes, and plays the driver's part of back-pressure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"
#include "conn/conn.h"
#include "service/services.h"

struct fake_conn {
    struct conn conn; /* the first member: the functions find the rest from it */
    struct payload payload;
    struct service_config config;

    uint8_t *sent; /* heap: all plaintext written so far */
    size_t sent_count, sent_bytes;
    size_t write_count;
    size_t output_max; /* the most that was ever queued at once */
    uint64_t message_count;
    unsigned close_count, abort_count;
    bool fails; /* the next write ends the connection, as a failure of the engine does */
};

/* An open connection of the service, on_open called. */
struct fake_conn *fake_conn_new(const struct service *service);
/* With a limit for source. */
struct fake_conn *fake_conn_new_limited(const struct service *service, uint64_t source_bytes);
/* Calls on_closed. */
void fake_conn_free(struct fake_conn *fake);

/* One record, to a peer that does not read. Returns how many bytes the service took, and checks
 * that it took fewer only for want of room. */
size_t fake_conn_offer(struct fake_conn *fake, const void *bytes, size_t count);

/* The peer reads all that is queued; on_writable follows if the output had been full. */
void fake_conn_drain(struct fake_conn *fake);

/* The records of a peer that reads: all bytes are offered, `record_bytes` at a time, until the
 * service has taken and answered them. */
void fake_conn_receive(struct fake_conn *fake, const void *bytes, size_t count,
                       size_t record_bytes);

/* The same for a text, in one record. Returns what has been sent so far, as a text. */
const char *fake_conn_say(struct fake_conn *fake, const char *text);

void fake_conn_end(struct fake_conn *fake); /* the peer's close_notify */
void fake_conn_server_drains(struct fake_conn *fake);

/* What has been sent, NUL-terminated. */
const char *fake_conn_sent(struct fake_conn *fake);
