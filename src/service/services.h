/* The table of services that `tlsdyno serve` offers. */
#pragma once

#include <stdint.h>

#include "conn/service.h"

struct error;
struct payload;

/* The listener's settings, shared read-only by its connections (conn->service_config). Only source,
 * http and rr look at them. */
struct service_config {
    const struct payload *payload; /* what source, http and rr send */
    uint64_t source_bytes;         /* source: plaintext bytes until it closes; 0: without end */
};

extern const struct service echo_service;
extern const struct service discard_service;
extern const struct service source_service;
extern const struct service http_service;
extern const struct service rr_service;

/* All of them, NULL-ended. */
extern const struct service *const services[];

/* By name; NULL and a sentence that lists the names otherwise. */
const struct service *service_find(const char *name, struct error *error);

/* rr's request header, as netperf's request/response test: two big-endian 32-bit sizes, request
 * then response. The request counts its header (so at least RR_HEADER_BYTES); the response may be
 * of any size up to RR_BYTES_MAX, nothing at all included. The answer is the payload sequence from
 * its start (base/payload.h). A header that breaks these rules ends the connection at once
 * (CONN_END_LOCAL): there is no way to say what is wrong in the protocol. */
enum { RR_HEADER_BYTES = 8, RR_BYTES_MAX = 1 << 30 };
