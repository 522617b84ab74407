/* Two of OpenSSL's callbacks can suspend a server's handshake: the one at the ClientHello, for the
 * context and the session, and the one before our certificate is chosen, which a resumed handshake
 * never reaches, for the staple. */
#include "tls/want.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "tls/setup.h"

void want_blob_clear(struct want_blob *blob)
{
    OPENSSL_clear_free(blob->data, blob->bytes);
    *blob = (struct want_blob){0};
}

/* What cannot be copied is not there: no staple, a handshake that fails on the switch. */
void want_blob_set(struct want_blob *blob, const uint8_t *data, size_t bytes)
{
    want_blob_clear(blob);
    blob->data = data != NULL ? OPENSSL_memdup(data, bytes) : NULL;
    blob->bytes = blob->data != NULL ? bytes : 0;
}

static void blob_set_certificate(struct want_blob *blob, X509 *certificate)
{
    int bytes;

    want_blob_clear(blob);
    bytes = certificate != NULL ? i2d_X509(certificate, &blob->data) : 0;
    blob->bytes = bytes > 0 ? (size_t)bytes : 0;
}

struct tls_wants *tls_wants_new(unsigned asks)
{
    struct tls_wants *wants = calloc(1, sizeof(*wants));

    if (wants != NULL) {
        wants->asks = asks;
        wants->external = (asks & 1U << TLS_WANT_SESSION) != 0;
        wants->saves = (asks & 1U << TLS_WANT_SAVE) != 0;
    }
    return wants;
}

void tls_wants_free(struct tls_wants *wants)
{
    if (wants == NULL) {
        return;
    }
    want_blob_clear(&wants->hello);
    want_blob_clear(&wants->staple);
    want_blob_clear(&wants->own);
    want_blob_clear(&wants->issuer);
    want_blob_clear(&wants->saved);
    SSL_SESSION_free(wants->session);
    X509_free(wants->stapled);
    free(wants);
}

/* True once for each want that the driver answers. */
static bool take(struct tls_wants *wants, enum tls_want want)
{
    bool asked = (wants->asks & 1U << want) != 0;

    wants->asks &= ~(1U << want);
    return asked;
}

