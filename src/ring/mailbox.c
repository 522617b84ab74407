#include "ring/mailbox.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "ring/ring.h"

int mailbox_open(struct mailbox *mailbox, struct error *error)
{
    memset(mailbox, 0, sizeof *mailbox);
    mailbox->event = eventfd(0, EFD_CLOEXEC);
    if (mailbox->event < 0) {
        return error_set(error, "cannot make an eventfd: %s%s", strerror(errno),
                         errno == EMFILE ? ": raise `ulimit -n`" : "");
    }
    return 0;
}

void mailbox_close(struct mailbox *mailbox)
{
    if (mailbox->event >= 0) {
        close(mailbox->event);
        mailbox->event = -1;
    }
}

void mailbox_post(struct mailbox *mailbox, struct letter *letter)
{
    static const uint64_t one = 1;
    struct letter *head = atomic_load_explicit(&mailbox->letters, memory_order_relaxed);

    if (atomic_exchange(&letter->posted, true)) {
        return;
    }
    do {
        letter->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&mailbox->letters, &head, letter,
                                                    memory_order_release, memory_order_relaxed));
    /* Only the first of a batch wakes the owner: it takes all that there are. The count cannot
     * overflow, so the write cannot fail. */
    if (!head) {
        (void)!write(mailbox->event, &one, sizeof one);
    }
}

void mailbox_arm(struct mailbox *mailbox, struct ring *ring)
{
    ring_read(ring, mailbox->event, &mailbox->event_count, sizeof mailbox->event_count,
              (struct op){.kind = OP_MAIL});
}

void mailbox_take(struct mailbox *mailbox)
{
    struct letter *newest = atomic_exchange_explicit(&mailbox->letters, NULL, memory_order_acquire);
    struct letter *oldest = NULL;

    while (newest) {
        struct letter *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct letter *letter = oldest;

        oldest = letter->next;
        atomic_store(&letter->posted, false);
        letter->open(letter);
    }
}
