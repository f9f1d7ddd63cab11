#!/usr/bin/env python3
"""Claude Code's session files: what the broker makes of them with neither hooks nor telemetry, and beside these."""
import json
import os
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

from harness import Broker, Sandbox
from test_emit import Ingest, emit, payload, states

WITHIN_S = 1 if os.environ.get("AGENTBUS_SANITIZED") else 0.1
KEY = "0" * 64 + ".key"


class Claude:
    """A process, and the file that says what it does."""

    def __init__(self, directory, session="s1"):
        self.process = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL)
        self.pid = self.process.pid
        self.path = Path(directory) / f"{self.pid}.json"
        ticks = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[19]
        self.member = {"pid": self.pid, "sessionId": session, "cwd": "/home/dev/shop", "startedAt": now_ms(), "procStart": ticks,
                       "kind": "interactive", "pidDomain": f"linux:0:{os.readlink('/proc/self/ns/pid')}"}

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def text(self, status=None, wait=None, at=None, **more):
        at = at or now_ms()
        self.member.pop("waitingFor", None)
        self.member.update({"status": status, "updatedAt": at, "statusUpdatedAt": at} if status else {})
        self.member.update({"waitingFor": wait} if wait else {}, **more)
        return json.dumps(self.member)

    def say(self, *args, **kw):
        """Writes in place, as Claude Code does."""
        self.path.write_text(self.text(*args, **kw))

    def replace(self, *args, **kw):
        other = self.path.with_suffix(".tmp")
        other.write_text(self.text(*args, **kw))
        other.rename(self.path)


def now_ms():
    return time.time_ns() // 1000000


def make(box, *below):
    path = box.dir.joinpath(".claude", "sessions", *below)
    path.mkdir(parents=True, mode=0o700)
    return path


def state(broker, session="s1"):
    # What was written before somebody asks is in the answer.
    return broker.sessions().get(session, {"state": None})["state"]


class Prepared(Broker):
    """With the directory there before it starts."""

    def __init__(self, *args, **kw):
        super().__init__(*args, start=False, **kw)
        self.files = make(self)
        self.start_daemon()


