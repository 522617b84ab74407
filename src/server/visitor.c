#include "server/visitor.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { HOST_BYTES = 64 }; /* beyond the longest address */

/* localhost, 127.0.0.1 or [::1], with or without a port: no name that others could make point here.
 */
static bool host_is_own(const char *host)
{
    char name[HOST_BYTES];
    unsigned char address[sizeof(struct in6_addr)];
    bool bracketed = *host == '[';
    size_t bytes;

    host += bracketed;
    bytes = strcspn(host, bracketed ? "]" : ":");
    if (bytes >= sizeof(name)) {
        return false;
    }
    memcpy(name, host, bytes);
    name[bytes] = '\0';
    return strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, address) == 1 ||
           (bracketed && inet_pton(AF_INET6, name, address) == 1);
}

const char *visitor_refusal(const struct visitor *visitor)
{
    if (visitor->origin != NULL) {
        return "Scripts of web pages are not answered here.\n";
    }
    if (visitor->fetch_site != NULL && strcmp(visitor->fetch_site, "none") != 0 &&
        strcmp(visitor->fetch_site, "same-origin") != 0) {
        return "Requests that other web pages make are not answered here.\n";
    }
    if (!visitor->is_from_afar && visitor->host != NULL && !host_is_own(visitor->host)) {
        return "Ask for localhost or an address: a name could be made to point here by anybody.\n";
    }
    return NULL;
}
