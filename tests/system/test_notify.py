"""notify-subscriber on a session bus of its own, with dunst on a virtual screen; what was shown is read back from dunst."""
import os
import re
import signal
import time
import unittest

import otlp
from desktop import SERVICE, Monitor, NotifyCase, hints, wait
from harness import Sandbox, recording

class Recordings(NotifyCase):
    TURNS = {"claude/interactive": ("Claude Code", 2), "codex/interactive": ("Codex", 2), "gemini/interactive": ("Gemini CLI", 3),
             "qwen/interactive": ("Qwen Code", 2)}  # its third is refused by the person

    def test_one_notification_per_finished_turn(self):
        self.start_desktop()
        self.start("--min-turn", "0", "--waiting", "off")
        for name, (title, turns) in self.TURNS.items():
            with self.subTest(recording=name):
                finished = self.finish_turns(recording(name))
                self.assertEqual([n["summary"] for n in finished], [f"{title} finished"] * turns)
                for note in finished:
                    self.assertEqual((note["category"], note["appname"]), ("transfer.complete", "agentbus"))
                    self.assertRegex(note["body"], r"^\S+ · (\d+ms|\d+s) · (about )?\$[\d.]+\nSession: [\d.]+k tokens")
                self.assertEqual(len({n["id"] for n in finished}), turns)

    def finish_turns(self, rec):
        """Posts a recording and looks away from each notification as a person would; gives what the history got."""
        before = len(self.desktop.history())
        seen = set()
        for request in rec.requests:
            self.broker.post(request.path, request.body, request.headers, chunked=request.chunked)
            over = [s for s in self.broker.status()["sessions"]
                    if s["state"] in ("completed", "ended") and not s["auxiliary"] and s["turn_started"] and s["id"] in rec.expected]
            seen |= {(s["id"], s["turn_started"]) for s in over if s["reason"] == "interrupted"}  # the person was there
            turns = {(s["id"], s["turn_started"]) for s in over}
            for _ in turns - seen:
                wait(lambda: self.desktop.displayed() == 1, "a finished turn is not shown")
                self.desktop.close_all()
            seen |= turns
        return self.desktop.history()[before:]

    def test_only_long_turns_by_default(self):
        self.start_desktop()
        monitor = Monitor(self.desktop)
        self.start()
        for name in self.TURNS:
            self.broker.post_recording(recording(name))
        # One failed turn last: once it is shown, so is all that was to be shown before it.
        self.broker.post_recording(recording("gemini/rate-limit-fatal"))
        wait(lambda: any(c[3] == "Gemini CLI failed" for c in monitor.calls("Notify")))
        finished = [c for c in monitor.calls("Notify") if c[3].endswith("finished")]
        self.assertIn(len(finished), range(1, 5), "the second turn of each: over ten seconds with the time that its person took")
        for call in finished:
            self.assertRegex(call[4], r" · 1\ds · (about )?\$[\d.]+\n")

    def test_failed_turn(self):
        self.start_desktop()
        self.start()
        monitor = Monitor(self.desktop)
        self.broker.post_recording(recording("claude/server-error"))
        wait(lambda: self.desktop.displayed() == 1)
        note, = self.desktop.close_all()
        self.assertEqual((note["summary"], note["category"]), ("Claude Code failed", "transfer.error"))
        self.assertIn("(HTTP 5", note["body"])
        self.assertEqual(hints(monitor.calls("Notify")[0])["urgency"], 2)

    def test_waiting_comes_and_goes(self):
        self.start_desktop()
        monitor = Monitor(self.desktop)
        self.start("--completed", "off")
        self.post_until("codex/interactive", lambda: "waiting" in self.states())
        wait(lambda: self.desktop.displayed() == 1)
        call, = monitor.calls("Notify")
        self.assertEqual((call[0], call[1], call[3]), ("agentbus", 0, "Codex asks for permission"))
        tag = hints(call)["x-dunst-stack-tag"]
        self.assertEqual(hints(call), {"urgency": 2, "category": "x-agentbus.waiting", "desktop-entry": "agentbus",
                                       "x-canonical-private-synchronous": tag, "x-dunst-stack-tag": tag})
        self.broker.post_recording(recording("codex/interactive"))
        wait(lambda: self.desktop.displayed() == 0)
        self.assertEqual(len(self.desktop.history()), 1, "closed, and nothing else shown")

    def test_no_content(self):
        self.start_desktop()
        monitor = Monitor(self.desktop)
        self.start("--min-turn", "0")
        rec = recording("claude/interactive")
        self.broker.post_recording(rec)
        wait(lambda: monitor.calls("Notify"))
        self.broker.post_recording(recording("gemini/rate-limit-fatal"))
        wait(lambda: any(c[3] == "Gemini CLI failed" for c in monitor.calls("Notify")))
        for call in monitor.calls("Notify"):
            for line in call[4].split("\n"):
                self.assertRegex(line, r"^(\S+( · \S+)*( \d+s)?( · (about )?\$[\d.]+)?|Session: [\dkM.]+ tokens(, (about )?\$[\d.]+)?|\d+ errors?(: [a-z ]+\(HTTP \d+\))?)$")


