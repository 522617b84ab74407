/* What a ring refuses; what it does is tested by everything that uses one. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
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

static int tcp_bind(struct sockaddr_in *out)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t bytes = sizeof *out;

    *out = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    cr_assert_eq(bind(listener, (struct sockaddr *)out, bytes), 0);
    cr_assert_eq(listen(listener, 8), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)out, &bytes), 0);
    return listener;
}

/* Sends "last" and closes. Returns how many bytes waited for that. */
static int send_and_close(bool more)
{
    struct sockaddr_in address;
    int listener = tcp_bind(&address);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int server;
    int waiting = -1;
    char bytes[8];

    cr_assert_eq(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    server = accept(listener, NULL, NULL);
    ring_send(&ring, client, "last", 4, more, (struct op){.kind = OP_SEND});
    cr_assert_eq(complete(), 4);
    cr_assert_eq(ioctl(client, SIOCOUTQNSD, &waiting), 0);
    close(client);
    cr_assert_eq(recv(server, bytes, sizeof bytes, MSG_WAITALL), 4);
    cr_assert_arr_eq(bytes, "last", 4);
    cr_assert_eq(recv(server, bytes, sizeof bytes, 0), 0);
    close(server);
    close(listener);
    return waiting;
}

Test(ring, last_bytes_wait_for_the_end_of_the_stream_and_no_others)
{
    int waiting = 0;

    cr_assert_eq(send_and_close(false), 0);
    for (int i = 0; i < 20 && waiting == 0; i++) { /* the kernel waits for 200 ms at most */
        waiting = send_and_close(true);
    }
    cr_assert_eq(waiting, 4);
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
