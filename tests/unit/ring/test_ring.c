/* What a ring refuses; what it does is tested by everything that uses one. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "ring/ring.h"

static struct ring ring;

static void set_up(void)
{
    struct error error = {0};

    cr_assert_eq(ring_open(&ring, 0, &error), 0, "%s", error.text);
}

static void tear_down(void)
{
    ring_close(&ring);
}

TestSuite(ring, .init = set_up, .fini = tear_down, .timeout = 20);

/* The result of the one request that was prepared. */
static int32_t complete(void)
{
    struct ring_completion completion;

    cr_assert_eq(ring_turn(&ring, UINT64_MAX), 0);
    cr_assert(ring_next(&ring, &completion));
    return completion.result;
}

Test(ring, an_operation_in_use_is_carried_out)
{
    uint64_t count = 0;
    int event = eventfd(7, EFD_CLOEXEC);

    ring_read(&ring, event, &count, sizeof count, (struct op){.kind = OP_MAIL});
    cr_assert_eq(complete(), (int32_t)sizeof count);
    cr_assert_eq(count, 7);
    close(event);
}

Test(ring, files_are_not_opened)
{
    struct io_uring_sqe *request = io_uring_get_sqe(ring.uring);

    io_uring_prep_openat(request, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
    cr_assert_eq(complete(), -EACCES);
}

Test(ring, flags_that_nobody_uses_are_refused)
{
    struct io_uring_sqe *request = io_uring_get_sqe(ring.uring);
    uint64_t count;
    int event = eventfd(7, EFD_CLOEXEC);

    io_uring_prep_read(request, event, &count, sizeof count, 0);
    request->flags |= IOSQE_ASYNC;
    cr_assert_eq(complete(), -EACCES);
    close(event);
}

Test(ring, restrictions_cannot_be_lifted)
{
    struct io_uring_restriction restriction = {.opcode = IORING_RESTRICTION_SQE_OP,
                                               .sqe_op = IORING_OP_OPENAT};
    int files[] = {0};

    cr_assert_lt(io_uring_register((unsigned)ring.uring->ring_fd, IORING_REGISTER_RESTRICTIONS,
                                   &restriction, 1),
                 0);
    cr_assert_eq(io_uring_register_files(ring.uring, files, 1), -EACCES);
}
