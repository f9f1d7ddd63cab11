#!/usr/bin/env python3
"""agentbus setup: configuration files of the CLIs in many odd forms, what is shown, written and taken back; Python's own json and
tomllib judge what the files mean."""
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import tomllib
import unittest
from pathlib import Path

from harness import Sandbox

HTTP = "http://127.0.0.1:4318"
FILES = {"claude": [".claude/settings.json"], "codex": [".codex/config.toml", ".codex/hooks.json"],
         "gemini": [".gemini/settings.json"], "qwen": [".qwen/settings.json"]}

CLAUDE = """{
  "$schema": "https://json.schemastore.org/claude-code-settings.json",
  "env": {
    "ANTHROPIC_MODEL": "opus"
  },
  "permissions": {"allow": ["Bash(git log:*)", "Read(./**)"], "deny": []},
  "hooks": {
    "PreToolUse": [
      {
        "matcher": "Bash",
        "hooks": [{"type": "command", "command": "~/bin/check \\"$1\\"", "timeout": 5}]
      }
    ],
    "Stop": [{"hooks": [{"type": "command", "command": "say done"}]}]
  },
  "statusLine": {"type": "command", "command": "date"}
}
"""
JSON_FORMS = {
    "missing": None, "empty": "", "blank": "\n", "braces": "{}", "one line": '{"model":"x","env":{"A":"b"},"hooks":{"Stop":[]}}',
    "spaces": '{ "model" : "x" , "list" : [ 1,2 ] }\n', "real": CLAUDE, "crlf": CLAUDE.replace("\n", "\r\n"),
    "tabs": CLAUDE.replace("  ", "\t"), "no newline": CLAUDE.rstrip("\n"), "mark": "\ufeff" + CLAUDE,
    "odd": '{\n"model":\n   "x",\n\n\n      "hooks":{"Stop":[ ]\n,\n"x":1}}\n\n\n',
    "escapes": '{"mod\\u0065l": "\\ud83d\\ude00\\u00e9 \\/ \\" \\\\", "h\\u006foks": {"Stop": [{"x": [[], {}, -1.5e-3, true, null]}]}}',
    "twice": '{\n  "model": "a",\n  "model": "b",\n  "env": {"A": "1"},\n  "env": {"A": "2"}\n}\n', "utf8": '{"name": "Zoë – ∂"}',
}
COMMENTS = """// mine
{
  /* general */
  "general": { "vimMode": true }, // "not": "this"
  "telemetry": {
    "enabled": true, // yes
    // "otlpEndpoint": "http://example.com"
  },
  "hooks": {
    "BeforeTool": [
      { "matcher": "write_file", "hooks": [{ "type": "command", "command": "x" }] }, // mine
    ],
    "Notification": [ /* none */ ],
  },
  "url": "http://x/*not a comment*/",
}
"""
TOML = """# mine
model = "gpt-5.5"   # the model
approval_policy = "on-request"

[tui]
notifications = true

[otel]   # telemetry
environment = "dev"
  log_user_prompt = false # no

# servers
[mcp_servers."my server"]
command = 'npx'
args = ["-y",
  "x", # one
]
text = \"\"\"
[otel]
exporter = "none"
\"\"\"

[[skills]]
name = "a"
[[skills]]
name = "b"
"""
TOML_FORMS = {
    "missing": None, "empty": "", "comment": "# nothing\n", "real": TOML, "crlf": TOML.replace("\n", "\r\n"),
    "no newline": TOML.rstrip("\n"), "no otel": TOML.replace("[otel]   # telemetry", "[other]"), "dotted": 'otel.environment = "dev"\nmodel = "x"\n',
    "inline": 'otel = { environment = "dev" }\n[tui]\n', "inline empty": "otel = {}", "subtable": '[otel.span_attributes]\na = "b"\n',
    "header": "[otel]", "quoted": '["otel"]\n"environment" = "x"\n', "dates": "a = 1979-05-27T07:32:00-08:00\nb = 0x1F\nc = inf\n",
}


