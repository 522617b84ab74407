/* An echo server: greets clients that show a certificate of the CA, and sends back what they say.
 *     echo ADDRESS CERT KEY CA */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <tlsdyno.h>

static void greet(struct dyno_socket *socket)
{
    struct dyno_certificate peer;

    dyno_tls_peer_certificate(dyno_socket_tls(socket), 0, &peer);
    printf("hello %s\n", peer.subject);
    fflush(stdout);
    dyno_socket_write(socket, "welcome!\n", 9);
}

static void complain(void *user, const struct dyno_failure *failure)
{
    (void)user;
    printf("refused %s: %s (%s)\n", failure->peer, failure->reason, failure->phase);
    fflush(stdout);
}

/* What it does not take now is offered again once the output has drained. */
static const struct dyno_events events = {
    .on_secure = greet, .on_data = dyno_socket_write, .on_failed = complain};

int main(int argc, char **argv)
{
    struct dyno_config *config = dyno_config_new();
    struct dyno_context *context = NULL;
    struct dyno_server *server = NULL;
    struct dyno_address address;
    struct dyno_error error = {.text = "usage: echo ADDRESS CERT KEY CA"};
    sigset_t signals;
    int signal;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if (argc == 5) {
        dyno_config_add_certificate_file(config, argv[2], argv[3]);
        dyno_config_set_ca_file(config, argv[4]);
        dyno_config_set_clients(config, DYNO_CLIENTS_AUTHORIZED);
        context = dyno_context_new(DYNO_SERVER, config, &error);
    }
    if (context && (server = dyno_server_new(context, &events, NULL)) != NULL) {
        dyno_server_listen(server, argv[1]);
        if (dyno_server_start(server, &error) == 0 && dyno_server_address(server, 0, &address)) {
            printf("listening on %s\n", address.text);
            fflush(stdout);
            sigwait(&signals, &signal);
            error.text[0] = '\0';
        }
    }
    fprintf(stderr, "%s", error.text);
    dyno_server_free(server);
    dyno_context_free(context);
    dyno_config_free(config);
    return error.text[0] != '\0';
}
