"""The database in trouble: a full disk, a file that is none of ours, a directory that cannot be written, and what comes after."""
import hashlib
import os
import random
import re
import resource
import select
import shutil
import socket
import sqlite3
import subprocess
import time
import unittest
from pathlib import Path

import h2
import otlp
from followers import Follower, figures, newest_seq, wait
from harness import JSON, PATIENCE, Broker, Process
from ledger import UNAVAILABLE, Clients

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
OUTAGE = float(os.environ.get("FAULT_SECONDS", "0"))  # how long the disk is full at least
SESSIONS = int(os.environ.get("FAULT_SESSIONS", "2000" if SANITIZED else "10000"))
APPLICATION_ID = 0x61676273
VERSION = 5
NOT_WRITTEN = "the broker cannot write its database; try again"
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)

# The first schema, as it was.
VERSION_1 = """
PRAGMA application_id = 1634165363;
CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE sessions (provider TEXT NOT NULL, id TEXT NOT NULL, changed INTEGER NOT NULL, record BLOB NOT NULL, PRIMARY KEY (provider, id));
CREATE TABLE journal (first INTEGER NOT NULL PRIMARY KEY, last INTEGER NOT NULL, time INTEGER NOT NULL, start INTEGER NOT NULL,
 events BLOB NOT NULL);
PRAGMA user_version = 1;
"""


class StoreBroker(Broker):
    """A broker whose database can be looked at. `namespace` is shell text that is run before it, in a mount namespace of its own."""

    def __init__(self, *args, namespace=None, **kwargs):
        self.namespace = namespace
        super().__init__("--quiet-after", "1h", "--core-dumps", *args, **kwargs)

    @property
    def state(self):
        return self.dir / "state" / "agentbus"

    @property
    def database(self):
        return self.state / "agentbus.db"

    def start(self, name, *args, kind=Process, stdout=None, env=None):
        if name != "agentbusd" or not self.namespace:
            return super().start(name, *args, kind=kind, stdout=stdout, env=env)
        stderr = self.dir / f"{len(self.processes)}-{name}.stderr"
        script = f"{self.namespace.format(state=self.state)} && exec \"$@\""
        argv = [*unshare(), "sh", "-c", script, "sh", self.program(name), *args]
        process = kind(argv, self.env, stderr, stdout, cwd=self.dir)
        self.processes.append(process)
        return process

    def said(self):
        return self.daemon.stderr()

    def wait_said(self, text, times=1, timeout=2 * PATIENCE):
        wait(lambda: self.said().count(text) >= times, timeout, lambda: f"not said {times} times: {text}; but {self.said()}")

    def send(self, session, n=None):
        """One request; gives the answer. n is what makes its id its own."""
        request_id = f"{session}-{n if n is not None else time.monotonic_ns()}"
        return self.post(otlp.LOGS, otlp.claude(otlp.claude_request(session, request_id=request_id)))

    def wait_accepted(self, session):
        """Sends until that is accepted; gives the seconds that it took."""
        begin = time.monotonic()
        wait(lambda: self.send(session).status == 200, 2 * PATIENCE, self.said)
        return time.monotonic() - begin

    def limit_files(self):
        """From now on no file of the broker's grows: a full disk that can be made without one."""
        size = (self.state / "agentbus.db-wal").stat().st_size
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def unlimit_files(self):
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, UNLIMITED)

    def counted(self):
        return {s["id"]: s["requests"] for s in self.status()["sessions"]}


def unshare():
    """How a program gets mounts of its own here; skips the test where it cannot."""
    argv = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
    if not shutil.which("unshare") or subprocess.run([*argv, "sh", "-c", "mount -t tmpfs none /mnt"], capture_output=True).returncode != 0:
        raise unittest.SkipTest("no mounts of one's own here")
    return argv


