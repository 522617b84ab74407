/* One of the connections that the plan asks for. It lives through the whole run: when its TCP
 * connection ends, as intended or not, it makes the next one. The kinds of client (handshake, rr,
 * http, stream) say what is done with it. One load thread each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn/conn.h"
#include "load/exchange.h"
#include "load/failure.h"
#include "load/http_response.h"
#include "load/leave.h"
#include "load/plan.h"

struct load_client;
struct load_thread;
struct payload;

enum { CLIENT_REQUEST_BYTES = 16384 };

/* The beginning of each request, where it is always the same; made once for all threads. */
struct client_request {
    size_t bytes;
    uint8_t data[CLIENT_REQUEST_BYTES];
};

struct client_kind {
    struct service service; /* what the data path calls */
    bool is_endless; /* the server sends on and on: an orderly end would wait for it in vain */

    /* Makes the constant part of requests; NULL: none. */
    void (*prepare)(const struct load_plan *plan, const struct payload *payload,
                    struct client_request *out);
    /* The ramp is over: an open connection may begin; NULL: its server does not wait to be asked.
     */
    void (*start)(struct load_client *client);
    /* Once a turn while client->is_waiting, unless it leaves. */
    void (*poll)(struct load_client *client);
    /* The timer that the kind started on an open connection. */
    void (*timer)(struct load_client *client);
};

/* By the plan's mode and peer. */
const struct client_kind *client_kind_of(const struct load_plan *plan);
const struct client_kind *client_idle_kind_of(const struct load_plan *plan);

extern const struct client_kind handshake_client;
extern const struct client_kind rr_client; /* echo and rr servers */
extern const struct client_kind http_client;
extern const struct client_kind upload_client;
extern const struct client_kind download_client;

struct load_client {
    struct wheel_timer timer; /* no connection: until the next attempt; else the kind's */
    struct load_thread *thread;
    const struct client_kind *kind;
    struct conn *conn; /* NULL between connections */
    struct load_client *waiting_next;
    struct load_client *ready_next;
    struct exchange exchange;
    uint32_t index;              /* among all clients of the run */
    uint32_t failures;           /* in a row */
    bool is_idle;                /* held open in silence until the stage is VERIFY */
    bool was_open;               /* an idle one that ends does not come again */
    bool is_listed;              /* in the thread's list of waiting clients */
    bool is_ready;               /* in line for what the open loop has due */
    bool is_waiting;             /* for something that no event tells: see client_kind.poll */
    bool is_open;                /* counted as open */
    bool is_leaving;             /* only its session is still waited for: client_leave() */
    bool has_kept;               /* its session is in the pool */
    bool is_prompt;              /* its first request did not have to wait after it opened */
    bool asked_early;            /* its first request was begun before the handshake */
    bool is_early;               /* and the server took it so */
    bool is_ending;              /* however this connection ends, it is as intended */
    bool is_blamed;              /* why this connection fails is in the tally already */
    bool is_settled;             /* the first attempt has succeeded or failed */
    bool is_tls13;               /* of an open connection: 1.3 was negotiated */
    struct tls_session *offered; /* what this connection tries to resume from, owned; or NULL */
    uint64_t intended_ns;        /* handshake mode: when this connection was due */
    size_t early_bytes;          /* of its first request, sent as early data */
    uint64_t request_offset;     /* bytes written of the request being written; 0: none is */
    uint64_t answer_offset;      /* bytes received of the answer being received, or of the stream */
    uint64_t left_bytes;         /* upload: plaintext that has left for the kernel */
    struct http_response response;
};

static inline struct load_client *client_of(struct conn *conn)
{
    return *(struct load_client **)conn_service_state(conn);
}

/* Makes a connection if the stage and the plan's count allow another. */
void client_connect(struct load_client *client);

/* Its turn has come in the open loop: begins what is due, unless it no longer can. */
void client_begin(struct load_client *client);

/* For the kinds' on_open: records what is common to all. */
void client_opened(struct load_client *client);

/* For the kinds' on_closed, last: records how the connection ended, and arranges for the next. */
void client_closed(struct load_client *client, enum failure_owed owed);

/* Ends an open connection as intended. */
void client_close(struct load_client *client);

/* Ends the connection for a reason that only the client can know. */
void client_fail(struct load_client *client, const char *reason);

/* An answer's bytes are not what they should be. */
void client_fail_corrupt(struct load_client *client);

/* From now on poll is called once a turn, until the kind sets is_waiting to false. */
void client_wait(struct load_client *client);

/* Once a turn while client->is_waiting. */
void client_poll(struct load_client *client);

/* The thread's clock has reached client->timer. */
void client_timer(struct load_client *client);

/* How long a client rests after so many failures in a row. */
uint64_t client_backoff_ns(uint32_t failures);
