/* What a load run shall do: plain data from the command line, borrowed strings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/cpus.h"
#include "load/source.h"
#include "ring/socket.h"
#include "tls/config.h"

struct error;

enum load_mode { LOAD_HANDSHAKE, LOAD_RR, LOAD_UPLOAD, LOAD_DOWNLOAD };

/* What the server at the other end does with plaintext. */
enum load_peer {
    LOAD_PEER_ECHO,
    LOAD_PEER_RR,
    LOAD_PEER_HTTP,
    LOAD_PEER_SOURCE,
    LOAD_PEER_DISCARD
};

enum load_resume { LOAD_RESUME_NONE, LOAD_RESUME_TICKET, LOAD_RESUME_ID };

/* How the beginnings of an open loop are spread over time. */
enum load_arrivals { LOAD_ARRIVALS_CONSTANT, LOAD_ARRIVALS_POISSON };

enum {
    LOAD_PATH_BYTES = 1024,
    LOAD_HOST_BYTES = 256,
    LOAD_THREADS_MAX = 1024,
    LOAD_CONNECTIONS_MAX = 1000 * 1000,
    LOAD_DEPTH_MAX = 1024,
    LOAD_MESSAGE_BYTES_MAX = 1 << 30,
    LOAD_RATE_MAX = 10 * 1000 * 1000,
    LOAD_QUEUE_MAX = 1 << 20, /* open loop: due and not yet begun, on each thread */
};

/* Which of several processes, possibly on several machines, that run one plan together: each makes
 * its share. The plan is that of all of them. Zeroed: there is only one. */
struct load_rank {
    unsigned index, count;
};

struct load_plan {
    struct load_rank rank;
    enum load_mode mode;
    enum load_peer
        peer; /* ECHO where the mode needs another: SOURCE for download, DISCARD for upload */
    struct socket_address address;
    char
        host[LOAD_HOST_BYTES]; /* as in the target, without port or brackets; "" for Unix sockets */
    char authority[LOAD_HOST_BYTES]; /* HTTP's Host header */
    char path[LOAD_PATH_BYTES];      /* HTTP's request target; "/" by default */
    const char *server_name;         /* SNI; NULL: host, unless it is an address */
    const char *verify_host;         /* NULL: not checked */
    bool plain_tcp;                  /* no TLS: the t_TCP half of the ceiling; http:// targets */
    struct tls_config tls;
    unsigned threads; /* of this process; 0: as many as CPUs may be used; never more than its share
                       * of connections or count */
    uint32_t connections; /* in total, over all threads; 0: 50 */
    uint32_t idle;    /* connections besides, held open in silence; each is asked once at the end */
    uint64_t ramp_ns; /* opens the first connections evenly over so long; 0: as fast as it goes */
    uint64_t ramp_rate; /* or so many a second */
    struct load_cpus cpus;
    const struct socket_address *sources; /* connections come from these in turn; NULL: see next */
    uint32_t source_count;
    uint32_t loopback_sources; /* completed: of 127.0.0.2 and up, where one address is not enough */
    uint64_t duration_ns;      /* measured time; 0 with count 0: 10 s; 0 otherwise: no limit */
    uint64_t warmup_ns;        /* before it, not counted */
    uint64_t count; /* handshakes or messages in total; 0: until the duration is over. Such a
                     * run also ends when nothing has succeeded for timeout_ns */
    uint64_t message_bytes;           /* request, or block of a stream; 0: 64, for streams 16 KiB */
    uint64_t response_bytes;          /* rr: answer size; 0: as the request */
    uint32_t depth;                   /* requests under way on each connection; 0: 1 */
    uint64_t requests_per_connection; /* rr: then it ends and another one is made; 0: never */
    uint64_t rate; /* open loop: so many messages, or connections in handshake mode, begin each
                    * second, whatever the server does; 0: closed loop. Not for streams */
    enum load_arrivals arrivals; /* open loop only */
    enum load_resume resume;     /* where connections are made again, or with a session */
    unsigned resume_percent;     /* of the connections, when resume is not NONE; 0: 100 */
    const uint8_t *session; /* serialised: what the first connection resumes from; NULL: nothing */
    size_t session_bytes;
    bool keep_session; /* hand a session to hooks->session at the end */
    bool early_data;   /* rr: the first request of a connection that resumes goes as 0-RTT data */
    bool dynamic_records; /* small at first and after silence: conn_set_dynamic_records() */
    uint64_t timeout_ns;  /* for connect and handshake, and for an answer; 0: 10 s */
    uint64_t interval_ns; /* live view and rate over time; 0: 1 s */
};

/* Fills address, host, authority, path, peer and plain_tcp from "HOST:PORT",
 * "https://host[:port][/path]", "http://...", "unix:PATH". Looks names up: blocks. Returns 0 or
 * -1. */
int load_plan_target(struct load_plan *plan, const char *target, struct error *error);

/* Fills in what was left at zero and refuses what cannot be. Changes nothing when repeated. Returns
 * 0 or -1. */
int load_plan_complete(struct load_plan *plan, struct error *error);

/* What falls to one of `parts`: the first ones take one more of what does not divide evenly. And
 * what falls to those before it. */
static inline uint64_t load_share(uint64_t whole, unsigned parts, unsigned index)
{
    return whole / parts + (index < whole % parts ? 1 : 0);
}

static inline uint64_t load_share_before(uint64_t whole, unsigned parts, unsigned index)
{
    return whole / parts * index + (index < whole % parts ? index : whole % parts);
}

/* Whether connections are made all the time, so that making them is part of what is measured; if
 * not, they are made once, before the measured time. */
static inline bool load_plan_reconnects(const struct load_plan *plan)
{
    return plan->mode == LOAD_HANDSHAKE || plan->requests_per_connection > 0;
}

/* Whether connections are made before the load begins. Handshakes and early data must be within the
 * measured time. */
static inline bool load_plan_has_ramp(const struct load_plan *plan)
{
    return plan->mode != LOAD_HANDSHAKE && !plan->early_data;
}

const char *load_mode_name(enum load_mode mode);
const char *load_peer_name(enum load_peer peer);
const char *load_arrivals_name(enum load_arrivals arrivals);
