#!/usr/bin/env python3
"""`agentbus ack`: what was looked at is idle, at once and for good."""
import json
import resource
import subprocess
import unittest

from harness import BUILD, REPO, Broker, Sandbox


class AckTest(unittest.TestCase):
    def broker(self):
        return self.enterContext(Broker("--idle-after", "0", "--core-dumps"))

    def hook(self, broker, event, session, provider="claude", **more):
        done = broker.run("agentbus", "emit", "--provider", provider,
                          input=json.dumps({"session_id": session, "cwd": "/home/dev/shop", "hook_event_name": event, **more}))
        self.assertEqual(done.returncode, 0)

    def turn(self, broker, session, provider="claude"):
        self.hook(broker, "UserPromptSubmit", session, provider)
        self.hook(broker, "Stop", session, provider)

    def ack(self, broker, *args, status=0):
        done = broker.run("agentbus", "ack", *args)
        self.assertEqual(done.returncode, status, done)
        return done

    def states(self, broker):
        return {i: s["state"] for i, s in broker.sessions().items()}


class Ack(AckTest):
    def test_completed_is_idle_after_a_crash_too(self):
        broker = self.broker()
        watch = broker.watch()
        self.turn(broker, "11111111-aaaa")
        self.turn(broker, "22222222-bbbb")
        self.assertEqual(self.ack(broker, "2222").stdout, "222-bbbb claude-code shop: completed, now idle\n")
        broker.kill()  # as soon as it is answered
        event = watch.wait_for(lambda e: e["reason"] == "acknowledged")
        self.assertEqual((event["kind"], event["evidence"], event["session"]["id"], event["details"]["from"], event["details"]["to"]),
                         ("state_changed", "told", "22222222-bbbb", "completed", "idle"))
        broker.start_daemon()
        self.assertEqual(self.states(broker), {"11111111-aaaa": "completed", "22222222-bbbb": "idle"})
        session = broker.sessions()["22222222-bbbb"]
        self.assertEqual((session["evidence"], session["reason"]), ("told", "acknowledged"))
        self.turn(broker, "22222222-bbbb")
        self.assertEqual(self.states(broker)["22222222-bbbb"], "completed")

    def test_other_states(self):
        broker = self.broker()
        self.hook(broker, "UserPromptSubmit", "s1")
        self.assertEqual(self.ack(broker, "s1").stdout, "s1 claude-code shop: working, nothing to acknowledge\n")
        self.hook(broker, "PermissionRequest", "s1", tool_name="Bash")
        self.assertEqual(self.ack(broker, "claude-code/s1").stdout, "s1 claude-code shop: waiting, nothing to acknowledge\n")
        self.assertEqual(self.states(broker), {"s1": "waiting"})

    def test_whom_it_does_not_know(self):
        broker = self.broker()
        for session in ("twin-1", "twin-2", "other"):
            self.turn(broker, session)
        done = self.ack(broker, "nobody", "twin", "other", status=1)
        self.assertEqual(done.stderr.splitlines(), ["agentbus: no session 'nobody'",
                                                    "agentbus: 'twin' may be claude-code/twin-1, claude-code/twin-2"])
        self.assertEqual(self.states(broker), {"twin-1": "completed", "twin-2": "completed", "other": "idle"})

    def test_all_and_a_whole_provider(self):
        broker = self.broker()
        for session, provider in (("c1", "claude"), ("c2", "claude"), ("g1", "gemini")):
            self.hook(broker, {"claude": "UserPromptSubmit", "gemini": "BeforeAgent"}[provider], session, provider)
            self.hook(broker, {"claude": "Stop", "gemini": "AfterAgent"}[provider], session, provider)
        self.hook(broker, "UserPromptSubmit", "c3")
        self.ack(broker, "claude-code")
        self.assertEqual(self.states(broker), {"c1": "idle", "c2": "idle", "c3": "working", "g1": "completed"})
        self.turn(broker, "c1")
        self.assertEqual(len(self.ack(broker, "--all").stdout.splitlines()), 2)
        self.assertEqual(self.states(broker), {"c1": "idle", "c2": "idle", "c3": "working", "g1": "idle"})
        self.assertEqual(self.ack(broker, "--all").stdout, "")

    def test_what_cannot_be_stored_is_refused(self):
        broker = self.broker()
        self.turn(broker, "s1")
        self.assertEqual(self.states(broker), {"s1": "completed"}, "and stored, as it has answered")
        size = (broker.dir / "state" / "agentbus" / "agentbus.db-wal").stat().st_size
        resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        self.assertIn("cannot use its database", self.ack(broker, "s1", status=1).stderr)
        self.assertEqual(self.states(broker), {"s1": "completed"})
        self.ack(broker, "s1", status=1)
        resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def test_completion(self):
        script = REPO / "contrib" / "completions" / "agentbus.bash"
        call = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _agentbus; printf "%s\n" "${COMPREPLY[@]}"'
        broker = self.broker()
        for session in ("done-1", "done-2", "$(touch evil)", "`touch evil`"):
            self.turn(broker, session)
        self.hook(broker, "UserPromptSubmit", "busy")
        env = {**broker.env, "PATH": f"{BUILD}:{broker.env['PATH']}"}
        done = subprocess.run(["bash", "-c", call, "bash", script, "agentbus", "ack", ""], capture_output=True, text=True, env=env,
                              cwd=broker.dir)
        self.assertEqual((done.stdout.split(), done.stderr), (["done-1", "done-2"], ""))
        self.assertFalse((broker.dir / "evil").exists())

    def test_mistakes(self):
        with Sandbox() as box:
            for args in ((), ("--all", "s1"), ("--no-such",)):
                self.assertEqual(box.run("agentbus", "ack", *args).returncode, 2, args)
            self.assertIn("no broker", self.ack(box, "--timeout", "50ms", "s1", status=1).stderr)


if __name__ == "__main__":
    unittest.main()
