"""What is passed on, where not all goes well: backends that refuse, hang, lie and die, full queues, full disks, kill -9."""
import http.client
import itertools
import os
import shutil
import sqlite3
import subprocess
import threading
import time
import unittest

import otlp
from backend import LOGS, TRACES, Answer, Backend, ForwardBroker, ForwardTest, config, log_body
from followers import wait
from harness import PATIENCE, PB
from test_store import StoreBroker

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
SIGNALS = {"signals": "logs"}  # one lane: what comes when is easier to say


def partial(rejected, message):
    return otlp.field(1, b"\x08" + otlp.varint(rejected) + otlp.field(2, message))


class Refused(ForwardTest):
    def test_what_is_tried_again(self):
        """Each of these puts the batch off, and nothing is lost or doubled."""
        answers = [Answer(s) for s in (429, 502, 503, 504)]
        with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url, **SIGNALS})) as broker:
            backend.script(*answers)
            ids = broker.send(3)
            backend.wait_ids(ids)
            self.assert_in_order(backend, ids)
            lane = broker.wait_lane(lambda l: l["sent_items"] == 3)
            self.assertEqual((lane["retries"], lane["rejected_items"], lane["last_error"]), (4, 0, "HTTP 504 gateway timeout"))

    def test_waits_grow(self):
        times = {"retry_min": "100ms", "retry_max": "400ms"}
        with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url, **SIGNALS, **times})) as broker:
            backend.script(*[Answer(503)] * 5)
            ids = broker.send()
            backend.wait_ids(ids)
            at = [r.time for r in backend.requests]
            waits = [b - a for a, b in zip(at, at[1:])]
            for wait_s, least in zip(waits, (0.08, 0.12, 0.18, 0.27, 0.32)):
                self.assertGreaterEqual(wait_s, least, waits)
            if not SANITIZED:
                self.assertLess(sum(waits), 2.5, waits)

    def test_retry_after(self):
        for retry_after, least in (("1", 1.0), (None, 1.5)):
            retry_after = retry_after or time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3))
            with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url, **SIGNALS})) as broker:
                backend.script(Answer(429, retry_after=retry_after))
                backend.wait_ids(broker.send())
                first, second = (r.time for r in backend.requests)
                self.assertGreaterEqual(second - first, least)

    def test_poison_alone_is_dropped(self):
        with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url, **SIGNALS})) as broker:
            poison = b"record-000013"
            backend.judge = lambda r: Answer(400) if poison in r.body else None
            backend.script(Answer(503))  # so that all of them wait together
            ids = broker.send(32)
            rest = [i for i in ids if i != poison.decode()]
            backend.wait_ids(rest)
            self.assert_in_order(backend, rest)
            lane = broker.wait_lane(lambda l: l["queued_items"] == 0)
            self.assertEqual((lane["sent_items"], lane["rejected_items"], lane["dropped_items"]), (31, 1, 0))
            self.assertIn("items refused for good: 1 (HTTP 400 bad request)", broker.said())

    def test_too_large_is_cut(self):
        with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url, **SIGNALS})) as broker:
            backend.judge = lambda r: Answer(413) if len(r.body) > 30000 else None
            backend.script(Answer(503))
            ids = broker.send(100, size=1000)
            backend.wait_ids(ids)
            self.assert_in_order(backend, ids)
            self.assertGreater(max(len(r.body) for r in backend.taken), 5000)

    def test_unwelcome(self):
        """Who is not let in, or asks at the wrong place, is not let in with less either."""
        for status in (301, 401, 403, 404):
            with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url, **SIGNALS})) as broker:
                backend.script(Answer(503), Answer(status, headers={"Location": f"{backend.url}/elsewhere"}))
                broker.send(10)
                lane = broker.wait_lane(lambda l: l["queued_items"] == 0)
                self.assertEqual((lane["sent_items"], lane["rejected_items"]), (0, 10))
                ids = broker.send()
                backend.wait_ids(ids)
                self.assertEqual({r.path for r in backend.requests}, {LOGS})

    def test_partial_success(self):
        with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url, **SIGNALS})) as broker:
            backend.script(Answer(503), Answer(body=partial(2, "two are too old\n\x1b[2Jfor us" + "!" * 300)),
                           Answer(body=b'{"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "x"}}'))
            broker.send(5)
            lane = broker.wait_lane(lambda l: l["sent_items"] == 3)
            self.assertEqual(lane["rejected_items"], 2)
            self.assertRegex(broker.said(), r"forward a: items rejected: 2 \(two are too old  \[2Jfor us!{50,200}\)\n")
            broker.send(5)
            lane = broker.wait_lane(lambda l: l["sent_items"] == 7)
            self.assertEqual(lane["rejected_items"], 3)
            self.assertEqual(broker.said().count("items rejected"), 1, "once a minute")


