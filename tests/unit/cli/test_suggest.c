#include <criterion/criterion.h>

#include "cli/suggest.h"

static const char *const words[] = {"connections", "duration", "depth", "message-bytes", NULL};

static struct suggestion suggest(const char *word)
{
    struct suggestion suggestion;

    suggestion_init(&suggestion, word);
    for (size_t i = 0; words[i] != NULL; i++) {
        suggestion_offer(&suggestion, words[i]);
    }
    return suggestion;
}

Test(suggest, finds_a_missing_letter)
{
    struct suggestion suggestion = suggest("conections");

    cr_assert_str_eq(suggestion.best, "connections");
}

Test(suggest, finds_swapped_letters_at_distance_one)
{
    struct suggestion suggestion = suggest("detph");

    cr_assert_str_eq(suggestion.best, "depth");
    cr_assert_eq(suggestion.distance, 1);
}

Test(suggest, finds_what_was_cut_short)
{
    struct suggestion suggestion = suggest("message");

    cr_assert_str_eq(suggestion.best, "message-bytes");
}

Test(suggest, prefers_the_nearest_whatever_the_order)
{
    struct suggestion suggestion;

    suggestion_init(&suggestion, "rates");
    suggestion_offer(&suggestion, "rat");
    suggestion_offer(&suggestion, "rate");
    suggestion_offer(&suggestion, "gate");
    cr_assert_str_eq(suggestion.best, "rate");
}

Test(suggest, stays_silent_when_nothing_is_near)
{
    struct suggestion suggestion = suggest("xyzzy");

    cr_assert_str_eq(suggestion.best, "");
}

Test(suggest, stays_silent_for_words_too_long_to_compare)
{
    char word[2 * SUGGESTION_BYTES];
    struct suggestion suggestion;

    memset(word, 'a', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    suggestion_init(&suggestion, word);
    suggestion_offer(&suggestion, "aaaa");
    suggestion_offer(&suggestion, word);
    cr_assert_str_eq(suggestion.best, "");
}

Test(suggest, survives_an_empty_word)
{
    struct suggestion suggestion = suggest("");

    cr_assert_str_eq(suggestion.best, "");
}
