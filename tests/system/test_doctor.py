#!/usr/bin/env python3
"""agentbus doctor on a real broker: what is configured, what arrives, what is missing, and that its advice mends it."""
import json
import os
import re
import unittest

from harness import Broker, Sandbox, recording

CLIS = ("claude", "codex", "gemini", "qwen")


class Home:
    """What a Broker or Sandbox has beside: agentbus in PATH, and no CLI."""

    def __enter__(self):
        box = super().__enter__()
        (self.dir / "bin").mkdir()
        (self.dir / "bin" / "agentbus").symlink_to(self.program("agentbus"))
        self.env["PATH"] = f"{self.dir}/bin:/usr/bin:/bin"
        for name in [n for n in self.env if n.startswith(("CLAUDE_", "CODEX_", "GEMINI_", "QWEN_"))]:
            del self.env[name]
        return box

    def put(self, name, text):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def install(self, name, package=None):
        """A program that must not be run."""
        path = self.put(f"lib/{name}/bin/{name}.js", "#!/bin/sh\ntouch \"$HOME/was-run\"\n")
        path.chmod(0o755)
        if package:
            self.put(f"lib/{name}/package.json", json.dumps({"name": name, "version": package}))
        (self.dir / "bin" / name).symlink_to(path)

    def setup(self, *args):
        done = self.run("agentbus", "setup", *args, "--endpoint", f"http://127.0.0.1:{getattr(self, 'port', 0) or 4318}")
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)

    def doctor(self, status=None, env=None):
        done = self.run("agentbus", "doctor", "--json", "--timeout", "1s" if not getattr(self, "port", None) else "10s", env=env)
        found = json.loads(done.stdout)
        if done.returncode != (0 if found["well"] else 1) or done.returncode != (done.returncode if status is None else status):
            raise AssertionError((done.returncode, done.stdout, done.stderr))
        return found, {c["name"]: c for c in found["clis"]}


class HomeBroker(Home, Broker):
    pass


class HomeSandbox(Home, Sandbox):
    pass


