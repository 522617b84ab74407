/* An echo server: greets clients that show a certificate of the CA, and sends back what they say.
 *     echo ADDRESS CERT KEY CA
 *     echo ADDRESS PFX PASSPHRASE    the same from one PKCS#12, which brings key, chain and CA */
#include <err.h>
#include <signal.h>
#include <stdio.h>

#include <tlsdyno.h>

static void greet(struct dyno_socket *socket)
{
    struct dyno_certificate peer;

    dyno_tls_peer_certificate(dyno_socket_tls(socket), 0, &peer);
    printf("hello %s\n", peer.subject);
    dyno_socket_write(socket, "welcome!\n", 9);
}

static void complain(void *user, const struct dyno_failure *failure)
{
    (void)user;
    printf("refused %s: %s (%s)\n", failure->peer, failure->reason, failure->phase);
}

/* What it does not take now is offered again once the output has drained. */
static const struct dyno_events events = {
    .on_secure = greet, .on_data = dyno_socket_write, .on_failed = complain};

int main(int argc, char **argv)
{
    struct dyno_config *config = dyno_config_new();
    struct dyno_context *context;
    struct dyno_server *server;
    struct dyno_address address;
    struct dyno_error error;
    sigset_t signals;
    int signal;

    if (argc == 5) {
        dyno_config_add_certificate_file(config, argv[2], argv[3]);
        dyno_config_set_ca_file(config, argv[4]);
    } else if (argc == 4) {
        dyno_config_set_pfx_file(config, argv[2]);
        dyno_config_set_passphrase(config, argv[3]);
    } else {
        errx(1, "usage: echo ADDRESS (CERT KEY CA | PFX PASSPHRASE)");
    }
    dyno_config_set_clients(config, DYNO_CLIENTS_AUTHORIZED);
    if (!(context = dyno_context_new(DYNO_SERVER, config, &error))) {
        errx(1, "%s", error.text);
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    setlinebuf(stdout);
    server = dyno_server_new(context, &events, NULL);
    dyno_server_listen(server, argv[1]);
    if (dyno_server_start(server, &error) < 0) {
        errx(1, "%s", error.text);
    }
    dyno_server_address(server, 0, &address);
    printf("listening on %s\n", address.text);
    sigwait(&signals, &signal);
    dyno_server_free(server);
    dyno_context_free(context);
    dyno_config_free(config);
}
