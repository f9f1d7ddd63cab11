"""The OpenTelemetry SDK for JavaScript, which three of the CLIs export with, delivers by each of its exporters to each port.

Its packages are fetched once by npm, in the versions of otel-js/package.json, into otel-js/ of the build directory. Without
npm, or where the packages cannot be had, the tests are skipped.
"""
import json
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import BUILD, Broker

SOURCE = Path(__file__).resolve().parent / "otel-js"
PROTOCOLS, SIGNALS, COMPRESSIONS = ("grpc", "http/protobuf", "http/json"), ("logs", "traces", "metrics"), ("none", "gzip")
INSTALL = ("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error",
           "--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=2000")
INSTALL_SECONDS, EXPORT_SECONDS = 240, 120


def last_words(text):
    return " ".join(text.split())[-300:]


def packages():
    """The directory in which the SDK is installed; skips if there is no way."""
    if not shutil.which("npm") or not shutil.which("node"):
        raise unittest.SkipTest("no npm or no node")
    wanted = (SOURCE / "package.json").read_text()
    home, mark = BUILD / "otel-js", BUILD / "otel-js" / "installed.json"
    if not mark.exists() or mark.read_text() != wanted:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        shutil.copy(SOURCE / "package.json", home)
        try:
            done = subprocess.run(INSTALL, cwd=home, stdin=subprocess.DEVNULL, text=True, capture_output=True, timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            raise unittest.SkipTest(f"npm did not get the packages within {INSTALL_SECONDS} s")
        if done.returncode != 0:
            raise unittest.SkipTest(f"npm cannot get the packages: {last_words(done.stderr)}")
        mark.write_text(wanted)
    shutil.copy(SOURCE / "export.mjs", home)
    return home


class Sdk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = packages()
        cls.broker = cls.enterClassContext(Broker(listen=("127.0.0.1:0", "127.0.0.1:0")))
        cls.sent = [row for i, port in enumerate(cls.broker.ports) for row in cls.export(f"http://127.0.0.1:{port}", f"port{i}")]
        cls.sessions = cls.broker.sessions()

    @classmethod
    def export(cls, url, prefix):
        # The SDK is told all that it needs: what OTEL_* or a proxy of the person's might say must not matter.
        env = {k: v for k, v in cls.broker.env.items() if not k.lower().endswith("_proxy")}
        done = subprocess.run(["node", cls.home / "export.mjs", url, prefix], env=env, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=EXPORT_SECONDS)
        if done.returncode != 0 or done.stderr:
            raise AssertionError(f"export.mjs: {done.returncode}: {done.stderr[-2000:]}")
        return json.loads(done.stdout)

    def test_everything_was_sent(self):
        want = {(f"port{i}", p, s, c) for i in (0, 1) for p in PROTOCOLS for s in SIGNALS for c in COMPRESSIONS}
        self.assertEqual({(r["session"].split("-")[0], r["protocol"], r["signal"], r["compression"]) for r in self.sent}, want)
        self.assertEqual(len(self.sent), len(want))

    def check(self, protocol):
        for row in self.sent:
            if row["protocol"] != protocol:
                continue
            with self.subTest(row["session"]):
                self.assertEqual(row["errors"], [])
                if row["signal"] == "metrics":
                    continue  # a measurement begins no session
                session = self.sessions[row["session"]]
                self.assertEqual({k: session[k] for k in ("provider", "requests", "input_tokens", "output_tokens", "model")},
                                 {"provider": "genai", "requests": 1, "input_tokens": 120, "output_tokens": 30, "model": "gpt-6-2026-09-01"})

    def test_grpc(self):
        self.check("grpc")

    def test_http_protobuf(self):
        self.check("http/protobuf")

    def test_http_json(self):
        self.check("http/json")

    def test_nothing_else_appears(self):
        self.assertEqual(set(self.sessions), {r["session"] for r in self.sent if r["signal"] != "metrics"})

    def test_broker_had_nothing_to_complain_of(self):
        self.assertNotIn("warning", self.broker.daemon.stderr())
        self.assertNotIn("error", self.broker.daemon.stderr())


if __name__ == "__main__":
    unittest.main()
