/* A program of libtlsdyno whose configuration is words, for tests with other people's clients and
 * servers. It prints what it hears, a line each.
 *     program serve ADDRESS WORD=VALUE...    until its input ends; see order() for its lines
 *     program connect ADDRESS WORD=VALUE...  says GET, and ends with the connection */
#include <err.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tlsdyno.h>

static struct {
    const char *session_in, *session_out, *early;
    unsigned renegotiations;
    bool dynamic;
    struct dyno_config *config;
    struct dyno_context *context;
    struct dyno_server *server;
    sem_t over;
} program;

/* ---- words ---- */

static char *file_read(const char *path, size_t *out_bytes)
{
    FILE *file = fopen(path, "rb");
    char *bytes = calloc(1, 1 << 20);

    if (!file || !bytes) {
        err(1, "%s", path);
    }
    *out_bytes = fread(bytes, 1, (1 << 20) - 1, file);
    fclose(file);
    return bytes;
}

static const struct text_word {
    const char *name;
    void (*set)(struct dyno_config *config, const char *value);
    bool is_memory; /* the value names a file with the text */
} text_words[] = {
    {"pfx", dyno_config_set_pfx_file},
    {"passphrase", dyno_config_set_passphrase},
    {"ca", dyno_config_set_ca_file},
    {"ca-mem", dyno_config_set_ca_mem, true},
    {"crl", dyno_config_set_crl_file},
    {"crl-mem", dyno_config_set_crl_mem, true},
    {"dhparam", dyno_config_set_dhparam_file},
    {"dhparam-mem", dyno_config_set_dhparam_mem, true},
    {"ocsp", dyno_config_set_ocsp_response_file},
    {"ticket-keys", dyno_config_set_ticket_keys_file},
    {"ciphers", dyno_config_set_ciphers},
    {"ciphersuites", dyno_config_set_ciphersuites},
    {"groups", dyno_config_set_groups},
    {"sigalgs", dyno_config_set_sigalgs},
    {"method", dyno_config_set_method},
    {"options", dyno_config_set_options},
    {"alpn", dyno_config_set_alpn},
    {"npn", dyno_config_set_npn},
    {"id-context", dyno_config_set_session_id_context},
};

static const struct number_word {
    const char *name;
    void (*set)(struct dyno_config *config, unsigned value);
} number_words[] = {
    {"ticket-count", dyno_config_set_ticket_count},
    {"session-timeout", dyno_config_set_session_timeout},
    {"fragment", dyno_config_set_max_send_fragment},
    {"early-data", dyno_config_set_early_data},
};

/* The value names a file with the bytes. */
static const struct bytes_word {
    const char *name;
    void (*set)(struct dyno_config *config, const void *bytes, size_t count);
} bytes_words[] = {
    {"pfx-mem", dyno_config_set_pfx_mem},
    {"ocsp-mem", dyno_config_set_ocsp_response_mem},
    {"ticket-key-mem", dyno_config_set_ticket_key_mem},
};

static void note_secret(void *path, const char *line)
{
    FILE *file = fopen(path, "a");

    if (file) {
        fprintf(file, "%s\n", line);
        fclose(file);
    }
}

static bool set_table_word(struct dyno_config *config, const char *name, const char *value)
{
    size_t bytes;

    for (size_t i = 0; i < sizeof bytes_words / sizeof bytes_words[0]; i++) {
        if (strcmp(name, bytes_words[i].name) == 0) {
            char *memory = file_read(value, &bytes);

            bytes_words[i].set(config, memory, bytes);
            free(memory);
            return true;
        }
    }
    for (size_t i = 0; i < sizeof text_words / sizeof text_words[0]; i++) {
        if (strcmp(name, text_words[i].name) == 0) {
            char *memory = text_words[i].is_memory ? file_read(value, &bytes) : NULL;

            text_words[i].set(config, memory ? memory : value);
            free(memory);
            return true;
        }
    }
    for (size_t i = 0; i < sizeof number_words / sizeof number_words[0]; i++) {
        if (strcmp(name, number_words[i].name) == 0) {
            number_words[i].set(config, (unsigned)atoi(value));
            return true;
        }
    }
    return false;
}

