"""eww-subscriber --format: what each bar is told by the real program, as states change, broker and readers come and go."""
import fcntl
import json
import os
import re
import signal
import subprocess
import unittest
import xml.etree.ElementTree

import otlp
from harness import PATIENCE, REPO, Broker, JsonProcess, Process, Sandbox
from test_emit import Ingest, payload

HOSTILE = "a&b <c> \"d\" 'e' %{A1:x:}100%"


def panel(box, form, *args, kind=JsonProcess, **kw):
    return box.start("eww-subscriber", "--format", form, *args, kind=kind, **kw)


def plain(box, form, *args):
    return panel(box, form, *args, kind=Process)


def markup(text):
    """The text that Pango would show; fails if it would show none."""
    return "".join(xml.etree.ElementTree.fromstring(f"<markup>{text}</markup>").itertext())


class Story:
    """Sessions of Claude Code whose hooks say what they do."""

    def __init__(self, broker):
        self.broker, self.ingest = broker, Ingest(broker)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.ingest.__exit__(*exc)

    def tell(self, event, session="s1", project="shop", **more):
        self.ingest.send("claude", {**payload(event, session), "cwd": f"/home/dev/{project}", **more})

    def work(self, session="s1", project="shop"):
        self.tell("UserPromptSubmit", session, project, prompt="x")

    def wait(self, session="s1", project="shop"):
        self.tell("PermissionRequest", session, project, tool_name="Bash")


class Waybar(unittest.TestCase):
    def test_a_turn(self):
        with Broker() as broker, Story(broker) as story:
            p = panel(broker, "waybar")
            p.wait_for(lambda line: line["class"] == ["empty"] and line["text"] == "")
            story.work()
            p.wait_for(lambda line: line["alt"] == "working" and line["text"] == "1 working")
            story.wait()
            line = p.wait_for(lambda line: line["class"] == ["waiting"])
            self.assertRegex(markup(line["tooltip"]), r"shop  waiting since \d\d:\d\d, Bash\n")
            story.tell("StopFailure", error="server_error")
            line = p.wait_for(lambda line: line["class"] == ["failed"])
            self.assertEqual((line["text"], line["percentage"]), ("1 failed", 100))
            story.work("s2")
            p.wait_for(lambda line: line["class"] == ["failed"] and line["text"] == "1 failed 1 working" and line["percentage"] == 50)
            story.wait("s2")
            p.wait_for(lambda line: line["class"] == ["waiting", "failed"])
            for line in p.lines:
                self.assertEqual(list(line), ["text", "alt", "tooltip", "class", "percentage"])
                self.assertEqual(line["class"][0], line["alt"])

    def test_hostile_names(self):
        with Broker() as broker, Story(broker) as story:
            p = panel(broker, "waybar")
            story.work(project=HOSTILE)
            line = p.wait_for(lambda line: line["alt"] == "working")
            self.assertIn(HOSTILE, markup(line["tooltip"]))

    def test_broker_goes_and_comes(self):
        with Broker() as broker, Story(broker) as story:
            p = panel(broker, "waybar", "--away", "off")
            story.work()
            p.wait_for(lambda line: line["alt"] == "working")
            broker.kill()
            line = p.wait_for(lambda line: line["class"] == ["disconnected"])
            self.assertEqual((line["text"], line["percentage"]), ("off", 0))
            start = len(p.lines)
            broker.start_daemon()
            p.wait_for(lambda line: line["class"] == ["working"], start=start)

    def test_max(self):
        with Broker() as broker, Story(broker) as story:
            for n in range(12):
                story.work(f"s{n}")
            standard, few = panel(broker, "waybar"), panel(broker, "waybar", "--max", "3")
            for p, more in ((standard, 2), (few, 9)):
                line = p.wait_for(lambda line: line["text"] == "12 working")
                self.assertTrue(line["tooltip"].endswith(f"\n+{more} more"), line["tooltip"])
                self.assertEqual(line["tooltip"].count("<b>"), 12 - more)

    def test_slow_reader_gets_the_newest(self):
        """Nobody reads for a while: then comes what stood in the pipe, whole, and at last how things are."""
        with Broker() as broker, Story(broker) as story:
            read, write = os.pipe()
            fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
            p = subprocess.Popen([broker.program("eww-subscriber"), "-f", "waybar", "-r", "1000"], env=broker.env, stdout=write)
            os.close(write)
            watch = broker.watch()
            for n in range(30):
                story.work(f"s{n}")
            watch.wait_for(lambda e: (e.get("session") or {}).get("id") == "s29")
            lines = []
            with open(read, encoding="utf-8") as reader:
                for line in reader:
                    lines.append(json.loads(line))
                    if lines[-1]["text"] == "30 working":
                        break
                p.send_signal(signal.SIGTERM)
                self.assertEqual(p.wait(PATIENCE), 0)
            counts = [int(line["text"].split()[0]) for line in lines if line["text"]]
            self.assertEqual(counts, sorted(counts))


