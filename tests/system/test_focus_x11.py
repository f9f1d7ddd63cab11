#!/usr/bin/env python3
"""`agentbus focus` on a real X server: by the socket of i3, and by xdotool as with any other window manager."""
import unittest

from sway import Desk, needs
from test_focus import FocusTest

# A terminal as far as this is about one: a window, and a program in it. What is not to be told of it is in $WITHOUT.
TERMINAL = """import ctypes, os, signal, subprocess, sys
x11 = ctypes.CDLL("libX11.so.6")
x11.XOpenDisplay.restype = ctypes.c_void_p
for name in ("XDefaultRootWindow", "XCreateSimpleWindow", "XInternAtom"):
    getattr(x11, name).restype = ctypes.c_ulong
long, display = ctypes.c_ulong, ctypes.c_void_p(x11.XOpenDisplay(None))
window = x11.XCreateSimpleWindow(display, long(x11.XDefaultRootWindow(display)), 0, 0, 200, 100, 0, long(0), long(0))
without = os.environ.get("WITHOUT", "")
if without != "pid":
    atom, cardinal = x11.XInternAtom(display, b"_NET_WM_PID", 0), 6
    x11.XChangeProperty(display, long(window), long(atom), long(cardinal), 32, 0, (long * 1)(os.getpid()), 1)
x11.XMapWindow(display, long(window))
x11.XSync(display, 0)
child = subprocess.Popen(sys.argv[1:], env=os.environ if without == "number" else {**os.environ, "WINDOWID": str(window)})
signal.signal(signal.SIGTERM, lambda *_: child.kill())
child.wait()
"""


class OnX11(FocusTest):
    def setUp(self):
        needs("Xvfb", "i3", "xdotool")
        self.desk = self.enterContext(Desk())
        (self.desk.dir / "terminal.py").write_text(TERMINAL)
        (self.desk.dir / "i3.conf").write_text('# i3 config file (v4)\nexec --no-startup-id echo "socket $I3SOCK"\n')
        server = self.desk.launch(["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24"])
        self.desk.env["DISPLAY"] = ":" + server.wait_for(str.isdigit)
        manager = self.desk.launch(["i3", "-c", self.desk.dir / "i3.conf"])
        self.socket = manager.wait_for(lambda line: line.startswith("socket ")).split()[1]

    def check_both(self, **env):
        desk = self.desk
        for session in ("one", "two"):
            desk.open(session, "python3", desk.dir / "terminal.py", **env)
        for session, other in (("one", "two"), ("two", "one"), ("one", "two")):
            self.expect_silent(desk.focus(session), 0)
            self.expect_silent(desk.focus("--check", session), 0)
            self.expect_silent(desk.focus("--check", other), 1)

    def test_i3(self):
        self.desk.env["I3SOCK"] = self.socket
        self.check_both()

    def test_i3_and_windows_that_tell_no_process(self):
        self.desk.env["I3SOCK"] = self.socket
        self.check_both(WITHOUT="pid")

    def test_any_window_manager(self):
        self.check_both()

    def test_terminals_that_tell_no_number(self):
        self.check_both(WITHOUT="number")


if __name__ == "__main__":
    unittest.main()
