/* What has come from each CLI: counted by kind, whatever it means. */
#include "sources.h"

#include "agentbus/v1/agentbus.pb-c.h"
#include "otlp_json.h"
#include "sources_report.h"

#include <criterion/criterion.h>
#include <string.h>

#define RESOURCE(name) "\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"" name "\"}}]}"

static struct arena arena;
static struct sources sources;

static void
setup(void)
{
	arena_init(&arena, (size_t)1 << 20);
	sources = (struct sources){ 0 };
}

static void
teardown(void)
{
	arena_finish(&arena);
}

TestSuite(sources, .init = setup, .fini = teardown);

static void
take(enum otlp_signal signal, const char *text, uint64_t now_ns)
{
	struct otlp_request req;

	cr_assert_eq(otlp_json_decode(signal, text, strlen(text), 32, &arena, &req), VERDICT_OK, "%s", text);
	sources_take(&sources, &req, 64, now_ns, &arena);
}

static const struct source *
of(const struct provider *p, enum source_kind kind)
{
	size_t i = 0;

	while (providers[i] != p)
		i++;
	return &sources.of[i][kind];
}

Test(sources, each_kind)
{
	take(OTLP_LOGS,
	     "{\"resourceLogs\":[{" RESOURCE("claude-code") ",\"scopeLogs\":[{\"logRecords\":[{},{}]},{\"logRecords\":[]}]}]}",
	     5);
	take(OTLP_LOGS, "{\"resourceLogs\":[{" RESOURCE("claude-code") ",\"scopeLogs\":[{\"logRecords\":[{}]}]}]}", 7);
	take(OTLP_TRACES, "{\"resourceSpans\":[{" RESOURCE("codex_exec") ",\"scopeSpans\":[{\"spans\":[{}]}]}]}", 8);
	take(OTLP_METRICS, "{\"resourceMetrics\":[{" RESOURCE("gemini-cli") ",\"scopeMetrics\":[{\"metrics\":[{},{}]}]}]}", 9);
	sources_take_hook(&sources, provider_qwen.name, 10);
	cr_expect(of(&provider_claude, SOURCE_LOGS)->count == 3 && of(&provider_claude, SOURCE_LOGS)->last_ns == 7);
	cr_expect(of(&provider_codex, SOURCE_TRACES)->count == 1 && of(&provider_codex, SOURCE_TRACES)->last_ns == 8);
	cr_expect(of(&provider_gemini, SOURCE_METRICS)->count == 2 && of(&provider_gemini, SOURCE_METRICS)->last_ns == 9);
	cr_expect(of(&provider_qwen, SOURCE_HOOKS)->count == 1 && of(&provider_qwen, SOURCE_HOOKS)->last_ns == 10);
	cr_expect_eq(of(&provider_claude, SOURCE_TRACES)->last_ns, 0);
}

Test(sources, one_that_is_told_by_scope_or_record)
{
	take(OTLP_LOGS,
	     "{\"resourceLogs\":[{\"scopeLogs\":[{\"scope\":{\"name\":\"com.anthropic.claude_code.events\"},\"logRecords\":[{}]}]"
	     "}]}",
	     1);
	take(OTLP_LOGS,
	     "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"attributes\":[{\"key\":\"event.name\",\"value\":{"
	     "\"stringValue\":"
	     "\"gemini_cli.user_prompt\"}}]}]}]}]}",
	     2);
	take(OTLP_TRACES, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{}]}]}]}", 3);
	cr_expect_eq(of(&provider_claude, SOURCE_LOGS)->count, 1);
	cr_expect_eq(of(&provider_gemini, SOURCE_LOGS)->count, 1);
	cr_expect_eq(of(&provider_genai, SOURCE_TRACES)->count, 1);
}

Test(sources, all_providers_have_a_place)
{
	size_t count = 0;

	while (providers[count])
		count++;
	cr_expect_leq(count, SOURCES_PROVIDERS_MAX);
	sources_take_hook(&sources, "nobody", 1);
	for (size_t i = 0; i < SOURCES_PROVIDERS_MAX; i++)
		cr_expect_eq(sources.of[i][SOURCE_HOOKS].count, 0);
}

Test(sources, a_report)
{
	struct buf out = { 0 };

	sources_take_hook(&sources, provider_codex.name, 10);
	cr_assert(sources_report(&sources, "127.0.0.1:1", &out));
	Agentbus__V1__Sources *r = agentbus__v1__sources__unpack(NULL, out.len, out.bytes);

	cr_assert_not_null(r);
	cr_assert_eq(r->n_sources, 1);
	cr_expect_str_eq(r->addresses, "127.0.0.1:1");
	cr_expect_str_eq(r->sources[0]->provider, "codex");
	cr_expect_str_eq(r->sources[0]->kind, "hooks");
	cr_expect_eq(r->sources[0]->count, 1);
	cr_expect_eq(r->sources[0]->last_unix_nano, 10);
	agentbus__v1__sources__free_unpacked(r, NULL);
	buf_finish(&out);
}
