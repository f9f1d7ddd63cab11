#!/usr/bin/env python3
"""`agentbus focus`: from a hook's word to the window in front, on a real sway with real terminals and tmux, and on what stands in
for those that are not here: Hyprland, niri, i3, X11, kitty and wezterm."""
import json
import os
import shlex
import socket
import struct
import subprocess
import threading
import time
import unittest
from pathlib import Path

from harness import PATIENCE
from sway import Desk, Sway, needs

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
CHECK_S = 0.1


class FocusTest(unittest.TestCase):
    def expect(self, done, status, *says):
        self.assertEqual(done.returncode, status, done)
        for text in says:
            self.assertIn(text, done.stdout + done.stderr)

    def expect_silent(self, done, status):
        self.assertEqual((done.returncode, done.stdout, done.stderr), (status, "", ""))


# --- sway ---

class OnSway(FocusTest):
    def test_terminals(self):
        desk = self.enterContext(Sway())
        one, two = desk.foot("session-one"), desk.foot("session-two")
        self.assertEqual(desk.focused(), two.pid)
        self.expect_silent(desk.focus("--check", "session-one"), 1)
        self.expect_silent(desk.focus("--check", "session-two"), 0)
        self.expect(desk.focus("--print", "session-one"), 0, f"child of {one.pid}", "sway would be told: [con_id=")
        self.assertEqual(desk.focused(), two.pid, "it was only said")
        self.expect_silent(desk.focus("session-o"), 0)
        self.assertEqual(desk.focused(), one.pid)
        self.expect(desk.focus("--check", "-v", "session-two"), 1, "another window has the focus")
        # On another workspace, and hidden in the scratchpad.
        desk.ask(0, b"workspace elsewhere")
        self.expect_silent(desk.focus("session-two"), 0)
        self.assertEqual(desk.focused(), two.pid)
        desk.ask(0, b"move scratchpad")
        self.expect_silent(desk.focus("session-two"), 0)
        self.assertEqual(desk.focused(), two.pid)
        # The hook has told of sway, so it is found from outside, too, if the socket is told as well.
        self.expect_silent(desk.focus("session-one", WAYLAND_DISPLAY="", SWAYSOCK=""), 0)
        self.assertEqual(desk.focused(), one.pid)

    def test_who_is_next(self):
        desk = self.enterContext(Sway())
        self.expect(desk.focus("--next"), 1, "no session waits")
        done = desk.foot("done", event="Stop")
        desk.foot("busy")
        self.expect_silent(desk.focus("--next"), 0)
        self.assertEqual(desk.focused(), done.pid)
        waits = desk.foot("waits", event="PermissionRequest")
        desk.ask(0, b"focus left")
        self.expect_silent(desk.focus("--next"), 0)
        self.assertEqual(desk.focused(), waits.pid)

    def test_check_is_quick(self):
        desk = self.enterContext(Sway())
        desk.foot("s1")
        best = PATIENCE
        for _ in range(5):
            begin = time.monotonic()
            self.expect_silent(desk.focus("--check", "s1"), 0)
            best = min(best, time.monotonic() - begin)
        if not SANITIZED:
            self.assertLess(best, CHECK_S)

    def test_one_process_with_several_windows(self):
        desk = self.enterContext(Sway())
        needs("footclient")
        server = desk.launch(["foot", f"--server={desk.dir}/foot.sock", "-t", "xterm-256color"])
        deadline = time.monotonic() + PATIENCE
        while not (desk.dir / "foot.sock").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        desk.open("s1", "footclient", f"--server-socket={desk.dir}/foot.sock")
        other = desk.foot("other")
        self.expect_silent(desk.focus("s1"), 0)
        self.assertEqual(desk.focused(), server.pid, "its only window")
        desk.open("s2", "footclient", f"--server-socket={desk.dir}/foot.sock")
        self.expect_silent(desk.focus("other"), 0)
        self.expect(desk.focus("s1"), 2, "several windows of one process")
        self.expect_silent(desk.focus("--check", "s1"), 2)
        self.assertEqual(desk.focused(), other.pid, "none is better than a wrong one")


