#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "confined.h"
#include "sandbox/user.h"

Test(user, names_and_numbers_are_understood)
{
    struct user user;
    struct error error = {0};

    cr_assert_eq(user_parse("nobody", &user, &error), 0, "%s", error.text);
    cr_assert_eq(user.id, 65534);
    cr_assert(user.has_groups);
    cr_assert_eq(user_parse("54321", &user, &error), 0, "%s", error.text);
    cr_assert_eq(user.id, 54321);
    cr_assert_eq(user.group, 54321);
    cr_assert_not(user.has_groups);
    cr_assert_eq(user_parse("nobody:54322", &user, &error), 0, "%s", error.text);
    cr_assert_eq(user.id, 65534);
    cr_assert_eq(user.group, 54322);
    cr_assert_str_eq(user.name, "nobody");
}

Test(user, what_nobody_is_called_is_refused)
{
    static const char *const texts[] = {
        "",    "no-such-user", "nobody:no-such-group", "root", "0", "-1",
        "12x", "nobody:",      "99999999999999999999"};
    struct user user;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct error error = {0};

        cr_assert_eq(user_parse(texts[i], &user, &error), -1, "'%s'", texts[i]);
        cr_assert_neq(error.text[0], '\0', "'%s'", texts[i]);
    }
}

static struct user nobody;

static int become_nobody(void)
{
    return user_become(&nobody, NULL);
}

static int become_root(void)
{
    return setresuid(0, 0, 0) == 0 ? 0 : errno;
}

static int become_again(void)
{
    return user_become(&nobody, NULL);
}

static int have_no_groups_of_root(void)
{
    gid_t groups[64];
    int count = getgroups(64, groups);

    for (int i = 0; i < count; i++) {
        if (groups[i] == 0) {
            return EPERM;
        }
    }
    return getegid() == nobody.group && geteuid() == nobody.id ? 0 : EINVAL;
}

Test(user, there_is_no_way_back_to_root)
{
    static const struct attempt attempts[] = {
        {"becoming root", become_root, EPERM},
        {"having root's groups", have_no_groups_of_root, 0},
        {"staying who one is", become_again, 0},
    };

    if (geteuid() != 0) {
        cr_skip_test("only root can become somebody else");
    }
    cr_assert_eq(user_parse("nobody", &nobody, NULL), 0);
    confined_expect(become_nobody, attempts, sizeof attempts / sizeof *attempts);
}

static int become_other(void)
{
    struct user other;
    struct error error = {0};

    return user_parse("54321", &other, NULL) == 0 && user_become(&other, &error) == -1 &&
                   strstr(error.text, "only root") != NULL
               ? 0
               : EINVAL;
}

Test(user, who_is_not_root_cannot_become_another)
{
    static const struct attempt attempt = {"becoming another", become_other, 0};

    if (geteuid() == 0) {
        cr_assert_eq(user_parse("nobody", &nobody, NULL), 0);
        confined_expect(become_nobody, &attempt, 1);
    } else {
        cr_assert_eq(become_other(), 0);
    }
}
