/* Who has which direction: keys, sequence numbers, and when they change hands. */
#include "tls/records.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "tls/internal.h"
#include "tls/provider.h"

enum { KEY_BLOCK_BYTES_MAX = 2 * (RECORD_KEY_BYTES_MAX + RECORD_IV_BYTES) };

static_assert(RECORD_KEY_BYTES_MAX + RECORD_IV_BYTES <= KEY_SCHEDULE_DIGEST_BYTES_MAX,
              "TLS 1.2 keeps key and IV where TLS 1.3 has its secret");

static struct tls_records *records_of(struct tls_engine *engine)
{
    if (engine->records == NULL) {
        engine->records = calloc(1, sizeof(*engine->records));
    }
    return engine->records;
}

static void traffic_free(struct record_traffic *traffic)
{
    if (traffic != NULL) {
        EVP_CIPHER_CTX_free(traffic->cipher);
        record_gather_empty(&traffic->gather);
        free(traffic->loan);
        OPENSSL_cleanse(traffic, sizeof(*traffic));
        free(traffic);
    }
}

void tls_records_leave(struct record_way *way)
{
    traffic_free(way->traffic);
    way->traffic = NULL;
    way->ready = false;
    way->leaves = false;
}

void tls_records_free(struct tls_records *records)
{
    if (records == NULL) {
        return;
    }
    tls_records_leave(&records->in);
    tls_records_leave(&records->out);
    OPENSSL_cleanse(records, sizeof(*records));
    free(records);
}

static void traffic_idle(struct record_traffic *traffic)
{
    if (traffic != NULL) {
        EVP_CIPHER_CTX_free(traffic->cipher);
        traffic->cipher = NULL;
    }
}

void tls_records_idle(struct tls_records *records)
{
    if (records != NULL) {
        traffic_idle(records->in.traffic);
        traffic_idle(records->out.traffic);
    }
}

void tls_records_hear_secret(void *argument, bool of_server, const uint8_t *secret, size_t bytes)
{
    struct tls_engine *engine = argument;
    struct tls_records *records = records_of(engine);
    struct record_way *way;

    if (records == NULL || bytes > sizeof(way->secret)) {
        return;
    }
    way = of_server == (SSL_is_server(engine->ssl) != 0) ? &records->out : &records->in;
    memcpy(way->secret, secret, bytes);
    way->has_secret = true;
}

struct tls_context *tls_engine_context(const struct tls_engine *engine)
{
    return engine->ssl != NULL ? tls_context_of(engine->ssl) : engine->records->context;
}

bool tls_engine_in_message(const struct tls_engine *engine)
{
    return engine->ssl != NULL ? SSL_in_init(engine->ssl) != 0
                               : engine->records->control.message_bytes == SSL3_HM_HEADER_LENGTH &&
                                     !engine->records->control.message_waits;
}

static const struct key_schedule_digest *digest_of(const SSL *ssl)
{
    const EVP_MD *digest = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl));

    return digest != NULL ? key_schedule_digest_find(EVP_MD_get0_name(digest)) : NULL;
}

/* From a traffic secret (RFC 8446 7.2, 7.3). */
static bool expand(const struct tls_records *records, const struct record_way *way,
                   const char *label, uint8_t *out, size_t out_count)
{
    const struct key_schedule_digest *digest = records->digest;
    struct key_schedule_input input = {
        .digest = digest,
        .prefix = {(const uint8_t *)"tls13 ", 6},
        .label = {(const uint8_t *)label, strlen(label)},
        .context = {(const uint8_t *)"", 0},
    };

    if (digest == NULL) {
        return false;
    }
    input.secret = (struct key_schedule_span){way->secret, key_schedule_digest_bytes(digest)};
    return key_schedule_expand(&input, out, out_count != 0 ? out_count : input.secret.count);
}

/* The secret after it; the keys change with the next record. */
static void secret_renew(const struct tls_records *records, struct record_way *way)
{
    uint8_t next[KEY_SCHEDULE_DIGEST_BYTES_MAX] = {0};

    way->has_secret = way->has_secret && expand(records, way, "traffic upd", next, 0);
    memcpy(way->secret, next, sizeof(next));
    OPENSSL_cleanse(next, sizeof(next));
}

