/* What is done with the plaintext of a connection. A service is a constant table of functions;
 * adding one is one file and one row (src/service/services.c). The load generator's modes are
 * services whose connections make requests.
 *
 * All functions run on the connection's worker; any may be NULL. None may block. Each may call
 * conn_write(), conn_close() and conn_abort() on its own connection. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct conn;

struct service {
    const char *name;
    const char *help;

    /* First call, exactly once for each connection: it is accepted, wrapped, or about to connect.
     * May do no more than look. */
    void (*on_start)(struct conn *conn);

    /* A client's TCP connection is established and its handshake about to begin: the time for
     * conn_write_early(). */
    void (*on_connected)(struct conn *conn);

    /* The connection can carry plaintext. */
    void (*on_open)(struct conn *conn);

    /* Plaintext, at most one record at a time. Returns how many bytes were taken; with
     * fewer than `count` reading stops. If conn_output_room() is 0 then, the rest is offered again
     * after the output has drained, else by conn_resume_reading(). */
    size_t (*on_data)(struct conn *conn, const uint8_t *bytes, size_t count);

    /* The output queue fell below the low-water mark after it had been above the high one, or
     * on_open left room: there is room again. */
    void (*on_writable)(struct conn *conn);

    /* The peer will send no more (close_notify). NULL: answer by closing once everything is sent.
     */
    void (*on_end)(struct conn *conn);

    /* What conn_renegotiate() started is complete. */
    void (*on_renegotiated)(struct conn *conn);

    /* The server drains: finish what is under way, then close. NULL: carry on until the peer
     * closes. */
    void (*on_drain)(struct conn *conn);

    /* Last call, exactly once for each connection, opened or not: conn->end says why. The slot is
     * reused afterwards. */
    void (*on_closed)(struct conn *conn);
};
