"""Runs a command in a network namespace of its own in which nothing but loopback exists: for
servers that can only listen on every address, and always on the port that they are told.

    unshare --net python3 alone.py COMMAND...
"""

import fcntl
import os
import socket
import struct
import sys

SIOCSIFFLAGS = 0x8914  # netdevice(7)
IFF_UP = 1

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
    fcntl.ioctl(link, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
os.execvp(sys.argv[1], sys.argv[1:])
