#include "pair.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "tls/records.h"

static void end_init(struct pair_end *end, struct tls_context *context,
                     const struct tls_engine_options *options)
{
    slab_pool_init(&end->pool, 4);
    slab_queue_init(&end->queue, &end->pool);
    cr_assert(tls_engine_init(&end->engine, context, &end->queue, options));
    end->engine.records_before_taking = 0; /* few are sent here */
}

static void end_deinit(struct pair_end *end)
{
    tls_engine_deinit(&end->engine);
    slab_queue_clear(&end->queue);
    slab_pool_deinit(&end->pool);
    free(end->inbox);
}

void pair_init(struct pair *pair, struct tls_context *client, struct tls_context *server,
               const struct tls_engine_options *options)
{
    pair_init_asking(pair, client, server, options, 0);
}

void pair_init_asking(struct pair *pair, struct tls_context *client, struct tls_context *server,
                      const struct tls_engine_options *options, unsigned asks)
{
    memset(pair, 0, sizeof(*pair));
    end_init(&pair->client, client, options);
    end_init(&pair->server, server, &(struct tls_engine_options){.asks = asks});
}

void pair_deinit(struct pair *pair)
{
    end_deinit(&pair->client);
    end_deinit(&pair->server);
}

void pair_inject(struct pair_end *to, const void *bytes, size_t count)
{
    size_t lent = to->engine.input_bytes;

    to->inbox = realloc(to->inbox, to->inbox_bytes + count + 1);
    cr_assert_not_null(to->inbox);
    memcpy(to->inbox + to->inbox_bytes, bytes, count);
    to->inbox_bytes += count;
    /* The inbox may have moved under a span that the engine still holds. */
    tls_engine_feed(&to->engine, to->inbox + to->inbox_fed - lent, lent);
}

void pair_move(struct pair_end *from, struct pair_end *to)
{
    while (from->queue.bytes > 0) {
        const struct slab *slab = from->queue.head;
        size_t count = slab->end - slab->start;

        pair_inject(to, slab->data + slab->start, count);
        slab_queue_consume(&from->queue, count);
    }
}

/* Lends the next piece once the last is consumed. False when there is nothing more to lend. */
static bool end_feed(const struct pair *pair, struct pair_end *end)
{
    size_t left = end->inbox_bytes - end->inbox_fed;
    size_t count = pair->piece_bytes == 0 || pair->piece_bytes > left ? left : pair->piece_bytes;

    if (end->engine.input_bytes > 0) {
        return true;
    }
    tls_engine_feed(&end->engine, end->inbox + end->inbox_fed, count);
    end->inbox_fed += count;
    return count > 0;
}

enum tls_status pair_handshake_step(struct pair *pair, struct pair_end *end)
{
    do {
        end->status = tls_engine_handshake(&end->engine, &end->failure);
    } while (end->status == TLS_AGAIN && end_feed(pair, end));
    return end->status;
}

bool pair_handshake(struct pair *pair)
{
    for (int flights = 0; flights < 8; flights++) {
        enum tls_status client = pair_handshake_step(pair, &pair->client);
        enum tls_status server;

        pair_move(&pair->client, &pair->server);
        server = pair_handshake_step(pair, &pair->server);
        pair_move(&pair->server, &pair->client);
        if (client == TLS_OK && server == TLS_OK) {
            return true;
        }
        if (client == TLS_FAILED) {
            return false;
        }
        if (server == TLS_FAILED) { /* the client hears the alert */
            pair_handshake_step(pair, &pair->client);
            return false;
        }
    }
    return false;
}

size_t pair_read(struct pair *pair, struct pair_end *end, uint8_t *out, size_t out_max)
{
    size_t total = 0;

    while (total < out_max) {
        size_t count = 0;

        end->status =
            tls_engine_read(&end->engine, out + total, out_max - total, &count, &end->failure);
        total += count;
        cr_assert((end->status == TLS_OK) == (count > 0));
        if (end->status != TLS_OK && (end->status != TLS_AGAIN || !end_feed(pair, end))) {
            break;
        }
    }
    return total;
}