class Strange(ForwardTest):
    def exercise(self, *answers, **keys):
        with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url, **SIGNALS, "timeout": "500ms", **keys})) as broker:
            backend.script(*answers)
            ids = broker.send(3)
            backend.wait_ids(ids)
            lane = broker.wait_lane(lambda l: l["queued_items"] == 0)
            return backend, lane, broker.said()

    def test_garbage_with_success(self):
        for body in (os.urandom(500), b"<html>", b"{", b"\x0a\x7f", b"[" * 10000, b"x" * 300000):
            backend, lane, _ = self.exercise(Answer(body=body))
            self.assertEqual((lane["sent_items"], lane["rejected_items"], lane["retries"], backend.count()), (3, 0, 0, 1))

    def test_leaves_after_each_answer(self):
        """A connection that is gone by the time of the next request is no trouble."""
        with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url, **SIGNALS})) as broker:
            backend.default = Answer(action="leave")
            for _ in range(4):
                backend.wait_ids(broker.send())
                broker.wait_lane(lambda l: l["queued_items"] == 0)
            self.assertEqual((broker.forward()["a", "logs"]["retries"], backend.connections), (0, 4))

    def test_no_http_at_all(self):
        _, lane, _ = self.exercise(Answer(body=os.urandom(200), action="raw", keep=False), Answer(body=b"", action="raw", keep=False))
        self.assertEqual((lane["sent_items"], lane["rejected_items"]), (3, 0))
        self.assertGreaterEqual(lane["retries"], 1)

    def test_closed_in_the_middle(self):
        _, lane, _ = self.exercise(Answer(action="close", keep=False))
        self.assertEqual(lane["sent_items"], 3)

    def test_hangs(self):
        _, lane, said = self.exercise(Answer(action="hang", keep=False))
        self.assertEqual((lane["sent_items"], lane["retries"]), (3, 1))
        self.assertRegex(said, r"forward a: logs are not taken \(.*timed out.*\)")

    def test_drips(self):
        """One that takes a second for its answer's head is too slow, one that is quick enough is not."""
        _, lane, _ = self.exercise(Answer(action="drip", keep=False))
        self.assertEqual((lane["sent_items"], lane["retries"]), (3, 1))
        _, lane, _ = self.exercise(Answer(action="drip"), timeout="20s")
        self.assertEqual((lane["sent_items"], lane["retries"]), (3, 0))

    def test_name_that_is_looked_up_for_ever(self):
        """Neither the timeout nor the end of the broker waits for it."""
        if SANITIZED or not shutil.which("cc"):
            self.skipTest("no cc, or sanitizers")
        with ForwardBroker(start=False) as broker:
            source, library = broker.dir / "slow.c", broker.dir / "slow.so"
            source.write_text("#include <unistd.h>\nint getaddrinfo(void) { sleep(60); return -2; }\n")
            subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
            broker.env["LD_PRELOAD"] = str(library)
            broker.write_config(config(a={"url": "http://backend.example:1", "timeout": "300ms", **SIGNALS}))
            broker.start_daemon()
            broker.send()
            broker.wait_lane(lambda l: l["retries"] > 1)
            begin = time.monotonic()
            for _ in range(20):
                broker.send()
            self.assertLess(time.monotonic() - begin, 5)
            broker.wait_lane(lambda l: l["retries"] > 2 and l["state"] == "sending")
            begin = time.monotonic()
            broker.stop()
            self.assertLess(time.monotonic() - begin, 5)

    def test_others_do_not_wait_for_it(self):
        with Backend() as good, Backend() as bad, ForwardBroker(config=config(
                good={"url": good.url}, bad={"url": bad.url, "timeout": "1h"})) as broker:
            bad.default = Answer(action="hang")
            slowest = 0
            for path in (LOGS, TRACES):
                for _ in range(20):
                    begin = time.monotonic()
                    broker.send(1, path)
                    slowest = max(slowest, time.monotonic() - begin)
            good.wait_ids(broker.acknowledged)
            if not SANITIZED:
                self.assertLess(slowest, 1)


