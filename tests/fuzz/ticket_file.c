/* Ticket key files: raw and base64, 48 and 80 bytes. */
#include "tls/ticket_file.h"
#include "base/error.h"
#include "fuzz.h"
#include "tls/ticket.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct fuzz_input input = {bytes, count};
    struct ticket_key_set set;
    struct error error = {0};

    if (ticket_file_read(fuzz_file(&input), &set, &error) == 0) {
        FUZZ_EXPECT(set.count >= 1 && set.count <= 1 + TICKET_PREVIOUS_MAX);
    } else {
        FUZZ_EXPECT(error.text[0] != '\0');
    }
    return 0;
}
