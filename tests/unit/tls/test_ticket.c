#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "base/error.h"
#include "freed.h"
#include "tls/ticket.h"

/* What OpenSSL gives to the callback and does with it: a ticket of one block. */
struct ticket {
    unsigned char name[TICKET_NAME_BYTES];
    unsigned char iv[EVP_MAX_IV_LENGTH];
    unsigned char sealed[64];
    int sealed_bytes;
};

static int run(struct ticket_reader *reader, struct ticket *ticket, const unsigned char *in,
               int in_bytes, unsigned char *out, bool sealing)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac = EVP_MAC_CTX_new(hmac);
    int result = ticket_callback(reader, ticket->name, ticket->iv, cipher, mac, sealing);
    int first = 0;
    int last = 0;

    if (result > 0) {
        cr_assert(EVP_MAC_init(mac, NULL, 0, NULL));
        cr_assert(EVP_CipherUpdate(cipher, out, &first, in, in_bytes));
        cr_assert(EVP_CipherFinal_ex(cipher, out + first, &last));
        ticket->sealed_bytes = sealing ? first + last : ticket->sealed_bytes;
    }
    EVP_CIPHER_CTX_free(cipher);
    EVP_MAC_CTX_free(mac);
    EVP_MAC_free(hmac);
    return result;
}

static const unsigned char secret[16] = "sixteen letters";

static void seal(struct ticket_reader *reader, struct ticket *out)
{
    cr_assert_eq(run(reader, out, secret, sizeof(secret), out->sealed, true), 1);
}

static int open_ticket(struct ticket_reader *reader, struct ticket *ticket)
{
    unsigned char plain[64];
    int result = run(reader, ticket, ticket->sealed, ticket->sealed_bytes, plain, false);

    if (result > 0) {
        cr_assert_arr_eq(plain, secret, sizeof(secret));
    }
    return result;
}

Test(ticket, old_key_decrypts_and_renews_and_a_retired_one_is_unknown)
{
    struct ticket_ring *ring = ticket_ring_new(2, NULL);
    struct ticket_reader reader;
    struct ticket ticket = {0};

    ticket_reader_init(&reader, ring);
    seal(&reader, &ticket);
    cr_assert_eq(open_ticket(&reader, &ticket), 1);
    ticket_ring_rotate(ring, NULL);
    cr_assert_eq(open_ticket(&reader, &ticket), 2);
    ticket_ring_rotate(ring, NULL);
    cr_assert_eq(open_ticket(&reader, &ticket), 2);
    ticket_ring_rotate(ring, NULL);
    cr_assert_eq(open_ticket(&reader, &ticket), 0);
    ticket_reader_deinit(&reader);
    ticket_ring_free(ring);
}

Test(ticket, without_previous_keys_a_rotation_retires_at_once)
{
    struct ticket_ring *ring = ticket_ring_new(0, NULL);
    struct ticket_reader reader;
    struct ticket ticket = {0};

    ticket_reader_init(&reader, ring);
    seal(&reader, &ticket);
    ticket_ring_rotate(ring, NULL);
    cr_assert_eq(open_ticket(&reader, &ticket), 0);
    cr_assert_eq(ticket_reader_get(&reader)->count, 1);
    ticket_reader_deinit(&reader);
    ticket_ring_free(ring);
}

Test(ticket, a_ticket_of_one_reader_opens_at_another)
{
    struct ticket_ring *ring = ticket_ring_new(1, NULL);
    struct ticket_reader readers[2];
    struct ticket ticket = {0};

    ticket_reader_init(&readers[0], ring);
    ticket_reader_init(&readers[1], ring);
    seal(&readers[0], &ticket);
    cr_assert_eq(open_ticket(&readers[1], &ticket), 1);
    ticket_reader_deinit(&readers[0]);
    ticket_reader_deinit(&readers[1]);
    ticket_ring_free(ring);
}

