#include "cli/limit_plain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "cli/cpu_list.h"

enum { PATIENCE_S = 30 };

int limit_plain_open(struct limit_plain_server *server, const atomic_bool *stop,
                     struct error *error)
{
    static const char template[] = "/tmp/tlsdyno-limit-XXXXXX";
    struct child_arguments arguments = {0};
    const char *line;
    cpu_set_t allowed;

    *server = (struct limit_plain_server){0};
    memcpy(server->directory, template, sizeof(template));
    if (mkdtemp(server->directory) == NULL) {
        server->directory[0] = '\0';
        return error_set(error, "cannot make a directory below /tmp: %m");
    }
    sched_getaffinity(0, sizeof(allowed), &allowed);
    cpu_list_share(&allowed, "", &server->server_cpus, &server->load_cpus);
    child_argument(&arguments, "tlsdyno");
    child_argument(&arguments, "serve");
    child_argument(&arguments, "--listen");
    child_argument(&arguments, "127.0.0.1:0,plain");
    child_argument(&arguments, "--threads");
    child_argument(&arguments, "1");
    child_argument(&arguments, "--admin");
    child_argument(&arguments, "unix:%s/admin", server->directory);
    if (child_start(&server->child,
                    &(struct child_options){
                        .arguments = &arguments, .cpus = &server->server_cpus, .stop = stop},
                    error) != 0 ||
        child_wait_line(&server->child, "OpenSSL", PATIENCE_S * NS_PER_S, error) == NULL ||
        (line = child_wait_line(&server->child, "listening on ", PATIENCE_S * NS_PER_S, error)) ==
            NULL) {
        return error_prefix(error, "the server");
    }
    snprintf(server->target, sizeof(server->target), "%.*s", (int)strcspn(line, " \n"), line);
    return 0;
}

void limit_plain_close(struct limit_plain_server *server)
{
    char path[sizeof(server->directory) + sizeof("/admin")];

    child_close(&server->child);
    if (server->directory[0] != '\0') {
        snprintf(path, sizeof(path), "%s/admin", server->directory);
        unlink(path);
        rmdir(server->directory);
    }
}

static void build_load(const struct limit_plain_server *server, const struct limit_options *options,
                       const struct limit_plain *plain, struct child_arguments *arguments)
{
    child_argument(arguments, "tlsdyno");
    child_argument(arguments, "load");
    child_argument(arguments, "%s", server->target);
    child_argument(arguments, "--plain");
    child_argument(arguments, "--threads");
    child_argument(arguments, "%d", CPU_COUNT(&server->load_cpus));
    child_argument(arguments, "--connections");
    child_argument(arguments, "%" PRIu32, options->connections);
    child_argument(arguments, "--duration");
    child_argument(arguments, "%" PRIu64 "ns", options->duration_ns);
    child_argument(arguments, "--admin");
    child_argument(arguments, "unix:%s/admin", server->directory);
    if (plain->message_bytes > 0) {
        child_argument(arguments, "--mode");
        child_argument(arguments, "rr");
        child_argument(arguments, "--message-bytes");
        child_argument(arguments, "%" PRIu64, plain->message_bytes);
    }
    child_argument(arguments, "--json");
    child_argument(arguments, "-");
}

/* Seconds of the server's CPU time for each message, or connection. */
static int read_report(const struct child *load, struct limit_plain *plain, struct error *error)
{
    json_t *report =
        json_loadb(load->text.bytes != NULL ? load->text.bytes : "", load->text.count, 0, NULL);
    double seconds = -1;
    json_int_t messages = 0;
    json_int_t opened = 0;
    double operations;

    json_unpack(report, "{s:{s:F}}", "server", "workers_cpu_seconds", &seconds);
    json_unpack(report, "{s:{s:I}}", "messages", "count", &messages);
    json_unpack(report, "{s:{s:I}}", "connections", "opened", &opened);
    json_decref(report);
    operations = (double)(plain->message_bytes > 0 ? messages : opened);
    if (!(seconds > 0 && operations > 0)) {
        return error_set(error, "the plain TCP half did nothing; try a longer --duration");
    }
    plain->times.values[plain->times.count++] = seconds / operations;
    return 0;
}

int limit_plain_measure(struct limit_plain_server *server, const struct limit_options *options,
                        struct limit_plain *plain, struct error *error)
{
    struct child_arguments arguments = {0};
    char complaint[CHILD_COMPLAINT_BYTES];
    struct child load;
    int status;

    build_load(server, options, plain, &arguments);
    if (child_start(&load,
                    &(struct child_options){.arguments = &arguments,
                                            .cpus = &server->load_cpus,
                                            .stop = server->child.stop},
                    error) != 0) {
        return -1;
    }
    status = child_wait(&load, options->duration_ns + PATIENCE_S * NS_PER_S, error);
    if (status > 0) {
        error_set(error, "the load over plain TCP: %s", child_complaint(&load, complaint));
    } else if (status == 0) {
        status = read_report(&load, plain, error);
    }
    child_close(&load);
    return status == 0 ? 0 : -1;
}
