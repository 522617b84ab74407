#include "tls/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

#include "base/error.h"
#include "tls/internal.h"

static const char *const failure_names[TLS_FAILURE_COUNT] = {
    [TLS_FAILURE_PROTOCOL] = "protocol",       [TLS_FAILURE_VERSION] = "version",
    [TLS_FAILURE_NO_SHARED] = "no_shared",     [TLS_FAILURE_NOT_TLS] = "not_tls",
    [TLS_FAILURE_CERTIFICATE] = "certificate", [TLS_FAILURE_ALERT] = "alert",
    [TLS_FAILURE_CORRUPT] = "corrupt",         [TLS_FAILURE_INTERNAL] = "internal",
};

/* OpenSSL's reasons by what they mean to a person; any other SSL reason is a protocol failure. */
static const struct {
    int reason;
    enum tls_failure kind;
} reasons[] = {
    {SSL_R_HTTP_REQUEST, TLS_FAILURE_NOT_TLS},
    {SSL_R_HTTPS_PROXY_REQUEST, TLS_FAILURE_NOT_TLS},
    {SSL_R_WRONG_VERSION_NUMBER, TLS_FAILURE_NOT_TLS}, /* of a record: the bytes are no TLS */
    {SSL_R_UNKNOWN_PROTOCOL, TLS_FAILURE_NOT_TLS},     /* an SSLv2 hello that offers only SSLv2 */
    {SSL_R_RECORD_TOO_SMALL, TLS_FAILURE_NOT_TLS},     /* an SSLv2 record too short for a hello */

    {SSL_R_UNSUPPORTED_PROTOCOL, TLS_FAILURE_VERSION},
    {SSL_R_UNSUPPORTED_SSL_VERSION, TLS_FAILURE_VERSION},
    {SSL_R_WRONG_SSL_VERSION, TLS_FAILURE_VERSION},
    {SSL_R_VERSION_TOO_LOW, TLS_FAILURE_VERSION},
    {SSL_R_VERSION_TOO_HIGH, TLS_FAILURE_VERSION},
    {SSL_R_BAD_LEGACY_VERSION, TLS_FAILURE_VERSION},
    {SSL_R_NO_PROTOCOLS_AVAILABLE, TLS_FAILURE_VERSION},
    {SSL_R_INAPPROPRIATE_FALLBACK, TLS_FAILURE_VERSION},

    {SSL_R_NO_SHARED_CIPHER, TLS_FAILURE_NO_SHARED},
    {SSL_R_NO_SUITABLE_KEY_SHARE, TLS_FAILURE_NO_SHARED},
    {SSL_R_NO_SUITABLE_GROUPS, TLS_FAILURE_NO_SHARED},
    {SSL_R_NO_SHARED_GROUPS, TLS_FAILURE_NO_SHARED},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, TLS_FAILURE_NO_SHARED},
    {SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, TLS_FAILURE_NO_SHARED},
    {SSL_R_NO_APPLICATION_PROTOCOL, TLS_FAILURE_NO_SHARED},
    {SSL_R_NO_CIPHERS_AVAILABLE, TLS_FAILURE_NO_SHARED},

    {SSL_R_CERTIFICATE_VERIFY_FAILED, TLS_FAILURE_CERTIFICATE},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, TLS_FAILURE_CERTIFICATE},
    {SSL_R_EE_KEY_TOO_SMALL, TLS_FAILURE_CERTIFICATE},
    {SSL_R_CA_KEY_TOO_SMALL, TLS_FAILURE_CERTIFICATE},
    {SSL_R_CA_MD_TOO_WEAK, TLS_FAILURE_CERTIFICATE},

    {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, TLS_FAILURE_CORRUPT},
    {SSL_R_DECRYPTION_FAILED, TLS_FAILURE_CORRUPT},
    {SSL_R_ENCRYPTED_LENGTH_TOO_LONG, TLS_FAILURE_CORRUPT},
    {SSL_R_PACKET_LENGTH_TOO_LONG, TLS_FAILURE_CORRUPT},
    {SSL_R_DATA_LENGTH_TOO_LONG, TLS_FAILURE_CORRUPT},
    {SSL_R_LENGTH_TOO_SHORT, TLS_FAILURE_CORRUPT},
    {SSL_R_LENGTH_MISMATCH, TLS_FAILURE_PROTOCOL},
    {SSL_R_BAD_SIGNATURE, TLS_FAILURE_CORRUPT},
    {SSL_R_DIGEST_CHECK_FAILED, TLS_FAILURE_CORRUPT},

    {SSL_R_CALLBACK_FAILED, TLS_FAILURE_INTERNAL},
    {SSL_R_NO_CERTIFICATE_ASSIGNED, TLS_FAILURE_INTERNAL},
};

