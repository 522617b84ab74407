/* Which files a process may still open: Landlock (landlock(7)), by raw system calls since C
 * libraries have none, with the rights of the kernel that runs. Only reading can be granted, and
 * the removal of a socket's file; everything else, execution and TCP connections too, is refused.
 *
 * Open descriptors stay as they are. One thread, before it starts others. */
#pragma once

struct error;

struct sandbox_files {
    int rules; /* a descriptor; -1 when the kernel has no Landlock */
};

/* The version of the kernel's Landlock, or 0 and, where `error` is not NULL, a sentence. */
int sandbox_files_version(struct error *error);

/* Begins a set of rules that allows nothing. Returns 0, or -1 and a sentence; the calls below are
 * harmless then. */
int sandbox_files_open(struct sandbox_files *files, struct error *error);

/* Reading the file or directory at `path`, and what will be renamed into its place later: hence
 * everything beneath the directory that holds it, and beneath the one that a symbolic link leads
 * to. Of a file in / itself only this file. What does not exist is left out. */
void sandbox_files_allow(struct sandbox_files *files, const char *path);

/* Removing the socket at `path`. */
void sandbox_files_allow_removal(struct sandbox_files *files, const char *path);

/* In force from here on for this thread and those that it starts, for good; closes the rules.
 * Returns 0, or -1 and a sentence. */
int sandbox_files_enforce(struct sandbox_files *files, struct error *error);
