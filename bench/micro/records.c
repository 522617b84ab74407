/* What a record costs the server, without a socket: two engines through memory, each record of the
 * client's opened and its bytes sealed again, the server's share of the time alone.
 *
 *     records [suite] [bytes a record] [records a round] [rounds]
 *
 * The suite is of TLS 1.3, or one of TLS 1.2 as OpenSSL names it. Rounds with OpenSSL's record
 * layer and with ours take turns; printed are nanoseconds an echo of each, and the ratio of
 * neighbours: median and quartiles. With a last argument `connections` each round is a connection
 * of its own, made anew, its end included: what a short one pays. `openssl` or `direct` runs the
 * one layer alone, which is what callgrind wants for a count of instructions:
 *
 *     valgrind --tool=callgrind --toggle-collect='server_*' records TLS_AES_128_GCM_SHA256 64 \
 *         1000 1 direct */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "tls/certificate.h"
#include "tls/context.h"
#include "tls/engine.h"

enum {
    ROUNDS_MAX = 1000,
    LAYERS = 2,
    BATCH_BYTES = 256 * 1024, /* of plaintext, at most, before the other side has its turn */
    BATCH_RECORDS = 64,
    WARM_RECORDS = 100,
};

struct side {
    struct tls_engine engine;
    struct slab_pool pool;
    struct slab_queue queue;
    struct tls_context *context;
};

struct echo { /* a connection, whose server has the one record layer or the other */
    struct side client;
    struct side server;
};

static uint8_t scratch[TLS_READ_BYTES];
static uint8_t message[TLS_PLAINTEXT_BYTES_MAX];

static void give_up(const char *what)
{
    fprintf(stderr, "records: %s\n", what);
    exit(1);
}

static void write_record(struct side *side, const uint8_t *bytes, size_t count)
{
    struct tls_failure_detail failure;

    if (tls_engine_write(&side->engine, bytes, count, &failure) != TLS_OK) {
        give_up(failure.reason);
    }
}

/* Opens all that `from` has queued and, if told so, seals it again. */
static size_t read_all(struct side *from, struct side *to, bool echoes)
{
    struct tls_failure_detail failure;
    size_t records = 0;

    while (from->queue.bytes > 0) {
        const struct slab *slab = from->queue.head;
        size_t bytes = slab->end - slab->start;
        enum tls_status status;

        tls_engine_feed(&to->engine, slab->data + slab->start, bytes);
        do {
            size_t count;

            status = tls_engine_read(&to->engine, scratch, sizeof(scratch), &count, &failure);
            if (status == TLS_OK) {
                records++;
                if (echoes) {
                    write_record(to, scratch, count);
                }
            }
        } while (status == TLS_OK);
        if (status != TLS_AGAIN) {
            give_up(status == TLS_FAILED ? failure.reason : "a record did not come through");
        }
        slab_queue_consume(&from->queue, bytes);
    }
    return records;
}

/* What the server's time is taken of. Not inlined: callgrind collects it by name. */
__attribute__((noinline)) size_t server_echo(struct echo *echo);

size_t server_echo(struct echo *echo)
{
    return read_all(&echo->client, &echo->server, true);
}

static uint64_t echo_records(struct echo *echo, size_t bytes, unsigned long records)
{
    size_t batch = BATCH_BYTES / bytes < BATCH_RECORDS ? BATCH_BYTES / bytes : BATCH_RECORDS;
    uint64_t cpu_ns = 0;

    while (records > 0) {
        uint64_t begin;

        batch = batch < records ? batch : records;
        for (size_t i = 0; i < batch; i++) {
            write_record(&echo->client, message, bytes);
        }
        begin = clock_thread_cpu_ns();
        if (server_echo(echo) != batch) {
            give_up("records are missing");
        }
        cpu_ns += clock_thread_cpu_ns() - begin;
        if (read_all(&echo->server, &echo->client, false) != batch) {
            give_up("records are missing");
        }
        records -= batch;
    }
    return cpu_ns;
}

static void side_init(struct side *side, enum tls_role role, const struct tls_config *config,
                      const struct tls_shared *shared)
{
    struct error error = {0};

    slab_pool_init(&side->pool, 16);
    slab_queue_init(&side->queue, &side->pool);
    side->context = tls_context_new(role, config, shared, &error);
    if (side->context == NULL) {
        give_up(error.text);
    }
    if (!tls_engine_init(&side->engine, side->context, &side->queue, NULL)) {
        give_up("out of memory");
    }
}

static void lend(struct side *from, struct side *to)
{
    struct tls_failure_detail failure;
    size_t bytes = from->queue.bytes;
    size_t count;

    if (bytes > 0) { /* a flight fits into one slab */
        tls_engine_feed(&to->engine, from->queue.head->data + from->queue.head->start, bytes);
    }
    if (tls_engine_handshake(&to->engine, &failure) == TLS_FAILED) {
        give_up(failure.reason);
    }
    if (to->engine.input_bytes > 0) { /* tickets */
        tls_engine_read(&to->engine, scratch, sizeof(scratch), &count, &failure);
    }
    slab_queue_consume(&from->queue, bytes);
}

