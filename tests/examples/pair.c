/* Two secure pairs, a client's and a server's, that talk through memory.
 *     pair CERT KEY CA */
#include <err.h>
#include <stdio.h>

#include <tlsdyno.h>

static void on_secure(struct dyno_pair *pair, void *name)
{
    struct dyno_facts facts;

    dyno_tls_facts(dyno_pair_tls(pair), &facts);
    printf("%s is secure: %s, %s\n", (const char *)name, facts.version, facts.cipher);
}

/* Carries the encrypted bytes across; returns how many there were. */
static size_t carry(struct dyno_pair *from, struct dyno_pair *to)
{
    char bytes[4096];
    size_t count = dyno_pair_take(from, bytes, sizeof bytes);

    dyno_pair_feed(to, bytes, count);
    return count;
}

static void talk(struct dyno_pair *client, struct dyno_pair *server)
{
    char heard[64];
    size_t count;

    while (carry(client, server) + carry(server, client) > 0) {
    }
    dyno_pair_write(client, "hello", 5);
    carry(client, server);
    count = dyno_pair_read(server, heard, sizeof heard);
    printf("the server hears '%.*s'\n", (int)count, heard);
    if (dyno_pair_failure(client)) {
        printf("the client fails: %s\n", dyno_pair_failure(client));
    }
}

int main(int argc, char **argv)
{
    struct dyno_config *config[2] = {dyno_config_new(), dyno_config_new()};
    struct dyno_pair_options client = {
        .verify_host = "localhost", .on_secure = on_secure, .user = "client"};
    struct dyno_pair_options server = {.on_secure = on_secure, .user = "server"};
    struct dyno_pair *pairs[2];
    struct dyno_error error;

    if (argc != 4) {
        errx(1, "usage: pair CERT KEY CA");
    }
    dyno_config_set_ca_file(config[0], argv[3]);
    dyno_config_add_certificate_file(config[1], argv[1], argv[2]);
    if (!(client.context = dyno_context_new(DYNO_CLIENT, config[0], &error)) ||
        !(server.context = dyno_context_new(DYNO_SERVER, config[1], &error)) ||
        !(pairs[0] = dyno_pair_new(&client, &error)) ||
        !(pairs[1] = dyno_pair_new(&server, &error))) {
        errx(1, "%s", error.text);
    }
    talk(pairs[0], pairs[1]);
    for (int i = 0; i < 2; i++) {
        dyno_pair_free(pairs[i]);
        dyno_config_free(config[i]);
    }
    dyno_context_free(client.context);
    dyno_context_free(server.context);
}