class InTmux(FocusTest):
    def setUp(self):
        needs("tmux")
        self.desk = self.enterContext(Sway())
        self.socket = self.desk.dir / "tmux.sock"
        self.addCleanup(subprocess.run, ["tmux", "-S", self.socket, "kill-server"], capture_output=True)

    def tmux(self, *args):
        done = subprocess.run(["tmux", "-S", self.socket, *args], env=self.desk.env, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def new(self, session, verb, *args):
        """A CLI in a window, pane or session of its own."""
        self.tmux(verb, *args, shlex.join(self.desk.cli(session)))
        self.desk.known(session)

    def shown(self):
        """The pid of what the pane that is in front runs."""
        return int(self.tmux("list-clients", "-F", "#{pane_pid}").split()[0])

    def pane_of(self, session):
        pid = self.desk.sessions()[session]["pid"]
        panes = [line.split() for line in self.tmux("list-panes", "-a", "-F", "#{pane_pid} #{pane_tty}").splitlines()]
        tty = self.desk.sessions()[session]["tty"]
        return next(int(p) for p, t in panes if t == tty or int(p) == pid)

    def test_panes_windows_and_sessions(self):
        desk = self.desk
        terminal = desk.open("first", "foot", "-t", "xterm-256color", "tmux", "-S", self.socket, "-f", "/dev/null", "new-session")
        self.new("beside", "split-window")
        self.new("behind", "new-window")
        self.new("apart", "new-session", "-d")
        other = desk.foot("other")
        for session in ("first", "beside", "behind", "apart", "first"):
            self.expect_silent(desk.focus("other"), 0)
            self.assertEqual(desk.focused(), other.pid)
            self.expect_silent(desk.focus("--check", session), 1)
            self.expect(desk.focus("--print", session), 0, "sway would be told")
            self.expect_silent(desk.focus(session), 0)
            self.assertEqual(desk.focused(), terminal.pid, session)
            self.assertEqual(self.shown(), self.pane_of(session), session)
            self.expect_silent(desk.focus("--check", session), 0)
        # The window has the focus, and another pane is in front.
        self.expect(desk.focus("--check", "-v", "beside"), 1, "is not shown")

    def test_nobody_is_attached(self):
        desk = self.desk
        self.new("alone", "-f", "/dev/null", "new-session", "-d")
        self.expect(desk.focus("alone"), 2, "attached nowhere")
        self.expect_silent(desk.focus("--check", "alone"), 1)
        # What a terminal has from the tmux that it was started from is not true of what runs in it.
        pane = self.tmux("list-panes", "-a", "-F", "#{pane_id}").strip()
        terminal = desk.foot("outside", TMUX=f"{self.socket},1,0", TMUX_PANE=pane)
        desk.foot("other")
        self.expect_silent(desk.focus("outside"), 0)
        self.assertEqual(desk.focused(), terminal.pid)


# --- peers of our own making ---

class Peer:
    """A socket that answers each request as a function says. Keeps what was asked."""

    def __init__(self, path, answer):
        self.asked = []
        self.answer = answer
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen(8)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(PATIENCE)
        self.socket.close()

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                request = client.recv(65536)
                self.asked.append(request)
                client.sendall(self.answer(request))


def hyprland(windows, active):
    def answer(request):
        if request == b"j/clients":
            return json.dumps(windows).encode()
        if request == b"j/activewindow":
            return json.dumps({"address": active()}).encode()
        return b"ok"
    return answer


def niri(windows):
    def answer(request):
        return json.dumps({"Ok": {"Windows": windows()} if request == b'"Windows"\n' else "Handled"}).encode() + b"\n"
    return answer


def i3(tree):
    def answer(request):
        kind = struct.unpack("=I", request[10:14])[0]
        body = json.dumps(tree if kind == 4 else [{"success": True}]).encode()
        return b"i3-ipc" + struct.pack("=II", len(body), kind) + body
    return answer


class OnOthers(FocusTest):
    """The windows are those of this process, which the CLIs are children of, and of process 1, which is nobody's terminal."""

    def test_hyprland(self):
        me, windows, active = os.getpid(), [], "0x2"
        with Desk(HYPRLAND_INSTANCE_SIGNATURE="sig") as desk:
            desk.open("s1")
            windows += [{"address": "0x1", "pid": me, "title": "a"}, {"address": "0x2", "pid": 1, "title": "b"}]
            with Peer(desk.dir / "hypr" / "sig" / ".socket.sock", hyprland(windows, lambda: active)) as peer:
                self.expect_silent(desk.focus("--check", "s1"), 1)
                self.expect_silent(desk.focus("s1"), 0)
                self.assertEqual(peer.asked[-1], b"dispatch focuswindow address:0x1")
                active = "0x1"
                self.expect_silent(desk.focus("--check", "s1"), 0)
                asked = len(peer.asked)
                self.expect(desk.focus("--print", "s1"), 0, "Hyprland would be told: dispatch focuswindow address:0x1")
                self.assertEqual(peer.asked[asked:], [b"j/clients"])
                windows[0]["pid"] = 1
                self.expect(desk.focus("s1"), 2, "Hyprland has no window of its process")

    def test_niri(self):
        windows = [{"id": 7, "pid": os.getpid(), "title": "a", "is_focused": False}, {"id": 8, "pid": None, "is_focused": True}]
        with Desk() as desk:
            path = desk.dir / "niri.sock"
            desk.open("s1")
            with Peer(path, niri(lambda: windows)) as peer:
                self.expect_silent(desk.focus("--check", "s1", NIRI_SOCKET=str(path)), 1)
                self.expect_silent(desk.focus("s1", NIRI_SOCKET=str(path)), 0)
                self.assertEqual(json.loads(peer.asked[-1]), {"Action": {"FocusWindow": {"id": 7}}})
                windows[0]["is_focused"] = True
                self.expect_silent(desk.focus("--check", "s1", NIRI_SOCKET=str(path)), 0)
                peer.answer = lambda request: b'{"Err":"no such thing"}\n'
                self.expect(desk.focus("s1", NIRI_SOCKET=str(path)), 2, "niri says nothing")
                peer.answer = lambda request: b'{"Ok":{"Windows":[' + b"[" * 100000 + b"\n"
                self.expect(desk.focus("s1", NIRI_SOCKET=str(path)), 2, "niri says nothing")

    def test_i3(self):
        tree = {"id": 1, "window": None, "floating_nodes": [], "nodes": [
            {"id": 2, "window": 41, "focused": True, "nodes": [], "floating_nodes": []},
            {"id": 3, "window": 42, "focused": False, "nodes": [], "floating_nodes": []}]}
        with Desk() as desk:
            desk.programs(xdotool=f'[ "$1 $2" = "getwindowpid 42" ] && echo {os.getpid()}', wmctrl="exit 1")
            env = {"I3SOCK": str(desk.dir / "i3.sock"), "DISPLAY": ":0"}
            desk.open("s1", WINDOWID="42", **env)
            with Peer(env["I3SOCK"], i3(tree)) as peer:
                self.expect_silent(desk.focus("s1", **env), 0)
                self.assertEqual(peer.asked[-1][14:], b"[con_id=3] focus")
                self.expect_silent(desk.focus("--check", "s1", **env), 1)

    def test_x11(self):
        with Desk(DISPLAY=":0") as desk:
            desk.open("s1")
            desk.programs(wmctrl=f'[ "$1" = -l ] && echo "0x2a  0 {os.getpid()} host a title"', xdotool="exec echo 43")
            self.expect_silent(desk.focus("s1"), 0)
            self.assertEqual(desk.calls()[-1], "xdotool windowactivate 0x2a")
            self.expect_silent(desk.focus("--check", "s1"), 1)
            desk.programs(xdotool="exec echo 42")
            self.expect_silent(desk.focus("--check", "s1"), 0)
            desk.programs(xdotool="exit 1")
            self.expect(desk.focus("s1"), 2, "could not be brought to the front")

    def test_kitty(self):
        """Two windows of the system, one process: kitty tells which it is, and is told which of its tabs to show."""
        me = os.getpid()
        windows = [{"id": 7, "pid": me, "title": "tab two", "is_focused": True}, {"id": 8, "pid": me, "title": "elsewhere", "is_focused": False}]
        with Desk() as desk:
            env = {"NIRI_SOCKET": str(desk.dir / "niri.sock")}
            cli = desk.open("s1", KITTY_WINDOW_ID="3", KITTY_LISTEN_ON="unix:/tmp/kitty")
            tabs = [{"is_active": False, "windows": [{"id": 3, "is_active": True, "title": "mine", "pid": cli.pid}]},
                    {"is_active": True, "windows": [{"id": 4, "is_active": True, "title": "tab two", "pid": 1}]}]
            listing = [{"id": 1, "platform_window_id": None, "tabs": tabs}]
            (desk.dir / "ls.json").write_text(json.dumps(listing))
            desk.programs(kitten=f"cat {desk.dir}/ls.json")
            with Peer(env["NIRI_SOCKET"], niri(lambda: windows)) as peer:
                self.expect_silent(desk.focus("--check", "s1", **env), 1)
                self.expect_silent(desk.focus("s1", **env), 0)
                self.assertEqual(json.loads(peer.asked[-1])["Action"]["FocusWindow"]["id"], 7)
                self.assertEqual(desk.calls()[-1], "kitten @ --to unix:/tmp/kitty focus-window --match id:3")
                tabs[0]["is_active"], tabs[1]["is_active"], windows[0]["title"] = True, False, "mine"
                (desk.dir / "ls.json").write_text(json.dumps(listing))
                self.expect_silent(desk.focus("--check", "s1", **env), 0)
                # Another kitty has such a window, too: its variables were passed on to what was started in it.
                tabs[0]["windows"][0]["pid"] = 1
                (desk.dir / "ls.json").write_text(json.dumps(listing))
                desk.calls()
                self.expect(desk.focus("s1", **env), 2, "several windows of one process")
                self.assertNotIn("focus-window", " ".join(desk.calls()))

    def test_wezterm(self):
        me, active = os.getpid(), "0x2"
        windows = [{"address": "0x1", "pid": me, "title": "one"}, {"address": "0x2", "pid": me, "title": "two"}]
        with Desk(HYPRLAND_INSTANCE_SIGNATURE="sig") as desk:
            desk.open("s1", WEZTERM_PANE="5", WEZTERM_UNIX_SOCKET="/tmp/wez")
            desk.programs(wezterm=f'echo "$WEZTERM_UNIX_SOCKET" >{desk.dir}/socket\n'
                          'case "$2" in list) echo \'[{"pane_id":5,"window_title":"two"}]\';; list-clients) cat focused.json;; esac')
            (desk.dir / "focused.json").write_text('[{"focused_pane_id":6}]')
            with Peer(desk.dir / "hypr" / "sig" / ".socket.sock", hyprland(windows, lambda: active)) as peer:
                self.expect_silent(desk.focus("--check", "s1"), 1)
                self.expect_silent(desk.focus("s1"), 0)
                self.assertIn(b"dispatch focuswindow address:0x2", peer.asked)
                self.assertEqual(desk.calls()[-1], "wezterm cli activate-pane --pane-id 5")
                self.assertEqual((desk.dir / "socket").read_text(), "/tmp/wez\n")
                (desk.dir / "focused.json").write_text('[{"focused_pane_id":5}]')
                self.expect_silent(desk.focus("--check", "s1"), 0)


class WhenItCannot(FocusTest):
    def test_it_says_why(self):
        with Desk() as desk:
            cli = desk.open("s1")
            self.expect(desk.focus("s1"), 2, "there is no window manager that can be asked")
            self.expect(desk.focus("s1", WAYLAND_DISPLAY="w", XDG_CURRENT_DESKTOP="GNOME"), 2, "GNOME lets no other program")
            self.expect(desk.focus("s1", SWAYSOCK="/nonexistent", WAYLAND_DISPLAY="w"), 2, "this compositor lets")
            self.expect(desk.focus("nobody"), 1, "no session 'nobody'")
            self.expect_silent(desk.focus("--check", "nobody"), 2)
            self.expect_silent(desk.focus("--check", "s1"), 2)
            cli.kill()
            self.expect(desk.focus("s1"), 2, f"its process {cli.pid} is gone")
            for args in ((), ("a", "b"), ("--next", "a"), ("--check", "--print", "a")):
                self.expect(desk.focus(*args), 2)
            desk.stop()
            self.expect(desk.focus("--timeout", "50ms", "s1"), 1, "no broker")

    def test_a_window_manager_that_hangs(self):
        with Desk() as desk, socket.socket(socket.AF_UNIX) as silent:
            path = str(desk.dir / "niri.sock")
            silent.bind(path)
            silent.listen(8)
            desk.open("s1")
            begin = time.monotonic()
            self.expect(desk.focus("s1", NIRI_SOCKET=path), 2)
            if not SANITIZED:
                self.assertLess(time.monotonic() - begin, 3)


if __name__ == "__main__":
    unittest.main()
