/* A retired connection's records that are not data: what OpenSSL does with them in TLS 1.3, at a
 * server that has asked for no certificate. There are alerts and KeyUpdates; all else ends the
 * connection. As OpenSSL does, it finds faults in this order: the record's header, its seal, its
 * form, its place, its content. */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "tls/internal.h"
#include "tls/openssl_compat.h"
#include "tls/records.h"

enum {
    ALERT_BYTES = 2,
    MESSAGE_HEADER_BYTES = SSL3_HM_HEADER_LENGTH,
    KEY_UPDATE_BYTES = MESSAGE_HEADER_BYTES + 1,
    WARNINGS_MAX = 4,
};

static struct record_control *control_of(const struct tls_engine *engine)
{
    return &engine->records->control;
}

/* What speaks against data that comes or goes next. */
static void settle(struct tls_engine *engine)
{
    const struct record_control *control = control_of(engine);
    bool is_open = !control->failed && engine->flood == TLS_FLOOD_NONE;

    engine->records->in.ready = is_open && !control->received_close &&
                                control->message_bytes == 0 && control->warnings == 0 &&
                                control->empty_records == 0 &&
                                engine->records->in.traffic->loan == NULL;
    engine->records->out.ready = !control->failed && !control->sent_close &&
                                 !control->owes_update && !tls_engine_in_message(engine);
}

/* The end, for a reason of OpenSSL's that the next read takes. */
static void end(struct tls_engine *engine, int reason)
{
    ERR_clear_error();
    ERR_raise(ERR_LIB_SSL, reason);
    control_of(engine)->failed = true;
}

/* After our close_notify the peer is not told. */
static void fail(struct tls_engine *engine, int alert, int reason)
{
    uint8_t bytes[ALERT_BYTES] = {SSL3_AL_FATAL, (uint8_t)alert};

    end(engine, reason);
    if (!control_of(engine)->sent_close) {
        tls_records_put(engine, SSL3_RT_ALERT, bytes, sizeof(bytes));
    }
}

static void fail_unexpected(struct tls_engine *engine, int reason)
{
    fail(engine, SSL_AD_UNEXPECTED_MESSAGE, reason);
}

bool tls_retired_condemns(struct tls_engine *engine, const uint8_t *header)
{
    size_t length = record_length(header);
    bool is_major = header[1] == TLS1_2_VERSION_MAJOR;
    bool is_data = header[0] == SSL3_RT_APPLICATION_DATA;
    bool is_long = length > SSL3_RT_MAX_TLS13_ENCRYPTED_LENGTH;

    if (is_data && is_major && header[2] == TLS1_2_VERSION_MINOR && !is_long) {
        return false;
    }
    tls_engine_hear_record(engine);
    if (compat_condemns_version(header)) {
        fail(engine, SSL_AD_PROTOCOL_VERSION, SSL_R_WRONG_VERSION_NUMBER);
    } else if (!is_data) {
        fail_unexpected(engine, SSL_R_BAD_RECORD_TYPE);
    } else if (!is_major || header[2] != TLS1_2_VERSION_MINOR) {
        fail(engine, SSL_AD_DECODE_ERROR, SSL_R_WRONG_VERSION_NUMBER);
    } else {
        fail(engine, SSL_AD_RECORD_OVERFLOW,
             length > COMPAT_RECORD_BYTES_MAX ? SSL_R_PACKET_LENGTH_TOO_LONG
                                              : SSL_R_ENCRYPTED_LENGTH_TOO_LONG);
    }
    settle(engine);
    return true;
}

void tls_retired_take_broken(struct tls_engine *engine)
{
    tls_engine_hear_record(engine);
    fail(engine, SSL_AD_BAD_RECORD_MAC, SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC);
    settle(engine);
}

static bool send_key_update(struct tls_engine *engine, uint8_t request)
{
    const uint8_t message[KEY_UPDATE_BYTES] = {SSL3_MT_KEY_UPDATE, 0, 0, 1, request};

    control_of(engine)->owes_update = false;
    return tls_records_put(engine, SSL3_RT_HANDSHAKE, message, sizeof(message)) &&
           tls_records_rekey(engine->records, &engine->records->out);
}