static int on_client_hello(SSL *ssl, int *alert, void *unused)
{
    const struct tls_engine *engine = tls_engine_of(ssl);
    struct tls_wants *wants = engine->wants;

    (void)unused;
    if (engine->flood != TLS_FLOOD_NONE) {
        *alert = SSL_AD_HANDSHAKE_FAILURE;
        return SSL_CLIENT_HELLO_ERROR;
    }
    if (wants == NULL) {
        return SSL_CLIENT_HELLO_SUCCESS;
    }
    if (wants->refused) {
        *alert = wants->want == TLS_WANT_CONTEXT ? SSL_AD_UNRECOGNIZED_NAME : SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    if (wants->want == TLS_WANT_NOTHING) {
        if (take(wants, TLS_WANT_CONTEXT) && tls_hello_server_name(ssl, wants->server_name)) {
            wants->want = TLS_WANT_CONTEXT;
        } else if (take(wants, TLS_WANT_SESSION) &&
                   tls_hello_session_id(ssl, wants->id, &wants->id_bytes)) {
            wants->want = TLS_WANT_SESSION;
        }
    }
    return wants->want != TLS_WANT_NOTHING ? SSL_CLIENT_HELLO_RETRY : SSL_CLIENT_HELLO_SUCCESS;
}

static int on_server_name(SSL *ssl, int *alert, void *unused)
{
    const struct tls_wants *wants = tls_engine_of(ssl)->wants;

    (void)alert;
    (void)unused;
    /* A name that was made use of is acknowledged (RFC 6066 3). */
    return wants != NULL && wants->server_name[0] != '\0' ? SSL_TLSEXT_ERR_OK
                                                          : SSL_TLSEXT_ERR_NOACK;
}

static bool client_signs_with(SSL *ssl, int key_type)
{
    int count = SSL_get_sigalgs(ssl, 0, NULL, NULL, NULL, NULL, NULL);

    for (int i = 0; i < count; i++) {
        int type;

        if (SSL_get_sigalgs(ssl, i, &type, NULL, NULL, NULL, NULL) > 0 && type == key_type) {
            return true;
        }
    }
    return false;
}

/* Makes the certificate current that OpenSSL will most likely take: the one that is not RSA, if the
 * client can check its signatures. */
static void certificate_guess(SSL *ssl)
{
    for (long more = SSL_set_current_cert(ssl, SSL_CERT_SET_FIRST); more == 1;
         more = SSL_set_current_cert(ssl, SSL_CERT_SET_NEXT)) {
        int type = EVP_PKEY_get_base_id(SSL_get_privatekey(ssl));

        if (type != EVP_PKEY_RSA && client_signs_with(ssl, type)) {
            return;
        }
    }
    SSL_set_current_cert(ssl, SSL_CERT_SET_FIRST);
}

/* Called before our certificate is chosen, when a full handshake needs one. */
static int on_certificate(SSL *ssl, void *argument)
{
    struct tls_wants *wants = argument;
    STACK_OF(X509) *chain = NULL;
    X509 *issuer;

    if (wants->refused) {
        return 0; /* internal_error */
    }
    if (wants->want != TLS_WANT_NOTHING) {
        return -1;
    }
    /* A connection that was resumed has not asked yet, and may be renegotiated in full: then it is
     * open, and nobody waits for its reads. */
    if (tls_engine_of(ssl)->established || !take(wants, TLS_WANT_STAPLE) ||
        SSL_get_tlsext_status_type(ssl) != TLSEXT_STATUSTYPE_ocsp) {
        return 1;
    }
    certificate_guess(ssl);
    wants->stapled = SSL_get_certificate(ssl);
    X509_up_ref(wants->stapled);
    SSL_get0_chain_certs(ssl, &chain);
    issuer = sk_X509_num(chain) > 0 ? sk_X509_value(chain, 0) : NULL;
    blob_set_certificate(&wants->own, wants->stapled);
    blob_set_certificate(&wants->issuer, issuer);
    wants->want = TLS_WANT_STAPLE;
    return -1;
}

/* For a server whose certificate is chosen, and a client that has the server's. */
static int on_status(SSL *ssl, void *unused)
{
    const struct tls_wants *wants = tls_engine_of(ssl)->wants;
    const struct tls_context *context = tls_context_of(ssl);
    struct want_blob staple = {context->ocsp_response, context->ocsp_response_bytes};

    (void)unused;
    if (!SSL_is_server(ssl)) {
        return 1; /* what came is tls_engine_staple()'s, whatever it says */
    }
    if (wants != NULL && wants->stapled != NULL) {
        staple = wants->staple;
        if (SSL_get_certificate(ssl) != wants->stapled) {
            return SSL_TLSEXT_ERR_NOACK;
        }
    }
    staple.data = staple.bytes > 0 ? OPENSSL_memdup(staple.data, staple.bytes) : NULL;
    if (staple.data == NULL) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    SSL_set_tlsext_status_ocsp_resp(ssl, staple.data, (long)staple.bytes); /* takes it */
    return SSL_TLSEXT_ERR_OK;
}

void tls_want_setup(struct tls_context *context)
{
    SSL_CTX_set_tlsext_status_cb(context->ssl, on_status);
    if (context->request_ocsp) {
        SSL_CTX_set_tlsext_status_type(context->ssl, TLSEXT_STATUSTYPE_ocsp);
    }
    if (context->role == TLS_SERVER) {
        SSL_CTX_set_client_hello_cb(context->ssl, on_client_hello, NULL);
        SSL_CTX_set_tlsext_servername_callback(context->ssl, on_server_name);
    }
}

void tls_wants_open(struct tls_wants *wants, SSL *ssl)
{
    if ((wants->asks & 1U << TLS_WANT_STAPLE) != 0) {
        SSL_set_cert_cb(ssl, on_certificate, wants);
    }
    /* The context issues none without tickets, for it knows of no store where TLS 1.3 sessions
     * are. */
    if (wants->external && (SSL_get_options(ssl) & SSL_OP_NO_TICKET) != 0) {
        SSL_set_num_tickets(ssl, 1);
    }
}

void tls_wants_hear_hello(struct tls_wants *wants, const uint8_t *message, size_t count)
{
    if ((wants->asks & 1U << TLS_WANT_CONTEXT) != 0) {
        want_blob_set(&wants->hello, message, count);
    }
}

bool tls_wants_external(const struct tls_wants *wants)
{
    return wants->external;
}

SSL_SESSION *tls_wants_lookup(const struct tls_wants *wants, const uint8_t *id, size_t id_bytes)
{
    bool same = id_bytes == wants->id_bytes && memcmp(id, wants->id, id_bytes) == 0;

    return same ? wants->session : NULL;
}

void tls_wants_hear_session(struct tls_wants *wants, SSL_SESSION *session)
{
    const uint8_t *id;
    unsigned id_bytes;
    int bytes;

    if (!wants->saves) {
        return;
    }
    want_blob_clear(&wants->saved);
    bytes = i2d_SSL_SESSION(session, &wants->saved.data);
    if (bytes <= 0) {
        return;
    }
    wants->saved.bytes = (size_t)bytes;
    id = SSL_SESSION_get_id(session, &id_bytes);
    memcpy(wants->id, id, id_bytes);
    wants->id_bytes = id_bytes;
}

bool tls_wants_save(struct tls_wants *wants)
{
    if (wants->want == TLS_WANT_NOTHING && wants->saved.bytes > 0 && take(wants, TLS_WANT_SAVE)) {
        wants->want = TLS_WANT_SAVE;
    }
    return wants->want == TLS_WANT_SAVE;
}