class Down(ForwardTest):
    def test_down_and_back(self):
        with Backend() as backend:
            url = backend.url
            backend.stop()
            with ForwardBroker(config=config(a={"url": url})) as broker:
                for _ in range(10):
                    broker.send(3)
                    broker.send(1, TRACES)
                broker.wait_lane(lambda l: l["retries"] > 5)
                self.assertEqual(broker.said().count("not taken"), 1, "once a minute, whatever the signal")
                backend.start()
                backend.wait_ids(broker.acknowledged)
                self.assert_in_order(backend, [i for i in broker.acknowledged if i in backend.ids(LOGS)])
                wait(lambda: "forward a: works again" in broker.said(), PATIENCE, broker.said)
                backend.stop()
                broker.send()
                broker.wait_lane(lambda l: l["queued_items"] == 1 and l["state"] == "waiting")
                self.assertEqual(broker.said().count("not taken"), 1)
                backend.start()
                backend.wait_ids(broker.acknowledged)
                self.assertEqual(broker.said().count("works again"), 1)

    def test_backend_killed_in_the_middle(self):
        with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url})) as broker:
            for _ in range(5):
                broker.send(20)
                backend.stop()
                broker.send(5)
                backend.start()
            backend.wait_ids(broker.acknowledged)

    def test_stopping_does_not_wait(self):
        with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url, **SIGNALS})) as broker:
            backend.default = Answer(action="hang", keep=False)
            broker.send(10)
            backend.wait_requests(1)
            begin = time.monotonic()
            broker.stop()
            self.assertLess(time.monotonic() - begin, 5)
            backend.default = Answer()
            broker.start_daemon()
            backend.wait_ids(broker.acknowledged)
            self.assert_in_order(backend, broker.acknowledged)


class Client(threading.Thread):
    """Sends records until it is stopped, over connections of its own; whatever happens to the broker."""

    def __init__(self, broker, number):
        super().__init__(daemon=True)
        self.broker, self.number, self.acknowledged, self.stopping = broker, number, [], threading.Event()
        self.start()

    def run(self):
        for n in itertools.count(self.number * 100000):
            if self.stopping.is_set():
                return
            record, connection = f"record-{n:06}", self.broker.connect()
            try:
                connection.request("POST", LOGS, log_body(record, 0), PB)
                if connection.getresponse().status == 200:
                    self.acknowledged.append(record)
            except (OSError, http.client.HTTPException):
                pass  # not answered: nothing was promised
            finally:
                connection.close()

    def stop(self):
        self.stopping.set()
        self.join(PATIENCE)
        return self.acknowledged


class Killed(ForwardTest):
    def test_with_a_full_queue(self):
        with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url})) as broker:
            backend.default = Answer(action="hang", keep=False)
            broker.send(300)
            broker.send(20, TRACES)
            backend.wait_requests(1)
            broker.kill()
            backend.default = Answer()
            broker.start_daemon()
            backend.wait_ids(broker.acknowledged)
            self.assertEqual(len(broker.acknowledged), 320)

    def test_again_and_again(self):
        """Kill -9 while records come and go: each that was acknowledged arrives, some of them twice."""
        with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url})) as broker:
            for round_number in range(3 if SANITIZED else 8):
                broker.send(10 + 7 * round_number)
                if round_number % 2:
                    backend.wait_ids(broker.acknowledged[-3:])
                broker.kill()
                broker.start_daemon()
            broker.send(1)
            backend.wait_ids(broker.acknowledged)
            wait(lambda: broker.forward()["a", "logs"]["queued_items"] == 0, PATIENCE, broker.said)

    def test_under_load(self):
        """Several clients at once, a backend that is slow and fails now and then, and kill -9 in the midst of it all."""
        with Backend() as backend, ForwardBroker("--fsync", config=config(a={"url": backend.url, **SIGNALS, "timeout": "2s"})) as broker:
            answers = itertools.cycle([Answer(503), Answer(delay=0.05), Answer(), Answer(action="close", keep=False), Answer()])
            backend.judge = lambda r: next(answers)
            clients = [Client(broker, n) for n in range(4)]
            for seconds in (0.3, 0.7) if SANITIZED else (0.3, 0.7, 0.2, 0.9, 0.5):
                time.sleep(seconds)  # the load itself
                broker.kill()
                broker.start_daemon()
            time.sleep(0.3)
            acknowledged = [i for c in clients for i in c.stop()]
            backend.judge = None
            self.assertGreater(len(acknowledged), 50)
            backend.wait_ids(acknowledged)
            wait(lambda: broker.forward()["a", "logs"]["queued_items"] == 0, PATIENCE, broker.said)

    def test_what_was_passed_on_is_not_kept(self):
        """The rows of the queue are gone from the database when all have them."""
        with Backend() as backend, StoreForwardBroker(config=config(a={"url": backend.url, **SIGNALS})) as broker:
            broker.send(200, size=2000)
            backend.wait_ids(broker.acknowledged)
            wait(lambda: broker.rows() == 0, PATIENCE, lambda: f"{broker.rows()} rows")


class StoreForwardBroker(ForwardBroker, StoreBroker):
    def send(self, *args, **kwargs):
        return ForwardBroker.send(self, *args, **kwargs)

    def rows(self):
        db = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            return db.execute("SELECT count(*) FROM forward_items").fetchone()[0]
        finally:
            db.close()