bool tls_records_rekey(struct tls_records *records, struct record_way *way)
{
    struct record_traffic *traffic = way->traffic;

    secret_renew(records, way);
    traffic_idle(traffic);
    OPENSSL_cleanse(&traffic->key, sizeof(traffic->key));
    traffic->has_key = false;
    traffic->sequence = 0;
    return way->has_secret;
}

static void hear_new_keys(struct tls_engine *engine, bool sent, uint64_t begin)
{
    struct tls_records *records = engine->records;
    struct record_way *way = sent ? &records->out : &records->in;

    way->begin = begin;
    way->ready = false;
    if (way->made > 0) {
        way->leaves = true;
    } else {
        tls_records_leave(way);
    }
}

void tls_records_hear_header(struct tls_engine *engine, bool sent)
{
    struct record_way *out = &engine->records->out;

    if (sent && out->traffic != NULL && !out->leaves) {
        out->made++;
    }
}

void tls_records_hear_message(struct tls_engine *engine, bool sent, int content_type, int type)
{
    bool is_1_3 = SSL_version(engine->ssl) == TLS1_3_VERSION;
    uint64_t count = sent ? engine->tally.records_out : engine->tally.records_in;

    if ((engine->records == NULL && engine->established) || records_of(engine) == NULL) {
        return;
    }
    if (content_type == SSL3_RT_CHANGE_CIPHER_SPEC) {
        /* In TLS 1.2 what comes after it has the keys of the renegotiation. Where they begin the
         * Finished message will tell. */
        if (sent && engine->records->out.traffic != NULL) {
            hear_new_keys(engine, true, 0);
        }
    } else if (type == SSL3_MT_KEY_UPDATE && is_1_3) {
        secret_renew(engine->records, sent ? &engine->records->out : &engine->records->in);
        hear_new_keys(engine, sent, count);
    } else if (type == SSL3_MT_FINISHED && !(is_1_3 && engine->established)) {
        struct record_way *way = sent ? &engine->records->out : &engine->records->in;

        /* TLS 1.2 sends it as the first record under the new keys, TLS 1.3 as the last under the
         * old ones. */
        way->begin = is_1_3 ? count : count - 1;
        way->has_secret &= is_1_3;
    }
}

/* RFC 5246 6.3. */
static bool key_block_make(const struct tls_engine *engine, uint8_t *out, size_t out_count)
{
    SSL *ssl = engine->ssl;
    const EVP_MD *digest = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl));
    EVP_KDF *kdf = EVP_KDF_fetch(tls_library_context(tls_context_of(ssl)->library),
                                 OSSL_KDF_NAME_TLS1_PRF, NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    uint8_t secret[SSL_MAX_MASTER_KEY_LENGTH];
    uint8_t seed[13 + 2 * SSL3_RANDOM_SIZE] = "key expansion";
    size_t secret_bytes = SSL_SESSION_get_master_key(SSL_get0_session(ssl), secret, sizeof(secret));
    OSSL_PARAM parameters[4];
    bool good;

    SSL_get_server_random(ssl, seed + 13, SSL3_RANDOM_SIZE);
    SSL_get_client_random(ssl, seed + 13 + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE);
    parameters[0] = OSSL_PARAM_construct_utf8_string(
        OSSL_KDF_PARAM_DIGEST, digest != NULL ? (char *)EVP_MD_get0_name(digest) : "", 0);
    parameters[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, secret, secret_bytes);
    parameters[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof(seed));
    parameters[3] = OSSL_PARAM_construct_end();
    good = context != NULL && EVP_KDF_derive(context, out, out_count, parameters) == 1;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    OPENSSL_cleanse(secret, sizeof(secret));
    return good;
}

