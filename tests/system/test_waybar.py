"""The module of contrib/waybar in a real waybar on a real, headless sway: what it looks like in each state, and its clicks.

Each state gets a background of its own here, so that a picture tells which class the module has; a fake `agentbus` in PATH tells
what was run.
"""
import os
import shutil
import subprocess
import time
import unittest

from harness import PATIENCE, REPO, Broker, Process
from test_panel_formats import Story
from wayland_pointer import Pointer

WAYBAR = REPO / "contrib" / "waybar"
WIDTH, HEIGHT, BAR = 400, 60, 30
COLOURS = {"working": (1, 2, 253), "failed": (253, 1, 2), "waiting": (254, 200, 1), "completed": (1, 253, 200), "disconnected": (90, 1, 90)}


def command_of_sway():
    """It does not run as root; within a user namespace without that it does."""
    if os.geteuid() != 0:
        return ["sway"]
    if subprocess.run(["unshare", "-U", "true"], capture_output=True).returncode != 0:
        raise unittest.SkipTest("sway does not run as root")
    return ["unshare", "-U", "sway"]


@unittest.skipUnless(all(map(shutil.which, ("sway", "waybar", "grim"))), "no sway, waybar or grim")
class RealWaybar(unittest.TestCase):
    def setUp(self):
        self.broker = self.enterContext(Broker())
        self.story = self.enterContext(Story(self.broker))
        self.env = {**self.broker.env, "WLR_BACKENDS": "headless", "WLR_LIBINPUT_NO_DEVICES": "1", "WLR_RENDERER": "pixman",
                    "LC_ALL": "C.UTF-8", "DISPLAY": "", "WAYLAND_DISPLAY": "", "SWAYSOCK": "", "GTK_USE_PORTAL": "0"}
        self.clicked = self.broker.dir / "clicked"
        self.programs()
        self.configure()
        config = self.broker.dir / "sway.conf"
        config.write_text(f'xwayland disable\noutput * resolution {WIDTH}x{HEIGHT}\nexec echo "socket $WAYLAND_DISPLAY"\n')
        sway = self.launch(*command_of_sway(), "-c", config)
        self.env["WAYLAND_DISPLAY"] = sway.wait_for(lambda line: line.startswith("socket ")).split()[1]
        # Before waybar, which takes some time to notice a mouse that is new.
        self.pointer = self.enterContext(Pointer(self.broker.dir / self.env["WAYLAND_DISPLAY"]))

    def launch(self, *argv):
        name = f"{os.path.basename(str(argv[0]))}-{len(self.broker.processes)}"
        process = Process(argv, self.env, self.broker.dir / f"{name}.stderr", cwd=self.broker.dir)
        self.addCleanup(process.stop, expect=None)
        return process

    def programs(self):
        """PATH with our eww-subscriber, and an agentbus that only says how it was called."""
        directory = self.broker.dir / "bin"
        directory.mkdir()
        (directory / "eww-subscriber").symlink_to(self.broker.program("eww-subscriber"))
        fake = directory / "agentbus"
        fake.write_text(f'#!/bin/sh\necho "$*" >>{self.clicked}\n')
        fake.chmod(0o755)
        self.env["PATH"] = f"{directory}:{self.env['PATH']}"

    def configure(self):
        directory = self.broker.dir / "config" / "waybar"
        shutil.copytree(WAYBAR, directory / "agentbus")
        (directory / "config").write_text(
            f'{{"height": {BAR}, "include": ["{directory}/agentbus/agentbus.jsonc"], "modules-left": ["custom/agentbus"]}}')
        rules = "".join(f"#custom-agentbus.{state} {{ background-color: rgb{colour}; }}\n" for state, colour in COLOURS.items())
        (directory / "style.css").write_text(f'@import "agentbus/style.css";\nwindow#waybar {{ background: #000000; }}\n{rules}')

    def picture(self):
        done = subprocess.run(["grim", "-g", f"0,0 {WIDTH}x{BAR}", "-t", "ppm", "-"], env=self.env, capture_output=True)
        pixels = done.stdout[-WIDTH * BAR * 3:]
        return {tuple(pixels[i:i + 3]) for i in range(0, len(pixels), 3)}

    def expect(self, state):
        """Waits until the bar shows the colour of that state alone; None: until it shows the bar and no module."""
        wanted = {COLOURS[state]} if state else set()
        until = time.monotonic() + PATIENCE
        while True:
            seen = self.picture()
            if (0, 0, 0) in seen and seen & set(COLOURS.values()) == wanted:
                return
            self.assertLess(time.monotonic(), until, f"{state}: {sorted(seen)[:40]} {self.waybar.stderr()[-2000:]}")

    def expect_click(self, button, *lines):
        self.pointer.move(20, BAR // 2, WIDTH, HEIGHT)
        self.pointer.click(button)
        until = time.monotonic() + PATIENCE
        while not self.clicked.exists() or self.clicked.read_text().splitlines() != list(lines):
            self.assertLess(time.monotonic(), until, self.clicked.exists() and self.clicked.read_text())
            time.sleep(0.01)

    def test_states_and_clicks(self):
        self.waybar = self.launch("waybar")
        self.expect(None)
        self.story.work("s1")
        self.expect("working")
        self.story.tell("Stop", "s1")
        self.expect("completed")
        self.story.tell("StopFailure", "s2", project="R&D <b>", error="server_error")
        self.expect("failed")
        self.story.work("s2", project="R&D <b>")
        self.story.wait("s2", project="R&D <b>")
        self.expect("waiting")
        self.expect_click("left", "focus --next")
        self.expect_click("right", "focus --next", "ack --all")
        self.broker.kill()
        self.expect(None)
        self.broker.start_daemon()
        self.expect("waiting")
        # GTK says so when it cannot read a style or a tooltip.
        self.assertNotRegex(self.waybar.stderr(), r"(?i)pango|markup|css|theme parsing")


if __name__ == "__main__":
    unittest.main()
