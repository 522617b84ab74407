#include "report/json_handshakes.h"

#include "report/json_words.h"

static json_t *extent_json(const struct load_extent *extent, uint64_t count)
{
    return json_pack("{s:f, s:o, s:o}", "mean_bytes", (double)extent->sum / (double)count,
                     "min_bytes", json_count(extent->min), "max_bytes", json_count(extent->max));
}

/* null when there was no such handshake. */
static json_t *bytes_json(const struct load_handshake_bytes *bytes)
{
    if (bytes->count == 0) {
        return json_null();
    }
    return json_pack("{s:o, s:o, s:o}", "count", json_count(bytes->count), "in",
                     extent_json(&bytes->in, bytes->count), "out",
                     extent_json(&bytes->out, bytes->count));
}

json_t *json_handshakes(const struct load_plan *plan, const struct load_result *result,
                        const struct report_figures *figures)
{
    if (plan->plain_tcp) {
        return json_null();
    }
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}, s:{s:o, s:o, "
        "s:o}}",
        "count", json_count(result->handshakes), "full", json_count(result->handshakes_full),
        "ticket", json_count(result->handshakes_ticket), "id", json_count(result->handshakes_id),
        "sessions_offered", json_count(result->resumes_offered), "resumed_share_of_offered",
        json_number(figures->resumed_share), "hello_retries", json_count(result->hello_retries),
        "tickets_received", json_count(result->tickets_received), "per_second",
        json_number(figures->handshakes_per_second), "full_per_second",
        json_number(figures->full_per_second), "resumed_per_second",
        json_number(figures->resumed_per_second), "wire_bytes", "full",
        bytes_json(&result->handshake_bytes[TLS_FULL]), "ticket",
        bytes_json(&result->handshake_bytes[TLS_RESUMED_TICKET]), "id",
        bytes_json(&result->handshake_bytes[TLS_RESUMED_ID]), "early_data", "accepted",
        json_count(result->early_accepted), "rejected", json_count(result->early_rejected),
        "accepted_share", json_number(figures->early_share));
}
