/* The target's spelling: who is to be loaded, and over what. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "load/plan.h"

struct span {
    const char *start;
    size_t bytes;
};

static int copy_span(char *out, size_t out_bytes, struct span span, const char *what,
                     struct error *error)
{
    if (span.bytes >= out_bytes) {
        return error_set(error, "the target's %s is too long: at most %zu characters", what,
                         out_bytes - 1);
    }
    memcpy(out, span.start, span.bytes);
    out[span.bytes] = '\0';
    return 0;
}

/* The colon before the port; NULL when there is none. Those inside brackets are an IPv6 address's.
 */
static const char *find_port_colon(struct span authority)
{
    const char *bracket = memrchr(authority.start, ']', authority.bytes);
    const char *from = bracket != NULL ? bracket : authority.start;

    return memrchr(from, ':', (size_t)(authority.start + authority.bytes - from));
}

static struct span host_of(struct span authority)
{
    const char *colon = find_port_colon(authority);
    struct span host = authority;

    if (colon != NULL) {
        host.bytes = (size_t)(colon - authority.start);
    }
    if (host.bytes >= 2 && host.start[0] == '[' && host.start[host.bytes - 1] == ']') {
        host.start++;
        host.bytes -= 2;
    }
    return host;
}

static int set_url(struct load_plan *plan, const char *rest, const char *default_port,
                   struct error *error)
{
    const struct span authority = {rest, strcspn(rest, "/?#")};
    const char *tail = rest + authority.bytes;
    const struct span path = {tail, strcspn(tail, "#")}; /* a fragment is never sent */
    char address[LOAD_HOST_BYTES + 8];

    if (memchr(authority.start, '@', authority.bytes) != NULL) {
        return error_set(error, "a user name in the target's URL is not supported");
    }
    if (host_of(authority).bytes == 0) {
        return error_set(error, "the target's URL names no host");
    }
    if (copy_span(plan->authority, sizeof plan->authority, authority, "host", error) != 0 ||
        copy_span(plan->host, sizeof plan->host, host_of(authority), "host", error) != 0) {
        return -1;
    }
    if (path.bytes > 0 && path.start[0] == '?') {
        return error_set(error, "the target's URL needs a path before its query: \"/?...\"");
    }
    if (path.bytes > 0 && copy_span(plan->path, sizeof plan->path, path, "path", error) != 0) {
        return -1;
    }
    snprintf(address, sizeof address, "%s%s%s", plan->authority,
             find_port_colon(authority) == NULL ? ":" : "",
             find_port_colon(authority) == NULL ? default_port : "");
    plan->peer = LOAD_PEER_HTTP;
    return socket_parse(address, &plan->address, error);
}

static int set_host_port(struct load_plan *plan, const char *target, struct error *error)
{
    const struct span whole = {target, strlen(target)};
    const bool is_port_alone = whole.bytes > 0 && strspn(target, "0123456789") == whole.bytes;
    const bool is_host_missing = target[0] == ':' || target[0] == '*';

    if (is_host_missing) {
        return error_set(error, "target \"%s\": say which host, such as 127.0.0.1:4433", target);
    }
    if (is_port_alone) { /* socket_parse() takes it for a loopback port */
        snprintf(plan->host, sizeof plan->host, "127.0.0.1");
        snprintf(plan->authority, sizeof plan->authority, "127.0.0.1:%.8s", target);
    } else if (copy_span(plan->authority, sizeof plan->authority, whole, "host", error) != 0 ||
               copy_span(plan->host, sizeof plan->host, host_of(whole), "host", error) != 0) {
        return -1;
    }
    return socket_parse(target, &plan->address, error);
}

int load_plan_target(struct load_plan *plan, const char *target, struct error *error)
{
    static const char https[] = "https://";
    static const char http[] = "http://";
    static const char local[] = "unix:";

    for (const char *c = target; *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f) { /* would break HTTP's request line */
            return error_set(error, "the target must not contain spaces or control characters");
        }
    }
    plan->host[0] = '\0';
    plan->authority[0] = '\0';
    snprintf(plan->path, sizeof plan->path, "/");
    plan->peer = LOAD_PEER_ECHO;
    plan->plain_tcp = false;
    if (strncasecmp(target, https, sizeof https - 1) == 0) {
        return set_url(plan, target + sizeof https - 1, "443", error);
    }
    if (strncasecmp(target, http, sizeof http - 1) == 0) {
        plan->plain_tcp = true;
        return set_url(plan, target + sizeof http - 1, "80", error);
    }
    if (strstr(target, "://") != NULL) {
        return error_set(error, "target \"%s\": only https:// and http:// URLs are known", target);
    }
    if (strncmp(target, local, sizeof local - 1) == 0) {
        snprintf(plan->authority, sizeof plan->authority, "localhost");
        return socket_parse(target, &plan->address, error);
    }
    return set_host_port(plan, target, error);
}
