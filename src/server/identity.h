/* Who the server is: the context of listeners, and those of the server names. One for each worker
 * and replaced as a whole by a reload; connections keep the contexts that they were made from. */
#pragma once

#include "ring/mailbox.h"
#include "tls/context.h"
#include "tls/names.h"

struct error;
struct server_config;

struct identity {
    struct letter letter; /* brings it to its worker */
    struct worker *worker;
    struct tls_context *context;
    struct tls_names names;
};

/* Heap; NULL and a sentence. */
struct identity *identity_new(const struct server_config *config, const struct tls_shared *shared,
                              struct error *error);
void identity_free(struct identity *identity); /* accepts NULL */

/* One more server name for a worker's identity. */
struct identity_name {
    struct letter letter; /* brings it to its worker */
    struct worker *worker;
    struct tls_context *context;
    char *host;
};

/* Heap, as above. */
struct identity_name *identity_name_new(const char *host, const struct tls_config *tls,
                                        const struct tls_shared *shared, struct error *error);
void identity_name_free(struct identity_name *name); /* accepts NULL */
