#include "tls/session_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <openssl/ssl.h>

#include "base/error.h"

static char path[] = "/tmp/dyno-session-XXXXXX";

static void make(void)
{
    int descriptor = mkstemp(path);

    cr_assert_geq(descriptor, 0);
    close(descriptor);
}

static void drop(void)
{
    unlink(path);
}

TestSuite(session_file, .init = make, .fini = drop);

/* The bytes of the least that OpenSSL takes for a session. */
static size_t session_bytes(uint8_t out[512])
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    SSL_SESSION *session = SSL_SESSION_new();
    uint8_t *end = out;

    SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
    SSL_SESSION_set_cipher(session, sk_SSL_CIPHER_value(SSL_get_ciphers(ssl), 0));
    SSL_SESSION_set1_master_key(session, (const uint8_t *)"secret", 6);
    i2d_SSL_SESSION(session, &end);
    SSL_SESSION_free(session);
    SSL_free(ssl);
    SSL_CTX_free(context);
    return (size_t)(end - out);
}

static void write_text(const char *text)
{
    FILE *file = fopen(path, "w");

    fputs(text, file);
    fclose(file);
}

Test(session_file, what_was_written_is_read)
{
    uint8_t session[512];
    const size_t bytes = session_bytes(session);
    struct error error = {0};
    uint8_t *read;
    size_t read_bytes;

    write_text("something much longer than the session, which must not stay behind it");
    cr_assert_eq(tls_session_file_write(path, session, bytes, &error), 0, "%s", error.text);
    cr_assert_eq(tls_session_file_read(path, &read, &read_bytes, &error), 0, "%s", error.text);
    cr_assert_eq(read_bytes, bytes);
    cr_expect_arr_eq(read, session, bytes);
    free(read);
}

Test(session_file, one_that_is_not_there_is_made_for_its_owner_only)
{
    struct error error = {0};
    struct stat status;
    uint8_t *read;
    size_t bytes;

    unlink(path);
    for (int again = 0; again <= 1; again++) { /* then it is empty */
        cr_assert_eq(tls_session_file_read(path, &read, &bytes, &error), 0, "%s", error.text);
        cr_expect_null(read);
    }
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0600);
}

Test(session_file, what_is_no_session_is_refused)
{
    static const char *const texts[] = {
        "hello\n",
        "-----BEGIN SSL SESSION PARAMETERS-----\nAAAA\n-----END SSL SESSION PARAMETERS-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN SSL SESSION PARAMETERS-----\n",
    };
    struct error error = {0};
    uint8_t *read;
    size_t bytes;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_text(texts[i]);
        cr_expect_eq(tls_session_file_read(path, &read, &bytes, &error), -1, "%s", texts[i]);
        cr_expect_null(read);
        cr_expect_not_null(strstr(error.text, path), "%s", error.text);
    }
    cr_expect_eq(tls_session_file_read("/no/such/folder/file", &read, &bytes, &error), -1);
    cr_expect_not_null(strstr(error.text, "/no/such/folder/file"));
    cr_expect_eq(tls_session_file_write("/no/such/folder/file", NULL, 0, &error), -1);
}
