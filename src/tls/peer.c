/* Who the peer is: its certificates, what was found out about them, and what it said about their
 * revocation. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "tls/internal.h"

/* Text that is cut when it is full. */
struct text {
    char *out;
    size_t left; /* without the NUL */
};

static void text_add(struct text *text, const char *bytes, size_t count)
{
    count = count < text->left ? count : text->left;
    memcpy(text->out, bytes, count);
    text->out += count;
    text->left -= count;
    *text->out = '\0';
}

/* Names are the peer's invention: one with ", DNS:" in it must not look like two. */
static void text_add_escaped(struct text *text, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool plain = bytes[i] > ' ' && bytes[i] < 0x7f && strchr(",\"\\", bytes[i]) == NULL;
        char hex[4];

        snprintf(hex, sizeof(hex), "\\%02x", bytes[i]);
        text_add(text, plain ? (const char *)&bytes[i] : hex, plain ? 1 : 3);
    }
}

static void address_add(struct text *text, const ASN1_OCTET_STRING *address)
{
    const uint8_t *bytes = ASN1_STRING_get0_data(address);
    int count = ASN1_STRING_length(address);
    char part[8];

    for (int i = 0; count == 4 && i < count; i++) {
        snprintf(part, sizeof(part), i == 0 ? "%u" : ".%u", bytes[i]);
        text_add(text, part, strlen(part));
    }
    for (int i = 0; count == 16 && i < count; i += 2) {
        snprintf(part, sizeof(part), i == 0 ? "%x" : ":%x", bytes[i] << 8 | bytes[i + 1]);
        text_add(text, part, strlen(part));
    }
}

static void names_set(X509 *certificate, char *out, size_t out_bytes)
{
    static const struct {
        int type;
        const char *label;
    } kinds[] = {{GEN_DNS, "DNS:"}, {GEN_IPADD, "IP:"}, {GEN_EMAIL, "email:"}, {GEN_URI, "URI:"}};
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    struct text text = {out, out_bytes - 1};

    out[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int type;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);

        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
            if (kinds[k].type != type) {
                continue;
            }
            text_add(&text, ", ", text.out == out ? 0 : 2);
            text_add(&text, kinds[k].label, strlen(kinds[k].label));
            if (type == GEN_IPADD) {
                address_add(&text, value);
            } else {
                text_add_escaped(&text, ASN1_STRING_get0_data(value),
                                 (size_t)ASN1_STRING_length(value));
            }
        }
    }
    GENERAL_NAMES_free(names);
}

static void name_set(const X509_NAME *name, char *out, size_t out_bytes)
{
    BIO *bio = BIO_new(BIO_s_mem());
    struct text text = {out, out_bytes - 1};
    char *bytes;
    long count;

    out[0] = '\0';
    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
        count = BIO_get_mem_data(bio, &bytes);
        text_add(&text, bytes, count > 0 ? (size_t)count : 0);
    }
    BIO_free(bio);
}

static void time_set(const ASN1_TIME *time, char *out, size_t out_bytes)
{
    struct tm tm;

    if (!ASN1_TIME_to_tm(time, &tm) || strftime(out, out_bytes, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        out[0] = '\0';
    }
}

static void fingerprint_set(const X509 *certificate, const EVP_MD *type, char *out,
                            size_t out_bytes)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned bytes = 0;
    struct text text = {out, out_bytes - 1};

    out[0] = '\0';
    X509_digest(certificate, type, digest, &bytes);
    for (unsigned i = 0; i < bytes; i++) {
        char hex[4];

        snprintf(hex, sizeof(hex), i == 0 ? "%02X" : ":%02X", digest[i]);
        text_add(&text, hex, strlen(hex));
    }
}

static void serial_set(const X509 *certificate, char *out, size_t out_bytes)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL;

    snprintf(out, out_bytes, "%s", hex != NULL ? hex : "");
    OPENSSL_free(hex);
    BN_free(number);
}

static X509 *certificate_at(const SSL *ssl, unsigned depth)
{
    STACK_OF(X509) *chain = NULL;

    if (depth == 0) {
        return SSL_get0_peer_certificate(ssl);
    }
    if (SSL_get_verify_result(ssl) == X509_V_OK) {
        chain = SSL_get0_verified_chain(ssl);
    }
    if (chain == NULL) {
        chain = SSL_get_peer_cert_chain(ssl);
        depth -= SSL_is_server(ssl) ? 1 : 0; /* a server's has not the client's own */
    }
    return depth < (unsigned)INT_MAX ? sk_X509_value(chain, (int)depth) : NULL;
}

bool tls_engine_peer_certificate(struct tls_engine *engine, unsigned depth,
                                 struct tls_peer_certificate *out)
{
    X509 *certificate = engine->ssl != NULL ? certificate_at(engine->ssl, depth) : NULL;
    int bytes;

    *out = (struct tls_peer_certificate){0};
    if (certificate == NULL) {
        return false;
    }
    name_set(X509_get_subject_name(certificate), out->subject, sizeof(out->subject));
    name_set(X509_get_issuer_name(certificate), out->issuer, sizeof(out->issuer));
    time_set(X509_get0_notBefore(certificate), out->valid_from, sizeof(out->valid_from));
    time_set(X509_get0_notAfter(certificate), out->valid_to, sizeof(out->valid_to));
    fingerprint_set(certificate, EVP_sha1(), out->fingerprint_sha1, sizeof(out->fingerprint_sha1));
    fingerprint_set(certificate, EVP_sha256(), out->fingerprint_sha256,
                    sizeof(out->fingerprint_sha256));
    serial_set(certificate, out->serial, sizeof(out->serial));
    names_set(certificate, out->names, sizeof(out->names));
    OPENSSL_free(engine->peer_der);
    engine->peer_der = NULL;
    bytes = i2d_X509(certificate, &engine->peer_der);
    out->der = engine->peer_der;
    out->der_bytes = bytes > 0 ? (size_t)bytes : 0;
    ERR_clear_error();
    return true;
}

bool tls_engine_authorized(const struct tls_engine *engine, const char **out_reason)
{
    long result;

    *out_reason = "not encrypted";
    if (tls_engine_is_plain(engine)) {
        return false;
    }
    *out_reason = "no certificate";
    if (engine->ssl == NULL || SSL_get0_peer_certificate(engine->ssl) == NULL) {
        return false;
    }
    result = SSL_get_verify_result(engine->ssl);
    *out_reason = result == X509_V_OK ? "" : X509_verify_cert_error_string(result);
    return result == X509_V_OK;
}

const uint8_t *tls_engine_staple(const struct tls_engine *engine, size_t *out_bytes)
{
    const uint8_t *staple = NULL;
    long bytes = 0;

    if (engine->ssl != NULL && !SSL_is_server(engine->ssl)) {
        bytes = SSL_get_tlsext_status_ocsp_resp(engine->ssl, &staple);
    }
    *out_bytes = bytes > 0 ? (size_t)bytes : 0;
    return bytes > 0 ? staple : NULL;
}