class Doctor(unittest.TestCase):
    def test_nobody_is_there(self):
        with HomeSandbox() as box:
            found, clis = box.doctor(status=1)
            self.assertEqual((found["broker"]["running"], found["broker"]["runtime_dir"]), (False, str(box.runtime)))
            self.assertEqual([(c["there"], c["connected"], c["mend"]) for c in clis.values()], [(False, False, None)] * 4)
            text = box.run("agentbus", "doctor", "--timeout", "1s").stdout
            self.assertIn("systemctl --user start agentbusd", text)
            self.assertEqual(text.count("not installed"), 4)

    def test_without_a_runtime_directory(self):
        """It names what is missing, and no directory that nobody has ever thought of."""
        with HomeSandbox() as box:
            told = box.run("agentbus", "doctor", env={"XDG_RUNTIME_DIR": "", "AGENTBUS_RUNTIME_DIR": ""}).stdout
            self.assertIn("no, not at $XDG_RUNTIME_DIR/agentbus", told)
            self.assertIn("XDG_RUNTIME_DIR is not set", told)

    def test_all_that_is_set_up_is_well(self):
        with HomeBroker() as broker:
            broker.setup(*CLIS, "--apply")
            found, clis = broker.doctor(status=0)
            self.assertEqual(found["broker"]["addresses"], [f"127.0.0.1:{broker.port}"])
            self.assertEqual(found["broker"]["agentbus"], str(broker.dir / "bin" / "agentbus"))
            self.assertRegex(found["broker"]["version"], r"^\d")
            for c in clis.values():
                self.assertTrue(c["connected"] and c["well"], c)
                self.assertEqual((c["telemetry"]["there"], c["hooks"]["there"]), (c["telemetry"]["wanted"], c["hooks"]["wanted"]))
                self.assertEqual((c["mend"], c["arrived"]["logs"]["count"]), (None, 0))

    def test_what_arrives(self):
        with HomeBroker() as broker:
            broker.setup("claude", "--apply")
            broker.post_recording(recording("claude/interactive"))
            for event in ("UserPromptSubmit", "Stop"):
                broker.run("agentbus", "emit", input=json.dumps({"session_id": "s", "hook_event_name": event}))
            _, clis = broker.doctor(status=0)
            arrived = clis["claude"]["arrived"]
            self.assertTrue(all(arrived[kind]["count"] > 0 and arrived[kind]["last"] for kind in ("logs", "traces", "metrics")), arrived)
            self.assertEqual(arrived["hooks"]["count"], 2)
            self.assertEqual(clis["claude"]["sessions"], sum(s["provider"] == "claude-code" and not s["ended"] and not s["auxiliary"]
                                                             for s in broker.sessions().values()))
            self.assertEqual([k for c in CLIS[1:] for k in clis[c]["arrived"].values() if k["count"] or k["last"]], [])
            self.assertRegex(broker.run("agentbus", "doctor").stdout, r"arrived +logs \S+ ago, traces \S+ ago, metrics \S+ ago, hooks \S+ ago; ")

    def test_what_is_silent(self):
        with HomeBroker() as broker:
            broker.setup("claude", "--apply")
            broker.post_recording(recording("claude/interactive"))
            self.assertIn("its hooks have not told anything", broker.run("agentbus", "doctor").stdout)

    def test_its_advice_mends(self):
        with HomeBroker() as broker:
            for name in ("claude", "codex", "gemini", "qwen"):
                (broker.dir / f".{name}").mkdir()
            broker.setup("claude", "--no-hooks", "--apply")
            path = broker.put(".codex/hooks.json", '{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "agentbus emit"}]}]}}')
            _, clis = broker.doctor(status=1)
            self.assertTrue(clis["claude"]["well"])
            self.assertEqual((clis["codex"]["hooks"]["there"], clis["codex"]["well"]), (1, False))
            for c in clis.values():
                verb, *args = c["mend"].split()
                self.assertEqual(verb, "agentbus")
                done = broker.run("agentbus", *args)
                self.assertEqual(done.returncode, 0, done.stderr)
            found, clis = broker.doctor(status=0)
            self.assertEqual([c["mend"] for c in clis.values()], [None] * 4)
            self.assertEqual(path.read_text().count("agentbus emit"), 12)

    def test_what_is_wrong(self):
        with HomeBroker() as broker:
            broker.setup("claude", "codex", "gemini", "--apply")
            path = broker.dir / ".claude/settings.json"
            path.write_text(path.read_text().replace(str(broker.port), "1"))
            broker.put(".codex/config.toml", "a = 1\nb = [\n")
            _, clis = broker.doctor(status=1)
            self.assertEqual([c["what"] for c in clis["claude"]["files"][0]["conflicts"]], ["env.OTEL_EXPORTER_OTLP_ENDPOINT"])
            self.assertIn("line 2: ", clis["codex"]["files"][0]["fault"])
            self.assertIn("config.toml", clis["codex"]["mend"])
            self.assertTrue(clis["gemini"]["well"])
            text = broker.run("agentbus", "doctor").stdout
            self.assertIn('env.OTEL_EXPORTER_OTLP_ENDPOINT is "http://127.0.0.1:1"', text)

    def test_environment(self):
        with HomeBroker() as broker:
            (broker.dir / ".codex").mkdir()
            here = f"http://127.0.0.1:{broker.port}"
            on = {"CLAUDE_CODE_ENABLE_TELEMETRY": "1", "OTEL_LOGS_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "otlp",
                  "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_ENDPOINT": here,
                  "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1", "OTEL_TRACES_EXPORTER": "otlp"}
            _, clis = broker.doctor(env=on)
            self.assertTrue(clis["claude"]["telemetry_by_environment"] and clis["claude"]["connected"])
            broker.setup("claude", "codex", "--apply")
            _, clis = broker.doctor(status=1, env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://user:pw@x:1", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"})
            self.assertEqual(clis["claude"]["environment"], {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://***@x:1"})
            self.assertEqual(list(clis["codex"]["environment"]), ["OTEL_EXPORTER_OTLP_COMPRESSION"])
            self.assertEqual(clis["claude"]["mend"], "unset OTEL_EXPORTER_OTLP_ENDPOINT")

    def test_programs_are_looked_at_and_not_run(self):
        with HomeBroker() as broker:
            broker.install("codex", "0.169.0")
            broker.install("gemini")
            versions = broker.put("share/claude/versions/2.1.330", "#!/bin/sh\ntouch \"$HOME/was-run\"\n")
            versions.chmod(0o755)
            (broker.dir / "bin" / "claude").symlink_to(versions)
            _, clis = broker.doctor()
            self.assertEqual([clis[c]["version"] for c in CLIS], ["2.1.330", "0.169.0", None, None])
            self.assertEqual([bool(clis[c]["program"]) for c in CLIS], [True, True, True, False])
            self.assertFalse((broker.dir / "was-run").exists())

    def test_no_secret_is_shown(self):
        with HomeBroker() as broker:
            broker.put(".claude/settings.json", '{"env": {"OTEL_LOGS_EXPORTER": "sk-ant-canary4canary4"}}')
            text = broker.run("agentbus", "doctor").stdout + broker.run("agentbus", "doctor", "--json").stdout
            self.assertNotIn("canary", text)
            self.assertTrue(re.search(r"conflict .*OTEL_LOGS_EXPORTER", text), text)


if __name__ == "__main__":
    unittest.main()
