#!/usr/bin/env python3
"""Makes the recording of `make demo` from three single ones: contrib/demo/make-recording.py CAPTURES

Three people's CLIs at once: all their log records, and the few spans that tell of turns and questions. Long text goes.
"""
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The recordings, and by how many milliseconds each is moved so that all three are busy at once.
PARTS = {"claude/interactive": 0, "codex/interactive": -4000, "gemini/interactive": -3500}
LAST_MS = 75_000  # Codex's daemon goes on exporting long after everybody has left
LONGEST_TEXT = 200
# Of Codex's hundreds of internal spans.
SPANS = (b"decide_request", b"run_sampling_request", b"session_loop", b"session_task.compact", b"session_task.turn", b"thread/start",
         b"turn_input")


# --- protobuf: fields of a message as (number, wire type, the bytes of the whole field, its value) ---

def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        start = at
        key, at = varint(data, at)
        length = {1: 8, 5: 4}.get(key & 7, 0)
        if key & 7 == 0:
            _, at = varint(data, at)
        elif key & 7 == 2:
            length, at = varint(data, at)
        yield key >> 3, data[start:at + length], data[at:at + length]
        at += length


def length_delimited(number, data):
    out, size = bytearray([number << 3 | 2]), len(data)
    while size >= 0x80:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes(out) + bytes([size]) + data


def only_telling_spans(data, depth=0):
    """An export request (depth 0), its ResourceSpans (1) or ScopeSpans (2) without the spans that nobody needs here."""
    kept, spans = b"", 0
    child = 2 if depth else 1  # resource_spans = 1, scope_spans = 2, spans = 2
    for number, whole, value in fields(data):
        if number != child:
            kept += whole
        elif depth < 2:
            inner = only_telling_spans(value, depth + 1)
            if inner:
                kept += length_delimited(number, inner)
                spans += 1
        elif dict((n, v) for n, _, v in fields(value)).get(5) in SPANS:
            kept += whole
            spans += 1
    return kept if spans else b""


# --- JSON ---

def without_long_text(value):
    """An OTLP JSON value without the attributes that hold long text."""
    if isinstance(value, list):
        return [without_long_text(v) for v in value if not is_long_attribute(v)]
    if isinstance(value, dict):
        return {k: without_long_text(v) for k, v in value.items()}
    return value


def is_long_attribute(v):
    text = v.get("value", {}).get("stringValue", "") if isinstance(v, dict) and "key" in v else ""
    return len(text) > LONGEST_TEXT


def smaller(tool, entry, body):
    if entry["path"] == "/v1/metrics":
        return b""
    if entry["content_type"] == "application/json":
        # Gemini's spans tell nothing that its log records do not.
        return json.dumps(without_long_text(json.loads(body)), separators=(",", ":")).encode() if entry["path"] == "/v1/logs" else b""
    return only_telling_spans(body) if tool == "codex" and entry["path"] == "/v1/traces" else body


def bodies(captures, name, offset):
    tool = name.split("/")[0]
    for line in (captures / name / "manifest.jsonl").read_text().splitlines():
        entry = json.loads(line)
        body = smaller(tool, entry, (captures / name / entry["file"]).read_bytes())
        entry.update(t_ms=entry["t_ms"] + offset, bytes=len(body))
        if body and entry["t_ms"] <= LAST_MS:
            yield entry, tool, body


def main():
    captures = Path(sys.argv[1])
    for old in HERE.glob("[0-9]*-*"):
        old.unlink()
    found = sorted((b for name, offset in PARTS.items() for b in bodies(captures, name, offset)), key=lambda b: b[0]["t_ms"])
    with open(HERE / "manifest.jsonl", "w") as manifest:
        for seq, (entry, tool, body) in enumerate(found, 1):
            signal, suffix = entry["path"].rpartition("/")[2], Path(entry["file"]).suffix
            entry.update(seq=seq, file=f"{seq:04}-{tool}-{signal}{suffix}")
            (HERE / entry["file"]).write_bytes(body)
            manifest.write(json.dumps(entry) + "\n")
    expected = {}
    for name in PARTS:
        expected |= json.loads((captures / name / "expected.json").read_text())
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")


main()
