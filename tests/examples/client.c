/* A client that sends its standard input to a server, and prints what comes back.
 *     client HOST:PORT CA [CERT KEY] */
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

#include <tlsdyno.h>

/* One at a time: read by the main thread, written by the socket's core. */
static struct {
    sem_t free;
    struct dyno_ref socket;
    char bytes[16384];
    size_t count, sent;
} chunk;

static void push(struct dyno_socket *socket)
{
    chunk.sent += dyno_socket_write(socket, chunk.bytes + chunk.sent, chunk.count - chunk.sent);
    chunk.socket = dyno_socket_ref(socket);
    if (chunk.sent == chunk.count) {
        sem_post(&chunk.free);
    }
}

static void push_or_end(struct dyno_socket *socket, void *unused)
{
    (void)unused;
    if (socket) {
        chunk.count > 0 ? push(socket) : dyno_socket_end(socket);
    }
}

static size_t print(struct dyno_socket *socket, const void *bytes, size_t count)
{
    (void)socket;
    return fwrite(bytes, 1, count, stdout);
}

static void leave(struct dyno_socket *socket, const char *reason)
{
    (void)socket;
    fprintf(stderr, "%s%s", reason ? reason : "", reason ? "\n" : "");
    fflush(stdout);
    _exit(reason != NULL);
}

static void fail(void *user, const struct dyno_failure *failure)
{
    leave(user, failure->reason);
}

int main(int argc, char **argv)
{
    /* `push` with no chunk yet asks for the first one. */
    const struct dyno_events events = {.on_secure = push,
                                       .on_failed = fail,
                                       .on_data = print,
                                       .on_drain = push,
                                       .on_closed = leave};
    struct dyno_config *config = dyno_config_new();
    struct dyno_server *cores = dyno_server_new(NULL, NULL, NULL);
    struct dyno_connect options = {.address = argv[1], .events = &events};
    struct dyno_error error = {.text = "usage: client HOST:PORT CA [CERT KEY]"};

    dyno_config_set_ca_file(config, argc > 2 ? argv[2] : NULL);
    if (argc == 5) {
        dyno_config_add_certificate_file(config, argv[3], argv[4]);
    }
    if (argc < 3 || !(options.context = dyno_context_new(DYNO_CLIENT, config, &error)) ||
        dyno_server_start(cores, &error) < 0 || dyno_connect(cores, &options, &error) < 0) {
        leave(NULL, error.text);
    }
    for (;;) {                 /* leave() ends the program */
        sem_wait(&chunk.free); /* all zeros: taken */
        chunk.count = (size_t)read(STDIN_FILENO, chunk.bytes, sizeof chunk.bytes);
        chunk.sent = 0;
        dyno_post(chunk.socket, push_or_end, NULL);
    }
}
