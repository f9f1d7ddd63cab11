"""notify-subscriber: what a person can do with a notification, when it comes, and daemons that can do little."""
import json
import os
import shutil
import signal
import time

from desktop import Monitor, NotifyCase, wait
from fake_daemon import FakeDaemon

ALL = ["actions", "body", "body-markup", "persistence"]
RECORDER = """#!/usr/bin/env python3
import json, os, sys
open_files = sorted(os.listdir("/proc/self/fd"))
with open({path!r} + ".new", "w") as f:
    json.dump({{"args": sys.argv[1:], "token": os.environ.get("XDG_ACTIVATION_TOKEN"), "startup": os.environ.get("DESKTOP_STARTUP_ID"),
               "notify": os.environ.get("NOTIFY_SOCKET"), "fds": open_files}}, f)
os.rename({path!r} + ".new", {path!r})
print("from the command", flush=True)
"""


class ActionCase(NotifyCase):
    def setUp(self):
        super().setUp()
        self.recorder = self.broker.dir / "re corder"
        self.said = self.broker.dir / "said"
        self.recorder.write_text(RECORDER.format(path=str(self.said)))
        self.recorder.chmod(0o755)

    def start(self, *args, config="", env=None):
        """With the recorder as the focus command, and nothing that holds notices back, unless told otherwise."""
        self.broker.write_config("[notify-subscriber]\nmin-turn = 0\ncooldown = 0\nwaiting-delay = 0\nfocus-check-command =\n"
                                 f"focus-command = '{self.recorder}' {{id}} {{provider}} '{{project}}' {{directory}} w={{window}}\n" + config)
        return super().start(*args, env=env)

    def recorded(self):
        wait(self.said.exists, "the command did not run")
        return json.loads(self.said.read_text())

    def fake(self, capabilities=ALL):
        return self.enterContext(FakeDaemon(self.desktop.socket, capabilities))

    def wait_for_waiting(self, daemon, session="s-1"):
        self.hook("PermissionRequest", session, tool_name="Bash")
        return daemon.wait_for(lambda n: session in n["body"] and "wants" in n["summary"])


