#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

#include <linux/filter.h>

#include "ring/socket.h"

int socket_hold_off(int listener)
{
    enum { FLAGS_OFFSET = 13, FLAG_SYN = 0x02, FLAG_ACK = 0x10 };
    /* A filter of a TCP socket sees each segment from its TCP header on. Accepted sockets inherit
     * it, which does no harm: a SYN is none of theirs. */
    static struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_OFFSET),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, FLAG_SYN | FLAG_ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FLAG_SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    static const struct sock_fprog filter = {.len = sizeof steps / sizeof *steps, .filter = steps};

    return setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0
               ? 0
               : -errno;
}
