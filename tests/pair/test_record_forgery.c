/* What no honest peer sends ends under the direct record layer as it does under OpenSSL's, also
 * when OpenSSL has retired: the same bytes until then, the same words, and an alert that the client
 * takes for the same. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/random.h"
#include "forgeries.h"
#include "tls/records.h"

enum { DATA = 23, BYTES_MAX = 70000, STEPS_MAX = 40 };

struct suite {
    const char *name;
    enum tls_version version;
    bool retires; /* the servers have idled before anything is forged */
};

static const struct suite suites[] = {
    {"TLS_AES_128_GCM_SHA256", TLS_VERSION_1_3},
    {"TLS_AES_256_GCM_SHA384", TLS_VERSION_1_3},
    {"TLS_CHACHA20_POLY1305_SHA256", TLS_VERSION_1_3},
    {"ECDHE-ECDSA-AES128-GCM-SHA256", TLS_VERSION_1_2},
    {"ECDHE-ECDSA-AES256-GCM-SHA384", TLS_VERSION_1_2},
    {"ECDHE-ECDSA-CHACHA20-POLY1305", TLS_VERSION_1_2},
    {"TLS_AES_128_GCM_SHA256", TLS_VERSION_1_3, true},
    {"TLS_AES_256_GCM_SHA384", TLS_VERSION_1_3, true},
    {"TLS_CHACHA20_POLY1305_SHA256", TLS_VERSION_1_3, true},
};

enum { SUITES = sizeof(suites) / sizeof(suites[0]), RETIRED_SUITE = 6, LAYERS = 2 };

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
        if (suite->retires) {
            tls_engine_idle(&pair->server.engine);
        }
    }
    cr_assert_null(world->pairs[TLS_RECORDS_OPENSSL].server.engine.records);
    cr_assert(world->pairs[TLS_RECORDS_DIRECT].server.engine.records->in.ready);
    cr_assert(world->pairs[TLS_RECORDS_DIRECT].server.engine.records->out.traffic);
    cr_assert_eq(tls_engine_has_retired(&world->pairs[TLS_RECORDS_DIRECT].server.engine),
                 suite->retires);
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
    /* Plaintext is shorter than its record, and of what came before two records at most wait. */
    size_t room = end->inbox_bytes + 2 * TLS_PLAINTEXT_BYTES_MAX;
    struct outcome outcome = {.bytes = malloc(room)};

    outcome.count = pair_read(pair, end, outcome.bytes, room);
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

/* What the servers still say for themselves: after a failure, the end at most. */
static void part(struct world *world, const char *what, enum tls_status status)
{
    struct tls_failure_detail failures[LAYERS] = {0};
    enum tls_status writes[LAYERS][3] = {0};
    bool updates[LAYERS] = {false};

    for (int layer = 0; layer < LAYERS; layer++) {
        struct tls_engine *server = &world->pairs[layer].server.engine;

        if (status != TLS_FAILED) {
            writes[layer][0] = tls_engine_write(server, world->bytes, 10, &failures[layer]);
            updates[layer] = tls_engine_update_key(server, false);
            writes[layer][1] = tls_engine_write(server, world->bytes, 20000, &failures[layer]);
        }
        tls_engine_close(server);
        if (status != TLS_FAILED) {
            writes[layer][2] = tls_engine_write(server, world->bytes, 10, &failures[layer]);
        }
    }
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(writes[0][i], writes[1][i], "%s: write %d: %d, %d (%s)", what, i, writes[0][i],
                     writes[1][i], failures[1].reason);
    }
    cr_assert_eq(updates[0], updates[1], "%s", what);
    cr_assert_eq(failures[0].kind, failures[1].kind, "%s", what);
    cr_assert_str_eq(failures[0].reason, failures[1].reason, "%s", what);
    if (status != TLS_FAILED) {
        compare(world, what);
    }
    cr_assert_eq(world->pairs[0].server.queue.bytes, world->pairs[1].server.queue.bytes, "%s",
                 what);
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

    for (size_t i = 0; i < forgery_count; i++) {
        struct forgery forgery = forgery_for(suites[*suite].version, i);

        world_open(&world, &suites[*suite]);
        send_data(&world, 5000);
        if (forge(&world, forgeries[i].name, &forgery) == TLS_AGAIN) {
            /* What comes next may be the record that is one too many, or good. */
            struct forgery next = {.inner_type = DATA, .bytes = world.bytes, .count = 100};

            forge(&world, forgeries[i].name, &next);
        }
        world_close(&world);
        world_open(&world, &suites[*suite]);
        part(&world, forgeries[i].name, forge(&world, forgeries[i].name, &forgery));
        world_close(&world);
    }
}

/* After one that does not end it, and after our close_notify. */
static void forge_two(const struct suite *suite, size_t first, size_t second)
{
    for (int closed = 0; closed < 2; closed++) {
        struct forgery forgeries_two[] = {forgery_for(suite->version, first),
                                          forgery_for(suite->version, second)};
        struct world world;
        enum tls_status status;
        char what[100];

        snprintf(what, sizeof(what), "%s, %s%s", forgeries[first].name, forgeries[second].name,
                 closed ? ", closed" : "");
        world_open(&world, suite);
        for (int layer = 0; closed && layer < LAYERS; layer++) {
            tls_engine_close(&world.pairs[layer].server.engine);
        }
        status = forge(&world, what, &forgeries_two[0]);
        if (status == TLS_AGAIN) {
            status = forge(&world, what, &forgeries_two[1]);
        }
        part(&world, what, status);
        world_close(&world);
    }
}

static bool goes_on(const struct suite *suite, size_t index)
{
    struct forgery forgery = forgery_for(suite->version, index);
    struct world world;
    enum tls_status status;

    world_open(&world, suite);
    status = forge(&world, forgeries[index].name, &forgery);
    world_close(&world);
    return status == TLS_AGAIN;
}

Test(record_forgery, two_in_a_row_end_as_with_openssl, .timeout = 300)
{
    const struct suite *suite = &suites[RETIRED_SUITE];

    for (size_t first = 0; first < forgery_count; first++) {
        for (size_t second = 0; second < forgery_count && goes_on(suite, first); second++) {
            forge_two(suite, first, second);
        }
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
    for (size_t i = 0; i < forgery_count; i++) {
        if (strcmp(forgeries[i].name, "empty") == 0 ||
            strcmp(forgeries[i].name, "user canceled") == 0) {
            forge_in_a_row(&suites[0], i, 40);
            forge_in_a_row(&suites[3], i, 40);
            forge_in_a_row(&suites[RETIRED_SUITE], i, 40);
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
        size_t index = random_below(&random, forgery_count);
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