/* One "NAME=VALUE". */
static void set_word(struct dyno_config *config, char *name)
{
    char *value = strchr(name, '=');
    char *second;

    if (!value) {
        errx(2, "no value: %s", name);
    }
    *value++ = '\0';
    second = strchr(value, ':');
    if (set_table_word(config, name, value)) {
        return;
    }
    if (strcmp(name, "cert") == 0 && second) {
        *second = '\0';
        dyno_config_add_certificate_file(config, value, second + 1);
    } else if (strcmp(name, "version") == 0) {
        dyno_config_set_versions(config, value, value);
    } else if (strcmp(name, "clients") == 0) {
        dyno_config_set_clients(config,
                                *value == 'r' ? DYNO_CLIENTS_AUTHORIZED : DYNO_CLIENTS_ASKED);
    } else if (strcmp(name, "client-preference") == 0) {
        dyno_config_set_client_preference(config, *value == '1');
    } else if (strcmp(name, "tickets") == 0 && *value == '0') {
        dyno_config_disable_tickets(config);
    } else if (strcmp(name, "status") == 0) {
        dyno_config_request_ocsp(config);
    } else if (strcmp(name, "reneg-limit") == 0) {
        *value == '0' ? dyno_config_refuse_renegotiation(config)
                      : dyno_config_set_renegotiation(config, (unsigned)atoi(value), 600);
    } else if (strcmp(name, "empty-records") == 0) {
        *value == '0' ? dyno_config_refuse_empty_records(config)
                      : dyno_config_set_empty_records(config, (unsigned)atoi(value));
    } else if (strcmp(name, "insecure") == 0) {
        dyno_config_accept_any_certificate(config);
    } else if (strcmp(name, "keylog") == 0) {
        dyno_config_reveal_secrets(config, note_secret, value);
    } else if (strcmp(name, "session-in") == 0) {
        program.session_in = value;
    } else if (strcmp(name, "session-out") == 0) {
        program.session_out = value;
    } else if (strcmp(name, "early") == 0) {
        program.early = value;
    } else if (strcmp(name, "renegotiate") == 0) {
        program.renegotiations = (unsigned)atoi(value);
    } else if (strcmp(name, "dynamic") == 0) {
        program.dynamic = *value == '1';
    } else {
        errx(2, "unknown word: %s", name);
    }
}

static struct dyno_config *config_from(char **words)
{
    struct dyno_config *config = dyno_config_new();

    while (*words) {
        set_word(config, *words++);
    }
    return config;
}

/* ---- what is heard ---- */

static void tell_secure(struct dyno_socket *socket)
{
    struct dyno_facts facts;
    struct dyno_certificate peer = {0};
    const char *reason;
    bool is_good = dyno_tls_authorized(dyno_socket_tls(socket), &reason);

    dyno_tls_facts(dyno_socket_tls(socket), &facts);
    dyno_tls_peer_certificate(dyno_socket_tls(socket), 0, &peer);
    printf("secure version=%s cipher=%s group=%s signature=%s certificate=%s protocol=%s name=%s "
           "reused=%d early=%d authorized=%d (%s) peer=%s\n",
           facts.version, facts.cipher, facts.group, facts.signature, facts.certificate,
           facts.protocol, facts.server_name, facts.session_reused, facts.early_data_accepted,
           is_good, reason ? reason : "", peer.subject);
}

static void tell_failed(void *user, const struct dyno_failure *failure)
{
    (void)user;
    printf("failed %s: %s (%s)\n", failure->phase, failure->reason, failure->kind);
    sem_post(&program.over);
}

static void tell_closed(struct dyno_socket *socket, const char *reason)
{
    uint8_t session[8192];
    size_t bytes = dyno_tls_session(dyno_socket_tls(socket), session, sizeof session);
    FILE *file = program.session_out && bytes ? fopen(program.session_out, "wb") : NULL;

    if (file) {
        fwrite(session, 1, bytes, file);
        fclose(file);
    }
    printf("closed%s%s\n", reason ? " " : "", reason ? reason : "");
    sem_post(&program.over);
}

/* ---- serving ---- */

static const char answer[] =
    "HTTP/1.0 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";

static size_t serve_data(struct dyno_socket *socket, const void *bytes, size_t count)
{
    const char *text = bytes;

    if (count >= 4 && memcmp(text, "GET ", 4) == 0) {
        dyno_socket_write(socket, answer, sizeof answer - 1);
        dyno_socket_end(socket);
        return count;
    }
    if (count > 9 && memcmp(text, "fragment ", 9) == 0) {
        printf("fragment %d\n",
               dyno_socket_set_max_send_fragment(socket, (unsigned)atoi(text + 9)));
    }
    return dyno_socket_write(socket, bytes, count);
}

static const struct dyno_events serve_events = {.on_secure = tell_secure,
                                                .on_failed = tell_failed,
                                                .on_data = serve_data,
                                                .on_closed = tell_closed};