def without_comments(text):
    """JSON of what JavaScript's readers of JSON with comments take."""
    out, i = [], 0
    for m in re.finditer(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', text, re.S):
        out.append(text[i:m.start()] + (m[0] if m[0][0] == '"' else " "))
        i = m.end()
    return re.sub(r",(\s*[}\]])", r"\1", "".join(out) + text[i:])


def parse(path):
    text = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
    if path.suffix == ".toml":
        return tomllib.loads(text)
    return json.loads(without_comments(text)) if text.strip() else {}


def strip_ours(value):
    """The file's meaning without what setup adds; containers that are empty then count as absent."""
    if isinstance(value, dict):
        kept = {k: strip_ours(v) for k, v in value.items()
                if not re.match(r"OTEL_|CLAUDE_CODE_EN|exporter$|\w+_exporter$|notify$|target$|otlp|logPrompts|enabled$", k)}
        return {k: v for k, v in kept.items() if v not in ({}, [])}
    if isinstance(value, list):
        return [strip_ours(v) for v in value if "agentbus" not in json.dumps(v, default=str)]
    return value


def patched(before, diff):
    """What a unified diff of one file makes of it."""
    old, new, at = before.splitlines(keepends=True), [], 0
    lines = diff.splitlines(keepends=True)
    for i, line in enumerate(lines):
        last = i + 1 < len(lines) and lines[i + 1].startswith("\\")
        text = line[1:].rstrip("\n") if last else line[1:]
        if line.startswith("@@"):
            start = int(re.match(r"@@ -(\d+)", line)[1])
            to = start if re.match(r"@@ -\d+,0 ", line) else start - 1
            new += old[at:to]
            at = to
        elif line[0] in " -":
            assert old[at] == text, (old[at], text)
            at += 1
            new += [text] if line[0] == " " else []
        elif line[0] == "+":
            new.append(text)
    return "".join(new + old[at:])


def diffs(output):
    """File → hunks, of what setup prints."""
    found = {}
    for m in re.finditer(r"^--- .*\n\+\+\+ (.*)\n((?:(?!--- )(?:@@|[ +\\-]).*\n)*)", output, re.M):
        found[m[1].rstrip("\r")] = m[2]
    return found


class Home(Sandbox):
    """A home directory, with agentbus in PATH and no CLI."""

    def __enter__(self):
        self.bin = self.dir / "bin"
        self.bin.mkdir()
        (self.bin / "agentbus").symlink_to(self.program("agentbus"))
        self.env["PATH"] = f"{self.bin}:/usr/bin:/bin"
        for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME"):
            self.env.pop(name, None)
        return self

    def put(self, name, text):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def setup(self, *args, status=0, **kw):
        done = self.run("agentbus", "setup", *args, **kw)
        if done.returncode != status:
            raise AssertionError(f"setup {args}: {done.returncode}, not {status}\n{done.stdout}\n{done.stderr}")
        return done

    def bytes(self, name):
        path = self.dir / name
        return path.read_bytes() if path.exists() else None


class Forms(unittest.TestCase):
    """Each form: shown, written, judged, nothing more to do, taken back."""

    def there_and_back(self, cli, name, text):
        with Home() as home:
            path = home.put(name, text)
            others = [n for n in FILES[cli] if n != name]
            before, meaning = home.bytes(name), strip_ours(parse(path))
            shown = home.setup(cli, status=1)
            self.assertEqual(home.bytes(name), before, "showing writes nothing")
            # run() reads text, in which \r\n is one character: the diff is compared without.
            want = patched((before or b"").decode().replace("\r\n", "\n"), diffs(shown.stdout)[str(path)])
            home.setup(cli, "--apply")
            after = home.bytes(name)
            self.assertEqual(after.decode().replace("\r\n", "\n"), want, "what was shown is what was written")
            if before and b"\r\n" in before:
                self.assertNotRegex(after, rb"[^\r]\n")
            self.assertEqual(strip_ours(parse(path)), meaning)
            self.judge(cli, home)
            self.assertIn("nothing to do", home.setup(cli).stdout)
            self.assertIn("nothing to do", home.setup(cli, "--apply").stdout)
            self.assertEqual(home.bytes(name), after)
            home.setup(cli, "--undo")
            self.assertEqual(home.bytes(name), before)
            self.assertEqual([home.bytes(n) for n in others], [None] * len(others))
            self.assertIn("nothing to undo", home.setup(cli, "--undo").stdout)
            self.assertEqual(list((home.dir / "state" / "agentbus" / "setup").iterdir()), [])

    def judge(self, cli, home):
        files = [parse(home.dir / n) for n in FILES[cli]]
        hooks = files[-1]["hooks"]
        for event in ("SessionStart", "SessionEnd", *(("BeforeTool",) if cli == "gemini" else ("PreToolUse", "Stop"))):
            commands = [h["command"] for group in hooks[event] for h in group.get("hooks", []) if "agentbus" in h["command"]]
            self.assertEqual(commands, ["agentbus emit" + ("" if cli == "claude" else f" --provider {cli}")], event)
        if cli == "codex":
            self.assertEqual(files[0]["otel"]["trace_exporter"], {"otlp-http": {"endpoint": HTTP + "/v1/traces", "protocol": "binary"}})
            self.assertEqual(files[0]["notify"], ["agentbus", "emit", "--provider", "codex"])
            ours = [h for groups in hooks.values() for g in groups for h in g.get("hooks", []) if "agentbus" in h["command"]]
            self.assertEqual({h["timeout"] for h in ours}, {3}, "Codex warns of more than 3 s")
        elif cli == "claude":
            self.assertEqual(files[0]["env"]["OTEL_EXPORTER_OTLP_ENDPOINT"], HTTP)
            self.assertEqual(files[0]["env"]["CLAUDE_CODE_ENABLE_TELEMETRY"], "1")
        else:
            self.assertEqual(files[0]["telemetry"]["otlpEndpoint"], "http://127.0.0.1:4317")

    def test_json(self):
        for form, text in JSON_FORMS.items():
            with self.subTest(form):
                self.there_and_back("claude", ".claude/settings.json", text)
        self.there_and_back("codex", ".codex/hooks.json", CLAUDE)
        self.there_and_back("qwen", ".qwen/settings.json", CLAUDE)

    def test_json_with_comments(self):
        for text in (COMMENTS, COMMENTS.replace("\n", "\r\n"), "// nothing\n{}", "/* x */{ /* y */ }"):
            self.there_and_back("gemini", ".gemini/settings.json", text)

    def test_toml(self):
        for form, text in TOML_FORMS.items():
            with self.subTest(form):
                self.there_and_back("codex", ".codex/config.toml", text)

    def test_new_files_are_for_their_owner_alone(self):
        with Home() as home:
            home.setup("claude", "codex", "--apply")
            for name in FILES["claude"] + FILES["codex"]:
                path = home.dir / name
                self.assertEqual((stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)), (0o600, 0o700))
            copies = home.dir / "state" / "agentbus" / "setup"
            self.assertEqual({stat.S_IMODE(path.stat().st_mode) for path in copies.iterdir()}, {0o600})
            home.setup("--undo")
            self.assertFalse((home.dir / ".claude").exists() or (home.dir / ".codex").exists())


