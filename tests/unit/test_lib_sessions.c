#include "lib/sessions.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A session all of whose texts are `text` but for id and provider. */
static struct agentbus_session
make(const char *provider, const char *id, const char *text)
{
	return (struct agentbus_session){
		.id = id,
		.provider = provider,
		.service_name = text,
		.model = text,
		.state = AGENTBUS_WORKING,
		.reason = text,
		.title = text,
		.project = text,
		.project_dir = text,
		.tty = text,
		.tmux_pane = text,
		.window = text,
		.parent_id = text,
		.last_error = { .type = text, .message = text },
		.tool = text,
		.branch = text,
		.worktree = text,
	};
}

static void
check_texts(const struct agentbus_session *s, const char *text)
{
	const char *const all[] = { s->service_name, s->model,           s->reason,
				    s->title,        s->project,         s->project_dir,
				    s->tty,          s->tmux_pane,       s->window,
				    s->parent_id,    s->last_error.type, s->last_error.message,
				    s->tool,         s->branch,          s->worktree };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		cr_assert_str_eq(all[i], text);
		cr_assert_neq(all[i], text, "text %zu is not a copy", i);
	}
}

Test(lib_sessions, empty)
{
	struct sessions t;

	sessions_init(&t);
	cr_assert_null(sessions_at(&t, 0));
	cr_assert_null(sessions_get(&t, "codex", "a"));
	sessions_finish(&t);
	sessions_finish(&t);
}

Test(lib_sessions, copies_all_that_a_session_points_to)
{
	struct sessions t;
	char model[] = "gpt";
	struct agentbus_model_usage models[] = { { .model = model, .requests = 3, .tokens = { .input = 7 } }, { .model = "o" } };
	struct agentbus_error_count errors[] = { { "auth", 1 }, { model, 5 } };
	struct agentbus_session s = make("codex", "a", "text");

	s.errors_by_type = errors;
	s.error_type_count = 2;
	s.models = models;
	s.model_count = 2;
	s.tokens.output = 9;
	s.trace_id[15] = 1;
	sessions_init(&t);
	const struct agentbus_session *copy = sessions_put(&t, &s);
	strcpy(model, "xxx");
	memset(&models[1], 0, sizeof(models[1]));
	memset(errors, 0, sizeof(errors));
	cr_assert_eq(copy, sessions_get(&t, "codex", "a"));
	check_texts(copy, "text");
	cr_assert_eq(copy->tokens.output, 9);
	cr_assert_eq(copy->trace_id[15], 1);
	cr_assert_eq(copy->model_count, 2);
	cr_assert_str_eq(copy->models[0].model, "gpt");
	cr_assert_eq(copy->models[0].requests, 3);
	cr_assert_eq(copy->models[0].tokens.input, 7);
	cr_assert_str_eq(copy->models[1].model, "o");
	cr_assert_eq(copy->error_type_count, 2);
	cr_assert_str_eq(copy->errors_by_type[1].type, "gpt");
	cr_assert_eq(copy->errors_by_type[1].count, 5);
	sessions_finish(&t);
}

Test(lib_sessions, replaces_by_provider_and_id)
{
	struct sessions t;
	char text[5000];

	sessions_init(&t);
	for (size_t len = 0; len < sizeof(text); len += 7) {
		/* Longer and shorter in turn. */
		size_t n = len % 2 ? sizeof(text) - len : len;
		memset(text, 'x', n);
		text[n] = '\0';
		struct agentbus_session s = make("codex", "a", text);
		check_texts(sessions_put(&t, &s), text);
	}
	cr_assert_eq(t.count, 1);
	struct agentbus_session other = make("gemini-cli", "a", "");
	cr_assert_not_null(sessions_put(&t, &other));
	cr_assert_eq(t.count, 2);
	cr_assert_str_eq(sessions_get(&t, "gemini-cli", "a")->provider, "gemini-cli");
	cr_assert_str_eq(sessions_get(&t, "codex", "a")->provider, "codex");
	cr_assert_null(sessions_get(&t, "codex", "b"));
	cr_assert_null(sessions_get(&t, "", "codexa"));
	sessions_finish(&t);
}

Test(lib_sessions, thousands)
{
	struct sessions t;
	char id[32];

	sessions_init(&t);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 5000; i++) {
			snprintf(id, sizeof(id), "session-%d", i);
			struct agentbus_session s = make("codex", id, round ? "second" : "");
			s.pid = (uint32_t)i;
			cr_assert_not_null(sessions_put(&t, &s));
		}
	}
	cr_assert_eq(t.count, 5000);
	for (int i = 0; i < 5000; i++) {
		snprintf(id, sizeof(id), "session-%d", i);
		const struct agentbus_session *s = sessions_get(&t, "codex", id);
		cr_assert_eq(s->pid, (uint32_t)i);
		cr_assert_str_eq(s->tool, "second");
		cr_assert_eq(sessions_at(&t, (size_t)i), s, "in order of arrival");
	}
	cr_assert_null(sessions_at(&t, 5000));
	sessions_finish(&t);
}
