#include "cli/load_ranks.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "load/merge.h"
#include "tls/context.h"

int load_ranks_prepare(const struct ranks *ranks, struct load_options *options, struct error *error)
{
    if (ranks->count == 1) {
        return 0;
    }
    if (options->find_max != NULL) {
        return error_set(error,
                         "--find-max searches from one process; find the rate of %u by runs "
                         "of --rate",
                         ranks->count);
    }
    if (options->session_file != NULL) {
        return error_set(error,
                         "--session-file holds one connection's session, which %u processes "
                         "cannot share; say --resume",
                         ranks->count);
    }
    options->plan.rank = (struct load_rank){.index = ranks->index, .count = ranks->count};
    if (ranks->index > 0) {
        options->json_file = options->csv_file = options->percentiles_file = NULL;
        options->admin = options->limit_file = NULL;
    }
    return 0;
}

/* What must be the same. */
struct identity {
    char version[32];
    size_t result_bytes;
    char command_line[RECORD_COMMAND_BYTES];
};

int load_ranks_compare(const struct ranks *ranks, const char command_line[RECORD_COMMAND_BYTES],
                       struct error *error)
{
    struct identity own = {.version = TLSDYNO_VERSION, .result_bytes = sizeof(struct load_result)};
    struct identity first;

    snprintf(own.command_line, sizeof own.command_line, "%s", command_line);
    first = own;
    ranks_tell(ranks, &first, sizeof first);
    if (strcmp(own.version, first.version) != 0 || own.result_bytes != first.result_bytes) {
        return error_set(error, "this is version %s, and rank 0 runs %s, or another build",
                         own.version, first.version);
    }
    if (strcmp(own.command_line, first.command_line) != 0) {
        return error_set(error,
                         "was started as '%.180s', and rank 0 as '%.180s'; all must be told the "
                         "same, and what differs between machines belongs into --config",
                         own.command_line, first.command_line);
    }
    return 0;
}

/* What a rank sends. */
struct contribution {
    struct report_rank row;
    struct load_result result;
};

struct collection {
    struct report_rank *rows;
    struct load_result *result;
};

static void take_contribution(void *user, unsigned index, const void *data)
{
    const struct contribution *contribution = data;
    struct collection *collection = user;

    collection->rows[index] = contribution->row;
    load_result_merge(collection->result, &contribution->result);
}

static void describe(struct contribution *own, const struct load_plan *plan,
                     const struct load_result *result)
{
    own->result = *result;
    report_rank_read(&own->row, plan, result);
    report_environment_read(&own->row.environment, "");
    gethostname(own->row.host, sizeof own->row.host - 1);
    snprintf(own->row.openssl, sizeof own->row.openssl, "%s", tls_library_version());
}

struct report_rank *load_ranks_collect(const struct ranks *ranks, const struct load_plan *plan,
                                       struct load_result *result)
{
    struct contribution *room = calloc(2, sizeof *room); /* own, and another's */
    struct collection collection = {.rows = calloc(ranks->count, sizeof *collection.rows),
                                    .result = result};

    if (room == NULL || collection.rows == NULL) {
        abort(); /* the others wait, and would for ever */
    }
    describe(&room[0], plan, result);
    memset(result, 0, sizeof *result);
    ranks_gather(ranks, &room[0], &room[1], sizeof room[0], take_contribution, &collection);
    free(room);
    return collection.rows;
}

bool load_ranks_share_machine(const struct report_rank *rows, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        if (strcmp(rows[i].host, rows[0].host) != 0) {
            return false;
        }
    }
    return true;
}
