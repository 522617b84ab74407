#include "cli/suggest.h"

#include <stdio.h>
#include <string.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, substitutions and swaps of neighbours that make `b` of `a` (the optimal
 * string alignment distance). Both are shorter than SUGGESTION_BYTES. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t a_bytes = strlen(a);
    size_t b_bytes = strlen(b);
    size_t rows[3][SUGGESTION_BYTES];
    size_t *before = rows[0];
    size_t *above = rows[1];
    size_t *row = rows[2];

    for (size_t j = 0; j <= b_bytes; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_bytes; i++) {
        size_t *oldest = before;

        before = above;
        above = row;
        row = oldest;
        row[0] = i;
        for (size_t j = 1; j <= b_bytes; j++) {
            size_t substituted = above[j - 1] + (a[i - 1] != b[j - 1]);

            row[j] = smaller(substituted, smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = smaller(row[j], before[j - 2] + 1);
            }
        }
    }
    return row[b_bytes];
}

void suggestion_init(struct suggestion *suggestion, const char *word)
{
    suggestion->word = word;
    suggestion->best[0] = '\0';
    suggestion->distance = (strlen(word) + 2) / 3 + 1; /* this far is no longer near */
}

void suggestion_offer(struct suggestion *suggestion, const char *candidate)
{
    size_t word_bytes = strlen(suggestion->word);
    size_t distance;

    if (word_bytes >= SUGGESTION_BYTES || strlen(candidate) >= SUGGESTION_BYTES) {
        return;
    }
    distance = edit_distance(suggestion->word, candidate);
    /* Whoever types --message means --message-bytes. */
    if (word_bytes >= 3 && strncmp(candidate, suggestion->word, word_bytes) == 0) {
        distance = smaller(distance, 1);
    }
    if (distance < suggestion->distance) {
        suggestion->distance = distance;
        snprintf(suggestion->best, sizeof(suggestion->best), "%s", candidate);
    }
}
