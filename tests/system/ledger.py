"""Clients that keep account of every request they send, for tests in which the broker meets with an accident.

    with Clients(broker) as clients:                        # threads: HTTP with protobuf and JSON, gRPC
        clients.wait_acknowledged(100)
        broker.kill(); broker.start_daemon()                # they connect again by themselves
        clients.check()                                     # counted at least what was acknowledged, at most what was sent

Each client sends one request of one record at a time, with an id that is used once, to a session of its own.
"""
import collections
import http.client
import threading
import time

import h2
import otlp
from harness import JSON, PATIENCE, PB

UNAVAILABLE = 14


class HttpWay:
    """Requests over HTTP/1.1."""

    def __init__(self, encode, headers):
        self.encode, self.headers = encode, headers

    def connect(self, broker):
        connection = http.client.HTTPConnection("127.0.0.1", broker.port, timeout=PATIENCE)
        connection.connect()
        return connection

    def send(self, connection, record):
        """200 or 503; raises what comes instead of an answer."""
        connection.request("POST", otlp.LOGS, otlp.claude(record, encode=self.encode), self.headers)
        response = connection.getresponse()
        response.read()
        if response.will_close:
            connection.close()  # http.client connects again by itself
        return response.status


class GrpcWay:
    def connect(self, broker):
        return h2.Connection(broker.port)

    def send(self, connection, record):
        status = connection.export(h2.LOGS, otlp.claude(record))
        if status.reset is not None or status.grpc_status is None:
            raise ConnectionError(f"no answer: {status}")
        return {0: 200, UNAVAILABLE: 503}.get(status.grpc_status, status)


WAYS = {"protobuf": HttpWay(otlp.logs, PB), "json": HttpWay(otlp.logs_json, JSON), "grpc": GrpcWay()}


class Client(threading.Thread):
    def __init__(self, broker, way, session):
        super().__init__(daemon=True)
        self.broker, self.way, self.session = broker, WAYS[way], session
        self.acknowledged, self.unanswered, self.refused = [], [], []
        self.failure = None
        self.sent = 0
        self._stopping = threading.Event()
        self._connection = None

    def run(self):
        try:
            while not self._stopping.is_set():
                self._step()
        except Exception as e:  # told by check()
            self.failure = e
        finally:
            self._disconnect()

    def stop(self):
        self._stopping.set()

    def _disconnect(self):
        if self._connection:
            self._connection.close()
        self._connection = None

    def _step(self):
        if not self._connection:
            try:
                self._connection = self.way.connect(self.broker)
            except OSError:
                self._stopping.wait(0.005)  # there is no broker: nothing tells when there is one
                return
        request_id = f"{self.session}-{self.sent}"
        self.sent += 1
        try:
            status = self.way.send(self._connection, otlp.claude_request(self.session, request_id=request_id))
        except (OSError, http.client.HTTPException):
            self.unanswered.append(request_id)
            self._disconnect()
            return
        if status not in (200, 503):
            raise AssertionError(f"{request_id}: {status}")
        (self.acknowledged if status == 200 else self.refused).append(request_id)
        if status == 503:
            self._stopping.wait(0.02)


class Clients:
    """Some clients of each way, which send as fast as they are answered."""

    def __init__(self, broker, each=2, ways=tuple(WAYS)):
        h2.Inflater().close()  # skips the test where there is none
        self.broker = broker
        self.all = [Client(broker, way, f"{way}-{n}") for way in ways for n in range(each)]

    def __enter__(self):
        for client in self.all:
            client.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Lets each finish what it has sent."""
        for client in self.all:
            client.stop()
        for client in self.all:
            client.join(2 * PATIENCE)
            if client.is_alive():
                raise AssertionError(f"{client.session} hangs")

    def total(self, what="acknowledged"):
        return sum(len(getattr(c, what)) for c in self.all)

    def ids(self, what="acknowledged"):
        return {i for c in self.all for i in getattr(c, what)}

    def wait_more(self, n, what="acknowledged", timeout=PATIENCE):
        """Waits until so many more requests have come to that end."""
        want, deadline = self.total(what) + n, time.monotonic() + timeout
        while self.total(what) < want:
            self.check_failures()
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.total(what)} {what}, not {want}; the broker: {self.broker.daemon.stderr()[-2000:]}")
            time.sleep(0.002)

    def check_failures(self):
        for client in self.all:
            if client.failure:
                raise client.failure

    def check(self):
        """Holds what the broker counts against the accounts, of clients that may be sending. Gives what is counted per session."""
        self.check_failures()
        least = {c.session: len(c.acknowledged) for c in self.all}
        sessions = self.broker.sessions()
        counted = {c.session: sessions[c.session]["requests"] if c.session in sessions else 0 for c in self.all}
        # sent is counted before a request leaves, so this is not too small.
        most = {c.session: c.sent - len(c.refused) for c in self.all}
        wrong = [f"{s}: counted {counted[s]}, not {least[s]} to {most[s]}" for s in counted if not least[s] <= counted[s] <= most[s]]
        if wrong:
            raise AssertionError("; ".join(wrong))
        return counted

    def check_ids(self, seen, who):
        """What a subscriber saw: each acknowledged request exactly once, each unanswered one at most once, and no other."""
        counts = collections.Counter(seen)
        missing = self.ids() - counts.keys()
        twice = [i for i, n in counts.items() if n > 1]
        strange = counts.keys() - self.ids() - self.ids("unanswered")
        if missing or twice or strange:
            raise AssertionError(f"{who}: {len(missing)} missing {sorted(missing)[:5]}, {len(twice)} twice {twice[:5]}, "
                                 f"{len(strange)} that were refused or never sent {sorted(strange)[:5]}")


if __name__ == "__main__":
    raise SystemExit("ledger.py is what the system tests share; run `make check-system`")