class Actions(ActionCase):
    def test_with_dunst(self):
        self.start_desktop()
        monitor = Monitor(self.desktop)
        process = self.start()
        self.hook("PermissionRequest", tool_name="Bash")
        wait(lambda: self.desktop.displayed() == 1)
        call, = monitor.calls("Notify")
        self.assertEqual(call[3:6], ["Claude Code wants to use Bash", "s-1-project", ["default", "Focus", "focus", "Focus", "dismiss", "Dismiss"]])
        self.desktop.dunst("NotificationAction", "u", "0")
        said = self.recorded()
        self.assertEqual(said["args"], ["s-1", "claude-code", "s-1-project", "/home/me/s-1-project", "w="])
        self.assertIsNone(said["notify"])
        self.assertEqual(said["fds"], ["0", "1", "2", "3"], "and 3 is the listing itself")
        wait(lambda: "from the command" in process.stderr())
        # What was acted upon goes, whether the daemon sees to it or not: that dialog is not shown again, the next one is.
        wait(lambda: self.desktop.displayed() == 0)
        self.hook("PostToolUse", tool_name="Bash")
        self.hook("PermissionRequest", tool_name="Edit")
        wait(lambda: self.desktop.displayed() == 1)

    def test_token_of_activation(self):
        self.desktop.start_bus()
        daemon = self.fake()
        self.start()
        first, second = self.wait_for_waiting(daemon, "s-1"), self.wait_for_waiting(daemon, "s-2")
        daemon.signal("ActivationToken", first["id"], "token-1")
        daemon.signal("ActivationToken", 4711, "token-2")
        daemon.signal("ActionInvoked", first["id"], "focus")
        self.assertEqual({**self.recorded(), "fds": 0, "args": 0}, {"token": "token-1", "startup": "token-1", "notify": None, "fds": 0, "args": 0})
        self.said.unlink()
        # A token is for one action of one notification.
        daemon.signal("ActionInvoked", second["id"], "default")
        self.assertEqual((self.recorded()["args"][0], self.recorded()["token"]), ("s-2", None))

    def test_only_the_daemon_says_what_the_person_does(self):
        self.desktop.start_bus()
        daemon, other = self.fake(), self.enterContext(FakeDaemon(self.desktop.socket, ALL, name=None))
        self.start()
        note = self.wait_for_waiting(daemon)
        other.signal("ActionInvoked", note["id"], "focus")
        daemon.signal("ActionInvoked", note["id"] + 1, "focus")
        daemon.signal("ActionInvoked", note["id"], "no such action")
        daemon.signal("ActionInvoked", note["id"], "dismiss")
        daemon.wait_until(lambda: daemon.closed == [note["id"]])
        self.assertFalse(self.said.exists())

    def test_dismiss_may_acknowledge(self):
        """`agentbus` is looked for beside the program, else in PATH; here a directory with a recorder in its place."""
        self.desktop.start_bus()
        daemon = self.fake()
        programs = self.broker.dir / "bin"
        programs.mkdir()
        shutil.copy(self.broker.program("notify-subscriber"), programs)
        shutil.copy(self.recorder, programs / "agentbus")
        self.broker.write_config("[notify-subscriber]\nmin-turn = 0\nwaiting-delay = 0\nwhen-focused = show\ndismiss-acknowledges = yes\n")
        self.broker.program = lambda name, real=self.broker.program: programs / name if name == "notify-subscriber" else real(name)
        NotifyCase.start(self)
        note = self.wait_for_waiting(daemon)
        daemon.signal("ActionInvoked", note["id"], "dismiss")
        daemon.wait_until(lambda: daemon.closed == [note["id"]])
        self.assertFalse(self.said.exists(), "who waits has nothing that could be acknowledged")
        self.hook("Stop")
        note = daemon.wait_for(lambda n: n["summary"] == "Claude Code finished")
        self.assertEqual(note["actions"], ["dismiss", "Dismiss"], "nothing tells where its window is")
        daemon.signal("ActionInvoked", note["id"], "dismiss")
        self.assertEqual(self.recorded()["args"], ["ack", "--", "claude-code/s-1"])

    def test_a_command_that_does_not_end_is_ended(self):
        self.desktop.start_bus()
        daemon = self.fake()
        pid_file = self.broker.dir / "pid"
        process = self.start(config=f"focus-command = sh -c 'echo $$ >{pid_file}; exec sleep 1000'\n")
        note = self.wait_for_waiting(daemon)
        begin = time.monotonic()
        daemon.signal("ActionInvoked", note["id"], "focus")
        pid = int(wait(lambda: pid_file.exists() and pid_file.read_text().strip()))
        wait(lambda: not os.path.exists(f"/proc/{pid}"), process.stderr)
        self.assertGreater(time.monotonic() - begin, 4)

    def test_a_command_that_is_not_there(self):
        self.desktop.start_bus()
        daemon = self.fake()
        process = self.start(config="focus-command = no-such-program {id}\n")
        daemon.signal("ActionInvoked", self.wait_for_waiting(daemon)["id"], "focus")
        wait(lambda: "cannot run 'no-such-program': No such file" in process.stderr(), process.stderr)


