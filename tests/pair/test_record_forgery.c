/* What no honest peer sends ends under the direct record layer as it does under OpenSSL's: the same
 * bytes until then, the same words, and an alert that the client takes for the same. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/random.h"
#include "forge_record.h"
#include "tls/records.h"

enum { DATA = 23, ALERT = 21, HANDSHAKE = 22, CCS = 20, BYTES_MAX = 70000, STEPS_MAX = 40 };

struct suite {
    const char *name;
    enum tls_version version;
};

static const struct suite suites[] = {
    {"TLS_AES_128_GCM_SHA256", TLS_VERSION_1_3},
    {"TLS_AES_256_GCM_SHA384", TLS_VERSION_1_3},
    {"TLS_CHACHA20_POLY1305_SHA256", TLS_VERSION_1_3},
    {"ECDHE-ECDSA-AES128-GCM-SHA256", TLS_VERSION_1_2},
    {"ECDHE-ECDSA-AES256-GCM-SHA384", TLS_VERSION_1_2},
    {"ECDHE-ECDSA-CHACHA20-POLY1305", TLS_VERSION_1_2},
};

enum { SUITES = sizeof(suites) / sizeof(suites[0]), LAYERS = 2 };

/* A server of each layer; both clients are direct, so that their keys can be had. */
struct world {
    struct pair pairs[LAYERS];
    uint8_t *bytes; /* random */
};

/* Made when first needed, for all tests of a process. */
static struct pair_setup setups[SUITES][LAYERS];

static struct pair_setup *setup_of(const struct suite *suite, enum tls_record_layer layer)
{
    struct pair_setup *setup = &setups[suite - suites][layer];
    bool is_1_3 = suite->version == TLS_VERSION_1_3;

    if (setup->server == NULL) {
        setup->server_config = (struct tls_config){.version_min = suite->version,
                                                   .version_max = suite->version,
                                                   .ciphers = is_1_3 ? NULL : suite->name,
                                                   .ciphersuites = is_1_3 ? suite->name : NULL,
                                                   .record_layer = layer};
        setup->client_config.record_layer = TLS_RECORDS_DIRECT;
        setup->is_about_layers = true;
        pair_setup_init(setup, "p256");
    }
    return setup;
}

static void setups_free(void)
{
    for (size_t i = 0; i < SUITES; i++) {
        for (int layer = 0; layer < LAYERS; layer++) {
            if (setups[i][layer].server != NULL) {
                pair_setup_deinit(&setups[i][layer]);
            }
        }
    }
}

static void world_open(struct world *world, const struct suite *suite)
{
    memset(world, 0, sizeof(*world));
    world->bytes = malloc(BYTES_MAX);
    random_fill(&(struct random){.state = 3}, world->bytes, BYTES_MAX);
    for (int layer = 0; layer < LAYERS; layer++) {
        struct pair_setup *setup = setup_of(suite, (enum tls_record_layer)layer);
        struct pair *pair = &world->pairs[layer];

        pair_init(pair, setup->client, setup->server, NULL);
        cr_assert(pair_handshake(pair));
        /* The first goes through OpenSSL, and then the direct layer takes over. */
        for (int i = 0; i < 3; i++) {
            pair_send(pair, &pair->client, &pair->server, world->bytes, 10);
            pair_send(pair, &pair->server, &pair->client, world->bytes, 10);
        }
    }
    cr_assert_null(world->pairs[TLS_RECORDS_OPENSSL].server.engine.records);
    cr_assert(world->pairs[TLS_RECORDS_DIRECT].server.engine.records->in.ready);
    cr_assert(world->pairs[TLS_RECORDS_DIRECT].server.engine.records->out.traffic);
}

static void world_close(struct world *world)
{
    for (int layer = 0; layer < LAYERS; layer++) {
        pair_deinit(&world->pairs[layer]);
    }
    free(world->bytes);
}

/* What one end makes of what came; kept for both layers and compared. */
struct outcome {
    enum tls_status status;
    struct tls_failure_detail failure;
    uint8_t *bytes;
    size_t count;
    struct tls_tally tally;
    bool whole; /* OpenSSL counts a record with its header, the direct layer when it is there */
};

static struct outcome outcome_of(struct pair *pair, struct pair_end *end)
{
    struct outcome outcome = {.bytes = malloc(20 * BYTES_MAX)};

    outcome.count = pair_read(pair, end, outcome.bytes, 20 * BYTES_MAX);
    outcome.status = end->status;
    outcome.whole = !pair_took_over(end) || end->engine.records->in.traffic->gather.count == 0;
    outcome.tally = end->engine.tally;
    if (end->status == TLS_FAILED) {
        outcome.failure = end->failure;
    }
    return outcome;
}

