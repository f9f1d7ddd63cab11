"""OTLP over gRPC as CLIs and strangers speak it: recordings, services, encodings, and the status of each refusal."""
import gzip
import os
import threading
import time
import unittest

import h2
import otlp
from harness import PB, PATIENCE, Broker, recordings
from totals import add_up, differences, expected_of

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
OK, INVALID, DEADLINE, DENIED, EXHAUSTED, UNIMPLEMENTED, UNAVAILABLE, UNAUTHENTICATED = 0, 3, 4, 7, 8, 12, 14, 16
EMPTY_ANSWER = b"\0\0\0\0\0"  # a message of no bytes: a full success
SERVICE_OF = {"/v1/logs": h2.LOGS, "/v1/traces": h2.TRACES, "/v1/metrics": h2.METRICS}
RECORDED = [r for r in recordings() if r.over_grpc]


def request_of(session, **more):
    return otlp.claude(otlp.claude_request(session, **more))


class GrpcTest(unittest.TestCase):
    """Tests that share one broker, and a connection to it each; each uses a session of its own, or checks that there is none."""

    @classmethod
    def setUpClass(cls):
        cls.broker = cls.enterClassContext(Broker("--max-body", "4M"))

    def setUp(self):
        self.c = self.enterContext(h2.Connection(self.broker.port))

    def assert_accepted(self, status):
        self.assertEqual((status.http_status, status.grpc_status, status.reset), (200, OK, None), status)
        self.assertEqual(status.headers["content-type"], "application/grpc")
        self.assertEqual(status.body, EMPTY_ANSWER)

    def assert_refused(self, status, grpc_status):
        """A gRPC client is told in its own way: HTTP 200, a status, and a sentence."""
        self.assertEqual((status.http_status, status.grpc_status), (200, grpc_status), status)
        self.assertTrue(status.message)
        self.assertEqual(status.body, b"")
        if status.details:
            fields = dict(h2.proto_fields(status.details))
            self.assertEqual((fields[1], fields[2].decode()), (grpc_status, status.message))

    def assert_counted(self, session, requests=1):
        self.assertEqual(self.broker.sessions()[session]["requests"], requests)


class Recorded(unittest.TestCase):
    """What CLIs sent over gRPC, sent over gRPC again."""

    def test_there_are_some(self):
        self.assertGreaterEqual({r.provider for r in RECORDED}, {"gemini", "qwen"})

    def test_replay_command(self):
        for recording in RECORDED:
            with self.subTest(recording.name), Broker() as broker:
                done = broker.replay(recording.dir)
                self.assertIn("all were accepted", done.stdout)
                self.assertEqual(done.stderr, "")
                self.assertEqual(differences(expected_of(recording), broker.sessions()), [])

    def test_replay_command_over_http(self):
        for recording in RECORDED:
            with self.subTest(recording.name), Broker() as broker:
                self.assertIn("all were accepted", broker.replay(recording.dir, "--http").stdout)
                self.assertEqual(differences(expected_of(recording), broker.sessions()), [])

    def test_client(self):
        """As they were sent, and with the compression the other way round."""
        for recording in RECORDED:
            for turned in (False, True):
                with self.subTest(recording.name, turned=turned), Broker() as broker, h2.Connection(broker.port) as c:
                    for request in recording.requests:
                        compressed = (request.content_encoding == "gzip") != turned
                        status = c.export(request.grpc_path, recording.plain(request), gzip=compressed)
                        self.assertEqual(status.grpc_status, OK, (request.file, status))
                    self.assertEqual(differences(expected_of(recording), broker.sessions()), [])

    def test_all_protobuf_over_one_connection(self):
        """What was recorded over HTTP means the same over gRPC."""
        totals = {}
        with Broker() as broker, h2.Connection(broker.port) as c:
            for recording in recordings():
                if any(r.content_type != "application/x-protobuf" for r in recording.requests):
                    continue
                for request in recording.requests:
                    message = recording.plain(request)
                    status = c.export(SERVICE_OF.get(request.path, h2.LOGS), message, gzip=len(message) > 2000)
                    self.assertEqual(status.grpc_status, OK, f"{recording.name}/{request.file}: {status}")
                add_up(totals, expected_of(recording))
            self.assertGreater(len(totals), 0)
            self.assertEqual(differences(totals, broker.sessions()), [])