class StoreTest(unittest.TestCase):
    def assert_refused(self, broker):
        """By all ways in, with the reason, and when to come back; those who only look are served."""
        for encode, headers in ((otlp.logs, None), (otlp.logs_json, JSON)):
            answer = broker.post(otlp.LOGS, otlp.claude(otlp.claude_request("refused", request_id="refused"), encode=encode), headers)
            self.assertEqual(answer.status, 503, answer)
            self.assertEqual(answer.headers["retry-after"], "5")
            self.assertIn(NOT_WRITTEN.encode(), answer.body)
        with h2.Connection(broker.port) as c:
            status = c.export(h2.LOGS, otlp.claude(otlp.claude_request("refused", request_id="refused")))
        self.assertEqual((status.grpc_status, status.message), (UNAVAILABLE, NOT_WRITTEN))
        self.assertEqual(h2.retry_seconds(status.details), 5)
        health = broker.get("/healthz")
        self.assertIn(NOT_WRITTEN.encode(), health.body)
        self.assertNotIn("refused", broker.sessions())

    def assert_well(self, broker):
        self.assertIn(b'"status":"ok"', broker.get("/healthz").body)

    def assert_trouble_said(self, broker, pattern, consequence):
        """What is wrong, in one line, once; and what that means."""
        lines = broker.said().splitlines()
        self.assertEqual(sum(bool(re.search(pattern, line)) for line in lines), 1, lines)
        self.assertEqual(sum(consequence in line for line in lines), 1, lines)

    def assert_same_after_a_crash(self, broker):
        before = {s["id"]: figures(s) for s in broker.status()["sessions"]}
        broker.kill()
        broker.start_daemon()
        self.assertEqual({s["id"]: figures(s) for s in broker.status()["sessions"]}, before)


