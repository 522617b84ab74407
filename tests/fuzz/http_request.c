/* The HTTP service, and rr when the first byte says so: requests in records of any size, to a peer
 * that reads or does not, on a connection without a data path. */
#include <stdlib.h>

#include "../unit/service/fake_conn.h"
#include "fuzz.h"

enum { SENT_BYTES_MAX = 4 * 1024 * 1024 };

static void feed(struct fake_conn *fake, struct fuzz_input *input)
{
    while (input->count > 0 && fake->conn.state == CONN_OPEN) {
        size_t want = 1 + fuzz_byte(input);
        size_t have;
        uint8_t *record = fuzz_copy(input, want, &have);

        for (size_t at = 0; at < have && fake->conn.state == CONN_OPEN;) {
            at += fake_conn_offer(fake, record + at, have - at);
            if (fake->sent_count > SENT_BYTES_MAX) { /* an answer may have a tebibyte */
                free(record);
                return;
            }
            fake_conn_drain(fake);
        }
        free(record);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct fuzz_input input = {bytes, count};
    uint8_t choice = fuzz_byte(&input);
    struct fake_conn *fake = fake_conn_new(choice & 1 ? &rr_service : &http_service);

    feed(fake, &input);
    if (fake->conn.state == CONN_OPEN && (choice & 2)) {
        fake_conn_server_drains(fake);
    }
    if (fake->conn.state == CONN_OPEN) {
        fake_conn_end(fake);
    }
    fake_conn_free(fake);
    return 0;
}
