"""A client of HTTP/2 and gRPC for tests: it does what a good client does, and can be told to do what a bad one might.

    with h2.Connection(broker.port) as c:
        c.export(h2.LOGS, message).grpc_status                  # one call
        streams = [c.start(h2.LOGS) for _ in range(100)]        # many at once, in pieces
        c.send(streams[0], h2.framed(message), end=True)
        c.finish(streams[0])                                    # Status
        c.send_frame(h2.PING, 0, 0, b"12345678")                # anything at all

Headers are sent as literals without indexing, and read by the HPACK decoder of libnghttp2; where that library cannot be
loaded the test is skipped. There are no threads: answers are read when somebody waits for one, and then all that waits is
read, so SETTINGS and PING are acknowledged and windows opened on the way (automatic=False leaves that to the test).
"""
import base64
import collections
import ctypes
import gzip as gzip_module
import socket
import unittest
import urllib.parse

from harness import PATIENCE

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
ACK = END_STREAM = 0x1
END_HEADERS, PADDED, PRIORITY_FLAG = 0x4, 0x8, 0x20
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = range(1, 7)
NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 0x0, 0x1, 0x7, 0x8, 0xB

LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
SERVICES = (LOGS, TRACES, METRICS)

FRAME_MAX = 16384

Frame = collections.namedtuple("Frame", "kind flags stream payload")
# What became of a call. reset is the code of RST_STREAM; headers are those of the answer and its trailers together.
Status = collections.namedtuple("Status", "http_status grpc_status message details headers body reset")


class Closed(ConnectionError):
    """The server has closed the connection."""


# --- bytes ---

def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def settings(values):
    return b"".join(k.to_bytes(2, "big") + v.to_bytes(4, "big") for k, v in values.items())


def framed(message, gzip=False):
    """A gRPC message with its prefix."""
    data = gzip_module.compress(message, 6) if gzip else message
    return bytes([int(gzip)]) + len(data).to_bytes(4, "big") + data


def hpack_length(n):
    """An integer with a prefix of seven bits, the bit above being 0: no Huffman code."""
    if n < 127:
        return bytes([n])
    out, n = bytearray([127]), n - 127
    while n >= 128:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def hpack(headers):
    out = b""
    for name, value in headers:
        for i, text in enumerate((name, value)):
            text = text if isinstance(text, bytes) else text.encode()
            out += (b"" if i else b"\0") + hpack_length(len(text)) + text
    return out


class Inflater:
    """libnghttp2's HPACK decoder."""

    class Pair(ctypes.Structure):
        _fields_ = [("name", ctypes.POINTER(ctypes.c_char)), ("value", ctypes.POINTER(ctypes.c_char)), ("name_len", ctypes.c_size_t),
                    ("value_len", ctypes.c_size_t), ("flags", ctypes.c_uint8)]

    FINAL, EMIT = 1, 2

    def __init__(self):
        try:
            self._lib = ctypes.CDLL("libnghttp2.so.14")
        except OSError as e:
            raise unittest.SkipTest(f"no HPACK decoder: {e}")
        self._inflate = self._lib.nghttp2_hd_inflate_hd2
        self._inflate.restype = ctypes.c_ssize_t
        self._inflate.argtypes = [ctypes.c_void_p, ctypes.POINTER(self.Pair), ctypes.POINTER(ctypes.c_int), ctypes.c_char_p,
                                  ctypes.c_size_t, ctypes.c_int]
        self._inflater = ctypes.c_void_p()
        if self._lib.nghttp2_hd_inflate_new(ctypes.byref(self._inflater)) != 0:
            raise MemoryError("nghttp2_hd_inflate_new")

    def close(self):
        if self._inflater:
            self._lib.nghttp2_hd_inflate_del(self._inflater)
            self._inflater = None

    def headers(self, block):
        """The (name, value) pairs of a whole block."""
        pair, flags, found = self.Pair(), ctypes.c_int(), []
        while True:
            n = self._inflate(self._inflater, ctypes.byref(pair), ctypes.byref(flags), block, len(block), 1)
            if n < 0:
                raise AssertionError(f"not HPACK: {n}")
            block = block[n:]
            if flags.value & self.EMIT:
                found.append((pair.name[:pair.name_len].decode(), pair.value[:pair.value_len].decode()))
            if flags.value & self.FINAL:
                self._lib.nghttp2_hd_inflate_end_headers(self._inflater)
                return found
            if not block and not flags.value & self.EMIT:
                raise AssertionError("HPACK ends early")


