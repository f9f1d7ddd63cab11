"""The bus under stress: crashes, storms, subscribers that stop, come late or lose their broker, and load."""
import collections
import os
import signal
import socket
import stat
import time
import unittest

import otlp
from followers import Follower, Panel, figures, newest_seq
from harness import PATIENCE, Broker

# What runs beside these tests would change what they measure.
ALONE = True

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
LOAD_SECONDS = float(os.environ.get("LOAD_SECONDS", "5"))
STALL_SECONDS = float(os.environ.get("STALL_SECONDS", "10"))
STALL_EVENTS = int(os.environ.get("STALL_EVENTS", "20000" if SANITIZED else "100000"))


class OneBroker(unittest.TestCase):
    def test_second_broker_refuses(self):
        with Broker() as broker:
            done = broker.run("agentbusd", "--listen", "127.0.0.1:0")
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^agentbusd: .*(another|already|runs)")
            self.assertEqual(broker.post("/v1/logs", otlp.claude(otlp.claude_request("first"))).status, 200)
            self.assertIn("first", broker.sessions())

    def test_sockets_left_by_a_crash_do_not_matter(self):
        with Broker() as broker:
            for n in range(3):
                broker.kill()
                self.assertTrue((broker.runtime / "events").exists())
                broker.start_daemon()
                broker.post("/v1/logs", otlp.claude(otlp.claude_request(f"life-{n}")))
                self.assertEqual(sorted(broker.sessions()), [f"life-{m}" for m in range(n + 1)])

    def test_a_file_that_is_no_socket_is_left_alone(self):
        with Broker(start=False) as broker:
            broker.runtime.mkdir(mode=0o700)
            (broker.runtime / "events").write_text("mine")
            done = broker.run("agentbusd", "--listen", "127.0.0.1:0")
            self.assertEqual(done.returncode, 1)
            self.assertIn("events", done.stderr)
            self.assertEqual((broker.runtime / "events").read_text(), "mine")

    def test_open_runtime_directory_is_closed(self):
        with Broker(start=False) as broker:
            broker.runtime.mkdir()
            broker.runtime.chmod(0o777)
            broker.start_daemon()
            self.assertEqual(stat.S_IMODE(broker.runtime.stat().st_mode), 0o700)

    def test_directory_that_is_a_file_is_refused(self):
        with Broker(start=False) as broker:
            broker.runtime.write_text("")
            done = broker.run("agentbusd", "--listen", "127.0.0.1:0")
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(broker.runtime), done.stderr)

    def test_path_too_long_for_a_socket(self):
        with Broker(start=False) as broker:
            directory = broker.dir / ("x" * 100)
            done = broker.run("agentbusd", "--listen", "127.0.0.1:0", "--runtime-dir", directory)
            self.assertEqual(done.returncode, 1)
            self.assertIn("long", done.stderr)


class Storms(unittest.TestCase):
    def test_subscribers_come_and_go(self):
        """Twenty at a time, killed without a word, while events pass: the broker neither leaks nor stumbles."""
        load = otlp.Load(records=5, sessions=20)
        with Broker("--core-dumps") as broker:  # else only root may look at its descriptors
            steady = Follower(broker).told("connected")
            counts = []

            def descriptors():
                return len(os.listdir(f"/proc/{broker.pid}/fd"))
            for _ in range(4):
                watches = [broker.watch(ready=False) for _ in range(10 if SANITIZED else 20)]
                for _ in range(200):
                    broker.post("/v1/logs", load.next()[1])
                for watch in watches:
                    watch.kill()
                    broker.processes.remove(watch)
                broker.sessions()
                counts.append(descriptors())
            # nng 1.5.2 keeps the descriptors of peers that met a listener which it had given up.
            if "listening anew" not in broker.daemon.stderr():
                self.assertLess(max(counts) - counts[0], 15, counts)
            steady.up_to(newest_seq(broker))
            unexplained, seen, lost = steady.holes()
            self.assertEqual(unexplained, [])
            self.assertEqual(lost, 0)
            self.assertGreaterEqual(seen, 4 * 200 * 5)

    def test_strangers_at_the_sockets(self):
        """Whoever connects and sends rubbish is only a stranger."""
        greeting = {"events": b"\0SP\0\0\x21\0\0", "query": b"\0SP\0\0\x30\0\0"}
        with Broker() as broker:
            for name, good in greeting.items():
                for data in (b"", b"\0" * 64, b"GET / HTTP/1.1\r\n\r\n", good, good + b"\x01" + b"\xff" * 8,
                             good + b"\x01" + (100).to_bytes(8, "big") + b"\x80\0\0\1" + b"x" * 96):
                    with socket.socket(socket.AF_UNIX) as s:
                        s.settimeout(PATIENCE)
                        s.connect(str(broker.runtime / name))
                        s.recv(8)
                        try:
                            s.sendall(data)
                        except OSError:
                            pass
            broker.post("/v1/logs", otlp.claude(otlp.claude_request("fine")))
            self.assertIn("fine", broker.sessions())
            watch = broker.watch()
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("fine")))
            watch.wait_for(lambda e: e["kind"] == "prompt")

    def test_strangers_that_leave_at_once(self):
        """nng 1.5.2 does not get over a connection that closes before its greeting, and spins: the broker listens anew."""
        with Broker() as broker:
            for name in ("events", "query") * 5:
                with socket.socket(socket.AF_UNIX) as s:
                    s.connect(str(broker.runtime / name))
            give_up = time.monotonic() + PATIENCE
            while broker.run("agentbus", "status", "--timeout", "1").returncode != 0:
                self.assertLess(time.monotonic(), give_up, "the query socket is dead")
            watch = broker.watch()
            # The events socket is mended, too, with the CPU time that this takes at the latest.
            for n in range(10000):
                broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("fine")))
                if any(e["kind"] == "prompt" for e in watch.events):
                    break
            watch.wait_for(lambda e: e["kind"] == "prompt")


