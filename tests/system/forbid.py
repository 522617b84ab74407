"""Runs a command under a seccomp filter that refuses some system calls with an error, as a
container's profile does.

    python3 forbid.py ERRNO CALL[,CALL...] COMMAND...
"""

import ctypes
import os
import struct
import sys

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD_NUMBER = (0x20, 0, 0, 0)  # BPF_LD | BPF_W | BPF_ABS: seccomp_data.nr
JUMP_IF_EQUAL, RETURN = 0x15, 0x06
ERRNO, ALLOW = 0x00050000, 0x7fff0000
# The same on all architectures (asm-generic/unistd.h).
CALLS = {"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427}

calls = [CALLS[name] for name in sys.argv[2].split(",")]
steps = [LOAD_NUMBER]
for index, call in enumerate(calls):
    steps.append((JUMP_IF_EQUAL, len(calls) - index, 0, call))
steps += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, ERRNO | int(sys.argv[1]))]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = struct.pack("HP", len(steps), ctypes.addressof(code))
prctl = ctypes.CDLL(None, use_errno=True).prctl
if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
        or prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0) != 0):
    sys.exit("no seccomp here: " + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[3], sys.argv[3:])
