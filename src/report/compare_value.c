#include "report/compare_value.h"

#include <math.h>
#include <string.h>

const json_t *compare_find(const json_t *report, const char *path)
{
    while (report != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");

        report = json_object_getn(report, path, length);
        path += length + (path[length] == '.');
    }
    return report;
}

double compare_number(const json_t *value)
{
    return json_is_number(value) ? json_number_value(value) : NAN;
}