class Others(unittest.TestCase):
    def test_i3status(self):
        with Broker() as broker, Story(broker) as story:
            p = panel(broker, "i3status-rs")
            p.wait_for(lambda line: line == {"icon": "", "state": "Idle", "text": "", "short_text": ""})
            story.work(project=HOSTILE)
            story.wait(project=HOSTILE)
            line = p.wait_for(lambda line: line["state"] == "Warning")
            self.assertEqual((line["icon"], line["short_text"]), ("bell", "1 waiting"))
            self.assertEqual(markup(line["text"]), "1 waiting (" + HOSTILE[:19] + "…)")
            for line in p.lines:
                self.assertIn(line["state"], ("Idle", "Info", "Good", "Warning", "Critical"))

    def test_polybar_and_ironbar(self):
        with Broker() as broker, Story(broker) as story:
            polybar = plain(broker, "polybar", "--colours")
            ironbar = plain(broker, "ironbar", "--colours")
            story.work(project="%{A1:x:}%")
            story.wait(project="%{A1:x:}%")
            polybar.wait_for(lambda line: line == "%{F#f2b45c}1 waiting (% {A1:x:}% )%{F-}")
            ironbar.wait_for(lambda line: markup(line) == "1 waiting (%{A1:x:}%)")

    def test_template(self):
        with Broker() as broker, Story(broker) as story:
            p = plain(broker, "template={?waiting:{waiting} of }{sessions}{?top.project: {top.project}}", "--escape", "json")
            p.wait_for(lambda line: line == "0")
            story.work(project='a"b')
            p.wait_for(lambda line: line == '1 a\\"b')
            story.wait(project='a"b')
            p.wait_for(lambda line: line == '1 of 1 a\\"b')
            # What the template does not show makes no line.
            before = len(p.lines)
            for n in range(5):
                broker.post("/v1/logs", otlp.claude(otlp.claude_request("s1", request_id=f"r{n}")))
            story.work("s2")
            p.wait_for(lambda line: line == '1 of 2 a\\"b')
            self.assertEqual(len(p.lines), before + 1, p.lines)

    def test_no_line_twice(self):
        with Broker() as broker, Story(broker) as story:
            p = plain(broker, "polybar")
            for n in range(3):
                story.work(f"s{n}")
            p.wait_for(lambda line: line == "3 working")
            broker.post("/v1/logs", otlp.claude(otlp.claude_request("s1")))
            story.tell("Stop", "s2")
            p.wait_for(lambda line: line == "2 working 1 done")
            self.assertEqual(p.lines.count("3 working"), 1)

    def test_eww_lists_the_first(self):
        with Broker() as broker, Story(broker) as story:
            for n in range(4):
                story.work(f"s{n}")
            story.wait("s3")
            p = panel(broker, "eww", "--max", "1")
            line = p.wait_for(lambda line: line["counts"] == {"waiting": 1, "working": 3, "completed": 0, "idle": 0})
            self.assertEqual(([s["id"] for s in line["sessions"]], line["more"]), (["s3"], 3))
            self.assertTrue(line["tooltip"].endswith("\nand 3 more"))


class Settings(unittest.TestCase):
    def refused(self, box, *args, **kw):
        done = box.run("eww-subscriber", *args, **kw)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr.count("\n"), 1)
        return done.stderr

    def test_mistakes(self):
        with Sandbox() as box:
            formats = "eww, waybar, polybar, i3status-rs, ironbar or template=TEXT"
            self.assertEqual(self.refused(box, "-f", "wayba"), f"eww-subscriber: format: 'wayba' is not one of {formats}\n")
            self.assertIn("'x'", self.refused(box, env={"AGENTBUS_EWW_FORMAT": "x"}))
            said = self.refused(box, "-f", "template={waitng}")
            self.assertRegex(said, r"^eww-subscriber: template: there is no placeholder 'waitng'; there are waiting, .*top\.id\n$")
            self.assertIn("has no '}'", self.refused(box, "-f", "template={waiting"))
            self.assertIn("max", self.refused(box, "--max", "-1"))
            self.assertIn("none pango polybar json", self.refused(box, "--escape", "html"))

    def test_file_and_environment(self):
        with Sandbox() as box:
            path = box.dir / "my.conf"
            path.write_text("[eww-subscriber]\nformat = template={state} {summary}\naway = gone\nmax = 3\ncolours = yes\nescape = pango\n")
            p = box.start("eww-subscriber", "--config", path)
            p.wait_for(lambda line: line == "disconnected gone")
            p = box.start("eww-subscriber", "--config", path, env={"AGENTBUS_EWW_FORMAT": "ironbar", "AGENTBUS_EWW_AWAY": "<away>"})
            p.wait_for(lambda line: line == "&lt;away&gt;")

    def test_sample_shows_the_defaults(self):
        """Every setting of contrib/agentbus.conf, uncommented, is taken and changes nothing."""
        sample = (REPO / "contrib" / "agentbus.conf").read_text().partition("[eww-subscriber]")[2]
        sample = sample.partition("[notify-subscriber]")[0]
        with Sandbox() as box:
            path = box.dir / "all.conf"
            path.write_text("[eww-subscriber]\n" + re.sub(r"^#(?=[a-z-]+ =)", "", sample, flags=re.M))
            self.assertEqual(path.read_text().count(" ="), 7)
            lines = []
            for args in ((), ("--config", path)):
                p = box.start("eww-subscriber", *args, kind=Process)
                p.wait_count(1)
                lines += p.lines[:1]
            self.assertEqual(lines[0], lines[1])

    def test_help_and_manual_name_everything(self):
        with Sandbox() as box:
            text = box.run("eww-subscriber", "--help").stdout
            manual = (REPO / "clients" / "eww-subscriber.1.scd").read_text()
            for name in re.findall(r"--([a-z-]+)", text):
                self.assertIn(f"--{name}*", manual)
            said = self.refused(box, "-f", "template={x}")
            for name in said.split("there are ")[1].strip().split(", "):
                self.assertIn(f"*{{{name}}}*", manual, name)


if __name__ == "__main__":
    unittest.main()
