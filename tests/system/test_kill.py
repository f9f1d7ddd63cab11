"""The end of the broker in the middle of work, by kill -9 and by SIGTERM: what was acknowledged is there, and everybody agrees."""
import json
import os
import random
import shutil
import sqlite3
import time
import unittest
from pathlib import Path

import otlp
from followers import Follower, Panel, figures, newest_seq, wait
from harness import PATIENCE, Broker
from ledger import Clients

# It keeps both cores busy, and others would change at which moments it strikes.
ALONE = True

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
KILLS = int(os.environ.get("KILLS", "8" if SANITIZED else "25"))
SEED = int(os.environ.get("SEED", str(time.time_ns() % 1000000)))
ROOM = ("--quiet-after", "1h", "--journal-size", "64M", "--history-size", "4G")


def usage(broker):
    """Requests in the usage table, of a copy of the database of a broker that has ended."""
    copy = broker.dir / "copy"
    shutil.copytree(broker.dir / "state" / "agentbus", copy, dirs_exist_ok=True)
    db = sqlite3.connect(copy / "agentbus.db")
    try:
        db.execute("PRAGMA query_only = 1")
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return db.execute("SELECT sum(requests), sum(input), sum(output) FROM usage").fetchone()
    finally:
        db.close()


def totals(sessions):
    return tuple(sum(s[k] for s in sessions) for k in ("requests", "input_tokens", "output_tokens"))


class LogFile:
    """A log-subscriber that runs all the time, and what it wrote."""

    def __init__(self, broker):
        self.path = broker.dir / "events.log"
        self.process = broker.start("log-subscriber", "--file", self.path)
        state = Path(broker.dir) / "state" / "agentbus" / "log-subscriber.state"
        wait(lambda: state.exists() and state.read_bytes()[:15] == b"agentbus-cursor", PATIENCE, self.process.stderr)

    def up_to(self, seq):
        mark = f'"seq":{seq},'.encode()
        wait(lambda: mark in self.path.read_bytes()[-100000:], 3 * PATIENCE, lambda: f"no {mark} in the log; {self.process.stderr()}")
        return [json.loads(line) for line in self.path.read_text().splitlines()]


class Ends(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        self.broker = self.enterContext(Broker(*ROOM))
        self.boot = self.broker.boot_id()
        self.follower = Follower(self.broker).told("connected")
        self.panel = Panel(self.broker)
        self.panel.wait_for(lambda p: p["connected"])
        self.log = LogFile(self.broker)
        self.clients = Clients(self.broker, 1 if SANITIZED else 2)

    def kill_while_it_starts(self):
        """Ends another life before it is known to have begun."""
        self.broker.launch_daemon()
        time.sleep(self.random.random() * (0.3 if SANITIZED else 0.04))  # the moment itself is what is random
        self.broker.kill()

    def check_all(self):
        """When nobody sends any more: everybody knows the same, and it is what was sent."""
        seq = newest_seq(self.broker)
        replay = Follower(self.broker, "--since", "0")
        for name, follower in (("follower", self.follower), ("replay", replay)):
            follower.up_to(seq, 6 * PATIENCE)
            self.assertEqual(follower.holes()[::2], ([], 0), name)
        log = self.log.up_to(seq)
        self.check_requests({
            "replay": [(e.seq, e.details["request_id"]) for e in replay.seen if e.kind == "api_request"],
            "follower": [(e.seq, e.details["request_id"]) for e in self.follower.seen if e.kind == "api_request"],
            "log": [(e["seq"], e["request_id"]) for e in log if e["event"] == "api_request"],
        })
        numbers = [e.seq for e in replay.seen if e.seq]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertEqual({e.boot for e in replay.seen if e.seq}, {self.boot})
        self.assertEqual([e["event"] for e in log if e["event"] == "gap"], [])
        self.assertEqual([e["seq"] for e in log], numbers)
        self.clients.check()
        sessions = self.broker.status()["sessions"]
        self.assertEqual({s["id"]: figures(s) for s in sessions}, self.follower.sessions)
        self.panel.shows(sessions)
        return sessions

    def check_requests(self, seen):
        """Of each of those who saw: the requests that were acknowledged, under the same numbers as the others."""
        wrong = [f"SEED={SEED}"]
        for name, pairs in seen.items():
            try:
                self.clients.check_ids([i for _, i in pairs if not i.startswith("req_")], name)
            except AssertionError as e:
                wrong.append(str(e))
        numbered = {name: dict(pairs) for name, pairs in seen.items()}
        for name in ("follower", "log"):
            other = {s: (i, numbered["replay"].get(s)) for s, i in numbered[name].items() if numbered["replay"].get(s) != i}
            if other:
                wrong.append(f"{name}: seq -> (what it saw, what is stored) {dict(list(other.items())[:5])}")
        self.assertEqual(wrong[1:], [], wrong[0])

    def check_after_the_end(self, sessions):
        """The same once more, from the files alone and by a broker that has just read them."""
        self.broker.stop()
        self.assertEqual(usage(self.broker), totals(sessions))
        self.broker.start_daemon()
        self.assertEqual(self.broker.boot_id(), self.boot)
        self.assertEqual({s["id"]: figures(s) for s in self.broker.status()["sessions"]}, {s["id"]: figures(s) for s in sessions})

    def test_kill_9_under_load(self):
        counted, ready, served = {}, [], []
        with self.clients as clients:
            for life in range(KILLS):
                clients.wait_more(self.random.randrange(1, 200))
                time.sleep(self.random.random() * 0.01)  # the moment itself is what is random
                self.broker.kill()
                if self.random.random() < 0.2:
                    self.kill_while_it_starts()
                begin = time.monotonic()
                self.broker.start_daemon()
                ready.append(time.monotonic() - begin)
                clients.wait_more(1)
                served.append(time.monotonic() - begin)
                self.assertEqual(self.broker.boot_id(), self.boot)
                now = clients.check()
                back = {s: (n, now[s]) for s, n in counted.items() if now[s] < n}
                self.assertEqual(back, {}, f"life {life}, SEED={SEED}")
                counted = now
        sessions = self.check_all()
        extra = totals(sessions)[0] - 1 - clients.total()  # 1: newest_seq()
        print(f"kills: {KILLS}, SEED={SEED}; {clients.total()} requests acknowledged, {clients.total('unanswered')} unanswered, of these "
              f"{extra} counted; restart to ready "
              f"{1000 * sum(ready) / len(ready):.0f} ms (worst {1000 * max(ready):.0f}), to the first answer "
              f"{1000 * sum(served) / len(served):.0f} ms (worst {1000 * max(served):.0f}); peak RSS {self.broker.daemon.peak_rss() >> 10} KB")
        self.check_after_the_end(sessions)

    def test_sigterm_under_load(self):
        with self.clients as clients:
            for _ in range(3 if SANITIZED else 6):
                clients.wait_more(self.random.randrange(50, 200))
                self.broker.stop()
                self.broker.start_daemon()
                self.assertEqual(self.broker.boot_id(), self.boot)
                clients.check()
                clients.wait_more(1)
        sessions = self.check_all()
        print(f"sigterm: {clients.total()} requests acknowledged, {clients.total('unanswered')} unanswered, {clients.total('refused')} refused")
        self.check_after_the_end(sessions)

    def test_kill_9_and_at_once_a_clean_end(self):
        """A life that only tidies up what the last one left."""
        with self.clients as clients:
            clients.wait_more(100)
        self.broker.kill()
        self.broker.start_daemon()
        sessions = self.check_all()
        self.check_after_the_end(sessions)


if __name__ == "__main__":
    unittest.main()