static void expect_same(struct outcome outcomes[LAYERS], const char *what)
{
    struct outcome *openssl = &outcomes[TLS_RECORDS_OPENSSL];
    struct outcome *direct = &outcomes[TLS_RECORDS_DIRECT];

    cr_assert_eq(openssl->status, direct->status, "%s: OpenSSL %d (%s), direct %d (%s)", what,
                 openssl->status, openssl->failure.reason, direct->status, direct->failure.reason);
    cr_assert_str_eq(openssl->failure.reason, direct->failure.reason, "%s: OpenSSL %s, direct %s",
                     what, openssl->failure.reason, direct->failure.reason);
    cr_assert_eq(openssl->failure.kind, direct->failure.kind, "%s", what);
    cr_assert_eq(openssl->count, direct->count, "%s: %zu, %zu", what, openssl->count,
                 direct->count);
    cr_assert_arr_eq(openssl->bytes, direct->bytes, openssl->count, "%s", what);
    if (direct->whole) {
        cr_assert_eq(openssl->tally.records_in, direct->tally.records_in, "%s: %zu, %zu", what,
                     openssl->tally.records_in, direct->tally.records_in);
    }
    cr_assert_eq(openssl->tally.records_out, direct->tally.records_out, "%s", what);
    cr_assert_eq(openssl->tally.renegotiations, direct->tally.renegotiations, "%s", what);
    free(openssl->bytes);
    free(direct->bytes);
}

/* Lets the servers read what has come, and the clients what the servers say to it. */
static enum tls_status compare(struct world *world, const char *what)
{
    struct outcome outcomes[LAYERS];
    enum tls_status status;

    for (int layer = 0; layer < LAYERS; layer++) {
        outcomes[layer] = outcome_of(&world->pairs[layer], &world->pairs[layer].server);
    }
    status = outcomes[0].status;
    expect_same(outcomes, what);
    cr_assert_eq(world->pairs[0].server.queue.bytes, world->pairs[1].server.queue.bytes, "%s",
                 what);
    for (int layer = 0; layer < LAYERS; layer++) {
        struct pair *pair = &world->pairs[layer];

        pair_move(&pair->server, &pair->client);
        outcomes[layer] = outcome_of(pair, &pair->client);
    }
    expect_same(outcomes, what);
    return status;
}

static enum tls_status forge(struct world *world, const char *what, const struct forgery *forgery)
{
    for (int layer = 0; layer < LAYERS; layer++) {
        forge_record(&world->pairs[layer], forgery);
    }
    return compare(world, what);
}

static void send_data(struct world *world, size_t count)
{
    for (int layer = 0; layer < LAYERS; layer++) {
        struct pair *pair = &world->pairs[layer];

        cr_assert_eq(
            tls_engine_write(&pair->client.engine, world->bytes, count, &pair->client.failure),
            TLS_OK);
        pair_move(&pair->client, &pair->server);
    }
    cr_assert_eq(compare(world, "data"), TLS_AGAIN);
}

static const uint8_t close_notify[] = {1, 0}, user_canceled[] = {1, 90}, fatal[] = {2, 80},
                     no_renegotiation[] = {1, 100}, unknown_level[] = {3, 0},
                     key_update[] = {24, 0, 0, 1, 0}, key_update_asked[] = {24, 0, 0, 1, 1},
                     key_update_bad[] = {24, 0, 0, 1, 2}, key_update_long[] = {24, 0, 0, 2, 0, 0},
                     key_update_twice[] = {24, 0, 0, 1, 0, 24, 0, 0, 1, 0},
                     finished[] = {20, 0, 0, 1, 0}, hello_request[] = {0, 0, 0, 0},
                     hello[] = {1, 0, 0, 2, 3, 3}, huge[] = {11, 255, 255, 255}, ccs[] = {1},
                     http[] = "GET / HTTP/1.1\r\n\r\n";

#define OF(array) .bytes = (array), .count = sizeof(array)

/* Each ends a connection or does not: both servers must agree. For TLS 1.2 the inner type stands
 * for the outer one. */
