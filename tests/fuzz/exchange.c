#include "exchange.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/error.h"
#include "fuzz.h"
#include "tls/certificate.h"
#include "tls/context.h"
#include "tls/engine.h"
#include "tls/replay.h"
#include "tls/session_store.h"
#include "tls/ticket.h"

enum {
    STEPS_MAX = 200,
    WRITE_BYTES_MAX = 20000,
    READ_BYTES = 4096,
    MADE_UP_BYTES_MAX = 512,
    KINDS = 4,
};

struct end {
    struct tls_engine engine;
    struct slab_pool pool;
    struct slab_queue queue;
    uint8_t *inbox; /* what came and is not fed yet; heap */
    size_t inbox_bytes;
    bool established;
    bool over;      /* failed, or closed by the peer */
    bool closed;    /* by us */
    uint64_t wrote; /* plaintext */
    uint64_t read;
};

static struct tls_context *servers[KINDS];
static struct tls_context *clients[KINDS];
static struct tls_session *sessions[KINDS];
static uint64_t random_state;

static int random_bytes(unsigned char *out, int count)
{
    for (int i = 0; i < count; i++) {
        random_state = random_state * 6364136223846793005u + 1442695040888963407u;
        out[i] = (unsigned char)(random_state >> 56);
    }
    return 1;
}

static int random_status(void)
{
    return 1;
}

static uint8_t pattern(uint64_t position)
{
    return (uint8_t)(position * 31 + (position >> 8));
}

static void end_init(struct end *end, struct tls_context *context,
                     const struct tls_engine_options *options)
{
    memset(end, 0, sizeof *end);
    slab_pool_init(&end->pool, 4);
    slab_queue_init(&end->queue, &end->pool);
    FUZZ_EXPECT(tls_engine_init(&end->engine, context, &end->queue, options));
}

static void end_deinit(struct end *end)
{
    tls_engine_deinit(&end->engine);
    slab_queue_clear(&end->queue);
    slab_pool_deinit(&end->pool);
    free(end->inbox);
}

static void end_receive(struct end *end, const uint8_t *bytes, size_t count)
{
    end->inbox = realloc(end->inbox, end->inbox_bytes + count + 1);
    FUZZ_EXPECT(end->inbox);
    memcpy(end->inbox + end->inbox_bytes, bytes, count);
    end->inbox_bytes += count;
}

static void answer(struct tls_engine *engine)
{
    switch (tls_engine_want(engine)) {
    case TLS_WANT_CONTEXT:
        tls_engine_answer_context(engine, NULL);
        break;
    case TLS_WANT_SESSION:
        tls_engine_answer_session(engine, NULL, 0);
        break;
    case TLS_WANT_STAPLE:
        tls_engine_answer_staple(engine, NULL, 0);
        break;
    default:
        tls_engine_answer_save(engine);
        break;
    }
}

static void end_handshake(struct end *end)
{
    struct tls_failure_detail failure;
    enum tls_status status;
    uint8_t early[READ_BYTES];

    while ((status = tls_engine_handshake(&end->engine, &failure)) == TLS_WAITING) {
        answer(&end->engine);
    }
    if (status == TLS_OK || status == TLS_AGAIN) {
        while (tls_engine_read_early(&end->engine, early, sizeof early) > 0) {
        }
    }
    end->established = status == TLS_OK;
    end->over = status == TLS_FAILED || status == TLS_CLOSED;
}

static void end_read(struct end *end)
{
    struct tls_failure_detail failure;
    uint8_t bytes[READ_BYTES];
    enum tls_status status = TLS_OK;

    while (status == TLS_OK) {
        size_t count = 0;

        status = tls_engine_read(&end->engine, bytes, sizeof bytes, &count, &failure);
        FUZZ_EXPECT((status == TLS_OK) == (count > 0) && count <= sizeof bytes);
        for (size_t i = 0; i < count; i++) {
            FUZZ_EXPECT(bytes[i] == pattern(end->read + i));
        }
        end->read += count;
    }
    end->over = status == TLS_FAILED || status == TLS_CLOSED;
}

/* All that is in the inbox, in one span. */
static void end_step(struct end *end)
{
    uint8_t *span = end->inbox;

    if (end->over) {
        return;
    }
    tls_engine_feed(&end->engine, span, end->inbox_bytes);
    end->inbox = NULL;
    end->inbox_bytes = 0;
    if (!end->established) {
        end_handshake(end);
    }
    if (end->established && !end->over) {
        end_read(end);
    }
    FUZZ_EXPECT(end->over || end->engine.input_bytes == 0);
    free(span);
    tls_engine_feed(&end->engine, NULL, 0);
}

