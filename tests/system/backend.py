"""An OTLP/HTTP backend for tests, on loopback, in threads of the test: it keeps what it gets, and answers as it is told to.

    with Backend() as backend:
        backend.script(Answer(503), Answer(429, retry_after="1"))  # then 200
        backend.wait_ids({"a", "b"})
        backend.requests[0].body  # inflated
"""
import collections
import gzip
import json
import os
import re
import socket
import threading
import time
import unittest

import otlp
import otlp_read
from followers import wait
from harness import PATIENCE, Broker

LOGS, TRACES, METRICS = otlp.SIGNALS

Request = collections.namedtuple("Request", "time path headers body raw connection")

ID = re.compile(rb"record-[0-9]{6}")


class Answer:
    """What one request is answered. `action`: close (in the middle of the answer), hang, drip (a byte at a time), raw (just the body), leave (after it)."""

    def __init__(self, status=200, body=b"", headers=None, retry_after=None, action=None, keep=None, delay=0):
        self.status = status
        self.body = body
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = retry_after
        self.action = action
        self.delay = delay  # seconds before it
        self.keep = 200 <= status < 300 if keep is None else keep  # whether what was sent counts as taken

    def bytes(self):
        head = [f"HTTP/1.1 {self.status} Whatever", "Content-Type: application/x-protobuf", f"Content-Length: {len(self.body)}"]
        return "\r\n".join([*head, *(f"{k}: {v}" for k, v in self.headers.items()), "", ""]).encode() + self.body


