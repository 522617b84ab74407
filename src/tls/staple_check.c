/* A client's look into the OCSP response that the server stapled (RFC 6960 3.2). */
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "tls/internal.h"

enum { CLOCK_SKEW_S = 300 };

/* Whether it is about this certificate. Responders choose the digest of the names. */
static bool is_about(OCSP_SINGLERESP *single, const X509 *certificate, const X509 *issuer)
{
    const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(single);
    ASN1_OBJECT *digest = NULL;
    OCSP_CERTID *own;
    bool same;

    OCSP_id_get0_info(NULL, &digest, NULL, NULL, (OCSP_CERTID *)id);
    own = OCSP_cert_to_id(EVP_get_digestbyobj(digest), certificate, issuer);
    same = own != NULL && OCSP_id_cmp(own, id) == 0;
    OCSP_CERTID_free(own);
    return same;
}

static enum tls_staple status_of(OCSP_BASICRESP *basic, const X509 *certificate, const X509 *issuer)
{
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        ASN1_GENERALIZEDTIME *this_update = NULL;
        ASN1_GENERALIZEDTIME *next_update = NULL;
        int status = OCSP_single_get0_status(single, NULL, NULL, &this_update, &next_update);

        if (is_about(single, certificate, issuer)) {
            if (!OCSP_check_validity(this_update, next_update, CLOCK_SKEW_S, -1)) {
                return TLS_STAPLE_UNVERIFIED;
            }
            return status == V_OCSP_CERTSTATUS_GOOD      ? TLS_STAPLE_GOOD
                   : status == V_OCSP_CERTSTATUS_REVOKED ? TLS_STAPLE_REVOKED
                                                         : TLS_STAPLE_UNVERIFIED;
        }
    }
    return TLS_STAPLE_UNVERIFIED;
}

static enum tls_staple response_check(SSL *ssl, OCSP_RESPONSE *response)
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    X509_STORE *store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    enum tls_staple result = TLS_STAPLE_UNVERIFIED;

    if (basic != NULL && SSL_get_verify_result(ssl) == X509_V_OK && sk_X509_num(chain) > 0 &&
        OCSP_basic_verify(basic, chain, store, 0) == 1) {
        int issuer = sk_X509_num(chain) > 1 ? 1 : 0; /* 0: it signed itself */

        result = status_of(basic, sk_X509_value(chain, 0), sk_X509_value(chain, issuer));
    }
    OCSP_BASICRESP_free(basic);
    return result;
}

enum tls_staple tls_engine_staple_check(const struct tls_engine *engine)
{
    size_t bytes;
    const uint8_t *der = tls_engine_staple(engine, &bytes);
    enum tls_staple result = TLS_STAPLE_UNVERIFIED;
    OCSP_RESPONSE *response;

    if (der == NULL) {
        return TLS_STAPLE_NONE;
    }
    response = d2i_OCSP_RESPONSE(NULL, &der, (long)bytes);
    if (response != NULL && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        result = response_check(engine->ssl, response);
    }
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    return result;
}
