#include "common/event_text.h"
#include "sample_session.h"

#include <criterion/criterion.h>
#include <string.h>

static void
expect(const struct agentbus_event *e, const char *text)
{
	char out[EVENT_TEXT_SIZE];

	cr_expect_str_eq(event_text(e, out, sizeof(out)), text);
}

Test(event_text, requests)
{
	struct agentbus_session s = sample_session("a", AGENTBUS_WORKING);
	struct agentbus_event e = sample_event(AGENTBUS_API_REQUEST, &s);

	expect(&e, "unknown model: 0 in, 0 out");
	e.api_request.model = "gpt-5.5";
	e.api_request.tokens = (struct agentbus_tokens){ .input = 52180, .output = 12 };
	e.api_request.duration_ms = 3200;
	e.api_request.cost = (struct agentbus_cost){ .total = SAMPLE_USD / 8, .has_reported = true };
	expect(&e, "gpt-5.5: 52.2k in, 12 out, $0.12, 3s");
}

Test(event_text, errors)
{
	struct agentbus_session s = sample_session("a", AGENTBUS_WORKING);
	struct agentbus_event e = sample_event(AGENTBUS_API_ERROR, &s);

	expect(&e, "error: unknown");
	e.api_error.error.type = "rate_limit";
	e.api_error.error.status = 429;
	e.api_error.error.message = "not shown";
	e.api_error.model = "m";
	e.api_error.attempt = 2;
	expect(&e, "error: rate_limit (HTTP 429) from m, attempt 2");
	e.api_error.retried = true;
	expect(&e, "error: rate_limit (HTTP 429) from m, attempt 2, will be retried");
	e.api_error.retried = false;
	e.api_error.final = true;
	expect(&e, "error: rate_limit (HTTP 429) from m, attempt 2, given up");
}

Test(event_text, tools)
{
	struct agentbus_session s = sample_session("a", AGENTBUS_WORKING);
	struct agentbus_event e = sample_event(AGENTBUS_TOOL, &s);

	e.tool.name = "Bash";
	e.tool.success = true;
	e.tool.duration_ms = 850;
	expect(&e, "tool Bash done, 850ms");
	e.tool.success = false;
	e.tool.error_type = "E";
	e.tool.decision = "reject";
	e.tool.duration_ms = 0;
	expect(&e, "tool Bash failed (E), reject");
}

Test(event_text, states)
{
	struct agentbus_session s = sample_session("a", AGENTBUS_COMPLETED);
	struct agentbus_event e = sample_event(AGENTBUS_STATE_CHANGED, &s);

	e.state_change.from = AGENTBUS_WORKING;
	e.state_change.to = AGENTBUS_COMPLETED;
	expect(&e, "working -> completed");
	e.reason = "turn_end";
	e.state_change.turn_duration_ms = 192000;
	s.failed = true;
	expect(&e, "working -> completed (turn_end), turn of 3m 12s, failed");
}

Test(event_text, beginnings_and_ends)
{
	struct agentbus_session s = sample_session("a", AGENTBUS_WORKING);
	struct agentbus_event started = sample_event(AGENTBUS_SESSION_STARTED, &s),
			      ended = sample_event(AGENTBUS_SESSION_ENDED, &s), prompt = sample_event(AGENTBUS_PROMPT, &s);

	expect(&started, "started Claude Code");
	s.auxiliary = true;
	expect(&started, "started Claude Code below another session");
	s.parent_id = "0123456789";
	expect(&started, "started Claude Code below 23456789");
	expect(&ended, "ended");
	ended.reason = "exit";
	expect(&ended, "ended (exit)");
	expect(&prompt, "prompt");
	prompt.prompt.length = 1;
	expect(&prompt, "prompt of 1 character");
	prompt.prompt.length = 52;
	expect(&prompt, "prompt of 52 characters");
}

Test(event_text, of_the_library)
{
	struct agentbus_event e = sample_event(AGENTBUS_GAP, NULL);

	e.gap.first_seq = 3;
	expect(&e, "events from 3 on are lost, nobody knows how many");
	e.gap.last_seq = 9;
	expect(&e, "events 3 to 9 are lost");
	e.kind = AGENTBUS_CONNECTED;
	expect(&e, "connected");
	e.kind = AGENTBUS_DISCONNECTED;
	expect(&e, "the broker is gone; waiting for it");
	e.kind = AGENTBUS_RESET;
	expect(&e, "the sessions were fetched anew");
}

/* Every kind that there is or may come, with or without a session: one line of something, whatever the room. */
Test(event_text, never_empty)
{
	struct agentbus_session s = sample_session("a", AGENTBUS_WORKING);
	char out[EVENT_TEXT_SIZE];

	s.model = "\033[31m";
	for (unsigned kind = 0; kind < 80; kind++) {
		struct agentbus_event e = sample_event((enum agentbus_kind)kind, kind % 2 ? &s : NULL);

		e.reason = e.tool.name = e.api_request.model = "\033[31m\n";
		cr_expect_gt(strlen(event_text(&e, out, sizeof(out))), 0, "kind %u", kind);
		cr_expect_null(strpbrk(out, "\033\n"), "kind %u", kind);
		for (size_t size = 1; size < 40; size++)
			cr_expect_lt(strlen(event_text(&e, out, size)), size);
	}
}