const char *tls_failure_name(enum tls_failure failure)
{
    return (unsigned)failure < TLS_FAILURE_COUNT ? failure_names[failure] : "unknown";
}

/* Empties the queue and returns the error that says most: the first of libssl, which knows the
 * protocol, before the first of a library below it. 0 when there is none. */
static unsigned long errors_take(void)
{
    unsigned long chosen = 0;
    unsigned long code;

    while ((code = ERR_get_error()) != 0) {
        bool better = ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_LIB(chosen) != ERR_LIB_SSL;

        /* "internal error" and "EVP lib" only repeat that something below failed. */
        if (chosen == 0 || (better && ERR_GET_REASON(code) != ERR_R_INTERNAL_ERROR)) {
            chosen = code;
        }
    }
    return chosen;
}

static const char *reason_text(unsigned long code)
{
    const char *text = ERR_reason_error_string(code);

    if (ERR_SYSTEM_ERROR(code)) {
        return strerror(ERR_GET_REASON(code));
    }
    /* All that it says of a text without a PEM block is "unsupported". */
    if (ERR_GET_LIB(code) == ERR_LIB_OSSL_DECODER) {
        return "there is none in it, or a damaged one";
    }
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == ERR_R_ASN1_LIB) {
        return "malformed certificate";
    }
    return text != NULL ? text : "unknown reason";
}

static enum tls_failure failure_kind(unsigned long code)
{
    int reason = ERR_GET_REASON(code);

    if (ERR_GET_LIB(code) != ERR_LIB_SSL || reason == ERR_R_INTERNAL_ERROR ||
        reason == ERR_R_MALLOC_FAILURE) {
        return TLS_FAILURE_INTERNAL;
    }
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].reason == reason) {
            return reasons[i].kind;
        }
    }
    return TLS_FAILURE_PROTOCOL;
}

/* OpenSSL 3.0 has no words for these. */
static const char *alert_text(int alert)
{
    switch (alert) {
    case SSL_AD_INAPPROPRIATE_FALLBACK: /* RFC 7507 */
        return "inappropriate fallback";
    case SSL_AD_MISSING_EXTENSION:
        return "missing extension";
    case SSL_AD_CERTIFICATE_REQUIRED:
        return "certificate required";
    default:
        return SSL_alert_desc_string_long(alert);
    }
}

void tls_failure_take(long verify_result, struct tls_failure_detail *out)
{
    unsigned long code = errors_take();
    int reason = ERR_GET_REASON(code);

    if (code == 0) {
        out->kind = TLS_FAILURE_INTERNAL;
        snprintf(out->reason, sizeof(out->reason), "no reason given");
        return;
    }
    /* A received alert is its number above this offset; the numbers below are libssl's own, and far
     * above are those that all libraries share. */
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET &&
        !ERR_COMMON_ERROR(code)) {
        out->kind = TLS_FAILURE_ALERT;
        snprintf(out->reason, sizeof(out->reason), "alert %s",
                 alert_text(reason - SSL_AD_REASON_OFFSET));
        return;
    }
    out->kind = failure_kind(code);
    if (out->kind == TLS_FAILURE_CERTIFICATE && verify_result != X509_V_OK) {
        snprintf(out->reason, sizeof(out->reason), "%s: %s", reason_text(code),
                 X509_verify_cert_error_string(verify_result));
    } else {
        snprintf(out->reason, sizeof(out->reason), "%s", reason_text(code));
    }
}

int tls_error_set(struct error *error, const char *format, ...)
{
    char sentence[ERROR_TEXT_BYTES];
    unsigned long code = errors_take();
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    if (code == 0) {
        return error_set(error, "%s", sentence);
    }
    return error_set(error, "%s: %s", sentence, reason_text(code));
}
