/* Two engines back to back: what one queues, the other is fed, in pieces of any size. */
#pragma once

#include "tls/certificate.h"
#include "tls/config.h"
#include "tls/context.h"
#include "tls/engine.h"

struct pair_end {
    struct tls_engine engine;
    struct slab_pool pool;
    struct slab_queue queue;
    uint8_t *inbox; /* wire bytes from the other end */
    size_t inbox_bytes;
    size_t inbox_fed;       /* of them, lent to the engine so far */
    enum tls_status status; /* of the last step */
    struct tls_failure_detail failure;
};

struct pair {
    struct pair_end client;
    struct pair_end server;
    size_t piece_bytes; /* fed at a time; 0: all there is */
};

void pair_init(struct pair *pair, struct tls_context *client, struct tls_context *server,
               const struct tls_engine_options *options);
/* The same with a server that asks: a bit (1 << enum tls_want) for each. */
void pair_init_asking(struct pair *pair, struct tls_context *client, struct tls_context *server,
                      const struct tls_engine_options *options, unsigned asks);
void pair_deinit(struct pair *pair);

/* Gives everything that `from` has queued to `to`. */
void pair_move(struct pair_end *from, struct pair_end *to);
/* Gives `to` wire bytes from elsewhere. */
void pair_inject(struct pair_end *to, const void *bytes, size_t count);

/* Takes the handshake as far as it goes at one end, then at both. True when both are through. */
enum tls_status pair_handshake_step(struct pair *pair, struct pair_end *end);
bool pair_handshake(struct pair *pair);

/* Reads until `out_max` bytes are there or the engine wants no more; what it had to say is
 * end->status. */
size_t pair_read(struct pair *pair, struct pair_end *end, uint8_t *out, size_t out_max);

/* Writes at `from`, reads at `to`, and insists on the same bytes. */
void pair_send(struct pair *pair, struct pair_end *from, struct pair_end *to, const uint8_t *bytes,
               size_t count);

/* A server's certificate and contexts for both roles, made from it. The client trusts it. */
struct pair_setup {
    bool is_about_layers; /* the configurations say which record layers, not the environment */
    struct certificate *certificate;
    struct tls_config server_config;
    struct tls_config client_config;
    struct tls_shared shared;
    struct tls_library *library; /* of both */
    struct tls_context *server;
    struct tls_context *client;
};

/* TLSDYNO_TEST_RECORD_LAYER in the environment is both roles' record layer. The direct one takes
 * over with the first record of data.
 * Zeroed but for what the caller has put into the configurations and `shared`; `key_type` as in
 * certificate.h. */
void pair_setup_init(struct pair_setup *setup, const char *key_type);
void pair_setup_deinit(struct pair_setup *setup);

/* Whether what comes in is the direct record layer's. */
bool pair_took_over(const struct pair_end *end);

/* A whole connection: handshake, one message each way, and close_notify from both ends. `session`
 * may be NULL. Returns what the client may resume from, or NULL; kinds of resumption must agree at
 * both ends. */
struct tls_session *pair_connect(struct pair_setup *setup, const struct tls_session *session,
                                 enum tls_resumption *out_kind, struct tls_tally *out_server_tally);
