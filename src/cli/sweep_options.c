#include "cli/sweep_options.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/cpu_list.h"
#include "cli/suggest.h"

static const char *const mode_names[] = {
    "auto",
    [1 + LOAD_HANDSHAKE] = "handshake",
    [1 + LOAD_RR] = "rr",
    [1 + LOAD_UPLOAD] = "upload",
    [1 + LOAD_DOWNLOAD] = "download",
    NULL,
};

enum { ROUNDS_DEFAULT = 5 };
static const uint64_t DURATION_DEFAULT_NS = 1000 * 1000 * 1000;
static const uint64_t WARMUP_DEFAULT_NS = 300 * 1000 * 1000;

#define AXIS_ROW(axis, option, values, words)                                                      \
    {                                                                                              \
        .name = option, .kind = OPTION_STRING, .argument = values, .group = "Matrix",              \
        .help = words, OPTION_FIELD(struct sweep_options, axes[axis])                              \
    }

const struct option_info sweep_option_rows[SWEEP_OPTION_COUNT] = {
    {.name = "mode",
     .kind = OPTION_CHOICE,
     .argument = "MODE",
     .group = "Matrix",
     .help = "as of tlsdyno load: handshake, rr (a request of 64 bytes, a message as the answer), "
             "upload, download; auto is as the plan says, else rr",
     .initial = "auto",
     .choices = mode_names,
     OPTION_FIELD(struct sweep_options, mode)},
    AXIS_ROW(SWEEP_VERSION, "versions", "LIST", "versions of TLS: 1.2,1.3"),
    AXIS_ROW(SWEEP_SUITE, "suites", "LIST",
             "cipher suites, of TLS 1.2 and 1.3, as tlsdyno ciphers lists them"),
    AXIS_ROW(SWEEP_GROUP, "groups", "LIST",
             "key-exchange groups: X25519,P-256,X25519MLKEM768; each alone"),
    AXIS_ROW(SWEEP_CERTIFICATE, "certificates", "LIST",
             "kinds of the server's certificate: ecdsa-p256, ecdsa-p384, ed25519, rsa-2048, "
             "rsa-3072, rsa-4096, mldsa-44, mldsa-65, mldsa-87"),
    AXIS_ROW(SWEEP_FRAGMENT, "fragments", "LIST",
             "largest records in bytes of plaintext, 512 to 16384, and dynamic for small ones at "
             "first: 1400,16384,dynamic"),
    AXIS_ROW(SWEEP_MESSAGE, "messages", "LIST", "sizes of messages in bytes: 64,1Ki,16Ki"),
    {.name = "connections",
     .letter = 'c',
     .kind = OPTION_STRING,
     .argument = "LIST",
     .group = "Matrix",
     .help = "connections at once: 1,16,256",
     OPTION_FIELD(struct sweep_options, axes[SWEEP_CONNECTIONS])},
    AXIS_ROW(SWEEP_LINK, "links", "LIST",
             "bits a second that the server sends on each connection at most, and none for no "
             "limit: none,100M,10M"),
    {.name = "rounds",
     .letter = 'r',
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Runs",
     .help = "runs of each cell; each round takes the cells in another random order",
     .default_text = "the plan's, else 5",
     .min = 1,
     .max = SWEEP_ROUNDS_MAX,
     OPTION_FIELD(struct sweep_options, rounds)},
    {.name = "duration",
     .letter = 'd',
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Runs",
     .help = "measured time of each run",
     .default_text = "the plan's, else 1s",
     .min = 50 * OPTION_MILLISECOND,
     .max = OPTION_DAY,
     OPTION_FIELD(struct sweep_options, duration_ns)},
    {.name = "warmup",
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Runs",
     .help = "load before it, not counted",
     .default_text = "the plan's, else 300ms",
     .min = OPTION_MILLISECOND,
     .max = OPTION_DAY,
     OPTION_FIELD(struct sweep_options, warmup_ns)},
    {.name = "seed",
     .kind = OPTION_COUNT,
     .argument = "N",
     .group = "Runs",
     .help = "of the random order",
     .default_text = "by the clock",
     .min = 1,
     .max = INT64_MAX,
     OPTION_FIELD(struct sweep_options, seed)},
    {.name = "target",
     .kind = OPTION_STRING,
     .argument = "TARGET",
     .group = "Server",
     .help =
         "a server that runs already, as tlsdyno load takes it: an URL, or HOST:PORT of an echo",
     .default_text = "tlsdyno serve, started anew for each run",
     OPTION_FIELD(struct sweep_options, settings.target)},
    {.name = "admin",
     .kind = OPTION_STRING,
     .argument = "URL",
     .group = "Server",
     .help = "the target's admin endpoint, when it is a tlsdyno, for its side's figures",
     OPTION_FIELD(struct sweep_options, settings.admin)},
    {.name = "ca",
     .kind = OPTION_STRING,
     .argument = "FILE|DIRECTORY",
     .group = "Server",
     .help = "authorities to trust for the target's certificate",
     .default_text = "the system's",
     OPTION_FIELD(struct sweep_options, settings.ca)},
    {.name = "insecure",
     .kind = OPTION_SWITCH,
     .group = "Server",
     .help = "accept any certificate of the target",
     OPTION_FIELD(struct sweep_options, settings.insecure)},
    {.name = "server-cpus",
     .kind = OPTION_STRING,
     .argument = "LIST",
     .group = "Server",
     .help = "CPUs that the server is kept to: 0-3,8",
     .default_text = "the first one",
     OPTION_FIELD(struct sweep_options, server_cpus)},
    {.name = "load-cpus",
     .kind = OPTION_STRING,
     .argument = "LIST",
     .group = "Server",
     .help = "CPUs that the load generator is kept to",
     .default_text = "all others, but for hardware threads of the server's cores",
     OPTION_FIELD(struct sweep_options, load_cpus)},
    {.name = "pin",
     .kind = OPTION_SWITCH,
     .negatable = true,
     .inverted = true,
     .group = "Server",
     .help = "keep server and load to CPUs of their own",
     .default_text = "kept apart",
     OPTION_FIELD(struct sweep_options, settings.no_pin)},
    {.name = "listen",
     .kind = OPTION_STRING,
     .argument = "ADDRESS",
     .group = "Server",
     .help = "address, without port, that our own servers listen on",
     .initial = "127.0.0.1",
     OPTION_FIELD(struct sweep_options, settings.listen)},
    {.name = "server-namespace",
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "Server",
     .help = "network namespace that the server runs in, /run/netns/NAME; tools/link makes two",
     .default_text = "this one",
     OPTION_FIELD(struct sweep_options, settings.server_namespace)},
    {.name = "load-namespace",
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "Server",
     .help = "network namespace that the load generator runs in",
     .default_text = "this one",
     OPTION_FIELD(struct sweep_options, settings.load_namespace)},
    {.name = "json",
     .letter = 'J',
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "Report",
     .help = "write all results as JSON, anew after each run; - is standard output, in the end, "
             "and the text then goes to standard error",
     OPTION_FIELD(struct sweep_options, json_file)},
    {.name = "csv",
     .kind = OPTION_STRING,
     .argument = "FILE",
     .group = "Report",
     .help = "write a table with a row for each cell",
     OPTION_FIELD(struct sweep_options, csv_file)},
    {.name = "resume",
     .kind = OPTION_SWITCH,
     .group = "Report",
     .help = "go on where the study in the --json file was interrupted: finished runs are kept",
     OPTION_FIELD(struct sweep_options, resume)},
};

