/* tlsdyno top: a running server's counters, core by core, as they move. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/admin_client.h"
#include "cli/command.h"
#include "cli/top_screen.h"

struct top_options {
    const char *url; /* operand */
    uint64_t interval_ns;
    bool once;
};

/* Too large for the stack. */
struct top_session {
    const struct top_options *options;
    struct admin_client *client;
    struct top_screen *screen; /* NULL: no terminal */
    json_t *before;            /* the answer before the last one; NULL: none */
    struct top_rates rates;
    bool has_rates;
    struct error trouble;
    struct error sentence; /* what is shown of it */
    char clock[16];
    enum top_order order;
    bool paused;
    bool is_over; /* somebody pressed q */
};

static const struct option_info top_option_rows[] = {
    {.name = "interval",
     .letter = 'i',
     .kind = OPTION_DURATION,
     .argument = "TIME",
     .group = "Display",
     .help = "ask the server so often",
     .initial = "1s",
     .min = 100 * OPTION_MILLISECOND,
     .max = OPTION_HOUR,
     OPTION_FIELD(struct top_options, interval_ns)},
    {.name = "once",
     .kind = OPTION_SWITCH,
     .group = "Display",
     .help = "print one plain table, of one interval, and end; so without a terminal",
     OPTION_FIELD(struct top_options, once)},
};

/* The clock shows when the figures are from. */
static void note_time(struct top_session *session)
{
    time_t now = time(NULL);
    struct tm local;

    if (localtime_r(&now, &local) != NULL) {
        strftime(session->clock, sizeof(session->clock), "%H:%M:%S", &local);
    }
}

/* Asks, and computes the rates since the last answer. After a failure, or where the server was
 * started anew, rates begin again with the answer after that. */
static int ask(struct top_session *session, struct error *error)
{
    json_t *after = admin_client_stats(session->client, error);
    int outcome = after != NULL ? 0 : -1;

    if (after != NULL && session->before != NULL) {
        outcome = top_rates_compute(session->before, after, &session->rates, error);
        session->has_rates = outcome == 0;
    }
    if (outcome == 0) {
        note_time(session);
    }
    json_decref(session->before);
    session->before = after;
    return outcome;
}

static struct top_frame frame_of(struct top_session *session)
{
    if (session->trouble.text[0] != '\0') {
        error_set(&session->sentence, "NO ANSWER, trying again: %.400s", session->trouble.text);
    }
    top_rates_sort(&session->rates, session->order);
    return (struct top_frame){
        .url = session->options->url,
        .clock = session->clock,
        .rates = session->has_rates ? &session->rates : NULL,
        .trouble = session->trouble.text[0] != '\0' ? session->sentence.text : NULL,
        .order = session->order,
        .paused = session->paused,
        .interval = (double)session->options->interval_ns / (double)NS_PER_S,
    };
}

/* ---- Without a terminal ---- */

static int print_once(struct top_session *session, struct error *error)
{
    struct timespec interval = {
        .tv_sec = (time_t)(session->options->interval_ns / NS_PER_S),
        .tv_nsec = (long)(session->options->interval_ns % NS_PER_S),
    };

    if (ask(session, error) != 0) {
        return -1;
    }
    nanosleep(&interval, NULL);
    if (ask(session, error) != 0) {
        return -1;
    }
    struct top_frame frame = frame_of(session);

    top_view_once(stdout, &frame);
    return 0;
}

/* ---- On a terminal ---- */

static void show(struct top_session *session)
{
    const struct top_frame frame = frame_of(session);

    top_screen_show(session->screen, &frame);
}

/* Waits for a key at most so long, and does what it says. Returns false when it ends everything. */
static bool handle_key(struct top_session *session, int timeout_ms)
{
    const enum top_key key = top_screen_wait(session->screen, timeout_ms);

    if (key == TOP_KEY_QUIT) {
        session->is_over = true;
    } else if (key == TOP_KEY_PAUSE) {
        session->paused = !session->paused;
    } else if (key == TOP_KEY_SORT) {
        session->order = (session->order + 1) % TOP_ORDER_COUNT;
    }
    if (key != TOP_KEY_NONE && !session->is_over) {
        show(session);
    }
    return !session->is_over;
}

/* Keys work while the server keeps its answer back, too. */
static bool on_waiting(void *user)
{
    return handle_key(user, 0);
}

/* Until it is time for the next question, or for none any more. */
static void wait_for_turn(struct top_session *session, uint64_t turn_ns)
{
    while (!session->is_over) {
        const uint64_t now = clock_now_ns();
        const uint64_t left_ms = now < turn_ns ? (turn_ns - now) / NS_PER_MS + 1 : 0;

        if (left_ms == 0 && !session->paused) {
            return;
        }
        handle_key(session, left_ms > 0 && left_ms < 200 ? (int)left_ms : 200);
    }
}

static int watch(struct top_session *session, struct error *error)
{
    session->screen = top_screen_open(error);
    if (session->screen == NULL) {
        return -1;
    }
    admin_client_while_waiting(session->client, on_waiting, session);
    show(session);
    while (!session->is_over) {
        const uint64_t turn_ns = clock_now_ns() + session->options->interval_ns;
        struct error trouble = {0};

        ask(session, &trouble);
        session->trouble = trouble; /* until then, that of the question before is shown */
        if (!session->is_over) {
            show(session);
        }
        wait_for_turn(session, turn_ns);
    }
    top_screen_close(session->screen);
    return 0;
}

static int run(void *config, char **argv, struct error *error)
{
    const struct top_options *options = config;
    struct top_session *session = calloc(1, sizeof(*session));
    bool plain = options->once || isatty(STDOUT_FILENO) != 1 || isatty(STDIN_FILENO) != 1;
    int status = EXIT_FAILURE;

    (void)argv;
    if (session == NULL) {
        error_set(error, "out of memory");
        return EXIT_FAILURE;
    }
    session->options = options;
    session->client = admin_client_new(options->url, error);
    if (session->client == NULL) {
        status = EXIT_USAGE;
    } else if ((plain ? print_once : watch)(session, error) == 0) {
        status = EXIT_SUCCESS;
    }
    json_decref(session->before);
    admin_client_free(session->client);
    free(session);
    return status;
}

const struct command top_command = {
    .help = "shows a running server's counters, core by core, live",
    .table =
        {
            .command = "top",
            .summary =
                "Shows what a running server does, a second and core by core: handshakes, "
                "connections, messages, plaintext, CPU time, and errors by reason. The URL is what "
                "the server prints for its --admin: http://HOST:PORT or unix:PATH. While the "
                "server does not answer, that is said, and asked again.",
            .operand = "URL",
            .operand_offset = offsetof(struct top_options, url),
            .sections = {{top_option_rows, sizeof(top_option_rows) / sizeof(top_option_rows[0]),
                          0}},
            .epilogue = "Examples:\n"
                        "  tlsdyno top http://127.0.0.1:9090\n"
                        "  tlsdyno top --once -i 5s unix:/run/tlsdyno/admin\n",
        },
    .manual = {{.heading = "KEYS",
                .text = "q ends it, p (or the space bar) pauses and goes on, r sorts the cores by "
                        "the next column: core, CPU, handshakes, messages, errors."}},
    .config_bytes = sizeof(struct top_options),
    .run = run,
};