class Replay(unittest.TestCase):
    def test_refusal_is_told(self):
        with Broker("--max-body", "1K") as broker:
            recording = next(r for r in RECORDED if max(len(q.body) for q in r.requests) > 1024)
            done = broker.run("agentbus", "replay", "--speed", "0", "--endpoint", f"http://127.0.0.1:{broker.port}", recording.dir)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stdout, r"; \d+ were refused\.")
            self.assertRegex(done.stderr, r"^agentbus: /opentelemetry\.\S+/Export: 8 RESOURCE_EXHAUSTED \S[^\n]+\n")


class Ports(unittest.TestCase):
    """HTTP and gRPC on each port, at the same time."""

    def test_both_on_both(self):
        n = 10 if SANITIZED else 50
        with Broker(listen=("127.0.0.1:0", "127.0.0.1:0")) as broker:
            self.assertEqual(len(set(broker.ports)), 2)
            failures = []

            def over_grpc(port, session):
                with h2.Connection(port) as c:
                    for i in range(n):
                        status = c.export(h2.LOGS, request_of(session, request_id=f"req_{i}"), gzip=i % 2 == 1)
                        if status.grpc_status != OK:
                            failures.append((port, status))

            def over_http(port, session):
                connection = broker.connect()
                connection.port = port
                for i in range(n):
                    connection.request("POST", "/v1/logs", request_of(session, request_id=f"req_{i}"), PB)
                    response = connection.getresponse()
                    response.read()
                    if response.status != 200:
                        failures.append((port, response.status))
                connection.close()

            threads = [threading.Thread(target=f, args=(p, f"{f.__name__}-{i}")) for i, p in enumerate(broker.ports) for f in (over_grpc, over_http)]
            for t in threads:
                t.start()
            for t in threads:
                t.join(PATIENCE)
            self.assertEqual(failures, [])
            self.assertEqual({i: s["requests"] for i, s in broker.sessions().items()},
                             {f"{way}-{i}": n for way in ("over_grpc", "over_http") for i in (0, 1)})

    def test_replay_to_the_second_port(self):
        with Broker(listen=("127.0.0.1:0", "127.0.0.1:0")) as broker:
            recording = RECORDED[0]
            broker.run("agentbus", "replay", "--speed", "0", "--endpoint", f"http://127.0.0.1:{broker.ports[1]}", recording.dir)
            self.assertEqual(differences(expected_of(recording), broker.sessions()), [])