class Daemon(NotifyCase):
    """Sessions of Claude Code that wait, by telemetry made here."""

    def begin_waiting(self, session):
        """A prompt, then a permission asked for."""
        self.post(otlp.claude_prompt(session), (time.time_ns(), {"session.id": session, "event.name": "hook_execution_start",
                                                                 "hook_event": "PermissionRequest"}))
        self.assertEqual(self.broker.sessions()[session]["state"], "waiting")

    def end_waiting(self, session):
        self.post(otlp.claude_prompt(session))
        self.assertEqual(self.broker.sessions()[session]["state"], "working")

    def test_no_bus_and_no_daemon_at_start(self):
        process = self.start()
        self.begin_waiting("s-1")
        self.begin_waiting("s-2")
        self.end_waiting("s-2")
        wait(lambda: "no session bus" in process.stderr(), process.stderr)
        self.desktop.start_bus()
        self.desktop.start_screen()
        self.desktop.start_dunst()
        wait(lambda: self.desktop.displayed() == 1)
        self.assertEqual([n["summary"] for n in self.desktop.close_all()], ["Claude Code asks for permission"])
        self.assertEqual(process.stderr().count("no session bus"), 1)

    def test_daemon_restart(self):
        self.start_desktop()
        monitor = Monitor(self.desktop)
        process = self.start()
        self.begin_waiting("s-1")
        wait(lambda: self.desktop.displayed() == 1)
        self.desktop.stop_dunst()
        self.begin_waiting("s-2")
        self.desktop.start_dunst()
        wait(lambda: self.desktop.displayed() == 2, lambda: f"{self.desktop.displayed()} {process.stderr()}")
        # The new daemon's ids are used, not the old one's.
        self.end_waiting("s-1")
        wait(lambda: self.desktop.displayed() == 1)
        self.end_waiting("s-2")
        wait(lambda: self.desktop.displayed() == 0)
        self.assertTrue(all(call[1] == 0 for call in monitor.calls("Notify")))

    def test_bus_restart(self):
        self.start_desktop()
        process = self.start()
        self.begin_waiting("s-1")
        wait(lambda: self.desktop.displayed() == 1)
        self.desktop.stop_bus()
        wait(lambda: "no session bus" in process.stderr(), process.stderr)
        self.desktop.start_bus()
        self.desktop.start_dunst()
        wait(lambda: self.desktop.displayed() == 1, process.stderr)
        self.end_waiting("s-1")
        wait(lambda: self.desktop.displayed() == 0)

    def test_daemon_that_hangs(self):
        """It answers nothing: the subscriber lives on, and what has changed meanwhile is right when the daemon wakes up."""
        self.start_desktop()
        process = self.start("--waiting-delay", "0")
        self.begin_waiting("s-1")
        wait(lambda: self.desktop.displayed() == 1)
        dunst = self.desktop.running["dunst"]
        dunst.send_signal(signal.SIGSTOP)
        try:
            for n in range(2, 6):
                self.begin_waiting(f"s-{n}")
            for n in range(1, 5):
                self.end_waiting(f"s-{n}")
            self.broker.kill()
            self.notices.wait_for("STATUS=Waiting for the broker")
            self.broker.start_daemon()
            self.notices.wait_for("STATUS=Following the broker")
            self.begin_waiting("s-6")
        finally:
            dunst.send_signal(signal.SIGCONT)
        # The broker knows after its restart that the fifth still waits.
        wait(lambda: [n["summary"] for n in self.desktop.history()] == ["Claude Code asks for permission"] * 4 and self.desktop.displayed() == 2,
             lambda: f"{self.desktop.displayed()} {self.desktop.history()} {process.stderr()}")

    def test_it_ends_while_the_daemon_hangs(self):
        self.start_desktop()
        process = self.start()
        dunst = self.desktop.running["dunst"]
        dunst.send_signal(signal.SIGSTOP)
        try:
            self.begin_waiting("s-1")
            process.stop(timeout=5)
        finally:
            dunst.send_signal(signal.SIGCONT)

    def test_configuration(self):
        self.start_desktop()
        self.broker.write_config("[notify-subscriber]\nwaiting = off\nmin_turn = 2h\n")
        monitor = Monitor(self.desktop)
        self.start(env={"AGENTBUS_NOTIFY_FAILED": "low"})
        self.begin_waiting("s-1")
        self.broker.post_recording(recording("gemini/interactive"))
        self.broker.post_recording(recording("gemini/rate-limit-fatal"))
        call, = wait(lambda: monitor.calls("Notify"))
        self.assertEqual((call[3], hints(call)["urgency"]), ("Gemini CLI failed", 0))

    def test_daemon_started_by_the_bus(self):
        """Nothing owns the name; the bus knows how to change that."""
        self.desktop.start_screen()
        script = self.desktop.dir / "start-dunst"
        script.write_text(f"#!/bin/sh\nexport DISPLAY={self.desktop.env['DISPLAY']}\nexport DBUS_SESSION_BUS_ADDRESS={self.desktop.address}\n"
                          f"echo $$ >{self.desktop.dir}/dunst.pid\nexec dunst -conf {self.desktop.dunstrc} 2>/dev/null\n")
        script.chmod(0o755)
        (self.desktop.services / "n.service").write_text(f"[D-BUS Service]\nName={SERVICE}\nExec={script}\n")
        self.desktop.start_bus()
        self.start()
        self.assertFalse(self.desktop.has_daemon(), "not before there is something to show")
        self.begin_waiting("s-1")
        wait(lambda: self.desktop.has_daemon())
        self.addCleanup(lambda: os.kill(int((self.desktop.dir / "dunst.pid").read_text()), 15))
        wait(lambda: self.desktop.displayed() == 1)

    def test_replaced_not_stacked(self):
        self.start_desktop()
        monitor = Monitor(self.desktop)
        self.start("--min-turn", "0")
        self.begin_waiting("s-1")
        wait(lambda: self.desktop.displayed() == 1)
        self.hook("Stop")
        wait(lambda: len(monitor.calls("Notify")) == 2)
        self.assertEqual(self.desktop.displayed(), 1)
        first, second = monitor.calls("Notify")
        self.assertEqual(first[1], 0)
        self.assertNotEqual(second[1], 0)
        self.assertEqual(monitor.calls("CloseNotification"), [])

    def test_what_a_person_closed_is_not_replaced(self):
        self.start_desktop()
        monitor = Monitor(self.desktop)
        self.start("--min-turn", "0")
        self.broker.post_recording(recording("claude/simple"))
        wait(lambda: self.desktop.displayed() == 1)
        self.desktop.close_all()
        session, = [s["id"] for s in self.broker.status()["sessions"]]
        self.begin_waiting(session)
        wait(lambda: self.desktop.displayed() == 1)
        self.assertEqual([call[1] for call in monitor.calls("Notify")], [0, 0])

    def test_only_who_waits_is_shown_at_start(self):
        self.start_desktop()
        self.broker.post_recording(recording("gemini/rate-limit-fatal"))
        self.begin_waiting("s-1")
        self.start("--min-turn", "0")
        wait(lambda: self.desktop.displayed() == 1)
        self.begin_waiting("s-2")
        wait(lambda: self.desktop.displayed() == 2)
        self.assertEqual({n["summary"] for n in self.desktop.close_all()}, {"Claude Code asks for permission"})

    def test_broker_restart(self):
        self.start_desktop()
        process = self.start()
        self.begin_waiting("s-1")
        wait(lambda: self.desktop.displayed() == 1)
        self.broker.kill()
        self.notices.wait_for("STATUS=Waiting for the broker")
        self.broker.start_daemon("--memory")
        self.notices.wait_for("STATUS=Following the broker")
        # The new broker knows of no session, so nobody could ever take the notification back.
        wait(lambda: self.desktop.displayed() == 0)
        self.begin_waiting("s-1")
        wait(lambda: self.desktop.displayed() == 1, process.stderr)

    def test_markup_is_escaped(self):
        self.start_desktop()
        monitor = Monitor(self.desktop)
        self.start()
        body = otlp.logs({**otlp.CLAUDE, "project.name": "a<b>&c"}, [
            otlp.claude_prompt("s-1"),
            (time.time_ns(), {"session.id": "s-1", "event.name": "hook_execution_start", "hook_event": "PermissionRequest"})],
            otlp.CLAUDE_SCOPE)
        self.assertEqual(self.broker.post(otlp.LOGS, body).status, 200)
        call, = wait(lambda: monitor.calls("Notify"))
        self.assertEqual(call[4], "a&lt;b&gt;&amp;c")