static int refuse_plan(const char *name, struct error *error)
{
    struct suggestion suggestion;

    suggestion_init(&suggestion, name);
    for (size_t i = 0; i < SWEEP_PLAN_COUNT; i++) {
        suggestion_offer(&suggestion, sweep_plans[i].name);
    }
    if (suggestion.best[0] != '\0') {
        return error_set(error, "unknown plan '%s'; did you mean %s?", name, suggestion.best);
    }
    return error_set(error,
                     "unknown plan '%s'; there are quick, fragments, ciphers and groups, and "
                     "--config FILE for one of your own",
                     name);
}

static bool has_axis(const struct sweep_options *options)
{
    for (unsigned axis = 0; axis < SWEEP_AXIS_COUNT; axis++) {
        if (options->axes[axis] != NULL) {
            return true;
        }
    }
    return false;
}

static int find_plan(const struct sweep_options *options, const struct sweep_plan **out,
                     struct error *error)
{
    *out = NULL;
    if (options->plans.count > 1) {
        return error_set(error, "'%s' is one plan too many", options->plans.items[1]);
    }
    if (options->plans.count == 1) {
        *out = sweep_plan_find(options->plans.items[0]);
        return *out != NULL ? 0 : refuse_plan(options->plans.items[0], error);
    }
    if (!has_axis(options)) {
        return error_set(error, "nothing to vary: name a plan, such as tlsdyno sweep quick, or say "
                                "--suites, --fragments, ...; see tlsdyno sweep --help");
    }
    return 0;
}