class Accepted(GrpcTest):
    def test_plain(self):
        self.assert_accepted(self.c.export(h2.LOGS, request_of("plain")))
        self.assert_counted("plain")

    def test_gzip(self):
        self.assert_accepted(self.c.export(h2.LOGS, request_of("gzip"), gzip=True))
        self.assert_counted("gzip")

    def test_encoding_announced_and_not_used(self):
        self.assert_accepted(self.c.export(h2.LOGS, request_of("not-used"), headers={"grpc-encoding": "gzip"}))
        self.assert_accepted(self.c.export(h2.LOGS, b"", headers={"grpc-encoding": "identity"}))
        self.assert_counted("not-used")

    def test_empty_message_to_all_services(self):
        for path in h2.SERVICES:
            self.assert_accepted(self.c.export(path, b""))
            self.assert_accepted(self.c.export(path, b"", gzip=True))

    def test_types_of_protobuf(self):
        for i, kind in enumerate(("application/grpc", "application/grpc+proto", "application/grpc; charset=x", "application/grpc;a=b")):
            self.assert_accepted(self.c.export(h2.LOGS, request_of(f"type-{i}"), headers={"content-type": kind}))
            self.assert_counted(f"type-{i}")

    def test_own_names(self):
        for i, name in enumerate(("localhost:4317", "127.0.0.1", "[::1]:4317", "LocalHost")):
            self.assert_accepted(self.c.export(h2.LOGS, request_of(f"name-{i}"), headers={":authority": name}))

    def test_metadata_of_ones_own(self):
        more = {"x-anything": "y" * 2000, "authorization": "Bearer not-asked-for", "grpc-accept-encoding": "identity,deflate,gzip", "grpc-timeout": "10S"}
        self.assert_accepted(self.c.export(h2.LOGS, request_of("metadata"), headers=more))
        self.assert_counted("metadata")

    def test_body_in_single_bytes(self):
        stream = self.c.start(h2.LOGS)
        body = h2.framed(request_of("bytes"))
        for i in range(len(body)):
            self.c.send(stream, body[i:i + 1], end=i == len(body) - 1)
        self.assert_accepted(self.c.finish(stream))
        self.assert_counted("bytes")

    def test_end_in_a_frame_of_its_own(self):
        stream = self.c.start(h2.LOGS)
        self.c.send(stream, h2.framed(request_of("end")))
        self.c.send(stream, b"", end=True)
        self.assert_accepted(self.c.finish(stream))
        self.assert_counted("end")

    def test_large_message(self):
        """Larger than any window: the broker has to open it again and again."""
        n = 500 if SANITIZED else 5000
        message = otlp.claude(*[otlp.claude_request("large", request_id=f"req_{i}") for i in range(n)])
        self.assert_accepted(self.c.export(h2.LOGS, message))
        self.assert_counted("large", n)

    def test_many_calls_on_one_connection(self):
        for i in range(300):
            self.assert_accepted(self.c.export(h2.LOGS, request_of("many", request_id=f"req_{i}")))
        self.assert_counted("many", 300)