# --- google.rpc.Status ---

def proto_fields(data):
    """[(field number, int or bytes)] of a message, without knowing its type."""
    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    at, found = 0, []
    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            found.append((tag >> 3, varint()))
        elif tag & 7 == 2:
            length = varint()
            if at + length > len(data):
                raise AssertionError("a field longer than its message")
            found.append((tag >> 3, data[at:at + length]))
            at += length
        else:
            raise AssertionError(f"wire type {tag & 7}")
    return found


def retry_seconds(details):
    """Of the RetryInfo in a google.rpc.Status; None if there is none."""
    for number, any_message in proto_fields(details):
        if number == 3:
            inside = dict(proto_fields(any_message))
            if inside[1] == b"type.googleapis.com/google.rpc.RetryInfo":
                duration = dict(proto_fields(dict(proto_fields(inside[2]))[1]))
                return duration.get(1, 0) + duration.get(2, 0) / 1e9
    return None


# --- streams and connections ---

class Stream:
    def __init__(self, number, window):
        self.number = number
        self.window = window  # what may be sent
        self.headers, self.body = {}, b""
        self.answered = self.ended = False
        self.reset = None

    @property
    def done(self):
        return self.ended or self.reset is not None

    def status(self):
        h = self.headers
        grpc = h.get("grpc-status")
        packed = h.get("grpc-status-details-bin", "")
        details = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
        return Status(int(h[":status"]) if ":status" in h else None, int(grpc) if grpc is not None else None,
                      urllib.parse.unquote(h.get("grpc-message", "")), details, h, self.body, self.reset)


