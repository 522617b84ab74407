/* Certificates, keys, PKCS#12 bundles, roots, CRLs, DHE parameters and saved sessions, from memory.
 * The first byte says which; texts are divided by zero bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "tls/context.h"
#include "tls/engine.h"

enum kind { KIND_PEM, KIND_PFX, KIND_CA, KIND_CRL, KIND_DH, KIND_SESSION, KIND_COUNT };

static void make(enum tls_role role, const struct tls_config *config)
{
    struct error error = {0};
    struct tls_context *context = tls_context_new(role, config, NULL, &error);

    FUZZ_EXPECT(context || error.text[0] != '\0');
    tls_context_free(context);
}

static void parse_session(struct fuzz_input *input)
{
    struct tls_session *session = tls_session_parse(input->bytes, input->count);
    size_t bytes;

    if (session) {
        tls_session_ticket(session, &bytes);
        FUZZ_EXPECT(tls_session_serialise(session, NULL, 0) > 0);
    }
    tls_session_free(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct fuzz_input input = {bytes, count};
    enum kind kind = fuzz_byte(&input) % KIND_COUNT;
    struct tls_config config = {.passphrase = "secret"};
    char *first = NULL;
    char *second = NULL;

    switch (kind) {
    case KIND_PEM:
        config.certificates[0].certificate_pem = first = fuzz_text(&input);
        config.certificates[0].key_pem = second = fuzz_text(&input);
        config.certificate_count = 1;
        break;
    case KIND_PFX:
        config.pfx = input.bytes;
        config.pfx_bytes = input.count;
        break;
    case KIND_CA:
        config.ca_pem = first = fuzz_text(&input);
        break;
    case KIND_CRL:
        config.crl_pem = first = fuzz_text(&input);
        break;
    case KIND_DH:
        config.dhparam_pem = first = fuzz_text(&input);
        break;
    default:
        parse_session(&input);
        return 0;
    }
    make(kind == KIND_PEM || kind == KIND_PFX ? TLS_SERVER : TLS_CLIENT, &config);
    free(first);
    free(second);
    return 0;
}
