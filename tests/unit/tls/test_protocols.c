#include <string.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "fixture.h"

struct list_row {
    char list[24];
    bool good;
};

ParameterizedTestParameters(protocols, names_are_divided_by_commas)
{
    static struct list_row rows[] = {
        {"h2", true}, {"h2,http/1.1", true}, {"h2,", false}, {",h2", false}, {"", false},
    };

    return cr_make_param_array(struct list_row, rows, sizeof(rows) / sizeof(rows[0]));
}

static void expect_list(enum tls_role role, const char *list, bool good, const char *why)
{
    struct fixture fixture = fixture_make();
    struct tls_config *config = &fixture.config;

    for (int npn = 0; npn <= 1; npn++) {
        config->alpn = npn ? NULL : list;
        config->npn = npn ? list : NULL;
        if (good) {
            fixture_expect_role(role, config, role == TLS_CLIENT ? "not made for" : NULL);
        } else {
            fixture_refuse_role(role, config, npn ? "npn: '" : "alpn: '", why);
        }
    }
    fixture_free(&fixture);
}

ParameterizedTest(struct list_row *row, protocols, names_are_divided_by_commas)
{
    expect_list(TLS_SERVER, row->list, row->good, "empty");
    expect_list(TLS_CLIENT, row->list, row->good, "empty");
}

Test(protocols, a_list_or_name_that_is_too_long_is_refused)
{
    char name[512];

    memset(name, 'x', sizeof(name));
    name[255] = '\0';
    expect_list(TLS_SERVER, name, true, "");
    name[255] = 'x';
    name[256] = '\0';
    expect_list(TLS_SERVER, name, false, "above 255 bytes");
    name[200] = ',';
    name[256] = 'x';
    name[300] = '\0';
    expect_list(TLS_SERVER, name, false, "too long");
}