class FullDisk(StoreTest):
    def test_durable(self):
        with StoreBroker() as broker:
            follower = Follower(broker).told("connected")
            accepted = sum(broker.send("before").status == 200 for _ in range(50))
            broker.limit_files()
            while broker.send("until").status == 200:
                accepted += 1
                self.assertLess(accepted, 10000)
            begin = time.monotonic()
            self.assert_trouble_said(broker, r"error: .*agentbus\.db: cannot write: .*disk", "telemetry is refused until")
            self.assert_refused(broker)
            late = Follower(broker, "--since", "0").told("api_request", accepted)
            self.assertEqual(len([e for e in late.read() if e.kind == "api_request"]), accepted)
            # Nothing happens while it cannot be written: no time passes for sessions, and nobody is told anything.
            self.assertEqual(sum(broker.counted().values()), accepted)
            while time.monotonic() - begin < OUTAGE:
                self.assertEqual(broker.send("refused").status, 503)
                time.sleep(0.5)  # a rate, not a wait
            broker.unlimit_files()
            took = broker.wait_accepted("after")
            accepted += 1
            # As soon as refused clients come back.
            self.assertLess(took, 5 + PATIENCE / 4)
            self.assertEqual(sum(broker.counted().values()), accepted)
            self.assert_well(broker)
            seq = newest_seq(broker)
            for f in (follower, late):
                self.assertEqual(f.up_to(seq).holes()[::2], ([], 0))
                self.assertEqual(sum(e.kind == "api_request" for e in f.seen), accepted + 1)
            self.assert_same_after_a_crash(broker)
            print(f"full disk: well again {took:.1f} s after there was room, of {time.monotonic() - begin:.0f} s")

    def test_durable_under_load(self):
        """Several times, with requests of all ways in flight: what was refused counts nowhere, what was accepted counts once."""
        with StoreBroker() as broker, Clients(broker, 1) as clients:
            follower = Follower(broker).told("connected")
            for _ in range(2 if SANITIZED else 3):
                clients.wait_more(50)
                broker.limit_files()
                clients.wait_more(10, "refused")
                clients.check()
                broker.unlimit_files()
                clients.wait_more(50, timeout=2 * PATIENCE)
            clients.stop()
            self.assertEqual(clients.total("unanswered"), 0)
            counted = clients.check()
            self.assertEqual(counted, {c.session: len(c.acknowledged) for c in clients.all})
            replay = Follower(broker, "--since", "0")
            follower.up_to(newest_seq(broker))
            replay.up_to(newest_seq(broker))
            for f, name in ((follower, "follower"), (replay, "replay")):
                self.assertEqual(f.holes()[::2], ([], 0), name)
            clients.check_ids([e.details["request_id"] for e in replay.seen if e.kind == "api_request" and e.details["request_id"][:4] != "req_"],
                              "replay")
            self.assert_same_after_a_crash(broker)
            print(f"full disk under load: {clients.total()} accepted, {clients.total('refused')} refused")

    def test_not_durable(self):
        with StoreBroker("--durable", "no") as broker:
            follower = Follower(broker).told("connected")
            for n in range(50):
                self.assertEqual(broker.send("before", n).status, 200)
            broker.limit_files()
            sent = 0
            while "going on in memory" not in broker.said():
                self.assertEqual(broker.send("during", sent).status, 200)
                sent += 1
                self.assertLess(sent, 10000)
            for n in range(100):
                self.assertEqual(broker.send(f"memory-{n % 7}", n).status, 200)
            self.assertEqual(sum(broker.counted().values()), 150 + sent)
            follower.told("api_request", 150 + sent)
            broker.unlimit_files()
            broker.wait_said("the database can be written again")
            self.assertEqual(broker.send("after").status, 200)
            seq = newest_seq(broker)
            self.assertEqual(follower.up_to(seq).holes()[::2], ([], 0))
            want = {s["id"]: figures(s) for s in broker.status()["sessions"]}
            self.assertEqual(sum(broker.counted().values()), 152 + sent)
            broker.stop()
            broker.start_daemon()
            self.assertEqual({s["id"]: figures(s) for s in broker.status()["sessions"]}, want)
            replay = Follower(broker, "--since", "0").up_to(newest_seq(broker))
            self.assertEqual(sum(e.kind == "api_request" for e in replay.seen), 153 + sent)

    def test_not_durable_and_killed(self):
        """What was only in memory is gone, and whoever had seen it is told by a new boot_id."""
        with StoreBroker("--durable", "no") as broker:
            boot = broker.boot_id()
            follower = Follower(broker).told("connected")
            for n in range(50):
                self.assertEqual(broker.send("before", n).status, 200)
            broker.limit_files()
            for n in range(100):
                self.assertEqual(broker.send("during", n).status, 200)
            follower.told("api_request", 150)
            self.assertIn("going on in memory", broker.said())
            broker.kill()
            broker.start_daemon()
            self.assertNotEqual(broker.boot_id(), boot)
            counted = broker.counted()
            self.assertGreaterEqual(counted["before"], 49)  # the last one may have been answered before it was to be stored
            self.assertLess(counted.get("during", 0), 100)
            follower.told("connected", 2).up_to(newest_seq(broker))
            self.assertEqual(follower.holes()[0], [])

    def test_disk_that_is_really_full(self):
        namespace = "mkdir -p {state} && mount -t tmpfs -o size=1m,mode=700 none {state}"
        with StoreBroker(namespace=namespace) as broker:
            inside = f"/proc/{broker.pid}/root{broker.state}"
            accepted = sum(broker.send("before").status == 200 for _ in range(20))
            with open(f"{inside}/filler", "wb", buffering=0) as filler:
                try:
                    while filler.write(b"x" * 4096):
                        pass
                except OSError:
                    pass
            while broker.send("until").status == 200:
                accepted += 1
                self.assertLess(accepted, 10000)
            self.assert_trouble_said(broker, r"error: .*agentbus\.db: cannot write: .*; (make room|check its disk)", "telemetry is refused until")
            self.assert_refused(broker)
            self.assertEqual(sum(broker.counted().values()), accepted)
            os.unlink(f"{inside}/filler")
            took = broker.wait_accepted("after")
            self.assertEqual(sum(broker.counted().values()), accepted + 1)
            self.assert_well(broker)
            print(f"full tmpfs: well again {took:.1f} s after there was room")


def make_garbage(broker):
    broker.database.write_bytes(random.Random(1).randbytes(20000))