class Choice(unittest.TestCase):
    def test_what_is_there(self):
        with Home() as home:
            self.assertIn("No CLI is there", home.setup().stdout)
            (home.dir / ".gemini").mkdir()
            (home.bin / "codex").write_text("#!/bin/sh\nexit 1\n")
            (home.bin / "codex").chmod(0o755)
            found = {Path(name).parent.name for name in diffs(home.setup(status=1).stdout)}
            self.assertEqual(found, {".gemini", ".codex"})

    def test_directories_of_ones_own(self):
        with Home() as home:
            env = {"CLAUDE_CONFIG_DIR": str(home.dir / "a b"), "CODEX_HOME": str(home.dir / "c")}
            home.setup("claude", "codex", "--apply", env=env)
            self.assertTrue((home.dir / "a b" / "settings.json").exists() and (home.dir / "c" / "hooks.json").exists())
            self.assertIn("nothing to do", home.setup("claude", env=env).stdout)
            home.setup("claude", "codex", "--undo", env=env)
            self.assertFalse((home.dir / "a b").exists())

    def test_parts(self):
        with Home() as home:
            home.setup("claude", "codex", "--no-hooks", "--apply")
            self.assertNotIn("hooks", parse(home.dir / ".claude/settings.json"))
            self.assertFalse((home.dir / ".codex/hooks.json").exists())
            self.assertIn("notify", parse(home.dir / ".codex/config.toml"))
            home.setup("claude", "codex", "--no-telemetry", "--apply")
            self.assertEqual(len(parse(home.dir / ".claude/settings.json")["hooks"]["Stop"]), 1)
            home.setup("claude", "codex", "--undo")
            self.assertEqual([home.bytes(n) for n in FILES["claude"] + FILES["codex"]], [None] * 3)
            home.setup("gemini", "--no-telemetry", "--apply")
            self.assertEqual(list(parse(home.dir / ".gemini/settings.json")), ["hooks"])

    def test_endpoint(self):
        with Home() as home:
            home.setup("claude", "codex", "gemini", "--endpoint", "http://127.0.0.1:9999/", "--apply")
            self.assertEqual(parse(home.dir / ".claude/settings.json")["env"]["OTEL_EXPORTER_OTLP_ENDPOINT"], "http://127.0.0.1:9999")
            self.assertIn('"http://127.0.0.1:9999/v1/logs"', (home.dir / ".codex/config.toml").read_text())
            self.assertEqual(parse(home.dir / ".gemini/settings.json")["telemetry"]["otlpEndpoint"], "http://127.0.0.1:9999")

    def test_where_agentbus_is_not_in_path(self):
        with Home() as home:
            there = home.dir / "a 'b'"
            there.mkdir()
            for name in ("agentbus", "agentbus-verbs"):
                shutil.copy(home.program(name), there / name)
            (home.bin / "agentbus").unlink()
            subprocess.run([there / "agentbus", "setup", "claude", "codex", "--apply"], env=home.env, check=True, capture_output=True)
            command = parse(home.dir / ".claude/settings.json")["hooks"]["Stop"][0]["hooks"][0]["command"]
            done = subprocess.run(["/bin/sh", "-c", command.replace(" emit", " --version")], env=home.env, capture_output=True, text=True, check=True)
            self.assertRegex(done.stdout, r"^agentbus \d")
            self.assertEqual(parse(home.dir / ".codex/config.toml")["notify"][0], str(there / "agentbus"))
            self.assertIn("nothing to do", subprocess.run([there / "agentbus", "setup", "claude"], env=home.env, capture_output=True, text=True, check=True).stdout)

    def test_mistakes(self):
        with Home() as home:
            for args in (["vim"], ["--undo", "--apply"], ["--no-hooks", "--no-telemetry"], ["--endpoint", "localhost:4318"], ["--frob"]):
                self.assertNotEqual(home.setup(*args, status=2).stderr, "", args)

    def test_equal_in_meaning(self):
        with Home() as home:
            home.setup("claude", "gemini", "codex", "--apply")
            claude, gemini = home.dir / ".claude/settings.json", home.dir / ".gemini/settings.json"
            claude.write_text(json.dumps(parse(claude), indent=4).replace("127.0.0.1", "localhost").replace("http/protobuf", "http/json"))
            gemini.write_text(json.dumps(parse(gemini)).replace('"grpc"', '"http"').replace("4317", "4318/"))
            toml = home.dir / ".codex/config.toml"
            toml.write_text(re.sub(r"exporter = (.*) }\n", r"exporter.otlp-grpc.endpoint = 'http://localhost:4317'\n", toml.read_text()))
            tomllib.loads(toml.read_text())
            self.assertEqual(home.setup("claude", "gemini", "codex").stdout.count("nothing to do"), 4)


