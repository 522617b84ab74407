#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>

#include "tls/context.h"
#include "tls/provider.h"

Test(provider, everything_else_is_openssls)
{
    struct tls_library *library = tls_library_new();
    EVP_KDF *kdf = EVP_KDF_fetch(tls_library_context(library), OSSL_KDF_NAME_HKDF, NULL);
    EVP_MD *digest = EVP_MD_fetch(tls_library_context(library), "SHA2-256", NULL);

    cr_assert_str_neq(OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(kdf)), "tlsdyno");
    cr_assert_str_neq(OSSL_PROVIDER_get0_name(EVP_MD_get0_provider(digest)), "tlsdyno");
    EVP_KDF_free(kdf);
    EVP_MD_free(digest);
    tls_library_free(library);
}

Test(provider, the_process_is_left_as_it_was)
{
    struct tls_library *library = tls_library_new();

    cr_assert_not_null(library);
    cr_assert_not(OSSL_PROVIDER_available(NULL, "tlsdyno"));
    tls_library_free(library);
    tls_library_free(NULL);
    cr_assert_null(tls_library_context(NULL));
}

Test(provider, steps_back_where_other_providers_were_chosen)
{
    OSSL_PROVIDER *other = OSSL_PROVIDER_load(NULL, "null");

    cr_assert_null(tls_library_new());
    OSSL_PROVIDER_unload(other);
}

Test(provider, ciphers_are_fetched_once)
{
    static const char name[] = "AES-128-GCM";
    struct tls_library *library = tls_library_new();
    EVP_CIPHER *cipher = tls_library_cipher(library, name);

    cr_assert_not_null(cipher);
    cr_assert_eq(tls_library_cipher(library, name), cipher);
    cr_assert_null(tls_library_cipher(library, "no such cipher"));
    cr_assert_eq(tls_library_cipher(library, name), cipher);
    ERR_clear_error();
    tls_library_free(library);
}