def make_truncated(broker):
    with StoreBroker() as other:
        for n in range(300):
            other.send(f"s-{n}", n)
        other.stop()
        shutil.copy(other.database, broker.database)
    os.truncate(broker.database, broker.database.stat().st_size // 2)


def make_newer(broker):
    sql(broker.database, f"PRAGMA application_id = {APPLICATION_ID}; CREATE TABLE future (x); PRAGMA user_version = {VERSION + 97};")


def make_foreign(broker):
    sql(broker.database, "CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup');")


def make_directory(broker):
    broker.database.mkdir()


def sql(path, text):
    db = sqlite3.connect(path)
    try:
        db.executescript(text)
        db.commit()
    finally:
        db.close()


# What is found at the start, and what is said of it.
TROUBLES = {
    "garbage": (make_garbage, r"error: .*agentbus\.db: cannot open: file is not a database; move it away, or start with --memory"),
    "truncated": (make_truncated, r"error: .*agentbus\.db: cannot (open|read|write): .*malformed.*; move it away"),
    "newer": (make_newer, rf"error: .*agentbus\.db is of a newer agentbusd \(its version is {VERSION + 97}, ours is {VERSION}\): run that one"),
    "foreign": (make_foreign, r"error: .*agentbus\.db is another application's database: move it away, or give --state-dir"),
    "a directory": (make_directory, r"error: .*agentbus\.db.*(directory|in the way)"),
}


class TroubleAtStart(StoreTest):
    def broken(self, make, *args, **kwargs):
        broker = self.enterContext(StoreBroker(*args, start=False, **kwargs))
        broker.state.mkdir(parents=True, mode=0o700)
        make(broker)
        return broker

    def contents(self, broker):
        return hashlib.sha256(broker.database.read_bytes()).hexdigest() if broker.database.is_file() else None

    def test_it_refuses_says_why_and_goes_on_when_that_is_away(self):
        for name, (make, said) in TROUBLES.items():
            with self.subTest(name):
                broker = self.broken(make)
                before = self.contents(broker)
                broker.start_daemon()
                self.assert_trouble_said(broker, said, "telemetry is refused until")
                self.assert_refused(broker)
                self.assertEqual(broker.status()["sessions"], [])
                self.assertEqual(self.contents(broker), before)  # whatever it is, it is left alone
                broker.database.rename(broker.dir / "away")
                broker.wait_accepted("after")
                self.assert_well(broker)
                self.assert_same_after_a_crash(broker)

    def test_not_durable(self):
        for name, (make, said) in TROUBLES.items():
            with self.subTest(name):
                broker = self.broken(make, "--durable", "no")
                before = self.contents(broker)
                broker.start_daemon()
                self.assert_trouble_said(broker, said, "going on in memory until")
                watch = broker.watch()
                self.assertEqual(broker.send("in-memory").status, 200)
                watch.wait_for(lambda e: e["kind"] == "api_request" and e["session"]["id"] == "in-memory")
                self.assertEqual(broker.counted(), {"in-memory": 1})
                self.assertEqual(self.contents(broker), before)
                broker.database.rename(broker.dir / "away")
                broker.wait_said("the database can be written again")
                self.assert_same_after_a_crash(broker)
                self.assertEqual(broker.counted(), {"in-memory": 1})

    def test_memory(self):
        for name, (make, _) in TROUBLES.items():
            with self.subTest(name):
                broker = self.broken(make, "--memory")
                before = self.contents(broker)
                broker.start_daemon()
                self.assertEqual(broker.send("in-memory").status, 200)
                self.assertEqual(broker.counted(), {"in-memory": 1})
                broker.stop()
                self.assertEqual(self.contents(broker), before)
                self.assertEqual(os.listdir(broker.state), ["agentbus.db"])
                self.assertNotIn("database", broker.said())

    def test_memory_makes_no_directory(self):
        with StoreBroker("--memory") as broker:
            broker.send("in-memory")
            self.assertFalse(broker.state.exists())

    def test_removed_after_a_crash(self):
        """What its write-ahead log still held belongs to nothing any more."""
        with StoreBroker() as broker:
            boot = broker.boot_id()
            broker.send("gone")
            broker.kill()
            broker.database.unlink()
            self.assertGreater((broker.state / "agentbus.db-wal").stat().st_size, 0)
            broker.start_daemon()
            self.assertEqual(broker.counted(), {})
            self.assertNotEqual(broker.boot_id(), boot)
            self.assertEqual(broker.send("new").status, 200)
            self.assert_same_after_a_crash(broker)

    READ_ONLY = "mkdir -p {state} && mount --bind {state} {state} && mount -o remount,bind,ro {state}"

    def test_directory_that_cannot_be_written(self):
        with StoreBroker(namespace=self.READ_ONLY) as broker:
            self.assert_trouble_said(broker, r"error: .*state/agentbus.*(Read-only|cannot)", "telemetry is refused until")
            self.assert_refused(broker)
        with StoreBroker("--durable", "no", namespace=self.READ_ONLY) as broker:
            self.assertEqual(broker.send("in-memory").status, 200)
            self.assertEqual(broker.counted(), {"in-memory": 1})

    def test_database_that_cannot_be_written(self):
        """There is one, with sessions in it, and it has become read-only."""
        with StoreBroker() as broker:
            broker.send("before")
            broker.stop()
            broker.namespace = self.READ_ONLY
            broker.start_daemon()
            self.assert_trouble_said(broker, r"error: .*state/agentbus.*(Read-only|cannot|permissions)", "telemetry is refused until")
            self.assert_refused(broker)
            broker.stop()
            broker.namespace = None
            broker.start_daemon()
            self.assertEqual(broker.counted(), {"before": 1})

    def test_directory_of_another_user(self):
        if os.geteuid() != 0:
            self.skipTest("not root")
        broker = self.broken(lambda b: os.chown(b.state, 12345, 12345))
        broker.start_daemon()
        self.assert_trouble_said(broker, r"error: .*belongs to user 12345, not to us: give --state-dir", "telemetry is refused until")
        self.assert_refused(broker)

    def test_second_broker_on_the_same_state(self):
        with StoreBroker() as broker:
            broker.send("first")
            other = broker.dir / "other"
            done = broker.run("agentbusd", "--listen", "127.0.0.1:0", "--runtime-dir", other)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"another agentbusd (pid {broker.pid}) already serves {broker.state}", done.stderr)
            self.assertNotIn("ready", done.stdout)
            self.assertEqual(broker.send("first").status, 200)
            self.assertEqual(broker.counted(), {"first": 2})


