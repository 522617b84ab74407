#include "tls/session_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/error.h"
#include "tls/engine.h"

/* What is read and written passes through `buffer`, because stdio would free its own with the
 * secret still in it. */
static FILE *file_open(const char *name, int flags, const char *mode, char buffer[BUFSIZ])
{
    int descriptor = open(name, O_RDWR | O_CREAT | O_CLOEXEC | flags, S_IRUSR | S_IWUSR);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, mode) : NULL;

    if (file == NULL && descriptor >= 0) {
        close(descriptor);
    } else if (file != NULL) {
        setvbuf(file, buffer, _IOFBF, BUFSIZ);
    }
    return file;
}

/* The first session in it, on the heap of OpenSSL; NULL: there is none. */
static uint8_t *pem_read(FILE *file, size_t *out_bytes)
{
    char *name = NULL;
    char *header = NULL;
    uint8_t *data = NULL;
    long bytes = 0;
    struct tls_session *session = NULL;

    if (PEM_read(file, &name, &header, &data, &bytes) == 1 &&
        strcmp(name, PEM_STRING_SSL_SESSION) == 0) {
        session = tls_session_parse(data, (size_t)bytes);
    }
    if (session == NULL) {
        OPENSSL_clear_free(data, (size_t)bytes);
        data = NULL;
    }
    *out_bytes = (size_t)bytes;
    tls_session_free(session);
    OPENSSL_free(name);
    OPENSSL_free(header);
    ERR_clear_error();
    return data;
}

int tls_session_file_read(const char *name, uint8_t **out, size_t *out_bytes, struct error *error)
{
    char buffer[BUFSIZ];
    FILE *file = file_open(name, 0, "r", buffer);
    struct stat status = {0};
    uint8_t *data;

    *out = NULL;
    *out_bytes = 0;
    if (file == NULL || fstat(fileno(file), &status) != 0) {
        error_set(error, "session file '%s' cannot be read and written: %m", name);
        if (file != NULL) {
            fclose(file);
        }
        return -1;
    }
    data = status.st_size > 0 ? pem_read(file, out_bytes) : NULL;
    fclose(file);
    OPENSSL_cleanse(buffer, sizeof(buffer));
    if (status.st_size == 0) {
        return 0;
    }
    if (data == NULL) {
        return error_set(error,
                         "session file '%s' has no session in it: \"-----BEGIN %s-----\", as "
                         "openssl s_client -sess_out writes it",
                         name, PEM_STRING_SSL_SESSION);
    }
    *out = malloc(*out_bytes);
    if (*out != NULL) {
        memcpy(*out, data, *out_bytes);
    }
    OPENSSL_clear_free(data, *out_bytes);
    return *out != NULL ? 0 : error_set(error, "out of memory");
}

int tls_session_file_write(const char *name, const uint8_t *data, size_t bytes, struct error *error)
{
    char buffer[BUFSIZ];
    FILE *file = file_open(name, O_TRUNC, "w", buffer);
    int written = file != NULL ? PEM_write(file, PEM_STRING_SSL_SESSION, "", data, (long)bytes) : 0;
    bool good = file != NULL && fclose(file) == 0 && written > 0;

    OPENSSL_cleanse(buffer, sizeof(buffer));
    ERR_clear_error();
    if (!good) {
        return error_set(error, "session file '%s' cannot be written: %m", name);
    }
    return 0;
}
