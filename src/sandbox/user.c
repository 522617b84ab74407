#include "sandbox/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* Ids stay far below (uid_t)-1, which means "leave it" to the kernel. */
enum { ID_DIGITS_MAX = 9 };

static bool id_parse(const char *text, unsigned *out)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > ID_DIGITS_MAX || text[digits] != '\0') {
        return false;
    }
    *out = (unsigned)strtoul(text, NULL, 10);
    return true;
}

static int group_find(const char *name, gid_t *out, struct error *error)
{
    const struct group *group = getgrnam(name);
    unsigned id;

    if (group) {
        *out = group->gr_gid;
    } else if (id_parse(name, &id)) {
        *out = id;
    } else {
        return error_set(error, "there is no group '%s'", name);
    }
    return 0;
}

int user_parse(const char *text, struct user *out, struct error *error)
{
    const struct passwd *account;
    const char *group;
    unsigned id;

    *out = (struct user){0};
    if (strlen(text) >= sizeof out->name) {
        return error_set(error, "longer than %zu characters", sizeof out->name - 1);
    }
    strcpy(out->name, text);
    out->name[strcspn(out->name, ":")] = '\0';
    group = text + strlen(out->name);
    account = getpwnam(out->name);
    if (!account && id_parse(out->name, &id)) {
        account = getpwuid(id);
        if (!account) {
            out->id = id;
            out->group = id;
        }
    } else if (!account) {
        return error_set(error, "there is no user '%s'", out->name);
    }
    if (account) {
        out->id = account->pw_uid;
        out->group = account->pw_gid;
        out->has_groups = *group == '\0';
        if (strlen(account->pw_name) < sizeof out->name) {
            strcpy(out->name, account->pw_name);
        }
    }
    if (out->id == 0) {
        return error_set(error, "that is root: leave the option out to stay root");
    }
    return *group == ':' ? group_find(group + 1, &out->group, error) : 0;
}

int user_become(const struct user *user, struct error *error)
{
    if (geteuid() == user->id && getuid() == user->id) {
        return 0;
    }
    if (geteuid() != 0) {
        return error_set(error, "only root can go on as '%s'", user->name);
    }
    if ((user->has_groups ? initgroups(user->name, user->group) : setgroups(1, &user->group)) < 0 ||
        setresgid(user->group, user->group, user->group) < 0 ||
        setresuid(user->id, user->id, user->id) < 0) {
        return error_set(error, "cannot go on as '%s': %s", user->name, strerror(errno));
    }
    if (setuid(0) == 0) {
        return error_set(error, "the kernel would let '%s' become root again", user->name);
    }
    return 0;
}
