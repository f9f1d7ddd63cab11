"""Subscribers that the system tests share: what each was told, and whether that was everything.

    follower = Follower(broker).told("connected")
    follower.up_to(newest_seq(broker)).holes()      # ([(first, last) never told of], seen, lost)
"""
import collections
import json
import time

import otlp
from harness import PATIENCE

FIGURES = ("requests", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "state")


def figures(session):
    """What must be the same for everybody: counts and state."""
    return tuple(session[k] for k in FIGURES)


class Tail:
    """Reads a file of JSON lines that somebody still writes, each line once."""

    def __init__(self, path):
        self.path, self.offset, self.rest = path, 0, b""

    def lines(self):
        with open(self.path, "rb") as f:
            f.seek(self.offset)
            data = f.read()
        self.offset += len(data)
        *whole, self.rest = (self.rest + data).split(b"\n")
        return whole


def wait(condition, timeout, complaint):
    """Waits for something that tells nobody when it happens: looks until it does."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(complaint())
        time.sleep(0.05)


Seen = collections.namedtuple("Seen", "seq boot kind details")


class Follower:
    """What one subscriber (`agentbus watch --json`, into a file) was told; checks that every hole is a gap that it was told of."""

    def __init__(self, broker, *args):
        self.broker = broker
        path = broker.dir / f"watch-{len(broker.processes)}"
        self.process = broker.watch(*args, stdout=path)
        self.tail = Tail(path)
        self.seen = []
        self.sessions = {}  # the newest figures of each, as the events told them

    def read(self):
        for line in self.tail.lines():
            e = json.loads(line)
            self.seen.append(Seen(e["seq"], e["boot_id"], e["kind"], e["details"]))
            if e["session"]:
                self.sessions[e["session"]["id"]] = figures(e["session"])
        return self.seen

    def wait_until(self, predicate, timeout=PATIENCE):
        """Waits until a line satisfies the predicate."""
        looked = 0

        def found():
            nonlocal looked
            events = self.read()
            start, looked = looked, len(events)
            return any(predicate(e) for e in events[start:])
        wait(found, timeout, lambda: f"not told in {timeout:g} s; last {self.seen[-1:]}; {self.process.stderr()}")
        return self

    def told(self, kind, times=1):
        """Waits until so many events of a kind were told."""
        wait(lambda: sum(e.kind == kind for e in self.read()) >= times, PATIENCE, lambda: f"not {kind}; last {self.seen[-1:]}")
        return self

    def up_to(self, seq, timeout=PATIENCE):
        """Waits until it knows of everything up to this seq of the broker that runs now."""
        boot = self.broker.boot_id()

        def found():
            return any(e.boot == boot and e.seq >= seq or
                       e.kind == "gap" and e.details["boot_id"] == boot and (e.details["last_seq"] or 0) >= seq for e in self.read())
        wait(found, timeout, lambda: f"not told in {timeout:g} s; last {self.seen[-1:]}; {self.process.stderr()}")
        return self

    def holes(self):
        """[(first, last)] of the events that it neither saw nor was told the loss of; and how many it saw and lost."""
        unexplained, seen, lost, last, boot, explained = [], 0, 0, None, None, 0
        for e in self.read():
            if e.kind == "gap" and e.details["last_seq"]:
                explained = max(explained, e.details["last_seq"])
                lost += e.details["last_seq"] - e.details["first_seq"] + 1
            if not e.seq:
                continue
            if e.boot != boot:
                boot, last, explained = e.boot, None, 0
            if last is not None and e.seq <= last:
                unexplained.append(("again", e.seq))
            elif last is not None and e.seq != last + 1 and explained < e.seq - 1:
                unexplained.append((last + 1, e.seq - 1))
            last, seen = e.seq, seen + 1
        return unexplained, seen, lost


class Panel:
    """An eww-subscriber: what a person would see."""

    def __init__(self, broker):
        path = broker.dir / f"panel-{len(broker.processes)}"
        self.process = broker.start("eww-subscriber", stdout=path)
        self.tail = Tail(path)
        self.last = None

    def wait_for(self, predicate, timeout=PATIENCE):
        def found():
            for line in self.tail.lines()[-1:]:
                self.last = json.loads(line)
            return self.last and predicate(self.last)
        wait(found, timeout, lambda: f"the panel shows {str(self.last)[:600]}")

    def shows(self, sessions, timeout=PATIENCE):
        """Waits until it shows exactly these sessions, with these tokens and states."""
        want = {s["id"]: (s["input_tokens"] + s["output_tokens"], s["state"]) for s in sessions if s["state"] != "ended" and not s["auxiliary"]}
        self.wait_for(lambda p: p["connected"] and {s["id"]: (s["tokens"]["total"], s["state"]) for s in p["sessions"]} == want, timeout)


def newest_seq(broker):
    """Of an event that is sent now."""
    watch = broker.watch()
    broker.post("/v1/logs", otlp.claude(otlp.claude_request("marker", request_id=f"req_{time.monotonic_ns()}")))
    seq = watch.wait_for(lambda e: e["kind"] == "api_request" and e["session"]["id"] == "marker")["seq"]
    watch.stop()
    return seq


if __name__ == "__main__":
    raise SystemExit("followers.py is what the system tests share; run `make check-system`")
