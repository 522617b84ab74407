/* Work for another thread: letters that any thread may post and that the mailbox's owner opens in
 * its next turn. The letters form a lock-free stack (many writers, one reader); an eventfd(2) that
 * the owner's ring reads wakes it. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct error;
struct ring;

/* Embedded in whatever the work needs; belongs to the mailbox from post to open. */
struct letter {
    struct letter *next;
    _Atomic bool posted; /* writers: whoever posts it, and the owner */
    void (*open)(
        struct letter *letter); /* on the owner's thread; may free or post the letter again */
};

struct mailbox {
    _Atomic(struct letter *) letters; /* newest first; writers: any thread, the owner takes all */
    int event;                        /* eventfd */
    uint64_t event_count;             /* where the ring reads it to */
};

int mailbox_open(struct mailbox *mailbox, struct error *error);
/* Letters that were not opened are dropped; nobody may post any more. Harmless when event is -1. */
void mailbox_close(struct mailbox *mailbox);

/* Any thread; the letter must stay until it is opened. Does nothing when it is posted already. */
void mailbox_post(struct mailbox *mailbox, struct letter *letter);

/* The owner: asks its ring for the next wake-up, a completion of kind OP_MAIL. */
void mailbox_arm(struct mailbox *mailbox, struct ring *ring);
/* The owner: opens what has come, oldest first. */
void mailbox_take(struct mailbox *mailbox);
