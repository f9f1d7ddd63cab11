"""OTLP over HTTP as CLIs and strangers speak it: types, encodings, methods, paths, limits, and the body of each answer."""
import gzip
import json
import os
import random
import socket
import unittest

import otlp
from harness import JSON, PATIENCE, PB, Broker, recording

GZIP = {"Content-Encoding": "gzip"}
SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))


class HttpTest(unittest.TestCase):
    """Tests that share one broker; each uses a session of its own, or checks that there is none."""

    @classmethod
    def setUpClass(cls):
        cls.broker = cls.enterClassContext(Broker("--max-body", "4M"))

    def assert_refused(self, answer, status, kind="application/x-protobuf"):
        """The status, and an OTLP Status body of the request's type that says why."""
        self.assertEqual(answer.status, status, answer.body[:300])
        self.assertEqual(answer.headers.get("content-type"), kind)
        if kind == "application/json":
            status_message = json.loads(answer.body)
            self.assertIsInstance(status_message["code"], int)
            self.assertTrue(status_message["message"])
        else:
            # google.rpc.Status: code = 1 (varint), message = 2 (text)
            self.assertEqual(answer.body[0], 0x08)
            self.assertEqual(answer.body[2], 0x12)
            self.assertEqual(answer.body[3], len(answer.body) - 4)

    def assert_accepted(self, answer, kind="application/x-protobuf"):
        self.assertEqual(answer.status, 200, answer.body[:300])
        self.assertEqual(answer.headers.get("content-type"), kind)
        self.assertEqual(answer.body, b"{}" if kind == "application/json" else b"")

    def assert_counted(self, session, requests=1):
        self.assertEqual(self.broker.sessions()[session]["requests"], requests)


