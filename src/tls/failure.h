/* Why a TLS connection failed: a small closed set that counters and reports use, and OpenSSL's own
 * words beside it. */
#pragma once

#include <stdint.h>

/* In the order of COUNTER_HANDSHAKE_FAILED_*. */
enum tls_failure {
    TLS_FAILURE_PROTOCOL,    /* unexpected or malformed message */
    TLS_FAILURE_VERSION,     /* no common protocol version */
    TLS_FAILURE_NO_SHARED,   /* no common cipher, group, signature algorithm or ALPN protocol */
    TLS_FAILURE_NOT_TLS,     /* plain HTTP, SSLv2, random bytes */
    TLS_FAILURE_CERTIFICATE, /* the peer's certificate was refused by us */
    TLS_FAILURE_ALERT,       /* the peer sent a fatal alert */
    TLS_FAILURE_CORRUPT,     /* bad record MAC, decryption failed, record too long */
    TLS_FAILURE_INTERNAL,    /* out of memory and the like */
    TLS_FAILURE_COUNT,
};

const char *tls_failure_name(enum tls_failure failure); /* "protocol", "not_tls" ... */

enum { TLS_REASON_BYTES = 120 };

struct tls_failure_detail {
    enum tls_failure kind;
    char reason[TLS_REASON_BYTES]; /* OpenSSL's reason in words: "wrong version number", "alert
                                      unknown CA" */
};

/* Room-internal: empties OpenSSL's error queue of this thread into `out`. `verify_result` is
 * SSL_get_verify_result()'s value, 0 when there is none. */
void tls_failure_take(long verify_result, struct tls_failure_detail *out);