void pair_send(struct pair *pair, struct pair_end *from, struct pair_end *to, const uint8_t *bytes,
               size_t count)
{
    uint8_t *received = malloc(count + 1);

    cr_assert_eq(tls_engine_write(&from->engine, bytes, count, &from->failure), TLS_OK, "%s",
                 from->failure.reason);
    pair_move(from, to);
    cr_assert_eq(pair_read(pair, to, received, count), count);
    cr_assert_arr_eq(received, bytes, count);
    free(received);
}

void pair_setup_init(struct pair_setup *setup, const char *key_type)
{
    struct certificate_options options = {.key_type = key_type};
    const char *layer = getenv("TLSDYNO_TEST_RECORD_LAYER");
    struct error error = {0};

    setup->certificate = certificate_new(&options, NULL, &error);
    cr_assert_not_null(setup->certificate, "%s", error.text);
    setup->server_config.certificates[0].certificate_pem = certificate_pem(setup->certificate);
    setup->server_config.certificates[0].key_pem = certificate_key_pem(setup->certificate);
    if (setup->server_config.certificate_count == 0) {
        setup->server_config.certificate_count = 1;
    }
    if (setup->client_config.ca_pem == NULL) {
        setup->client_config.ca_pem = certificate_pem(setup->certificate);
    }
    if (layer != NULL && !setup->is_about_layers) {
        cr_assert_eq(tls_record_layer_parse(layer, &setup->server_config.record_layer, &error), 0);
        setup->client_config.record_layer = setup->server_config.record_layer;
    }
    setup->library = tls_library_new();
    cr_assert_not_null(setup->library);
    setup->shared.library = setup->library;
    setup->server = tls_context_new(TLS_SERVER, &setup->server_config, &setup->shared, &error);
    cr_assert_not_null(setup->server, "%s", error.text);
    setup->client = tls_context_new(TLS_CLIENT, &setup->client_config, &setup->shared, &error);
    cr_assert_not_null(setup->client, "%s", error.text);
}

void pair_setup_deinit(struct pair_setup *setup)
{
    tls_context_free(setup->client);
    tls_context_free(setup->server);
    tls_library_free(setup->library);
    certificate_free(setup->certificate);
}

static void close_both(struct pair *pair)
{
    uint8_t byte;

    tls_engine_close(&pair->client.engine);
    pair_move(&pair->client, &pair->server);
    cr_assert_eq(pair_read(pair, &pair->server, &byte, 1), 0);
    cr_assert_eq(pair->server.status, TLS_CLOSED);
    tls_engine_close(&pair->server.engine);
    pair_move(&pair->server, &pair->client);
    cr_assert_eq(pair_read(pair, &pair->client, &byte, 1), 0);
    cr_assert_eq(pair->client.status, TLS_CLOSED);
}

bool pair_took_over(const struct pair_end *end)
{
    return end->engine.records != NULL && end->engine.records->in.traffic != NULL;
}

struct tls_session *pair_connect(struct pair_setup *setup, const struct tls_session *session,
                                 enum tls_resumption *out_kind, struct tls_tally *out_server_tally)
{
    struct tls_engine_options options = {
        .server_name = "localhost", .verify_host = "localhost", .session = session};
    enum tls_resumption server_kind;
    struct tls_session *next;
    struct pair pair;

    pair_init(&pair, setup->client, setup->server, &options);
    cr_assert(pair_handshake(&pair), "client: %s; server: %s", pair.client.failure.reason,
              pair.server.failure.reason);
    pair_send(&pair, &pair.client, &pair.server, (const uint8_t *)"ping", 4);
    pair_send(&pair, &pair.server, &pair.client, (const uint8_t *)"pong", 4);
    close_both(&pair);
    tls_engine_resumed(&pair.client.engine, out_kind);
    tls_engine_resumed(&pair.server.engine, &server_kind);
    cr_assert_eq(*out_kind, server_kind);
    if (out_server_tally != NULL) {
        *out_server_tally = pair.server.engine.tally;
    }
    next = tls_engine_take_session(&pair.client.engine);
    pair_deinit(&pair);
    return next;
}
