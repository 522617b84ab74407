#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "cli/passphrase.h"

static void write_temporary(char path[64], const char *text)
{
    FILE *file;

    snprintf(path, 64, "/tmp/tlsdyno-pass-XXXXXX");
    file = fdopen(mkstemp(path), "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_line(const char *content, const char *expected)
{
    struct passphrase passphrase;
    struct error error = {0};
    char path[64];

    write_temporary(path, content);
    cr_assert_eq(passphrase_read(&passphrase, path, &error), 0, "%s", error.text);
    cr_assert(passphrase.given);
    cr_assert_str_eq(passphrase.text, expected);
    remove(path);
}

Test(passphrase, is_the_first_line_of_its_file)
{
    assert_line("secret\nother\n", "secret");
    assert_line("with blanks \r\n", "with blanks ");
    assert_line("no newline", "no newline");
    assert_line("", "");
}

Test(passphrase, a_missing_file_or_a_long_line_is_named)
{
    struct passphrase passphrase;
    struct error error = {0};
    char line[2 * PASSPHRASE_BYTES];
    char path[64];

    memset(line, 'a', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    write_temporary(path, line);
    cr_assert_eq(passphrase_read(&passphrase, path, &error), -1);
    cr_assert_not_null(strstr(error.text, path), "%s", error.text);
    remove(path);
    cr_assert_eq(passphrase_read(&passphrase, path, &error), -1);
    cr_assert_eq(strncmp(error.text, "--passphrase-file: cannot read", 30), 0, "%s", error.text);
    cr_assert_not(passphrase.given);
}

Test(passphrase, without_a_file_the_environment_has_it_or_nobody)
{
    struct passphrase passphrase;
    struct error error = {0};

    unsetenv("TLSDYNO_PASSPHRASE");
    cr_assert_eq(passphrase_read(&passphrase, NULL, &error), 0);
    cr_assert_not(passphrase.given);
    setenv("TLSDYNO_PASSPHRASE", "from outside", 1);
    cr_assert_eq(passphrase_read(&passphrase, NULL, &error), 0);
    cr_assert(passphrase.given);
    cr_assert_str_eq(passphrase.text, "from outside");
}

Test(passphrase, a_long_one_in_the_environment_is_refused)
{
    struct passphrase passphrase;
    struct error error = {0};
    char value[PASSPHRASE_BYTES + 1];

    memset(value, 'a', PASSPHRASE_BYTES);
    value[PASSPHRASE_BYTES] = '\0';
    setenv("TLSDYNO_PASSPHRASE", value, 1);
    cr_assert_eq(passphrase_read(&passphrase, NULL, &error), -1);
    cr_assert_not_null(strstr(error.text, "TLSDYNO_PASSPHRASE"), "%s", error.text);
}
