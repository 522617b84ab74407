#include "base/payload.h"

#include <string.h>

#include "base/random.h"

/* Part of the protocol between our two ends: changing it breaks verification across versions. */
static const uint64_t PAYLOAD_SEED = 0x746c7364796e6f31;

void payload_init(struct payload *payload)
{
    struct random random = {.state = PAYLOAD_SEED};

    random_fill(&random, payload->bytes, PAYLOAD_PERIOD);
    memcpy(payload->bytes + PAYLOAD_PERIOD, payload->bytes, PAYLOAD_SPAN_MAX);
}

bool payload_matches(const struct payload *payload, uint64_t offset, const uint8_t *bytes,
                     size_t count)
{
    while (count > 0) {
        size_t step = count < PAYLOAD_SPAN_MAX ? count : PAYLOAD_SPAN_MAX;

        if (memcmp(payload_at(payload, offset), bytes, step) != 0) {
            return false;
        }
        offset += step;
        bytes += step;
        count -= step;
    }
    return true;
}
