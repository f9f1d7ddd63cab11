"""HTTP/2 below gRPC: many streams, windows, pings, broken and hostile peers, and leaving in good order."""
import os
import signal
import socket
import time
import unittest

import h2
import otlp
from harness import PATIENCE, PB, Broker

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
MORE_MEMORY = (96 if SANITIZED else 32) << 20


def request_of(session, **more):
    return otlp.claude(otlp.claude_request(session, **more))


def read_to_the_end(c):
    """What a connection without h2's greeting gets until it is closed; its frames are handled."""
    c.wait_closed()
    return c.goaway


class Http2Test(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = cls.enterClassContext(Broker("--header-timeout", "1s"))

    def connect(self, **more):
        return self.enterContext(h2.Connection(self.broker.port, **more))

    def assert_alive(self, session):
        """New clients of both kinds are served, and what they send is counted."""
        with h2.Connection(self.broker.port) as c:
            self.assertEqual(c.export(h2.LOGS, request_of(session)).grpc_status, 0)
        self.assertEqual(self.broker.post("/v1/logs", request_of(session, request_id="req_2"), PB).status, 200)
        self.assertEqual(self.broker.sessions()[session]["requests"], 2)


class Streams(Http2Test):
    def test_a_hundred_at_once(self):
        c = self.connect()
        self.assertGreaterEqual(c.settings[h2.MAX_CONCURRENT_STREAMS], 100)
        bodies = [h2.framed(request_of("hundred", request_id=f"req_{i}"), gzip=i % 3 == 0) for i in range(100)]
        streams = [c.start(h2.LOGS, {"grpc-encoding": "gzip"}) for _ in bodies]
        for at in range(0, max(map(len, bodies)), 40):
            for stream, body in zip(streams, bodies):
                if at < len(body):
                    c.send(stream, body[at:at + 40], end=at + 40 >= len(body))
        self.assertEqual({(s.grpc_status, s.reset) for s in map(c.finish, reversed(streams))}, {(0, None)})
        self.assertEqual(self.broker.sessions()["hundred"]["requests"], 100)

    def test_more_than_the_limit_before_it_is_known(self):
        """Those above it are refused, those below it are served."""
        with Broker("--max-streams", "10") as broker, h2.Connection(broker.port, automatic=False) as c:
            self.assertEqual(c.settings[h2.MAX_CONCURRENT_STREAMS], 10)
            streams = [c.start(h2.LOGS) for _ in range(15)]
            c.wait(lambda: all(s.done for s in streams[10:]))
            self.assertEqual([s.reset for s in streams[10:]], [h2.REFUSED_STREAM] * 5)
            for i, stream in enumerate(streams[:10]):
                c.send(stream, h2.framed(request_of("limit", request_id=f"req_{i}")), end=True)
            self.assertEqual({c.finish(s).grpc_status for s in streams[:10]}, {0})
            self.assertEqual(c.export(h2.LOGS, request_of("limit", request_id="req_later")).grpc_status, 0)
            self.assertEqual(broker.sessions()["limit"]["requests"], 11)

    def test_more_than_the_limit_in_spite_of_it(self):
        """Once the limit is acknowledged this is an error of the whole connection; refusing the streams would do as well."""
        with Broker("--max-streams", "10") as broker, h2.Connection(broker.port) as c:
            c.ping()
            streams = []
            try:
                streams += [c.start(h2.LOGS) for _ in range(15)]
                c.wait(lambda: all(s.done for s in streams[10:]))
                self.assertEqual([s.reset for s in streams[10:]], [h2.REFUSED_STREAM] * 5)
            except ConnectionError:
                self.assertEqual(c.goaway[1] if c.goaway else h2.PROTOCOL_ERROR, h2.PROTOCOL_ERROR)
            self.assertFalse(any(s.answered for s in streams))
            with h2.Connection(broker.port) as other:
                self.assertEqual(other.export(h2.LOGS, request_of("other")).grpc_status, 0)

    def test_given_up_by_the_client(self):
        c = self.connect()
        for part in (b"", b"\0", b"\0\0\0\0\x10half"):
            for _ in range(20):
                stream = c.start(h2.LOGS)
                c.send(stream, part)
                c.reset(stream)
        self.assertEqual(c.export(h2.LOGS, request_of("given-up")).grpc_status, 0)
        self.assert_alive("after-given-up")

    def test_endless_resets(self):
        """The rapid reset attack: the broker may end the connection; it neither grows nor stops serving others."""
        before = self.broker.rss()
        c = self.connect()
        try:
            for _ in range(5000):
                c.reset(c.start(h2.LOGS))
            c.ping()
        except OSError:
            pass
        self.assertLess(self.broker.rss() - before, MORE_MEMORY)
        self.assert_alive("after-resets")


class Frames(Http2Test):
    def test_ping(self):
        c = self.connect()
        self.assertEqual(c.ping(b"12345678"), b"12345678")
        stream = c.start(h2.LOGS)
        self.assertEqual(c.ping(b"87654321"), b"87654321")
        c.send(stream, h2.framed(b""), end=True)
        self.assertEqual(c.finish(stream).grpc_status, 0)

    def test_endless_pings(self):
        """Work without a purpose: the broker may ask for calm, and serves others as before."""
        before = self.broker.rss()
        c = self.connect()
        try:
            for _ in range(500):
                c.sock.sendall(h2.frame(h2.PING, 0, 0, b"agentbus") * 100)
                c.ping()
        except ConnectionError:
            self.assertEqual(c.goaway[1] if c.goaway else h2.ENHANCE_YOUR_CALM, h2.ENHANCE_YOUR_CALM)
        self.assertLess(self.broker.rss() - before, MORE_MEMORY)
        self.assert_alive("after-pings")

    def test_settings_are_acknowledged(self):
        c = self.connect()
        c.send_frame(h2.SETTINGS, 0, 0, h2.settings({h2.HEADER_TABLE_SIZE: 0, h2.MAX_FRAME_SIZE: 65536, 0x99: 7}))
        c.wait(lambda: c.acknowledged == 2)
        self.assertEqual(c.export(h2.LOGS, request_of("settings")).grpc_status, 0)

    def test_unknown_and_unneeded_frames(self):
        c = self.connect()
        c.send_frame(0x42, 0xFF, 0, b"what this is nobody knows")
        c.send_frame(h2.PRIORITY, 0, 1, b"\0\0\0\0\x10")
        c.open_window(0, 1000)
        self.assertEqual(c.export(h2.LOGS, request_of("unneeded")).grpc_status, 0)

    def test_errors_of_the_connection(self):
        for data in (h2.frame(h2.PING, 0, 3, b"12345678"), h2.frame(h2.PING, 0, 0, b"short"), h2.frame(h2.DATA, 0, 0, b"x"),
                     h2.frame(h2.HEADERS, h2.END_HEADERS, 2, h2.hpack([(":method", "POST")])), h2.frame(h2.SETTINGS, 0, 0, b"12345"),
                     h2.frame(h2.HEADERS, h2.END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff\xff\xff"), h2.frame(h2.CONTINUATION, h2.END_HEADERS, 1, b""),
                     b"\xff\xff\xff" + bytes([h2.DATA]) + b"\0\0\0\0\1", h2.frame(h2.WINDOW_UPDATE, 0, 0, b"\0\0\0\0")):
            with h2.Connection(self.broker.port) as c:
                c.sock.sendall(data)
                goaway = read_to_the_end(c)
                self.assertIsNotNone(goaway, data)
                self.assertNotEqual(goaway[1], h2.NO_ERROR, data)
        self.assert_alive("after-errors")

    def test_head_that_never_ends(self):
        """CONTINUATION after CONTINUATION, none of them the last."""
        before = self.broker.rss()
        c = self.connect()
        block = h2.hpack([(f"x-{i}", "y" * 100) for i in range(100)])
        try:
            c.send_frame(h2.HEADERS, 0, 1, block)
            for _ in range(2000):
                c.send_frame(h2.CONTINUATION, 0, 1, block)
            read_to_the_end(c)
        except OSError:
            pass
        self.assertLess(self.broker.rss() - before, MORE_MEMORY)
        self.assert_alive("after-continuation")

    def test_window_closed_and_never_read(self):
        """Answers cannot go out, and nobody takes what could: each such client costs little, however much it asks for."""
        self.assertEqual(self.connect(window=0).export(h2.LOGS, b"\xff").grpc_status, 3)  # trailers need no window
        before = self.broker.rss()
        for n in range(10):
            c = self.connect(window=0, automatic=False)
            c.sock.settimeout(0.2)
            try:
                for i in range(2000):
                    stream = c.start(h2.LOGS)
                    c.sock.sendall(h2.frame(h2.DATA, h2.END_STREAM, stream.number, h2.framed(request_of(f"shut-{n}", request_id=f"req_{i}"))))
                    c.sock.sendall(h2.frame(h2.PING, 0, 0, b"agentbus") * 20)
            except OSError:
                pass  # the broker does not read on, or has left
        self.assertLess(self.broker.rss() - before, MORE_MEMORY)
        self.assert_alive("after-shut")

    def test_window_opened_late(self):
        c = self.connect(window=0)
        stream = c.start(h2.LOGS)
        c.send(stream, h2.framed(request_of("late")), end=True)
        c.ping()
        self.assertEqual((stream.body, stream.done), (b"", False))
        c.open_window(stream.number, 3)
        c.wait(lambda: len(stream.body) == 3)
        c.open_window(stream.number, 100)
        self.assertEqual(c.finish(stream).grpc_status, 0)
        self.assertEqual(self.broker.sessions()["late"]["requests"], 1)


class Beginnings(Http2Test):
    def test_preface_in_single_bytes(self):
        c = self.connect(greet=False)
        for byte in h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0):
            c.sock.sendall(bytes([byte]))
        c.wait(lambda: c.settings is not None and c.acknowledged == 1)
        self.assertEqual(c.export(h2.LOGS, request_of("bytewise")).grpc_status, 0)
        self.assertEqual(self.broker.sessions()["bytewise"]["requests"], 1)

    def test_all_at_once(self):
        """Preface, SETTINGS and a whole request before a word of the broker's."""
        c = self.connect(greet=False)
        head = h2.hpack([(":method", "POST"), (":scheme", "http"), (":path", h2.LOGS), (":authority", c.authority),
                         ("content-type", "application/grpc"), ("te", "trailers")])
        stream = c.streams[1] = h2.Stream(1, 65535)
        c.sock.sendall(h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0) + h2.frame(h2.HEADERS, h2.END_HEADERS, 1, head) +
                       h2.frame(h2.DATA, h2.END_STREAM, 1, h2.framed(request_of("at-once"))))
        self.assertEqual(c.finish(stream).grpc_status, 0)
        self.assertEqual(self.broker.sessions()["at-once"]["requests"], 1)

    def test_half_a_preface_and_gone(self):
        for length in range(1, len(h2.PREFACE)):
            with socket.create_connection(("127.0.0.1", self.broker.port), timeout=PATIENCE) as s:
                s.sendall(h2.PREFACE[:length])
        self.assert_alive("after-halves")

    def test_half_a_preface_and_silence(self):
        """The broker does not wait for ever for the rest, whichever protocol it takes it for."""
        for length in (1, 3, 4, 10, 23, 24):
            with socket.create_connection(("127.0.0.1", self.broker.port), timeout=PATIENCE) as s:
                s.sendall(h2.PREFACE[:length])
                try:
                    while s.recv(65536):
                        pass
                except ConnectionResetError:
                    pass

    def test_garbage_after_the_preface(self):
        for garbage in (b"\xff" * 100, b"GET / HTTP/1.1\r\n\r\n" * 10, h2.frame(h2.PING, 0, 0, b"12345678"), h2.PREFACE):
            with h2.Connection(self.broker.port, greet=False) as c:
                c.sock.sendall(h2.PREFACE + garbage)
                goaway = read_to_the_end(c)
                self.assertTrue(goaway is None or goaway[1] != h2.NO_ERROR, (garbage, goaway))
        self.assert_alive("after-garbage")

    def test_almost_a_preface(self):
        for text in (b"PRI / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", h2.PREFACE.replace(b"SM", b"XX"), b"PRI \r\n\r\n", b"PRINT\r\n\r\n"):
            self.assertNotIn(b" 200 ", self.broker.raw(text + b"\r\n" * 20).split(b"\r\n")[0])
        self.assert_alive("after-almost")

    def test_closed_in_the_middle_of_a_request(self):
        for n in range(60):
            with h2.Connection(self.broker.port) as c:
                for _ in range(n % 3 + 1):
                    c.send(c.start(h2.LOGS), h2.framed(request_of("cut"))[:n * 5])
        self.assert_alive("after-cuts")
        self.assertNotIn("cut", self.broker.sessions())

    def test_half_closed_by_the_client(self):
        """It has sent all that it will send, and still gets its answer."""
        c = self.connect()
        stream = c.start(h2.LOGS)
        c.send(stream, h2.framed(request_of("half-closed")), end=True)
        c.sock.shutdown(socket.SHUT_WR)
        c.automatic = False
        self.assertEqual(c.finish(stream).grpc_status, 0)

    def test_client_says_goodbye(self):
        c = self.connect()
        stream = c.start(h2.LOGS)
        c.send_frame(h2.GOAWAY, 0, 0, b"\0\0\0\0\0\0\0\0")
        c.send(stream, h2.framed(request_of("goodbye")), end=True)
        self.assertEqual(c.finish(stream).grpc_status, 0)
        read_to_the_end(c)

    def test_too_many_connections(self):
        """Those above the limit are sent elsewhere in their own protocol, and let in when there is room."""
        with Broker("--max-connections", "3") as broker:
            kept = [self.enterContext(h2.Connection(broker.port)) for _ in range(3)]
            for c in kept:
                c.ping()
            # Only whoever has spoken before being looked at is known to speak HTTP/2.
            broker.daemon.send(signal.SIGSTOP)
            with h2.Connection(broker.port, greet=False) as c:
                c.sock.sendall(h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0))
                broker.daemon.send(signal.SIGCONT)
                self.assertEqual(read_to_the_end(c)[:2], (0, h2.NO_ERROR))
            kept.pop().close()
            self.assertEqual(kept[0].export(h2.LOGS, request_of("kept")).grpc_status, 0)
            self.assertEqual(self.retry(broker), 0)

    def retry(self, broker):
        """As a client does that was told to go away."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                with h2.Connection(broker.port) as c:
                    return c.export(h2.LOGS, request_of("room")).grpc_status
            except ConnectionError:
                pass
        return None


class Endings(unittest.TestCase):
    def test_what_has_begun_is_answered(self):
        """SIGTERM: all peers are told to leave, requests under way come to their end, and the broker to its own."""
        with Broker() as broker:
            idle = self.enterContext(h2.Connection(broker.port))
            idle.export(h2.LOGS, b"")
            c = self.enterContext(h2.Connection(broker.port))
            watch = broker.watch()
            body = h2.framed(request_of("under-way"))
            stream = c.start(h2.LOGS)
            c.send(stream, body[:20])
            c.ping()
            broker.daemon.send(signal.SIGTERM)
            c.wait(lambda: c.goaway is not None)
            self.assertEqual(c.goaway[:2], (stream.number, h2.NO_ERROR))
            c.send(stream, body[20:], end=True)
            self.assertEqual(c.finish(stream).grpc_status, 0)
            watch.wait_for(lambda e: e["kind"] == "api_request")
            read_to_the_end(c)
            self.assertEqual(read_to_the_end(idle)[1], h2.NO_ERROR)
            self.assertEqual(broker.daemon.wait(), 0)

    def test_who_never_ends_is_not_waited_for(self):
        with Broker() as broker:
            c = self.enterContext(h2.Connection(broker.port))
            c.send(c.start(h2.LOGS), b"\0")
            c.ping()
            broker.stop()


if __name__ == "__main__":
    unittest.main()
