/* The script is given to bash itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "cli/commands.h"
#include "cli/completion.h"

enum { ANSWER_BYTES = 8192 };

/* What bash would offer for the words, of which the last one is being typed: a line each. */
static char *offer(const char *words)
{
    char path[] = "/tmp/tlsdyno-completion-XXXXXX";
    char command[128];
    char *answer = calloc(1, ANSWER_BYTES);
    FILE *script = fdopen(mkstemp(path), "w");
    FILE *bash;

    completion_print_bash(script);
    fprintf(script,
            "COMP_WORDS=(tlsdyno %s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
            "_tlsdyno; printf '%%s\\n' \"${COMPREPLY[@]}\"\n",
            words);
    fclose(script);
    snprintf(command, sizeof(command), "bash --norc -u %s 2>&1", path);
    bash = popen(command, "re");
    cr_assert_not_null(bash);
    cr_assert_lt(fread(answer, 1, ANSWER_BYTES - 1, bash), ANSWER_BYTES - 1);
    cr_assert_eq(pclose(bash), 0, "%s", answer);
    remove(path);
    return answer;
}

static void assert_offer(const char *words, const char *expected)
{
    char *answer = offer(words);

    cr_assert_str_eq(answer, expected, "%s: %s", words, answer);
    free(answer);
}

Test(completion, commands_come_first)
{
    assert_offer("se", "serve\n");
    assert_offer("--v", "--version\n");
}

Test(completion, options_belong_to_their_command)
{
    assert_offer("serve --li", "--listen\n");
    assert_offer("serve --no-t", "--no-tickets\n");
    assert_offer("load --lis", "\n");
    assert_offer("cert --ch", "--chain\n");
    assert_offer("ciphers --j", "--json\n");
}

Test(completion, choices_are_offered_after_their_option_spelled_either_way)
{
    assert_offer("load --mode ha", "handshake\n");
    assert_offer("load --mode = ha", "handshake\n");
    assert_offer("serve -s ''", "echo\ndiscard\nsource\nhttp\nrr\n");
    assert_offer("serve --service =", "echo\ndiscard\nsource\nhttp\nrr\n");
}

Test(completion, other_values_are_left_to_the_shell)
{
    assert_offer("serve --cert s", "\n");
    assert_offer("serve --threads 1", "\n");
    assert_offer("nothing --li", "\n");
}

Test(completion, every_option_of_every_command_is_offered)
{
    for (size_t c = 0; c < command_count; c++) {
        const struct option_info *row;
        char words[64];
        char *answer;

        snprintf(words, sizeof(words), "%s --", commands[c]->table.command);
        answer = offer(words);
        for (size_t i = 0; (row = options_row(&commands[c]->table, i)) != NULL; i++) {
            char line[64];

            snprintf(line, sizeof(line), "--%s\n", row->name);
            cr_assert_not_null(strstr(answer, line), "%s", line);
        }
        free(answer);
    }
}
