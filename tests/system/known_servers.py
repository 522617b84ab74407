"""Servers that misbehave in a known way: an echo that delays each answer, or that stalls for a while.
Each is a context manager that yields its port."""

import contextlib
import socket
import ssl
import threading
import time


class Stall:
    """One silence for all connections: `length` seconds long, `after` seconds after the first call."""

    def __init__(self, after, length):
        self.after = after
        self.length = length
        self._lock = threading.Lock()
        self._begin = None

    def wait(self):
        with self._lock:
            now = time.monotonic()
            if self._begin is None:
                self._begin = now + self.after
            begin = self._begin
        if begin <= now < begin + self.length:
            time.sleep(begin + self.length - now)


class Delay:
    """Each call takes this long."""

    def __init__(self, length):
        self.length = length

    def wait(self):
        time.sleep(self.length)


def _echo(link, context, pause):
    """context: for a handshake, which then is what the pause delays; None: plain TCP, where each
    answer is."""
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(OSError), contextlib.ExitStack() as closing:
        closing.enter_context(link)
        if context:
            pause.wait()
            link = closing.enter_context(context.wrap_socket(link, server_side=True))
        while data := link.recv(65536):
            if not context:
                pause.wait()
            link.sendall(data)


@contextlib.contextmanager
def echo(pause, certificates=None):
    """A thread for each connection. With certificates it speaks TLS."""
    context = None
    if certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.cert, certificates.key)
        context.num_tickets = 0
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    link, _ = listener.accept()
                    threading.Thread(target=_echo, args=(link, context, pause),
                                     daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # which ends accept()
            thread.join()