static enum sweep_server server_of(const char *target)
{
    if (target == NULL) {
        return SWEEP_SERVER_OWN;
    }
    return strncmp(target, "http://", 7) == 0 || strncmp(target, "https://", 8) == 0
               ? SWEEP_SERVER_GIVEN_HTTP
               : SWEEP_SERVER_GIVEN;
}

/* Options win over the plan. */
static int settle_matrix(const struct sweep_options *options, const struct sweep_plan *plan,
                         struct sweep_study *out, struct error *error)
{
    if (options->mode > 0) {
        out->matrix.mode = (enum load_mode)(options->mode - 1);
    } else {
        out->matrix.mode = plan != NULL ? plan->mode : LOAD_RR;
    }
    for (unsigned axis = 0; axis < SWEEP_AXIS_COUNT; axis++) {
        const char *list = options->axes[axis];

        if (list == NULL && plan != NULL) {
            list = plan->axes[axis];
        }
        if (list != NULL && sweep_values_parse(axis, list, &out->matrix.axes[axis], error) != 0) {
            return error_prefix(error, "--%s", sweep_axis_infos[axis].option);
        }
    }
    return sweep_matrix_complete(&out->matrix, server_of(options->settings.target), error);
}

/* Target and what goes with it alone. */
static int check_server(const struct sweep_options *options, struct error *error)
{
    const struct sweep_settings *settings = &options->settings;
    bool given = settings->target != NULL;
    const struct {
        bool is_given;
        const char *option;
        bool needs_target; /* else it needs that there is none */
    } rules[] = {
        {settings->admin != NULL, "admin", true},
        {settings->ca != NULL, "ca", true},
        {settings->insecure, "insecure", true},
        {options->server_cpus != NULL, "server-cpus", false},
        {settings->server_namespace != NULL, "server-namespace", false},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].is_given && rules[i].needs_target != given) {
            return error_set(error, "--%s %s", rules[i].option,
                             given ? "is about servers that sweep starts, and --target names one "
                                     "that runs already"
                                   : "is about a server that runs already: name it with --target");
        }
    }
    if (settings->ca != NULL && settings->insecure) {
        return error_set(error, "--insecure accepts any certificate; leave it out to check with "
                                "--ca");
    }
    if (settings->no_pin && (options->server_cpus != NULL || options->load_cpus != NULL)) {
        return error_set(error, "--no-pin and lists of CPUs exclude each other");
    }
    if (options->resume && options->json_file == NULL) {
        return error_set(error, "--resume needs the file to go on with: --json FILE");
    }
    if (options->resume && strcmp(options->json_file, "-") == 0) {
        return error_set(error, "--resume needs a file, and --json - is none");
    }
    return 0;
}

static int settle_cpus(const struct sweep_options *options, struct sweep_settings *out,
                       struct error *error)
{
    cpu_set_t allowed;

    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
        return error_set(error, "cannot see which CPUs there are: %m; say --no-pin");
    }
    cpu_list_share(&allowed, "", &out->server_cpus, &out->load_cpus);
    if (out->target != NULL) {
        out->load_cpus = allowed; /* where the server runs is not for us to say */
    }
    if (options->server_cpus != NULL &&
        cpu_list_parse(options->server_cpus, &out->server_cpus, error) != 0) {
        return error_prefix(error, "--server-cpus");
    }
    if (options->load_cpus != NULL &&
        cpu_list_parse(options->load_cpus, &out->load_cpus, error) != 0) {
        return error_prefix(error, "--load-cpus");
    }
    return 0;
}

static uint64_t first_given(uint64_t option, uint64_t plan, uint64_t otherwise)
{
    return option != 0 ? option : plan != 0 ? plan : otherwise;
}

int sweep_options_settle(const struct sweep_options *options, struct sweep_study *out,
                         struct error *error)
{
    static const struct sweep_plan none;
    const struct sweep_plan *plan;

    if (find_plan(options, &plan, error) != 0 || check_server(options, error) != 0 ||
        settle_matrix(options, plan, out, error) != 0) {
        return -1;
    }
    out->plan = plan != NULL ? plan->name : NULL;
    plan = plan != NULL ? plan : &none;
    out->settings = options->settings;
    out->rounds = (unsigned)first_given(options->rounds, plan->rounds, ROUNDS_DEFAULT);
    out->settings.duration_ns =
        first_given(options->duration_ns, plan->duration_ns, DURATION_DEFAULT_NS);
    out->settings.warmup_ns = first_given(options->warmup_ns, plan->warmup_ns, WARMUP_DEFAULT_NS);
    out->seed = first_given(options->seed, 0, 1 + clock_now_ns() % 1000000);
    return settle_cpus(options, &out->settings, error);
}
