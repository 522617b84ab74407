/* Who may read the admin endpoint: programs and a person's own browser, but no web page that runs
 * in it. A page of anybody's can send requests to 127.0.0.1, and with a name that it lets point
 * there (DNS rebinding) its scripts would read the answers. */
#pragma once

#include <stdbool.h>

/* Request headers, NULL where there is none. */
struct visitor {
    const char *host;
    const char *origin;
    const char *fetch_site; /* Sec-Fetch-Site */
    bool is_from_afar;      /* other machines are meant to come, by whatever name they know */
};

/* NULL, or a sentence about why the request is refused. */
const char *visitor_refusal(const struct visitor *visitor);
