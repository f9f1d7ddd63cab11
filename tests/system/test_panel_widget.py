"""contrib/eww, contrib/waybar and contrib/icons: files that no program of ours reads, against what eww-subscriber really prints."""
import json
import re
import shlex
import subprocess
import unittest
import xml.etree.ElementTree

import otlp
from harness import REPO, Broker, JsonProcess, Sandbox

EWW = REPO / "contrib" / "eww"
ICONS = REPO / "contrib" / "icons"
WAYBAR = REPO / "contrib" / "waybar"

EVENTS = {":onclick", ":onrightclick", ":timeout"}
# What each of EWW's widgets that is used takes, beside what all take.
COMMON = {":class", ":visible", ":tooltip", ":halign", ":valign", ":hexpand", ":vexpand", ":style"}
WIDGETS = {
    "box": {":orientation", ":space-evenly", ":spacing"}, "button": EVENTS, "eventbox": EVENTS | {":cursor"},
    "image": {":icon", ":icon-size"}, "label": {":text", ":xalign", ":limit-width"},
}
WORD = re.compile(r"[^\s()\[\]{}\"'`;]+")


class Yuck:
    """The s-expressions of a file: lists for (…) and […], ("expr", text) for {…}, ("str", text) for strings, text for words."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def all(self):
        found = []
        while self.skip():
            found.append(self.one())
        return found

    def skip(self):
        match = re.compile(r"(?:\s|;[^\n]*)*").match(self.text, self.at)
        self.at = match.end()
        return self.at < len(self.text)

    def one(self):
        c = self.text[self.at]
        if c in "([":
            return self.list({"(": ")", "[": "]"}[c])
        if c == "{":
            return "expr", self.expression()
        if c in "\"'`":
            return "str", self.string()
        match = WORD.match(self.text, self.at)
        if not match:
            raise AssertionError(f"stray {c!r} before {self.text[self.at:self.at + 40]!r}")
        self.at = match.end()
        return match[0]

    def list(self, closer):
        self.at += 1
        found = []
        while True:
            if not self.skip():
                raise AssertionError(f"no {closer!r} at the end")
            if self.text[self.at] == closer:
                self.at += 1
                return found
            found.append(self.one())

    def string(self):
        quote, begin = self.text[self.at], self.at + 1
        self.at = begin
        while self.text[self.at] != quote:
            if self.text.startswith("${", self.at):
                self.at += 1
                self.expression()
            else:
                self.at += 2 if self.text[self.at] == "\\" else 1
        self.at += 1
        return self.text[begin:self.at - 1]

    def expression(self):
        begin = self.at = self.at + 1
        while self.text[self.at] != "}":
            c = self.text[self.at]
            if c == "{":
                self.expression()
            elif c in "\"'`":
                self.string()
            else:
                self.at += 1
        self.at += 1
        return self.text[begin:self.at - 1]


def expressions(value):
    """All EWW expressions below a value of Yuck, those within strings and within each other's strings too."""
    if isinstance(value, list):
        for v in value:
            yield from expressions(v)
    elif isinstance(value, tuple):
        if value[0] == "expr":
            yield value[1]
        for inner in re.findall(r"\$\{([^{}]*)\}", value[1]):
            yield inner


def attributes(form):
    """(widget or window name, {attribute: value}, children) of a form."""
    pairs, children, rest = {}, [], form[1:]
    while rest:
        if isinstance(rest[0], str) and rest[0].startswith(":"):
            pairs[rest[0]] = rest[1]
            rest = rest[2:]
        else:
            children.append(rest[0])
            rest = rest[1:]
    return form[0], pairs, children


