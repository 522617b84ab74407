/* The direct record layer's way in. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "tls/internal.h"
#include "tls/records.h"

enum {
    /* With its type, without padding: what a record has at most that is opened in place. */
    INNER_BYTES_MAX = TLS_READ_BYTES,
    /* What OpenSSL refuses by the header alone must come to it as a header alone. */
    FRAGMENT_BYTES_MAX_1_3 = TLS_PLAINTEXT_BYTES_MAX + 256, /* RFC 8446 5.2 */
    FRAGMENT_BYTES_MAX_1_2 = SSL3_RT_MAX_ENCRYPTED_LENGTH,
};

enum next {
    NEXT_DATA,   /* opened */
    NEXT_LENT,   /* OpenSSL's */
    NEXT_MORE,   /* not whole yet; all that was fed has been taken */
    NEXT_FAILED, /* out of memory, or of sequence numbers */
};

/* Whether such a record can be authentic. What cannot goes to OpenSSL as it comes, and that refuses
 * it as it always does. */
static bool is_plausible(const struct record_form *form, const uint8_t *header)
{
    size_t length = record_length(header);

    if (header[1] != TLS1_2_VERSION_MAJOR || header[2] != TLS1_2_VERSION_MINOR) {
        return false;
    }
    return form->is_1_3 ? header[0] == SSL3_RT_APPLICATION_DATA && length > record_overhead(form) &&
                              length <= FRAGMENT_BYTES_MAX_1_3
                        : length >= record_overhead(form) && length <= FRAGMENT_BYTES_MAX_1_2;
}

uint8_t *tls_records_lend_new(struct record_traffic *traffic, size_t bytes)
{
    struct record_loan *loan = malloc(sizeof(*loan) + bytes);

    if (loan == NULL) {
        return NULL;
    }
    *loan = (struct record_loan){.bytes = bytes};
    traffic->loan = loan;
    return loan->data;
}

static enum next lend_unopened(struct tls_engine *engine)
{
    struct record_traffic *traffic = engine->records->in.traffic;
    struct record_gather *gather = &traffic->gather;
    const uint8_t *header = gather->count > 0 ? gather->header : engine->input;

    traffic->unopened_bytes = RECORD_HEADER_BYTES + record_length(header) - gather->count;
    if (gather->count > 0) {
        uint8_t *lent = tls_records_lend_new(traffic, RECORD_HEADER_BYTES);

        if (lent == NULL) {
            return NEXT_FAILED;
        }
        memcpy(lent, gather->header, RECORD_HEADER_BYTES);
        record_gather_empty(gather);
    }
    return NEXT_LENT;
}

/* A record that is not authentic must not be so for OpenSSL either. As it came it might be: one
 * that was good before has the number that OpenSSL expects now. */
static enum next lend_broken(struct tls_engine *engine, const uint8_t *header)
{
    size_t bytes = RECORD_HEADER_BYTES + record_length(header);
    uint8_t *lent;

    if (engine->ssl == NULL) {
        tls_retired_take_broken(engine);
        return NEXT_LENT;
    }
    lent = tls_records_lend_new(engine->records->in.traffic, bytes);
    if (lent == NULL) {
        return NEXT_FAILED;
    }
    memcpy(lent, header, RECORD_HEADER_BYTES);
    memset(lent + RECORD_HEADER_BYTES, 0, bytes - RECORD_HEADER_BYTES);
    return NEXT_LENT;
}

/* The record's own content, under the number that OpenSSL expects. */
static enum next lend_sealed(struct tls_engine *engine, const uint8_t *header, const uint8_t *inner,
                             size_t inner_bytes)
{
    const struct record_form *form = engine->records->form;
    struct record_way *way = &engine->records->in;
    struct record_item item = {
        .cipher = tls_records_cipher_new(engine, way, true),
        .form = form,
        .key = &way->traffic->key,
        .sequence = way->traffic->ssl_sequence++,
        .header = header,
    };
    uint8_t *lent = tls_records_lend_new(way->traffic, RECORD_HEADER_BYTES + record_length(header));
    bool good = item.cipher != NULL && lent != NULL;

    if (good) {
        memcpy(lent, header, RECORD_HEADER_BYTES);
        /* It stays in this process, so that a nonce means nothing. */
        good = record_seal(&item, item.sequence, inner, inner_bytes, NULL, 0,
                           lent + RECORD_HEADER_BYTES);
    }
    EVP_CIPHER_CTX_free(item.cipher);
    way->leaves = !form->is_1_3 && header[0] == SSL3_RT_CHANGE_CIPHER_SPEC;
    return good ? NEXT_LENT : NEXT_FAILED;
}

/* Bytes of data in what was opened; 0: it is of another type, or empty. */
static size_t data_bytes(const struct record_form *form, const uint8_t *inner, size_t count)
{
    if (form->is_1_3) {
        while (count > 0 && inner[count - 1] == 0) {
            count--;
        }
        return count > 0 && inner[count - 1] == SSL3_RT_APPLICATION_DATA ? count - 1 : 0;
    }
    return count;
}

