/* A client with a TLS 1.3 server's keys says whatever the input makes of records, to a server whose
 * OpenSSL has retired and to one that has all of OpenSSL: both must say the same, and the input
 * ends where they part. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "tls/certificate.h"
#include "tls/context.h"
#include "tls/records.h"

enum { LAYERS = 2, STEPS_MAX = 100, CONTENT_BYTES_MAX = 64, INNER_BYTES_MAX = 17000 };

struct end {
    struct tls_engine engine;
    struct slab_pool pool;
    struct slab_queue queue;
};

struct pair { /* one of them a server that retires */
    struct end client;
    struct end server;
    struct tls_failure_detail failure;
    enum tls_status status;
};

static struct tls_context *servers[LAYERS];
static struct tls_context *client_context;

static void set_up(void)
{
    static struct tls_shared shared; /* kept, as is the certificate: no leak */
    static struct certificate *own;
    struct tls_config config = {.certificate_count = 1, .version_min = TLS_VERSION_1_3};
    struct error error = {0};

    own = certificate_new(&(struct certificate_options){.key_type = "p256"}, NULL, &error);
    shared.library = tls_library_new();
    FUZZ_EXPECT(own && shared.library);
    config.certificates[0].certificate_pem = certificate_pem(own);
    config.certificates[0].key_pem = certificate_key_pem(own);
    config.ca_pem = certificate_pem(own);
    for (int layer = 0; layer < LAYERS; layer++) {
        config.record_layer = (enum tls_record_layer)layer;
        servers[layer] = tls_context_new(TLS_SERVER, &config, &shared, &error);
        FUZZ_EXPECT(servers[layer]);
    }
    config.record_layer = TLS_RECORDS_DIRECT;
    config.certificate_count = 0;
    client_context = tls_context_new(TLS_CLIENT, &config, &shared, &error);
    FUZZ_EXPECT(client_context);
}

static void end_init(struct end *end, struct tls_context *context)
{
    slab_pool_init(&end->pool, 4);
    slab_queue_init(&end->queue, &end->pool);
    FUZZ_EXPECT(tls_engine_init(&end->engine, context, &end->queue, NULL));
    end->engine.records_before_taking = 0;
}

static void end_deinit(struct end *end)
{
    tls_engine_deinit(&end->engine);
    slab_queue_clear(&end->queue);
    slab_pool_deinit(&end->pool);
}

/* Reads all that there is; the bytes are summed up in *out_sum. */
static enum tls_status read_all(struct end *end, struct tls_failure_detail *failure,
                                uint64_t *out_sum)
{
    uint8_t bytes[TLS_READ_BYTES];
    enum tls_status status;
    size_t count;

    while ((status = tls_engine_read(&end->engine, bytes, sizeof(bytes), &count, failure)) ==
           TLS_OK) {
        for (size_t i = 0; i < count; i++) {
            *out_sum = *out_sum * 31 + bytes[i] + 1;
        }
    }
    return status;
}

static void handshake_move(struct end *from, struct end *to)
{
    struct tls_failure_detail failure;
    uint64_t sum = 0;

    while (from->queue.bytes > 0) {
        const struct slab *slab = from->queue.head;
        size_t count = slab->end - slab->start;
        uint8_t *bytes = malloc(count);

        memcpy(bytes, slab->data + slab->start, count);
        slab_queue_consume(&from->queue, count);
        tls_engine_feed(&to->engine, bytes, count);
        if (tls_engine_handshake(&to->engine, &failure) == TLS_OK) {
            FUZZ_EXPECT(read_all(to, &failure, &sum) == TLS_AGAIN);
        }
        tls_engine_feed(&to->engine, NULL, 0);
        free(bytes);
    }
}

static void pair_open(struct pair *pair, int layer)
{
    struct tls_failure_detail failure;

    end_init(&pair->client, client_context);
    end_init(&pair->server, servers[layer]);
    tls_engine_handshake(&pair->client.engine, &failure);
    for (int i = 0; i < 3; i++) {
        handshake_move(&pair->client, &pair->server);
        handshake_move(&pair->server, &pair->client);
    }
    FUZZ_EXPECT(tls_engine_write(&pair->client.engine, (const uint8_t *)"a", 1, &failure) ==
                TLS_OK);
    handshake_move(&pair->client, &pair->server);
    tls_engine_idle(&pair->server.engine);
    FUZZ_EXPECT(tls_engine_has_retired(&pair->server.engine) == (layer == TLS_RECORDS_DIRECT));
    pair->status = TLS_AGAIN;
}

/* Under the client's keys; returns its size. */
static size_t seal(struct pair *pair, const uint8_t *inner, size_t count, uint8_t *out)
{
    struct tls_records *records = pair->client.engine.records;
    struct record_way *way = &records->out;
    size_t length = count + RECORD_TAG_BYTES;
    struct record_item item = {
        .cipher = tls_records_cipher(&pair->client.engine, way),
        .form = records->form,
        .key = &way->traffic->key,
        .sequence = way->traffic->sequence++,
        .header = out,
    };

    out[0] = SSL3_RT_APPLICATION_DATA;
    out[1] = TLS1_2_VERSION_MAJOR;
    out[2] = TLS1_2_VERSION_MINOR;
    out[3] = (uint8_t)(length >> 8);
    out[4] = (uint8_t)length;
    FUZZ_EXPECT(record_seal(&item, 0, inner, count, NULL, 0, out + RECORD_HEADER_BYTES));
    return RECORD_HEADER_BYTES + length;
}

