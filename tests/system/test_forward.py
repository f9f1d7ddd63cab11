"""What is passed on: the real broker, and backends that take it, refuse it, hang, and go away."""
import os
import time
import unittest

import otlp
from backend import Answer, Backend
from followers import wait
from harness import PATIENCE, Broker

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
LOGS, TRACES, METRICS = otlp.SIGNALS


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


class PassedOn(ForwardTest):
    def test_all_signals_in_order(self):
        with Backend() as backend, ForwardBroker("--forward", backend.url) as broker:
            ids = {path: broker.send(30, path) for path in otlp.SIGNALS}
            for path in otlp.SIGNALS:
                self.assertEqual(len(ids[path]), 30)
                backend.wait_ids(ids[path], path)
                self.assert_in_order(backend, ids[path], path)
            request = backend.requests[0]
            self.assertEqual(request.headers["content-type"], "application/x-protobuf")
            self.assertEqual(request.headers["content-encoding"], "gzip")
            self.assertRegex(request.headers["user-agent"], r"^agentbus/\d")
            self.assertLess(backend.count(), 45)


if __name__ == "__main__":
    unittest.main()