class Idle(NotifyCase):
    def test_no_wakeups_without_a_bus(self):
        """What is retried is retried for somebody: with nothing to show, nothing happens."""
        process = self.start()
        wait(lambda: "no session bus" in process.stderr(), process.stderr)
        switches = re.compile(r"ctxt_switches:\s+(\d+)")

        def count():
            with open(f"/proc/{process.pid}/task/{process.pid}/status") as f:
                return sum(int(n) for n in switches.findall(f.read()))

        time.sleep(1)  # what the start has left to do
        before = count()
        time.sleep(4)  # in which nothing is to happen; attempts would come 1, 3 and 7 s after the first
        self.assertEqual(count(), before)


class Alone(unittest.TestCase):
    def test_usage(self):
        with Sandbox() as sandbox:
            for args in (["--min-turn", "soon"], ["--waiting", "loud"], ["--nonsense"], ["operand"]):
                done = sandbox.run("notify-subscriber", *args)
                self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), args)
                self.assertTrue(done.stderr.startswith("notify-subscriber: "), done.stderr)
            for args, begin in ((["--help"], "usage: notify-subscriber"), (["--version"], "notify-subscriber")):
                done = sandbox.run("notify-subscriber", *args)
                self.assertEqual(done.returncode, 0)
                self.assertIn(begin, done.stdout)


if __name__ == "__main__":
    unittest.main()
