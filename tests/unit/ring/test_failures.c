/* A ring whose io_uring_enter(2) fails, for a while or for good. */
#include <criterion/criterion.h>
#include <liburing.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "ring/fault.h"

enum { ENTRIES = 4, REQUESTS = 200 };

static struct ring ring;
static uint32_t pauses;

int __wrap_nanosleep(const struct timespec *time, struct timespec *rest);

int __wrap_nanosleep(const struct timespec *time, struct timespec *rest)
{
    (void)time;
    (void)rest;
    pauses++;
    return 0;
}

static void open_failing(uint16_t per_mille)
{
    const struct fault_plan plan = {
        .seed = 1, .per_mille = {[FAULT_ENTER_FAIL] = per_mille}, .entries = ENTRIES};
    struct error error = {0};

    fault_plan(&plan);
    cr_assert_eq(ring_open(&ring, 0, &error), 0, "%s", error.text);
}

Test(failures, of_a_while_lose_no_request)
{
    static uint64_t counts[REQUESTS];
    struct ring_completion completion;
    int event = eventfd(REQUESTS, EFD_CLOEXEC | EFD_SEMAPHORE);
    uint64_t failed;
    int done = 0;

    open_failing(900);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        ring_read(&ring, event, &counts[i], sizeof counts[i], (struct op){.kind = OP_MAIL});
    }
    failed = fault_happened(FAULT_ENTER_FAIL);
    cr_assert_gt(failed, REQUESTS / ENTRIES);
    cr_assert_gt(pauses, failed / 2, "%u", pauses);
    cr_assert_lt(pauses, failed, "the first failure of a row costs no time");
    while (done < REQUESTS) {
        ring_turn(&ring, 0);
        while (ring_next(&ring, &completion)) {
            cr_assert_eq(completion.result, (int32_t)sizeof counts[0]);
            done++;
        }
    }
    close(event);
    ring_close(&ring);
}

Test(failures, without_end_end_the_process_where_a_request_is_made, .signal = SIGABRT)
{
    uint64_t count;

    open_failing(1000);
    for (int i = 0; i < 2 * ENTRIES; i++) {
        ring_read(&ring, 0, &count, sizeof count, (struct op){.kind = OP_MAIL});
    }
}

Test(failures, without_end_end_the_process_where_it_waits, .signal = SIGABRT)
{
    open_failing(1000);
    for (int i = 0; i < 2 * RING_FAILURES_MAX; i++) { /* some are EINTR, which is none */
        ring_turn(&ring, UINT64_MAX);
    }
}

Test(failures, in_a_row_are_counted_from_the_last_success)
{
    open_failing(900);
    for (int i = 0; i < 2 * RING_FAILURES_MAX; i++) {
        ring_turn(&ring, 0);
    }
    cr_assert_gt(fault_happened(FAULT_ENTER_FAIL), RING_FAILURES_MAX);
    ring_close(&ring);
}