static void end_write(struct end *end, size_t count)
{
    struct tls_failure_detail failure;
    uint8_t *bytes;
    enum tls_status status;

    if (!end->established || end->over || end->closed) {
        return;
    }
    bytes = malloc(count);
    for (size_t i = 0; i < count; i++) {
        bytes[i] = pattern(end->wrote + i);
    }
    status = tls_engine_write(&end->engine, bytes, count, &failure);
    if (status == TLS_OK) {
        end->wrote += count;
    }
    end->over |= status == TLS_FAILED;
    free(bytes);
}

/* Takes up to `count` bytes of what `from` has queued. Heap. */
static uint8_t *take(struct end *from, size_t count, size_t *out_count)
{
    uint8_t *bytes;

    *out_count = 0;
    count = count < from->queue.bytes ? count : from->queue.bytes;
    bytes = malloc(count + 1);
    while (*out_count < count) {
        const struct slab *slab = from->queue.head;
        size_t part = slab->end - slab->start;

        part = part < count - *out_count ? part : count - *out_count;
        memcpy(bytes + *out_count, slab->data + slab->start, part);
        slab_queue_consume(&from->queue, part);
        *out_count += part;
    }
    return bytes;
}

static void deliver(struct end *from, struct end *to, size_t count)
{
    uint8_t *bytes = take(from, count, &count);

    end_receive(to, bytes, count);
    free(bytes);
    end_step(to);
}

static void deliver_changed(struct end *from, struct end *to, struct fuzz_input *input)
{
    size_t count;
    uint8_t *bytes = take(from, SIZE_MAX, &count);

    if (count > 0) {
        bytes[fuzz_number(input, (unsigned)(count < 65536 ? count : 65536))] ^=
            (uint8_t)(1 + fuzz_byte(input) % 255);
    }
    end_receive(to, bytes, count);
    free(bytes);
    end_step(to);
}

static void deliver_made_up(struct end *to, struct fuzz_input *input)
{
    size_t count;
    uint8_t *bytes = fuzz_copy(input, fuzz_number(input, MADE_UP_BYTES_MAX), &count);

    end_receive(to, bytes, count);
    free(bytes);
    end_step(to);
}

static void deliver_partly(struct end *from, struct end *to, struct fuzz_input *input)
{
    size_t count;
    size_t length = fuzz_number(input, 4096);
    uint8_t *bytes = take(from, length, &count);

    if (fuzz_byte(input) & 1) { /* twice, or not at all */
        end_receive(to, bytes, count);
        end_receive(to, bytes, count);
    }
    free(bytes);
    end_step(to);
}

static void act(struct end *end, unsigned action)
{
    const char *reason;

    if (end->over || (end->closed && action != 2)) {
        return;
    }
    switch (action % 6) {
    case 0:
        tls_engine_close(&end->engine);
        end->closed = true;
        break;
    case 1:
        if (end->established) {
            tls_engine_update_key(&end->engine, true);
        }
        break;
    case 2:
        if (end->established) {
            tls_engine_idle(&end->engine);
        }
        break;
    case 3:
        if (end->established) {
            tls_engine_renegotiate(&end->engine, false, &reason);
        }
        break;
    case 4:
        if (end->established) {
            tls_engine_renegotiate(&end->engine, true, &reason);
        }
        break;
    default:
        tls_engine_set_max_send_fragment(&end->engine, 512);
        break;
    }
}

static void step(struct end *peer, struct end *victim, struct fuzz_input *input)
{
    uint8_t code = fuzz_byte(input);

    switch (code % 10) {
    case 0:
        deliver(peer, victim, SIZE_MAX);
        break;
    case 1:
        deliver(peer, victim, 1u + code / 10);
        break;
    case 2:
    case 3:
        deliver_changed(peer, victim, input);
        break;
    case 4:
        deliver_partly(peer, victim, input);
        break;
    case 5:
        deliver_made_up(victim, input);
        break;
    case 6:
        end_write(code & 16 ? victim : peer, 1 + fuzz_number(input, WRITE_BYTES_MAX));
        break;
    case 7:
        act(peer, code / 10);
        break;
    case 8:
        act(victim, code / 10);
        break;
    default:
        deliver(victim, peer, SIZE_MAX);
        break;
    }
}