static struct dyno_context *context_make(enum dyno_role role, const struct dyno_config *config)
{
    struct dyno_error error;
    struct dyno_context *context = dyno_context_new(role, config, &error);

    if (!context) {
        errx(1, "%s", error.text);
    }
    return context;
}

/* A line of the input: "rotate", "context WORD=VALUE...", "name HOST WORD=VALUE...". */
static void order(char *line)
{
    char *words[32] = {strtok(line, " \n")};
    struct dyno_error error = {.text = "done"};
    struct dyno_config *config;
    struct dyno_context *context;

    for (int i = 1; i < 31 && words[i - 1]; i++) {
        words[i] = strtok(NULL, " \n");
    }
    if (strcmp(words[0], "rotate") == 0) {
        dyno_context_rotate_ticket_key(program.context, NULL, 0, &error);
    } else {
        bool is_name = strcmp(words[0], "name") == 0;

        config = config_from(words + (is_name ? 2 : 1));
        context = dyno_context_new(DYNO_SERVER, config, &error);
        if (context && is_name) {
            dyno_server_add_context(program.server, words[1], context, &error);
        } else if (context) {
            dyno_server_set_context(program.server, context, &error);
        }
        dyno_context_free(context);
        dyno_config_free(config);
    }
    printf("%s\n", error.text);
}

static void start(struct dyno_context *context, const struct dyno_events *events,
                  const char *address)
{
    struct dyno_error error;

    program.server = dyno_server_new(context, events, NULL);
    dyno_server_set(program.server, DYNO_THREADS, 1);
    dyno_server_set(program.server, DYNO_DYNAMIC_RECORDS, program.dynamic);
    if (address) {
        dyno_server_listen(program.server, address);
    }
    if (dyno_server_start(program.server, &error) < 0) {
        errx(1, "%s", error.text);
    }
}

static void serve(const char *where)
{
    char line[4096];
    struct dyno_address address;

    program.context = context_make(DYNO_SERVER, program.config);
    start(program.context, &serve_events, where);
    dyno_server_address(program.server, 0, &address);
    printf("listening on %s\n", address.text);
    while (fgets(line, sizeof line, stdin)) {
        order(line);
    }
}

/* ---- connecting ---- */

static void connect_secure(struct dyno_socket *socket)
{
    struct dyno_error error;

    tell_secure(socket);
    if (program.renegotiations == 0) {
        dyno_socket_write(socket, "GET / HTTP/1.0\r\n\r\n", 18);
        return;
    }
    program.renegotiations--;
    if (dyno_socket_renegotiate(socket, false, &error) < 0) {
        printf("%s\n", error.text);
        dyno_socket_close(socket);
    }
}

static size_t connect_data(struct dyno_socket *socket, const void *bytes, size_t count)
{
    (void)socket;
    printf("heard %.*s\n", (int)(count < 15 ? count : 15), (const char *)bytes);
    return count;
}

static bool tell_staple(struct dyno_socket *socket, const void *der, size_t bytes)
{
    (void)socket;
    (void)der;
    printf("staple of %zu bytes\n", bytes);
    return true;
}

static const struct dyno_events connect_events = {.on_secure = connect_secure,
                                                  .on_renegotiated = connect_secure,
                                                  .on_failed = tell_failed,
                                                  .on_data = connect_data,
                                                  .on_closed = tell_closed,
                                                  .on_staple = tell_staple};

static void connect_to(const char *address)
{
    struct dyno_connect options = {.address = address, .events = &connect_events};
    struct dyno_error error;
    char *session = NULL;

    program.context = context_make(DYNO_CLIENT, program.config);
    start(NULL, NULL, NULL);
    options.context = program.context;
    options.early_data = program.early;
    options.early_data_bytes = program.early ? strlen(program.early) : 0;
    if (program.session_in) {
        options.session = session = file_read(program.session_in, &options.session_bytes);
    }
    if (dyno_connect(program.server, &options, &error) < 0) {
        errx(1, "%s", error.text);
    }
    free(session);
    sem_wait(&program.over);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        errx(2, "usage: program serve|connect ADDRESS WORD=VALUE...");
    }
    setlinebuf(stdout);
    sem_init(&program.over, 0, 0);
    program.config = config_from(argv + 3);
    strcmp(argv[1], "serve") == 0 ? serve(argv[2]) : connect_to(argv[2]);
    dyno_server_free(program.server);
    dyno_context_free(program.context);
    dyno_config_free(program.config);
}
