#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "cli/keylog.h"

Test(keylog, appends_whole_lines_for_the_owners_eyes_only)
{
    struct error error = {0};
    struct keylog keylog = {0};
    struct stat status;
    char path[] = "/tmp/tlsdyno-keylog-XXXXXX";
    char content[64] = "";
    FILE *file;

    close(mkstemp(path));
    remove(path);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(keylog_open(&keylog, path, &error), 0, "%s", error.text);
        keylog_write(&keylog, "CLIENT_RANDOM 00 11");
        keylog_close(&keylog);
    }
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(status.st_mode & 0077u, 0);
    file = fopen(path, "r");
    cr_assert_gt(fread(content, 1, sizeof(content) - 1, file), 0);
    fclose(file);
    cr_assert_str_eq(content, "CLIENT_RANDOM 00 11\nCLIENT_RANDOM 00 11\n");
    remove(path);
}

Test(keylog, a_file_that_cannot_be_written_is_named)
{
    struct error error = {0};
    struct keylog keylog = {0};

    cr_assert_eq(keylog_open(&keylog, "/nonexistent/keys", &error), -1);
    cr_assert_not_null(strstr(error.text, "/nonexistent/keys"), "%s", error.text);
    keylog_close(&keylog);
}

static void expect_refused(const char *path, const char *words)
{
    struct error error = {0};
    struct keylog keylog = {0};

    cr_assert_eq(keylog_open(&keylog, path, &error), -1, "%s", words);
    cr_assert_not_null(strstr(error.text, words), "%s", error.text);
    keylog_close(&keylog);
}

Test(keylog, a_file_that_others_could_read_is_refused)
{
    char directory[] = "/tmp/tlsdyno-keylog-XXXXXX";
    char path[64];
    char link[64];

    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/keys", directory);
    snprintf(link, sizeof link, "%s/link", directory);
    fclose(fopen(path, "w"));
    chmod(path, 0640);
    expect_refused(path, "chmod 600");
    chmod(path, 0600);
    cr_assert_eq(symlink(path, link), 0);
    expect_refused(link, "symbolic link");
    if (geteuid() == 0 && chown(path, 65534, 65534) == 0) {
        expect_refused(path, "somebody else");
    }
    remove(path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    expect_refused(path, path);
    remove(path);
    remove(link);
    remove(directory);
}