static const struct {
    const char *name;
    struct forgery forgery;
} forgeries[] = {
    {"one byte", {.inner_type = DATA, OF(ccs)}},
    {"padded", {.inner_type = DATA, OF(http), .padding = 100}},
    {"padded to the full", {.inner_type = DATA, OF(ccs), .padding = 16383}},
    {"padded over the full", {.inner_type = DATA, OF(ccs), .padding = 16384}},
    {"empty", {.inner_type = DATA}},
    {"empty and padded", {.inner_type = DATA, .padding = 30}},
    {"nothing at all", {0}},
    {"only padding", {.padding = 5}},
    {"unknown type", {.inner_type = 99, OF(http)}},
    {"heartbeat", {.inner_type = 24, OF(http)}},
    {"flipped", {.inner_type = DATA, OF(http), .change = FORGERY_FLIPPED}},
    {"skipped", {.inner_type = DATA, OF(http), .change = FORGERY_SKIPPED}},
    {"old", {.inner_type = DATA, OF(http), .change = FORGERY_OLD}},
    {"unsealed data", {.inner_type = DATA, OF(http), .change = FORGERY_UNSEALED}},
    {"unsealed alert", {.outer_type = ALERT, OF(fatal), .change = FORGERY_UNSEALED}},
    {"unsealed close", {.outer_type = ALERT, OF(close_notify), .change = FORGERY_UNSEALED}},
    {"unsealed ccs", {.outer_type = CCS, OF(ccs), .change = FORGERY_UNSEALED}},
    {"unsealed handshake", {.outer_type = HANDSHAKE, OF(hello), .change = FORGERY_UNSEALED}},
    {"plain http", {.outer_type = 'G', .version = 'T', OF(http), .change = FORGERY_UNSEALED}},
    {"empty and unsealed", {.change = FORGERY_UNSEALED}},
    {"sealed as ccs", {.outer_type = CCS, .inner_type = DATA, OF(ccs)}},
    {"sealed as type 0x80", {.outer_type = 0x80, .inner_type = DATA, OF(ccs)}},
    {"sealed as an alert", {.outer_type = ALERT, .inner_type = ALERT, OF(close_notify)}},
    {"another version", {.version = 1, .inner_type = DATA, OF(http)}},
    {"a later version", {.version = 4, .inner_type = DATA, OF(http)}},
    {"close", {.inner_type = ALERT, OF(close_notify)}},
    {"user canceled", {.inner_type = ALERT, OF(user_canceled)}},
    {"no renegotiation", {.inner_type = ALERT, OF(no_renegotiation)}},
    {"fatal alert", {.inner_type = ALERT, OF(fatal)}},
    {"alert of unknown level", {.inner_type = ALERT, OF(unknown_level)}},
    {"half an alert", {.inner_type = ALERT, .bytes = fatal, .count = 1}},
    {"empty alert", {.inner_type = ALERT}},
    {"empty handshake", {.inner_type = HANDSHAKE}},
    {"bad key update", {.inner_type = HANDSHAKE, OF(key_update_bad)}},
    {"long key update", {.inner_type = HANDSHAKE, OF(key_update_long)}},
    {"two key updates", {.inner_type = HANDSHAKE, OF(key_update_twice)}},
    {"key update", {.inner_type = HANDSHAKE, OF(key_update)}},
    {"key update asked for", {.inner_type = HANDSHAKE, OF(key_update_asked)}},
    {"part of a key update", {.inner_type = HANDSHAKE, .bytes = key_update, .count = 3}},
    {"most of a key update", {.inner_type = HANDSHAKE, .bytes = key_update, .count = 4}},
    {"finished", {.inner_type = HANDSHAKE, OF(finished)}},
    {"hello request", {.inner_type = HANDSHAKE, OF(hello_request)}},
    {"broken hello", {.inner_type = HANDSHAKE, OF(hello)}},
    {"huge handshake message", {.inner_type = HANDSHAKE, OF(huge)}},
};

enum { FORGERIES = sizeof(forgeries) / sizeof(forgeries[0]) };

static struct forgery forgery_for(enum tls_version version, size_t index)
{
    struct forgery forgery = forgeries[index].forgery;

    if (version == TLS_VERSION_1_2 && forgery.outer_type == 0) {
        forgery.outer_type = forgery.inner_type;
    }
    return forgery;
}

TestSuite(record_forgery, .fini = setups_free);

/* The rows by number: Criterion crashes on pointers in them. */
ParameterizedTestParameters(record_forgery, ends_as_openssl_ends_it)
{
    static int numbers[SUITES];

    for (int i = 0; i < SUITES; i++) {
        numbers[i] = i;
    }
    return cr_make_param_array(int, numbers, SUITES);
}

ParameterizedTest(int *suite, record_forgery, ends_as_openssl_ends_it)
{
    struct world world;

    for (size_t i = 0; i < FORGERIES; i++) {
        struct forgery forgery = forgery_for(suites[*suite].version, i);

        world_open(&world, &suites[*suite]);
        send_data(&world, 5000);
        if (forge(&world, forgeries[i].name, &forgery) == TLS_AGAIN) {
            /* What comes next may be the record that is one too many, or good. */
            struct forgery next = {.inner_type = DATA, .bytes = world.bytes, .count = 100};

            forge(&world, forgeries[i].name, &next);
        }
        world_close(&world);
    }
}