class Accepted(HttpTest):
    def test_protobuf(self):
        self.assert_accepted(self.broker.post("/v1/logs", otlp.claude(otlp.claude_request("pb")), PB))
        self.assert_counted("pb")

    def test_json(self):
        body = otlp.claude(otlp.claude_request("json"), encode=otlp.logs_json)
        self.assert_accepted(self.broker.post("/v1/logs", body, JSON), "application/json")
        self.assert_counted("json")

    def test_json_with_charset(self):
        body = otlp.claude(otlp.claude_request("charset"), encode=otlp.logs_json)
        answer = self.broker.post("/v1/logs", body, {"Content-Type": "application/json; charset=utf-8"})
        self.assert_accepted(answer, "application/json")
        self.assert_counted("charset")

    def test_type_in_capitals(self):
        self.assert_accepted(self.broker.post("/v1/logs", otlp.claude(otlp.claude_request("caps")), {"content-type": "Application/X-Protobuf"}))
        self.assert_counted("caps")

    def test_gzip(self):
        for name, headers, encode in (("gzip-pb", PB, otlp.logs), ("gzip-json", JSON, otlp.logs_json)):
            body = gzip.compress(otlp.claude(otlp.claude_request(name), encode=encode))
            self.assert_accepted(self.broker.post("/v1/logs", body, {**headers, **GZIP}), headers["Content-Type"])
            self.assert_counted(name)

    def test_identity(self):
        headers = {**PB, "Content-Encoding": "identity"}
        self.assert_accepted(self.broker.post("/v1/logs", otlp.claude(otlp.claude_request("identity")), headers))
        self.assert_counted("identity")

    def test_chunked(self):
        body = otlp.claude(*[otlp.claude_request("chunked")] * 50)
        self.assert_accepted(self.broker.post("/v1/logs", body, PB, chunked=True))
        body = otlp.claude(otlp.claude_request("chunked-json"), encode=otlp.logs_json)
        self.assert_accepted(self.broker.post("/v1/logs", gzip.compress(body), {**JSON, **GZIP}, chunked=True), "application/json")
        self.assert_counted("chunked-json")

    def test_bare_path_tells_the_signal_from_the_body(self):
        self.assert_accepted(self.broker.post("/", otlp.claude(otlp.claude_request("bare")), PB))
        body = otlp.claude(otlp.claude_request("bare-json"), encode=otlp.logs_json)
        self.assert_accepted(self.broker.post("/", body, JSON), "application/json")
        self.assert_counted("bare")
        self.assert_counted("bare-json")

    def test_bare_path_takes_all_three_signals_of_a_recording(self):
        seen = set()
        for request in recording("claude/interactive").requests + recording("qwen/simple").requests:
            self.assertEqual(self.broker.post("/", request.body, request.headers).status, 200, request.file)
            seen.add((request.path, request.content_type))
        self.assertEqual({path for path, _ in seen}, set(otlp.SIGNALS))
        self.assert_counted("8f58979f-e468-4c36-b874-c8d3536108ed", 3)

    def test_empty_requests(self):
        for path in otlp.SIGNALS:
            self.assert_accepted(self.broker.post(path, b"", PB))
            self.assert_accepted(self.broker.post(path, b"{}", JSON), "application/json")

    def test_many_requests_over_one_connection(self):
        connection = self.broker.connect()
        for n in range(200):
            connection.request("POST", "/v1/logs", otlp.claude(otlp.claude_request("kept", request_id=f"req_{n}")), PB)
            response = connection.getresponse()
            response.read()
            self.assertEqual(response.status, 200)
            self.assertFalse(response.will_close)
        connection.close()
        self.assert_counted("kept", 200)

    def test_pipelined_requests(self):
        body = otlp.claude(otlp.claude_request("pipelined"))
        head = f"POST /v1/logs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\nContent-Length: {len(body)}\r\n"
        answer = self.broker.raw((head + "\r\n").encode() + body + (head + "Connection: close\r\n\r\n").encode() + body)
        self.assertEqual(answer.count(b"HTTP/1.1 200"), 2)

    def test_expect_continue(self):
        body = otlp.claude(otlp.claude_request("expect"))
        with socket.create_connection(("127.0.0.1", self.broker.port), timeout=PATIENCE) as s:
            s.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\nExpect: 100-continue\r\n"
                      b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
            self.assertIn(b"100 Continue", s.recv(4096))
            s.sendall(body)
            self.assertIn(b"HTTP/1.1 200", s.recv(4096))

    def test_healthz(self):
        answer = self.broker.get("/healthz")
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.body)