class Daemons(ActionCase):
    def test_without_actions_and_markup(self):
        self.desktop.start_bus()
        daemon = self.fake(["body"])
        self.start()
        self.hook("PermissionRequest", tool_name="<b>&")
        note = daemon.wait_for(lambda n: True)
        self.assertEqual((note["actions"], note["summary"], note["body"]), ([], "Claude Code wants to use <b>&", "s-1-project"))

    def test_without_bodies(self):
        self.desktop.start_bus()
        daemon = self.fake([])
        self.start("--waiting", "low")
        note = self.wait_for_waiting_summary(daemon)
        self.assertEqual((note["summary"], note["body"]), ("Claude Code wants to use Bash: s-1-project", ""))
        self.assertNotIn("transient", note["hints"])

    def wait_for_waiting_summary(self, daemon):
        self.hook("PermissionRequest", tool_name="Bash")
        return daemon.wait_for(lambda n: True)

    def test_what_a_notification_carries(self):
        self.desktop.start_bus()
        icons = self.broker.dir / "data/icons/hicolor/symbolic/apps"
        icons.mkdir(parents=True)
        (icons / "agentbus-waiting-symbolic.svg").write_text("<svg/>")
        daemon = self.fake()
        self.start("--waiting", "low", "--sound")
        waiting = self.wait_for_waiting(daemon)
        self.hook("Stop")
        done = daemon.wait_for(lambda n: n["summary"] == "Claude Code finished")
        tag = waiting["hints"]["x-dunst-stack-tag"]
        common = {"desktop-entry": "agentbus", "x-dunst-stack-tag": tag, "x-canonical-private-synchronous": tag}
        self.assertEqual(waiting["hints"], {**common, "urgency": 0, "category": "x-agentbus.waiting", "sound-name": "dialog-question", "transient": 1})
        self.assertEqual(done["hints"], {**common, "urgency": 1, "category": "transfer.complete", "sound-name": "complete"})
        self.assertEqual((waiting["icon"], done["icon"]), ("agentbus-waiting-symbolic", "dialog-information"))
        self.assertEqual((waiting["app"], waiting["timeout"], done["replaces"]), ("agentbus", -1, waiting["id"]))
        self.assertEqual(daemon.asked, 1)

    def test_icons_of_a_daemon_that_draws_them_as_they_are(self):
        self.desktop.start_bus()
        icons = self.broker.dir / "data/icons/hicolor/symbolic/apps"
        icons.mkdir(parents=True)
        (icons / "agentbus-waiting-symbolic.svg").write_text("<svg/>")
        daemon = self.fake([*ALL, "x-dunst-stack-tag"])
        self.start()
        self.assertEqual(self.wait_for_waiting(daemon)["icon"], "dialog-question")

    def test_hostile_text(self):
        self.desktop.start_bus()
        daemon = self.fake()
        self.start()
        name = "<a href='x'>&\n\u202eevil\u2066\x1b[2J" + "x" * 3000
        self.hook("PermissionRequest", tool_name=name, cwd="/home/me/" + name.replace("/", ""))
        note = daemon.wait_for(lambda n: True)
        self.assertRegex(note["summary"], r"^Claude Code wants to use <a href='x'>& \?evil\? \[2Jx+…$")
        self.assertRegex(note["body"], r"^&lt;a href='x'&gt;&amp; \?evil\? \[2Jx+…$")
        self.assertLess(len(note["summary"]) + len(note["body"]), 300)

    def test_kill_and_what_the_person_closed(self):
        """A daemon that was killed and comes back is shown who waits, but not what the person had closed."""
        self.start_desktop()
        monitor = Monitor(self.desktop)
        self.start()
        self.hook("PermissionRequest", "closed", tool_name="Bash")
        wait(lambda: self.desktop.displayed() == 1)
        self.desktop.dunst("NotificationCloseLast")
        wait(lambda: self.desktop.displayed() == 0)
        self.hook("PermissionRequest", "open", tool_name="Bash")
        wait(lambda: self.desktop.displayed() == 1)
        self.desktop.running["dunst"].send_signal(signal.SIGKILL)
        self.desktop.stop_dunst()
        self.desktop.start_dunst()
        wait(lambda: self.desktop.displayed() == 1)
        self.broker.kill()
        self.notices.wait_for("STATUS=Waiting for the broker")
        self.broker.start_daemon()
        self.notices.wait_for("STATUS=Following the broker")
        self.hook("PermissionRequest", "last", tool_name="Bash")
        wait(lambda: self.desktop.displayed() == 2)
        self.assertEqual([c[4] for c in monitor.calls("Notify")], ["closed-project", "open-project", "open-project", "last-project"])