class Stalled(unittest.TestCase):
    def send_events(self, broker, load, count, until=0.0):
        """Posts so many events, and goes on until the time is up."""
        begin = time.monotonic()
        sent = 0
        while sent < count or time.monotonic() - begin < until:
            self.assertEqual(broker.post("/v1/logs", load.next()[1]).status, 200)
            sent += load.records
            if sent >= count:
                time.sleep(min(0.05, max(0.0, until - (time.monotonic() - begin))))
        return sent

    def stall(self, *options):
        """A steady, a stopped and a late subscriber; gives what each saw: (unexplained holes, seen, lost)."""
        load = otlp.Load(records=10)
        with Broker("--quiet-after", "1h", *options) as broker:
            steady, stopped = Follower(broker).told("connected"), Follower(broker).told("connected")
            panel = Panel(broker)
            panel.wait_for(lambda p: p["connected"])
            self.send_events(broker, load, 1000)
            for process in (stopped.process, panel.process):
                process.send(signal.SIGSTOP)
            sent = self.send_events(broker, load, STALL_EVENTS, STALL_SECONDS)
            late, late_panel = Follower(broker), Panel(broker)
            late.told("connected")
            for process in (stopped.process, panel.process):
                process.send(signal.SIGCONT)
            self.send_events(broker, load, 1000)
            seq = newest_seq(broker)
            for follower in (steady, stopped, late):
                follower.up_to(seq, 3 * PATIENCE)
            sessions = broker.status()["sessions"]
            self.assertEqual(sum(s["requests"] for s in sessions), sent + 2001)
            self.assertEqual(steady.sessions, {s["id"]: figures(s) for s in sessions})
            panel.shows(sessions)
            late_panel.shows(sessions)
            return steady.holes(), stopped.holes(), late.holes(), sent

    def test_what_the_journal_holds_is_given_back(self):
        steady, stopped, late, sent = self.stall("--journal-size", "512M")
        for who, (unexplained, seen, lost) in (("steady", steady), ("stopped", stopped)):
            self.assertEqual((unexplained, lost), ([], 0), who)
            self.assertGreaterEqual(seen, sent + 2000, who)
        self.assertEqual(late[0], [])

    def test_what_the_journal_no_longer_holds_is_told(self):
        steady, stopped, late, sent = self.stall("--journal-size", "1M", "--history-size", "64K")
        for who, (unexplained, _, _) in (("steady", steady), ("stopped", stopped), ("late", late)):
            self.assertEqual(unexplained, [], who)
        self.assertGreaterEqual(stopped[1] + stopped[2], sent + 2000)
        if not SANITIZED:  # then they are too few to overflow nng's buffers
            self.assertGreater(stopped[2], 0)


