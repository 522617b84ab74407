/* What a peer may send too much of, and how that ends the connection. */
#include <stdio.h>

#include <openssl/err.h>

#include "tls/internal.h"
#include "tls/setup.h"

void tls_flood_setup(struct tls_context *context, const struct tls_config *config)
{
    uint32_t limit = config->empty_record_limit;

    limit = limit != 0 && limit < TLS_EMPTY_RECORDS_MAX ? limit : TLS_EMPTY_RECORDS_MAX;
    context->empty_record_limit = config->no_empty_records ? 0 : limit;
}

void tls_flood_begin(struct tls_engine *engine, enum tls_flood flood)
{
    engine->flood = flood;
    /* As if the peer had closed: OpenSSL throws away whatever else comes, and its next call ends
     * where this is looked at. So reading well costs nothing. */
    if (engine->ssl != NULL) {
        SSL_set_shutdown(engine->ssl, SSL_get_shutdown(engine->ssl) | SSL_RECEIVED_SHUTDOWN);
    }
}

void tls_flood_hear_empty(struct tls_engine *engine, uint64_t count)
{
    if (!engine->established || tls_engine_in_message(engine)) {
        /* A handshake may need many records for a message, and has limits of its own. */
        engine->useful_records = engine->tally.records_in;
    } else if (count > engine->empty_record_limit && engine->flood == TLS_FLOOD_NONE) {
        tls_flood_begin(engine, TLS_FLOOD_EMPTY_RECORDS);
    }
}

void tls_flood_look(struct tls_engine *engine)
{
    uint64_t count = engine->tally.records_in - engine->useful_records;

    if (count > engine->empty_record_limit) {
        /* Its body is not whole yet. */
        bool in_record = engine->ssl != NULL && SSL_rstate_string(engine->ssl)[1] == 'B';

        tls_flood_hear_empty(engine, count - in_record);
    }
}

bool tls_flood_failed(struct tls_engine *engine, struct tls_failure_detail *failure)
{
    static const char *const names[] = {
        [TLS_FLOOD_RENEGOTIATIONS] = "renegotiations",
        [TLS_FLOOD_CERTIFICATE_REQUESTS] = "requests for the certificate",
        [TLS_FLOOD_KEY_UPDATES] = "key updates",
        [TLS_FLOOD_EMPTY_RECORDS] = "records without payload in a row",
    };
    unsigned long code = ERR_peek_error();

    /* At TLS_EMPTY_RECORDS_MAX OpenSSL sees it first; after the handshake it says so of nothing
     * else. */
    if (engine->established && ERR_GET_LIB(code) == ERR_LIB_SSL &&
        ERR_GET_REASON(code) == SSL_R_RECORD_TOO_SMALL) {
        engine->flood = TLS_FLOOD_EMPTY_RECORDS;
    }
    if (engine->flood == TLS_FLOOD_NONE) {
        return false;
    }
    failure->kind = TLS_FAILURE_PROTOCOL;
    snprintf(failure->reason, sizeof(failure->reason), "too many %s", names[engine->flood]);
    return true;
}