/* OpenSSL bears 32 empty records in a row, and four warnings. */
static void forge_in_a_row(const struct suite *suite, size_t index, int limit)
{
    struct world world;
    struct forgery forgery = forgery_for(suite->version, index);
    int count = 0;

    world_open(&world, suite);
    while (forge(&world, forgeries[index].name, &forgery) == TLS_AGAIN) {
        cr_assert_leq(++count, limit, "%s", forgeries[index].name);
    }
    world_close(&world);
    /* With data in between there is no limit. */
    world_open(&world, suite);
    for (count = 0; count < limit + 10; count++) {
        forge(&world, forgeries[index].name, &forgery);
        if (world.pairs[0].server.status != TLS_AGAIN) {
            break;
        }
        send_data(&world, 10);
    }
    world_close(&world);
}

Test(record_forgery, floods_end_where_openssl_ends_them)
{
    for (size_t i = 0; i < FORGERIES; i++) {
        if (strcmp(forgeries[i].name, "empty") == 0 ||
            strcmp(forgeries[i].name, "user canceled") == 0) {
            forge_in_a_row(&suites[0], i, 40);
            forge_in_a_row(&suites[3], i, 40);
        }
    }
}

/* Of every length a record can claim to have: too short for a tag, at the limits and beyond. */
ParameterizedTestParameters(record_forgery, lengths_end_as_with_openssl)
{
    static int numbers[SUITES];

    for (int i = 0; i < SUITES; i++) {
        numbers[i] = i;
    }
    return cr_make_param_array(int, numbers, SUITES);
}

ParameterizedTest(int *suite, record_forgery, lengths_end_as_with_openssl)
{
    static const size_t lengths[] = {0,     1,     15,    16,    17,    23,    24,    25,
                                     16383, 16384, 16385, 16386, 16400, 16401, 16402, 16408,
                                     16409, 16500, 16640, 16641, 16704, 16705, 18432, 65535};
    struct world world;
    char what[32];

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (int unsealed = 0; unsealed < 2; unsealed++) {
            struct forgery forgery = {
                .inner_type = DATA,
                .count = lengths[i],
                .change = unsealed ? FORGERY_UNSEALED : FORGERY_AS_IT_IS,
            };

            if (!unsealed && lengths[i] > 20000) {
                continue;
            }
            world_open(&world, &suites[*suite]);
            forgery.bytes = world.bytes;
            snprintf(what, sizeof(what), "%zu bytes%s", lengths[i], unsealed ? " unsealed" : "");
            forge(&world, what, &forgery);
            world_close(&world);
        }
    }
}

/* Nothing but the header has come of what it alone condemns. */
Test(record_forgery, a_header_is_condemned_before_its_record_is_there)
{
    static const uint8_t headers[][5] = {
        {23, 3, 3, 0x48, 0}, {23, 3, 3, 255, 255}, {22, 3, 3, 1, 0}, {20, 3, 3, 0, 1},
        {0, 0, 0, 0, 0},     {23, 3, 3, 0, 5},     {23, 3, 3, 1, 0}, {71, 69, 84, 32, 47}};

    for (size_t suite = 0; suite < SUITES; suite++) {
        for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
            struct world world;

            world_open(&world, &suites[suite]);
            for (size_t part = 0; part < 5; part++) {
                for (int layer = 0; layer < LAYERS; layer++) {
                    pair_inject(&world.pairs[layer].server, &headers[i][part], 1);
                }
                if (compare(&world, "header") != TLS_AGAIN) {
                    break;
                }
            }
            world_close(&world);
        }
    }
}

/* Random ones in a row until one is fatal, cut at random places. */
static void forge_at_random(uint64_t seed)
{
    struct random random = {.state = seed};
    const struct suite *suite = &suites[random_below(&random, SUITES)];
    struct world world;
    enum tls_status status = TLS_AGAIN;

    world_open(&world, suite);
    for (int layer = 0; layer < LAYERS; layer++) {
        static const size_t pieces[] = {0, 1, 3, 100, 5000};

        world.pairs[layer].piece_bytes = pieces[seed % 5];
    }
    for (int step = 0; step < STEPS_MAX && status == TLS_AGAIN; step++) {
        size_t index = random_below(&random, FORGERIES);
        struct forgery forgery = forgery_for(suite->version, index);

        for (uint64_t more = random_below(&random, 4); more > 0; more--) {
            struct forgery data = {.inner_type = DATA,
                                   .bytes = world.bytes,
                                   .count = 1 + random_below(&random, 16384)};

            for (int layer = 0; layer < LAYERS; layer++) {
                forge_record(&world.pairs[layer], &data);
            }
        }
        if (random_below(&random, 3) > 0) { /* mostly harmless */
            forgery = (struct forgery){.inner_type = DATA,
                                       .count = random_below(&random, 3),
                                       .bytes = world.bytes,
                                       .padding = random_below(&random, 100)};
        }
        status = forge(&world, forgeries[index].name, &forgery);
    }
    world_close(&world);
}

Test(record_forgery, random_ones_end_as_with_openssl)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        forge_at_random(seed);
    }
}