class Refused(GrpcTest):
    def tearDown(self):
        """Nothing has come through, and the connection is as good as before."""
        self.assertEqual(self.c.export(h2.LOGS, b"").grpc_status, OK)
        self.assertEqual(self.broker.status()["sessions"], [])

    def test_malformed(self):
        whole = request_of("x")
        for message in (b"\xff\xff\xff", b"\x0b", whole[:-1], whole + b"\x0a\x05", otlp.nested(otlp.LOGS, 5000)):
            for compressed in (False, True):
                status = self.c.export(h2.LOGS, message, gzip=compressed)
                self.assert_refused(status, INVALID)
                self.assertEqual(status.details and h2.retry_seconds(status.details) or None, None)

    def test_malformed_to_all_services(self):
        for path in h2.SERVICES:
            self.assert_refused(self.c.export(path, b"\x08\x01"), INVALID)

    def test_unknown_paths(self):
        logs = h2.LOGS.rpartition("/")[0]
        for path in ("/", "/v1/logs", logs, logs + "/", logs + "/export", logs + "/Export/", logs + "/Delete", h2.LOGS[1:], h2.LOGS + "?x=y",
                     "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"):
            if path.startswith("/"):  # what does not is no HTTP/2
                self.assert_refused(self.c.export(path, request_of("x")), UNIMPLEMENTED)

    def test_too_large(self):
        before = self.broker.rss()
        stream = self.c.start(h2.LOGS)
        self.c.send(stream, b"\0" + (5 << 20).to_bytes(4, "big"))  # that it will be is refused before it comes
        status = self.c.finish(stream)
        self.assert_refused(status, EXHAUSTED)
        self.assertIsNone(h2.retry_seconds(status.details))
        self.assert_refused(self.c.export(h2.LOGS, b"\0" * (5 << 20)), EXHAUSTED)
        stream = self.c.start(h2.LOGS)
        self.c.send(stream, b"\0\xff\xff\xff\xff" + b"x" * 100_000)
        self.assert_refused(self.c.finish(stream), EXHAUSTED)
        self.assertLess(self.broker.rss() - before, 32 << 20)

    def test_gzip_bomb(self):
        bomb = b"\0" * (20_000_000 if SANITIZED else 200_000_000)
        before = self.broker.rss()
        status = self.c.export(h2.LOGS, bomb, gzip=True)
        self.assert_refused(status, EXHAUSTED)
        self.assertIsNone(h2.retry_seconds(status.details))
        self.assertLess(self.broker.rss() - before, 32 << 20)

    def test_unknown_encodings(self):
        for encoding in ("br", "zstd", "snappy", "gzip,identity", "GZIP2", "x"):
            status = self.c.export(h2.LOGS, request_of("x"), headers={"grpc-encoding": encoding})
            self.assert_refused(status, UNIMPLEMENTED)
            self.assertIn("gzip", status.headers["grpc-accept-encoding"].split(","))

    def test_what_is_not_gzip(self):
        whole = gzip.compress(request_of("x"))
        for data in (b"", b"x", request_of("x"), whole[:-1], whole[:20], whole[:-6] + bytes([whole[-6] ^ 1]) + whole[-5:]):
            stream = self.c.start(h2.LOGS, {"grpc-encoding": "gzip"})
            self.c.send(stream, b"\1" + len(data).to_bytes(4, "big") + data, end=True)
            self.assert_refused(self.c.finish(stream), INVALID)

    def test_bad_framing(self):
        message = request_of("x")
        good = h2.framed(message)
        for body in (b"", b"\0", good[:4], good[:5], good[:-1], good + b"\0", good + good, b"\2" + good[1:], b"\xff" + good[1:],
                     message, b"\0\0\0\0\0\0", h2.framed(message, gzip=True)):  # the last: compressed, and by what was not said
            stream = self.c.start(h2.LOGS)
            self.c.send(stream, body, end=True)
            self.assert_refused(self.c.finish(stream), INVALID)

    def test_no_body_at_all(self):
        self.assert_refused(self.c.finish(self.c.start(h2.LOGS, end=True)), INVALID)

    def test_other_types(self):
        """Whoever does not speak gRPC would not find a status there: HTTP tells."""
        for kind in ("application/json", "application/x-protobuf", "text/plain", "application/grpcx", "application/grpc+json", "", None):
            status = self.c.export(h2.LOGS, request_of("x"), headers={"content-type": kind})
            self.assertEqual(status.http_status, 415, kind)

    def test_methods(self):
        for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH"):
            status = self.c.finish(self.c.start(h2.LOGS, {":method": method, "content-type": None, "te": None}, end=True))
            self.assertEqual((status.http_status, status.headers.get("allow")), (405, "POST"), method)

    def test_foreign_names(self):
        for name in ("evil.example", "evil.example:4318", "127.0.0.1.evil.example", "localhost.evil.example:4317", "10.1.2.3:4317"):
            self.assert_refused(self.c.export(h2.LOGS, request_of("x"), headers={":authority": name}), DENIED)
            self.assert_refused(self.c.export(h2.LOGS, request_of("x"), headers={":authority": None, "host": name}), DENIED)

    def test_origins(self):
        for origin in ("https://evil.example", "http://localhost:8080", "null"):
            self.assert_refused(self.c.export(h2.LOGS, request_of("x"), headers={"origin": origin}), DENIED)

    def test_large_head(self):
        status = self.c.export(h2.LOGS, request_of("x"), headers={"x-large": "y" * 40_000})
        self.assert_refused(status, EXHAUSTED)

    def test_deadline(self):
        """A body that never ends, by a client that says how long it will wait."""
        begin = time.monotonic()
        stream = self.c.start(h2.LOGS, {"grpc-timeout": "200m"})
        self.c.send(stream, h2.framed(request_of("x"))[:-1])
        status = self.c.finish(stream)
        self.assertGreaterEqual(time.monotonic() - begin, 0.199)
        self.assert_refused(status, DEADLINE)

    def test_deadline_that_is_kept_open_by_drops(self):
        stream = self.c.start(h2.LOGS, {"grpc-timeout": "300000u"})
        self.c.send(stream, b"\0\0\1\0\0")
        begin = time.monotonic()
        while not stream.done and time.monotonic() - begin < PATIENCE:
            self.c.send(stream, b"x")
            self.c.ping()
            time.sleep(0.01)  # the pace of a slow client, not a wait for something
        self.assert_refused(stream.status(), DEADLINE)

    def test_refusal_of_one_leaves_others_alone(self):
        kept = self.c.start(h2.METRICS)
        self.c.send(kept, b"\0\0\0")
        self.assert_refused(self.c.export(h2.LOGS, b"\xff"), INVALID)
        self.assert_refused(self.c.export("/nowhere", b""), UNIMPLEMENTED)
        self.c.send(kept, b"\0\0", end=True)
        self.assert_accepted(self.c.finish(kept))