/* What may be asked of an engine in any state. */
static void ask(struct tls_engine *engine)
{
    static struct tls_peer_certificate certificate;
    struct tls_facts facts;
    enum tls_resumption kind;
    const char *reason;
    uint8_t bytes[64];
    size_t count;

    tls_engine_facts(engine, &facts);
    tls_engine_resumed(engine, &kind);
    tls_engine_peer_certificate(engine, 0, &certificate);
    tls_engine_peer_certificate(engine, 1, &certificate);
    tls_engine_authorized(engine, &reason);
    tls_engine_staple(engine, &count);
    tls_engine_export(engine, "label", NULL, 0, bytes, sizeof bytes);
    tls_engine_finished(engine, true, bytes, sizeof bytes);
}

/* A whole exchange that nobody disturbs; what the client may resume from. */
static struct tls_session *connect_once(struct tls_context *client, struct tls_context *server)
{
    struct tls_session *session;
    struct end ends[2];

    end_init(&ends[0], client, &(struct tls_engine_options){.server_name = "localhost"});
    end_init(&ends[1], server, NULL);
    end_step(&ends[0]);
    for (int i = 0; i < 8; i++) {
        deliver(&ends[i % 2], &ends[1 - i % 2], SIZE_MAX);
    }
    FUZZ_EXPECT(ends[0].established && ends[1].established);
    session = tls_engine_take_session(&ends[0].engine);
    end_deinit(&ends[0]);
    end_deinit(&ends[1]);
    return session;
}

static struct tls_context *context(enum tls_role role, const struct tls_config *config,
                                   const struct tls_shared *shared)
{
    struct error error = {0};
    struct tls_context *made = tls_context_new(role, config, shared, &error);

    FUZZ_EXPECT(made);
    return made;
}

/* TLS 1.3; 1.2 with tickets; 1.3 with early data and a client's certificate; 1.2 without tickets.
 */
static void set_up(void)
{
    static const RAND_METHOD method = {
        .bytes = random_bytes, .pseudorand = random_bytes, .status = random_status};
    static struct tls_shared shared; /* kept, as is the certificate: no leak */
    static struct certificate *own;
    struct tls_config config;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    RAND_set_rand_method(&method);
#pragma GCC diagnostic pop
    own = certificate_new(&(struct certificate_options){.key_type = "p256"}, NULL, NULL);
    shared.tickets = ticket_ring_new(2, NULL);
    shared.sessions = session_store_new(16);
    shared.library = tls_library_new();
    shared.replays = replay_guard_new(0, NULL);
    FUZZ_EXPECT(own && shared.tickets && shared.sessions && shared.replays);
    for (int i = 0; i < KINDS; i++) {
        config = (struct tls_config){.certificate_count = 1, .alpn = "http/1.1,h2"};
        config.certificates[0].certificate_pem = certificate_pem(own);
        config.certificates[0].key_pem = certificate_key_pem(own);
        config.version_max = i % 2 ? TLS_VERSION_1_2 : TLS_VERSION_1_3;
        config.no_tickets = i == 3;
        config.early_data_bytes_max = i == 2 ? 4096 : 0;
        config.request_certificate = i == 2;
        config.ca_pem = certificate_pem(own);
        servers[i] = context(TLS_SERVER, &config, &shared);
        config.early_data_bytes_max = 0;
        config.request_certificate = false;
        config.no_tickets = false;
        config.request_ocsp = i < 2;
        config.certificate_count = i >= 2;
        clients[i] = context(TLS_CLIENT, &config, &shared);
        sessions[i] = connect_once(clients[i], servers[i]);
    }
}

void exchange_run(const uint8_t *bytes, size_t count, bool victim_is_server)
{
    struct fuzz_input input = {bytes, count};
    struct tls_engine_options client = {.server_name = "localhost", .verify_host = "localhost"};
    struct tls_engine_options server = {0};
    struct end ends[2]; /* client, server */
    struct end *victim = &ends[victim_is_server];
    struct end *peer = &ends[!victim_is_server];
    uint8_t choice;

    if (!servers[0]) {
        set_up();
    }
    random_state = 1;
    choice = fuzz_byte(&input);
    client.session = choice & 4 ? sessions[choice % KINDS] : NULL;
    server.asks = choice & 8 ? ~0u : 0;
    end_init(&ends[0], clients[choice % KINDS], &client);
    end_init(&ends[1], servers[choice % KINDS], &server);
    if (client.session && (choice & 16)) {
        tls_engine_write_early(&ends[0].engine, (const uint8_t *)"early", 5);
    }
    end_step(&ends[0]); /* the hello */
    for (int i = 0; i < STEPS_MAX && input.count > 0 && !victim->over; i++) {
        step(peer, victim, &input);
    }
    ask(&victim->engine);
    tls_session_free(tls_engine_take_session(&ends[0].engine));
    end_deinit(&ends[0]);
    end_deinit(&ends[1]);
}
