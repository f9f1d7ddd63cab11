"""What the tests of limits and of access share: what a refusal looks like, clients that take their time, and memory.

    with Peak(broker, "max_body 1M", 6 << 20): …        # resident memory never grew by more than that meanwhile
"""
import contextlib
import http.client
import json
import os
import re
import socket
import time
import unittest
from pathlib import Path

import h2
import otlp
from harness import JSON, PATIENCE, PB, Answer

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
OK, INVALID, DEADLINE, DENIED, EXHAUSTED, UNIMPLEMENTED, UNAVAILABLE, UNAUTHENTICATED = 0, 3, 4, 7, 8, 12, 14, 16
RETRY_S = 5
NOBODY = 65534
GZIP = {"Content-Encoding": "gzip"}


def request_of(session, **more):
    return otlp.claude(otlp.claude_request(session, **more))


def json_of(session, **more):
    return otlp.claude(otlp.claude_request(session, **more), encode=otlp.logs_json)


def padded(session, size):
    """A good request of about that size: the rest is a field that nobody knows."""
    body = request_of(session)
    return body + otlp.field(15, b"\0" * (size - len(body) - 8))


class RefusalCase(unittest.TestCase):
    def assert_status(self, body, kind, code):
        """A google.rpc.Status in the type of the request."""
        if kind == JSON["Content-Type"]:
            fields = json.loads(body)
            self.assertEqual(fields["code"], code)
            self.assertTrue(fields["message"])
        else:
            fields = dict(h2.proto_fields(body))
            self.assertEqual(fields[1], code)
            self.assertTrue(fields[2].decode())

    def assert_http(self, answer, status, code, headers=PB, retry=False):
        kind = headers["Content-Type"]
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers.get("content-type"), kind, answer)
        self.assertEqual(answer.headers.get("retry-after"), str(RETRY_S) if retry else None)
        self.assert_status(answer.body, kind, code)

    def assert_grpc(self, status, code, retry=False):
        """HTTP 200, grpc-status and grpc-message; who may come back is told when by a RetryInfo."""
        self.assertEqual((status.http_status, status.grpc_status), (200, code), status)
        self.assertTrue(status.message)
        self.assertEqual(status.body, b"")
        self.assertEqual(h2.retry_seconds(status.details) if status.details else None, RETRY_S if retry else None)
        if status.details:
            self.assert_status(status.details, PB["Content-Type"], code)

    def assert_well(self, broker, session="well"):
        """Whatever was done to the broker, the next CLI is served at once, over HTTP and over gRPC."""
        begin = time.monotonic()
        with contextlib.closing(broker.connect()) as c:
            c.request("POST", "/v1/logs", request_of(session), PB)
            self.assertEqual(c.getresponse().status, 200)
        with h2.Connection(broker.port) as c:
            self.assertEqual(c.export(h2.LOGS, request_of(session)).grpc_status, OK)
        self.assertLess(time.monotonic() - begin, 2 if not SANITIZED else PATIENCE)


class Peak:
    """The most memory that was ever resident (VmHWM), which may not have grown by more than `bound` bytes. Not with sanitizers."""

    def __init__(self, broker, what, bound):
        self.broker, self.what, self.bound = broker, what, bound

    def _read(self):
        text = Path(f"/proc/{self.broker.pid}/status").read_text()
        return int(re.search(r"^VmHWM:\s+(\d+) kB", text, re.M)[1]) << 10

    def __enter__(self):
        self.before = self._read()
        return self

    def __exit__(self, kind, value, trace):
        if kind or SANITIZED:
            return
        grown = self._read() - self.before
        print(f"peak memory, {self.what}: {self.before / 2**20:.1f} MiB, then {grown / 2**20:.1f} MiB more (at most {self.bound / 2**20:.1f})")
        if grown > self.bound:
            raise AssertionError(f"{self.what}: {grown} bytes more, of {self.bound}")


# --- HTTP in pieces ---

def dial(broker, source="127.0.0.1"):
    return socket.create_connection(("127.0.0.1", broker.port), timeout=PATIENCE, source_address=(source, 0))


def head_of(length=None, path="/v1/logs", kind=PB["Content-Type"], **more):
    """length None: chunked. Names are given with _ for -."""
    fields = {"Host": "localhost", "Content-Type": kind, **{k.replace("_", "-"): v for k, v in more.items()}}
    fields.update({"Transfer-Encoding": "chunked"} if length is None else {"Content-Length": length})
    return (f"POST {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items()) + "\r\n").encode()


def read_answer(s):
    """The answer that comes on a socket; None where it is closed without one."""
    response = http.client.HTTPResponse(s)
    try:
        response.begin()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    except (ConnectionResetError, http.client.RemoteDisconnected):
        return None
    finally:
        response.close()


def rest_of(s):
    """Everything up to the end of the connection."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := s.recv(65536):
            received += piece
    return received


def drip(s, data, pause=0.02):
    """Sends a byte now and then until the other side has had enough; gives after how many seconds that was, and what it said.

    The data is repeated as often as that takes."""
    begin, at, said = time.monotonic(), 0, b""
    s.settimeout(pause)
    try:
        while time.monotonic() - begin < PATIENCE:
            s.send(data[at % len(data):at % len(data) + 1])
            at += 1
            try:
                piece = s.recv(65536)
            except TimeoutError:
                continue
            if not piece:
                break
            said += piece
    except (BrokenPipeError, ConnectionResetError):
        pass
    s.settimeout(PATIENCE)
    return time.monotonic() - begin, said


# --- users ---

@contextlib.contextmanager
def other_user():
    """Sockets made meanwhile are another user's. For root only."""
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


if __name__ == "__main__":
    raise SystemExit("refusals.py is what tests of refusals share; run `make check-system`")