static void echo_init(struct echo *echo, const char *suite, enum tls_record_layer layer,
                      const struct tls_shared *shared, const struct certificate *certificate)
{
    bool is_1_3 = strncmp(suite, "TLS_", 4) == 0;
    struct tls_config config = {
        .certificate_count = 1,
        .ciphersuites = is_1_3 ? suite : NULL,
        .ciphers = is_1_3 ? NULL : suite,
        .version_max = is_1_3 ? TLS_VERSION_1_3 : TLS_VERSION_1_2,
        .record_layer = layer,
    };
    struct tls_config client = {.insecure = true};

    config.certificates[0].certificate_pem = certificate_pem(certificate);
    config.certificates[0].key_pem = certificate_key_pem(certificate);
    side_init(&echo->client, TLS_CLIENT, &client, shared);
    side_init(&echo->server, TLS_SERVER, &config, shared);
    for (int flights = 0; flights < 4; flights++) {
        lend(&echo->server, &echo->client);
        lend(&echo->client, &echo->server);
    }
}

static void side_deinit(struct side *side)
{
    tls_engine_deinit(&side->engine);
    slab_queue_clear(&side->queue);
    slab_pool_deinit(&side->pool);
    tls_context_free(side->context);
}

static void echo_deinit(struct echo *echo)
{
    side_deinit(&echo->client);
    side_deinit(&echo->server);
}

__attribute__((noinline)) void server_end(struct echo *echo);

/* The client's close_notify is answered. */
void server_end(struct echo *echo)
{
    struct tls_failure_detail failure;
    const struct slab *slab = echo->client.queue.head;
    size_t count;

    tls_engine_feed(&echo->server.engine, slab->data + slab->start, slab->end - slab->start);
    if (tls_engine_read(&echo->server.engine, scratch, sizeof(scratch), &count, &failure) !=
        TLS_CLOSED) {
        give_up("a connection did not end");
    }
    tls_engine_close(&echo->server.engine);
    tls_engine_deinit(&echo->server.engine);
}

static uint64_t connection(const char *suite, enum tls_record_layer layer,
                           const struct tls_shared *shared, const struct certificate *certificate,
                           size_t bytes, unsigned long records)
{
    struct echo echo;
    uint64_t cpu_ns;
    uint64_t begin;

    echo_init(&echo, suite, layer, shared, certificate);
    cpu_ns = echo_records(&echo, bytes, records);
    tls_engine_close(&echo.client.engine);
    begin = clock_thread_cpu_ns();
    server_end(&echo);
    cpu_ns += clock_thread_cpu_ns() - begin;
    echo_deinit(&echo);
    return cpu_ns;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static void print_quartiles(const char *what, double *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), compare);
    printf("%-17s %10.3f  (%.3f to %.3f)\n", what, values[count / 2], values[count / 4],
           values[count * 3 / 4]);
}

int main(int count, char **arguments)
{
    static double ns[LAYERS][ROUNDS_MAX];
    static double ratios[ROUNDS_MAX];
    static struct echo echoes[LAYERS];
    const char *suite = count > 1 ? arguments[1] : "TLS_AES_128_GCM_SHA256";
    unsigned long bytes = count > 2 ? strtoul(arguments[2], NULL, 10) : 64;
    unsigned long records = count > 3 ? strtoul(arguments[3], NULL, 10) : 2000;
    unsigned long rounds = count > 4 ? strtoul(arguments[4], NULL, 10) : 31;
    const char *only = count > 5 ? arguments[5] : "";
    bool is_short = strcmp(only, "connections") == 0;
    struct error error = {0};
    struct certificate *certificate =
        certificate_new(&(struct certificate_options){.key_type = "p256"}, NULL, &error);
    struct tls_shared shared = {.library = tls_library_new()};

    if (certificate == NULL || bytes == 0 || bytes > sizeof(message) || records == 0 ||
        rounds == 0 || rounds > ROUNDS_MAX) {
        give_up("from 1 to 16384 bytes, 1 record or more, 1 to 1000 rounds");
    }
    for (int layer = 0; layer < LAYERS; layer++) {
        echo_init(&echoes[layer], suite, (enum tls_record_layer)layer, &shared, certificate);
        echo_records(&echoes[layer], 64, WARM_RECORDS);
    }
    for (unsigned long i = 0; i < rounds; i++) {
        for (int layer = 0; layer < LAYERS; layer++) {
            if (is_short) {
                ns[layer][i] = (double)connection(suite, (enum tls_record_layer)layer, &shared,
                                                  certificate, bytes, records);
            } else if (*only == '\0' || (*only == 'd') == (layer == TLS_RECORDS_DIRECT)) {
                ns[layer][i] =
                    (double)echo_records(&echoes[layer], bytes, records) / (double)records;
            }
        }
        ratios[i] = ns[TLS_RECORDS_OPENSSL][i] / ns[TLS_RECORDS_DIRECT][i];
    }
    for (int layer = 0; layer < LAYERS; layer++) {
        echo_deinit(&echoes[layer]);
    }
    tls_library_free(shared.library);
    certificate_free(certificate);
    print_quartiles("openssl, ns", ns[TLS_RECORDS_OPENSSL], rounds);
    print_quartiles("direct, ns", ns[TLS_RECORDS_DIRECT], rounds);
    print_quartiles("openssl / direct", ratios, rounds);
    return 0;
}
