"""Servers that misbehave in a known way, and count what they did: an echo that delays each answer,
stalls for a while, or sends records of known sizes; handshakes that are never resumed, or fail now and
then. Each is a context manager that yields its port; what one counts is in the object it was given."""

import contextlib
import itertools
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
    """Each call takes this long, or as long as .seconds says that it took."""

    def __init__(self, length):
        self.length = length
        self.seconds = []

    def wait(self):
        begin = time.monotonic()
        time.sleep(self.length)
        self.seconds.append(time.monotonic() - begin)


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
def serving(serve):
    """Calls serve(link, number) in a thread for each connection; the first one's number is 1."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:

        def handle(link, number):
            with contextlib.suppress(OSError), link:
                serve(link, number)

        def accept():
            with contextlib.suppress(OSError):
                for number in itertools.count(1):
                    link, _ = listener.accept()
                    threading.Thread(target=handle, args=(link, number), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # which ends accept()
            thread.join()


def server_context(certificates, tickets=0):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.cert, certificates.key)
    context.num_tickets = tickets
    return context


@contextlib.contextmanager
def echo(pause, certificates=None):
    """A thread for each connection. With certificates it speaks TLS."""
    context = server_context(certificates) if certificates else None
    with serving(lambda link, number: _echo(link, context, pause)) as port:
        yield port


class Counts:
    """What a server below did; under the lock of the interpreter, read at the end."""

    def __init__(self):
        self.lock = threading.Lock()
        self.full = self.resumed = self.refused = self.answers = 0

    def add(self, name):
        with self.lock:
            setattr(self, name, getattr(self, name) + 1)


def _until_end(link):
    while link.recv(65536):
        pass


@contextlib.contextmanager
def forgetful(certificates, counts):
    """Gives tickets out and knows none of them again: each connection has its own keys for them."""

    def serve(link, _number):
        context = server_context(certificates, tickets=1)
        with context.wrap_socket(link, server_side=True) as secure:
            counts.add("resumed" if secure.session_reused else "full")
            _until_end(secure)

    with serving(serve) as port:
        yield port


@contextlib.contextmanager
def refusing(certificates, counts, every, alert):
    """Each `every`th connection is refused: this fatal alert answers its ClientHello."""
    context = server_context(certificates)

    def serve(link, number):
        if number % every == 0:
            link.recv(65536)
            counts.add("refused")
            link.sendall(bytes((21, 3, 3, 0, 2, 2, alert)))  # RFC 8446 5.1 and 6
            _until_end(link)
            return
        with context.wrap_socket(link, server_side=True) as secure:
            counts.add("full")
            _until_end(secure)

    with serving(serve) as port:
        yield port


@contextlib.contextmanager
def echo_in_records(certificates, counts, sizes, version):
    """Answers messages of sum(sizes) bytes in TLS records of these sizes."""
    context = server_context(certificates)
    context.minimum_version = context.maximum_version = version
    context.set_ciphers("AESGCM")

    def serve(link, _number):
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(link, server_side=True) as secure:
            message = b""
            while piece := secure.recv(sum(sizes) - len(message)):
                message += piece
                if len(message) < sum(sizes):
                    continue
                counts.add("answers")
                for size in sizes:
                    secure.sendall(message[:size])  # one write, one record
                    message = message[size:]

    with serving(serve) as port:
        yield port