static void expect_pushed(size_t bytes, size_t secret_bytes)
{
    struct ticket_ring *ring = ticket_ring_new(1, NULL);
    struct ticket_reader reader;
    struct ticket ticket = {0};
    const struct ticket_key *key;
    uint8_t key_bytes[80];

    for (size_t i = 0; i < sizeof(key_bytes); i++) {
        key_bytes[i] = (uint8_t)i;
    }
    cr_assert_eq(ticket_ring_push(ring, key_bytes, bytes, NULL), 0);
    ticket_reader_init(&reader, ring);
    key = &ticket_reader_get(&reader)->keys[0];
    cr_assert_arr_eq(key->name, key_bytes, TICKET_NAME_BYTES);
    cr_assert_arr_eq(key->hmac_key, key_bytes + TICKET_NAME_BYTES, secret_bytes);
    cr_assert_arr_eq(key->aes_key, key_bytes + TICKET_NAME_BYTES + secret_bytes, secret_bytes);
    seal(&reader, &ticket);
    cr_assert_arr_eq(ticket.name, key_bytes, TICKET_NAME_BYTES);
    cr_assert_eq(open_ticket(&reader, &ticket), 1);
    ticket_reader_deinit(&reader);
    ticket_ring_free(ring);
}

Test(ticket, keys_of_48_and_80_bytes_become_current)
{
    expect_pushed(48, 16);
    expect_pushed(80, 32);
}

Test(ticket, a_key_of_another_length_is_refused_and_changes_nothing)
{
    static const size_t lengths[] = {0, 1, 16, 47, 49, 79, 81};
    struct ticket_ring *ring = ticket_ring_new(1, NULL);
    struct ticket_reader reader;
    uint8_t key[96] = {0};

    ticket_reader_init(&reader, ring);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct error error = {0};

        cr_assert_eq(ticket_ring_push(ring, key, lengths[i], &error), -1);
        cr_assert_not_null(strstr(error.text, "48 or 80"));
    }
    cr_assert_eq(ticket_reader_get(&reader)->count, 1);
    ticket_reader_deinit(&reader);
    ticket_ring_free(ring);
}

Test(ticket, more_previous_keys_than_there_is_room_for_are_refused)
{
    struct ticket_ring *ring = ticket_ring_new(TICKET_PREVIOUS_MAX, NULL);
    struct ticket_reader reader;
    struct error error = {0};

    ticket_reader_init(&reader, ring);
    for (int i = 0; i < 2 * TICKET_PREVIOUS_MAX; i++) {
        cr_assert_eq(ticket_ring_rotate(ring, NULL), 0);
    }
    cr_assert_eq(ticket_reader_get(&reader)->count, TICKET_PREVIOUS_MAX + 1);
    ticket_reader_deinit(&reader);
    ticket_ring_free(ring);
    cr_assert_null(ticket_ring_new(TICKET_PREVIOUS_MAX + 1, &error));
    cr_assert_not_null(strstr(error.text, "17 previous ticket keys"));
}

Test(ticket, a_freed_ring_has_no_key_in_it)
{
    uint8_t bytes[48];
    struct ticket_ring *ring = ticket_ring_new(2, NULL);
    uint8_t *left = malloc(sizeof(bytes));

    memset(bytes, 0xa5, sizeof(bytes));
    cr_assert_eq(ticket_ring_push(ring, bytes, sizeof(bytes), NULL), 0);
    freed_watch(bytes, 8);
    ticket_ring_free(ring);
    cr_assert_not(freed_with_secret());

    memcpy(left, bytes, sizeof(bytes));
    freed_watch(bytes, 8);
    free(left);
    cr_assert(freed_with_secret());
}

Test(ticket, a_reader_that_ends_has_no_key_in_it)
{
    uint8_t bytes[48];
    struct ticket_ring *ring = ticket_ring_new(2, NULL);
    struct ticket_reader reader;

    memset(bytes, 0xa5, sizeof(bytes));
    cr_assert_eq(ticket_ring_push(ring, bytes, sizeof(bytes), NULL), 0);
    ticket_reader_init(&reader, ring);
    ticket_reader_get(&reader);
    cr_assert_not_null(memmem(&reader, sizeof(reader), bytes, 8));
    ticket_reader_deinit(&reader);
    cr_assert_null(memmem(&reader, sizeof(reader), bytes, 8));
    ticket_ring_free(ring);
}