class Full(ForwardTest):
    def fill(self, broker, backend, good=None):
        """More than fits; the newest arrive when the backend is back, the oldest are counted."""
        broker.send(300, size=1000)
        lane = broker.wait_lane(lambda l: l["dropped_items"] > 0)
        self.assertLessEqual(lane["queued_bytes"], 64 * 1024)
        self.assertEqual(lane["dropped_items"] + lane["queued_items"], 300)
        self.assertEqual(broker.said().count("oldest items dropped"), 1, "one warning a minute")
        backend.start()
        backend.wait_ids(broker.acknowledged[-20:])
        broker.wait_lane(lambda l: l["queued_items"] == 0)
        arrived = backend.ids()
        self.assertEqual(arrived, broker.acknowledged[-len(arrived):])
        self.assertEqual(len(arrived) + broker.forward()["a", "logs"]["dropped_items"], 300)
        if good:
            good.wait_ids(broker.acknowledged)
            self.assert_in_order(good, broker.acknowledged)

    def test_oldest_are_dropped(self):
        with Backend() as good, Backend() as backend:
            text = config(a={"url": backend.url, "queue_size": "64K"}, good={"url": good.url})
            backend.stop()
            with ForwardBroker(config=text) as broker:
                self.fill(broker, backend, good)
                self.assertEqual(broker.forward()["good", "logs"]["dropped_items"], 0)

    def test_in_memory(self):
        with Backend() as backend:
            backend.stop()
            with ForwardBroker("--memory", config=config(a={"url": backend.url, "queue_size": "64K"})) as broker:
                self.fill(broker, backend)
                self.assertFalse((broker.dir / "state").exists())

    def test_oldest_of_all_signals(self):
        with Backend() as backend:
            backend.stop()
            with ForwardBroker("--hold-spans", "0", config=config(a={"url": backend.url, "queue_size": "64K"})) as broker:
                traces = broker.send(3, TRACES)
                broker.send(100, size=1000)
                broker.wait_lane(lambda l: l["dropped_items"] == len(traces), "a", "traces")

    def test_full_disk(self):
        """What is refused is not passed on by us, what was acknowledged is."""
        with Backend() as backend:
            backend.stop()
            with StoreForwardBroker(config=config(a={"url": backend.url, **SIGNALS})) as broker:
                broker.send(20)
                broker.limit_files()
                broker.send(20)
                refused = broker.sent - len(broker.acknowledged)
                self.assertGreater(refused, 0)
                broker.unlimit_files()
                wait(lambda: broker.send(1), 2 * PATIENCE, broker.said)
                broker.send(5)
                backend.start()
                backend.wait_ids(broker.acknowledged)
                broker.wait_lane(lambda l: l["queued_items"] == 0)
                self.assert_in_order(backend, broker.acknowledged)

    def test_full_disk_and_not_durable(self):
        """A little is kept in memory; the rest is counted as dropped."""
        with Backend() as backend:
            backend.stop()
            with StoreForwardBroker("--durable", "no", config=config(a={"url": backend.url, **SIGNALS})) as broker:
                broker.send(5)
                broker.limit_files()
                broker.send(30, size=100_000)
                self.assertEqual(len(broker.acknowledged), 35)
                wait(lambda: broker.forward()["a", "logs"]["dropped_items"] > 0, PATIENCE, broker.said)
                broker.unlimit_files()
                backend.start()
                wait(lambda: (lambda l: l["sent_items"] + l["dropped_items"] == 35)(broker.forward()["a", "logs"]), 2 * PATIENCE,
                     lambda: f"{broker.forward()} {broker.said()}")
                lane = broker.forward()["a", "logs"]
                self.assertLess(lane["dropped_items"], 30)
                self.assertEqual(len(set(backend.ids())), lane["sent_items"])
                self.assertLessEqual(set(broker.acknowledged[:5]), set(backend.ids()))


class Changed(ForwardTest):
    def test_new_and_gone(self):
        """A new destination begins with what comes from now on; one that is gone is forgotten, and its rows with it."""
        with Backend() as a, Backend() as b:
            a.stop()
            with StoreForwardBroker(config=config(a={"url": a.url, **SIGNALS})) as broker:
                before = broker.send(10)
                broker.stop()
                broker.write_config(config(a={"url": a.url, **SIGNALS}, b={"url": b.url, **SIGNALS}))
                broker.start_daemon()
                after = broker.send(5)
                b.wait_ids(after)
                self.assert_in_order(b, after)
                self.assertEqual(broker.forward()["a", "logs"]["queued_items"], 15)
                broker.stop()
                broker.write_config("")
                broker.start_daemon()
                broker.send(1)
                wait(lambda: broker.rows() == 0, PATIENCE, lambda: f"{broker.rows()} rows")
                broker.stop()
                broker.write_config(config(a={"url": a.url, **SIGNALS}))
                a.start()
                broker.start_daemon()
                last = broker.send(2)
                a.wait_ids(last)
                self.assert_in_order(a, last)
                self.assertTrue(before)


if __name__ == "__main__":
    unittest.main()
