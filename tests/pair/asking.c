#include "asking.h"

#include <string.h>

#include <criterion/criterion.h>

static void copy(uint8_t *out, size_t out_max, size_t *out_bytes, const uint8_t *data, size_t bytes)
{
    cr_assert_leq(bytes, out_max);
    cr_assert_gt(bytes, 0);
    memcpy(out, data, bytes);
    *out_bytes = bytes;
}

static void answer(struct tls_engine *engine, enum tls_want want, struct answers *answers)
{
    const uint8_t *data;
    const uint8_t *other;
    size_t bytes;
    size_t other_bytes;

    switch (want) {
    case TLS_WANT_CONTEXT:
        strcpy(answers->server_name, tls_engine_server_name(engine));
        tls_engine_answer_context(engine, answers->context);
        break;
    case TLS_WANT_SESSION:
        data = tls_engine_session_id(engine, &bytes);
        copy(answers->id, sizeof(answers->id), &answers->id_bytes, data, bytes);
        tls_engine_answer_session(engine, answers->session, answers->session_bytes);
        break;
    case TLS_WANT_STAPLE:
        tls_engine_own_certificate(engine, &data, &answers->own_bytes, &other,
                                   &answers->issuer_bytes);
        tls_engine_answer_staple(engine, answers->staple, answers->staple_bytes);
        break;
    case TLS_WANT_SAVE:
        tls_engine_saved_session(engine, &data, &bytes, &other, &other_bytes);
        copy(answers->saved_id, sizeof(answers->saved_id), &answers->saved_id_bytes, data, bytes);
        copy(answers->saved, sizeof(answers->saved), &answers->saved_bytes, other, other_bytes);
        tls_engine_answer_save(engine);
        break;
    case TLS_WANT_NOTHING:
        cr_assert_fail("waiting for nothing");
    }
}

enum tls_status asking_server_step(struct pair *pair, struct answers *answers)
{
    struct pair_end *server = &pair->server;

    while (pair_handshake_step(pair, server) == TLS_WAITING) {
        enum tls_want want = tls_engine_want(&server->engine);

        cr_assert_eq(pair_handshake_step(pair, server), TLS_WAITING);
        cr_assert_eq(tls_engine_want(&server->engine), want);
        answers->counts[want]++;
        answers->order[answers->order_count++] = want;
        if (want == answers->refused) {
            tls_engine_refuse(&server->engine);
        } else {
            answer(&server->engine, want, answers);
            cr_assert_eq(tls_engine_want(&server->engine), TLS_WANT_NOTHING);
        }
    }
    return server->status;
}

bool asking_handshake(struct pair *pair, struct answers *answers)
{
    for (int flights = 0; flights < 8; flights++) {
        enum tls_status client = pair_handshake_step(pair, &pair->client);
        enum tls_status server;

        pair_move(&pair->client, &pair->server);
        server = asking_server_step(pair, answers);
        pair_move(&pair->server, &pair->client);
        if (client == TLS_OK && server == TLS_OK) {
            return true;
        }
        if (client == TLS_FAILED) {
            return false;
        }
        if (server == TLS_FAILED) { /* the client hears the alert */
            pair_handshake_step(pair, &pair->client);
            return false;
        }
    }
    return false;
}