class Times(ActionCase):
    def setUp(self):
        super().setUp()
        self.desktop.start_bus()
        self.daemon = self.fake()

    def texts(self):
        return [n["body"].partition("\n")[0].partition(" ")[0] + ": " + n["summary"].partition("Claude Code ")[2] for n in self.daemon.notes]

    def wait_for_texts(self, *wanted):
        """These and no others, in this order."""
        self.daemon.wait_until(lambda: len(self.daemon.notes) >= len(wanted))
        self.assertEqual(self.texts(), list(wanted))

    def test_a_dialog_that_a_rule_answers_does_not_flash(self):
        self.start(config="waiting-delay = 1s\n")
        for n in range(5):
            self.hook("PermissionRequest", tool_name="Bash")
            self.hook("PostToolUse", tool_name="Bash")
        self.hook("PermissionRequest", "s-2", tool_name="Bash")
        self.wait_for_texts("s-2-project: wants to use Bash")

    def test_cooldown(self):
        self.start(config="cooldown = 2500ms\n")
        self.hook("UserPromptSubmit")
        self.hook("Stop")
        self.wait_for_texts("s-1-project: finished")
        self.hook("UserPromptSubmit")
        self.daemon.wait_until(lambda: self.daemon.closed)
        self.hook("PermissionRequest", tool_name="Bash")
        self.wait_for_texts("s-1-project: finished", "s-1-project: wants to use Bash")
        self.hook("Stop")
        self.hook("Stop", "s-2")
        self.wait_for_texts("s-1-project: finished", "s-1-project: wants to use Bash", "s-2-project: finished", "s-1-project: finished")
        self.assertGreater(self.daemon.notes[3]["at"] - self.daemon.notes[0]["at"], 2.4)

    def test_quiet_hours(self):
        self.start(config="quiet-hours = 0:00-24:00\nquiet-hours-allow = failed\n")
        self.hook("PermissionRequest", tool_name="Bash")
        self.hook("Stop", "s-2")
        self.hook("StopFailure", "s-3", error="rate_limit")
        self.wait_for_texts("s-3-project: failed")

    def test_the_window_that_has_the_focus(self):
        check = self.broker.dir / "check"
        check.write_text(f'#!/bin/sh\necho "$1" >>{self.broker.dir}/checked\ncase $1 in s-hang) exec sleep 100;; s-focus) exit 0;; *) exit 1;; esac\n')
        check.chmod(0o755)
        self.start(config=f"focus-check-command = {check} {{id}}\n", env={"DISPLAY": ":1000"})
        for session in ("s-focus", "s-hang", "s-other"):
            self.emit("PermissionRequest", session, env={"TMUX_PANE": "%1"}, tool_name="Bash")
        self.daemon.wait_until(lambda: len(self.daemon.notes) == 2)
        self.assertEqual(sorted(self.texts()), ["s-hang-project: wants to use Bash", "s-other-project: wants to use Bash"])
        # Nobody looks at a session whose window nothing tells.
        self.hook("PermissionRequest", "s-nowhere", tool_name="Bash")
        self.daemon.wait_until(lambda: len(self.daemon.notes) == 3)
        self.assertEqual(sorted((self.broker.dir / "checked").read_text().split()), ["s-focus", "s-hang", "s-other"])
        # It is still the window that has the focus: nothing to tell.
        self.emit("Stop", "s-focus", env={"TMUX_PANE": "%1"})
        self.emit("Stop", "s-other", env={"TMUX_PANE": "%1"})
        self.daemon.wait_until(lambda: len(self.daemon.notes) == 4)
        self.assertEqual(self.texts()[3], "s-other-project: finished")


class Usage(NotifyCase):
    def test_settings_that_say_nothing(self):
        for key, value in (("quiet-hours", "22:00"), ("quiet-hours-allow", "noise"), ("focus-command", "'x"), ("focus-command", "x {name}"),
                           ("focus-check-command", "x\\"), ("when-focused", "never"), ("cooldown", "2h")):
            with self.subTest(key=key, value=value):
                self.broker.write_config(f"[notify-subscriber]\n{key} = {value}\n")
                done = self.broker.run("notify-subscriber")
                self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
                self.assertIn(key, done.stderr)
