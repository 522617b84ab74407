#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "cli/file.h"

static void write_temporary(char path[64], const char *text)
{
    FILE *file;

    snprintf(path, 64, "/tmp/tlsdyno-file-XXXXXX");
    file = fdopen(mkstemp(path), "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

Test(file, content_up_to_the_limit_is_read_and_ended_by_zero)
{
    struct file_content content;
    struct error error = {0};
    char path[64];

    write_temporary(path, "four");
    cr_assert_eq(file_read(path, 4, &content, &error), 0, "%s", error.text);
    cr_assert_eq(content.count, 4);
    cr_assert_str_eq((char *)content.bytes, "four");
    file_content_free(&content);
    cr_assert_null(content.bytes);
    remove(path);
}

Test(file, larger_ones_are_refused)
{
    struct file_content content;
    struct error error = {0};
    char path[64];

    write_temporary(path, "five!");
    cr_assert_eq(file_read(path, 4, &content, &error), -1);
    cr_assert_not_null(strstr(error.text, "larger than 4 bytes"), "%s", error.text);
    remove(path);
}

Test(file, an_empty_one_is_no_failure)
{
    struct file_content content;
    struct error error = {0};

    cr_assert_eq(file_read("/dev/null", 4, &content, &error), 0, "%s", error.text);
    cr_assert_eq(content.count, 0);
    cr_assert_str_eq((char *)content.bytes, "");
    file_content_free(&content);
}

Test(file, missing_ones_are_named)
{
    struct file_content content;
    struct error error = {0};

    cr_assert_eq(file_read("/nonexistent/file", 4, &content, &error), -1);
    cr_assert_str_eq(error.text, "cannot read /nonexistent/file: No such file or directory");
}
