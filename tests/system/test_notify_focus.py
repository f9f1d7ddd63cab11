#!/usr/bin/env python3
"""notify-subscriber, `agentbus focus` and a real sway, all as they are by default: what the window in front is about is not told, and
Focus brings that of another one there."""
import os
import sys
import unittest

from desktop import Desktop, wait
from fake_daemon import FakeDaemon
from harness import BUILD
from sway import Sway

# A CLI that runs the hooks that it is told to, one after the other.
CLI = """import json, subprocess, sys
session, agentbus, orders = sys.argv[1:]
def run_hook(name):
    hook = {"session_id": session, "cwd": "/home/dev/" + session, "hook_event_name": name, "tool_name": "Bash"}
    subprocess.run([agentbus, "emit", "--provider", "claude"], input=json.dumps(hook), text=True)
run_hook("UserPromptSubmit")
while True:
    with open(orders) as names:
        for name in names:
            run_hook(name.strip())
"""


class Told(unittest.TestCase):
    def setUp(self):
        self.desk = self.enterContext(Sway())
        directory = self.desk.dir / "session-bus"
        directory.mkdir()
        desktop = Desktop(directory)
        self.addCleanup(desktop.stop_all)
        desktop.start_bus()
        self.desk.env["DBUS_SESSION_BUS_ADDRESS"] = desktop.address
        self.daemon = self.enterContext(FakeDaemon(desktop.socket, ["actions", "body"]))
        (self.desk.dir / "obedient.py").write_text(CLI)
        self.desk.start("notify-subscriber")

    def open(self, session):
        orders = self.desk.dir / session
        os.mkfifo(orders)
        process = self.desk.launch(["foot", "-t", "xterm-256color", sys.executable, self.desk.dir / "obedient.py", session, BUILD / "agentbus",
                                    orders])
        self.desk.known(session)
        return process

    def hook(self, session, name, state):
        with open(self.desk.dir / session, "w") as orders:
            orders.write(name + "\n")
        self.desk.events.wait_for(lambda e: e.get("session") and e["session"]["id"] == session and e["session"]["state"] == state)

    def notes_of(self, session):
        return [n for n in self.daemon.notes if session in n["body"]]

    def test_what_is_in_front(self):
        first, second = self.open("webshop"), self.open("compiler")
        self.assertEqual(self.desk.focused(), second.pid)
        self.hook("compiler", "PermissionRequest", "waiting")
        self.hook("webshop", "PermissionRequest", "waiting")
        note = self.daemon.wait_for(lambda n: "webshop" in n["body"])
        self.assertEqual(self.notes_of("compiler"), [], "its window has the focus")
        self.daemon.signal("ActionInvoked", note["id"], "focus")
        wait(lambda: self.desk.focused() == first.pid, "the window does not come")
        self.daemon.wait_until(lambda: self.daemon.closed == [note["id"]])


if __name__ == "__main__":
    unittest.main()
