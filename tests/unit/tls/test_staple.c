#include <stdlib.h>

#include <criterion/criterion.h>

#include "fixture.h"
#include "forge.h"

Test(staple, an_answer_that_is_current_is_taken)
{
    struct fixture fixture = fixture_make();
    size_t bytes;
    uint8_t *der = forge_ocsp(fixture.certificate, fixture.certificate, 3600, &bytes);

    fixture.config.ocsp_response = der;
    fixture.config.ocsp_response_bytes = bytes;
    fixture_expect(&fixture, NULL);
    free(der);
    fixture_free(&fixture);
}

Test(staple, an_answer_that_is_out_of_date_is_warned_about)
{
    struct fixture fixture = fixture_make();
    size_t bytes;
    uint8_t *der = forge_ocsp(fixture.certificate, fixture.certificate, -3600, &bytes);

    fixture.config.ocsp_response = der;
    fixture.config.ocsp_response_bytes = bytes;
    fixture_expect(&fixture, "OCSP response is out of date");
    free(der);
    fixture_free(&fixture);
}

Test(staple, what_is_no_answer_is_refused)
{
    struct fixture fixture = fixture_make();
    size_t bytes;
    uint8_t *der = forge_ocsp(fixture.certificate, fixture.certificate, 3600, &bytes);
    uint8_t *refusal;

    fixture.config.ocsp_response = der;
    fixture.config.ocsp_response_bytes = bytes - 1;
    fixture_refuse(&fixture, "OCSP response", "not one in DER");
    fixture.config.ocsp_response_bytes = 0;
    fixture_refuse(&fixture, "OCSP response", "not one in DER");
    free(der);

    refusal = forge_ocsp_refusal(&bytes);
    fixture.config.ocsp_response = refusal;
    fixture.config.ocsp_response_bytes = bytes;
    fixture_refuse(&fixture, "OCSP response", "trylater");
    free(refusal);
    fixture_free(&fixture);
}
