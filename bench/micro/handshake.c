/* What a handshake costs the server with OpenSSL alone and with our provider:
 *
 *     handshake [full|ticket|tls1.2|ticket1.2|id1.2] [key type] [rounds]
 *
 * The two take turns in rounds of 100 ms; printed are nanoseconds of the server's CPU time a
 * handshake, and the ratio of neighbours: median and quartiles. A last argument, `stock` or `ours`,
 * runs the one alone, which is what callgrind wants. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "load/ceiling.h"
#include "spread.h"
#include "tls/certificate.h"
#include "tls/config.h"

enum { ROUNDS = 31, ROUNDS_MAX = 1000, ROUND_MS = 100 };

enum schedule { STOCK, OURS, BOTH };

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "handshake: %s\n", what);
    exit(1);
}

static struct ceiling *make(const char *kind, struct certificate *certificate,
                            enum schedule schedule)
{
    struct tls_config server = {
        .certificate_count = 1,
        /* 3.5 would choose a hybrid. TLS 1.2 wants the certificate's curve among them, too. */
        .groups = "X25519:P-256:P-384",
        .version_max = strstr(kind, "1.2") != NULL ? TLS_VERSION_1_2 : TLS_VERSION_1_3,
        .stock_key_schedule = schedule == STOCK,
        .no_tickets = strncmp(kind, "id", 2) == 0,
    };
    struct tls_config client = {
        .groups = server.groups,
        .ca_pem = certificate_pem(certificate),
    };
    struct ceiling_options options = {
        .work = strncmp(kind, "id", 2) == 0       ? CEILING_ID
                : strncmp(kind, "ticket", 6) == 0 ? CEILING_TICKET
                                                  : CEILING_FULL,
        .server = &server,
        .client = &client,
    };
    struct error error = {0};
    struct ceiling *ceiling;

    server.certificates[0].certificate_pem = certificate_pem(certificate);
    server.certificates[0].key_pem = certificate_key_pem(certificate);
    ceiling = ceiling_new(&options, &error);
    if (ceiling == NULL) {
        give_up(error.text);
    }
    return ceiling;
}

static double round_ns(struct ceiling *ceiling)
{
    struct ceiling_cost cost;
    struct error error = {0};

    if (ceiling_run(ceiling, ROUND_MS * NS_PER_MS, &cost, &error) != 0) {
        give_up(error.text);
    }
    return (double)cost.server_ns / (double)cost.operations;
}

int main(int count, char **arguments)
{
    static double ns[BOTH][ROUNDS_MAX];
    static double ratios[ROUNDS_MAX];
    const char *kind = count > 1 ? arguments[1] : "full";
    struct certificate_options options = {.key_type = count > 2 ? arguments[2] : "p256"};
    unsigned long rounds = count > 3 ? strtoul(arguments[3], NULL, 10) : ROUNDS;
    const char *only = count > 4 ? arguments[4] : "";
    struct error error = {0};
    struct certificate *certificate = certificate_new(&options, NULL, &error);
    struct ceiling *ceilings[BOTH];

    if (certificate == NULL) {
        give_up(error.text);
    }
    if (rounds == 0 || rounds > ROUNDS_MAX) {
        give_up("from 1 to 1000 rounds");
    }
    for (enum schedule schedule = STOCK; schedule < BOTH; schedule++) {
        ceilings[schedule] = make(kind, certificate, schedule);
    }
    for (unsigned long i = 0; i < rounds; i++) {
        ns[STOCK][i] = strcmp(only, "ours") != 0 ? round_ns(ceilings[STOCK]) : 0;
        ns[OURS][i] = strcmp(only, "stock") != 0 ? round_ns(ceilings[OURS]) : 0;
        ratios[i] = ns[STOCK][i] / ns[OURS][i];
    }
    for (enum schedule schedule = STOCK; schedule < BOTH; schedule++) {
        ceiling_free(ceilings[schedule]);
    }
    certificate_free(certificate);
    spread_print("stock, ns", ns[STOCK], rounds);
    spread_print("ours, ns", ns[OURS], rounds);
    spread_print("stock / ours", ratios, rounds);
    return 0;
}