static void take_key_update(struct tls_engine *engine, bool is_last)
{
    struct record_control *control = control_of(engine);
    uint8_t request = control->message[MESSAGE_HEADER_BYTES];
    bool is_whole = control->message_bytes == KEY_UPDATE_BYTES;

    control->message_bytes = 0;
    tls_engine_hear_message(engine, SSL3_MT_KEY_UPDATE);
    if (!is_last) {
        fail_unexpected(engine, SSL_R_NOT_ON_RECORD_BOUNDARY);
    } else if (!is_whole) {
        fail(engine, SSL_AD_DECODE_ERROR, SSL_R_BAD_KEY_UPDATE);
    } else if (request != SSL_KEY_UPDATE_NOT_REQUESTED && request != SSL_KEY_UPDATE_REQUESTED) {
        fail(engine, SSL_AD_ILLEGAL_PARAMETER, SSL_R_BAD_KEY_UPDATE);
    } else if (!tls_records_rekey(engine->records, &engine->records->in)) {
        fail(engine, SSL_AD_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    } else if (request == SSL_KEY_UPDATE_REQUESTED) {
        control->owes_update = true;
    }
}

static void look_into_message(struct tls_engine *engine, bool is_last)
{
    const struct record_control *control = control_of(engine);
    const uint8_t *message = control->message;

    if (message[0] != SSL3_MT_KEY_UPDATE) {
        fail_unexpected(engine, SSL_R_UNEXPECTED_MESSAGE);
    } else if (message[1] != 0 || message[2] != 0 || message[3] > 1) {
        fail(engine, SSL_AD_ILLEGAL_PARAMETER, SSL_R_EXCESSIVE_MESSAGE_SIZE);
    } else if (control->message_bytes == MESSAGE_HEADER_BYTES + message[3]) {
        take_key_update(engine, is_last);
    }
}

static void take_handshake(struct tls_engine *engine, const uint8_t *bytes, size_t count)
{
    struct record_control *control = control_of(engine);

    if (control->message_waits) {
        control->message_waits = false;
        look_into_message(engine, false);
    }
    for (size_t i = 0; i < count && !control->failed; i++) {
        control->message[control->message_bytes++] = bytes[i];
        if (control->message_bytes < MESSAGE_HEADER_BYTES) {
            continue;
        }
        /* Before it looks into a message OpenSSL sends what is to be sent, and then looks only
         * when there is more of it. */
        if (control->owes_update) {
            control->message_waits = i + 1 == count;
            if (!send_key_update(engine, SSL_KEY_UPDATE_NOT_REQUESTED)) {
                end(engine, ERR_R_INTERNAL_ERROR);
            }
        }
        if (!control->failed && !control->message_waits) {
            look_into_message(engine, i + 1 == count);
        }
    }
}

static void take_alert(struct tls_engine *engine, const uint8_t *bytes, size_t count)
{
    struct record_control *control = control_of(engine);
    bool is_warning;

    if (count != ALERT_BYTES) {
        fail_unexpected(engine, SSL_R_INVALID_ALERT);
        return;
    }
    is_warning = bytes[1] == SSL_AD_USER_CANCELLED;
    if (is_warning || (compat_counts_level && bytes[0] == SSL3_AL_WARNING)) {
        control->warnings++;
    }
    if (control->warnings > WARNINGS_MAX) {
        fail_unexpected(engine, SSL_R_TOO_MANY_WARN_ALERTS);
    } else if (bytes[1] == SSL_AD_CLOSE_NOTIFY) {
        control->received_close = true;
    } else if (!is_warning) { /* whatever it calls itself (RFC 8446 6) */
        end(engine, SSL_AD_REASON_OFFSET + bytes[1]);
    }
}

/* Returned with the next read, in pieces if need be. */
static bool take_data(struct tls_engine *engine, const uint8_t *bytes, size_t count)
{
    uint8_t *kept = count > 0 ? tls_records_lend_new(engine->records->in.traffic, count) : NULL;

    if (kept != NULL) {
        engine->useful_records = engine->tally.records_in;
        memcpy(kept, bytes, count);
    }
    return kept != NULL || count == 0;
}

/* Of the record itself; false: that was the end. */
static bool has_form(struct tls_engine *engine, uint8_t type, size_t count)
{
    struct record_control *control = control_of(engine);
    bool is_data = type == SSL3_RT_APPLICATION_DATA;
    bool is_known = is_data || type == SSL3_RT_ALERT || type == SSL3_RT_HANDSHAKE;
    bool is_long = count > TLS_PLAINTEXT_BYTES_MAX;

    if (!is_known && !(is_long && compat_length_first)) {
        fail_unexpected(engine, SSL_R_BAD_RECORD_TYPE);
    } else if (!is_data && count == 0) {
        fail_unexpected(engine, SSL_R_BAD_LENGTH);
    } else if (is_long) {
        fail(engine, SSL_AD_RECORD_OVERFLOW, SSL_R_DATA_LENGTH_TOO_LONG);
    } else if (count > 0) {
        control->empty_records = 0;
    } else if (++control->empty_records > TLS_EMPTY_RECORDS_MAX) {
        fail_unexpected(engine, SSL_R_RECORD_TOO_SMALL);
    }
    return !control->failed;
}

/* Whether it may come between the records of a message; false: that was the end. */
static bool has_place(struct tls_engine *engine, uint8_t type)
{
    struct record_control *control = control_of(engine);

    if (type == SSL3_RT_HANDSHAKE || control->message_bytes == 0) {
        return true;
    }
    if (!tls_engine_in_message(engine)) {
        fail_unexpected(engine, SSL_R_MIXED_HANDSHAKE_AND_NON_HANDSHAKE_DATA);
    } else if (type == SSL3_RT_APPLICATION_DATA && engine->flood == TLS_FLOOD_NONE) {
        fail_unexpected(engine, control->sent_close ? SSL_R_APPLICATION_DATA_AFTER_CLOSE_NOTIFY
                                                    : SSL_R_UNEXPECTED_RECORD);
    }
    return !control->failed;
}

bool tls_retired_take(struct tls_engine *engine, const uint8_t *inner, size_t inner_bytes)
{
    struct record_control *control = control_of(engine);
    size_t count = inner_bytes - 1;
    bool has_memory = true;
    uint8_t type;

    while (count > 0 && inner[count] == 0) {
        count--;
    }
    type = inner[count];
    tls_engine_hear_record(engine);
    if (has_form(engine, type, count) && has_place(engine, type)) {
        if (type != SSL3_RT_ALERT && count > 0) {
            control->warnings = 0;
        }
        if (engine->flood != TLS_FLOOD_NONE) {
            ; /* nothing of the peer is heard any more */
        } else if (type == SSL3_RT_ALERT) {
            take_alert(engine, inner, count);
        } else if (type == SSL3_RT_HANDSHAKE) {
            take_handshake(engine, inner, count);
        } else {
            has_memory = take_data(engine, inner, count);
        }
    }
    settle(engine);
    return has_memory;
}

bool tls_retired_waits(const struct tls_engine *engine)
{
    const struct record_control *control = control_of(engine);

    return engine->records->in.traffic->loan == NULL && engine->flood == TLS_FLOOD_NONE &&
           !control->received_close && !control->failed;
}

enum tls_status tls_retired_read(struct tls_engine *engine, uint8_t *out, size_t out_max,
                                 size_t *out_count, struct tls_failure_detail *failure)
{
    struct record_control *control = control_of(engine);

    if (engine->records->in.traffic->loan != NULL) {
        *out_count = tls_records_lend(engine, out, out_max);
        settle(engine);
        return TLS_OK;
    }
    if (control->failed || engine->flood != TLS_FLOOD_NONE) {
        return tls_engine_fail(engine, failure);
    }
    if (control->received_close) {
        return TLS_CLOSED;
    }
    tls_flood_look(engine);
    settle(engine);
    return engine->flood == TLS_FLOOD_NONE ? TLS_AGAIN : tls_engine_fail(engine, failure);
}

enum tls_status tls_retired_write(struct tls_engine *engine, const uint8_t *bytes, size_t count,
                                  struct tls_failure_detail *failure)
{
    const struct record_control *control = control_of(engine);

    ERR_clear_error();
    if (control->sent_close) { /* which speaks against nothing that comes in */
        ERR_raise(ERR_LIB_SSL, SSL_R_PROTOCOL_IS_SHUTDOWN);
        return tls_engine_fail(engine, failure);
    }
    if (!control->failed && tls_engine_in_message(engine)) {
        return TLS_AGAIN;
    }
    if (!control->failed && !send_key_update(engine, SSL_KEY_UPDATE_NOT_REQUESTED)) {
        end(engine, ERR_R_INTERNAL_ERROR);
    }
    settle(engine);
    return control->failed ? tls_engine_fail(engine, failure)
                           : tls_records_write(engine, bytes, count, failure);
}

void tls_retired_close(struct tls_engine *engine)
{
    static const uint8_t alert[ALERT_BYTES] = {SSL3_AL_WARNING, SSL_AD_CLOSE_NOTIFY};
    struct record_control *control = control_of(engine);

    if (!control->failed && !control->sent_close && !tls_engine_in_message(engine)) {
        control->sent_close = true;
        tls_records_put(engine, SSL3_RT_ALERT, alert, sizeof(alert));
        settle(engine);
    }
}

bool tls_retired_update_key(struct tls_engine *engine, bool both)
{
    if (control_of(engine)->failed || tls_engine_in_message(engine)) {
        return false;
    }
    if (!send_key_update(engine, both ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED)) {
        return false;
    }
    settle(engine);
    return true;
}