class Connection:
    """window is what the server may send on each stream before it waits; settings are further values for SETTINGS."""

    def __init__(self, port, host="127.0.0.1", window=65535, automatic=True, greet=True, more_settings=None):
        self.inflater = Inflater()
        self.authority = f"{host}:{port}"
        self.automatic = automatic
        self.settings, self.acknowledged, self.pongs = None, 0, []
        self.goaway = None  # (last stream, code, debug data)
        self.streams = {}
        self.window = 65535
        self._initial_window, self._next = 65535, 1
        self._received, self._block = b"", None
        self.sock = socket.create_connection((host, port), timeout=PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if greet:
            self.greet({INITIAL_WINDOW_SIZE: window, **(more_settings or {})})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()
        self.inflater.close()

    # --- frames ---

    def greet(self, values=None):
        """Preface and SETTINGS, and waits for the server's."""
        self.sock.sendall(PREFACE + frame(SETTINGS, 0, 0, settings(values or {})))
        self.wait(lambda: self.settings is not None)

    def send_frame(self, kind, flags, stream, payload=b""):
        self.sock.sendall(frame(kind, flags, stream, payload))

    def read_frame(self):
        """The next frame; does nothing else about it."""
        head = self._read(9)
        return Frame(head[3], head[4], int.from_bytes(head[5:9], "big") & 0x7FFFFFFF, self._read(int.from_bytes(head[:3], "big")))

    def _read(self, n):
        while len(self._received) < n:
            try:
                piece = self.sock.recv(65536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                raise Closed(f"closed; GOAWAY {self.goaway}")
            self._received += piece
        data, self._received = self._received[:n], self._received[n:]
        return data

    def wait(self, condition):
        """Reads and handles frames until the condition holds."""
        while not condition():
            self.handle(self.read_frame())

    def wait_closed(self):
        """Reads until the server closes the connection."""
        try:
            while True:
                self.handle(self.read_frame())
        except ConnectionError:
            pass

    # --- what comes in ---

    def handle(self, f):
        handler = {DATA: self._on_data, HEADERS: self._on_headers, CONTINUATION: self._on_headers, RST_STREAM: self._on_reset,
                   SETTINGS: self._on_settings, PING: self._on_ping, GOAWAY: self._on_goaway, WINDOW_UPDATE: self._on_window}.get(f.kind)
        if handler:
            handler(f)

    def _on_data(self, f):
        stream = self.streams[f.stream]
        stream.body += f.payload
        stream.ended = stream.ended or bool(f.flags & END_STREAM)
        if self.automatic and f.payload:
            self.open_window(0, len(f.payload))
            if not stream.ended:
                self.open_window(f.stream, len(f.payload))

    def _on_headers(self, f):
        payload = f.payload
        if f.kind == HEADERS:
            if f.flags & (PADDED | PRIORITY_FLAG):
                raise AssertionError(f"headers with flags {f.flags:#x}")
            self._block = (f.stream, f.flags, b"")
        number, flags, block = self._block
        self._block = (number, flags, block + payload)
        if f.flags & END_HEADERS:
            self.streams[number].headers.update(self.inflater.headers(block + payload))
            self.streams[number].answered = True
            self.streams[number].ended |= bool(flags & END_STREAM)

    def _on_reset(self, f):
        self.streams[f.stream].reset = int.from_bytes(f.payload, "big")

    def _on_settings(self, f):
        if f.flags & ACK:
            self.acknowledged += 1
            return
        values = {int.from_bytes(f.payload[i:i + 2], "big"): int.from_bytes(f.payload[i + 2:i + 6], "big") for i in range(0, len(f.payload), 6)}
        self.settings = {**(self.settings or {}), **values}
        if INITIAL_WINDOW_SIZE in values:
            for stream in self.streams.values():
                stream.window += values[INITIAL_WINDOW_SIZE] - self._initial_window
            self._initial_window = values[INITIAL_WINDOW_SIZE]
        if self.automatic:
            self.send_frame(SETTINGS, ACK, 0)

    def _on_ping(self, f):
        if f.flags & ACK:
            self.pongs.append(f.payload)
        elif self.automatic:
            self.send_frame(PING, ACK, 0, f.payload)

    def _on_goaway(self, f):
        self.goaway = (int.from_bytes(f.payload[:4], "big") & 0x7FFFFFFF, int.from_bytes(f.payload[4:8], "big"), f.payload[8:])

    def _on_window(self, f):
        more = int.from_bytes(f.payload, "big")
        if f.stream == 0:
            self.window += more
        elif f.stream in self.streams:
            self.streams[f.stream].window += more

    # --- what goes out ---

    def open_window(self, stream, more):
        self.send_frame(WINDOW_UPDATE, 0, stream, more.to_bytes(4, "big"))

    def ping(self, data=b"agentbus"):
        """Waits until the server has answered: then it has read all that was sent before."""
        seen = len(self.pongs)
        self.send_frame(PING, 0, 0, data)
        self.wait(lambda: len(self.pongs) > seen)
        return self.pongs[-1]

    def reset(self, stream, code=CANCEL):
        self.send_frame(RST_STREAM, 0, stream.number, code.to_bytes(4, "big"))

    def start(self, path, headers=None, end=False):
        """Sends the head of a call. headers replace and add to the usual ones; a value of None leaves one out."""
        usual = {":method": "POST", ":scheme": "http", ":path": path, ":authority": self.authority, "content-type": "application/grpc",
                 "te": "trailers", "user-agent": "agentbus-test"}
        wanted = {k: v for k, v in {**usual, **(headers or {})}.items() if v is not None}
        stream = Stream(self._next, self._initial_window)
        self.streams[stream.number] = stream
        self._next += 2
        block = hpack(sorted(wanted.items(), key=lambda pair: not pair[0].startswith(":")))
        pieces = [block[i:i + FRAME_MAX] for i in range(0, len(block), FRAME_MAX)]
        for i, piece in enumerate(pieces):
            flags = (END_HEADERS if i == len(pieces) - 1 else 0) | (END_STREAM if end and i == 0 else 0)
            self.send_frame(CONTINUATION if i else HEADERS, flags, stream.number, piece)
        return stream

    def send(self, stream, data, end=False):
        """Sends bytes of a body as the windows allow. Stops where the server has already answered or refused."""
        while data and not stream.done:
            n = min(len(data), FRAME_MAX, stream.window, self.window)
            if n <= 0:
                self.handle(self.read_frame())
                continue
            piece, data = data[:n], data[n:]
            stream.window -= n
            self.window -= n
            self.send_frame(DATA, END_STREAM if end and not data else 0, stream.number, piece)
            if not data:
                return
        if end and not stream.done:
            self.send_frame(DATA, END_STREAM, stream.number)

    def finish(self, stream):
        """Waits for the end of an answer."""
        self.wait(lambda: stream.done)
        return stream.status()

    def export(self, path, message, gzip=False, headers=None):
        """One whole call."""
        stream = self.start(path, {**({"grpc-encoding": "gzip"} if gzip else {}), **(headers or {})})
        self.send(stream, framed(message, gzip), end=True)
        return self.finish(stream)


if __name__ == "__main__":
    raise SystemExit("h2.py is a client that the system tests share; run `make check-system`")