class Refused(HttpTest):
    def tearDown(self):
        self.assertEqual(self.broker.status()["sessions"], [])

    def test_unknown_paths(self):
        for path in ("/v1/", "/v1/profiles", "/v1/logs/", "/v1/logsx", "/V1/LOGS", "/favicon.ico", "//", "/v1/../v1/logs"):
            self.assert_refused(self.broker.post(path, otlp.claude(otlp.claude_request("x")), PB), 404)

    def test_query_string_is_not_part_of_the_path(self):
        self.assertEqual(self.broker.post("/v1/logs?a=b", b"", PB).status, 200)

    def test_methods(self):
        for method in ("GET", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"):
            for path in ("/v1/logs", "/v1/traces", "/v1/metrics"):
                answer = self.broker.request(method, path, None if method in ("GET", "HEAD") else b"x", PB)
                self.assertEqual(answer.status, 405, method)
                self.assertEqual(answer.headers.get("allow"), "POST", method)
        self.assertEqual(self.broker.request("POST", "/healthz", b"", PB).status, 405)

    def test_types(self):
        body = otlp.claude(otlp.claude_request("x"))
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", "application/grpc", "multipart/form-data; boundary=x", ""):
            self.assertEqual(self.broker.post("/v1/logs", body, {"Content-Type": kind}).status, 415, kind)
        self.assertEqual(self.broker.post("/v1/logs", body, {"X-Nothing": "1"}).status, 415)

    def test_encodings(self):
        body = otlp.claude(otlp.claude_request("x"))
        for encoding in ("br", "zstd", "compress", "gzip, gzip", "x"):
            self.assert_refused(self.broker.post("/v1/logs", body, {**PB, "Content-Encoding": encoding}), 415)

    def test_body_that_is_not_gzip(self):
        for body in (b"", b"x", otlp.claude(otlp.claude_request("x"))):
            self.assert_refused(self.broker.post("/v1/logs", body, {**PB, **GZIP}), 400)

    def test_damaged_gzip(self):
        good = gzip.compress(otlp.claude(otlp.claude_request("x")))
        for length in range(1, len(good)):
            self.assertEqual(self.broker.post("/v1/logs", good[:length], {**PB, **GZIP}).status, 400, length)
        damaged = good[:-6] + bytes([good[-6] ^ 1]) + good[-5:]
        self.assert_refused(self.broker.post("/v1/logs", damaged, {**PB, **GZIP}), 400)

    def test_types_do_not_mix(self):
        self.assert_refused(self.broker.post("/v1/logs", otlp.claude(otlp.claude_request("x"), encode=otlp.logs_json), PB), 400)
        self.assert_refused(self.broker.post("/v1/logs", otlp.claude(otlp.claude_request("x")), JSON), 400, "application/json")

    def test_bare_path_without_a_signal(self):
        self.assert_refused(self.broker.post("/", b'{"something":[]}', JSON), 400, "application/json")
        self.assert_refused(self.broker.post("/", b"\xff\xff\xff", PB), 400)

    def test_truncated_protobuf_at_every_length(self):
        body = otlp.claude(otlp.claude_request("x"))
        for length in range(1, len(body)):
            self.assertEqual(self.broker.post("/v1/logs", body[:length], PB).status, 400, length)

    def test_truncated_json_at_every_length(self):
        body = otlp.claude(otlp.claude_request("x"), encode=otlp.logs_json)
        for length in range(1, len(body)):
            self.assertEqual(self.broker.post("/v1/logs", body[:length], JSON).status, 400, length)

    def test_truncated_recorded_bodies(self):
        """All signals of real CLIs; every length up to 200, then one in 37. A shorter body may be a valid one, which holds less."""
        for request in recording("claude/interactive").requests[:8]:
            for length in [*range(1, min(200, len(request.body))), *range(200, len(request.body), 37)]:
                status = self.broker.post(request.path, request.body[:length], request.headers).status
                self.assertEqual(status, 400, (request.file, length))

    def test_wrong_json_types(self):
        for body in ("[]", '"x"', "1", "null", "true", '{"resourceLogs":1}', '{"resourceLogs":{}}', '{"resourceLogs":[1]}',
                     '{"resourceLogs":[{"scopeLogs":"x"}]}', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[[]]}]}]}',
                     '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"x"}]}]}]}',
                     '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"xyz"}]}]}]}',
                     '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[{"key":1}]}]}]}]}',
                     '{"resourceLogs":[]} x', "{'resourceLogs':[]}", "\ufeff{}x", ""):
            answer = self.broker.post("/v1/logs", body.encode(), JSON)
            self.assertEqual(answer.status, 400, body)

    def test_wrong_wire_types(self):
        for body in (b"\x08\x01", b"\x0a\x02\x10\x01", b"\x0b", b"\x0c", b"\x0f\x00", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                     b"\x0a\xff\xff\xff\xff\x07", b"\x80" * 11, b"\x00\x00"):
            for path in otlp.SIGNALS:
                self.assertEqual(self.broker.post(path, body, PB).status, 400, (path, body))

    def test_deep_nesting(self):
        for path in otlp.SIGNALS:
            for levels in (1000, 5000, 100_000):
                with self.subTest(path=path, levels=levels):
                    self.assert_refused(self.broker.post(path, otlp.nested(path, levels), PB), 400)
                    answer = self.broker.post(path, otlp.nested_json(path, min(levels, 60_000)), JSON)
                    self.assert_refused(answer, 400, "application/json")

    def test_deep_nesting_compressed(self):
        for path in otlp.SIGNALS:
            body = gzip.compress(otlp.nested(path, 100_000))
            self.assert_refused(self.broker.post(path, body, {**PB, **GZIP}), 400)

    def test_deep_nesting_of_bare_brackets(self):
        for text in (b"[" * 100_000, b'{"a":' * 100_000, b'{"resourceLogs":' + b"[" * 100_000 + b"]" * 100_000 + b"}"):
            for path in ("/", *otlp.SIGNALS):
                self.assert_refused(self.broker.post(path, text, JSON), 400, "application/json")

    def test_random_bytes(self):
        rng = random.Random(1)
        for n in range(60 if SANITIZED else 300):
            # A first byte that is no field 1 of a message: whatever follows cannot be a request.
            body = bytes([0xFF]) + rng.randbytes(rng.randrange(1, 600))
            for path in otlp.SIGNALS:
                self.assertEqual(self.broker.post(path, body, PB).status, 400, (n, path))
                self.assertEqual(self.broker.post(path, body, JSON).status, 400, (n, path))

    def test_body_over_the_limit(self):
        self.assert_refused(self.broker.post("/v1/logs", b"\0" * 5_000_000, PB), 413)
        self.assertEqual(self.broker.post("/v1/logs", b"", PB).status, 200)

    def test_body_far_over_the_limit(self):
        """What nobody would want to read to its end is refused before."""
        head = b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: 90000000000\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.broker.port), timeout=PATIENCE) as s:
            s.sendall(head)
            sent = 0
            try:
                while sent < 200_000_000:
                    sent += s.send(b"\0" * 1_000_000)
            except OSError:
                pass
            self.assertLess(sent, 200_000_000)

    def test_chunked_body_over_the_limit(self):
        with socket.create_connection(("127.0.0.1", self.broker.port), timeout=PATIENCE) as s:
            s.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\nTransfer-Encoding: chunked\r\n\r\n")
            piece = b"10000\r\n" + b"\0" * 65536 + b"\r\n"
            try:
                for _ in range(100):
                    s.sendall(piece)
                s.sendall(b"0\r\n\r\n")
            except OSError:
                pass  # refused while sending: what it said is still to be read
            try:
                self.assertIn(b" 413 ", s.recv(4096).split(b"\r\n")[0])
            except ConnectionResetError:
                pass

    def test_gzip_bomb(self):
        bomb = gzip.compress(b"\0" * 200_000_000, 9) if not SANITIZED else gzip.compress(b"\0" * 20_000_000)
        before = self.broker.rss()
        self.assert_refused(self.broker.post("/v1/logs", bomb, {**PB, **GZIP}), 413)
        self.assertLess(self.broker.rss() - before, 32 << 20)

    def test_what_is_not_http(self):
        for data in (b"hello\r\n\r\n", b"POST\r\n\r\n", b"POST /v1/logs HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                     b"POST /v1/logs HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                     b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
            self.assertNotIn(b" 200 ", self.broker.raw(data).split(b"\r\n")[0], data[:40])

    def test_slow_and_broken_clients_do_no_harm(self):
        sockets = []
        for data in (b"\0" * 100, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 80, b""):
            sockets.append(socket.create_connection(("127.0.0.1", self.broker.port), timeout=PATIENCE))
            sockets[-1].sendall(data)
        for n in range(50):
            s = socket.create_connection(("127.0.0.1", self.broker.port), timeout=PATIENCE)
            s.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\nContent-Length: 100\r\n\r\n"[:20 + 2 * n])
            sockets.append(s)
        self.assertEqual(self.broker.post("/v1/logs", b"", PB).status, 200)
        for s in sockets:
            s.close()
        self.assertEqual(self.broker.post("/v1/logs", b"", PB).status, 200)


if __name__ == "__main__":
    unittest.main()