/* In two spans that end with their heap blocks, cut at `cut`. */
static void feed(struct pair *pair, const uint8_t *bytes, size_t count, size_t cut, uint64_t *sum)
{
    for (size_t at = 0; at < count && pair->status == TLS_AGAIN;) {
        size_t step = at == 0 && cut > 0 && cut < count ? cut : count - at;
        uint8_t *span = malloc(step);

        memcpy(span, bytes + at, step);
        tls_engine_feed(&pair->server.engine, span, step);
        pair->status = read_all(&pair->server, &pair->failure, sum);
        tls_engine_feed(&pair->server.engine, NULL, 0);
        free(span);
        at += step;
    }
}

static void say(struct pair pairs[LAYERS], struct fuzz_input *input, uint8_t code)
{
    static const uint8_t types[] = {21, 22, 23, 22};
    static const size_t paddings[] = {0, 0, 0, 16300};
    static uint8_t inner[INNER_BYTES_MAX];
    uint8_t record[INNER_BYTES_MAX + RECORD_HEADER_BYTES + RECORD_TAG_BYTES];
    size_t count;
    uint8_t *content = fuzz_copy(input, fuzz_number(input, CONTENT_BYTES_MAX), &count);
    size_t cut = fuzz_byte(input);
    uint8_t flip = fuzz_byte(input);
    uint64_t sums[LAYERS] = {0};

    memset(inner, 0, sizeof(inner));
    memcpy(inner, content, count);
    inner[count] = code & 0x40 ? fuzz_byte(input) : types[code >> 2 & 3];
    count += 1 + paddings[code >> 4 & 3];
    for (int layer = 0; layer < LAYERS; layer++) {
        size_t bytes = seal(&pairs[layer], inner, count, record);

        if (flip >= 0xf0) {
            record[flip % 8 < 5 ? flip % 8 : bytes - 1] ^= 1;
        }
        feed(&pairs[layer], record, bytes, cut, &sums[layer]);
    }
    FUZZ_EXPECT(sums[0] == sums[1]);
    free(content);
}

static void act(struct pair *pair, uint8_t code, enum tls_status *out_status)
{
    struct tls_engine *server = &pair->server.engine;
    uint8_t bytes[100] = {0};

    switch (code >> 2 & 3) {
    case 0:
        *out_status = tls_engine_write(server, bytes, 1U + (code >> 4), &pair->failure);
        break;
    case 1:
        *out_status = tls_engine_update_key(server, (code & 16) != 0) ? TLS_OK : TLS_FAILED;
        break;
    case 2:
        tls_engine_close(server);
        break;
    default:
        tls_engine_idle(server);
        break;
    }
}

static void expect_same(const struct pair pairs[LAYERS])
{
    const struct tls_tally *tallies[] = {&pairs[0].server.engine.tally,
                                         &pairs[1].server.engine.tally};

    FUZZ_EXPECT(pairs[0].status == pairs[1].status);
    FUZZ_EXPECT(pairs[0].failure.kind == pairs[1].failure.kind);
    FUZZ_EXPECT(strcmp(pairs[0].failure.reason, pairs[1].failure.reason) == 0);
    FUZZ_EXPECT(pairs[0].server.queue.bytes == pairs[1].server.queue.bytes);
    FUZZ_EXPECT(tallies[0]->records_out == tallies[1]->records_out);
    FUZZ_EXPECT(tallies[0]->renegotiations == tallies[1]->renegotiations);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct fuzz_input input = {bytes, count};
    struct pair pairs[LAYERS] = {0};

    if (!client_context) {
        set_up();
    }
    for (int layer = 0; layer < LAYERS; layer++) {
        pair_open(&pairs[layer], layer);
    }
    for (int i = 0; i < STEPS_MAX && input.count > 0 && pairs[0].status != TLS_FAILED; i++) {
        uint8_t code = fuzz_byte(&input);
        enum tls_status statuses[LAYERS] = {TLS_OK, TLS_OK};

        if ((code & 3) != 3) {
            say(pairs, &input, code);
        } else if ((code & 0x80) == 0) {
            act(&pairs[0], code, &statuses[0]);
            act(&pairs[1], code, &statuses[1]);
        } else { /* after a KeyUpdate of ours */
            tls_records_rekey(pairs[0].client.engine.records, &pairs[0].client.engine.records->out);
            tls_records_rekey(pairs[1].client.engine.records, &pairs[1].client.engine.records->out);
        }
        FUZZ_EXPECT(statuses[0] == statuses[1]);
        expect_same(pairs);
    }
    for (int layer = 0; layer < LAYERS; layer++) {
        end_deinit(&pairs[layer].client);
        end_deinit(&pairs[layer].server);
    }
    return 0;
}
