"""Runs a command in a network namespace of its own, in which 10.9.0.2 is 10.9.0.1, far away: what is
sent there comes back to the sender's own sockets, as if from there, after half a round trip.

    unshare --net python3 far.py ROUND_TRIP_MS COMMAND...
"""

import collections
import fcntl
import os
import select
import struct
import subprocess
import sys
import threading
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 0x0001, 0x1000  # linux/if_tun.h
QUEUE_PACKETS = 20000


def mirror(device, delay):
    """Swaps source and destination, which changes no checksum, and delays each packet."""
    queue = collections.deque()
    while True:
        wait = max(0, queue[0][0] - time.monotonic()) if queue else None
        if select.select([device], [], [], wait)[0]:
            packet = os.read(device, 65536)
            if packet[0] >> 4 == 4:
                queue.append((time.monotonic() + delay,
                              packet[:12] + packet[16:20] + packet[12:16] + packet[20:]))
        while queue and queue[0][0] <= time.monotonic():
            os.write(device, queue.popleft()[1])


device = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"far", IFF_TUN | IFF_NO_PI))
for words in ("link set lo up", "address add 10.9.0.1/24 dev far",
              f"link set far up txqueuelen {QUEUE_PACKETS}"):
    subprocess.run(["ip", *words.split()], check=True)
threading.Thread(target=mirror, args=(device, int(sys.argv[1]) / 2000), daemon=True).start()
sys.exit(subprocess.run(sys.argv[2:]).returncode)
