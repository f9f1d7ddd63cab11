"""What the tests of notify-subscriber share: a session bus of their own, dunst on a virtual screen, and hooks of Claude Code."""
import json
import os
import shutil
import socket
import subprocess
import time
import unittest

import otlp
from harness import JSON, PATIENCE, Broker, recording

SERVICE = "org.freedesktop.Notifications"
NEEDED = ("dbus-daemon", "Xvfb", "dunst", "busctl")

# No service directories: nothing starts by itself unless a test says so.
BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <servicedir>{services}</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

DUNSTRC = """[global]
  font = DejaVu Sans 10
  width = 420
  markup = full
  format = "<b>%s</b>\\n%b"
  history_length = 200
  notification_limit = 0
  stack_duplicates = false
  icon_path = ""
[urgency_low]
  timeout = 0
[urgency_normal]
  timeout = 0
[urgency_critical]
  timeout = 0
"""


def wait(condition, complaint="waited in vain"):
    """Waits for something that tells nobody when it happens: looks until it does."""
    deadline = time.monotonic() + PATIENCE
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(complaint() if callable(complaint) else complaint)
        time.sleep(0.02)


class Desktop:
    """A session bus, a screen and a notification daemon, each of which can go and come back."""

    def __init__(self, directory):
        missing = [tool for tool in NEEDED if not shutil.which(tool)]
        if missing:
            raise unittest.SkipTest(f"not installed: {', '.join(missing)}")
        self.dir = directory
        self.socket = directory / "bus"
        self.address = f"unix:path={self.socket}"
        self.services = directory / "services"
        self.services.mkdir()
        self.config = directory / "bus.conf"
        self.config.write_text(BUS_CONFIG.format(socket=self.socket, services=self.services))
        self.dunstrc = directory / "dunstrc"
        self.dunstrc.write_text(DUNSTRC)
        self.running = {}
        self.env = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": self.address, "HOME": str(directory), "XDG_RUNTIME_DIR": str(directory)}

    def start(self, name, argv, **kwargs):
        with open(self.dir / f"{name}.stderr", "ab") as err:
            self.running[name] = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=err, env=self.env, **kwargs)
        return self.running[name]

    def stop(self, name):
        process = self.running.pop(name, None)
        if process:
            process.terminate()
            process.wait(PATIENCE)
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()

    def stop_all(self):
        for name in reversed(list(self.running)):
            self.stop(name)

    def start_bus(self):
        bus = self.start("bus", ["dbus-daemon", f"--config-file={self.config}", "--nofork", "--nosyslog", "--print-address=1"],
                         stdout=subprocess.PIPE)
        bus.stdout.readline()

    def stop_bus(self):
        self.stop("dunst")
        self.stop("bus")

    def start_screen(self):
        read, write = os.pipe()
        self.start("Xvfb", ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24", "-nolisten", "tcp"],
                   stdout=subprocess.DEVNULL, pass_fds=[write])
        os.close(write)
        with open(read) as number:
            self.env["DISPLAY"] = ":" + number.readline().strip()

    def start_dunst(self):
        self.start("dunst", ["dunst", "-conf", str(self.dunstrc)], stdout=subprocess.DEVNULL)
        wait(self.has_daemon, "dunst does not come")

    def stop_dunst(self):
        self.stop("dunst")
        wait(lambda: not self.has_daemon(), "dunst does not go")

    def call(self, *args):
        done = subprocess.run(["busctl", f"--address={self.address}", "--json=short", "call", *args], capture_output=True, text=True,
                              env=self.env, timeout=PATIENCE)
        if done.returncode != 0:
            raise AssertionError(f"{args}: {done.stderr}")
        return json.loads(done.stdout)["data"] if done.stdout.strip() else None

    def has_daemon(self):
        return self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner", "s", SERVICE)[0]

    def dunst(self, member, *args):
        return self.call(SERVICE, "/org/freedesktop/Notifications", "org.dunstproject.cmd0", member, *args)

    def displayed(self):
        answer = self.call(SERVICE, "/org/freedesktop/Notifications", "org.freedesktop.DBus.Properties", "Get", "ss",
                           "org.dunstproject.cmd0", "displayedLength")
        return answer[0]["data"]

    def history(self):
        """What was closed, oldest first, as plain dictionaries."""
        entries = self.dunst("NotificationListHistory")[0]
        return [{key: value["data"] for key, value in entry.items()} for entry in reversed(entries)]

    def close_all(self):
        """Moves what is displayed to the history and gives all of that."""
        before = len(self.history()) + self.displayed()
        self.dunst("NotificationCloseAll")
        wait(lambda: len(self.history()) == before and self.displayed() == 0)
        return self.history()