class Files(unittest.TestCase):
    def test_states_follow(self):
        steps = (("busy", None, "working"), ("waiting", "permission prompt", "waiting"), ("busy", None, "working"),
                 ("waiting", "input needed", "waiting"), ("busy", None, "working"), ("idle", None, "completed"), ("busy", None, "working"))
        with Prepared() as broker, Claude(broker.files) as claude:
            watch = broker.watch()
            claude.say()
            claude.say("idle")
            self.assertEqual(broker.sessions(), {}, "it was never asked anything")
            took = []
            for status, wait, want in steps:
                known = len(watch.events)
                begin = time.monotonic()
                (claude.replace if want == "waiting" else claude.say)(status, wait)
                watch.wait_for(lambda e: e["kind"] == "state_changed" and e["session"]["state"] == want, start=known)
                took.append(time.monotonic() - begin)
                claude.say(status, wait, at=claude.member["updatedAt"])  # once more
            session = broker.sessions()["s1"]
            self.assertEqual(states(watch, "s1"), [want for _, _, want in steps])
            self.assertEqual({e["evidence"] for e in watch.events if e["kind"] != "connected"}, {"told"})
            self.assertEqual([e["reason"] for e in watch.events if (e.get("session") or {}).get("state") == "waiting"],
                             ["permission", "question"])
        self.assertLess(sorted(took)[len(took) // 2], WITHIN_S, took)
        self.assertEqual((session["provider"], session["project"], session["pid"], session["prompts"]),
                         ("claude-code", "shop", claude.pid, 0))

    def test_clear_and_end(self):
        with Prepared() as broker, Claude(broker.files) as claude:
            watch = broker.watch()
            claude.say("busy")
            self.assertEqual(state(broker), "working")
            claude.say(sessionId="s2", updatedAt=now_ms())
            self.assertEqual(state(broker), "ended")
            claude.say("idle")
            self.assertEqual({i: s["state"] for i, s in broker.sessions().items()}, {"s1": "ended"}, "the new one was asked nothing")
            claude.say("busy")
            self.assertEqual(state(broker, "s2"), "working")
            claude.path.unlink()
            self.assertNotEqual(state(broker, "s2"), "ended", "it may only be gone for a moment")
            claude.say("idle")
            claude.kill()
            claude.path.unlink()
            watch.wait_for(lambda e: e["kind"] == "session_ended" and e["session"]["id"] == "s2")

    def test_a_menu_is_no_question(self):
        with Prepared() as broker, Claude(broker.files) as claude:
            claude.say("busy")
            self.assertEqual(state(broker), "working")
            claude.say("idle")
            self.assertEqual(state(broker), "completed")
            claude.say("waiting", "dialog open")
            self.assertEqual(state(broker), "completed")
            claude.say("idle")
            self.assertEqual(state(broker), "completed")
            claude.say("dreaming")
            self.assertEqual(state(broker), "completed")

    def test_written_piece_by_piece(self):
        with Prepared() as broker, Claude(broker.files) as claude:
            text = claude.text("busy").encode()
            with open(claude.path, "wb", buffering=0) as f:
                f.write(text[:50])
                self.assertEqual(state(broker), None)
                f.write(text[50:])
            self.assertEqual(state(broker), "working")
            claude.path.write_bytes(b"")
            claude.path.write_bytes(text[:-1])
            self.assertEqual(state(broker), "working")
            claude.say("idle")
            self.assertEqual(state(broker), "completed")


class Places(unittest.TestCase):
    def test_appears_later(self):
        for at_once in (False, True):
            with Broker() as broker, Claude(broker.dir / ".claude" / "sessions") as claude:
                if not at_once:
                    (broker.dir / "something").mkdir()
                    (broker.dir / ".claude").mkdir()
                    (broker.dir / ".claude" / "projects").mkdir()
                    broker.status()
                make(broker) if at_once else (broker.dir / ".claude" / "sessions").mkdir()
                claude.say("busy")
                self.assertEqual(state(broker), "working")

    def test_goes_and_comes_again(self):
        with Prepared() as broker, Claude(broker.files) as claude:
            claude.say("busy")
            self.assertEqual(state(broker), "working")
            for away in (lambda: shutil.rmtree(broker.files), lambda: shutil.rmtree(broker.files.parent),
                         lambda: broker.files.rename(broker.dir / "aside-1"), lambda: broker.files.parent.rename(broker.dir / "aside-2")):
                away()
                self.assertEqual(state(broker), "working")
                make(broker)
                claude.say("idle")
                self.assertEqual(state(broker), "completed")
                claude.say("busy")
                self.assertEqual(state(broker), "working")

    def test_another_directory(self):
        with Sandbox() as box:
            other = box.dir / "elsewhere"
            other.mkdir()
            for env, args, config, seen in (({"CLAUDE_CONFIG_DIR": str(box.dir)}, (), None, "sessions"),
                                            ({}, ("--session-files", str(other)), None, "elsewhere"),
                                            ({}, (), f"[claude]\nsession_files = {other}\n", "elsewhere")):
                directory = box.dir / seen
                directory.mkdir(exist_ok=True)
                with Broker(*args, env=env, config=config) as broker, Claude(directory) as claude:
                    claude.say("busy")
                    self.assertEqual(state(broker), "working", seen)

    def test_switched_off(self):
        for args, config in ((("--session-files", "no"), None), ((), "[claude]\nsession_files = off\n")):
            with Prepared(*args, config=config) as broker, Claude(broker.files) as claude:
                claude.say("busy")
                self.assertEqual(broker.sessions(), {})
        with Sandbox() as box:
            done = box.run("agentbusd", "--session-files", "maybe", "--check-config")
            self.assertIn("neither yes nor no nor an absolute path", done.stderr)

    def test_nothing_runs_meanwhile(self):
        with Prepared() as broker, Claude(broker.files) as claude:
            claude.say("busy")
            self.assertEqual(state(broker), "working")
            before = broker.daemon.cpu_seconds()
            time.sleep(1)  # that long nothing may happen
            self.assertLessEqual(broker.daemon.cpu_seconds() - before, 0.01)


class Odd(unittest.TestCase):
    def test_what_is_no_session(self):
        with Prepared() as broker, Claude(broker.files) as claude, Claude(broker.files, "s2") as linked, \
                Claude(broker.files, "s3") as huge, Claude(broker.files, "s4") as pipe:
            (broker.files / "1.json").write_text("garbage")
            (broker.files / "2.json").write_bytes(os.urandom(5000))
            (broker.files / "3.json").mkdir()
            (broker.files / f"{claude.pid}.{KEY}").write_text(claude.text("busy", sessionId="key"))
            (broker.files / "x.json").write_text(claude.text("busy", sessionId="named x"))
            (broker.files / f"{os.getpid()}.json").write_text(claude.text("busy", sessionId="another's name"))
            outside = broker.dir / "outside"
            outside.write_text(linked.text("busy"))
            linked.path.symlink_to(outside)
            huge.path.write_text(huge.text("busy") + " " * 70000)
            os.mkfifo(pipe.path)
            claude.say("busy", sessionId="s1")
            self.assertEqual(set(broker.sessions()), {"s1"})
            # As it finds them at its start, too.
            broker.stop()
            broker.start_daemon()
            self.assertEqual(set(broker.sessions()), {"s1"})

    @unittest.skipUnless(os.geteuid() == 0, "only root can be two users")
    def test_of_another_user(self):
        with Prepared() as broker, Claude(broker.files) as claude, Claude(broker.dir / "theirs", "s2") as other:
            claude.path.touch()
            os.chown(claude.path, 65534, 65534)
            claude.say("busy")
            self.assertEqual(broker.sessions(), {})
            os.chown(claude.path, 0, 0)
            claude.say("busy")
            self.assertEqual(set(broker.sessions()), {"s1"})
            broker.files.rename(broker.dir / "aside")
            broker.files.mkdir()
            os.chown(broker.files, 65534, 65534)
            other.path = broker.files / other.path.name
            other.say("busy")
            self.assertEqual(set(broker.sessions()), {"s1"})
            os.chown(broker.files, 0, 0)
            self.assertEqual(set(broker.sessions()), {"s1", "s2"})

    def test_old_files(self):
        with Broker(start=False) as broker:
            files = make(broker)
            with Claude(files, "dead") as dead, Claude(files, "reused") as reused, Claude(files, "container") as container, \
                    Claude(files) as alive:
                dead.say("busy")
                dead.kill()
                reused.say("busy", procStart="1")
                container.say("busy", pidDomain="linux:0:pid:[1]")
                alive.say("waiting", "permission prompt")
                broker.start_daemon()
                self.assertEqual({i: s["state"] for i, s in broker.sessions().items()}, {"s1": "waiting"})

    def test_hundreds(self):
        """Of processes that are gone, and more of such that run than have a place."""
        with Prepared() as broker, Claude(broker.files, "last") as last:
            for pid in range(1, 600):
                (broker.files / f"{4000000 + pid}.json").write_text(last.text("busy", pid=4000000 + pid, sessionId=f"old-{pid}"))
            last.member.update(pid=last.pid, sessionId="last")
            several = [Claude(broker.files, f"many-{i}") for i in range(300)]
            try:
                for claude in several:
                    claude.say("busy")
                self.assertGreaterEqual(len(broker.sessions()), 256)
                for claude in several[:100]:
                    claude.kill()
                last.say("busy")
                self.assertEqual(state(broker, "last"), "working")
                self.assertEqual([i for i in broker.sessions() if i.startswith("old-")], [])
            finally:
                for claude in several:
                    claude.kill()

    def test_more_events_than_the_system_keeps(self):
        limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
        if limit > 20000:
            self.skipTest("the system keeps many")
        with Prepared() as broker, Claude(broker.files) as claude:
            claude.say("busy")
            self.assertEqual(state(broker), "working")
            broker.daemon.send(signal.SIGSTOP)
            for i in range(limit // 2 + 100):
                for name in ("a", "b"):  # never two of the same: those are one
                    (broker.files / name).write_bytes(b"")
            claude.say("idle")
            broker.daemon.send(signal.SIGCONT)
            self.assertEqual(state(broker), "completed")


class Beside(unittest.TestCase):
    """Hooks and the file say the same, one some milliseconds before the other."""

    def test_hooks_in_both_orders(self):
        steps = (("UserPromptSubmit", {}, "busy", None, "working"),
                 ("PermissionRequest", {"tool_name": "Bash"}, "waiting", "permission prompt", "waiting"),
                 ("PostToolUse", {"tool_name": "Bash"}, "busy", None, "working"), ("Stop", {}, "idle", None, "completed"))
        for file_first in (True, False):
            for file_ms in (-15, 20):
                with Prepared() as broker, Claude(broker.files) as claude, Ingest(broker) as ingest:
                    watch = broker.watch()
                    at = now_ms() - 20000
                    for event, more, status, wait, want in steps:
                        at += 2000
                        if file_first:
                            claude.say(status, wait, at=at + file_ms)
                            broker.status()
                        ingest.send("claude", payload(event, **more), at * 1000000)
                        if not file_first:
                            broker.status()
                            claude.say(status, wait, at=at + file_ms)
                        self.assertEqual(state(broker), want, (file_first, file_ms, event))
                    watch.wait_for(lambda e: (e.get("session") or {}).get("state") == "completed")
                    self.assertEqual(states(watch, "s1"), [s[4] for s in steps], (file_first, file_ms))

    def test_an_interrupted_turn(self):
        """No hook tells of it."""
        with Prepared() as broker, Claude(broker.files) as claude:
            for event, more in (("UserPromptSubmit", {}), ("PermissionRequest", {"tool_name": "Bash"})):
                emit(broker, payload(event, **more))
            self.assertEqual(state(broker), "waiting")
            claude.say("waiting", "permission prompt")
            claude.say("idle")
            self.assertEqual(state(broker), "completed")

    def test_cleared_as_it_is(self):
        """The file is busy with the old session for a moment, after its end was told."""
        with Prepared() as broker, Claude(broker.files) as claude, Ingest(broker) as ingest:
            watch = broker.watch()
            at = now_ms() - 10000
            claude.say("busy", at=at)
            self.assertEqual(state(broker), "working")
            claude.say("idle", at=at + 1000)
            self.assertEqual(state(broker), "completed")
            ingest.send("claude", payload("SessionEnd", reason="clear"), (at + 3000) * 1000000)
            broker.status()
            claude.say("busy", at=at + 3020)
            ingest.send("claude", payload("SessionStart", "s2", source="clear"), (at + 3070) * 1000000)
            claude.say(sessionId="s2", updatedAt=at + 3040)
            claude.say("idle", at=at + 3070)
            self.assertEqual({i: s["state"] for i, s in broker.sessions().items()}, {"s1": "ended"})
            watch.wait_for(lambda e: e["kind"] == "session_ended")
            self.assertEqual(states(watch, "s1"), ["working", "completed", "ended"])

    def test_a_restart(self):
        with Prepared() as broker, Claude(broker.files) as claude, Claude(broker.files, "s2") as other:
            claude.say("busy")
            other.say("busy")
            self.assertEqual((state(broker), state(broker, "s2")), ("working", "working"))
            before = broker.sessions()["s2"]
            broker.kill()
            claude.say("waiting", "permission prompt")
            broker.start_daemon()
            self.assertEqual((state(broker), state(broker, "s2")), ("waiting", "working"))
            self.assertEqual(broker.sessions()["s2"]["state_since"], before["state_since"])
            claude.say("idle")
            self.assertEqual(state(broker), "completed")


if __name__ == "__main__":
    unittest.main()
