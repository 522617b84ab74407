"""TLS byte by byte: a client whose every wire byte passes through the test, a parser of record
headers, and a proxy that records both directions."""

import select
import socket
import ssl
import struct
import threading

from dyno import DEADLINE

HANDSHAKE, ALERT, APPLICATION_DATA = 22, 21, 23
HEADER_BYTES = 5  # type, version, length (RFC 8446 5.1)


def records(stream):
    """[(type, payload length)] of the complete TLS records in the bytes."""
    found = []
    offset = 0
    while offset + HEADER_BYTES <= len(stream):
        kind, _, length = struct.unpack_from("!BHH", stream, offset)
        assert kind in (20, ALERT, HANDSHAKE, APPLICATION_DATA), f"not a record type: {kind}"
        if offset + HEADER_BYTES + length > len(stream):
            break
        found.append((kind, length))
        offset += HEADER_BYTES + length
    return found


def client_context(version=None, alpn=None, ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca:
        context.load_verify_locations(ca)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = version
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def connect(port, receive_buffer=None, source=None):
    link = socket.socket()
    if receive_buffer:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    link.settimeout(DEADLINE)
    if source:
        link.bind((source, 0))
    link.connect(("127.0.0.1", port))
    return link


def secure(port, source=None, **options):
    """An ordinary TLS connection to the server, verification off."""
    return client_context(**options).wrap_socket(connect(port, source=source),
                                                 server_hostname="localhost")


def receive_exactly(link, count):
    """Fewer bytes mean that the peer has closed."""
    pieces = []
    while count > 0:
        piece = link.recv(min(count, 1 << 20))
        if not piece:
            break
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


class RawClient:
    """A TLS client in memory over a TCP socket of the test's: it says when which bytes go out."""

    def __init__(self, port, context=None, receive_buffer=None):
        self.link = connect(port, receive_buffer)
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.tls = (context or client_context()).wrap_bio(
            self.incoming, self.outgoing, server_hostname="localhost"
        )
        self.received = b""  # every wire byte from the server

    def step(self):
        """Lets the engine go on with what it has; True when the handshake is complete."""
        try:
            self.tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False

    def take_output(self):
        """The wire bytes that the engine wants to send, for the test to do with as it likes."""
        return self.outgoing.read()

    def flush(self):
        self.link.sendall(self.take_output())

    def fill(self):
        """Reads some wire bytes from the server into the engine; False when it closed."""
        piece = self.link.recv(65536)
        self.received += piece
        if piece:
            self.incoming.write(piece)
        return bool(piece)

    def handshake(self):
        while not self.step():
            self.flush()
            if not self.fill():
                raise ConnectionError("the server closed during the handshake")
        self.flush()

    def send(self, data):
        self.tls.write(data)
        self.flush()

    def receive(self, count):
        """Exactly `count` bytes of plaintext."""
        plain = b""
        while len(plain) < count:
            try:
                plain += self.tls.read(count - len(plain))
            except ssl.SSLWantReadError:
                if not self.fill():
                    raise ConnectionError("the server closed before it had sent everything")
        return plain

    def reset(self):
        """Closes with a RST instead of a FIN."""
        self.link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.link.close()

    def close(self):
        self.link.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


def server_closes(link, timeout=DEADLINE):
    """Reads until the server closes or resets; True when it did so in time."""
    link.settimeout(timeout)
    try:
        while link.recv(65536):
            pass
    except socket.timeout:
        return False
    except OSError:
        return True
    return True


def record(kind, payload, version=0x0303):
    """A plain record (RFC 8446 5.1); what follows are parts of it."""
    return struct.pack("!BHH", kind, version, len(payload)) + payload


def handshake_message(kind, body):
    return struct.pack("!B", kind) + len(body).to_bytes(3, "big") + body


def client_hello(version=0x0303, suites=b"\xc0\x2f\xc0\x2b", extensions=b""):
    body = struct.pack("!H", version) + bytes(32) + b"\x00"
    body += struct.pack("!H", len(suites)) + suites + b"\x01\x00"
    if extensions:
        body += struct.pack("!H", len(extensions)) + extensions
    return handshake_message(1, body)


def extension(kind, body):
    return struct.pack("!HH", kind, len(body)) + body


def real_client_hello(port):
    """A ClientHello as Python's OpenSSL would send it, as one record."""
    with RawClient(port) as client:
        client.step()
        return client.take_output()


class RecordingProxy:
    """Listens on loopback, passes bytes to and fro, and keeps what went each way.

    proxy.connections: [(bytes from the client, bytes from the server)]
    """

    def __init__(self, port):
        self.upstream = port

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = []
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()
        return self

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            record = (bytearray(), bytearray())
            self.connections.append(record)
            thread = threading.Thread(target=self._pass, args=(client, record), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _pass(self, client, record):
        with client, socket.create_connection(("127.0.0.1", self.upstream)) as server:
            ways = {client: (server, record[0]), server: (client, record[1])}
            while ways:
                for link in select.select(list(ways), [], [])[0]:
                    other, kept = ways[link]
                    try:
                        piece = link.recv(65536)
                        kept += piece
                        other.sendall(piece)
                        if not piece:
                            del ways[link]
                            other.shutdown(socket.SHUT_WR)
                    except OSError:
                        return

    def __exit__(self, *unused):
        # shutdown wakes the accept, which close alone does not.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(DEADLINE)
