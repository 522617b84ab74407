#include "report/verdict.h"

#include <math.h>
#include <stdio.h>

/* False also for NAN: what is not known is not busy. */
static bool is_busy(double share)
{
    return share > VERDICT_BUSY_SHARE;
}

enum verdict_kind verdict_decide(const struct verdict_evidence *evidence)
{
    if (!evidence->succeeded) {
        return VERDICT_FAILED;
    }
    if (is_busy(evidence->client_busiest)) {
        return is_busy(evidence->server_busiest) ? VERDICT_BOTH_BOUND : VERDICT_CLIENT_BOUND;
    }
    if (is_busy(evidence->server_busiest)) {
        return VERDICT_SERVER_BOUND;
    }
    if (is_busy(evidence->machine_busy)) {
        return VERDICT_MACHINE_BOUND;
    }
    if (evidence->rate_kept) {
        return VERDICT_RATE_KEPT;
    }
    if (isnan(evidence->server_busiest) || isnan(evidence->client_busiest)) {
        return VERDICT_UNKNOWN;
    }
    return VERDICT_NEITHER_BOUND;
}

const char *verdict_name(enum verdict_kind kind)
{
    static const char *const names[] = {
        [VERDICT_FAILED] = "failed",
        [VERDICT_CLIENT_BOUND] = "client-bound",
        [VERDICT_SERVER_BOUND] = "server-bound",
        [VERDICT_BOTH_BOUND] = "client- and server-bound",
        [VERDICT_MACHINE_BOUND] = "machine-bound",
        [VERDICT_RATE_KEPT] = "rate kept",
        [VERDICT_NEITHER_BOUND] = "neither",
        [VERDICT_UNKNOWN] = "unknown",
    };

    return names[kind];
}

enum { SHARE_TEXT_BYTES = 24 };

static const char *format_share(double share, char out[SHARE_TEXT_BYTES])
{
    if (isnan(share)) {
        snprintf(out, SHARE_TEXT_BYTES, "not known");
    } else {
        snprintf(out, SHARE_TEXT_BYTES, "%.1f%%", share * 100);
    }
    return out;
}

const char *verdict_explain(enum verdict_kind kind, const struct verdict_evidence *evidence,
                            char out[VERDICT_TEXT_BYTES])
{
    char client[SHARE_TEXT_BYTES];
    char server[SHARE_TEXT_BYTES];
    char machine[SHARE_TEXT_BYTES];

    format_share(evidence->client_busiest, client);
    format_share(evidence->server_busiest, server);
    format_share(evidence->machine_busy, machine);
    switch (kind) {
    case VERDICT_FAILED:
        snprintf(out, VERDICT_TEXT_BYTES, "Nothing succeeded, so no rate here means anything.");
        break;
    case VERDICT_CLIENT_BOUND:
        snprintf(
            out, VERDICT_TEXT_BYTES,
            "The busiest load thread was %s busy, the busiest server worker %s. The server may "
            "be faster than the rates say; give the load generator more CPUs (-t).",
            client, server);
        break;
    case VERDICT_SERVER_BOUND:
        snprintf(out, VERDICT_TEXT_BYTES,
                 "The busiest server worker was %s busy, the busiest load thread %s. The rates are "
                 "the server's.",
                 server, client);
        break;
    case VERDICT_BOTH_BOUND:
        snprintf(out, VERDICT_TEXT_BYTES,
                 "The busiest load thread was %s busy and the busiest server worker %s. The server "
                 "may be a little faster than the rates say.",
                 client, server);
        break;
    case VERDICT_MACHINE_BOUND:
        snprintf(out, VERDICT_TEXT_BYTES,
                 "Client and server share a machine and together used %s of its CPUs (busiest load "
                 "thread %s, busiest server worker %s). They compete, so compare figures per CPU "
                 "second, not rates.",
                 machine, client, server);
        break;
    case VERDICT_RATE_KEPT:
        snprintf(out, VERDICT_TEXT_BYTES,
                 "The rate is the one that was asked for, not the most that the server can give. "
                 "The busiest load thread was %s busy, the busiest server worker %s.",
                 client, isnan(evidence->server_busiest) ? "is not known (--admin)" : server);
        break;
    case VERDICT_NEITHER_BOUND:
        snprintf(out, VERDICT_TEXT_BYTES,
                 "The busiest load thread was %s busy, the busiest server worker %s%s%s. The run "
                 "waited for something else: other programs, the "
                 "network, or too few connections (-c) or requests under way (--depth).",
                 client, server, isnan(evidence->machine_busy) ? "" : ", all CPUs of the machine ",
                 isnan(evidence->machine_busy) ? "" : machine);
        break;
    case VERDICT_UNKNOWN:
        snprintf(
            out, VERDICT_TEXT_BYTES,
            "The client was not: its busiest thread was %s busy. Whether the server was is not "
            "known without its counters (--admin).",
            client);
        break;
    }
    return out;
}
