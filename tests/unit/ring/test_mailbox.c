#include <criterion/criterion.h>

#include "ring/mailbox.h"
#include "ring/ring.h"

enum { LETTERS = 3 };

static struct mailbox mailbox;
static struct letter letters[LETTERS];
static int opened[LETTERS];
static int opened_count;

static void open_letter(struct letter *letter)
{
    opened[opened_count++ % LETTERS] = (int)(letter - letters);
}

static void set_up(void)
{
    cr_assert_eq(mailbox_open(&mailbox, NULL), 0);
    for (int i = 0; i < LETTERS; i++) {
        letters[i].open = open_letter;
    }
}

static void tear_down(void)
{
    mailbox_close(&mailbox);
}

TestSuite(mailbox, .init = set_up, .fini = tear_down);

Test(mailbox, opens_letters_in_the_order_they_were_posted)
{
    for (int i = LETTERS - 1; i >= 0; i--) {
        mailbox_post(&mailbox, &letters[i]);
    }
    mailbox_take(&mailbox);
    cr_assert_eq(opened_count, LETTERS);
    for (int i = 0; i < LETTERS; i++) {
        cr_assert_eq(opened[i], LETTERS - 1 - i);
    }
}

Test(mailbox, a_letter_that_waits_is_not_posted_twice)
{
    mailbox_post(&mailbox, &letters[0]);
    mailbox_post(&mailbox, &letters[1]);
    mailbox_post(&mailbox, &letters[0]);
    mailbox_take(&mailbox);
    cr_assert_eq(opened_count, 2);
    mailbox_post(&mailbox, &letters[0]);
    mailbox_take(&mailbox);
    cr_assert_eq(opened_count, 3, "once opened it may be posted again");
}

Test(mailbox, an_empty_one_opens_nothing)
{
    mailbox_take(&mailbox);
    cr_assert_eq(opened_count, 0);
}

Test(mailbox, wakes_the_ring_of_its_owner)
{
    struct ring ring;
    struct ring_completion completion;

    cr_assert_eq(ring_open(&ring, 0, NULL), 0);
    mailbox_arm(&mailbox, &ring);
    cr_assert_eq(ring_turn(&ring, 0), 0);
    cr_assert_not(ring_next(&ring, &completion), "nothing was posted yet");
    mailbox_post(&mailbox, &letters[0]);
    cr_assert_eq(ring_turn(&ring, UINT64_MAX), 0);
    cr_assert(ring_next(&ring, &completion));
    cr_assert_eq(completion.op.kind, OP_MAIL);
    mailbox_take(&mailbox);
    cr_assert_eq(opened_count, 1);
    ring_close(&ring);
}
