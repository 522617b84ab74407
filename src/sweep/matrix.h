/* What a study varies: axes with values, and the cells between them. Pure functions; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/plan.h"

struct error;

/* In the order in which cells are numbered, the last one changing fastest. */
enum sweep_axis {
    SWEEP_VERSION,
    SWEEP_SUITE,
    SWEEP_GROUP,
    SWEEP_CERTIFICATE,
    SWEEP_FRAGMENT,
    SWEEP_MESSAGE,
    SWEEP_CONNECTIONS,
    SWEEP_LINK,
    SWEEP_AXIS_COUNT,
};

struct sweep_axis_info {
    const char *name;   /* key of a cell's parameter: "message_bytes" */
    const char *title;  /* of a column: "message" */
    const char *option; /* of the command line that names its values: "messages" */
    bool is_number;     /* the parameter is one, else a text */
};

extern const struct sweep_axis_info sweep_axis_infos[SWEEP_AXIS_COUNT];

enum { SWEEP_TEXT_BYTES = 64, SWEEP_VALUES_MAX = 64, SWEEP_CELLS_MAX = 4096 };

/* One value of an axis. */
struct sweep_value {
    char text[SWEEP_TEXT_BYTES]; /* "TLSv1.3", "16384", "dynamic"; "none" where is_null */
    uint64_t number;             /* of axes and values that have one, else 0 */
    bool is_null;                /* left to server and client, or no limit */
};

struct sweep_values {
    struct sweep_value items[SWEEP_VALUES_MAX];
    size_t count; /* 0: the axis was not given */
};

struct sweep_matrix {
    enum load_mode mode;
    struct sweep_values axes[SWEEP_AXIS_COUNT];
};

struct sweep_cell {
    enum load_mode mode;
    struct sweep_value values[SWEEP_AXIS_COUNT];
};

/* A certificate that the study's own servers can have. */
struct sweep_certificate {
    const char *name;       /* "ecdsa-p256" */
    const char *type;       /* for `tlsdyno cert --type`: "p256" */
    const char *negotiated; /* what a load report calls it: "EC P-256" */
};

enum { SWEEP_CERTIFICATE_COUNT = 9 };

extern const struct sweep_certificate sweep_certificates[SWEEP_CERTIFICATE_COUNT];

/* The one called `name`, or NULL. */
const struct sweep_certificate *sweep_certificate_find(const char *name);

/* Reads "1400,4096,dynamic" as values of the axis, in the words that reports use. Returns 0, or -1
 * and a sentence that names value and what is allowed. */
int sweep_values_parse(enum sweep_axis axis, const char *list, struct sweep_values *out,
                       struct error *error);

/* Whose server answers: what it can be told of hangs on that. */
enum sweep_server {
    SWEEP_SERVER_OWN,        /* started for each run, and told everything */
    SWEEP_SERVER_GIVEN,      /* runs already, and answers with as much as it was sent */
    SWEEP_SERVER_GIVEN_HTTP, /* likewise, but what it answers is the URL's affair */
};

/* Gives axes without values the one that they have by default in this mode, and refuses values that
 * mean nothing: fragments or messages of handshakes, and what a given server cannot be told.
 * Returns 0 or -1. */
int sweep_matrix_complete(struct sweep_matrix *matrix, enum sweep_server server,
                          struct error *error);

/* How many cells there are; 0 for more than SWEEP_CELLS_MAX. */
size_t sweep_matrix_count(const struct sweep_matrix *matrix);

/* Cell `index` of a complete matrix. A version that was left open is that of the cell's suite, by
 * its name. */
void sweep_matrix_cell(const struct sweep_matrix *matrix, size_t index, struct sweep_cell *out);

/* How many values of the axis are there: more than one means that it varies. */
static inline bool sweep_matrix_varies(const struct sweep_matrix *matrix, enum sweep_axis axis)
{
    return matrix->axes[axis].count > 1;
}