/* Both directions' at once: it is the same block. */
static bool secrets_of_1_2(const struct tls_engine *engine)
{
    struct tls_records *records = engine->records;
    const struct record_form *form = records->form;
    bool is_server = SSL_is_server(engine->ssl) != 0;
    struct record_way *ways[] = {is_server ? &records->in : &records->out, /* the client's */
                                 is_server ? &records->out : &records->in};
    uint8_t block[KEY_BLOCK_BYTES_MAX] = {0};
    bool good = key_block_make(engine, block, 2 * (form->key_bytes + form->iv_bytes));

    for (size_t i = 0; i < 2; i++) {
        memcpy(ways[i]->secret, block + i * form->key_bytes, form->key_bytes);
        memcpy(ways[i]->secret + form->key_bytes, block + 2 * form->key_bytes + i * form->iv_bytes,
               form->iv_bytes);
        ways[i]->has_secret = good;
    }
    OPENSSL_cleanse(block, sizeof(block));
    return good;
}

static bool key_make(const struct tls_engine *engine, const struct record_way *way,
                     struct record_key *out)
{
    const struct record_form *form = engine->records->form;

    if (form->is_1_3) {
        return way->has_secret && expand(engine->records, way, "key", out->key, form->key_bytes) &&
               expand(engine->records, way, "iv", out->iv, form->iv_bytes);
    }
    if (!way->has_secret && !secrets_of_1_2(engine)) {
        return false;
    }
    memcpy(out->key, way->secret, form->key_bytes);
    memcpy(out->iv, way->secret + form->key_bytes, form->iv_bytes);
    return true;
}

EVP_CIPHER_CTX *tls_records_cipher_new(const struct tls_engine *engine, struct record_way *way,
                                       bool seals)
{
    struct record_traffic *traffic = way->traffic;

    traffic->has_key = traffic->has_key || key_make(engine, way, &traffic->key);
    return traffic->has_key ? record_cipher_new(engine->records->context->library,
                                                engine->records->form, &traffic->key, seals)
                            : NULL;
}

EVP_CIPHER_CTX *tls_records_cipher(const struct tls_engine *engine, struct record_way *way)
{
    if (way->traffic->cipher == NULL) {
        way->traffic->cipher = tls_records_cipher_new(engine, way, way == &engine->records->out);
    }
    return way->traffic->cipher;
}

/* What the peer asked for records shorter than usual (RFC 6066 4) is not covered. */
static const struct record_form *form_of(const SSL *ssl)
{
    const SSL_SESSION *session = SSL_get0_session(ssl);

    if (session == NULL ||
        SSL_SESSION_get_max_fragment_length(session) != TLSEXT_max_fragment_length_DISABLED) {
        return NULL;
    }
    return record_form_find(SSL_version(ssl), SSL_get_current_cipher(ssl));
}

void tls_records_begin(struct tls_engine *engine)
{
    struct tls_records *records = engine->records;

    if (records == NULL) {
        return;
    }
    records->form = form_of(engine->ssl);
    records->context = tls_context_of(engine->ssl);
    records->digest = digest_of(engine->ssl);
    if (records->form == NULL ||
        (records->form->is_1_3 && !(records->in.has_secret && records->out.has_secret))) {
        tls_records_free(records);
        engine->records = NULL;
    }
}

/* A renegotiation may have changed the suite, to one that is not covered, too. */
static bool form_renew(struct tls_engine *engine)
{
    const struct record_form *form = form_of(engine->ssl);

    if (form == NULL) {
        return false;
    }
    if (form != engine->records->form && engine->records->in.traffic == NULL &&
        engine->records->out.traffic == NULL) {
        engine->records->form = form;
    }
    return form == engine->records->form;
}

/* From the record on that comes next. */
static bool traffic_make(const struct tls_engine *engine, struct record_way *way)
{
    uint64_t count =
        way == &engine->records->out ? engine->tally.records_out : engine->tally.records_in;

    way->traffic = calloc(1, sizeof(*way->traffic));
    if (way->traffic == NULL) {
        return false;
    }
    way->traffic->sequence = count - way->begin;
    way->traffic->ssl_sequence = way->traffic->sequence;
    return true;
}

