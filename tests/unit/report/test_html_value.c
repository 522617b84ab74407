#include "report/html_value.h"

#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

static void assert_escaped(const char *text, const char *expected)
{
    char *out = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&out, &bytes);

    html_escape(file, text);
    fclose(file);
    cr_assert_str_eq(out, expected);
    free(out);
}

Test(html_value, markup_and_control_characters_become_entities)
{
    assert_escaped("plain text, 5%", "plain text, 5%");
    assert_escaped("<b a='1' c=\"2\">&", "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;");
    assert_escaped("a\x1b[2J\x7f\n", "a&#xfffd;[2J&#xfffd;&#xfffd;");
    assert_escaped("\xc3\xbc \xe2\x82\xac", "\xc3\xbc \xe2\x82\xac");
    /* U+202E, U+2066: they would turn what is beside them. */
    assert_escaped("a\xe2\x80\xae"
                   "b\xe2\x81\xa6"
                   "c",
                   "a&#xfffd;b&#xfffd;c");
    assert_escaped("\xe2", "\xe2");
}

Test(html_value, numbers_out_of_bounds_are_not_known)
{
    json_t *document = json_pack("{s:{s:f, s:f, s:f, s:s}}", "a", "good", 1.5, "negative", -1.0,
                                 "huge", 1e19, "text", "1");

    cr_assert_eq(html_number(document, "a.good"), 1.5);
    cr_assert(isnan(html_number(document, "a.negative")));
    cr_assert(isnan(html_number(document, "a.huge")));
    cr_assert(isnan(html_number(document, "a.text")));
    cr_assert(isnan(html_number(document, "a.good.deeper")));
    cr_assert_str_eq(html_text(document, "a.text"), "1");
    cr_assert_null(html_text(document, "a.good"));
    json_decref(document);
}

Test(html_value, links_are_bits_a_second)
{
    char out[UNITS_TEXT_BYTES];

    cr_assert_str_eq(html_format_link(100e6, out), "100 Mbit/s");
    cr_assert_str_eq(html_format_link(56, out), "56 bit/s");
}
