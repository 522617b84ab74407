#include "cli/capabilities.h"

#include <stddef.h>
#include <sys/utsname.h>

#include "base/error.h"
#include "cli/ranks.h"
#include "ring/kernel.h"
#include "ring/ring.h"
#include "sandbox/calls.h"
#include "sandbox/files.h"
#include "sweep/possible.h"
#include "tls/config.h"
#include "tls/context.h"

static const struct {
    const char *name;
    const char *since;
    size_t offset; /* of a bool in struct ring_features */
} ring_feature_infos[] = {
    {"SUBMIT_STABLE", "5.5", offsetof(struct ring_features, submit_stable)},
    {"buffer rings", "5.19", offsetof(struct ring_features, buffer_ring)},
    {"multishot accept", "5.19", offsetof(struct ring_features, multishot_accept)},
    {"multishot recv", "6.0", offsetof(struct ring_features, multishot_recv)},
    {"SINGLE_ISSUER", "6.0", offsetof(struct ring_features, single_issuer)},
    {"DEFER_TASKRUN", "6.1", offsetof(struct ring_features, defer_taskrun)},
};

static void print_sandbox(FILE *out)
{
    struct error error = {0};
    int version = sandbox_files_version(&error);

    fprintf(out, "Sandbox:\n");
    if (version != 0) {
        fprintf(out, "  %-17s yes (version %d)\n", "Landlock", version);
    } else {
        fprintf(out, "  %-17s no: %s\n", "Landlock", error.text);
    }
    fprintf(out, "  %-17s %s\n", "seccomp", sandbox_calls_available() ? "yes" : "no");
}

void capabilities_print(FILE *out)
{
    struct ring_features features = {0};
    struct error error = {0};

    fprintf(out, "%s, X25519 keys by libsodium %s\n", tls_library_version(), tls_sodium_version());
    fputs("record layers: openssl; direct (TLS 1.3 and 1.2 with AES-GCM or ChaCha20-Poly1305)\n",
          out);
    fprintf(out, "mpirun: %s\n",
            ranks_library() != NULL ? ranks_library()
                                    : "not supported by this build (-Dmpi=enabled)");
    print_sandbox(out);
    if (ring_probe(&features, &error) != 0) {
        fprintf(out, "io_uring: not usable: %s\n", error.text);
        return;
    }
    fprintf(out, "Linux %s, io_uring:\n", features.kernel);
    for (size_t i = 0; i < sizeof(ring_feature_infos) / sizeof(ring_feature_infos[0]); i++) {
        const bool *present =
            (const bool *)(const void *)((const char *)&features + ring_feature_infos[i].offset);

        fprintf(out, "  %-17s %s (Linux %s)\n", ring_feature_infos[i].name,
                *present ? "yes" : "no ", ring_feature_infos[i].since);
    }
    kernel_warning_print(out);
}

int kernel_check(struct error *error)
{
    struct ring_features features;

    return ring_probe(&features, error);
}

void kernel_warning_print(FILE *out)
{
    struct utsname name;
    const char *warning = uname(&name) == 0 ? kernel_warning(name.release) : NULL;

    if (warning) {
        fprintf(out, "tlsdyno: warning: Linux %s: %s\n", name.release, warning);
    }
}

static void add_suite(void *user, const char *name, const char *versions, const char *note)
{
    sweep_capability_add_suite(user, name, versions, note);
}

static void add_group(void *user, const char *name, const char *versions, const char *note)
{
    (void)note;
    sweep_capability_add_group(user, name, versions);
}

void capabilities_read(struct sweep_capabilities *out)
{
    tls_list(TLS_LIST_CIPHERS, add_suite, out);
    tls_list(TLS_LIST_GROUPS, add_group, out);
}
