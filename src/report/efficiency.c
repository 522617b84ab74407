#include "report/efficiency.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

/* So many of a run's handshakes must be of the row's kind: the first of each client is full. */
static const double KIND_SHARE = 0.95;

int efficiency_check(const json_t *limit, struct error *error)
{
    const char *schema = json_string_value(json_object_get(limit, "schema"));

    if (schema == NULL || strcmp(schema, "tlsdyno-limit/1") != 0 ||
        !json_is_array(json_object_get(limit, "rows"))) {
        return error_set(error, "it was not written by tlsdyno limit --json");
    }
    return 0;
}

/* The word of a row that stands for what the run did; NULL: there is no such row. */
static const char *work_of(const struct load_plan *plan, const struct load_result *result)
{
    double enough = KIND_SHARE * (double)result->handshakes;

    if (plan->mode == LOAD_RR) {
        return plan->peer == LOAD_PEER_ECHO ? "echo" : NULL;
    }
    if (plan->mode != LOAD_HANDSHAKE || plan->plain_tcp || result->handshakes == 0) {
        return NULL;
    }
    if ((double)result->handshakes_full >= enough) {
        return "full";
    }
    if ((double)result->handshakes_ticket >= enough) {
        return "ticket";
    }
    return (double)result->handshakes_id >= enough ? "id" : NULL;
}

/* What a resumed handshake did not negotiate anew matches anything. */
static bool matches_text(const json_t *negotiated, const char *key, const char *fact)
{
    const char *text = json_string_value(json_object_get(negotiated, key));

    return text == NULL || text[0] == '\0' || fact[0] == '\0' || strcasecmp(text, fact) == 0;
}

static bool matches(const json_t *row, const char *work, const struct report_input *input)
{
    const struct tls_facts *facts = &input->result->negotiated[0].facts;
    const json_t *negotiated = json_object_get(row, "negotiated");
    const char *row_work = json_string_value(json_object_get(row, "work"));
    json_int_t bytes = json_integer_value(json_object_get(row, "message_bytes"));

    return json_is_object(negotiated) && row_work != NULL && strcmp(row_work, work) == 0 &&
           (strcmp(work, "echo") != 0 || (uint64_t)bytes == input->plan->message_bytes) &&
           matches_text(negotiated, "version", facts->version) &&
           matches_text(negotiated, "suite", facts->suite) &&
           matches_text(negotiated, "group", facts->group) &&
           matches_text(negotiated, "certificate", facts->certificate);
}

/* All connections negotiated the same, but for whether they were resumed. */
static bool is_uniform(const struct load_result *result)
{
    const struct tls_facts *first = &result->negotiated[0].facts;

    for (size_t i = 1; i < result->negotiated_count; i++) {
        const struct tls_facts *other = &result->negotiated[i].facts;

        if (strcmp(first->version, other->version) != 0 ||
            strcmp(first->suite, other->suite) != 0) {
            return false;
        }
    }
    return result->negotiated_count > 0 && result->negotiated_other == 0;
}

static double find_ceiling(const struct report_input *input, const char *work)
{
    const json_t *row;
    size_t index;

    json_array_foreach(json_object_get(input->limit, "rows"), index, row)
    {
        const json_t *ceiling = json_object_get(row, "ceiling_per_second");

        if (json_is_number(ceiling) && matches(row, work, input)) {
            return json_number_value(ceiling);
        }
    }
    return NAN;
}

void efficiency_compute(struct efficiency *out, const struct report_input *input,
                        const struct report_figures *figures)
{
    const char *work = work_of(input->plan, input->result);
    double rate = input->plan->mode == LOAD_HANDSHAKE ? figures->server.handshakes_per_cpu_second
                                                      : figures->server.messages_per_cpu_second;

    *out = (struct efficiency){.ceiling_per_second = NAN, .share = NAN};
    if (work == NULL) {
        out->obstacle = "tlsdyno limit knows no such work: handshakes of one kind, or echoes";
    } else if (!is_uniform(input->result)) {
        out->obstacle = "the connections did not negotiate the same";
    } else {
        out->ceiling_per_second = find_ceiling(input, work);
        out->share = rate / out->ceiling_per_second;
        if (isnan(out->ceiling_per_second)) {
            out->obstacle = "the file has no row with what was negotiated and this size of "
                            "message: see tlsdyno limit --help";
        } else if (isnan(rate)) {
            out->obstacle = "the server's CPU time is not known: it needs --admin URL";
        }
    }
}