class Asker:
    """Asks the query socket for the position, without a library in between that takes its time."""

    GREETING, POSITION = b"\0SP\0\0\x30\0\0", b"\x1a\0"  # Request.position

    def __init__(self, broker):
        self.asked = 0
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(broker.runtime / "query"))
        self.socket.sendall(self.GREETING)
        self.read(8)

    def read(self, n):
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            if not piece:
                raise ConnectionError("the query socket was closed")
            data += piece
        return data

    def seq(self):
        for _ in range(20):
            self.asked += 1
            body = (0x80000000 | self.asked).to_bytes(4, "big") + self.POSITION
            self.socket.sendall(b"\1" + len(body).to_bytes(8, "big") + body)
            # The broker drops an answer that nng cannot take at that moment: who asks, asks again.
            if select.select([self.socket], [], [], 0.5)[0]:
                answer = self.read(int.from_bytes(self.read(9)[1:], "big"))
                if answer[:4] == body[:4]:
                    return dict(h2.proto_fields(answer[4:]))[2]
        raise AssertionError("no answer to twenty questions")


class Answers(StoreTest):
    def test_what_is_told_is_stored(self):
        """Whatever number a query tells in the midst of a load: the database has it by then, or a crash could give it to another event."""
        with StoreBroker() as broker, Clients(broker, 2) as clients:
            clients.wait_more(50)
            asker, db = Asker(broker), sqlite3.connect(f"file:{broker.database}?mode=ro", uri=True, isolation_level=None)
            told = []
            for _ in range(500 if SANITIZED else 2000):
                seq = asker.seq()
                told.append((seq, db.execute("SELECT last FROM journal ORDER BY first DESC LIMIT 1").fetchone()[0]))
            db.close()
            asker.socket.close()
            clients.wait_more(50)
            self.assertGreater(told[-1][0], told[0][0])
            ahead = [t for t in told if t[0] > t[1]]
            self.assertEqual(ahead[:5], [], f"{len(ahead)} of {len(told)}")


