#include "service/services.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

const struct service *const services[] = {
    &echo_service, &discard_service, &source_service, &http_service, &rr_service, NULL,
};

const struct service *service_find(const char *name, struct error *error)
{
    char names[128] = "";
    size_t used = 0;

    for (size_t i = 0; services[i] != NULL; i++) {
        if (strcmp(services[i]->name, name) == 0) {
            return services[i];
        }
        if (used < sizeof names) {
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : ", ",
                                     services[i]->name);
        }
    }
    error_set(error, "unknown service \"%s\": choose one of %s", name, names);
    return NULL;
}
