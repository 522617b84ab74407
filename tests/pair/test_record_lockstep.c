/* Two connections go through the same random schedule, one with OpenSSL's record layer at both
 * ends, one with the direct one at either or both: every call must return the same, every record
 * must look the same from outside, and every byte must arrive. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/error.h"
#include "base/random.h"
#include "pair.h"
#include "tls/records.h"

enum {
    STEPS = 120,
    STREAM_BYTES_MAX = 4 << 20,
    WRITE_BYTES_MAX = 40000,
    CHANGE_CIPHER_SPEC = 20,
    APPLICATION_DATA = 23,
    SEEDS = 40,
};

static const struct {
    const char *name;
    enum tls_version version;
} suites[] = {
    {"TLS_AES_128_GCM_SHA256", TLS_VERSION_1_3},
    {"TLS_AES_256_GCM_SHA384", TLS_VERSION_1_3},
    {"TLS_CHACHA20_POLY1305_SHA256", TLS_VERSION_1_3},
    {"ECDHE-ECDSA-AES128-GCM-SHA256", TLS_VERSION_1_2},
    {"ECDHE-ECDSA-AES256-GCM-SHA384", TLS_VERSION_1_2},
    {"ECDHE-ECDSA-CHACHA20-POLY1305", TLS_VERSION_1_2},
    /* Not covered: the direct one leaves it to OpenSSL. */
    {"ECDHE-ECDSA-AES128-SHA256", TLS_VERSION_1_2},
    {"TLS_AES_128_CCM_SHA256", TLS_VERSION_1_3},
};

enum { SUITES = sizeof(suites) / sizeof(suites[0]), COVERED = 6 };

/* OpenSSL 3.2 and later compress certificates, together with a random context: of any length. */
#ifdef SSL_OP_NO_TX_CERTIFICATE_COMPRESSION
static const uint64_t options = SSL_OP_NO_TX_CERTIFICATE_COMPRESSION;
#else
static const uint64_t options = 0;
#endif

struct way { /* what goes from one end to the other */
    uint8_t *wire;
    size_t wire_bytes;
    size_t written; /* plaintext */
    size_t read;
};

struct connection {
    struct tls_context *contexts[2];
    struct pair pair;
    struct way ways[2]; /* by who sends: client, server */
};

struct world {
    struct pair_setup setup; /* certificate and library for both */
    struct connection reference;
    struct connection tried;
    struct random random;
    uint8_t *stream; /* what is written, by each end from the start */
    enum tls_version version;
    bool corrupted;
    bool closed[2];
    bool over;
};

/* What one call had to say. */
struct answer {
    enum tls_status status;
    size_t count;
    size_t left;
    char reason[sizeof(((struct tls_failure_detail *)0)->reason)];
};

static struct pair_end *end_of(struct connection *connection, int role)
{
    return role == 0 ? &connection->pair.client : &connection->pair.server;
}

static void connection_open(struct world *world, struct connection *connection, unsigned direct)
{
    struct pair_setup *setup = &world->setup;
    struct tls_config configs[2] = {setup->client_config, setup->server_config};
    struct error error = {0};

    for (int role = 0; role < 2; role++) {
        configs[role].record_layer =
            direct & (1u << role) ? TLS_RECORDS_DIRECT : TLS_RECORDS_OPENSSL;
        connection->contexts[role] = tls_context_new(role == 0 ? TLS_CLIENT : TLS_SERVER,
                                                     &configs[role], &setup->shared, &error);
        cr_assert_not_null(connection->contexts[role], "%s", error.text);
        connection->ways[role].wire = malloc(STREAM_BYTES_MAX);
    }
    pair_init(&connection->pair, connection->contexts[0], connection->contexts[1], NULL);
    for (int role = 0; role < 2; role++) { /* at once, or after some */
        end_of(connection, role)->engine.records_before_taking =
            (uint8_t)(world->random.state % 3 * 4);
    }
    cr_assert(pair_handshake(&connection->pair), "%s; %s", connection->pair.client.failure.reason,
              connection->pair.server.failure.reason);
}

static void connection_close(struct connection *connection)
{
    pair_deinit(&connection->pair);
    for (int role = 0; role < 2; role++) {
        tls_context_free(connection->contexts[role]);
        free(connection->ways[role].wire);
    }
}

