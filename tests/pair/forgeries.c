/* The rows; see the header. */
#include "forgeries.h"

enum { DATA = 23, ALERT = 21, HANDSHAKE = 22, CCS = 20 };

static const uint8_t close_notify[] = {1, 0}, fatal_close[] = {2, 0}, user_canceled[] = {1, 90},
                     fatal[] = {2, 80}, nameless[] = {2, 255}, no_renegotiation[] = {1, 100},
                     unknown_level[] = {3, 0}, key_update[] = {24, 0, 0, 1, 0},
                     key_update_asked[] = {24, 0, 0, 1, 1}, key_update_bad[] = {24, 0, 0, 1, 2},
                     key_update_long[] = {24, 0, 0, 2, 0, 0}, key_update_none[] = {24, 0, 0, 0},
                     key_update_more[] = {24, 0, 0, 0, 24}, key_update_huge[] = {24, 1, 0, 1, 0},
                     rest_of_update[] = {1}, rest_of_three[] = {1, 0},
                     key_update_twice[] = {24, 0, 0, 1, 0, 24, 0, 0, 1, 0},
                     finished[] = {20, 0, 0, 1, 0}, hello_request[] = {0, 0, 0, 0},
                     hello[] = {1, 0, 0, 2, 3, 3}, huge[] = {11, 255, 255, 255}, ccs[] = {1},
                     http[] = "GET / HTTP/1.1\r\n\r\n", full[16386] = {0};

#define OF(array) .bytes = (array), .count = sizeof(array)

const struct named_forgery forgeries[] = {
    {"one byte", {.inner_type = DATA, OF(ccs)}},
    {"padded", {.inner_type = DATA, OF(http), .padding = 100}},
    {"padded to the full", {.inner_type = DATA, OF(ccs), .padding = 16383}},
    {"padded over the full", {.inner_type = DATA, OF(ccs), .padding = 16384}},
    {"empty", {.inner_type = DATA}},
    {"empty and padded", {.inner_type = DATA, .padding = 30}},
    {"nothing at all", {0}},
    {"only padding", {.padding = 5}},
    {"unknown type", {.inner_type = 99, OF(http)}},
    {"heartbeat", {.inner_type = 24, OF(http)}},
    {"flipped", {.inner_type = DATA, OF(http), .change = FORGERY_FLIPPED}},
    {"skipped", {.inner_type = DATA, OF(http), .change = FORGERY_SKIPPED}},
    {"old", {.inner_type = DATA, OF(http), .change = FORGERY_OLD}},
    {"unsealed data", {.inner_type = DATA, OF(http), .change = FORGERY_UNSEALED}},
    {"unsealed alert", {.outer_type = ALERT, OF(fatal), .change = FORGERY_UNSEALED}},
    {"unsealed close", {.outer_type = ALERT, OF(close_notify), .change = FORGERY_UNSEALED}},
    {"unsealed ccs", {.outer_type = CCS, OF(ccs), .change = FORGERY_UNSEALED}},
    {"unsealed handshake", {.outer_type = HANDSHAKE, OF(hello), .change = FORGERY_UNSEALED}},
    {"plain http", {.outer_type = 'G', .version = 'T', OF(http), .change = FORGERY_UNSEALED}},
    {"empty and unsealed", {.change = FORGERY_UNSEALED}},
    {"sealed as ccs", {.outer_type = CCS, .inner_type = DATA, OF(ccs)}},
    {"sealed as type 0x80", {.outer_type = 0x80, .inner_type = DATA, OF(ccs)}},
    {"sealed as an alert", {.outer_type = ALERT, .inner_type = ALERT, OF(close_notify)}},
    {"another version", {.version = 1, .inner_type = DATA, OF(http)}},
    {"a later version", {.version = 4, .inner_type = DATA, OF(http)}},
    {"close", {.inner_type = ALERT, OF(close_notify)}},
    {"user canceled", {.inner_type = ALERT, OF(user_canceled)}},
    {"no renegotiation", {.inner_type = ALERT, OF(no_renegotiation)}},
    {"fatal alert", {.inner_type = ALERT, OF(fatal)}},
    {"fatal close", {.inner_type = ALERT, OF(fatal_close)}},
    {"nameless alert", {.inner_type = ALERT, OF(nameless)}},
    {"long alert", {.inner_type = ALERT, OF(hello_request)}},
    {"alert of unknown level", {.inner_type = ALERT, OF(unknown_level)}},
    {"half an alert", {.inner_type = ALERT, .bytes = fatal, .count = 1}},
    {"empty alert", {.inner_type = ALERT}},
    {"empty handshake", {.inner_type = HANDSHAKE}},
    {"bad key update", {.inner_type = HANDSHAKE, OF(key_update_bad)}},
    {"long key update", {.inner_type = HANDSHAKE, OF(key_update_long)}},
    {"two key updates", {.inner_type = HANDSHAKE, OF(key_update_twice)}},
    {"key update", {.inner_type = HANDSHAKE, OF(key_update)}},
    {"key update asked for", {.inner_type = HANDSHAKE, OF(key_update_asked)}},
    {"key update of none", {.inner_type = HANDSHAKE, OF(key_update_none)}},
    {"key update of none and more", {.inner_type = HANDSHAKE, OF(key_update_more)}},
    {"key update of many", {.inner_type = HANDSHAKE, OF(key_update_huge)}},
    {"rest of a key update", {.inner_type = HANDSHAKE, OF(rest_of_update)}},
    {"more rest of a key update", {.inner_type = HANDSHAKE, OF(rest_of_three)}},
    {"unknown type, over the full", {.inner_type = 99, OF(full)}},
    {"alert over the full", {.inner_type = ALERT, OF(full)}},
    {"start of a key update", {.inner_type = HANDSHAKE, .bytes = key_update, .count = 1}},
    {"part of a key update", {.inner_type = HANDSHAKE, .bytes = key_update, .count = 3}},
    {"most of a key update", {.inner_type = HANDSHAKE, .bytes = key_update, .count = 4}},
    {"finished", {.inner_type = HANDSHAKE, OF(finished)}},
    {"hello request", {.inner_type = HANDSHAKE, OF(hello_request)}},
    {"broken hello", {.inner_type = HANDSHAKE, OF(hello)}},
    {"huge handshake message", {.inner_type = HANDSHAKE, OF(huge)}},
};

const size_t forgery_count = sizeof(forgeries) / sizeof(forgeries[0]);

struct forgery forgery_for(enum tls_version version, size_t index)
{
    struct forgery forgery = forgeries[index].forgery;

    if (version == TLS_VERSION_1_2 && forgery.outer_type == 0) {
        forgery.outer_type = forgery.inner_type;
    }
    return forgery;
}
