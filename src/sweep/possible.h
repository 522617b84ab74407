/* Which cells can be run with the OpenSSL at hand, and why the others cannot. Pure functions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sweep/matrix.h"

enum { SWEEP_CAPABILITIES_MAX = 256, SWEEP_REASON_BYTES = 512 };

/* A suite or a group. */
struct sweep_capability {
    char name[SWEEP_TEXT_BYTES];     /* OpenSSL's: "ECDHE-RSA-AES128-GCM-SHA256", "secp256r1" */
    char standard[SWEEP_TEXT_BYTES]; /* a suite's in IANA's registry, when it differs; else "" */
    bool in_1_2, in_1_3;             /* versions of TLS that it is good for */
};

struct sweep_capabilities {
    struct sweep_capability suites[SWEEP_CAPABILITIES_MAX];
    size_t suite_count;
    struct sweep_capability groups[SWEEP_CAPABILITIES_MAX];
    size_t group_count;
};

/* Adds one as `tlsdyno ciphers` lists it: versions such as "TLSv1-TLSv1.3", and of a suite the note
 * "256 bits, TLS_...". What does not fit is left out. */
void sweep_capability_add_suite(struct sweep_capabilities *capabilities, const char *name,
                                const char *versions, const char *note);
void sweep_capability_add_group(struct sweep_capabilities *capabilities, const char *name,
                                const char *versions);

/* By either of its names; NULL: OpenSSL has none. Groups in any case of letters, and NIST's curves
 * also by NIST's names. */
const struct sweep_capability *sweep_suite_find(const struct sweep_capabilities *capabilities,
                                                const char *name);
const struct sweep_capability *sweep_group_find(const struct sweep_capabilities *capabilities,
                                                const char *name);

/* Whether the two names stand for one group. */
bool sweep_groups_equal(const char *a, const char *b);

/* Writes why the cell cannot be, and returns out; NULL: nothing is known against it. */
const char *sweep_obstacle(const struct sweep_capabilities *capabilities,
                           const struct sweep_cell *cell, char out[SWEEP_REASON_BYTES]);
