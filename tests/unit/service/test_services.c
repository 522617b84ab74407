#include <criterion/criterion.h>
#include <string.h>

#include "base/error.h"
#include "service/services.h"

Test(services, each_is_found_by_its_name)
{
    size_t count = 0;

    for (; services[count] != NULL; count++) {
        struct error error = {.text = ""};

        cr_expect_eq(service_find(services[count]->name, &error), services[count]);
        cr_expect_str_empty(error.text);
        cr_expect_not_null(services[count]->on_data);
        cr_expect(strlen(services[count]->help) > 0);
    }
    cr_expect_eq(count, 5);
}

Test(services, unknown_name_is_an_error_that_lists_them_all)
{
    struct error error = {.text = ""};

    cr_expect_null(service_find("ech", &error));
    cr_expect_not_null(strstr(error.text, "\"ech\""));
    for (size_t i = 0; services[i] != NULL; i++) {
        cr_expect_not_null(strstr(error.text, services[i]->name), "%s", services[i]->name);
    }
}
