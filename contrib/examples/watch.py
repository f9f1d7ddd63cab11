#!/usr/bin/env python3
"""Prints what every session does, as it happens, without libagentbus: the bus is nng and protobuf, nothing else.

It shows the least that is right: subscribe first, then ask for a snapshot, then apply the events above its seq. It starts
afresh where libagentbus would fetch what was lost from the journal.
"""
import os

import pynng
from agentbus.v1 import agentbus_pb2 as pb

DIR = os.environ.get("AGENTBUS_RUNTIME_DIR") or os.environ["XDG_RUNTIME_DIR"] + "/agentbus"


def show(session):
    state = pb.State.Name(session.state).removeprefix("STATE_").lower()
    print(f"{session.provider:12} {session.id[:8]}  {state:9}  {session.model}  {session.project.name}", flush=True)


with pynng.Sub0(dial=f"ipc://{DIR}/events", topics=b"v1/", recv_buffer_size=8192) as events, \
        pynng.Req0(dial=f"ipc://{DIR}/query", recv_timeout=5000) as query:
    boot_id, seq = None, 0
    while True:
        if boot_id is None:  # the beginning, or something was lost
            query.send(pb.Request(snapshot=pb.SnapshotRequest()).SerializeToString())
            answer = pb.Response.FromString(query.recv())
            boot_id, seq = answer.boot_id, answer.seq
            for session in answer.snapshot.sessions:
                show(session)
        for event in pb.EventBatch.FromString(events.recv().split(b"\0", 1)[1]).events:
            if event.boot_id != boot_id or event.seq > seq + 1:
                boot_id = None
                break
            if event.seq == seq + 1:
                seq = event.seq
                if event.kind == pb.EVENT_KIND_STATE_CHANGED:
                    show(event.session)
