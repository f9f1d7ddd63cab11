"""`make install`: what lands where, that strangers can build against it, and that uninstall leaves nothing."""
import os
import shutil
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import BUILD, REPO, Broker

ALWAYS = """
bin/agentbus
bin/agentbusd
bin/eww-subscriber
bin/log-subscriber
bin/notify-subscriber
include/agentbus.h
lib/libagentbus.a
lib/libagentbus.so
lib/libagentbus.so.0
lib/libagentbus.so.0.1.0
lib/pkgconfig/agentbus.pc
lib/systemd/user/agentbusd.service
libexec/agentbus/agentbus-verbs
share/agentbus/pricing/models.json
share/agentbus/proto/agentbus/v1/agentbus.proto
share/icons/hicolor/scalable/apps/agentbus.svg
share/icons/hicolor/symbolic/apps/agentbus-symbolic.svg
""".split()
# Names of which there may be more: documentation and samples.
MORE = ("share/man/", "share/agentbus/", "share/bash-completion/", "share/zsh/", "share/fish/", "share/applications/", "share/icons/hicolor/symbolic/apps/",
        "lib/systemd/user/")


def make(*args):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    build = os.path.relpath(BUILD, REPO)
    done = subprocess.run(["make", "--no-print-directory", f"BUILD={build}", *args], cwd=REPO, env=env, text=True, capture_output=True)
    if done.returncode != 0:
        raise AssertionError(f"make {args}: {done.stdout[-1000:]}{done.stderr[-3000:]}")
    return done.stdout


@unittest.skipIf(os.environ.get("AGENTBUS_SANITIZED"), "the sanitizer build is not installed")
class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="ab-install-")))
        make("install", f"DESTDIR={cls.root}", "PREFIX=/usr")
        cls.usr = cls.root / "usr"

    def installed(self):
        return sorted(str(p.relative_to(self.usr)) for p in self.usr.rglob("*") if not p.is_dir() or p.is_symlink())

    def test_what_is_installed(self):
        files = self.installed()
        self.assertEqual([f for f in ALWAYS if f not in files], [])
        self.assertEqual([f for f in files if f not in ALWAYS and not f.startswith(MORE)], [])
        self.assertEqual(files, sorted(make("install-list").split()))

    def test_modes(self):
        for name in self.installed():
            mode = stat.S_IMODE((self.usr / name).stat().st_mode)
            program = name.startswith(("bin/", "libexec/")) or ".so" in name
            self.assertEqual(mode, 0o755 if program else 0o644, name)

    def test_man_pages(self):
        if not shutil.which("scdoc"):
            self.skipTest("no scdoc")
        for program in ("agentbusd", "agentbus", "eww-subscriber", "log-subscriber", "notify-subscriber"):
            self.assertTrue((self.usr / f"share/man/man1/{program}.1").exists(), program)

    def test_nothing_is_left_to_fill_in(self):
        for name in self.installed():
            if not name.startswith(("bin/", "libexec/", "lib/libagentbus")) and not name.endswith(".png"):
                text = (self.usr / name).read_text()
                self.assertNotRegex(text, r"@[A-Z_]+@", name)
                self.assertNotIn(str(self.root), text, name)

    def test_programs_run_from_there(self):
        for program in ("agentbusd", "agentbus", "eww-subscriber", "log-subscriber", "notify-subscriber"):
            done = subprocess.run([self.usr / "bin" / program, "--version"], text=True, capture_output=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("0.1.0", done.stdout)

    def test_library_exports_only_its_interface(self):
        names = subprocess.run(["nm", "-D", "--defined-only", self.usr / "lib/libagentbus.so.0"], text=True, capture_output=True, check=True).stdout
        exported = {line.split()[-1].partition("@")[0] for line in names.splitlines() if " A " not in line}
        self.assertTrue(exported)
        self.assertEqual({n for n in exported if not n.startswith("agentbus_")}, set())

    def build_example(self, *flags):
        env = {**os.environ, "PKG_CONFIG_PATH": str(self.usr / "lib/pkgconfig"), "PKG_CONFIG_SYSROOT_DIR": str(self.root),
               # /usr is a place of the system's for pkg-config: without these it would leave out our -I and -L.
               "PKG_CONFIG_ALLOW_SYSTEM_CFLAGS": "1", "PKG_CONFIG_ALLOW_SYSTEM_LIBS": "1"}
        say = subprocess.run(["pkg-config", "--cflags", "--libs", "agentbus", *flags], env=env, text=True, capture_output=True, check=True)
        sources = sorted((REPO / "contrib" / "examples").glob("*.c"))
        self.assertTrue(sources, "no C example")
        program = self.root / "example"
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-o", program, *sources, *say.stdout.split()], check=True)
        return program

    def test_example_builds_and_sees_sessions(self):
        import otlp
        program = self.build_example()
        with Broker() as broker:
            env = {**broker.env, "LD_LIBRARY_PATH": str(self.usr / "lib")}
            with open(broker.dir / "out", "w+") as out:
                example = subprocess.Popen(["stdbuf", "-oL", program], env=env, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
                try:
                    for _ in range(200):
                        broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("example"), otlp.claude_request("example")))
                        if "example" in (broker.dir / "out").read_text():
                            break
                        self.assertIsNone(example.poll(), (broker.dir / "out").read_text())
                finally:
                    example.terminate()
                    example.wait()
            self.assertIn("example", (broker.dir / "out").read_text())

    def test_uninstall(self):
        with tempfile.TemporaryDirectory(prefix="ab-install-") as root:
            make("install", f"DESTDIR={root}", "PREFIX=/opt/x")
            self.assertTrue((Path(root) / "opt/x/bin/agentbusd").exists())
            make("uninstall", f"DESTDIR={root}", "PREFIX=/opt/x")
            self.assertEqual([p for p in Path(root).rglob("*") if not p.is_dir()], [])


if __name__ == "__main__":
    unittest.main()
