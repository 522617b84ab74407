/* Every allocation fails once, ours and OpenSSL's: first of what a server and a client set up, then
 * of a connection from connect to close. What cannot be had for want of memory is refused, or ends
 * its connection alone, and nothing is lost.
 *
 *     sim_allocations [--stride N] [--only N]
 *
 * Each N-th allocation only; this one only. */
#include <openssl/crypto.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/payload.h"
#include "conn/reactor.h"
#include "tls/certificate.h"
#include "tls/pem.h"

static uint64_t call;    /* allocations made since the last begin() */
static uint64_t fail_at; /* which of them fails; 0: none */
static int64_t live;     /* made and not given back */
static const char *phase = "";
static const char *failed_place; /* in OpenSSL's source, or "ours" */
static int failed_line;

static _Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static _Noreturn void fail(const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s, allocation %llu (%s:%d): ", phase, (unsigned long long)fail_at,
            failed_place ? failed_place : "none", failed_line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    _exit(1);
}

#define CHECK(condition, ...) ((condition) ? (void)0 : fail(__VA_ARGS__))

static void on_signal(int number)
{
    fail("%s", number == SIGALRM ? "stuck" : strsignal(number));
}

/* ---- the allocators ---- */

static bool refuses(const char *place, int line)
{
    if (++call != fail_at) {
        return false;
    }
    failed_place = place;
    failed_line = line;
    return true;
}

static void *counted(void *memory)
{
    live += memory != NULL;
    return memory;
}

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
int __real_posix_memalign(void **out, size_t alignment, size_t bytes);
char *__real_strdup(const char *text);
void __real_free(void *memory);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
int __wrap_posix_memalign(void **out, size_t alignment, size_t bytes);
char *__wrap_strdup(const char *text);
void __wrap_free(void *memory);

void *__wrap_malloc(size_t bytes)
{
    return refuses("ours", 0) ? NULL : counted(__real_malloc(bytes));
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return refuses("ours", 0) ? NULL : counted(__real_calloc(count, bytes));
}

void *__wrap_realloc(void *memory, size_t bytes)
{
    if (refuses("ours", 0)) {
        return NULL;
    }
    return memory ? __real_realloc(memory, bytes) : counted(__real_realloc(NULL, bytes));
}

int __wrap_posix_memalign(void **out, size_t alignment, size_t bytes)
{
    int result = refuses("ours", 0) ? 12 : __real_posix_memalign(out, alignment, bytes);

    live += result == 0;
    return result;
}

char *__wrap_strdup(const char *text)
{
    return refuses("ours", 0) ? NULL : counted(__real_strdup(text));
}

void __wrap_free(void *memory)
{
    live -= memory != NULL;
    __real_free(memory);
}

static void *openssl_malloc(size_t bytes, const char *file, int line)
{
    return refuses(file, line) ? NULL : counted(__real_malloc(bytes));
}

static void *openssl_realloc(void *memory, size_t bytes, const char *file, int line)
{
    if (refuses(file, line)) {
        return NULL;
    }
    return memory ? __real_realloc(memory, bytes) : counted(__real_realloc(NULL, bytes));
}

static void openssl_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    __wrap_free(memory);
}

/* ---- what is set up ---- */

static struct certificate *certificate;
static struct payload payload;
static enum tls_version version_max;

struct stage {
    struct tls_context *server, *client;
    struct reactor reactor;
    struct counters counters;
    int listener;
    struct socket_address address;
    bool has_reactor;
};

static struct stage stage;

static void stage_close(void)
{
    if (stage.has_reactor) {
        reactor_deinit(&stage.reactor);
    }
    tls_context_free(stage.server);
    tls_context_free(stage.client);
    if (stage.listener > 0) {
        close(stage.listener);
    }
    memset(&stage, 0, sizeof stage);
}

/* False and a sentence when there is no memory for it. */
static bool stage_open(struct error *error)
{
    static const struct reactor_options options = {.connections_max = 8};
    static const struct reactor_events events;
    struct tls_config server = {.certificate_count = 1, .version_max = version_max};
    const struct tls_config client = {
        .insecure = true, .no_verification = true, .version_max = version_max};

    server.certificates[0].certificate_pem = certificate_chain_pem(certificate);
    server.certificates[0].key_pem = certificate_key_pem(certificate);
    if (!(stage.server = tls_context_new(TLS_SERVER, &server, NULL, error)) ||
        !(stage.client = tls_context_new(TLS_CLIENT, &client, NULL, error)) ||
        socket_parse("127.0.0.1:0", &stage.address, error) != 0 ||
        (stage.listener = socket_listen(&stage.address, false, 16, &stage.address, error)) < 0 ||
        reactor_init(&stage.reactor, &options, &events, NULL, &stage.counters, error) != 0) {
        return false;
    }
    stage.has_reactor = true;
    return true;
}

static bool try_stage(void)
{
    struct error error = {0};
    bool opened = stage_open(&error);

    CHECK(opened || error.text[0], "refused without a word");
    stage_close();
    return opened;
}

static bool try_certificates(void)
{
    const struct pem_source source = {.memory = certificate_chain_pem(certificate),
                                      .what = "certificate"};
    struct error error = {0};
    STACK_OF(X509) *stack = pem_certificates(&source, &error);

    CHECK(stack || error.text[0], "refused without a word");
    sk_X509_pop_free(stack, X509_free);
    return stack != NULL;
}

/* ---- the connection ---- */

enum { MESSAGE_BYTES = 40 * 1000 };