static void world_open(struct world *world, uint64_t seed, unsigned direct)
{
    size_t suite;

    memset(world, 0, sizeof(*world));
    world->random.state = seed;
    suite = random_below(&world->random, SUITES);
    world->version = suites[suite].version;
    world->stream = malloc(STREAM_BYTES_MAX);
    random_fill(&(struct random){.state = seed}, world->stream, STREAM_BYTES_MAX);
    world->setup.server_config = (struct tls_config){
        .version_min = world->version,
        .version_max = world->version,
        .ciphers = world->version == TLS_VERSION_1_2 ? suites[suite].name : NULL,
        .ciphersuites = world->version == TLS_VERSION_1_3 ? suites[suite].name : NULL,
        .renegotiation_limit = 1000,
        .options = options,
    };
    world->setup.client_config = (struct tls_config){
        .renegotiation_limit = 1000,
        .options = options,
        .ciphersuites = world->setup.server_config.ciphersuites,
    };
    /* Its signatures are all of one length. */
    pair_setup_init(&world->setup, "ed25519");
    world->setup.client_config.certificate_count = 1;
    world->setup.client_config.certificates[0] = world->setup.server_config.certificates[0];
    world->setup.server_config.ca_pem = world->setup.client_config.ca_pem;
    connection_open(world, &world->reference, 0);
    connection_open(world, &world->tried, direct);
}

static void world_close(struct world *world)
{
    connection_close(&world->reference);
    connection_close(&world->tried);
    pair_setup_deinit(&world->setup);
    free(world->stream);
}

static void expect_same(const struct answer *reference, const struct answer *tried,
                        unsigned long step)
{
    cr_assert_eq(reference->status, tried->status, "step %lu: %d (%s), %d (%s)", step,
                 reference->status, reference->reason, tried->status, tried->reason);
    cr_assert_str_eq(reference->reason, tried->reason, "step %lu", step);
    cr_assert_eq(reference->count, tried->count, "step %lu: %zu, %zu", step, reference->count,
                 tried->count);
    cr_assert_eq(reference->left, tried->left, "step %lu: %zu, %zu", step, reference->left,
                 tried->left);
}

static struct answer answer_of(const struct pair_end *end, enum tls_status status, size_t count)
{
    struct answer answer = {.status = status, .count = count, .left = end->engine.input_bytes};

    if (status == TLS_FAILED) {
        snprintf(answer.reason, sizeof(answer.reason), "%s", end->failure.reason);
    }
    return answer;
}

static struct answer write_some(struct world *world, struct connection *connection, int role,
                                size_t count)
{
    struct pair_end *end = end_of(connection, role);
    struct way *way = &connection->ways[role];
    enum tls_status status =
        tls_engine_write(&end->engine, world->stream + way->written, count, &end->failure);

    way->written += status == TLS_OK ? count : 0;
    return answer_of(end, status, count);
}

/* One call; what comes out must be what went in. */
static struct answer read_once(struct world *world, struct connection *connection, int role,
                               size_t out_max)
{
    static uint8_t out[TLS_READ_BYTES];
    struct pair_end *end = end_of(connection, role);
    struct way *way = &connection->ways[!role];
    size_t count = 0;
    enum tls_status status = tls_engine_read(&end->engine, out, out_max, &count, &end->failure);

    cr_assert_leq(way->read + count, way->written);
    cr_assert_arr_eq(out, world->stream + way->read, count);
    way->read += count;
    return answer_of(end, status, count);
}

/* Brings `count` bytes of the wire over; perhaps with one bit wrong. */
static void carry(struct connection *connection, int from, size_t count, size_t corrupt_at)
{
    struct pair_end *sender = end_of(connection, from);
    struct pair_end *reader = end_of(connection, !from);
    struct way *way = &connection->ways[from];
    size_t begin = way->wire_bytes;

    while (count > 0) {
        const struct slab *slab = sender->queue.head;
        size_t step = slab->end - slab->start;

        step = step < count ? step : count;
        cr_assert_leq(way->wire_bytes + step, STREAM_BYTES_MAX);
        memcpy(way->wire + way->wire_bytes, slab->data + slab->start, step);
        way->wire_bytes += step;
        slab_queue_consume(&sender->queue, step);
        count -= step;
    }
    pair_inject(reader, way->wire + begin, way->wire_bytes - begin);
    if (corrupt_at < way->wire_bytes - begin) {
        reader->inbox[reader->inbox_bytes - (way->wire_bytes - begin) + corrupt_at] ^= 0x10;
    }
}