class Settings(unittest.TestCase):
    """Refusals that need a broker of their own."""

    def check_token(self, broker):
        with h2.Connection(broker.port) as c:
            for header, want in ((None, UNAUTHENTICATED), ("", UNAUTHENTICATED), ("Bearer", UNAUTHENTICATED), ("Bearer wrong", UNAUTHENTICATED),
                                 ("Bearer s3cret-s3cret-", UNAUTHENTICATED), ("Basic s3cret-s3cret-s3cret", UNAUTHENTICATED),
                                 ("Bearer s3cret-s3cret-s3cret", OK), ("bearer s3cret-s3cret-s3cret", OK)):
                status = c.export(h2.LOGS, request_of("token"), headers={"authorization": header})
                self.assertEqual((status.http_status, status.grpc_status), (200, want), header)
                self.assertTrue(status.message or want == OK)
        self.assertEqual(broker.post("/v1/logs", request_of("token"), PB).status, 401)
        self.assertEqual(broker.post("/v1/logs", request_of("token"), {**PB, "Authorization": "Bearer s3cret-s3cret-s3cret"}).status, 200)

    def write_token(self, broker):
        path = broker.dir / "token"
        path.write_text("s3cret-s3cret-s3cret\n")
        path.chmod(0o600)
        return path

    def test_token(self):
        with Broker(start=False) as broker:
            broker.start_daemon("--token-file", str(self.write_token(broker)))
            self.check_token(broker)

    def test_token_by_the_configuration(self):
        with Broker(start=False) as broker:
            broker.write_config(f"[access]\ntoken_file = {self.write_token(broker)}\n")
            broker.start_daemon()
            self.check_token(broker)

    def test_allowed_names_and_pages(self):
        with Broker("--allow-hosts", "box.example", "--allow-origins", "https://page.example") as broker, h2.Connection(broker.port) as c:
            for headers, want in (({":authority": "box.example:4317"}, OK), ({":authority": "other.example"}, DENIED),
                                  ({"origin": "https://page.example"}, OK), ({"origin": "http://page.example"}, DENIED)):
                self.assertEqual(c.export(h2.LOGS, b"", headers=headers).grpc_status, want, headers)

    def test_who_may_come_back_is_told_when(self):
        """More under way than the broker holds: the same request may succeed later."""
        with Broker("--max-held", "100K") as broker, h2.Connection(broker.port) as c:
            kept = c.start(h2.LOGS)
            c.send(kept, b"\0" + (90_000).to_bytes(4, "big") + b"\x0a" * 60_000)
            c.ping()
            status = c.export(h2.LOGS, otlp.claude(*[otlp.claude_request("held")] * 300))
            self.assertEqual((status.http_status, status.grpc_status), (200, UNAVAILABLE))
            self.assertEqual(h2.retry_seconds(status.details), 5)
            self.assertEqual(dict(h2.proto_fields(status.details))[1], UNAVAILABLE)
            c.reset(kept)
            self.assertEqual(c.export(h2.LOGS, otlp.claude(*[otlp.claude_request("held")] * 100)).grpc_status, OK)

    def test_request_timeout(self):
        with Broker("--request-timeout", "300ms") as broker, h2.Connection(broker.port) as c:
            stream = c.start(h2.LOGS)
            c.send(stream, b"\0\0")
            self.assertEqual(c.finish(stream).grpc_status, DEADLINE)
            self.assertEqual(c.export(h2.LOGS, request_of("after")).grpc_status, OK)


if __name__ == "__main__":
    unittest.main()
