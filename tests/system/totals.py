"""What a broker makes of a recording, held against what expected.json says."""
import json
import math

import harness

COUNTS = ("requests", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "tool_calls",
          "prompts", "api_errors")
BY_MODEL = ("requests", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
# Its resource gives the service another name, and what made expected.json looked no further than that. We do: it is the
# same conversation as claude/tool.
RENAMED, RENAMED_SESSION, RENAMED_LIKE = "claude/resource-attrs", "d809caf3-6872-46e2-869a-42ca50364a46", "claude/tool"


def differences(expected, sessions):
    """What is wrong, one sentence each."""
    found = []
    for sid, want in expected.items():
        got = sessions.get(sid)
        if got is None:
            # With neither a request nor a prompt there is nothing that a panel could show.
            if want["requests"] or want["prompts"]:
                found.append(f"{sid} is missing")
            continue
        found += [f"{sid} {k}: {got.get(k)}, not {want[k]}" for k in (*COUNTS, "provider") if got.get(k) != want[k]]
        if not math.isclose(got["reported_cost_usd"], want["reported_cost_usd"], rel_tol=1e-9, abs_tol=1e-12):
            found.append(f"{sid} reported_cost_usd: {got['reported_cost_usd']}, not {want['reported_cost_usd']}")
        models = {m: {k: u[k] for k in BY_MODEL} for m, u in got["by_model"].items()}
        if models != want["by_model"]:
            found.append(f"{sid} by_model: {models}, not {want['by_model']}")
    for sid, got in sessions.items():
        if sid not in expected and (got["requests"] or got["prompts"]):
            found.append(f"{sid} ({got['provider']}) should not be there")
    return found


def expected_of(recording):
    if recording.name != RENAMED:
        return recording.expected
    (totals,) = harness.recording(RENAMED_LIKE).expected.values()
    return {RENAMED_SESSION: totals}


def add_up(totals, more):
    """Adds the expected totals of one more recording: where two hold the same session, they count together."""
    for sid, want in more.items():
        if sid not in totals:
            totals[sid] = json.loads(json.dumps(want))
            continue
        have = totals[sid]
        for key in (*COUNTS, "reported_cost_usd"):
            have[key] += want[key]
        for model, usage in want["by_model"].items():
            mine = have["by_model"].setdefault(model, dict.fromkeys(BY_MODEL, 0))
            for key in BY_MODEL:
                mine[key] += usage[key]


if __name__ == "__main__":
    raise SystemExit("totals.py is what the system tests share; run `make check-system`")
