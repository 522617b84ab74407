/* The direct record layer's way out. */
#include <string.h>

#include <openssl/crypto.h>

#include "tls/internal.h"
#include "tls/records.h"

/* A record of ours to the end of the output queue. False: no memory, or no number. */
static bool put_record(struct tls_engine *engine, uint8_t type, const uint8_t *bytes, size_t count,
                       const uint8_t *inner_type)
{
    size_t type_count = inner_type != NULL ? 1 : 0;
    struct tls_records *records = engine->records;
    struct record_traffic *traffic = records->out.traffic;
    size_t length = count + type_count + record_overhead(records->form);
    uint8_t *record = slab_queue_reserve(engine->output, RECORD_HEADER_BYTES + length);
    struct record_item item = {
        .cipher = tls_records_cipher(engine, &records->out),
        .form = records->form,
        .key = &traffic->key,
        .sequence = traffic->sequence,
        .header = record,
    };

    /* The last number is never used, as with OpenSSL in TLS 1.3; nobody gets that far. */
    engine->output_failed |= record == NULL;
    if (record == NULL || item.cipher == NULL || traffic->sequence == UINT64_MAX) {
        return false;
    }
    record[0] = type;
    record[1] = TLS1_2_VERSION_MAJOR;
    record[2] = TLS1_2_VERSION_MINOR;
    record[3] = (uint8_t)(length >> 8);
    record[4] = (uint8_t)length;
    if (!record_seal(&item, records->explicit_nonce + 1, bytes, count, inner_type, type_count,
                     record + RECORD_HEADER_BYTES)) {
        return false;
    }
    slab_queue_commit(engine->output, record, RECORD_HEADER_BYTES + length);
    records->explicit_nonce++;
    traffic->sequence++;
    return true;
}

bool tls_records_put(struct tls_engine *engine, uint8_t inner_type, const uint8_t *bytes,
                     size_t count)
{
    bool good = put_record(engine, SSL3_RT_APPLICATION_DATA, bytes, count, &inner_type);

    engine->tally.records_out += good;
    return good;
}

enum tls_status tls_records_write(struct tls_engine *engine, const uint8_t *bytes, size_t count,
                                  struct tls_failure_detail *failure)
{
    static const uint8_t data = SSL3_RT_APPLICATION_DATA;
    const uint8_t *inner_type = engine->records->form->is_1_3 ? &data : NULL;

    while (count > 0) { /* a record a turn */
        size_t step = count < engine->fragment_bytes ? count : engine->fragment_bytes;

        if (!put_record(engine, SSL3_RT_APPLICATION_DATA, bytes, step, inner_type)) {
            return tls_engine_fail_saying(failure, "out of memory for output");
        }
        engine->tally.records_out++;
        engine->tally.records_direct++;
        bytes += step;
        count -= step;
    }
    return TLS_OK;
}

/* A record of OpenSSL's, under the number that the peer expects. */
static bool seal_again(struct tls_engine *engine, const uint8_t *record)
{
    struct tls_records *records = engine->records;
    size_t inner_bytes = record_length(record) - record_overhead(records->form);
    uint8_t *inner = OPENSSL_malloc(inner_bytes + 1);
    struct record_item item = {
        .cipher = tls_records_cipher_new(engine, &records->out, false),
        .form = records->form,
        .key = &records->out.traffic->key,
        .sequence = records->out.traffic->ssl_sequence++,
        .header = record,
    };
    bool good = inner != NULL && item.cipher != NULL;

    if (good && record_open(&item, record + RECORD_HEADER_BYTES, inner)) {
        good = put_record(engine, record[0], inner, inner_bytes, NULL);
    } else {
        /* OpenSSL 3.0 answers a CertificateRequest that meets its close_notify with a Finished
         * under the handshake's keys. After a close_notify nobody reads; such a record stays here.
         */
        good = good && (SSL_get_shutdown(engine->ssl) & SSL_SENT_SHUTDOWN) != 0;
    }
    EVP_CIPHER_CTX_free(item.cipher);
    OPENSSL_clear_free(inner, inner_bytes + 1);
    return good;
}

/* With the last record under the old keys written, the direction is OpenSSL's again. */
static void count_written(struct record_way *out)
{
    out->made--;
    if (out->leaves && out->made == 0) {
        tls_records_leave(out);
    }
}

static void note_nonce(struct tls_records *records, const uint8_t *record, size_t count)
{
    if (records->form != NULL && records->form->explicit_bytes > 0 &&
        count >= RECORD_HEADER_BYTES + RECORD_EXPLICIT_BYTES) {
        records->explicit_nonce = record_explicit_nonce(record + RECORD_HEADER_BYTES);
    }
}

bool tls_records_send(struct tls_engine *engine, const void *bytes, size_t count)
{
    struct tls_records *records = engine->records;
    struct record_span span = {bytes, count};

    while (records->out.traffic != NULL && span.count > 0) {
        struct record_gather *gather = &records->out.traffic->gather;
        struct record_span record;
        enum record_gathered gathered = RECORD_MORE;

        if (record_gather_header(gather, &span) != NULL) {
            gathered = record_gather_take(gather, &span, &record);
        }
        if (gathered == RECORD_MORE) {
            return true;
        }
        if (gathered == RECORD_MEMORY || !seal_again(engine, record.bytes)) {
            return false;
        }
        record_gather_empty(gather);
        count_written(&records->out);
    }
    note_nonce(records, span.bytes, span.count);
    return slab_queue_append(engine->output, span.bytes, span.count);
}