static enum next open_record(struct tls_engine *engine, const uint8_t *record, uint8_t *out,
                             size_t out_max, size_t *out_count)
{
    struct tls_records *records = engine->records;
    struct record_traffic *traffic = records->in.traffic;
    size_t inner_bytes = record_length(record) - record_overhead(records->form);
    bool fits = inner_bytes <= out_max;
    uint8_t *inner = fits ? out : OPENSSL_malloc(inner_bytes);
    struct record_item item = {
        .cipher = tls_records_cipher(engine, &records->in),
        .form = records->form,
        .key = &traffic->key,
        .sequence = traffic->sequence,
        .header = record,
    };
    enum next next = NEXT_FAILED;

    if (inner != NULL && item.cipher != NULL && traffic->sequence < UINT64_MAX) {
        if (!record_open(&item, record + RECORD_HEADER_BYTES, inner)) {
            next = lend_broken(engine, record);
        } else {
            size_t count = data_bytes(records->form, inner, inner_bytes);

            traffic->sequence++;
            if (records->in.ready && fits && count > 0 && inner_bytes <= INNER_BYTES_MAX &&
                count <= TLS_PLAINTEXT_BYTES_MAX && record[0] == SSL3_RT_APPLICATION_DATA) {
                engine->useful_records = ++engine->tally.records_in;
                engine->tally.records_direct++;
                *out_count = count;
                return NEXT_DATA;
            }
            if (engine->ssl != NULL) {
                next = lend_sealed(engine, record, inner, inner_bytes);
            } else if (tls_retired_take(engine, inner, inner_bytes)) {
                next = NEXT_LENT;
            }
        }
    }
    if (!fits) {
        OPENSSL_clear_free(inner, inner_bytes);
    }
    return next;
}

static enum next next_record(struct tls_engine *engine, uint8_t *out, size_t out_max,
                             size_t *out_count)
{
    struct record_gather *gather = &engine->records->in.traffic->gather;
    struct record_span input = {engine->input, engine->input_bytes};
    struct record_span record;
    const uint8_t *header = record_gather_header(gather, &input);
    enum record_gathered gathered = RECORD_MORE;
    enum next next = NEXT_MORE;
    bool may_open = false;

    if (header != NULL) {
        tls_engine_feed(engine, input.bytes, input.count);
        may_open = is_plausible(engine->records->form, header);
        if (!may_open && engine->ssl != NULL) {
            return lend_unopened(engine);
        }
        if (!may_open && tls_retired_condemns(engine, header)) {
            record_span_take(&input, header == input.bytes ? RECORD_HEADER_BYTES : 0);
            tls_engine_feed(engine, input.bytes, input.count);
            return NEXT_LENT;
        }
        gathered = record_gather_take(gather, &input, &record);
    }
    tls_engine_feed(engine, input.bytes, input.count);
    if (gathered == RECORD_MEMORY) {
        return NEXT_FAILED;
    }
    if (gathered == RECORD_WHOLE) {
        next = may_open ? open_record(engine, record.bytes, out, out_max, out_count)
                        : lend_broken(engine, record.bytes);
        record_gather_empty(gather);
    }
    return next;
}

/* Nothing for OpenSSL, or its stand-in, to go on with: the next record is to be looked at. */
static bool openssl_waits(const struct tls_engine *engine)
{
    const struct record_way *way = &engine->records->in;

    if (engine->ssl == NULL) {
        return tls_retired_waits(engine);
    }
    return way->ready || (way->traffic->loan == NULL && way->traffic->unopened_bytes == 0 &&
                          SSL_pending(engine->ssl) == 0 &&
                          (SSL_get_shutdown(engine->ssl) & SSL_RECEIVED_SHUTDOWN) == 0);
}

enum tls_status tls_records_read(struct tls_engine *engine, uint8_t *out, size_t out_max,
                                 size_t *out_count, struct tls_failure_detail *failure)
{
    enum tls_status status = TLS_AGAIN;

    *out_count = 0;
    while (engine->records->in.traffic != NULL && status == TLS_AGAIN) {
        enum next next =
            openssl_waits(engine) ? next_record(engine, out, out_max, out_count) : NEXT_LENT;

        switch (next) {
        case NEXT_DATA:
            return TLS_OK;
        case NEXT_MORE:
            return TLS_AGAIN;
        case NEXT_FAILED:
            return tls_engine_fail_saying(failure, "out of memory for a record");
        case NEXT_LENT:
            status = engine->ssl != NULL
                         ? tls_engine_read_openssl(engine, out, out_max, out_count, failure)
                         : tls_retired_read(engine, out, out_max, out_count, failure);
            break;
        }
        if (status == TLS_AGAIN && engine->input_bytes == 0) {
            return TLS_AGAIN;
        }
    }
    /* After new keys the direction is OpenSSL's again. */
    return status != TLS_AGAIN ? status
                               : tls_engine_read_openssl(engine, out, out_max, out_count, failure);
}

size_t tls_records_lend(struct tls_engine *engine, void *out, size_t out_max)
{
    struct record_way *way = &engine->records->in;
    struct record_traffic *traffic = way->traffic;
    struct record_loan *loan = traffic->loan;
    size_t count;

    if (loan == NULL) {
        count = traffic->unopened_bytes < out_max ? traffic->unopened_bytes : out_max;
        count = tls_engine_take_input(engine, out, count);
        traffic->unopened_bytes -= count;
        return count;
    }
    count = loan->bytes - loan->offset;
    count = count < out_max ? count : out_max;
    memcpy(out, loan->data + loan->offset, count);
    loan->offset += count;
    if (loan->offset == loan->bytes) {
        traffic->loan = NULL;
        free(loan);
        if (way->leaves) {
            tls_records_leave(way);
        }
    }
    return count;
}
