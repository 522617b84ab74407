#include "forge_record.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tls/records.h"

enum { RECORD_BYTES_MAX = 70000 };

/* The inner plaintext; returns its size. */
static size_t inner_make(const struct record_form *form, const struct forgery *forgery,
                         uint8_t *out)
{
    size_t count = forgery->count;

    if (count > 0) {
        memcpy(out, forgery->bytes, count);
    }
    if (form->is_1_3) {
        if (forgery->inner_type != 0) {
            out[count++] = forgery->inner_type;
        }
        memset(out + count, 0, forgery->padding);
        count += forgery->padding;
    }
    return count;
}

void forge_record(struct pair *pair, const struct forgery *forgery)
{
    struct tls_records *records = pair->client.engine.records;
    struct record_traffic *traffic = records->out.traffic;
    uint8_t *inner = malloc(RECORD_BYTES_MAX);
    uint8_t *record = malloc(RECORD_BYTES_MAX);
    size_t count = inner_make(records->form, forgery, inner);
    size_t length =
        forgery->change == FORGERY_UNSEALED ? count : count + record_overhead(records->form);
    struct record_item item = {
        .cipher = traffic->cipher,
        .form = records->form,
        .key = &traffic->key,
        .sequence = traffic->sequence,
        .header = record,
    };

    record[0] = forgery->outer_type != 0 ? forgery->outer_type : SSL3_RT_APPLICATION_DATA;
    record[1] = 3;
    record[2] = forgery->version != 0 ? forgery->version : 3;
    record[3] = (uint8_t)(length >> 8);
    record[4] = (uint8_t)length;
    item.sequence += forgery->change == FORGERY_SKIPPED;
    if (forgery->change == FORGERY_OLD) {
        item.sequence = records->form->is_1_3 ? 0 : 1;
    }
    if (forgery->change == FORGERY_UNSEALED) {
        memcpy(record + RECORD_HEADER_BYTES, inner, count);
    } else {
        cr_assert(record_seal(&item, ++records->explicit_nonce, inner, count, NULL, 0,
                              record + RECORD_HEADER_BYTES));
        traffic->sequence++;
    }
    record[RECORD_HEADER_BYTES + length - 1] ^= forgery->change == FORGERY_FLIPPED;
    pair_inject(&pair->server, record, RECORD_HEADER_BYTES + length);
    free(record);
    free(inner);
}
