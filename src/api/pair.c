/* The secure pair: the engine between two queues, driven by whoever feeds it. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"

enum { PAIR_SLABS_KEPT = 2 };

struct dyno_pair {
    struct dyno_context *context;
    struct idle_context *lent; /* the OpenSSL context, back when the pair is freed */
    struct slab_pool slabs;
    struct slab_queue output; /* wire bytes for the peer */
    struct slab_queue input;  /* wire bytes of the peer; its head is what the engine was lent */
    size_t lent_bytes;        /* of the input's head */
    struct tls_engine engine;
    struct tls_failure_detail failure;
    void (*on_secure)(struct dyno_pair *pair, void *user);
    void *user;
    bool is_secure;
    bool has_failed;
    bool has_ended;
    bool output_ended;
};

struct dyno_pair *dyno_pair_new(const struct dyno_pair_options *options, struct dyno_error *error)
{
    struct tls_engine_options engine = {
        .server_name = options->server_name,
        .verify_host = options->verify_host,
    };
    struct dyno_pair *pair = calloc(1, sizeof *pair);

    if (!pair) {
        error_set(api_error(error), "no memory for a pair");
        return NULL;
    }
    pair->lent = idle_context_take(options->context, options->clients, api_error(error));
    if (!pair->lent) {
        free(pair);
        return NULL;
    }
    slab_pool_init(&pair->slabs, PAIR_SLABS_KEPT);
    slab_queue_init(&pair->output, &pair->slabs);
    slab_queue_init(&pair->input, &pair->slabs);
    if (!tls_engine_init(&pair->engine, idle_context_tls(pair->lent), &pair->output, &engine)) {
        error_set(api_error(error), "no memory for a pair");
        idle_context_give(options->context, pair->lent);
        slab_pool_deinit(&pair->slabs);
        free(pair);
        return NULL;
    }
    pair->context = dyno_context_ref(options->context);
    pair->on_secure = options->on_secure;
    pair->user = options->user;
    dyno_pair_feed(pair, NULL, 0); /* a client begins */
    return pair;
}

void dyno_pair_free(struct dyno_pair *pair)
{
    if (!pair) {
        return;
    }
    tls_engine_deinit(&pair->engine);
    slab_queue_clear(&pair->output);
    slab_queue_clear(&pair->input);
    slab_pool_deinit(&pair->slabs);
    idle_context_give(pair->context, pair->lent);
    dyno_context_free(pair->context);
    free(pair);
}

/* Gives back what the engine has consumed and lends what comes next. False: nothing is left. */
static bool pair_lend(struct dyno_pair *pair)
{
    size_t consumed = pair->lent_bytes - pair->engine.input_bytes;
    const struct slab *head;

    tls_engine_feed(&pair->engine, NULL, 0);
    slab_queue_consume(&pair->input, consumed);
    head = pair->input.head;
    pair->lent_bytes = head ? head->end - head->start : 0;
    tls_engine_feed(&pair->engine, head ? head->data + head->start : NULL, pair->lent_bytes);
    return pair->lent_bytes > 0;
}

static void pair_shake(struct dyno_pair *pair)
{
    enum tls_status status;

    do {
        status = tls_engine_handshake(&pair->engine, &pair->failure);
    } while (pair_lend(pair) && status == TLS_AGAIN);
    switch (status) {
    case TLS_OK:
        pair->is_secure = true;
        if (pair->on_secure) {
            pair->on_secure(pair, pair->user);
        }
        break;
    case TLS_CLOSED:
        pair->has_ended = true;
        break;
    case TLS_FAILED:
        pair->has_failed = true;
        break;
    default:
        break;
    }
}

int dyno_pair_feed(struct dyno_pair *pair, const void *bytes, size_t count)
{
    if (pair->has_failed) {
        return -1;
    }
    if (count > 0 && !slab_queue_append(&pair->input, bytes, count)) {
        pair->has_failed = true;
        strcpy(pair->failure.reason, "out of memory");
        return -1;
    }
    pair_lend(pair);
    if (!pair->is_secure && !pair->has_ended) {
        pair_shake(pair);
    }
    return pair->has_failed ? -1 : 0;
}

size_t dyno_pair_take(struct dyno_pair *pair, void *out, size_t out_max)
{
    size_t taken = 0;

    while (taken < out_max && pair->output.bytes > 0) {
        const struct slab *head = pair->output.head;
        size_t count = head->end - head->start;

        count = count < out_max - taken ? count : out_max - taken;
        memcpy((uint8_t *)out + taken, head->data + head->start, count);
        slab_queue_consume(&pair->output, count);
        taken += count;
    }
    return taken;
}

bool dyno_pair_write(struct dyno_pair *pair, const void *bytes, size_t count)
{
    if (!pair->is_secure || pair->has_failed || pair->output_ended) {
        return false;
    }
    switch (tls_engine_write(&pair->engine, bytes, count, &pair->failure)) {
    case TLS_OK:
        return true;
    case TLS_FAILED:
        pair->has_failed = true;
        return false;
    default:
        return false;
    }
}

size_t dyno_pair_read(struct dyno_pair *pair, void *out, size_t out_max)
{
    size_t count = 0;

    while (pair->is_secure && !pair->has_failed && !pair->has_ended) {
        enum tls_status status =
            tls_engine_read(&pair->engine, out, out_max, &count, &pair->failure);

        switch (status) {
        case TLS_OK:
            return count;
        case TLS_CLOSED:
            pair->has_ended = true;
            return 0;
        case TLS_FAILED:
            pair->has_failed = true;
            return 0;
        default:
            if (!pair_lend(pair)) {
                return 0;
            }
        }
    }
    return 0;
}

void dyno_pair_end(struct dyno_pair *pair)
{
    if (!pair->has_failed) {
        pair->output_ended = true;
        tls_engine_close(&pair->engine);
    }
}

bool dyno_pair_is_secure(const struct dyno_pair *pair)
{
    return pair->is_secure;
}

bool dyno_pair_has_ended(const struct dyno_pair *pair)
{
    return pair->has_ended;
}

const char *dyno_pair_failure(const struct dyno_pair *pair)
{
    return pair->has_failed ? pair->failure.reason : NULL;
}

struct dyno_tls *dyno_pair_tls(struct dyno_pair *pair)
{
    return (struct dyno_tls *)(void *)&pair->engine;
}
