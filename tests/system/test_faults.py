"""Everything that a machine and its neighbours can do to a broker that runs: no descriptors, crowds, silence, resets, bombs."""
import collections
import gzip
import os
import resource
import signal
import socket
import struct
import threading
import time
import unittest

import h2
import otlp
from followers import Follower, figures, newest_seq, wait
from harness import Broker, JSON, PATIENCE, read_all

# What runs beside these tests would change what they measure.
ALONE = True

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
FAULT_SECONDS = float(os.environ.get("FAULT_SECONDS", "5"))
STORM = int(os.environ.get("FAULT_CONNECTS", "300" if SANITIZED else "1000"))
BOMB_SIZE = 64 << 20
GREETING = {"events": b"\0SP\0\0\x21\0\0", "query": b"\0SP\0\0\x30\0\0"}
EXHAUSTED = 8


def one(session, **more):
    return otlp.claude(otlp.claude_request(session, request_id=f"{session}-{time.monotonic_ns()}", **more))


def tcp(broker):
    s = socket.create_connection(("127.0.0.1", broker.port), timeout=PATIENCE)
    return s


def vanish(s):
    """Ends a connection with a reset, as a machine does that has no time for goodbyes."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


class FaultTest(unittest.TestCase):
    def broker(self, *args):
        return self.enterContext(Broker("--quiet-after", "1h", "--core-dumps", *args))

    def accepted(self, broker, session):
        answer = broker.post(otlp.LOGS, one(session))
        self.assertEqual(answer.status, 200, answer)

    def wait_accepted(self, broker, session, timeout=PATIENCE):
        """Sends until that is accepted; gives the seconds that it took."""
        def accepted():
            try:
                return broker.post(otlp.LOGS, one(session)).status == 200
            except OSError:
                return False
        begin = time.monotonic()
        wait(accepted, timeout, broker.daemon.stderr)
        return time.monotonic() - begin

    def wait_descriptors(self, broker, most, timeout=PATIENCE):
        wait(lambda: broker.daemon.descriptors() <= most, timeout, lambda: f"{broker.daemon.descriptors()} descriptors, not {most}")


class Descriptors(FaultTest):
    def test_none_left(self):
        """Those who are there are served, those who come wait, nobody spins; and it is said once, though a few take turns."""
        broker = self.broker("--header-timeout", "1s")
        self.accepted(broker, "kept")
        watch = Follower(broker).told("connected")
        open_now = broker.daemon.descriptors()
        resource.prlimit(broker.pid, resource.RLIMIT_NOFILE, (open_now + 12, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        crowd = [tcp(broker) for _ in range(60)]
        try:
            wait(lambda: "cannot accept connections" in broker.daemon.stderr(), PATIENCE, broker.daemon.stderr)
            before, begin, sent = broker.daemon.cpu_seconds(), time.monotonic(), 0
            while time.monotonic() - begin < min(FAULT_SECONDS, 30) / 2:
                self.accepted(broker, "kept")
                sent += 1
                time.sleep(0.05)  # a rate, not a wait
            used = (broker.daemon.cpu_seconds() - before) / (time.monotonic() - begin)
            self.assertEqual(broker.daemon.stderr().count("cannot accept connections"), 1, broker.daemon.stderr())
            self.assertEqual(broker.daemon.stderr().count("error"), 0, broker.daemon.stderr())
            self.assertLess(used, 0.5 if SANITIZED else 0.15)
        finally:
            for s in crowd:
                s.close()
        # Its limit is as low as before: only the crowd has left.
        fresh = h2.Connection(broker.port)
        self.addCleanup(fresh.close)
        self.assertEqual(fresh.export(h2.LOGS, one("fresh")).grpc_status, 0)
        counted = {s: x["requests"] for s, x in broker.sessions().items()}
        self.assertEqual(counted, {"kept": sent + 1, "fresh": 1})
        watch.up_to(newest_seq(broker))
        self.assertEqual(watch.holes()[::2], ([], 0))
        fresh.close()
        self.wait_descriptors(broker, open_now + 4)
        print(f"no descriptors: {100 * used:.1f} % CPU meanwhile, {sent} requests served")

    def test_none_left_for_subscribers(self):
        """nng takes no more of them, and neither it nor we spin; those that come later are let in by themselves."""
        broker = self.broker()
        self.accepted(broker, "s")
        resource.prlimit(broker.pid, resource.RLIMIT_NOFILE, (broker.daemon.descriptors(), resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        watch = broker.watch(ready=False)
        before, begin = broker.daemon.cpu_seconds(), time.monotonic()
        while time.monotonic() - begin < min(FAULT_SECONDS, 30) / 2:
            self.accepted(broker, "s")
            time.sleep(0.05)  # a rate, not a wait
        used = (broker.daemon.cpu_seconds() - before) / (time.monotonic() - begin)
        self.assertEqual(watch.events, [])
        resource.prlimit(broker.pid, resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        watch.wait_for(lambda e: e["kind"] == "connected")
        begin = len(watch.events)
        self.accepted(broker, "s")
        watch.wait_for(lambda e: e["kind"] == "api_request", start=begin)
        print(f"no descriptors for subscribers: {100 * used:.1f} % CPU meanwhile")
        self.assertLess(used, 0.5)


class Storm(FaultTest):
    def test_a_thousand_at_the_sockets(self):
        """In waves, to both sockets: some say nothing, some greet, some leave at once. Then somebody comes who means it."""
        broker = self.broker()
        early = Follower(broker).told("connected")
        for _ in range(200):
            self.accepted(broker, "s")
        rss, descriptors = broker.rss(), broker.daemon.descriptors()
        waves, most = 4, 0
        for wave in range(waves):
            crowd = []
            for n in range(STORM // waves):
                name = ("events", "query")[n % 2]
                s = socket.socket(socket.AF_UNIX)
                s.settimeout(PATIENCE)
                try:
                    s.connect(str(broker.runtime / name))
                    if n % 3 == 1:
                        s.sendall(GREETING[name])
                except OSError:
                    pass  # refused, or closed while it was greeted
                if n % 5 == 4:
                    s.close()
                else:
                    crowd.append(s)
                if n % 10 == 0:
                    self.accepted(broker, "s")
            most = max(most, broker.daemon.descriptors())
            for s in crowd:
                s.close()
        begin = time.monotonic()
        wait(lambda: broker.run("agentbus", "status", "--timeout", "1").returncode == 0, PATIENCE, broker.daemon.stderr)
        status = time.monotonic() - begin
        late = Follower(broker)

        def there():
            # What mends the sockets runs while there is work.
            self.accepted(broker, "s")
            return any(e.kind == "connected" for e in late.read())
        wait(there, PATIENCE, broker.daemon.stderr)
        for _ in range(200):
            self.accepted(broker, "s")
        seq = newest_seq(broker)
        for follower in (early, late):
            self.assertEqual(follower.up_to(seq).holes()[::2], ([], 0))
            self.assertEqual(follower.sessions, {s["id"]: figures(s) for s in broker.status()["sessions"]})
        left = broker.daemon.descriptors() - descriptors
        print(f"storm: {STORM} connects, at most {most} descriptors, {left} left; status after {status:.1f} s; resident {rss >> 10} -> "
              f"{broker.rss() >> 10} KB; {broker.daemon.stderr().count('listening anew')} times anew")
        before = broker.daemon.cpu_seconds()
        time.sleep(1)  # a stretch of time in which nothing should happen
        self.assertLess(broker.daemon.cpu_seconds() - before, 0.3)
        # nng 1.5.2 keeps the descriptors of peers that left while it had given its listener up.
        self.assertLess(left, STORM // 2 if "listening anew" in broker.daemon.stderr() else 15)
        if not SANITIZED:
            self.assertLess(broker.rss() - rss, 24 << 20)


class Stalled(FaultTest):
    def rate(self, broker, load, seconds):
        """Requests per second, one after the other, and the longest that one took."""
        begin, n, worst = time.monotonic(), 0, 0.0
        while time.monotonic() - begin < seconds:
            last = time.monotonic()
            self.assertEqual(broker.post(otlp.LOGS, load.next()[1]).status, 200)
            worst = max(worst, time.monotonic() - last)
            n += 1
        return n / (time.monotonic() - begin), worst

    def test_ingest_does_not_wait_for_them(self):
        load = otlp.Load(records=10, sessions=20)
        broker = self.broker()
        stalled = [Follower(broker) for _ in range(5)]
        for follower in stalled:
            follower.told("connected")
        before, _ = self.rate(broker, load, 1)
        for follower in stalled:
            follower.process.send(signal.SIGSTOP)
        rate, worst = self.rate(broker, load, FAULT_SECONDS)
        peak = broker.daemon.peak_rss()
        sent = load.count
        for follower in stalled:
            follower.process.send(signal.SIGCONT)
        seq = newest_seq(broker)
        want = {s["id"]: figures(s) for s in broker.status()["sessions"]}
        self.assertEqual(sum(w[0] for w in want.values()), sent * load.records + 1)
        for follower in stalled:
            self.assertEqual(follower.up_to(seq, 4 * PATIENCE).holes()[0], [])
            self.assertEqual(follower.sessions, want)
        print(f"stalled: 5 subscribers, {rate:.0f} requests/s (before {before:.0f}), the longest {1000 * worst:.0f} ms; "
              f"{sent * load.records} events, peak RSS {peak >> 10} KB")
        if not SANITIZED:
            self.assertGreater(rate, before / 3)
            self.assertLess(worst, 1)
            # 5 buffers of 8192 messages that share their bytes, and the journal.
            self.assertLess(peak, 100 << 20)


class HalfOpen(FaultTest):
    LIMITS = ("--max-connections", "40", "--max-connections-per-peer", "40", "--header-timeout", "1s", "--request-timeout", "1s",
              "--idle-timeout", "1s")

    BEGINNINGS = {
        "nothing": b"",
        "half a preface": h2.PREFACE[:3],
        "half a head": b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-",
        "half a body": b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000\r\n\r\nxx",
        "a request and no other": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "a preface": h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0),
        "half a call": h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0) + h2.frame(h2.HEADERS, h2.END_HEADERS, 1, h2.hpack([
            (":method", "POST"), (":scheme", "http"), (":path", h2.LOGS), (":authority", "localhost"),
            ("content-type", "application/grpc"), ("te", "trailers")])) + h2.frame(h2.DATA, 0, 1, b"\0\0\0\1\0xx"),
    }

    def crowd(self, broker, text, size=100):
        sockets = []
        for _ in range(size):
            s = tcp(broker)
            sockets.append(s)
            try:
                s.sendall(text)
            except OSError:
                pass  # sent away already
        return sockets

    def test_silence(self):
        """A hundred take all the places and say no more: their time runs out."""
        broker = self.broker(*self.LIMITS)
        self.accepted(broker, "s")
        broker.disconnect()
        descriptors = broker.daemon.descriptors()
        for name, text in self.BEGINNINGS.items():
            with self.subTest(name):
                begin = time.monotonic()
                sockets = self.crowd(broker, text)
                try:
                    answers = []
                    for s in sockets:
                        answers.append(read_all(s))
                    took = time.monotonic() - begin
                    # Some were sent away, who had begun to speak with a word; all others were given up.
                    away = sum(b"503 Service" in a or b"\x07\0\0\0\0\0" in a for a in answers)
                    self.assertGreaterEqual(away, 50 if len(text) > 3 else 0, name)
                    self.assertGreater(took, 0.8)
                    self.assertLess(took, 4 + PATIENCE / 2)
                    self.wait_accepted(broker, "s")
                finally:
                    for s in sockets:
                        s.close()
                broker.disconnect()
                self.wait_descriptors(broker, descriptors + 4)
        self.assertLess(broker.daemon.cpu_seconds(), 20)

    def test_gone_without_a_word(self):
        """A hundred at a time that vanish in the middle of something: their places are free at once."""
        broker = self.broker(*self.LIMITS[:4])
        self.accepted(broker, "s")
        broker.disconnect()
        descriptors, slowest = broker.daemon.descriptors(), 0.0
        for _ in range(3):
            for name, text in self.BEGINNINGS.items():
                with self.subTest(name):
                    for s in self.crowd(broker, text):
                        vanish(s)
                    slowest = max(slowest, self.wait_accepted(broker, "s"))
                    broker.disconnect()
                    self.wait_descriptors(broker, descriptors + 4)
        self.assertEqual(list(broker.sessions()), ["s"])
        print(f"half open: {3 * 100 * len(self.BEGINNINGS)} vanished, a place was free after {slowest:.2f} s at most; peak RSS {broker.daemon.peak_rss() >> 10} KB")

    def test_gone_before_the_answer(self):
        """What was sent whole counts once, whether anybody takes the answer or not; of whom is gone already nobody knows whose he was."""
        broker = self.broker("--max-connections", "40", "--max-connections-per-peer", "40")
        head = "POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\n\r\n"
        for wave in range(10):
            deaf, gone = [f"deaf-{wave}-{n}" for n in range(15)], [f"gone-{wave}-{n}" for n in range(15)]
            sockets = []
            for session in deaf + gone:
                body = one(session)
                sockets.append(tcp(broker))
                sockets[-1].sendall(head.format(len(body)).encode() + body)
                if session in gone:
                    vanish(sockets.pop())
            wait(lambda: set(deaf) <= broker.sessions().keys(), PATIENCE, broker.daemon.stderr)
            for s in sockets:
                vanish(s)
        self.wait_accepted(broker, "s")
        self.assertEqual({x["requests"] for x in broker.sessions().values()}, {1})

class Bombs(FaultTest):
    def send_all(self, senders):
        """Runs them side by side; gives what each returned, or raises what it raised."""
        results = [None] * len(senders)

        def run(n):
            try:
                results[n] = senders[n]()
            except Exception as e:
                results[n] = e
        threads = [threading.Thread(target=run, args=(n,), daemon=True) for n in range(len(senders))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(3 * PATIENCE)
        for result in results:
            if isinstance(result, Exception):
                raise result
        return results

    def test_many_at_once(self):
        """64 MiB that are 64 KiB on their way, by all ways: refused, and memory stays what it was."""
        broker = self.broker()
        raw = otlp.claude(otlp.claude_request("bomb", prompt="x" * 100)) + b"\x12" + otlp.varint(BOMB_SIZE) + bytes(BOMB_SIZE)
        bomb = gzip.compress(raw, 9)
        twice = gzip.compress(bomb, 9)
        self.accepted(broker, "s")
        before = broker.daemon.peak_rss()

        def over_http(headers, body):
            connection = broker.connect()
            try:
                connection.request("POST", otlp.LOGS, body, {**headers, "Content-Encoding": "gzip"})
                return connection.getresponse().status
            finally:
                connection.close()

        def over_grpc():
            with h2.Connection(broker.port) as c:
                stream = c.start(h2.LOGS, {"grpc-encoding": "gzip"})
                c.send(stream, b"\1" + len(bomb).to_bytes(4, "big") + bomb, end=True)
                return c.finish(stream).grpc_status
        protobuf = {"Content-Type": "application/x-protobuf"}
        n = 8 if SANITIZED else 20
        results = self.send_all([lambda: over_http(protobuf, bomb)] * n + [lambda: over_http(JSON, bomb)] * n + [over_grpc] * n +
                                [lambda: over_http(protobuf, twice)] * n)
        self.assertEqual(collections.Counter(results), {413: 2 * n, EXHAUSTED: n, 400: n})
        self.accepted(broker, "s")
        self.assertEqual({s: x["requests"] for s, x in broker.sessions().items()}, {"s": 2})
        peak = broker.daemon.peak_rss()
        print(f"bombs: {4 * n} of {len(bomb) >> 10} KB, peak RSS {before >> 10} -> {peak >> 10} KB, {broker.daemon.cpu_seconds():.1f} s CPU")
        if not SANITIZED:
            self.assertLess(peak - before, 80 << 20)


if __name__ == "__main__":
    unittest.main()