static bool way_take(struct tls_engine *engine, struct record_way *way)
{
    struct tls_records *records = engine->records;

    if (!form_renew(engine)) {
        return false;
    }
    if (!traffic_make(engine, way) || tls_records_cipher(engine, way) == NULL) {
        tls_records_leave(way);
        ERR_clear_error();
        return false;
    }
    if (records->in.traffic != NULL && records->out.traffic != NULL) {
        SSL_free_buffers(engine->ssl);
    }
    return true;
}

bool tls_records_quiet(const struct tls_engine *engine)
{
    return SSL_is_init_finished(engine->ssl) && !SSL_renegotiate_pending(engine->ssl);
}

static bool is_worth_taking(const struct tls_engine *engine, const struct record_way *way,
                            uint64_t count)
{
    return count - way->begin >= engine->records_before_taking;
}

void tls_records_settle_in(struct tls_engine *engine)
{
    struct tls_records *records = engine->records;

    if (records->in.traffic == NULL &&
        !is_worth_taking(engine, &records->in, engine->tally.records_in)) {
        return;
    }
    records->in.ready = tls_records_quiet(engine) && SSL_has_pending(engine->ssl) == 0 &&
                        (SSL_get_shutdown(engine->ssl) & SSL_RECEIVED_SHUTDOWN) == 0 &&
                        (records->in.traffic != NULL || way_take(engine, &records->in));
}

bool tls_records_may_write(struct tls_engine *engine)
{
    struct tls_records *records = engine->records;

    if (!records->out.ready && engine->ssl != NULL) {
        records->out.ready = records->out.traffic != NULL && tls_records_quiet(engine) &&
                             SSL_get_key_update_type(engine->ssl) == SSL_KEY_UPDATE_NONE &&
                             (SSL_get_shutdown(engine->ssl) & SSL_SENT_SHUTDOWN) == 0;
    }
    return records->out.ready;
}

void tls_records_settle_out(struct tls_engine *engine)
{
    struct tls_records *records = engine->records;

    if (records->out.traffic == NULL &&
        is_worth_taking(engine, &records->out, engine->tally.records_out) &&
        tls_records_quiet(engine)) {
        way_take(engine, &records->out);
    }
}

static bool nothing_lies_between(const struct tls_engine *engine)
{
    const struct tls_records *records = engine->records;
    const struct record_traffic *in = records->in.traffic;

    /* Then nothing but data or a whole message came last, so that OpenSSL has counted no warnings
     * and no empty records. The tally counts a record with its header. */
    return engine->input_bytes == 0 && engine->useful_records == engine->tally.records_in &&
           SSL_has_pending(engine->ssl) == 0 && SSL_rstate_string(engine->ssl)[1] == 'H' &&
           (in == NULL || (in->loan == NULL && in->unopened_bytes == 0 && in->gather.count == 0)) &&
           records->out.made == 0;
}

/* TLS 1.2 may renegotiate at any time, clients get tickets, and whoever has a peer's certificate
 * may be asked for it. */
static bool may_retire(const struct tls_engine *engine)
{
    const struct tls_records *records = engine->records;
    SSL *ssl = engine->ssl;

    return ssl != NULL && records != NULL && engine->established && records->form->is_1_3 &&
           SSL_is_server(ssl) && records->in.has_secret && records->out.has_secret &&
           tls_records_quiet(engine) && !tls_engine_renegotiating(engine) &&
           SSL_get_key_update_type(ssl) == SSL_KEY_UPDATE_NONE && SSL_get_shutdown(ssl) == 0 &&
           engine->flood == TLS_FLOOD_NONE && !engine->output_failed &&
           tls_engine_want(engine) == TLS_WANT_NOTHING && nothing_lies_between(engine) &&
           SSL_get0_peer_certificate(ssl) == NULL;
}

bool tls_records_retire(struct tls_engine *engine)
{
    struct tls_records *records = engine->records;

    /* Keys wait for the next record: 45,000 instructions are for those who speak again. */
    if (!may_retire(engine) ||
        (records->in.traffic == NULL && !traffic_make(engine, &records->in)) ||
        (records->out.traffic == NULL && !traffic_make(engine, &records->out))) {
        return false;
    }
    tls_engine_free_ssl(engine);
    records->in.ready = true;
    records->out.ready = true;
    return true;
}
