#include "sweep/matrix.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/units.h"

/* TLS's own (RFC 8449 4 has smaller ones, which OpenSSL does not); and what --pacing-rate takes. */
enum { FRAGMENT_MIN = 512, FRAGMENT_MAX = 16384 };
static const uint64_t LINK_MIN = 8000;
static const uint64_t LINK_MAX = 1000ull * 1000 * 1000 * 1000;

const struct sweep_axis_info sweep_axis_infos[SWEEP_AXIS_COUNT] = {
    [SWEEP_VERSION] = {"version", "version", "versions", false},
    [SWEEP_SUITE] = {"suite", "suite", "suites", false},
    [SWEEP_GROUP] = {"group", "group", "groups", false},
    [SWEEP_CERTIFICATE] = {"certificate", "certificate", "certificates", false},
    [SWEEP_FRAGMENT] = {"fragment", "fragment", "fragments", false},
    [SWEEP_MESSAGE] = {"message_bytes", "message", "messages", true},
    [SWEEP_CONNECTIONS] = {"connections", "connections", "connections", true},
    [SWEEP_LINK] = {"link_bits_per_second", "link", "links", true},
};

const struct sweep_certificate sweep_certificates[SWEEP_CERTIFICATE_COUNT] = {
    {"ecdsa-p256", "p256", "EC P-256"},   {"ecdsa-p384", "p384", "EC P-384"},
    {"ed25519", "ed25519", "Ed25519"},    {"rsa-2048", "rsa2048", "RSA 2048"},
    {"rsa-3072", "rsa3072", "RSA 3072"},  {"rsa-4096", "rsa4096", "RSA 4096"},
    {"mldsa-44", "mldsa44", "ML-DSA-44"}, {"mldsa-65", "mldsa65", "ML-DSA-65"},
    {"mldsa-87", "mldsa87", "ML-DSA-87"},
};

const struct sweep_certificate *sweep_certificate_find(const char *name)
{
    for (size_t i = 0; i < SWEEP_CERTIFICATE_COUNT; i++) {
        if (strcmp(sweep_certificates[i].name, name) == 0) {
            return &sweep_certificates[i];
        }
    }
    return NULL;
}

/* ---- Values of each axis ---- */

static int parse_version(struct sweep_value *value, struct error *error)
{
    const char *digits = value->text;

    if (strncmp(digits, "TLSv", strlen("TLSv")) == 0) {
        digits += strlen("TLSv");
    }
    if (strcmp(digits, "1.2") != 0 && strcmp(digits, "1.3") != 0) {
        return error_set(error, "'%s' is neither 1.2 nor 1.3", value->text);
    }
    memmove(value->text + strlen("TLSv"), digits, strlen(digits) + 1);
    memcpy(value->text, "TLSv", strlen("TLSv"));
    return 0;
}

static int parse_certificate(struct sweep_value *value, struct error *error)
{
    if (sweep_certificate_find(value->text) != NULL) {
        return 0;
    }
    error_set(error, "'%s' is none of", value->text);
    for (size_t i = 0; i < SWEEP_CERTIFICATE_COUNT; i++) {
        error_set(error, "%s%s %s", error->text, i > 0 ? "," : "", sweep_certificates[i].name);
    }
    return -1;
}

struct range {
    uint64_t min, max;
};

static int parse_number(struct sweep_value *value, struct range range, struct error *error)
{
    if (units_parse_count(value->text, &value->number, error) != 0) {
        return -1;
    }
    if (value->number < range.min || value->number > range.max) {
        return error_set(error, "'%s' is not from %lu to %lu", value->text, range.min, range.max);
    }
    snprintf(value->text, sizeof(value->text), "%lu", value->number);
    return 0;
}

static int parse_value(enum sweep_axis axis, struct sweep_value *value, struct error *error)
{
    switch (axis) {
    case SWEEP_VERSION:
        return parse_version(value, error);
    case SWEEP_CERTIFICATE:
        return parse_certificate(value, error);
    case SWEEP_FRAGMENT:
        if (strcmp(value->text, "dynamic") == 0) {
            return 0;
        }
        return parse_number(value, (struct range){FRAGMENT_MIN, FRAGMENT_MAX}, error);
    case SWEEP_MESSAGE:
        return parse_number(value, (struct range){1, LOAD_MESSAGE_BYTES_MAX}, error);
    case SWEEP_CONNECTIONS:
        return parse_number(value, (struct range){1, LOAD_CONNECTIONS_MAX}, error);
    case SWEEP_LINK:
        value->is_null = strcmp(value->text, "none") == 0;
        return value->is_null ? 0 : parse_number(value, (struct range){LINK_MIN, LINK_MAX}, error);
    case SWEEP_SUITE:
    case SWEEP_GROUP:
    case SWEEP_AXIS_COUNT:
        break; /* what OpenSSL lacks becomes a skipped cell */
    }
    return 0;
}

static bool has_value(const struct sweep_values *values, const char *text)
{
    for (size_t i = 0; i < values->count; i++) {
        if (strcmp(values->items[i].text, text) == 0) {
            return true;
        }
    }
    return false;
}

static int add_value(enum sweep_axis axis, const char *text, size_t length,
                     struct sweep_values *out, struct error *error)
{
    struct sweep_value value = {0};