class Conflicts(unittest.TestCase):
    TEXT = '{\n  "env": {\n    "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector.example.com"\n  }\n}\n'

    def test_an_address_of_the_persons(self):
        with Home() as home:
            path = home.put(".claude/settings.json", self.TEXT)
            done = home.setup("claude", "--apply", status=3)
            self.assertIn('env.OTEL_EXPORTER_OTLP_ENDPOINT is "https://collector.example.com"', done.stdout)
            # Nothing more may go to that address than before; hooks are another matter.
            self.assertEqual(list(parse(path)["env"]), ["OTEL_EXPORTER_OTLP_ENDPOINT"])
            self.assertIn("Stop", parse(path)["hooks"])
            done = home.setup("claude", "--force", status=1)
            self.assertIn('-    "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector.example.com"', done.stdout)
            home.setup("claude", "--force", "--apply")
            self.assertEqual(parse(path)["env"]["OTEL_EXPORTER_OTLP_ENDPOINT"], HTTP)
            # The person goes on; taking back keeps that, and puts back what was replaced.
            path.write_text(path.read_text().replace('"env": {', '"model": "x",\n  "env": {'))
            home.setup("claude", "--undo")
            self.assertEqual(path.read_text(), self.TEXT.replace('"env": {', '"model": "x",\n  "env": {'))

    def test_codex(self):
        text = 'notify = ["mine"]\n[otel]\nexporter = "none"\n[otel.trace_exporter.otlp-http]\nendpoint = "http://x/v1/traces"\nprotocol = "binary"\n'
        with Home() as home:
            path = home.put(".codex/config.toml", text)
            done = home.setup("codex", status=3)
            self.assertIn('otel.exporter is "none"', done.stdout)
            self.assertIn('otel.trace_exporter is "http://x/v1/traces"', done.stdout)
            self.assertNotIn("notify is", done.stdout)
            self.assertIn('notify is ["mine"]', home.setup("codex", "--no-hooks", status=3).stdout)
            home.setup("codex", "--force", "--apply")
            now = parse(path)
            self.assertEqual(now["otel"]["trace_exporter"], {"otlp-http": {"endpoint": HTTP + "/v1/traces", "protocol": "binary"}})
            self.assertEqual(now["notify"], ["mine"])
            home.setup("codex", "--undo")
            self.assertEqual(path.read_text(), text)

    def test_what_stands_in_the_way(self):
        for text in ('{"hooks": []}', '{"hooks": {"Stop": "x"}}', '{"env": null}'):
            with Home() as home:
                home.put(".claude/settings.json", text)
                self.assertIn("another form", home.setup("claude", "--force", status=3).stdout)

    def test_hooks_that_are_switched_off(self):
        with Home() as home:
            path = home.put(".claude/settings.json", '{"disableAllHooks": true}')
            self.assertIn("disableAllHooks is true", home.setup("claude", status=3).stdout)
            home.setup("claude", "--force", "--apply")
            self.assertIs(parse(path)["disableAllHooks"], False)

    def test_no_secret_is_shown(self):
        secrets = ["canary-one", "canary-two", "canary-three", "sk-ant-canary4canary4", "canary-five"]
        claude = {"apiKeyHelper": secrets[0], "env": {"ANTHROPIC_AUTH_TOKEN": secrets[1],
                  "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer {secrets[2]}", "X": secrets[3],
                  "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, "mcp": {"headers": {"k": secrets[4]}}}
        toml = f'[otel]\nexporter = {{ otlp-http = {{ endpoint = "http://x", headers = {{ "k" = "{secrets[0]}" }} }} }}\n'
        toml += f'[model_providers.x.http_headers]\nk = "{secrets[1]}"\n'
        for form in (json.dumps(claude), json.dumps(claude, indent=1)):
            with Home() as home:
                path = home.put(".claude/settings.json", form)
                home.put(".codex/config.toml", toml)
                for args in ([], ["--force"]):
                    shown = home.setup("claude", "codex", *args, status=1 if args else 3)
                    self.assertIn("***", shown.stdout)
                    for secret in secrets:
                        self.assertNotIn(secret, shown.stdout + shown.stderr)
                home.setup("claude", "codex", "--force", "--apply")
                for secret in secrets:
                    self.assertIn(secret, path.read_text())


class Trouble(unittest.TestCase):
    def test_files_that_are_not_valid(self):
        for name, cli, text, line in ((".claude/settings.json", "claude", '{\n  "a": 1\n  "b": 2\n}', 3),
                                      (".claude/settings.json", "claude", "// no\n{}", 1), (".claude/settings.json", "claude", "[]", 1),
                                      (".claude/settings.json", "claude", b"{\n}\0", 2),
                                      (".codex/config.toml", "codex", 'a = 1\n\nb = "x\n', 3)):
            with Home() as home:
                path = home.put(name, text)
                before = path.read_bytes()
                done = home.setup(cli, "--apply", status=3)
                self.assertIn(f"{path}:{line}: ", done.stderr)
                self.assertEqual(path.read_bytes(), before)

    def test_a_symbolic_link_stays_one(self):
        with Home() as home:
            real = home.put("dotfiles/claude.json", CLAUDE)
            real.chmod(0o640)
            (home.dir / ".claude").mkdir()
            link = home.dir / ".claude/settings.json"
            link.symlink_to("../dotfiles/claude.json")
            home.setup("claude", "--apply")
            self.assertTrue(link.is_symlink())
            self.assertEqual(stat.S_IMODE(real.stat().st_mode), 0o640)
            self.assertIn("agentbus emit", real.read_text())
            home.setup("claude", "--undo")
            self.assertTrue(link.is_symlink())
            self.assertEqual(real.read_text(), CLAUDE)
            real.unlink()
            self.assertIn("symbolic link", home.setup("claude", status=3).stderr)

    def test_a_home_behind_a_symbolic_link(self):
        with Home() as home:
            (home.dir / "real").mkdir()
            (home.dir / "home").symlink_to("real")
            env = {"HOME": f"{home.dir}/home"}
            home.setup("claude", "codex", "--apply", env=env)
            self.assertIn("nothing to do", home.setup("claude", env=env).stdout)
            home.setup("--undo", env=env)
            self.assertEqual(list((home.dir / "real").iterdir()), [])

    def test_what_is_no_file(self):
        with Home() as home:
            (home.dir / ".claude").mkdir()
            os.mkfifo(home.dir / ".claude/settings.json")
            self.assertIn("no regular file", home.setup("claude", "--apply", status=3).stderr)

    def test_a_directory_that_cannot_be_written(self):
        with Home() as home:
            path = home.put(".claude/settings.json", CLAUDE)
            path.parent.chmod(0o555)
            if os.geteuid() == 0:
                # Root may write everywhere: somebody else runs it, in the same home.
                for p in [home.dir, *home.dir.rglob("*")]:
                    os.chown(p, 65534, 65534, follow_symlinks=False)
                with tempfile.TemporaryDirectory(dir="/tmp") as programs:
                    os.chmod(programs, 0o755)
                    for name in ("agentbus", "agentbus-verbs"):
                        shutil.copy(home.program(name), programs)
                    done = subprocess.run([f"{programs}/agentbus", "setup", "claude", "--apply"], env=home.env, user=65534, group=65534,
                                          extra_groups=[], cwd="/", capture_output=True, text=True)
            else:
                done = home.run("agentbus", "setup", "claude", "--apply")
            self.assertEqual((done.returncode, path.read_text()), (3, CLAUDE), done)
            self.assertIn("Permission denied", done.stderr)
            path.parent.chmod(0o755)

    def test_killed_at_any_moment(self):
        """Whenever it is killed, the file is whole, and undo gives back what it was."""
        with Home() as home:
            path = home.put(".claude/settings.json", CLAUDE)
            for delay in [i * 0.0004 for i in range(30)]:
                process = subprocess.Popen([home.program("agentbus"), "setup", "claude", "--apply"], env=home.env, stdout=subprocess.DEVNULL)
                try:
                    process.wait(delay)
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                self.assertIn(len(parse(path)["hooks"]), (2, 18))
                home.setup("claude", "--undo")
                self.assertEqual(path.read_text(), CLAUDE)

    def test_two_at_once(self):
        with Home() as home:
            path = home.put(".claude/settings.json", CLAUDE)
            both = [subprocess.Popen([home.program("agentbus"), "setup", "claude", "--apply"], env=home.env, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL) for _ in range(6)]
            self.assertLessEqual({p.wait() for p in both}, {0, 3})
            home.setup("claude", "--apply")
            self.assertEqual(len(parse(path)["hooks"]["Stop"]), 2)


class Undo(unittest.TestCase):
    def test_what_the_person_added_stays(self):
        with Home() as home:
            path = home.put(".gemini/settings.json", COMMENTS)
            home.setup("gemini", "--apply")
            text = path.read_text().replace('"general"', '"theme": "dark", // new\n  "general"')
            text = text.replace('"AfterAgent": [', '"AfterAgent": [\n      {"hooks": [{"type": "command", "command": "mine"}]},')
            path.write_text(text)
            home.setup("gemini", "--undo")
            now = parse(path)
            self.assertNotIn("agentbus", path.read_text())
            self.assertEqual(now["theme"], "dark")
            self.assertEqual(now["hooks"]["AfterAgent"], [{"hooks": [{"type": "command", "command": "mine"}]}])
            for line in COMMENTS.splitlines():
                self.assertIn(line.strip(), path.read_text())

    def test_what_was_changed_since_is_told(self):
        with Home() as home:
            path = home.put(".gemini/settings.json", "{}\n")
            home.setup("gemini", "--apply")
            path.write_text(path.read_text().replace('"local"', '"gcp"'))
            self.assertIn("1 of the values", home.setup("gemini", "--undo").stdout)
            self.assertEqual(parse(path), {"telemetry": {"target": "gcp"}})

    def test_the_cli_has_written_its_file_anew(self):
        with Home() as home:
            path = home.put(".claude/settings.json", CLAUDE)
            home.setup("claude", "--apply")
            path.write_text(json.dumps({**parse(path), "model": "opus"}, indent=2))
            home.setup("claude", "--undo")
            self.assertEqual(parse(path), {**json.loads(CLAUDE), "model": "opus"})

    def test_the_cli_has_only_reformatted_its_file(self):
        for cli, place, text, relaxed in (("claude", ".claude/settings.json", CLAUDE, False), ("gemini", ".gemini/settings.json", COMMENTS, True)):
            with self.subTest(cli=cli), Home() as home:
                path = home.put(place, text)
                home.setup(cli, "--apply")
                path.write_text(json.dumps(parse(path), indent=None if relaxed else 7))
                self.assertIn("is as it was", home.setup(cli, "--undo").stdout)
                self.assertEqual(path.read_text(), text)
        with Home() as home:
            path = home.put(".gemini/settings.json", "{}\n")
            home.setup("gemini", "--apply")
            path.write_text(path.read_text() + "// of mine\n")
            home.setup("gemini", "--undo")
            self.assertIn("// of mine", path.read_text())

    def test_in_steps(self):
        with Home() as home:
            path = home.put(".claude/settings.json", CLAUDE)
            home.setup("claude", "--no-hooks", "--apply")
            path.write_text(path.read_text().replace('"opus"', '"sonnet"'))
            home.setup("claude", "--apply")
            self.assertEqual(len(parse(path)["hooks"]), 18)
            home.setup("claude", "--undo")
            self.assertEqual(path.read_text(), CLAUDE.replace('"opus"', '"sonnet"'))

    def test_a_file_that_is_gone(self):
        with Home() as home:
            path = home.put(".claude/settings.json", CLAUDE)
            home.setup("claude", "--apply")
            path.unlink()
            self.assertIn("nothing to undo", home.setup("claude", "--undo").stdout)
            self.assertFalse(path.exists())


if __name__ == "__main__":
    unittest.main()
