#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <openssl/evp.h>

#include "fixture.h"
#include "tls/ticket.h"

enum { TEXT_BYTES = 4096 };

/* A key whose bytes all are its number. */
static void key_make(uint8_t number, uint8_t out[80])
{
    memset(out, number, 80);
}

struct file {
    uint8_t bytes[TEXT_BYTES];
    size_t count;
};

static void append_raw(struct file *file, uint8_t number, size_t bytes)
{
    key_make(number, file->bytes + file->count);
    file->count += bytes;
}

static void append_text(struct file *file, const char *text)
{
    memcpy(file->bytes + file->count, text, strlen(text));
    file->count += strlen(text);
}

static void append_base64(struct file *file, uint8_t number, size_t bytes, const char *end)
{
    uint8_t key[80];

    key_make(number, key);
    file->count += (size_t)EVP_EncodeBlock(file->bytes + file->count, key, (int)bytes);
    append_text(file, end);
}

static int load(struct ticket_ring *ring, const struct file *file, struct error *error)
{
    char path[FIXTURE_PATH_BYTES];
    FILE *stream;
    int result;

    fixture_file(path, "");
    stream = fopen(path, "w");
    cr_assert_eq(fwrite(file->bytes, 1, file->count, stream), file->count);
    fclose(stream);
    result = ticket_ring_load(ring, path, error);
    cr_assert_eq(result == 0, error->text[0] == '\0', "%s", error->text);
    cr_assert(result == 0 || strstr(error->text, path) != NULL, "%s", error->text);
    unlink(path);
    return result;
}

/* The keys that a ring has after loading, by their numbers, the current one first. */
static void expect_keys(const struct file *file, const char *numbers, size_t secret_bytes)
{
    struct ticket_ring *ring = ticket_ring_new(1, NULL);
    struct error error = {0};
    struct ticket_reader reader;
    const struct ticket_key_set *set;

    cr_assert_eq(load(ring, file, &error), 0, "%s", error.text);
    ticket_reader_init(&reader, ring);
    set = ticket_reader_get(&reader);
    cr_assert_eq(set->count, strlen(numbers));
    for (size_t i = 0; i < set->count; i++) {
        const struct ticket_key *key = &set->keys[i];
        uint8_t expected[80];

        key_make((uint8_t)numbers[i], expected);
        cr_assert_arr_eq(key->name, expected, TICKET_NAME_BYTES);
        cr_assert_eq(key->hmac_key_bytes, secret_bytes);
        cr_assert_eq(key->aes_key_bytes, secret_bytes);
        cr_assert_arr_eq(key->hmac_key, expected, secret_bytes);
        cr_assert_arr_eq(key->aes_key, expected, secret_bytes);
    }
    ticket_reader_deinit(&reader);
    ticket_ring_free(ring);
}

Test(ticket_file, raw_keys_of_either_size_load_and_the_last_is_current)
{
    struct file shorts = {0};
    struct file longs = {0};

    append_raw(&shorts, 1, 48);
    expect_keys(&shorts, "\x01", 16);
    append_raw(&shorts, 2, 48);
    append_raw(&shorts, 3, 48);
    expect_keys(&shorts, "\x03\x02\x01", 16);
    append_raw(&longs, 1, 80);
    append_raw(&longs, 2, 80);
    expect_keys(&longs, "\x02\x01", 32);
}

Test(ticket_file, base64_keys_load_one_a_line)
{
    struct file shorts = {0};
    struct file longs = {0};

    append_base64(&shorts, 1, 48, "\n");
    append_base64(&shorts, 2, 48, "\r\n\n");
    append_base64(&shorts, 3, 48, ""); /* the last line may be open */
    expect_keys(&shorts, "\x03\x02\x01", 16);
    append_base64(&longs, 1, 80, " \n");
    append_base64(&longs, 2, 80, "\n");
    expect_keys(&longs, "\x02\x01", 32);
}

Test(ticket_file, as_many_keys_as_there_is_room_for_load)
{
    struct file file = {0};
    struct ticket_ring *ring = ticket_ring_new(0, NULL);
    struct error error = {0};

    for (uint8_t i = 0; i <= TICKET_PREVIOUS_MAX; i++) {
        append_base64(&file, i, 80, "\r\n");
    }
    cr_assert_eq(load(ring, &file, &error), 0);
    file = (struct file){0};
    for (uint8_t i = 0; i <= TICKET_PREVIOUS_MAX + 1; i++) {
        append_base64(&file, i, 48, "\n");
    }
    cr_assert_eq(load(ring, &file, &error), -1);
    cr_assert_not_null(strstr(error.text, "more than the 17 keys"), "%s", error.text);
    ticket_ring_free(ring);
}

struct bad_row {
    size_t raw_bytes;
    char text[128];
    char word[48];
};

ParameterizedTestParameters(ticket_file, what_is_no_key_file_is_refused)
{
    static struct bad_row rows[] = {
        {0, "", "has 0 bytes"},
        {47, "", "has 47 bytes: raw keys have 48 or 80"},
        {49, "", "has 49 bytes"},
        {81, "", "has 81 bytes"},
        {240, "", "write them as base64"},
        {TEXT_BYTES - 1, "", "larger than the 17 keys"},
        {0, "\n \n", "has no key in it"},
        {0, "c2hvcnQ=\n", "line 1: it is not base64 of 48 or 80"},
        {0, "\n\nc2hvcnQ=\n", "line 3: "},
        {0, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "line 1: "},
        {0, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", "line 1: "},
        {0, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", "line 1: "},
    };

    return cr_make_param_array(struct bad_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct bad_row *row, ticket_file, what_is_no_key_file_is_refused)
{
    struct ticket_ring *ring = ticket_ring_new(1, NULL);
    struct file file = {.count = row->raw_bytes};
    struct error error = {0};
    struct ticket_reader reader;
    struct ticket_key before;

    ticket_reader_init(&reader, ring);
    before = ticket_reader_get(&reader)->keys[0];
    append_text(&file, row->text);
    cr_assert_eq(load(ring, &file, &error), -1);
    cr_assert_not_null(strstr(error.text, row->word), "%s", error.text);
    /* And nothing has changed. */
    cr_assert_eq(ticket_reader_get(&reader)->count, 1);
    cr_assert_arr_eq(&ticket_reader_get(&reader)->keys[0], &before, sizeof(before));
    ticket_reader_deinit(&reader);
    ticket_ring_free(ring);
}

Test(ticket_file, a_file_that_cannot_be_read_is_refused)
{
    struct ticket_ring *ring = ticket_ring_new(1, NULL);
    struct error error = {0};

    cr_assert_eq(ticket_ring_load(ring, "/nonexistent/keys", &error), -1);
    cr_assert_not_null(strstr(error.text, "'/nonexistent/keys' cannot be read: No such file"));
    cr_assert_eq(ticket_ring_load(ring, "/tmp", &error), -1);
    cr_assert_not_null(strstr(error.text, "'/tmp' cannot be read: Is a directory"));
    ticket_ring_free(ring);
}