static void step_write(struct world *world, int role, unsigned long step)
{
    static const size_t most[] = {30, 2000, WRITE_BYTES_MAX};
    size_t count = 1 + random_below(&world->random, most[random_below(&world->random, 3)]);
    struct answer reference;
    struct answer tried;

    if (world->closed[role] || world->reference.ways[role].written + count > STREAM_BYTES_MAX / 2) {
        return;
    }
    reference = write_some(world, &world->reference, role, count);
    tried = write_some(world, &world->tried, role, count);
    expect_same(&reference, &tried, step);
    world->over |= reference.status == TLS_FAILED;
}

static void step_carry(struct world *world, int from, bool corrupt)
{
    size_t queued = end_of(&world->reference, from)->queue.bytes;
    size_t count =
        random_below(&world->random, 3) == 0 ? queued : random_below(&world->random, queued + 1);
    size_t corrupt_at =
        corrupt && count > 0 ? random_below(&world->random, count) : STREAM_BYTES_MAX;

    /* A length that is wrong makes one wait, and what then happens is a matter of luck. */
    world->corrupted |= corrupt && count > 0;
    carry(&world->reference, from, count, corrupt_at);
    carry(&world->tried, from, count, corrupt_at);
}

static void feed(struct connection *connection, int role)
{
    struct pair_end *end = end_of(connection, role);

    if (end->engine.input_bytes == 0) {
        tls_engine_feed(&end->engine, end->inbox + end->inbox_fed,
                        end->inbox_bytes - end->inbox_fed);
        end->inbox_fed = end->inbox_bytes;
    }
}

static void step_read(struct world *world, int role, unsigned long step)
{
    static const size_t rooms[] = {1, 100, TLS_PLAINTEXT_BYTES_MAX, TLS_READ_BYTES, TLS_READ_BYTES};
    size_t out_max = rooms[random_below(&world->random, 5)];
    struct answer reference;
    struct answer tried;
    int calls = 0;

    feed(&world->reference, role);
    feed(&world->tried, role);
    do {
        reference = read_once(world, &world->reference, role, out_max);
        tried = read_once(world, &world->tried, role, out_max);
        expect_same(&reference, &tried, step);
    } while (reference.status == TLS_OK && ++calls < 30);
    world->over |= reference.status == TLS_FAILED;
}

static void both_do(struct world *world, int role, void (*act)(struct tls_engine *, unsigned),
                    unsigned argument)
{
    act(&end_of(&world->reference, role)->engine, argument);
    act(&end_of(&world->tried, role)->engine, argument);
}

static void act_fragment(struct tls_engine *engine, unsigned bytes)
{
    cr_assert(tls_engine_set_max_send_fragment(engine, bytes));
}

static void act_update(struct tls_engine *engine, unsigned both)
{
    tls_engine_update_key(engine, both != 0);
}

static void act_renegotiate(struct tls_engine *engine, unsigned certificate)
{
    const char *reason;

    tls_engine_renegotiate(engine, certificate != 0, &reason);
}

static void act_idle(struct tls_engine *engine, unsigned none)
{
    (void)none;
    tls_engine_idle(engine);
}

static void act_close(struct tls_engine *engine, unsigned none)
{
    (void)none;
    tls_engine_close(engine);
}

static bool has_part(const struct pair_end *end)
{
    return pair_took_over(end) && end->engine.records->in.traffic->gather.count > 0;
}

static void step_control(struct world *world, int role)
{
    switch (random_below(&world->random, 8)) {
    case 0:
    case 1:
        both_do(world, role, act_fragment, 512 + (unsigned)random_below(&world->random, 15873));
        break;
    case 2:
    case 3:
        both_do(world, role, act_idle, 0);
        break;
    case 4:
        /* A retired server refuses. OpenSSL puts a renegotiation off until a record is whole that
         * it has a part of; the direct layer has that part, so that OpenSSL begins at once. No peer
         * can know. */
        if (has_part(end_of(&world->tried, role)) || world->closed[!role] ||
            tls_engine_has_retired(&end_of(&world->tried, role)->engine)) {
            break;
        }
        both_do(world, role, act_renegotiate, (unsigned)random_below(&world->random, 2));
        break;
    case 5:
        /* A request for the certificate that meets a close_notify is for a test of its own. */
        if (!world->closed[role] && random_below(&world->random, 8) == 0 &&
            !tls_engine_renegotiating(&end_of(&world->reference, !role)->engine)) {
            both_do(world, role, act_close, 0);
            world->closed[role] = true;
        }
        break;
    default:
        if (world->version == TLS_VERSION_1_3 && !world->closed[role]) {
            both_do(world, role, act_update, (unsigned)random_below(&world->random, 2));
        }
        break;
    }
}

