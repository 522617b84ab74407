#include "tls/pem.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/error.h"
#include "tls/internal.h"

enum { PATH_BYTES = 4096 };

struct passphrase {
    const char *text; /* NULL: there is none */
    bool asked;
};

/* Takes the next object out of a text onto a stack. False at the end, and when it is malformed. */
typedef bool object_take(BIO *bio, void *stack);

const char *pem_source_name(const struct pem_source *source)
{
    return source->file != NULL ? source->file : "(memory)";
}

/* Its bytes pass through `buffer`, because stdio would free its own with the key still in it. */
static BIO *source_open(const struct pem_source *source, char buffer[BUFSIZ], struct error *error)
{
    FILE *file;
    BIO *bio;

    if (source->file == NULL && source->memory == NULL) {
        error_set(error, "a %s is missing: certificates and keys come in pairs", source->what);
        return NULL;
    }
    bio = source->file != NULL ? BIO_new_file(source->file, "r")
                               : BIO_new_mem_buf(source->memory, -1);
    if (bio == NULL) {
        int reason = errno;

        error_set(error, "%s file '%s' cannot be read: %s", source->what, pem_source_name(source),
                  strerror(reason));
        ERR_clear_error();
    } else if (source->file != NULL && BIO_get_fp(bio, &file) == 1) {
        setvbuf(file, buffer, _IOFBF, BUFSIZ);
    }
    return bio;
}

static void source_close(BIO *bio, char buffer[BUFSIZ])
{
    BIO_free(bio);
    OPENSSL_cleanse(buffer, BUFSIZ);
}

/* Never a prompt: OpenSSL asks a terminal when it has no such function. */
static int on_passphrase(char *out, int out_max, int writing, void *argument)
{
    struct passphrase *passphrase = argument;
    size_t bytes = passphrase->text != NULL ? strlen(passphrase->text) : 0;

    (void)writing;
    passphrase->asked = true;
    if (passphrase->text == NULL || bytes > (size_t)out_max) {
        return -1;
    }
    memcpy(out, passphrase->text, bytes);
    return (int)bytes;
}

static bool certificate_take(BIO *bio, void *stack)
{
    struct passphrase none = {0};
    X509 *certificate = PEM_read_bio_X509_AUX(bio, NULL, on_passphrase, &none);

    if (certificate == NULL || sk_X509_push(stack, certificate) > 0) {
        return certificate != NULL;
    }
    X509_free(certificate);
    return false;
}

static bool crl_take(BIO *bio, void *stack)
{
    struct passphrase none = {0};
    X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, on_passphrase, &none);

    if (crl == NULL || sk_X509_CRL_push(stack, crl) > 0) {
        return crl != NULL;
    }
    X509_CRL_free(crl);
    return false;
}

/* Takes all objects of one text. */
static int text_read(const struct pem_source *source, object_take *take, void *stack,
                     const char *kind, struct error *error)
{
    char buffer[BUFSIZ];
    BIO *bio = source_open(source, buffer, error);
    bool none = true;
    bool ended;

    if (bio == NULL) {
        return -1;
    }
    while (take(bio, stack)) {
        none = false;
    }
    source_close(bio, buffer);
    /* The end of a good text is "no start line"; anything else is malformed. Of a directory, a file
     * without any such object is none of ours. */
    ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!ended || (none && !source->directory)) {
        return tls_error_set(error, "%s file '%s' is not a good PEM %s", source->what,
                             pem_source_name(source), kind);
    }
    ERR_clear_error();
    return 0;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int directory_read(const struct pem_source *source, object_take *take, void *stack,
                          const char *kind, struct error *error)
{
    struct dirent **entries;
    int count = scandir(source->file, &entries, is_visible, alphasort);
    int result = 0;

    if (count < 0) {
        return error_set(error, "%s directory '%s' cannot be read: %s", source->what, source->file,
                         strerror(errno));
    }
    for (int i = 0; i < count; i++) {
        struct pem_source entry = *source;
        char path[PATH_BYTES];
        struct stat status;
        int bytes = snprintf(path, sizeof(path), "%s/%s", source->file, entries[i]->d_name);

        free(entries[i]);
        entry.file = path;
        if (result != 0 || bytes >= PATH_BYTES ||
            (stat(path, &status) == 0 && S_ISDIR(status.st_mode))) {
            continue;
        }
        result = text_read(&entry, take, stack, kind, error);
    }
    free(entries);
    return result;
}

static int source_read(const struct pem_source *source, object_take *take, void *stack,
                       const char *kind, struct error *error)
{
    struct pem_source single = *source;
    struct stat status;

    if (source->directory && source->file != NULL && stat(source->file, &status) == 0 &&
        S_ISDIR(status.st_mode)) {
        if (directory_read(source, take, stack, kind, error) != 0) {
            return -1;
        }
        return OPENSSL_sk_num(stack) > 0 ? 0
                                         : error_set(error, "%s directory '%s' has no PEM %s in it",
                                                     source->what, source->file, kind);
    }
    single.directory = false;
    return text_read(&single, take, stack, kind, error);
}

STACK_OF(X509) * pem_certificates(const struct pem_source *source, struct error *error)
{
    STACK_OF(X509) *stack = sk_X509_new_null();

    if (stack == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    if (source_read(source, certificate_take, stack, "certificate", error) == 0) {
        return stack;
    }
    sk_X509_pop_free(stack, X509_free);
    return NULL;
}

STACK_OF(X509_CRL) * pem_crls(const struct pem_source *source, struct error *error)
{
    STACK_OF(X509_CRL) *stack = sk_X509_CRL_new_null();

    if (stack == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    if (source_read(source, crl_take, stack, "CRL", error) == 0) {
        return stack;
    }
    sk_X509_CRL_pop_free(stack, X509_CRL_free);
    return NULL;
}

EVP_PKEY *pem_key(const struct pem_source *source, struct error *error)
{
    struct passphrase passphrase = {.text = source->passphrase};
    char buffer[BUFSIZ];
    BIO *bio = source_open(source, buffer, error);
    EVP_PKEY *key;

    if (bio == NULL) {
        return NULL;
    }
    key = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, &passphrase);
    source_close(bio, buffer);
    if (key == NULL && passphrase.asked && passphrase.text == NULL) {
        error_set(error, "key file '%s' is encrypted, and there is no passphrase for it",
                  pem_source_name(source));
    } else if (key == NULL && passphrase.asked) {
        tls_error_set(error, "key file '%s' does not open with this passphrase",
                      pem_source_name(source));
    } else if (key == NULL) {
        tls_error_set(error, "key file '%s' is not a good PEM private key",
                      pem_source_name(source));
    }
    ERR_clear_error();
    return key;
}

EVP_PKEY *pem_parameters(const struct pem_source *source, struct error *error)
{
    char buffer[BUFSIZ];
    BIO *bio = source_open(source, buffer, error);
    EVP_PKEY *parameters;

    if (bio == NULL) {
        return NULL;
    }
    parameters = PEM_read_bio_Parameters(bio, NULL);
    source_close(bio, buffer);
    if (parameters == NULL) {
        tls_error_set(error, "%s file '%s' has no good PEM parameters", source->what,
                      pem_source_name(source));
    }
    ERR_clear_error();
    return parameters;
}
