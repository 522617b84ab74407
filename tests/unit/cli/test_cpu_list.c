#include "cli/cpu_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "base/error.h"

static cpu_set_t set_of(const char *text)
{
    cpu_set_t set;
    struct error error = {0};

    cr_assert_eq(cpu_list_parse(text, &set, &error), 0, "%s", error.text);
    return set;
}

static void assert_equal(cpu_set_t set, const char *text)
{
    cpu_set_t wanted = set_of(text);

    cr_assert(CPU_EQUAL(&set, &wanted), "%s", text);
}

Test(cpu_list, lists_have_numbers_and_ranges)
{
    cpu_set_t set = set_of("0-2,8");

    cr_assert_eq(CPU_COUNT(&set), 4);
    cr_assert(CPU_ISSET(8, &set));
}

Test(cpu_list, what_is_no_list_is_refused)
{
    static const char *const wrong[] = {"", "a", "1-", "3-1", "0,", "0 1", "5000"};
    struct error error = {0};
    cpu_set_t set;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_assert_eq(cpu_list_parse(wrong[i], &set, &error), -1, "%s", wrong[i]);
        cr_assert_not_null(strstr(error.text, "no list of CPUs"));
    }
}

Test(cpu_list, server_gets_the_first_and_the_load_the_others)
{
    cpu_set_t allowed = set_of("2-5");
    cpu_set_t server;
    cpu_set_t load;

    cpu_list_share(&allowed, "/nowhere", &server, &load);
    assert_equal(server, "2");
    assert_equal(load, "3-5");
}

Test(cpu_list, single_cpu_is_shared)
{
    cpu_set_t allowed = set_of("3");
    cpu_set_t server;
    cpu_set_t load;

    cpu_list_share(&allowed, "/nowhere", &server, &load);
    assert_equal(server, "3");
    assert_equal(load, "3");
}

/* Where the kernel says so: "root/sys/devices/system/cpu/cpu0/topology/thread_siblings_list". */
static void write_siblings(const char *root, const char *list)
{
    static const char *const steps[] = {"sys", "devices", "system", "cpu", "cpu0", "topology"};
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s", root);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        strcat(strcat(path, "/"), steps[i]);
        mkdir(path, 0700);
    }
    file = fopen(strcat(path, "/thread_siblings_list"), "w");
    cr_assert_not_null(file);
    fprintf(file, "%s\n", list);
    fclose(file);
}

Test(cpu_list, load_keeps_off_the_servers_core_if_it_can)
{
    char root[] = "/tmp/dyno-cpus-XXXXXX";
    cpu_set_t four = set_of("0-3");
    cpu_set_t two = set_of("0,2");
    cpu_set_t server;
    cpu_set_t load;
    char command[64];

    cr_assert_not_null(mkdtemp(root));
    write_siblings(root, "0,2");
    cpu_list_share(&four, root, &server, &load);
    assert_equal(server, "0");
    assert_equal(load, "1,3");
    cpu_list_share(&two, root, &server, &load);
    assert_equal(load, "2");
    snprintf(command, sizeof(command), "rm -r %s", root);
    cr_assert_eq(system(command), 0);
}