static void expect_same_ends(struct world *world, unsigned long step)
{
    for (int role = 0; role < 2; role++) {
        const struct pair_end *reference = end_of(&world->reference, role);
        const struct pair_end *tried = end_of(&world->tried, role);

        cr_assert_eq(reference->queue.bytes, tried->queue.bytes, "step %lu: %zu, %zu", step,
                     reference->queue.bytes, tried->queue.bytes);
        cr_assert_eq(reference->engine.tally.records_out, tried->engine.tally.records_out,
                     "step %lu", step);
        cr_assert_eq(tls_engine_renegotiating(&reference->engine),
                     tls_engine_renegotiating(&tried->engine), "step %lu", step);
    }
}

/* Headers must be the same; and where a nonce is explicit it counts up, until the keys change. */
static void expect_same_wire(const struct way *reference, const struct way *tried, bool counts)
{
    uint64_t last = 0;
    size_t at = 0;

    cr_assert_eq(reference->wire_bytes, tried->wire_bytes);
    while (at + RECORD_HEADER_BYTES < tried->wire_bytes) {
        const uint8_t *record = tried->wire + at;
        size_t next = at + RECORD_HEADER_BYTES + record_length(record);

        cr_assert_arr_eq(reference->wire + at, record, RECORD_HEADER_BYTES);
        if (counts && record[0] == CHANGE_CIPHER_SPEC) {
            last = 0;
        } else if (counts && next <= tried->wire_bytes) {
            uint64_t nonce = record_explicit_nonce(record + RECORD_HEADER_BYTES);

            cr_assert(last == 0 || nonce == last + 1, "%lx, %lx", last, nonce);
            last = nonce;
        }
        at = next;
    }
}

/* Returns at how many ends the direct layer had taken over a direction in the end. */
static unsigned run(uint64_t seed, unsigned direct, unsigned *retired)
{
    struct world world;
    unsigned taken = 0;
    bool explicit_nonces;

    world_open(&world, seed, direct);
    for (unsigned i = 0; i < STEPS && !world.over; i++) {
        unsigned long step = seed * 1000 + i; /* for failures to tell both */
        uint64_t dice = random_below(&world.random, 100);
        int role = (int)random_below(&world.random, 2);

        if (dice < 35) {
            step_write(&world, role, step);
        } else if (dice < 60) {
            step_carry(&world, role, false);
        } else if (dice < 88) {
            step_read(&world, role, step);
        } else if (dice < 99 || i < STEPS / 2) {
            step_control(&world, role);
        } else {
            step_carry(&world, role, true);
        }
        expect_same_ends(&world, step);
        for (int end = 0; end < 2; end++) {
            const struct tls_records *records = end_of(&world.tried, end)->engine.records;

            taken += records != NULL && (records->in.ready || records->out.ready);
        }
    }
    explicit_nonces =
        strstr(world.setup.server_config.ciphers != NULL ? world.setup.server_config.ciphers : "",
               "GCM") != NULL;
    for (int role = 0; role < 2; role++) {
        expect_same_wire(&world.reference.ways[role], &world.tried.ways[role], explicit_nonces);
    }
    *retired += tls_engine_has_retired(&world.tried.pair.server.engine);
    world_close(&world);
    return taken;
}

/* Bit 0: the client is direct, bit 1: the server. Without either it is the test that is tried. */
ParameterizedTestParameters(record_lockstep, cannot_be_told_from_openssls)
{
    static unsigned masks[] = {0, 1, 2, 3};

    return cr_make_param_array(unsigned, masks, sizeof(masks) / sizeof(masks[0]));
}

ParameterizedTest(unsigned *direct, record_lockstep, cannot_be_told_from_openssls)
{
    const char *seeds = getenv("TLSDYNO_TEST_SEEDS");
    uint64_t count = seeds != NULL ? strtoull(seeds, NULL, 10) : SEEDS;
    unsigned taken = 0;
    unsigned retired = 0;

    for (uint64_t seed = 1; seed <= count; seed++) {
        taken += run(seed, *direct, &retired);
    }
    cr_assert((taken > 20 * count) == (*direct != 0));
    cr_assert((retired > count / 20) == ((*direct & 2) != 0), "%u", retired);
}
