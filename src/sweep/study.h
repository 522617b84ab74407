/* A study: the cells of a matrix, run in rounds, and what they gave so far. Main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "report/report.h"
#include "sweep/figure.h"
#include "sweep/matrix.h"
#include "sweep/possible.h"
#include "sweep/run.h"

struct error;

enum { SWEEP_ROUNDS_MAX = 1000, SWEEP_TIME_BYTES = 32 };

enum sweep_status { SWEEP_PENDING, SWEEP_DONE, SWEEP_SKIPPED, SWEEP_FAILED };

struct sweep_cell_state {
    struct sweep_cell cell;
    enum sweep_status status;
    char reason[SWEEP_REASON_BYTES]; /* of skipped and failed ones */
    unsigned rounds_done;
    struct sweep_negotiated negotiated; /* once rounds_done > 0 */
    double (*runs)[SWEEP_FIGURE_COUNT]; /* by round; owned */
};

struct sweep_study {
    struct sweep_matrix matrix; /* complete */
    struct sweep_capabilities capabilities;
    struct sweep_settings settings;
    unsigned rounds;
    uint64_t seed;
    const char *plan; /* name of the built-in one, or NULL; borrowed like all texts here */
    const char *command_line;
    const char *openssl_version;
    struct report_environment environment;
    char started[SWEEP_TIME_BYTES];
    char finished[SWEEP_TIME_BYTES]; /* "": not yet, or never */
    struct sweep_cell_state *cells;  /* owned */
    size_t cell_count;
};

/* What a cell says of one figure. */
struct sweep_summary {
    const double *values; /* those that were measured, in order of the rounds */
    size_t count;         /* 0: none, and nothing else here means anything */
    double median;
    double low, high; /* 95% bootstrap interval for the median; NAN: there is none */
};

/* The study's clock and ears; each is called on the thread that runs it. */
struct sweep_hooks {
    /* A run begins. */
    void (*on_begin)(void *user, const struct sweep_cell_state *cell, unsigned round);
    /* It has ended, and the study is worth saving. -1 and a sentence end the study. */
    int (*on_end)(void *user, const struct sweep_cell_state *cell, struct error *error);
    void *user;
};

/* Makes the cells of study->matrix, and skips those that cannot be. Returns 0 or -1; close in
 * either case. */
int sweep_study_open(struct sweep_study *study, struct error *error);
void sweep_study_close(struct sweep_study *study);

/* Marks cells as skipped whose certificate this OpenSSL cannot make; makes the others. */
int sweep_study_make_certificates(struct sweep_study *study, struct error *error);

/* The order in which the cells run in one round: a permutation of 0 ... count - 1 by the seed. */
void sweep_order(uint64_t seed, unsigned round, size_t count, size_t out[]);

/* Runs what is pending, round by round. A run that went wrong makes its cell a failed one. Returns
 * 0, also when settings.stop ended it; -1 and a sentence when a hook did. */
int sweep_study_run(struct sweep_study *study, const struct sweep_hooks *hooks,
                    struct error *error);

/* Takes a run's report into the cell. */
void sweep_study_take(struct sweep_study *study, struct sweep_cell_state *cell,
                      const json_t *report);

size_t sweep_study_runs_left(const struct sweep_study *study);
size_t sweep_study_count(const struct sweep_study *study, enum sweep_status status);

/* `room` is where the values go, SWEEP_ROUNDS_MAX of them. */
void sweep_summarize(const struct sweep_cell_state *cell, enum sweep_figure figure,
                     double room[SWEEP_ROUNDS_MAX], struct sweep_summary *out);

const char *sweep_status_name(enum sweep_status status);

/* ---- The file: study_json.c ---- */

/* A new reference, schema "tlsdyno-sweep/1"; NULL when memory is out. */
json_t *sweep_study_json(const struct sweep_study *study);

/* Takes over the finished runs of an earlier file of the same study; failed cells start again.
 * Returns 0, or -1 and a sentence that says what is not the same. */
int sweep_study_resume(struct sweep_study *study, const json_t *file, struct error *error);

/* ---- For people and spreadsheets: text.c, csv.c ---- */

/* "16384, 64 KiB": the cell among the others. Returns out. */
enum { SWEEP_NAME_BYTES = 256 };
const char *sweep_cell_name(const struct sweep_study *study, const struct sweep_cell *cell,
                            char out[SWEEP_NAME_BYTES]);

/* At most 100 columns. */
void sweep_text(FILE *out, const struct sweep_study *study, bool ascii);
/* One row a cell. */
void sweep_csv(FILE *out, const struct sweep_study *study);
