/* The published name of every counter. Rows that share a name are one metric, told apart by a
 * label, and stand next to each other: Prometheus wants a metric's samples in one piece. */
#include "stats/counters.h"

#include <stddef.h>

/* Totals, one a label value. */
#define HANDSHAKES(kind)                                                                           \
    {                                                                                              \
        "handshakes", "Handshakes completed", COUNTER_KIND_TOTAL, "kind", kind                     \
    }
#define FAILED(reason)                                                                             \
    {                                                                                              \
        "handshakes_failed", "Handshakes that did not complete", COUNTER_KIND_TOTAL, "reason",     \
            reason                                                                                 \
    }
#define REFUSED(limit)                                                                             \
    {                                                                                              \
        "connections_refused", "Connections refused at once, by the limit that was reached",       \
            COUNTER_KIND_TOTAL, "limit", limit                                                     \
    }
#define CLOSED(kind)                                                                               \
    {                                                                                              \
        "connections_closed", "Connections ended, by how", COUNTER_KIND_TOTAL, "kind", kind        \
    }
#define TIMEOUTS(kind)                                                                             \
    {                                                                                              \
        "timeouts", "Connections ended by a timeout", COUNTER_KIND_TOTAL, "kind", kind             \
    }

/* name, help, kind (a total when left out), label, label value */
const struct counter_info counter_infos[COUNTER_COUNT] = {
    [COUNTER_ACCEPTS] = {"accepts", "Connections accepted"},
    [COUNTER_ACCEPT_ERRORS] = {"accept_errors",
                               "Failures to accept a connection, such as no free descriptor"},
    [COUNTER_REFUSED] = REFUSED("connections"),
    [COUNTER_REFUSED_HANDSHAKES] = REFUSED("handshakes"),
    [COUNTER_REFUSED_ADDRESS_CONNECTIONS] = REFUSED("address_connections"),
    [COUNTER_REFUSED_ADDRESS_HANDSHAKES] = REFUSED("address_handshakes"),
    [COUNTER_REFUSED_BUFFERS] = REFUSED("buffers"),
    [COUNTER_CONNECTS] = {"connects", "Connections opened to another server"},
    [COUNTER_HANDSHAKES_FULL] = HANDSHAKES("full"),
    [COUNTER_HANDSHAKES_TICKET] = HANDSHAKES("ticket"),
    [COUNTER_HANDSHAKES_ID] = HANDSHAKES("id"),
    [COUNTER_HANDSHAKE_FAILED_PROTOCOL] = FAILED("protocol"),
    [COUNTER_HANDSHAKE_FAILED_VERSION] = FAILED("version"),
    [COUNTER_HANDSHAKE_FAILED_NO_SHARED] = FAILED("no_shared"),
    [COUNTER_HANDSHAKE_FAILED_NOT_TLS] = FAILED("not_tls"),
    [COUNTER_HANDSHAKE_FAILED_CERTIFICATE] = FAILED("certificate"),
    [COUNTER_HANDSHAKE_FAILED_ALERT] = FAILED("alert"),
    [COUNTER_HANDSHAKE_FAILED_CORRUPT] = FAILED("corrupt"),
    [COUNTER_HANDSHAKE_FAILED_INTERNAL] = FAILED("internal"),
    [COUNTER_HANDSHAKE_FAILED_CLOSED] = FAILED("closed"),
    [COUNTER_HANDSHAKE_FAILED_TIMEOUT] = FAILED("timeout"),
    [COUNTER_TLS_ERRORS] = {"tls_errors", "TLS errors after the handshake"},
    [COUNTER_CONNECTIONS_OPEN] = {"connections_open", "Connections open now", COUNTER_KIND_GAUGE},
    [COUNTER_CONNECTIONS_PEAK] = {"connections_peak",
                                  "Most connections open at once since the start",
                                  COUNTER_KIND_GAUGE},
    [COUNTER_HANDSHAKES_IN_PROGRESS] = {"handshakes_in_progress",
                                        "Connections whose handshake is not complete",
                                        COUNTER_KIND_GAUGE},
    [COUNTER_CLOSED_CLEAN] = CLOSED("clean"),
    [COUNTER_CLOSED_TRUNCATED] = CLOSED("truncated"),
    [COUNTER_CLOSED_RESET] = CLOSED("reset"),
    [COUNTER_CLOSED_OVERFLOW] = CLOSED("overflow"),
    [COUNTER_CLOSED_EMPTY_RECORDS] = CLOSED("empty_records"),
    [COUNTER_TIMEOUTS_HANDSHAKE] = TIMEOUTS("handshake"),
    [COUNTER_TIMEOUTS_IDLE] = TIMEOUTS("idle"),
    [COUNTER_TIMEOUTS_WRITE] = TIMEOUTS("write"),
    [COUNTER_TIMEOUTS_DRAIN] = TIMEOUTS("drain"),
    [COUNTER_RECORDS_IN] = {"records_in", "TLS records received"},
    [COUNTER_RECORDS_OUT] = {"records_out", "TLS records sent"},
    [COUNTER_RECORDS_DIRECT] = {"records_direct",
                                "TLS records of either way that the direct record layer sealed or "
                                "opened"},
    [COUNTER_PLAIN_BYTES_IN] = {"plain_bytes_in", "Plaintext bytes received"},
    [COUNTER_PLAIN_BYTES_OUT] = {"plain_bytes_out", "Plaintext bytes sent"},
    [COUNTER_WIRE_BYTES_IN] = {"wire_bytes_in", "Bytes received from the network"},
    [COUNTER_WIRE_BYTES_OUT] = {"wire_bytes_out", "Bytes sent to the network"},
    [COUNTER_MESSAGES] = {"messages",
                          "Requests answered (http, rr) or reads served (echo, discard)"},
    [COUNTER_TICKETS_ISSUED] = {"tickets_issued", "Session tickets issued"},
    [COUNTER_TICKETS_ACCEPTED] = {"tickets_accepted", "Session tickets accepted"},
    [COUNTER_TICKETS_RENEWED] = {"tickets_renewed",
                                 "Session tickets accepted under a previous key and renewed"},
    [COUNTER_TICKETS_REJECTED] = {"tickets_rejected",
                                  "Session tickets of an unknown key or a wrong MAC"},
    [COUNTER_TICKET_KEY_ROTATIONS] = {"ticket_key_rotations", "Ticket keys made current"},
    [COUNTER_EARLY_BYTES] = {"early_data_bytes", "0-RTT plaintext bytes accepted"},
    [COUNTER_EARLY_ACCEPTED] = {"early_data_handshakes", "Handshakes with 0-RTT data",
                                COUNTER_KIND_TOTAL, "outcome", "accepted"},
    [COUNTER_EARLY_REJECTED] = {"early_data_handshakes", "Handshakes with 0-RTT data",
                                COUNTER_KIND_TOTAL, "outcome", "rejected"},
    [COUNTER_RENEGOTIATIONS] = {"renegotiations",
                                "Renegotiations and KeyUpdates that peers started"},
    [COUNTER_SENDS] = {"sends", "Send requests completed"},
    [COUNTER_RECVS] = {"recvs", "Receive completions"},
    [COUNTER_RECV_PARKS] = {"recv_parks",
                            "Receives that waited because no provided buffer was free"},
    [COUNTER_RECV_PAUSES] = {"recv_pauses",
                             "Times that back-pressure stopped reading from a connection"},
    [COUNTER_ENTERS] = {"enters", "Calls of io_uring_enter"},
    [COUNTER_COMPLETIONS] = {"completions", "Completions taken from io_uring"},
    [COUNTER_COMPLETIONS_STALE] = {"completions_stale",
                                   "Completions dropped because their connection had ended"},
};