class Widget(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.yuck = (EWW / "agentbus.yuck").read_text()
        cls.forms = Yuck(cls.yuck).all()
        cls.widgets = {f[1]: f for f in cls.forms if f[0] == "defwidget"}
        cls.window = next(f for f in cls.forms if f[0] == "defwindow")

    def printed(self):
        """The fullest line there can be: a session that has failed, beyond one that is listed."""
        with Broker() as broker:
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("s-1")))
            broker.post("/v1/logs", otlp.claude((otlp.claude_prompt("s-2")[0], {
                "session.id": "s-2", "event.name": "api_error", "model": "m", "error": "no", "status_code": "500", "attempt": "11"})))
            listener = next(f for f in self.forms if f[0] == "deflisten")
            command = shlex.split(listener[-1][1])
            self.assertEqual(command[0], "eww-subscriber")
            p = broker.start(*command[:1], "--max", "2", *command[3:], kind=JsonProcess)
            return p.wait_for(lambda line: len(line["sessions"]) == 2 and any(s["last_error"] for s in line["sessions"]))

    def test_forms(self):
        self.assertEqual([f[0] for f in self.forms], ["deflisten", "defwidget", "defwidget", "defwidget", "defwindow"])
        self.assertEqual(set(self.widgets), {"agentbus-indicator", "agentbus-session", "agentbus-sessions"})

    def check_widget(self, form):
        name, pairs, children = attributes(form)
        if name == "for":
            self.assertEqual((children[1], children[2][0], len(children)), ("in", "expr", 4))
            self.check_widget(children[3])
            return
        if name in self.widgets:
            self.assertEqual({a[1:] for a in pairs}, set(self.widgets[name][2]))
        else:
            self.assertIn(name, WIDGETS)
            self.assertLessEqual(set(pairs), WIDGETS[name] | COMMON, name)
        if name in ("button", "eventbox"):
            self.assertEqual(len(children), 1, "EWW takes one child here")
        for child in children:
            self.check_widget(child)

    def test_widgets_take_what_they_are_given(self):
        for form in self.widgets.values():
            self.assertEqual(len(form), 4)
            self.check_widget(form[3])
        self.assertEqual(self.window[-1], ["agentbus-sessions"])

    def test_paths_exist(self):
        line = self.printed()
        session = next(s for s in line["sessions"] if s["last_error"])
        paths = set()
        for e in expressions(self.forms):
            paths |= set(re.findall(r"\b(agentbus|s)((?:\??\.[a-z_]+)+)", re.sub(r"'[^']*'", "''", e)))
        self.assertGreater(len(paths), 20)
        for root, path in paths:
            value = line if root == "agentbus" else session
            for key in re.findall(r"[a-z_]+", path):
                self.assertIn(key, value, root + path)
                value = value[key]

    def test_initial_value_has_the_shape(self):
        listener = next(f for f in self.forms if f[0] == "deflisten")
        initial = json.loads(listener[listener.index(":initial") + 1][1])
        with Sandbox() as box:
            p = box.start("eww-subscriber", kind=JsonProcess)
            p.wait_count(1)
            self.assertEqual({**p.lines[0], "tooltip": ""}, initial)
            self.assertEqual(list(p.lines[0]), list(initial))

    def test_commands_for_a_shell(self):
        """Clicks run agentbus; an id gets into a command only where it is known to be harmless."""
        guard = re.search(r's\.id =~ "([^"]*)"', self.yuck)[1]
        for harmless in ("01a9-BC", "session_1:2.3"):
            self.assertRegex(harmless, guard)
        for harmful in ("", "-x", "a b", "a;b", "$(x)", "a\nb", "a'b", "a`b", "é"):
            self.assertIsNone(re.fullmatch(guard.strip("^$"), harmful), harmful)
        for text in re.findall(r":on[a-z]+ (.*)", self.yuck):
            self.assertTrue(re.search(r'"(agentbus (focus|ack)|eww open)', text), text)
            if "${s.id}" in text:
                self.assertTrue(text.startswith('{s.id =~ "' + guard + '" ?'), text)

    def test_classes_of_the_style_are_used(self):
        style = re.sub(r"//[^\n]*", "", (EWW / "agentbus.scss").read_text())
        self.assertEqual(style.count("{"), style.count("}"))
        states = {"waiting", "working", "completed", "idle", "failed"}
        for name in set(re.findall(r"[.&]\.?([a-z][a-z-]*)(?=[\s,{:])", style)):
            self.assertTrue(name in states or re.search(rf"\b{name}\b", self.yuck), name)

    def test_icons_of_the_widget(self):
        names = set(re.findall(r"agentbus-[a-z]+-symbolic", self.yuck))
        self.assertEqual(names, {f"agentbus-{s}-symbolic" for s in ("waiting", "working", "idle")})
        for name in names:
            self.assertTrue((ICONS / f"{name}.svg").exists(), name)


