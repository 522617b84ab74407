/* The headers that decide who may read the admin endpoint: Host, Origin and Sec-Fetch-Site, divided
 * by zero bytes. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "server/visitor.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct fuzz_input input = {bytes, count};
    uint8_t choice = fuzz_byte(&input);
    char *texts[3];

    for (int i = 0; i < 3; i++) {
        texts[i] = fuzz_text(&input);
    }
    struct visitor visitor = {
        .host = choice & 1 ? texts[0] : NULL,
        .origin = choice & 2 ? texts[1] : NULL,
        .fetch_site = choice & 4 ? texts[2] : NULL,
        .is_from_afar = (choice & 8) != 0,
    };
    const char *refusal = visitor_refusal(&visitor);

    FUZZ_EXPECT(refusal || !visitor.origin);
    FUZZ_EXPECT(!refusal || strchr(refusal, '\n'));
    for (int i = 0; i < 3; i++) {
        free(texts[i]);
    }
    return 0;
}