static uint64_t received;
static unsigned open_count;

static void count_start(struct conn *conn)
{
    (void)conn;
    open_count++;
}

static void count_end(struct conn *conn)
{
    open_count--;
    if (conn->is_client) {
        reactor_leave_when_empty(&stage.reactor);
    }
}

static void send_message(struct conn *conn)
{
    for (uint64_t sent = 0; sent < MESSAGE_BYTES; sent += 10000) {
        conn_write(conn, payload_at(&payload, sent), 10000);
    }
}

static size_t check_message(struct conn *conn, const uint8_t *bytes, size_t count)
{
    CHECK(payload_matches(&payload, received, bytes, count), "bytes differ");
    received += count;
    if (received == MESSAGE_BYTES) {
        conn_close(conn);
    }
    return count;
}

static size_t echo(struct conn *conn, const uint8_t *bytes, size_t count)
{
    conn_write(conn, bytes, count);
    return count;
}

static const struct service client_service = {.name = "client",
                                              .on_start = count_start,
                                              .on_open = send_message,
                                              .on_data = check_message,
                                              .on_closed = count_end};
static const struct service server_service = {
    .name = "server", .on_start = count_start, .on_data = echo, .on_closed = count_end};

/* Returns whether all bytes came back. */
static bool converse(void)
{
    const struct reactor_connect_options options = {.context = stage.client,
                                                    .service = &client_service};

    received = 0;
    if (stage.reactor.listener_count == 0) {
        reactor_listen(
            &stage.reactor, stage.listener,
            &(struct reactor_listen_options){.context = stage.server, .service = &server_service});
    }
    if (reactor_connect(&stage.reactor, &stage.address, &options)) {
        stage.reactor.leaving = false;
        reactor_run(&stage.reactor);
    }
    CHECK(open_count == 0, "%u connections never heard of their end", open_count);
    CHECK(counters_get(&stage.counters, COUNTER_CONNECTIONS_OPEN) == 0, "connections_open");
    CHECK(counters_get(&stage.counters, COUNTER_HANDSHAKES_IN_PROGRESS) == 0,
          "handshakes_in_progress");
    CHECK(stage.reactor.buffers.held_count == 0, "a receive buffer was lost");
    CHECK(stage.reactor.slabs.out_count == 0, "a slab was lost");
    return received == MESSAGE_BYTES;
}

/* ---- the sweep ---- */

static void begin(uint64_t at)
{
    OPENSSL_thread_stop(); /* what OpenSSL remembers of its errors is no leak */
    call = 0;
    fail_at = at;
    failed_place = NULL;
    alarm(60);
}

static bool try_converse(void)
{
    return converse();
}

static void sweep(const char *name, bool (*attempt)(void), uint64_t stride, uint64_t only)
{
    uint64_t count;
    uint64_t survived = 0;
    uint64_t leaks = 0;
    uint64_t tries = 0;

    phase = name;
    for (int i = 0; i < 3; i++) { /* what is made once and kept is made */
        begin(0);
        CHECK(attempt(), "does not work with enough memory either");
    }
    count = call;
    for (uint64_t at = only ? only : 1; at <= (only ? only : count); at += stride) {
        int64_t before;

        tries++;
        begin(at);
        before = live;
        survived += attempt();
        OPENSSL_thread_stop();
        if (live > before) {
            leaks++;
            fprintf(stderr, "%s: allocation %llu (%s:%d) leaks %lld\n", name,
                    (unsigned long long)at, failed_place ? failed_place : "none", failed_line,
                    (long long)(live - before));
        }
    }
    begin(0);
    CHECK(attempt(), "does not work after all the failures");
    printf("%s: %llu allocations, %llu of them failed, %llu did not matter, %llu leaks\n", name,
           (unsigned long long)count, (unsigned long long)tries, (unsigned long long)survived,
           (unsigned long long)leaks);
    fflush(stdout);
    CHECK(leaks == 0, "%llu of the failures leaked", (unsigned long long)leaks);
}

static void sweep_version(enum tls_version version, const char *set_up, const char *connection,
                          uint64_t stride, uint64_t only)
{
    struct error error = {0};

    version_max = version;
    if (set_up) {
        sweep(set_up, try_stage, stride, only);
    }
    begin(0);
    CHECK(stage_open(&error), "%s", error.text);
    sweep(connection, try_converse, stride, only);
    stage_close();
}

int main(int argument_count, char **arguments)
{
    uint64_t stride = 1;
    uint64_t only = 0;
    struct error error = {0};

    CHECK(CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free),
          "OpenSSL has allocated already");
    for (int i = 1; i + 1 < argument_count; i += 2) {
        if (strcmp(arguments[i], "--stride") == 0) {
            stride = strtoull(arguments[i + 1], NULL, 10);
        } else if (strcmp(arguments[i], "--only") == 0) {
            only = strtoull(arguments[i + 1], NULL, 10);
        }
    }
    signal(SIGABRT, on_signal);
    signal(SIGALRM, on_signal);
    signal(SIGSEGV, on_signal);
    payload_init(&payload);
    certificate = certificate_new(&(struct certificate_options){0}, NULL, &error);
    CHECK(certificate, "%s", error.text);
    sweep("certificates", try_certificates, 1, only);
    sweep_version(TLS_VERSION_1_3, "set-up", "TLS 1.3", stride, only);
    sweep_version(TLS_VERSION_1_2, NULL, "TLS 1.2", stride, only);
    certificate_free(certificate);
    return 0;
}
