#!/usr/bin/env python3
"""Makes the recording of `make demo` from three single ones: contrib/demo/make-recording.py CAPTURES

Three people's CLIs at once: all their log records, and the small trace bodies that tell when turns end. Long text goes.
"""
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The recordings, and by how many milliseconds each is moved so that all three are busy at once.
PARTS = {"claude/interactive": 0, "codex/interactive": -4000, "gemini/interactive": -3500}
LAST_MS = 75_000  # Codex's daemon goes on exporting long after everybody has left
LARGEST_TRACE = 10_000
LONGEST_TEXT = 200


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


def bodies(captures, name, offset):
    for line in (captures / name / "manifest.jsonl").read_text().splitlines():
        entry = json.loads(line)
        body = (captures / name / entry["file"]).read_bytes()
        if entry["path"] == "/v1/metrics" or (entry["path"] == "/v1/traces" and len(body) > LARGEST_TRACE):
            continue
        if entry["t_ms"] + offset > LAST_MS:
            continue
        if entry["content_type"] == "application/json":
            body = json.dumps(without_long_text(json.loads(body)), separators=(",", ":")).encode()
        entry["t_ms"] += offset
        entry["bytes"] = len(body)
        entry["headers"].pop("content-length", None)
        yield entry, name.split("/")[0], body


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
