/* Numbers with units, and the words for them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/units.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct fuzz_input input = {bytes, count};
    char *text = fuzz_text(&input);
    char words[UNITS_TEXT_BYTES];
    struct error error = {0};
    uint64_t value = 0;

    if (units_parse_count(text, &value, &error) == 0) {
        FUZZ_EXPECT(strlen(units_format_count((double)value, words)) < UNITS_TEXT_BYTES);
        FUZZ_EXPECT(strlen(units_format_bytes((double)value, words)) < UNITS_TEXT_BYTES);
    } else {
        FUZZ_EXPECT(error.text[0] != '\0');
    }
    error.text[0] = '\0';
    if (units_parse_duration(text, &value, &error) == 0) {
        FUZZ_EXPECT(strlen(units_format_duration((double)value, words)) < UNITS_TEXT_BYTES);
    } else {
        FUZZ_EXPECT(error.text[0] != '\0');
    }
    free(text);
    return 0;
}