class Restarted(unittest.TestCase):
    """Three lives of a broker, of which two end by kill -9 with requests just answered."""

    def live_three_times(self, *options):
        """Gives what three followers saw, and how many requests were counted as sent."""
        load = otlp.Load(records=10, sessions=20)
        with Broker("--quiet-after", "1h", *options) as broker:
            followers = [Follower(broker).told("connected") for _ in range(3)]
            panel = Panel(broker)
            panel.wait_for(lambda p: p["connected"])
            sent = 0
            for life in range(3):
                for _ in range(200):
                    self.assertEqual(broker.post("/v1/logs", load.next()[1]).status, 200)
                seq = newest_seq(broker)
                sent += 2001
                for follower in followers:
                    follower.up_to(seq)
                panel.shows(broker.status()["sessions"])
                if life == 2:
                    break
                for _ in range(100):
                    self.assertEqual(broker.post("/v1/logs", load.next()[1]).status, 200)
                sent += 1000
                broker.kill()
                panel.wait_for(lambda p: not p["connected"])
                for follower in followers:
                    follower.told("disconnected", life + 1)
                broker.start_daemon()
                panel.wait_for(lambda p: p["connected"])
                for follower in followers:
                    follower.told("connected", life + 2)
            for follower in followers:
                unexplained, _, _ = follower.holes()
                self.assertEqual(unexplained, [])
            return [f.seen for f in followers], sent

    def test_nothing_is_lost(self):
        """One counter, and every request that was answered is an event, exactly once, for everybody."""
        seen, sent = self.live_three_times()
        for events in seen:
            numbers = [e.seq for e in events if e.seq]
            self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
            self.assertEqual(len({e.boot for e in events if e.seq}), 1)
            self.assertEqual([e.kind for e in events if e.kind == "gap"], [])
            self.assertEqual(sum(e.kind == "api_request" for e in events), sent)

    def test_in_memory_what_is_lost_is_told(self):
        for events in self.live_three_times("--memory")[0]:
            self.check_ends(events)

    def check_ends(self, events):
        """200 requests and the marker were known to have arrived, 100 more were sent before each kill: seen, or told lost."""
        requests = collections.Counter(e.boot for e in events if e.kind == "api_request")
        boots = list(dict.fromkeys(e.boot for e in events if e.seq))
        self.assertEqual(len(boots), 3)
        for boot in boots[:2]:
            told = any(e.kind == "gap" and e.details["boot_id"] == boot for e in events)
            self.assertTrue(requests[boot] == 3001 or told, f"{requests[boot]} of 3001 requests, and no gap")

    def test_started_before_the_broker(self):
        with Broker(start=False) as broker:
            broker.runtime.mkdir(mode=0o700)
            follower = Follower(broker)
            panel = Panel(broker)
            panel.wait_for(lambda p: not p["connected"])
            broker.start_daemon()
            follower.told("connected")
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("early")))
            follower.told("prompt")
            panel.wait_for(lambda p: [s["id"] for s in p["sessions"]] == ["early"])


class LoadTest(unittest.TestCase):
    def test_ten_subscribers_hundred_sessions_thousand_requests_a_second(self):
        rate, load = (200 if SANITIZED else 1000), otlp.Load(records=1, sessions=100)
        with Broker("--quiet-after", "1h") as broker:
            followers = [Follower(broker) for _ in range(10)]
            for follower in followers:
                follower.told("connected")
            for _ in range(len(load.sessions) * 20):
                broker.post("/v1/logs", load.next()[1])
            before, begin, sent = broker.rss(), time.monotonic(), 0
            while (elapsed := time.monotonic() - begin) < LOAD_SECONDS:
                if sent < elapsed * rate:
                    self.assertEqual(broker.post("/v1/logs", load.next()[1]).status, 200)
                    sent += 1
                else:
                    time.sleep(0.0005)
            reached = sent / (time.monotonic() - begin)
            after = broker.rss()
            seq = newest_seq(broker)
            for follower in followers:
                follower.up_to(seq, 3 * PATIENCE)
                unexplained, seen, lost = follower.holes()
                self.assertEqual((unexplained, lost), ([], 0))
                self.assertGreaterEqual(seen, load.count)
            self.assertEqual(sum(s["requests"] for s in broker.status()["sessions"]), load.count + 1)
            print(f"load: {reached:.0f} requests/s for {LOAD_SECONDS:g} s, resident {before >> 10} -> {after >> 10} KB, "
                  f"{broker.daemon.cpu_seconds():.1f} s CPU in all")
            if not SANITIZED:
                self.assertGreater(reached, 0.9 * rate)
                # The journal fills up to its limit of 12 MiB (and 1/16 for its index); nothing else may grow.
                self.assertLess(after - before, 18 << 20)


if __name__ == "__main__":
    unittest.main()
