/* Command lines and configuration files. The first byte chooses the command and which of the two
 * the rest is; words of a command line are divided by zero bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/config_file.h"
#include "fuzz.h"

enum { WORDS_MAX = 64 };

static void parse_words(const struct command *command, struct fuzz_input *input, void *config)
{
    char *words[WORDS_MAX + 2] = {(char *)(uintptr_t)command->table.command};
    struct option_files files = {0};
    struct error error = {0};
    int count = 1;

    while (input->count > 0 && count <= WORDS_MAX) {
        words[count++] = fuzz_text(input);
    }
    if (options_parse(&command->table, count, words, config, &files, &error) == OPTIONS_WRONG) {
        FUZZ_EXPECT(error.text[0] != '\0');
    }
    option_files_free(&files);
    for (int i = 1; i < count; i++) {
        free(words[i]);
    }
}

static void parse_file(const struct command *command, struct fuzz_input *input, void *config)
{
    static const bool hidden[OPTION_ROWS_MAX];
    struct error error = {0};
    char *text = fuzz_text(input);

    if (config_file_apply(&command->table, "input", text, hidden, config, &error) != 0) {
        FUZZ_EXPECT(strncmp(error.text, "input:", 6) == 0);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct fuzz_input input = {bytes, count};
    uint8_t choice = fuzz_byte(&input);
    const struct command *command = commands[(choice >> 1) % command_count];
    void *config = calloc(1, command->config_bytes);

    FUZZ_EXPECT(config);
    if (choice & 1) {
        parse_file(command, &input, config);
    } else {
        parse_words(command, &input, config);
    }
    free(config);
    return 0;
}
