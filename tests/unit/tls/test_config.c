#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/error.h"
#include "tls/config.h"

struct version_row {
    char text[16];
    enum tls_version version; /* TLS_VERSION_DEFAULT: refused */
};

ParameterizedTestParameters(config, versions_are_parsed)
{
    static struct version_row rows[] = {
        {"1.0", TLS_VERSION_1_0},      {"1.1", TLS_VERSION_1_1},       {"1.2", TLS_VERSION_1_2},
        {"1.3", TLS_VERSION_1_3},      {"TLSv1.2", TLS_VERSION_1_2},   {"TLS1.3", TLS_VERSION_1_3},
        {"tlsv1.3", TLS_VERSION_1_3},  {"TLSv1", TLS_VERSION_1_0},     {"", TLS_VERSION_DEFAULT},
        {"1.4", TLS_VERSION_DEFAULT},  {"1.2x", TLS_VERSION_DEFAULT},  {"tls", TLS_VERSION_DEFAULT},
        {"TLSv", TLS_VERSION_DEFAULT}, {"SSLv3", TLS_VERSION_DEFAULT},
    };

    return cr_make_param_array(struct version_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct version_row *row, config, versions_are_parsed)
{
    enum tls_version version = TLS_VERSION_DEFAULT;
    struct error error = {0};
    int result = tls_version_parse(row->text, &version, &error);

    cr_assert_eq(result, row->version == TLS_VERSION_DEFAULT ? -1 : 0);
    cr_assert_eq(version, row->version);
    cr_assert_eq(error.text[0] != '\0', result != 0);
}

Test(config, record_layers_are_parsed)
{
    enum tls_record_layer layer = TLS_RECORDS_OPENSSL;
    struct error error = {0};

    cr_assert_eq((struct tls_config){0}.record_layer, TLS_RECORDS_DIRECT);
    cr_assert_eq(tls_record_layer_parse("direct", &layer, &error), 0);
    cr_assert_eq(layer, TLS_RECORDS_DIRECT);
    cr_assert_str_eq(tls_record_layer_name(layer), "direct");
    cr_assert_eq(tls_record_layer_parse("openssl", &layer, &error), 0);
    cr_assert_eq(layer, TLS_RECORDS_OPENSSL);
    cr_assert_eq(tls_record_layer_parse("", &layer, &error), -1);
    cr_assert_eq(tls_record_layer_parse("Direct", &layer, &error), -1);
    cr_assert_not_null(strstr(error.text, "'Direct' is no record layer"));
}

Test(config, ssl_is_refused_by_name)
{
    enum tls_version version;
    struct error error = {0};

    cr_assert_eq(tls_version_parse("SSLv2", &version, &error), -1);
    cr_assert_not_null(strstr(error.text, "SSLv2 is broken"));
}

Test(config, a_name_parses_back_to_its_version)
{
    for (int number = TLS_VERSION_1_0; number <= TLS_VERSION_1_3; number++) {
        enum tls_version version;

        cr_assert_eq(tls_version_parse(tls_version_name((enum tls_version)number), &version, NULL),
                     0);
        cr_assert_eq((int)version, number);
    }
}

struct method_row {
    char name[32];
    enum tls_version version;
};

ParameterizedTestParameters(config, method_names_stand_for_versions)
{
    static struct method_row rows[] = {
        {"TLS_method", TLS_VERSION_DEFAULT},        {"TLS_client_method", TLS_VERSION_DEFAULT},
        {"SSLv23_method", TLS_VERSION_DEFAULT},     {"SSLv23_server_method", TLS_VERSION_DEFAULT},
        {"TLSv1_method", TLS_VERSION_1_0},          {"TLSv1_1_method", TLS_VERSION_1_1},
        {"TLSv1_2_method", TLS_VERSION_1_2},        {"TLSv1_2_client_method", TLS_VERSION_1_2},
        {"TLSv1_3_server_method", TLS_VERSION_1_3},
    };

    return cr_make_param_array(struct method_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct method_row *row, config, method_names_stand_for_versions)
{
    enum tls_version min = TLS_VERSION_1_1;
    enum tls_version max = TLS_VERSION_1_1;
    struct error error = {0};

    cr_assert_eq(tls_method_parse(row->name, &min, &max, &error), 0, "%s", error.text);
    cr_assert_eq(min, row->version);
    cr_assert_eq(max, row->version);
}

struct bad_method_row {
    char name[32];
    char word[40];
};

ParameterizedTestParameters(config, other_methods_are_refused)
{
    static struct bad_method_row rows[] = {
        {"SSLv2_method", "SSLv2 is broken"},
        {"SSLv3_server_method", "SSLv3 is broken"},
        {"DTLS_method", "'DTLS_method' is no method"},
        {"TLSv1_4_method", "'TLSv1_4_method' is no method"},
        {"TLSv1.2_method", "'TLSv1.2_method' is no method"},
        {"TLSv1_2", "'TLSv1_2' is no method"},
        {"_method", "'_method' is no method"},
        {"", "'' is no method"},
    };

    return cr_make_param_array(struct bad_method_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct bad_method_row *row, config, other_methods_are_refused)
{
    enum tls_version min = TLS_VERSION_1_1;
    enum tls_version max = TLS_VERSION_1_1;
    struct error error = {0};

    cr_assert_eq(tls_method_parse(row->name, &min, &max, &error), -1);
    cr_assert_not_null(strstr(error.text, row->word), "%s", error.text);
    cr_assert_eq(min, TLS_VERSION_1_1);
    cr_assert_eq(max, TLS_VERSION_1_1);
}
