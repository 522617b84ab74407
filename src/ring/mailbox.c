#include "ring/mailbox.h"

#include <errno.h>
#include <liburing.h>

#include "ring/ring.h"

int mailbox_send(int ring_descriptor, uint32_t kind)
{
    struct io_uring uring;
    struct ring ring = {.uring = &uring};
    struct ring_completion completion = {.result = -EIO};
    int result = io_uring_queue_init(2, &uring, 0);

    if (result < 0) {
        return result;
    }
    mailbox_send_from(&ring, ring_descriptor, kind);
    result = ring_turn(&ring, UINT64_MAX);
    if (result == 0 && ring_next(&ring, &completion)) {
        result = completion.result;
    }
    io_uring_queue_exit(&uring);
    return result < 0 ? result : 0;
}

void mailbox_send_from(struct ring *ring, int ring_descriptor, uint32_t kind)
{
    ring_message(ring, ring_descriptor, (struct op){.kind = OP_MAIL, .slot = kind},
                 (struct op){.kind = OP_IGNORE});
}
