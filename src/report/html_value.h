/* Values of a result for the page, and the page's own way of writing them. */
#pragma once

#include <stdio.h>

#include <jansson.h>

#include "report/text_words.h"

/* Numbers up to here are believed; every sum of them still fits into what the formats print. */
static const double HTML_NUMBER_MAX = 1e18;

/* What "a.b.c" leads to: a number from 0 to HTML_NUMBER_MAX, or NAN; a text, or NULL. */
double html_number(const json_t *document, const char *path);
const char *html_text(const json_t *document, const char *path);

/* "A", "B" ...: how the page calls its files. Returns out. */
enum { HTML_LETTER_BYTES = 4 };

const char *html_letter(size_t file, char out[HTML_LETTER_BYTES]);

/* How people call a phase of the latencies: known names by a table, others as they are. */
const char *html_phase_title(const char *phase);

/* Text with what would be markup written as entities, and control characters, among them those that
 * turn the direction of writing, as U+FFFD. */
void html_escape(FILE *out, const char *text);

/* <tag>text</tag>; `tag` may have attributes, all of ours. "-" for NULL and "". */
void html_element(FILE *out, const char *tag, const char *text);

/* <td class="n">: "-" for NAN. */
void html_number_cell(FILE *out, double value, text_format *format);

/* The coloured letter of a file. */
void html_badge(FILE *out, size_t file);

/* Formats that text_words.h lacks. */
const char *html_format_bytes(double value, char out[UNITS_TEXT_BYTES]);
const char *html_format_bytes_rate(double value, char out[UNITS_TEXT_BYTES]);
const char *html_format_ns(double value, char out[UNITS_TEXT_BYTES]);
const char *html_format_link(double bits_per_second, char out[UNITS_TEXT_BYTES]);
