/* What the small parts of each room cost, one by one:
 *
 *     rooms [rounds] [word]
 *
 * Prints nanoseconds of CPU time an operation, median and quartiles of the rounds (31), for those
 * whose name contains the word. Every round runs each once, so that a slow moment of the machine
 * meets all of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/histogram.h"
#include "base/random.h"
#include "ring/buffers.h"
#include "ring/mailbox.h"
#include "ring/ring.h"
#include "ring/wheel.h"
#include "spread.h"
#include "tls/ticket.h"

enum {
    ROUNDS = 31,
    ROUNDS_MAX = 1000,
    TIMERS = 10000, /* about as many connections */
    MESSAGE_BYTES = 64,
    TICKET_BYTES = 208, /* a TLS 1.3 session without a client's certificate, padded */
};

static struct histogram histogram;
static struct random seed = {.state = 1};
static struct wheel wheel;
static struct wheel_timer timers[TIMERS];
static uint64_t wheel_now_ns;
static struct ring ring;
static struct ring_buffers buffers;
static struct mailbox mailbox;
static int sockets[2];
static struct ticket_ring *tickets;
static struct ticket_reader reader;
static volatile uint64_t sink; /* keeps the compiler from leaving work out */

static void give_up(const char *what)
{
    fprintf(stderr, "rooms: %s\n", what);
    exit(1);
}

static void histogram_records(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        histogram_record(&histogram, random_next(&seed) >> 40); /* up to 16 ms */
    }
}

static void wheel_moves(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        wheel_start(&wheel, &timers[random_below(&seed, TIMERS)],
                    wheel_now_ns + random_below(&seed, 120 * NS_PER_S));
    }
}

/* Time goes on by a tick; what fires is started again, some seconds away. */
static void wheel_ticks(unsigned count)
{
    struct wheel_timer *timer;

    for (unsigned i = 0; i < count; i++) {
        wheel_now_ns += WHEEL_TICK_NS;
        while ((timer = wheel_advance(&wheel, wheel_now_ns)) != NULL) {
            wheel_start(&wheel, timer, wheel_now_ns + random_below(&seed, 120 * NS_PER_S));
        }
        sink += wheel_next_ns(&wheel, wheel_now_ns);
    }
}

static void op_turns(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct op op = op_decode(op_encode(OP_RECV, i, (uint32_t)sink));

        sink += op.slot + op.generation + op.kind;
    }
}

static void letter_open(struct letter *letter)
{
    (void)letter;
    sink++;
}

static void mailbox_letters(unsigned count)
{
    static struct letter letter = {.open = letter_open};

    for (unsigned i = 0; i < count; i++) {
        mailbox_post(&mailbox, &letter);
        mailbox_take(&mailbox);
    }
}

static bool completion_is_message(const struct ring_completion *completion)
{
    return completion->op.kind == OP_RECV && completion->result == MESSAGE_BYTES &&
           completion->more;
}

/* A message through a socket pair: one enter, two completions, a buffer there and back. */
static void ring_turns(unsigned count)
{
    static const uint8_t message[MESSAGE_BYTES];
    struct ring_completion completion;

    for (unsigned i = 0; i < count; i++) {
        unsigned received = 0;

        ring_send(&ring, sockets[0], message, sizeof(message), (struct op){.kind = OP_SEND});
        while (received == 0) {
            if (ring_turn(&ring, UINT64_MAX) != 0) {
                give_up("the ring failed");
            }
            while (ring_next(&ring, &completion)) {
                if (completion_is_message(&completion)) {
                    received++;
                    buffers_take(&buffers, completion.buffer, MESSAGE_BYTES);
                    buffers_give(&buffers, completion.buffer);
                }
            }
        }
    }
}