class Migration(StoreTest):
    def test_version_1(self):
        with StoreBroker() as broker:
            for n in range(100):
                broker.send(f"s-{n % 10}", n)
            boot, want = broker.boot_id(), {s["id"]: figures(s) for s in broker.status()["sessions"]}
            broker.stop()
            newest = broker.dir / "newest.db"
            broker.database.rename(newest)
            sql(broker.database, VERSION_1 + f"ATTACH '{newest}' AS n; BEGIN;" + "".join(
                f"INSERT INTO {t} SELECT * FROM n.{t};" for t in ("meta", "sessions", "journal")) + "COMMIT;")
            broker.start_daemon()
            self.assertEqual(broker.boot_id(), boot)
            self.assertEqual({s["id"]: figures(s) for s in broker.status()["sessions"]}, want)
            self.assertEqual(broker.send("s-0").status, 200)
            replay = Follower(broker, "--since", "0").up_to(newest_seq(broker))
            self.assertEqual(sum(e.kind == "api_request" for e in replay.seen), 102)
            self.assertEqual([e.seq for e in replay.seen if e.seq], list(range(1, max(e.seq for e in replay.seen) + 1)))
            broker.stop()
            db = sqlite3.connect(broker.database)
            self.assertGreaterEqual(db.execute("PRAGMA user_version").fetchone()[0], VERSION)
            self.assertEqual(db.execute("SELECT sum(requests) FROM usage").fetchone()[0], 2)
            db.close()

    def test_interrupted_in_between(self):
        """A step is done or it is not: an empty file of ours is as good as none."""
        with StoreBroker(start=False) as broker:
            broker.state.mkdir(parents=True, mode=0o700)
            broker.database.touch()
            broker.start_daemon()
            self.assertEqual(broker.send("new").status, 200)
            self.assert_same_after_a_crash(broker)


class Log(StoreTest):
    """The write-ahead log, which a process of its own moves into the database."""

    def in_the_file(self, broker):
        """Requests of the day, by the database file alone."""
        copy = broker.dir / "copy.db"
        shutil.copy(broker.database, copy)
        with sqlite3.connect(copy) as db:
            try:
                return db.execute("SELECT sum(requests) FROM usage").fetchone()[0] or 0
            except sqlite3.DatabaseError:
                return 0  # copied while it was written
            finally:
                copy.unlink()

    def test_it_is_moved_when_it_is_quiet(self):
        load = otlp.Load(records=10)
        with StoreBroker("--quiet-after", "1h") as broker:
            for _ in range(300):
                self.assertEqual(broker.post(otlp.LOGS, load.next()[1]).status, 200)
            self.assertGreater((broker.dir / "state" / "agentbus" / "agentbus.db-wal").stat().st_size, 1 << 20)
            wait(lambda: self.in_the_file(broker) == 3000, PATIENCE, lambda: f"{self.in_the_file(broker)} of 3000 are in the file")
            children = f"/proc/{broker.pid}/task/{broker.pid}/children"
            wait(lambda: Path(children).read_text() == "", PATIENCE, lambda: "the process that did it is still there")
            self.assertEqual(broker.post(otlp.LOGS, load.next()[1]).status, 200)


class Many(StoreTest):
    def test_ten_thousand_sessions(self):
        load = otlp.Load(records=1, sessions=SESSIONS)
        with StoreBroker("--end-after", "24h") as broker:
            for _ in range(2 * SESSIONS):
                self.assertEqual(broker.post(otlp.LOGS, load.next()[1]).status, 200)
            rss, begin = broker.rss(), time.monotonic()
            want = {s["id"]: figures(s) for s in broker.status()["sessions"]}
            asked = time.monotonic() - begin
            self.assertEqual(len(want), SESSIONS)
            self.assertEqual({w[0] for w in want.values()}, {2})
            broker.kill()
            begin = time.monotonic()
            broker.start_daemon()
            ready = time.monotonic() - begin
            self.assertEqual({s["id"]: figures(s) for s in broker.status()["sessions"]}, want)
            print(f"{SESSIONS} sessions: status in {asked:.2f} s, resident {rss >> 10} KB, ready {ready:.2f} s after kill -9, "
                  f"then resident {broker.rss() >> 10} KB (peak {broker.daemon.peak_rss() >> 10}), database {broker.database.stat().st_size >> 10} KB")
            if not SANITIZED:
                self.assertLess(ready, 5)
                self.assertLess(broker.daemon.peak_rss(), 200 << 20)


if __name__ == "__main__":
    unittest.main()
