/* What a load run found. Every figure covers the measured time only, not the warm-up, unless it
 * says otherwise. A handshake, message or byte belongs to the measured time when it completed in
 * it; so does its latency, even when it began before. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "tls/engine.h"

/* Where connections are made once and stay (load_plan_reconnects()), CONNECT to TICKET and SET_UP
 * cover the whole run, since that is before the measured time begins. */
enum load_phase {
    LOAD_PHASE_CONNECT, /* connect(2) submitted to established */
    LOAD_PHASE_HELLO, /* established to ServerHello here; with HelloRetryRequest both round trips */
    LOAD_PHASE_FINISH, /* ServerHello here to handshake complete on this side */
    LOAD_PHASE_SET_UP, /* connect(2) submitted to handshake complete: the sum of the three */
    LOAD_PHASE_HANDSHAKE_FULL,    /* established to handshake complete on this side */
    LOAD_PHASE_HANDSHAKE_RESUMED, /* in any way: the sum of the next four */
    LOAD_PHASE_HANDSHAKE_TICKET,  /* without early data; TLS 1.3 knows no other way */
    LOAD_PHASE_HANDSHAKE_ID,
    LOAD_PHASE_HANDSHAKE_EARLY_ACCEPTED, /* by ticket, and the server took the early data */
    LOAD_PHASE_HANDSHAKE_EARLY_REJECTED, /* by ticket, and it did not */
    LOAD_PHASE_TICKET, /* handshake complete to the first TLS 1.3 ticket, where one was awaited */
    LOAD_PHASE_FIRST_BYTE,       /* request begun to first plaintext byte of its answer */
    LOAD_PHASE_FIRST_BYTE_EARLY, /* of them, those of requests that were taken as early data */
    /* connect(2) submitted to the first byte of a connection's first answer, where it did not have
     * to wait before it asked: by early data, and otherwise. */
    LOAD_PHASE_TO_FIRST_BYTE,
    LOAD_PHASE_TO_FIRST_BYTE_EARLY,
    LOAD_PHASE_MESSAGE, /* request begun to last byte of its answer */
    /* Open loop only: from the time that the schedule intended, so that work which the server's
     * (or the client's) slowness kept from beginning counts its wait. */
    LOAD_PHASE_MESSAGE_CORRECTED,
    LOAD_PHASE_SET_UP_CORRECTED, /* handshake mode */
    LOAD_PHASE_START_DELAY,      /* intended to begun: waiting for a connection, and late turns */
    LOAD_PHASE_COUNT,
};

const char *load_phase_name(enum load_phase phase); /* "connect", "handshake_full" ... */

enum {
    LOAD_NEGOTIATED_MAX = 64,
    LOAD_ERRORS_MAX = 64,
    LOAD_REASON_BYTES = 160,
    LOAD_SERIES_MAX = 3600
};

/* Bytes on the wire of so many handshakes: both sides' flights, headers of records included, those
 * of TCP and IP not; nor TLS 1.3 tickets, which follow. Early data is among them. */
struct load_extent {
    uint64_t sum, min, max;
};

struct load_handshake_bytes {
    uint64_t count;
    struct load_extent in, out;
};

enum { LOAD_RESUMPTION_COUNT = TLS_RESUMED_ID + 1 };

/* One combination of negotiated parameters and how many connections had it (whole run). */
struct load_negotiated {
    struct tls_facts facts;
    uint64_t connections;
};

struct load_plan;

/* Adds the durations that the plan is about: of its messages, or of its handshakes however they
 * were made; in an open loop from when they were due. */
void load_main_latency(const struct load_plan *plan,
                       const struct histogram phases[LOAD_PHASE_COUNT], struct histogram *into);

/* How far a connection had come when something went wrong. */
enum load_error_phase {
    LOAD_ERROR_CONNECT,
    LOAD_ERROR_HANDSHAKE,
    LOAD_ERROR_TRANSFER,
    LOAD_ERROR_OTHER, /* reasons beyond the table */
    LOAD_ERROR_PHASE_COUNT,
};

const char *load_error_phase_name(enum load_error_phase phase); /* "connect" ... */

struct load_error {
    enum load_error_phase phase;
    char reason[LOAD_REASON_BYTES];
    uint64_t count;
};

/* One interval of the rate over time. When a run outlasts the table, intervals are joined two by
 * two and the later ones are as long as the joined ones. */
struct load_interval {
    double start_s; /* since the measured time began */
    double seconds;
    uint64_t handshakes;
    uint64_t messages;
    uint64_t bytes_in, bytes_out; /* plaintext */
    uint64_t errors;
};

/* Nothing in it points anywhere: its bytes are all of it, also in another process of this build. A
 * new field needs a line in merge.c, and its test says so. */
struct load_result {
    double seconds;        /* measured wall time */
    double cpu_seconds;    /* of all load threads, user and system */
    double busiest_thread; /* CPU time over wall time of the busiest one, 0-1 */
    unsigned threads;
    uint32_t connections_asked;
    uint32_t
        connections_peak; /* open and secure at once, whole run: the sum of the threads' peaks */
    uint32_t idle_asked;
    uint32_t idle_held;     /* of them, open and secure when the measured time had ended */
    uint32_t idle_verified; /* of them, answered right then */
    uint64_t connects;
    uint64_t handshakes; /* completed: full + resumed */
    uint64_t handshakes_full;
    uint64_t handshakes_ticket;
    uint64_t handshakes_id;
    uint64_t resumes_offered; /* completed handshakes that offered a session */
    uint64_t early_accepted;  /* completed handshakes whose early data the server took */
    uint64_t early_rejected;  /* and did not, so that it was sent again after the handshake */
    uint64_t hello_retries;
    uint64_t tickets_received;
    struct load_handshake_bytes handshake_bytes[LOAD_RESUMPTION_COUNT]; /* by tls_resumption */
    uint64_t messages;         /* answers complete and verified; streams: blocks of message_bytes */
    uint64_t messages_corrupt; /* an answer's bytes differ from what they should be */
    uint64_t http_status_other;   /* answers that were not 2xx; they are among the messages */
    uint64_t bytes_in, bytes_out; /* plaintext; upload: what left for the kernel */
    uint64_t wire_bytes_in, wire_bytes_out;
    uint64_t records_in, records_out;
    uint64_t records_direct; /* of both, by the direct record layer */
    uint64_t due;          /* open loop: begun or not, what the schedule had in the measured time */
    uint64_t dropped;      /* of it: found LOAD_QUEUE_MAX waiting, and is in no percentile */
    uint64_t unstarted;    /* due and not begun when the measured time ended */
    uint64_t errors_total; /* whole run */
    struct histogram phases[LOAD_PHASE_COUNT];
    struct load_negotiated negotiated[LOAD_NEGOTIATED_MAX]; /* most connections first */
    size_t negotiated_count;
    uint64_t negotiated_other;          /* connections beyond the table */
    uint64_t staples[TLS_STAPLE_COUNT]; /* with request_ocsp: full handshakes by what came of it
                                         * (whole run) */
    struct load_error errors[LOAD_ERRORS_MAX]; /* whole run, most frequent first */
    size_t error_count;
    struct load_interval series[LOAD_SERIES_MAX];
    size_t series_count;
    bool interrupted; /* ended early by a signal */
};
