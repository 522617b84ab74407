"""Runs a command in a network namespace of its own, in which 10.9.0.2 is 10.9.0.1, far away: what is
sent there comes back to the sender's own sockets, as if from there, after half a round trip. At the
end it says by how much a packet was late at most, for a machine may be too busy to pass them on.

    unshare --net python3 far.py ROUND_TRIP_MS COMMAND...
"""

import collections
import contextlib
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


def starved_seconds():
    """For how long this thread could have run and had no CPU (proc(5))."""
    with open("/proc/thread-self/schedstat", encoding="ascii") as file:
        return int(file.read().split()[1]) / 1e9


class Mirror:
    """Swaps source and destination, which changes no checksum, and delays each packet."""

    def __init__(self, device, delay):
        self.device = device
        self.delay = delay
        self.queue = collections.deque()  # (when it is due, how late it may have been read, packet)
        self.late = 0.0

    def take(self, since):
        """All that there is; the first of it came then."""
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = os.read(self.device, 65536)
                now = time.monotonic()
                if packet[0] >> 4 == 4:
                    self.queue.append((now + self.delay, now - since,
                                       packet[:12] + packet[16:20] + packet[12:16] + packet[20:]))

    def give(self):
        while self.queue and self.queue[0][0] <= time.monotonic():
            due, late, packet = self.queue.popleft()
            os.write(self.device, packet)
            self.late = max(self.late, late + time.monotonic() - due)

    def run(self):
        with contextlib.suppress(OSError):  # a network waits for no CPU
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        while True:
            wait = max(0, self.queue[0][0] - time.monotonic()) if self.queue else None
            starved = starved_seconds()
            select.select([self.device], [], [], wait)
            self.take(time.monotonic() - (starved_seconds() - starved))
            self.give()


device = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"far", IFF_TUN | IFF_NO_PI))
for words in ("link set lo up", "address add 10.9.0.1/24 dev far",
              f"link set far up txqueuelen {QUEUE_PACKETS}"):
    subprocess.run(["ip", *words.split()], check=True)
mirror = Mirror(device, int(sys.argv[1]) / 2000)
threading.Thread(target=mirror.run, daemon=True).start()
status = subprocess.run(sys.argv[2:]).returncode
print(f"late by {mirror.late:.3f} s", file=sys.stderr)
sys.exit(status)
