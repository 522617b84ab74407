/* The OCSP response that a server's configuration brings (RFC 6066 8): checked once, stapled often.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "base/error.h"
#include "tls/internal.h"
#include "tls/setup.h"

enum { CLOCK_SKEW_S = 300 };

/* Clients refuse what is older than the responder promised to renew it. */
static bool is_current(OCSP_BASICRESP *basic)
{
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        ASN1_GENERALIZEDTIME *this_update = NULL;
        ASN1_GENERALIZEDTIME *next_update = NULL;

        OCSP_single_get0_status(OCSP_resp_get0(basic, i), NULL, NULL, &this_update, &next_update);
        if (!OCSP_check_validity(this_update, next_update, CLOCK_SKEW_S, -1)) {
            return false;
        }
    }
    return true;
}

static int response_check(struct tls_context *context, OCSP_RESPONSE *response, struct error *error)
{
    int status = OCSP_response_status(response);
    OCSP_BASICRESP *basic;

    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        return error_set(error, "OCSP response: the responder answered '%s' and no status",
                         OCSP_response_status_str(status));
    }
    basic = OCSP_response_get1_basic(response);
    if (basic == NULL) {
        return tls_error_set(error, "OCSP response: it has no basic response in it");
    }
    if (!is_current(basic)) {
        tls_warn(context, "the OCSP response is out of date: clients will refuse it");
        ERR_clear_error();
    }
    OCSP_BASICRESP_free(basic);
    return 0;
}

int tls_staple_setup(struct tls_context *context, const struct tls_config *config,
                     struct error *error)
{
    const unsigned char *der = config->ocsp_response;
    OCSP_RESPONSE *response;
    int result;

    if (der == NULL) {
        return 0;
    }
    response = d2i_OCSP_RESPONSE(NULL, &der, (long)config->ocsp_response_bytes);
    if (response == NULL || der != config->ocsp_response + config->ocsp_response_bytes) {
        OCSP_RESPONSE_free(response);
        return tls_error_set(error, "OCSP response: it is not one in DER");
    }
    result = response_check(context, response, error);
    OCSP_RESPONSE_free(response);
    if (result != 0) {
        return -1;
    }
    context->ocsp_response = malloc(config->ocsp_response_bytes);
    if (context->ocsp_response == NULL) {
        return error_set(error, "out of memory");
    }
    memcpy(context->ocsp_response, config->ocsp_response, config->ocsp_response_bytes);
    context->ocsp_response_bytes = config->ocsp_response_bytes;
    return 0;
}
