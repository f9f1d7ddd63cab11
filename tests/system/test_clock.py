"""The clock of the machine jumps by a day, forth and back, while the broker runs and between two of its lives (libfaketime)."""
import email.utils
import glob
import os
import subprocess
import time
import unittest

import otlp
from followers import Follower, figures, newest_seq
from harness import PATIENCE, Broker

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
DAY = 24 * 3600
QUIET = 2


def libfaketime():
    """Its path; skips the test where there is none, or it does not move the clock of a program."""
    if SANITIZED:
        raise unittest.SkipTest("not with sanitizers")
    for path in glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1") + glob.glob("/usr/lib*/faketime/libfaketimeMT.so.1"):
        env = {**os.environ, "LD_PRELOAD": path, "FAKETIME": "+30d", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        said = subprocess.run(["date", "+%s"], env=env, capture_output=True, text=True).stdout.strip()
        if said.isdigit() and int(said) > time.time() + DAY:
            return path
    raise unittest.SkipTest("no libfaketime")


class FakedBroker(Broker):
    """A broker whose wall clock is set by clock(); what the machine measures since its start goes on as ever."""

    def __init__(self, *args):
        self.preload = libfaketime()
        super().__init__("--quiet-after", f"{QUIET}s", "--idle-after", "1h", *args, start=False)
        self.offset = 0
        self.clock(0)
        self.start_daemon()

    def start(self, name, *args, kind=None, stdout=None, env=None):
        more = {"kind": kind} if kind else {}
        faked = {"LD_PRELOAD": self.preload, "FAKETIME_TIMESTAMP_FILE": str(self.dir / "clock"), "FAKETIME_NO_CACHE": "1",
                 "FAKETIME_DONT_FAKE_MONOTONIC": "1"} if name == "agentbusd" else {}
        return super().start(name, *args, stdout=stdout, env={**faked, **(env or {})}, **more)

    def clock(self, offset):
        """Sets the wall clock to so many seconds after the real one."""
        self.offset = offset
        new = self.dir / "clock.new"
        new.write_text(f"{offset:+d}\n")
        new.rename(self.dir / "clock")

    def date(self):
        """What its answers say that it is, in seconds since the epoch."""
        return email.utils.parsedate_to_datetime(self.get("/healthz").headers["date"]).timestamp()

    def now(self):
        """What a CLI on the same machine would say."""
        return time.time_ns() + self.offset * 10**9

    def send_prompt(self, session):
        self.post(otlp.LOGS, otlp.claude(otlp.claude_prompt(session, at=self.now())))

    def send_request(self, session):
        self.post(otlp.LOGS, otlp.claude(otlp.claude_request(session, at=self.now(), request_id=f"{session}-{time.monotonic_ns()}")))


class Jumps(unittest.TestCase):
    def turn(self, broker, watch, session, before_the_end=None):
        """A whole turn, which silence ends: neither at once nor never. Gives the seconds of silence."""
        start = len(watch.events)

        def became(state):
            return lambda e: e["kind"] in ("state_changed", "session_started") and e["session"]["id"] == session and e["session"]["state"] == state
        broker.send_prompt(session)
        watch.wait_for(became("working"), start=start)
        broker.send_request(session)
        begin = time.monotonic()
        if before_the_end:
            before_the_end()
        self.assertEqual(broker.sessions()[session]["state"], "working")
        watch.wait_for(became("completed"), timeout=QUIET + PATIENCE, start=start)
        took = time.monotonic() - begin
        self.assertGreater(took, QUIET - 0.5)
        return took

    def test_while_it_runs(self):
        with FakedBroker() as broker:
            watch = broker.watch()
            took = [self.turn(broker, watch, "before")]
            for name, offset in (("forth", DAY), ("back", 0), ("further back", -DAY), ("and forth again", DAY)):
                # In the middle of a turn, with a timer that runs.
                took.append(self.turn(broker, watch, name, lambda offset=offset: broker.clock(offset)))
                # And a turn whose every record has the new time.
                self.assertAlmostEqual(broker.date() - time.time(), offset, delta=PATIENCE)  # it did jump
                took.append(self.turn(broker, watch, f"{name}, then"))
            self.assertEqual(watch.events[-1]["session"]["state"], "completed")
            numbers = [e["seq"] for e in watch.events if e["seq"]]
            self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
            self.assertLess(broker.daemon.cpu_seconds(), 5)
            print(f"clock: a turn of {QUIET} s of silence took {min(took):.1f} to {max(took):.1f} s")

    def test_header_timeout(self):
        """A connection without a word is closed when its time is up, and not before."""
        with FakedBroker("--header-timeout", "2s") as broker:
            for offset in (DAY, -DAY):
                begin = time.monotonic()
                connection = broker.connect()
                connection.connect()
                broker.clock(offset)
                broker.get("/healthz")  # the broker looks at its clock
                self.assertEqual(connection.sock.recv(1), b"")
                self.assertGreater(time.monotonic() - begin, 1.5)
                self.assertLess(time.monotonic() - begin, 2 + PATIENCE)
                connection.close()

    def restarted(self, offset):
        with FakedBroker() as broker:
            watch = broker.watch()
            self.turn(broker, watch, "over")
            broker.send_prompt("open")
            broker.send_request("open")
            before = {s["id"]: figures(s) for s in broker.status()["sessions"]}
            seq, boot = newest_seq(broker), broker.boot_id()
            broker.stop()
            broker.clock(offset)
            broker.start_daemon()
            self.assertEqual(broker.boot_id(), boot)
            self.assertAlmostEqual(broker.date() - time.time(), offset, delta=PATIENCE)
            now = {s["id"]: figures(s) for s in broker.status()["sessions"]}
            del now["marker"]
            if offset > 0:
                # The day has passed for it: idle-after is an hour.
                before["over"] = (*before["over"][:-1], "idle")
            self.assertEqual(now, before)
            # What was open ends by silence, as if nothing had happened.
            watch.wait_for(lambda e: e["session"] and e["session"]["id"] == "open" and e["session"]["state"] == "completed",
                           timeout=QUIET + PATIENCE)
            watch.wait_for(lambda e: e["kind"] == "connected", start=1)
            self.turn(broker, watch, "over")
            self.turn(broker, watch, "new")
            replay = Follower(broker, "--since", "0").up_to(newest_seq(broker))
            numbers = [e.seq for e in replay.seen if e.seq]
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
            self.assertGreater(len(numbers), seq)
            self.assertEqual(replay.holes()[::2], ([], 0))

    def test_restart_a_day_later(self):
        self.restarted(DAY)

    def test_restart_a_day_earlier(self):
        self.restarted(-DAY)


if __name__ == "__main__":
    unittest.main()
