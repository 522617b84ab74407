/* Runs a target once with each file that is named, or that is in a directory that is named: the
 * corpus and the regressions, in builds without libFuzzer. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { PATH_BYTES = 4096 };

static unsigned replayed;

static void replay_file(const char *path)
{
    struct stat status;
    FILE *file = fopen(path, "re");
    uint8_t *bytes;

    FUZZ_EXPECT(file != NULL && fstat(fileno(file), &status) == 0);
    bytes = malloc((size_t)status.st_size);
    FUZZ_EXPECT(fread(bytes, 1, (size_t)status.st_size, file) == (size_t)status.st_size);
    fclose(file);
    fprintf(stderr, "%s\n", path); /* the last one is the one that fails */
    LLVMFuzzerTestOneInput(bytes, (size_t)status.st_size);
    free(bytes);
    replayed++;
}

static void replay(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    char name[PATH_BYTES];

    if (!directory) {
        if (errno != ENOENT) { /* a target without regressions has no directory of them */
            replay_file(path);
        }
        return;
    }
    while ((entry = readdir(directory))) {
        if (entry->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
            replay_file(name);
        }
    }
    closedir(directory);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        replay(argv[i]);
    }
    printf("%u inputs\n", replayed);
    return replayed > 0 ? 0 : 1;
}
