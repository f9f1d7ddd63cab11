"""A desktop for CLIs: a broker beside terminals that run them, and a sway without a screen to have these terminals in."""
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import unittest

from harness import BUILD, PATIENCE, Broker, Process

FOREIGN = ("WAYLAND_DISPLAY", "DISPLAY", "SWAYSOCK", "I3SOCK", "HYPRLAND_INSTANCE_SIGNATURE", "NIRI_SOCKET", "TMUX", "TMUX_PANE", "WINDOWID",
           "KITTY_WINDOW_ID", "KITTY_LISTEN_ON", "WEZTERM_PANE", "WEZTERM_UNIX_SOCKET")
# A CLI as far as this is about one: it runs a hook, and stays until it is told to end.
CLI = """import json, subprocess, sys, threading
hook = {"session_id": sys.argv[1], "cwd": "/home/dev/shop", "hook_event_name": sys.argv[2]}
subprocess.run([sys.argv[3], "emit", "--provider", "claude"], input=json.dumps(hook), text=True)
threading.Event().wait()
"""



class Careless(Process):
    """A program whose exit status says nothing."""

    def stop(self, *args, **kw):
        return super().stop(*args, **{**kw, "expect": None})


def needs(*programs):
    for program in programs:
        if not shutil.which(program):
            raise unittest.SkipTest(f"no {program}")


class Desk(Broker):
    """A broker, and CLIs that tell it of themselves."""

    def __init__(self, **env):
        super().__init__("--quiet-after", "1h")
        for name in FOREIGN:
            self.env.pop(name, None)
        self.env.update(env)
        (self.dir / "cli.py").write_text(CLI)
        self.events = self.watch()

    def cli(self, session, event="UserPromptSubmit"):
        return [sys.executable, str(self.dir / "cli.py"), session, event, str(BUILD / "agentbus")]

    def launch(self, argv, **env):
        stderr = self.dir / f"{len(self.processes)}.stderr"
        process = Careless(argv, {**self.env, **env}, stderr, cwd=self.dir)
        self.processes.append(process)
        return process

    def known(self, session):
        """Waits until the broker knows it."""
        self.events.wait_for(lambda e: e.get("session") and e["session"]["id"] == session)

    def open(self, session, *terminal, event="UserPromptSubmit", **env):
        process = self.launch([*terminal, *self.cli(session, event)], **env)
        self.known(session)
        return process

    def focus(self, *args, **env):
        return self.run("agentbus", "focus", *args, env=env)

    def programs(self, **scripts):
        """Programs of their own in PATH: shell scripts, whose arguments are in calls()."""
        where = self.dir / "bin"
        where.mkdir(exist_ok=True)
        for name, script in scripts.items():
            (where / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{self.dir}/calls\n{script}\n')
            (where / name).chmod(0o755)
        self.env["PATH"] = f"{where}:{self.env['PATH']}"

    def calls(self):
        path = self.dir / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines


class Sway(Desk):
    def __init__(self):
        needs("sway", "foot")
        argv = ["sway"]
        # It does not run as root; within a user namespace without that it does.
        if os.geteuid() == 0:
            argv = ["unshare", "-U", *argv]
            if subprocess.run(["unshare", "-U", "true"], capture_output=True).returncode != 0:
                raise unittest.SkipTest("sway does not run as root")
        super().__init__(WLR_BACKENDS="headless", WLR_LIBINPUT_NO_DEVICES="1", WLR_RENDERER="pixman")
        config = self.dir / "sway.conf"
        config.write_text('xwayland disable\nexec echo "socket $WAYLAND_DISPLAY $SWAYSOCK"\n')
        self.sway = self.launch([*argv, "-c", config])
        line = self.sway.wait_for(lambda line: line.startswith("socket "))
        self.env["WAYLAND_DISPLAY"], self.env["SWAYSOCK"] = line.split()[1:]

    def foot(self, session, **kw):
        return self.open(session, "foot", "-t", "xterm-256color", **kw)

    def ask(self, kind, request=b""):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            s.connect(self.env["SWAYSOCK"])
            s.sendall(b"i3-ipc" + struct.pack("=II", len(request), kind) + request)
            head = s.recv(14, socket.MSG_WAITALL)
            return json.loads(s.recv(struct.unpack("=II", head[6:])[0], socket.MSG_WAITALL))

    def focused(self):
        """The process of the window that has the focus."""
        nodes = [self.ask(4)]
        while nodes:
            node = nodes.pop()
            if node["focused"] and "pid" in node:
                return node["pid"]
            nodes += node["nodes"] + node["floating_nodes"]
        return None