class Monitor:
    """Every message about notifications on the bus, as busctl sees it."""

    def __init__(self, desktop):
        self.path = desktop.dir / "monitor.json"
        with open(self.path, "wb") as out:
            desktop.start("monitor", ["busctl", f"--address={desktop.address}", "--json=short", "monitor", f"--match=interface='{SERVICE}'"],
                          stdout=out)
        wait(lambda: "Monitoring" in (desktop.dir / "monitor.stderr").read_text())

    def calls(self, member):
        """The arguments of each call so far."""
        messages = [json.loads(line) for line in self.path.read_text().splitlines() if line.endswith("}")]
        return [m["payload"]["data"] for m in messages if m["type"] == "method_call" and m["member"] == member]


class Notices:
    """Receives what a service tells systemd, to know when it follows the broker."""

    def __init__(self, directory):
        self.path = directory / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.settimeout(PATIENCE)

    def wait_for(self, text):
        while text not in self.socket.recv(4096).decode().split("\n"):
            pass


def hints(call):
    return {key: value["data"] for key, value in call[6].items()}


class NotifyCase(unittest.TestCase):
    BROKER_ARGS = ()

    def setUp(self):
        self.broker = self.enterContext(Broker(*self.BROKER_ARGS))
        self.desktop = Desktop(self.broker.dir)
        self.addCleanup(self.desktop.stop_all)
        self.notices = Notices(self.broker.dir)
        self.addCleanup(self.notices.socket.close)

    def start_desktop(self):
        self.desktop.start_bus()
        self.desktop.start_screen()
        self.desktop.start_dunst()

    def start(self, *args, env=None):
        env = {"DBUS_SESSION_BUS_ADDRESS": self.desktop.address, "NOTIFY_SOCKET": str(self.notices.path), **(env or {})}
        process = self.broker.start("notify-subscriber", *args, env=env)
        self.notices.wait_for("STATUS=Following the broker")
        return process

    def post(self, *records):
        answer = self.broker.post(otlp.LOGS, otlp.claude(*records))
        self.assertEqual(answer.status, 200)

    def post_until(self, name, stop):
        """Posts a recording until stop() is true after a request."""
        for request in recording(name).requests:
            self.assertEqual(self.broker.post(request.path, request.body, request.headers, chunked=request.chunked).status, 200)
            if stop():
                return
        raise AssertionError(f"{name} is over")

    def states(self):
        return {s["state"] for s in self.broker.status()["sessions"] if not s["auxiliary"]}

    def hook(self, event, session="s-1", **more):
        """What a hook of Claude Code says, with a directory that names the project."""
        data = {"session_id": session, "hook_event_name": event, "cwd": f"/home/me/{session}-project", **more}
        self.assertIn(self.broker.post("/hooks/claude", json.dumps(data), JSON).status, (200, 204))

    def emit(self, event, session="s-1", env=None, **more):
        """The same by `agentbus emit`, which tells where the session runs."""
        data = {"session_id": session, "hook_event_name": event, "cwd": f"/home/me/{session}-project", **more}
        self.broker.run("agentbus", "emit", input=json.dumps(data), env=env)
