#include "sweep/plan.h"

#include <string.h>

#define MS 1000000ull

const struct sweep_plan sweep_plans[SWEEP_PLAN_COUNT] = {
    {.name = "quick",
     .help = "two suites at three message sizes, in half a minute",
     .mode = LOAD_RR,
     .axes = {[SWEEP_SUITE] = "TLS_AES_128_GCM_SHA256,TLS_CHACHA20_POLY1305_SHA256",
              [SWEEP_MESSAGE] = "64,4Ki,64Ki"},
     .rounds = 3,
     .duration_ns = 700 * MS,
     .warmup_ns = 200 * MS},
    {.name = "fragments",
     .help = "record sizes against message sizes and links",
     .mode = LOAD_RR,
     .axes = {[SWEEP_SUITE] = "TLS_AES_128_GCM_SHA256",
              [SWEEP_FRAGMENT] = "1400,4096,16384,dynamic",
              [SWEEP_MESSAGE] = "16Ki,256Ki",
              [SWEEP_CONNECTIONS] = "16",
              [SWEEP_LINK] = "none,100M,10M"},
     .rounds = 5,
     .duration_ns = 2000 * MS,
     .warmup_ns = 500 * MS},
    {.name = "ciphers",
     .help = "suites of TLS 1.2 and 1.3 against message sizes",
     .mode = LOAD_RR,
     .axes = {[SWEEP_SUITE] = "TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384,"
                              "TLS_CHACHA20_POLY1305_SHA256,ECDHE-ECDSA-AES128-GCM-SHA256,"
                              "ECDHE-ECDSA-AES256-GCM-SHA384,ECDHE-ECDSA-CHACHA20-POLY1305",
              [SWEEP_MESSAGE] = "64,1Ki,16Ki,256Ki"},
     .rounds = 5,
     .duration_ns = 1000 * MS,
     .warmup_ns = 300 * MS},
    {.name = "groups",
     .help = "handshakes by key exchange, post-quantum ones included",
     .mode = LOAD_HANDSHAKE,
     .axes = {[SWEEP_GROUP] = "X25519,P-256,P-384,P-521,X448,X25519MLKEM768,SecP256r1MLKEM768,"
                              "SecP384r1MLKEM1024,MLKEM768"},
     .rounds = 5,
     .duration_ns = 1000 * MS,
     .warmup_ns = 300 * MS},
};

const struct sweep_plan *sweep_plan_find(const char *name)
{
    for (size_t i = 0; i < SWEEP_PLAN_COUNT; i++) {
        if (strcmp(sweep_plans[i].name, name) == 0) {
            return &sweep_plans[i];
        }
    }
    return NULL;
}
