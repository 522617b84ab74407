#include "tls/record_gather.h"

#include <stdlib.h>
#include <string.h>

static void gather_fill(struct record_gather *gather, uint8_t *to, size_t total,
                        struct record_span *span)
{
    size_t count = total - gather->count;

    count = count < span->count ? count : span->count;
    if (count > 0) {
        memcpy(to + gather->count, span->bytes, count);
        record_span_take(span, count);
        gather->count += count;
    }
}

const uint8_t *record_gather_header(struct record_gather *gather, struct record_span *span)
{
    if (gather->count == 0 && span->count >= RECORD_HEADER_BYTES) {
        return span->bytes;
    }
    if (gather->count < RECORD_HEADER_BYTES) {
        gather_fill(gather, gather->header, RECORD_HEADER_BYTES, span);
    }
    return gather->count < RECORD_HEADER_BYTES ? NULL : gather->header;
}

enum record_gathered record_gather_take(struct record_gather *gather, struct record_span *span,
                                        struct record_span *out_record)
{
    const uint8_t *header = gather->count == 0 ? span->bytes : gather->header;
    size_t total = RECORD_HEADER_BYTES + record_length(header);

    if (gather->count == 0 && span->count >= total) {
        *out_record = record_span_take(span, total);
        return RECORD_WHOLE;
    }
    if (gather->record == NULL) {
        gather->record = malloc(total);
        if (gather->record == NULL) {
            return RECORD_MEMORY;
        }
        gather_fill(gather, gather->header, RECORD_HEADER_BYTES, span);
        memcpy(gather->record, gather->header, RECORD_HEADER_BYTES);
    }
    gather_fill(gather, gather->record, total, span);
    *out_record = (struct record_span){gather->record, gather->count};
    return gather->count < total ? RECORD_MORE : RECORD_WHOLE;
}

void record_gather_empty(struct record_gather *gather)
{
    free(gather->record);
    gather->record = NULL;
    gather->count = 0;
}
