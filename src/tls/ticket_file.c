#include "tls/ticket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/error.h"
#include "tls/ticket.h"

/* Base64 of 48 bytes ends evenly, that of 80 with one padding character. */
enum {
    KEYS_MAX = 1 + TICKET_PREVIOUS_MAX,
    LINE_BYTES_SHORT = 64,
    LINE_BYTES_LONG = 108,
    FILE_BYTES_MAX = KEYS_MAX * (LINE_BYTES_LONG + 2), /* with \r\n */
};

static const char base64_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* A file's bytes and the keys found in them so far, in the file's order. */
struct ticket_file {
    const char *name;
    char bytes[FILE_BYTES_MAX + 2]; /* with room to notice more than the maximum, and a NUL */
    size_t count;
    struct ticket_key keys[KEYS_MAX];
    size_t key_count;
};

bool ticket_key_parse(const uint8_t *bytes, size_t count, struct ticket_key *out)
{
    size_t secret_bytes = (count - TICKET_NAME_BYTES) / 2;

    if (count != TICKET_KEY_BYTES_SHORT && count != TICKET_KEY_BYTES_LONG) {
        return false;
    }
    *out = (struct ticket_key){0};
    memcpy(out->name, bytes, TICKET_NAME_BYTES);
    memcpy(out->hmac_key, bytes + TICKET_NAME_BYTES, secret_bytes);
    memcpy(out->aes_key, bytes + TICKET_NAME_BYTES + secret_bytes, secret_bytes);
    out->hmac_key_bytes = (uint8_t)secret_bytes;
    out->aes_key_bytes = (uint8_t)secret_bytes;
    return true;
}

static int file_read(struct ticket_file *file, struct error *error)
{
    int descriptor = open(file->name, O_RDONLY | O_CLOEXEC);
    ssize_t count = -1;

    while (descriptor >= 0 && file->count <= FILE_BYTES_MAX &&
           (count = read(descriptor, file->bytes + file->count, FILE_BYTES_MAX + 1 - file->count)) >
               0) {
        file->count += (size_t)count;
    }
    if (count < 0) {
        error_set(error, "ticket key file '%s' cannot be read: %s", file->name, strerror(errno));
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    return count < 0 ? -1 : 0;
}

static int key_append(struct ticket_file *file, const uint8_t *bytes, size_t count,
                      struct error *error)
{
    if (file->key_count == KEYS_MAX) {
        return error_set(error, "ticket key file '%s' has more than the %d keys allowed",
                         file->name, KEYS_MAX);
    }
    return ticket_key_parse(bytes, count, &file->keys[file->key_count++])
               ? 0
               : error_set(error, "ticket key file '%s' has a key of %zu bytes", file->name, count);
}

/* Random bytes do not pass for text: not one file in 10^20 has letters only. */
static bool is_base64_text(const struct ticket_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        char letter = file->bytes[i];

        if (letter == '\0' ||
            (strchr(base64_letters, letter) == NULL && strchr("= \t\r\n", letter) == NULL)) {
            return false;
        }
    }
    return file->count > 0;
}

static int line_parse(struct ticket_file *file, char *line, unsigned number, struct error *error)
{
    size_t letters = strspn(line, base64_letters);
    size_t bytes = strcspn(line, " \t\r"); /* trailing blanks are none of the key */
    bool is_short = bytes == LINE_BYTES_SHORT && letters == bytes;
    bool is_long = bytes == LINE_BYTES_LONG && letters == bytes - 1 && line[letters] == '=';
    uint8_t key[LINE_BYTES_LONG];
    int result;

    if (line[bytes + strspn(line + bytes, " \t\r")] != '\0' || (!is_short && !is_long)) {
        return error_set(error, "ticket key file '%s', line %u: it is not base64 of %d or %d bytes",
                         file->name, number, TICKET_KEY_BYTES_SHORT, TICKET_KEY_BYTES_LONG);
    }
    EVP_DecodeBlock(key, (const uint8_t *)line, (int)bytes);
    result = key_append(file, key, is_long ? TICKET_KEY_BYTES_LONG : TICKET_KEY_BYTES_SHORT, error);
    OPENSSL_cleanse(key, sizeof(key));
    return result;
}

static int lines_parse(struct ticket_file *file, struct error *error)
{
    char *rest = file->bytes;
    char *line;
    unsigned number = 0;

    while ((line = strsep(&rest, "\n")) != NULL) {
        number++;
        if (line[strspn(line, " \t\r")] != '\0' && line_parse(file, line, number, error) != 0) {
            return -1;
        }
    }
    return file->key_count > 0
               ? 0
               : error_set(error, "ticket key file '%s' has no key in it", file->name);
}

static int raw_parse(struct ticket_file *file, struct error *error)
{
    bool shorts = file->count % TICKET_KEY_BYTES_SHORT == 0;
    bool longs = file->count % TICKET_KEY_BYTES_LONG == 0;
    size_t key_bytes = shorts ? TICKET_KEY_BYTES_SHORT : TICKET_KEY_BYTES_LONG;

    if (file->count == 0 || (!shorts && !longs)) {
        return error_set(error,
                         "ticket key file '%s' has %zu bytes: raw keys have %d or %d each, base64 "
                         "keys a line each",
                         file->name, file->count, TICKET_KEY_BYTES_SHORT, TICKET_KEY_BYTES_LONG);
    }
    if (shorts && longs) {
        return error_set(error,
                         "ticket key file '%s' has %zu bytes, which is so many keys of %d or of %d "
                         "bytes: write them as base64, one a line",
                         file->name, file->count, TICKET_KEY_BYTES_SHORT, TICKET_KEY_BYTES_LONG);
    }
    for (size_t at = 0; at < file->count; at += key_bytes) {
        if (key_append(file, (const uint8_t *)file->bytes + at, key_bytes, error) != 0) {
            return -1;
        }
    }
    return 0;
}

static int file_parse(struct ticket_file *file, struct error *error)
{
    if (file->count > FILE_BYTES_MAX) {
        return error_set(error, "ticket key file '%s' is larger than the %d keys allowed take",
                         file->name, KEYS_MAX);
    }
    return is_base64_text(file) ? lines_parse(file, error) : raw_parse(file, error);
}

int ticket_file_read(const char *name, struct ticket_key_set *out, struct error *error)
{
    struct ticket_file file = {.name = name};
    int result = file_read(&file, error);

    if (result == 0) {
        result = file_parse(&file, error);
    }
    *out = (struct ticket_key_set){0};
    for (size_t i = 0; result == 0 && i < file.key_count; i++) {
        out->keys[i] = file.keys[file.key_count - 1 - i]; /* the last is the current one */
        out->count++;
    }
    OPENSSL_cleanse(&file, sizeof(file));
    return result;
}
