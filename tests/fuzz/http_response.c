/* Answers of HTTP servers, cut anywhere. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "load/http_response.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct fuzz_input input = {bytes, count};
    struct http_response response = {0};

    while (input.count > 0) {
        size_t have;
        uint8_t *piece = fuzz_copy(&input, 1 + fuzz_byte(&input), &have);
        size_t at = 0;
        enum http_event event = HTTP_MORE;

        while (at < have && event != HTTP_BAD) {
            size_t used = 0;
            size_t body = 0;

            event = http_response_next(&response, piece + at, have - at, &used, &body);
            FUZZ_EXPECT(used <= have - at && body <= used);
            FUZZ_EXPECT(used > 0 || event == HTTP_BAD || event == HTTP_DONE);
            at += used;
            if (event == HTTP_DONE) {
                if (!response.keep_alive) {
                    event = HTTP_BAD;
                }
                memset(&response, 0, sizeof response);
            }
        }
        free(piece);
        if (event == HTTP_BAD) {
            return 0;
        }
    }
    http_response_end(&response);
    return 0;
}