    if (length == 0 || length + strlen("TLSv") >= sizeof(value.text)) {
        return error_set(error, "'%.*s' is no value", (int)length, text);
    }
    memcpy(value.text, text, length);
    if (parse_value(axis, &value, error) != 0) {
        return -1;
    }
    if (has_value(out, value.text)) {
        return error_set(error, "'%s' is there twice", value.text);
    }
    if (out->count == SWEEP_VALUES_MAX) {
        return error_set(error, "more than %d values", SWEEP_VALUES_MAX);
    }
    out->items[out->count++] = value;
    return 0;
}

int sweep_values_parse(enum sweep_axis axis, const char *list, struct sweep_values *out,
                       struct error *error)
{
    out->count = 0;
    for (;;) {
        size_t length = strcspn(list, ",");

        if (add_value(axis, list, length, out, error) != 0) {
            return -1;
        }
        if (list[length] == '\0') {
            return 0;
        }
        list += length + 1;
    }
}

/* ---- The matrix ---- */

static int refuse(enum sweep_axis axis, const char *why, struct error *error)
{
    return error_set(error, "--%s %s", sweep_axis_infos[axis].option, why);
}

/* Who answers says how much: of a given server only an echo does as it is told. */
static bool has_messages(const struct sweep_matrix *matrix, enum sweep_server server)
{
    if (matrix->mode == LOAD_HANDSHAKE) {
        return false;
    }
    return server == SWEEP_SERVER_OWN || matrix->mode == LOAD_UPLOAD ||
           (server == SWEEP_SERVER_GIVEN && matrix->mode == LOAD_RR);
}

static int check_axes(const struct sweep_matrix *matrix, enum sweep_server server,
                      struct error *error)
{
    static const enum sweep_axis of_data[] = {SWEEP_FRAGMENT, SWEEP_MESSAGE, SWEEP_LINK};
    static const enum sweep_axis of_server[] = {SWEEP_CERTIFICATE, SWEEP_FRAGMENT, SWEEP_LINK};

    for (size_t i = 0; matrix->mode == LOAD_HANDSHAKE && i < 3; i++) {
        if (matrix->axes[of_data[i]].count > 0) {
            return refuse(of_data[i], "means nothing in --mode handshake, which sends no messages",
                          error);
        }
    }
    for (size_t i = 0; server != SWEEP_SERVER_OWN && i < 3; i++) {
        if (matrix->axes[of_server[i]].count > 0) {
            return refuse(of_server[i], "cannot be told to the server that --target names", error);
        }
    }
    if (!has_messages(matrix, server) && matrix->axes[SWEEP_MESSAGE].count > 0) {
        return refuse(SWEEP_MESSAGE, "cannot be told to the server that --target names", error);
    }
    return 0;
}

static void fill_null(struct sweep_values *values)
{
    if (values->count == 0) {
        values->items[0] = (struct sweep_value){.text = "none", .is_null = true};
        values->count = 1;
    }
}

static void fill(struct sweep_matrix *matrix, enum sweep_axis axis, const char *list)
{
    struct error error = {0};

    if (matrix->axes[axis].count == 0) {
        int wrong = sweep_values_parse(axis, list, &matrix->axes[axis], &error);

        assert(wrong == 0);
        (void)wrong;
    }
}

int sweep_matrix_complete(struct sweep_matrix *matrix, enum sweep_server server,
                          struct error *error)
{
    if (check_axes(matrix, server, error) != 0) {
        return -1;
    }
    fill(matrix, SWEEP_CONNECTIONS, "16");
    if (server == SWEEP_SERVER_OWN) {
        fill(matrix, SWEEP_CERTIFICATE, "ecdsa-p256");
    }
    if (has_messages(matrix, server)) {
        fill(matrix, SWEEP_MESSAGE, "16Ki");
    }
    if (matrix->axes[SWEEP_SUITE].count == 0) {
        fill(matrix, SWEEP_VERSION, "1.3");
    }
    for (unsigned axis = 0; axis < SWEEP_AXIS_COUNT; axis++) {
        fill_null(&matrix->axes[axis]);
    }
    if (sweep_matrix_count(matrix) == 0) {
        return error_set(error, "more than %d cells: leave values out", SWEEP_CELLS_MAX);
    }
    return 0;
}

size_t sweep_matrix_count(const struct sweep_matrix *matrix)
{
    size_t count = 1;

    for (unsigned axis = 0; axis < SWEEP_AXIS_COUNT && count <= SWEEP_CELLS_MAX; axis++) {
        count *= matrix->axes[axis].count;
    }
    return count <= SWEEP_CELLS_MAX ? count : 0;
}

/* "TLS_AES_128_GCM_SHA256"; older ones have a key exchange in IANA's name,
 * "TLS_ECDHE_RSA_WITH_...", and begin otherwise in OpenSSL's. */
static bool is_of_1_3(const char *suite)
{
    return strncmp(suite, "TLS_", 4) == 0 && strstr(suite, "_WITH_") == NULL;
}

void sweep_matrix_cell(const struct sweep_matrix *matrix, size_t index, struct sweep_cell *out)
{
    const struct sweep_value *suite = &out->values[SWEEP_SUITE];
    struct sweep_value *version = &out->values[SWEEP_VERSION];

    out->mode = matrix->mode;
    for (unsigned axis = SWEEP_AXIS_COUNT; axis-- > 0;) {
        const struct sweep_values *values = &matrix->axes[axis];

        out->values[axis] = values->items[index % values->count];
        index /= values->count;
    }
    if (version->is_null && !suite->is_null) {
        *version = (struct sweep_value){0};
        strcpy(version->text, is_of_1_3(suite->text) ? "TLSv1.3" : "TLSv1.2");
    }
}
