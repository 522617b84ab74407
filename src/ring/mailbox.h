/* Messages between threads: a word dropped into another thread's ring (IORING_OP_MSG_RING), which
 * comes out there as a completion of kind OP_MAIL whose slot is the word. */
#pragma once

#include <stdint.h>

struct ring;

/* From a thread without a ring of its own: opens a small one for the call, so not for the data
 * path. Returns 0 or -errno. */
int mailbox_send(int ring_descriptor, uint32_t kind);

/* From a ring's own thread to another's: sent by its next turn. */
void mailbox_send_from(struct ring *ring, int ring_descriptor, uint32_t kind);