/* What OpenSSL does around the callback, with contexts of its own. */
static int ticket_pass(unsigned char *name, unsigned char *iv, unsigned char *bytes, int *io_count,
                       bool sealing)
{
    static EVP_MAC *hmac;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    unsigned char out[TICKET_BYTES + EVP_MAX_BLOCK_LENGTH];
    EVP_MAC_CTX *mac;
    int first = 0;
    int last = 0;
    int result;

    if (hmac == NULL) {
        hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    }
    mac = EVP_MAC_CTX_new(hmac);
    result = ticket_callback(&reader, name, iv, cipher, mac, sealing);
    if (result != 1 || !EVP_CipherUpdate(cipher, out, &first, bytes, *io_count) ||
        !EVP_CipherFinal_ex(cipher, out + first, &last)) {
        give_up("a ticket was refused");
    }
    memcpy(bytes, out, (size_t)(first + last));
    *io_count = first + last;
    EVP_MAC_update(mac, bytes, (size_t)*io_count);
    EVP_CIPHER_CTX_free(cipher);
    EVP_MAC_CTX_free(mac);
    return result;
}

static void ticket_turns(unsigned count)
{
    unsigned char name[TICKET_NAME_BYTES];
    unsigned char iv[EVP_MAX_IV_LENGTH];
    unsigned char bytes[TICKET_BYTES + EVP_MAX_BLOCK_LENGTH] = {0};

    for (unsigned i = 0; i < count; i++) {
        int ticket_bytes = TICKET_BYTES;

        ticket_pass(name, iv, bytes, &ticket_bytes, true);
        ticket_pass(name, iv, bytes, &ticket_bytes, false);
    }
}

static const struct {
    const char *name;
    void (*run)(unsigned count);
    unsigned count; /* operations a round: some milliseconds */
} benches[] = {
    {"histogram: record", histogram_records, 500 * 1000},
    {"timer wheel: start or move, 10,000", wheel_moves, 100 * 1000},
    {"timer wheel: a tick of 1 ms, 10,000", wheel_ticks, 20 * 1000},
    {"op: encode and decode", op_turns, 1000 * 1000},
    {"mailbox: post and open, own thread", mailbox_letters, 10 * 1000},
    {"ring: send, recv, buffer, one enter", ring_turns, 2000},
    {"ticket: seal and open", ticket_turns, 1000},
};

enum { BENCHES = sizeof(benches) / sizeof(benches[0]) };

static void set_up(void)
{
    struct error error = {0};

    wheel_init(&wheel, 0);
    wheel_moves(10 * TIMERS);
    if (ring_open(&ring, &error) != 0 || buffers_open(&buffers, &ring, &error) != 0 ||
        mailbox_open(&mailbox, &error) != 0) {
        give_up(error.text);
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
        give_up("no socket pair");
    }
    ring_recv_multishot(&ring, sockets[1], (struct op){.kind = OP_RECV});
    tickets = ticket_ring_new(1, &error);
    if (tickets == NULL) {
        give_up(error.text);
    }
    ticket_reader_init(&reader, tickets);
}

static void tear_down(void)
{
    ticket_reader_deinit(&reader);
    ticket_ring_free(tickets);
    mailbox_close(&mailbox);
    ring_close(&ring);
    buffers_close(&buffers, NULL);
    close(sockets[0]);
    close(sockets[1]);
}

int main(int count, char **arguments)
{
    static double ns[BENCHES][ROUNDS_MAX];
    unsigned long rounds = count > 1 ? strtoul(arguments[1], NULL, 10) : ROUNDS;
    const char *word = count > 2 ? arguments[2] : "";

    if (rounds == 0 || rounds > ROUNDS_MAX) {
        give_up("from 1 to 1000 rounds");
    }
    set_up();
    for (unsigned long round = 0; round < rounds; round++) {
        for (int i = 0; i < BENCHES; i++) {
            uint64_t begin = clock_thread_cpu_ns();

            if (strstr(benches[i].name, word) != NULL) {
                benches[i].run(benches[i].count);
            }
            ns[i][round] = (double)(clock_thread_cpu_ns() - begin) / benches[i].count;
        }
    }
    tear_down();
    printf("nanoseconds an operation           %10s  (quartiles of %lu rounds)\n", "median",
           rounds);
    for (int i = 0; i < BENCHES; i++) {
        if (strstr(benches[i].name, word) != NULL) {
            spread_print(benches[i].name, ns[i], rounds);
        }
    }
    return 0;
}