class Icons(unittest.TestCase):
    def test_all_there(self):
        names = {p.stem for p in ICONS.glob("*.svg")}
        self.assertEqual(names, {"agentbus", "agentbus-symbolic"} | {f"agentbus-{n}-symbolic" for n in (
            "claude", "codex", "gemini", "qwen", "genai", "waiting", "working", "completed", "idle", "ended", "failed", "unknown", "budget")})

    def test_symbolic(self):
        """Symbolic icons are recoloured by filling each shape: none may rely on a stroke."""
        for path in ICONS.glob("*-symbolic.svg"):
            root = xml.etree.ElementTree.parse(path).getroot()
            self.assertEqual(root.get("viewBox"), "0 0 16 16")
            self.assertTrue(len(root))
            for shape in root:
                self.assertEqual((shape.get("fill"), shape.get("stroke")), ("#2e3436", None), path.name)

    def test_desktop_entry(self):
        entry = (REPO / "contrib" / "agentbus.desktop").read_text()
        self.assertTrue((ICONS / f"{re.search(r'^Icon=(.+)$', entry, re.M)[1]}.svg").exists())


class Waybar(unittest.TestCase):
    def setUp(self):
        text = re.sub(r"^\s*//.*$", "", (WAYBAR / "agentbus.jsonc").read_text(), flags=re.M)
        self.module = json.loads(text)["custom/agentbus"]
        self.style = re.sub(r"/\*.*?\*/", "", (WAYBAR / "style.css").read_text(), flags=re.S)

    def test_command(self):
        command = shlex.split(self.module["exec"])
        with Sandbox() as box:
            p = box.start(*command, kind=JsonProcess)
            line = p.wait_for(lambda line: True)
            self.assertEqual(list(line), ["text", "alt", "tooltip", "class", "percentage"])
        self.assertEqual(self.module["return-type"], "json")
        self.assertNotIn("escape", self.module)

    def test_states(self):
        states = {"waiting", "failed", "working", "completed", "idle", "empty", "disconnected"}
        self.assertEqual(set(self.module["format-icons"]) - {"default"}, states)
        self.assertEqual(self.style.count("{"), self.style.count("}"))
        classes = set(re.findall(r"\.([a-z]+)", re.sub(r"\{[^}]*\}", "", self.style)))
        self.assertLessEqual(classes, states)
        self.assertLess({"waiting", "failed", "working"}, classes)

    def test_hides_without_sessions(self):
        """waybar hides what is formatted as nothing: icon and text together must be."""
        shown = self.module["format"].replace("{icon}", self.module["format-icons"]["empty"]).replace("{}", "")
        self.assertEqual(shown, "")

    def test_clicks(self):
        for key in ("on-click", "on-click-right"):
            self.assertRegex(self.module[key], r"^agentbus (focus --next|ack --all)$")

    def test_readme_names_real_formats(self):
        with Sandbox() as box:
            for text in re.findall(r"eww-subscriber --format ('[^']+'|[a-z0-9-]+)", (WAYBAR / "README.md").read_text()):
                done = subprocess.Popen([box.program("eww-subscriber"), "--format", text.strip("'")], env=box.env, stdout=subprocess.PIPE)
                self.assertTrue(done.stdout.readline().endswith(b"\n"), text)
                done.terminate()
                done.communicate()
                self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
