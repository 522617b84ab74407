#include "report/csv.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

static char *csv_of(const struct load_result *result)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    csv_write(out, result);
    fclose(out);
    return text;
}

static unsigned count_of(const char *line, char wanted)
{
    unsigned count = 0;

    for (; *line != '\0' && *line != '\r'; line++) {
        count += *line == wanted;
    }
    return count;
}

Test(csv, has_a_row_for_each_phase_and_interval)
{
    struct load_result *result = calloc(1, sizeof(*result));
    char *text;

    histogram_record(&result->phases[LOAD_PHASE_MESSAGE], 100);
    result->series_count = 2;
    result->series[0] = (struct load_interval){
        .seconds = 1, .messages = 7, .bytes_in = 8, .bytes_out = 9, .errors = 1};
    result->series[1] = (struct load_interval){.start_s = 1, .seconds = 0.5, .handshakes = 3};
    text = csv_of(result);
    cr_assert_not_null(strstr(text, "\nphase,message,1,100,100.0,100,100,100,100,100,,,,,,,\r\n"),
                       "%s", text);
    cr_assert_not_null(strstr(text, "\ninterval,,,,,,,,,,0.000000,1.000000,0,7,8,9,1\r\n"), "%s",
                       text);
    cr_assert_not_null(strstr(text, "\ninterval,,,,,,,,,,1.000000,0.500000,3,0,0,0,0\r\n"), "%s",
                       text);
    cr_assert_null(strstr(text, "phase,connect"), "nothing was recorded");
    for (char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        cr_assert_eq(count_of(line, ','), count_of(text, ','), "%s", line);
    }
    free(text);
    free(result);
}

Test(csv, of_nothing_is_its_header)
{
    struct load_result *result = calloc(1, sizeof(*result));
    char *text = csv_of(result);

    cr_assert_str_eq(strchr(text, '\n'), "\n");
    cr_assert_eq(strncmp(text, "row,phase,count,", strlen("row,phase,count,")), 0);
    free(text);
    free(result);
}
