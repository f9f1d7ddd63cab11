/* Any bytes as a CLI's configuration: the plan is valid, asks for nothing more once it is done, and can be shown and taken back.
 */
#include "agentbus/setup_diff.h"
#include "agentbus/setup_plan.h"
#include "require.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void
show(const char *text, size_t len, const struct setup_plan *p)
{
	const struct setup_side before = { "a", text, len }, after = { "b", p->after.data, p->after.len };
	FILE *out = fopen("/dev/null", "we");

	require(out != NULL);
	require(setup_diff(out, &before, &after, false));
	fclose(out);
}

static void
check(const struct setup_cli *cli, const struct setup_file *f, const struct setup_wish *w, const char *text, size_t len)
{
	struct setup_plan *p = malloc(sizeof(*p)), *again = malloc(sizeof(*again));
	struct edit_text back = { 0 };
	bool ok;

	require(p && again);
	setup_plan(p, cli, f, w, text, len);
	if (!p->fault.what) {
		show(text, len, p);
		setup_plan(again, cli, f, w, p->after.data, p->after.len);
		require(!again->fault.what && again->change_count == 0 && again->conflict_count == p->conflict_count);
		setup_plan_finish(again);
		require(edit_text_add(&back, p->after.data, p->after.len));
		require(setup_revert(f, &back, p->changes, p->change_count, &ok) == 0 && ok);
		require(back.len >= len && (len == 0 || memcmp(back.data, text, len) == 0));
		edit_text_finish(&back);
	}
	setup_plan_finish(p);
	free(p);
	free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct setup_wish w = { .http = "http://127.0.0.1:4318",
				      .grpc = "http://127.0.0.1:4317",
				      .program = "agentbus",
				      .telemetry = true,
				      .hooks = true,
				      .force = size > 0 && data[0] & 1 };

	/* One file for each input: the first byte says which. */
	const size_t which = size > 0 ? data[0] / 2 % (SETUP_CLIS * SETUP_FILES_MAX) : 0;
	const struct setup_cli *cli = &setup_clis[which / SETUP_FILES_MAX];
	const struct setup_file *f = &cli->files[which % SETUP_FILES_MAX];

	if (size > 0 && f->name)
		check(cli, f, &w, (const char *)data + 1, size - 1);
	return 0;
}