class Backend:
    def __init__(self, port=0, start=True, tls=None):
        self.port = port
        self.tls = tls  # an ssl.SSLContext
        self.requests = []  # all that came whole, with whatever answer
        self.taken = []  # those that were answered with success
        self.connections = 0
        self.default = Answer()
        self.judge = None  # a function of a Request that gives an Answer or None
        self._script = collections.deque()
        self._lock = threading.Lock()
        self._open = set()
        self._listener = None
        self._stopping = threading.Event()
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def script(self, *answers):
        with self._lock:
            self._script.extend(answers)

    # --- up and down ---

    def start(self):
        self._stopping = threading.Event()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self):
        """As kill -9 would: all connections end, whatever is under way."""
        if not self._listener:
            return
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._listener = None
        with self._lock:
            for s in self._open:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self, listener):
        while True:
            try:
                s, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(s)
                self.connections += 1
                number = self.connections
            threading.Thread(target=self._serve, args=(s, number, self._stopping), daemon=True).start()

    # --- one connection ---

    def _serve(self, s, number, stopping):
        try:
            if self.tls:
                s = self.tls.wrap_socket(s, server_side=True)
            with s, s.makefile("rb") as stream:
                while not stopping.is_set() and self._serve_one(s, stream, number, stopping):
                    pass
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(s)

    def _serve_one(self, s, stream, number, stopping):
        line = stream.readline()
        if not line:
            return False
        headers = {}
        while (field := stream.readline().strip()):
            name, _, value = field.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        raw = stream.read(int(headers.get("content-length", 0)))
        if len(raw) < int(headers.get("content-length", 0)):
            return False
        body = gzip.decompress(raw) if headers.get("content-encoding") == "gzip" else raw
        request = Request(time.monotonic(), line.split()[1].decode(), headers, body, raw, number)
        with self._lock:
            if stopping.is_set():
                return False
            answer = self._script.popleft() if self._script else self.judge and self.judge(request) or self.default
            self.requests.append(request)
            if answer.keep:
                self.taken.append(request)
        return self._answer(s, answer, stopping)

    def _answer(self, s, answer, stopping):
        data = answer.bytes()
        if answer.delay and stopping.wait(answer.delay):
            return False
        if answer.action == "close":
            s.sendall(data[:len(data) // 2])
            return False
        if answer.action == "raw":
            s.sendall(answer.body)
            return False
        if answer.action == "hang":
            stopping.wait()
            return False
        if answer.action == "drip":
            for byte in data:
                if stopping.wait(0.05):
                    return False
                s.sendall(bytes([byte]))
            return True
        s.sendall(data)
        return answer.action != "leave"

    # --- what came ---

    def of(self, path):
        with self._lock:
            return [r for r in self.taken if r.path == path]

    def count(self):
        with self._lock:
            return len(self.requests)

    def ids(self, path=None):
        """The marks record-NNNNNN of what was taken, in order of arrival, repeated ones included."""
        with self._lock:
            return [i.decode() for r in self.taken if path in (None, r.path) for i in ID.findall(r.body)]

    def wait_ids(self, ids, path=None, timeout=PATIENCE):
        wait(lambda: set(ids) <= set(self.ids(path)), timeout, lambda: f"not there: {sorted(set(ids) - set(self.ids(path)))[:10]}")

    def wait_spans(self, n, timeout=PATIENCE):
        wait(lambda: self.spans() >= n, timeout, lambda: f"{self.spans()} spans, not {n}")

    def spans(self):
        return sum(len(list(otlp_read.spans(otlp_read.decode("traces", r.body)))) for r in self.of(TRACES))

    def wait_requests(self, n, timeout=PATIENCE):
        wait(lambda: self.count() >= n, timeout, lambda: f"{self.count()} requests, not {n}")


# --- a broker that passes on ---

def config(**destinations):
    """Sections of destinations, with waits that tests can wait for."""
    text = ""
    for name, keys in destinations.items():
        keys = {"retry_min": "50ms", "retry_max": "200ms", **keys}
        headers = keys.pop("headers", ())
        text += f"[forward {name}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) + "".join(f"header = {h}\n" for h in headers)
    return text


class ForwardBroker(Broker):
    """A broker that is sent records with ids of their own."""

    def __init__(self, *args, **kwargs):
        self.sent = 0
        self.acknowledged = []
        super().__init__("--core-dumps", *args, **kwargs)

    def send(self, count=1, path=LOGS, size=0):
        """So many requests of one record each; gives the ids that were answered with success."""
        begin = len(self.acknowledged)
        for _ in range(count):
            self.sent += 1
            record = f"record-{self.sent:06}"
            answer = self.post(path, BODIES[path](record, size))
            if answer.status == 200:
                self.acknowledged.append(record)
        return self.acknowledged[begin:]

    def said(self):
        return self.daemon.stderr()

    def forward(self):
        """`agentbus status --forward --json`: by destination and signal."""
        done = self.run("agentbus", "status", "--forward", "--json")
        if done.returncode != 0:
            raise AssertionError(f"agentbus status --forward: {done.returncode}: {done.stderr}")
        return {(d["name"], s["signal"]): s for d in json.loads(done.stdout)["destinations"] for s in d["signals"]}

    def wait_lane(self, condition, name="a", signal="logs"):
        wait(lambda: condition(self.forward()[name, signal]), PATIENCE, lambda: f"{self.forward()[name, signal]}; {self.said()}")
        return self.forward()[name, signal]


def log_body(record, size):
    more = {"filler": "x" * size} if size else {}
    return otlp.claude(otlp.claude_request("forwarded", request_id=record, **more))


def span_body(record, size):
    span = otlp.field(1, os.urandom(16)) + otlp.field(2, os.urandom(8)) + otlp.field(5, record) + otlp.fixed64(7, 1) + otlp.fixed64(8, 2)
    return otlp.field(1, otlp.field(1, otlp.attributes(1, otlp.CLAUDE)) + otlp.field(2, otlp.field(2, span)))


def metric_body(record, size):
    point = otlp.fixed64(3, 1) + otlp.fixed64(4, 0)
    metric = otlp.field(1, record) + otlp.field(5, otlp.field(1, point))
    return otlp.field(1, otlp.field(1, otlp.attributes(1, otlp.CLAUDE)) + otlp.field(2, otlp.field(2, metric)))


BODIES = {LOGS: log_body, TRACES: span_body, METRICS: metric_body}


class ForwardTest(unittest.TestCase):
    def assert_in_order(self, backend, ids, path=LOGS):
        """Each once, in the order in which it was taken."""
        self.assertEqual(backend.ids(path), list(ids))


if __name__ == "__main__":
    raise SystemExit("backend.py is what the tests of forwarding share; run `make check-system`")
