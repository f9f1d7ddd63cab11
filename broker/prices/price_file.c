#include "prices/price_file.h"

#include "prices/price_json.h"
#include "prices/price_value.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX   8
#define ERRORS_TOLD 20
#define ABOVE_MAX   1e15

struct reader {
	struct price_report *report;
	const char *name; /* of the file */
	char place[160];  /* where in it: "models[3].rates" */
	size_t place_len;
};

/* --- complaints --- */

static void __attribute__((format(printf, 3, 4))) complain(struct price_report *report, const char *where, const char *fmt, ...)
{
	char what[200], text[1024];
	va_list args;

	if (report->errors++ >= ERRORS_TOLD)
		return;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	snprintf(text, sizeof(text), "%s %s", where, what);
	report->line(report, text);
}

/* False, for the caller to return. */
static bool
wrong(const struct reader *r, const char *what)
{
	char where[700];

	snprintf(where, sizeof(where), "%.400s:%s%s%s", r->name, r->place_len ? " " : "", r->place, r->place_len ? ":" : "");
	complain(r->report, where, "%s", what);
	return false;
}

/* Goes one step further into the file; returns where it was, for leave(). */
static size_t __attribute__((format(printf, 2, 3))) enter(struct reader *r, const char *fmt, ...)
{
	const size_t before = r->place_len;
	char step[80];
	va_list args;

	va_start(args, fmt);
	vsnprintf(step, sizeof(step), fmt, args);
	va_end(args);
	for (char *c = step; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	snprintf(r->place + before, sizeof(r->place) - before, "%s%s", before && step[0] != '[' ? "." : "", step);
	r->place_len = strlen(r->place);
	return before;
}

static void
leave(struct reader *r, size_t before)
{
	r->place[before] = '\0';
	r->place_len = before;
}

/* --- values --- */

static bool
read_micro(struct reader *r, const cJSON *v, int64_t max, int64_t *ret)
{
	char what[120];

	if (cJSON_IsString(v) ? price_micro_of_text(v->valuestring, max, ret)
			      : cJSON_IsNumber(v) && price_micro_of_number(v->valuedouble, max, ret))
		return true;
	snprintf(what, sizeof(what), "expected a decimal number from 0 to %lld, with at most six digits after the point",
		 (long long)(max / PRICE_MICRO));
	return wrong(r, what);
}

/* Printable text, without spaces if it is a name. */
static bool
read_text(struct reader *r, const cJSON *v, bool name, char *ret, size_t size)
{
	char what[80];
	size_t len;

	if (!cJSON_IsString(v))
		return wrong(r, "expected text");
	len = strlen(v->valuestring);
	if (len >= size || (name && len == 0)) {
		snprintf(what, sizeof(what), "expected at most %zu characters, and %s", size - 1, name ? "some" : "no more");
		return wrong(r, what);
	}
	for (const unsigned char *c = (const unsigned char *)v->valuestring; *c; c++)
		if (*c < ' ' || *c == 0x7f || (name && *c == ' '))
			return wrong(r, name ? "a name holds no spaces and no control characters"
					     : "control characters are no text");
	memcpy(ret, v->valuestring, len + 1);
	return true;
}

static bool
read_day(struct reader *r, const cJSON *v, uint64_t *ret_ns)
{
	if (cJSON_IsString(v) && price_day_of(v->valuestring, ret_ns))
		return true;
	return wrong(r, "expected a day: \"2026-11-26\"");
}

/* --- members of a model --- */

static bool
read_name(struct reader *r, const cJSON *v, struct price *p)
{
	return read_text(r, v, true, p->name, sizeof(p->name));
}

static bool
read_provider(struct reader *r, const cJSON *v, struct price *p)
{
	return read_text(r, v, true, p->provider, sizeof(p->provider));
}

static bool
read_source(struct reader *r, const cJSON *v, struct price *p)
{
	return read_text(r, v, false, p->source, sizeof(p->source));
}

static bool
read_note(struct reader *r, const cJSON *v, struct price *p)
{
	(void)p;
	return cJSON_IsString(v) || wrong(r, "expected text");
}

static bool
read_as_of(struct reader *r, const cJSON *v, struct price *p)
{
	uint64_t ns;

	return read_day(r, v, &ns) && read_text(r, v, true, p->as_of, sizeof(p->as_of));
}

static bool
read_from(struct reader *r, const cJSON *v, struct price *p)
{
	return read_day(r, v, &p->from_ns);
}

static bool
read_until(struct reader *r, const cJSON *v, struct price *p)
{
	return read_day(r, v, &p->until_ns);
}

static bool
read_aliases(struct reader *r, const cJSON *v, struct price *p)
{
	const cJSON *item;
	bool ok = true;

	if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) > PRICE_ALIASES_MAX)
		return wrong(r, "expected a list of at most 8 names");
	cJSON_ArrayForEach(item, v)
	{
		const size_t before = enter(r, "[%zu]", p->alias_count);

		ok &= read_text(r, item, true, p->aliases[p->alias_count], PRICE_NAME_MAX);
		p->alias_count++;
		leave(r, before);
	}
	return ok;
}

static bool
read_rate(struct reader *r, const cJSON *v, int64_t rates[PRICE_KIND_COUNT])
{
	static const char *const names[PRICE_KIND_COUNT] = {
		[PRICE_INPUT] = "input",
		[PRICE_OUTPUT] = "output",
		[PRICE_CACHE_READ] = "cache_read",
		[PRICE_CACHE_WRITE_5M] = "cache_write_5m",
		[PRICE_CACHE_WRITE_1H] = "cache_write_1h",
	};

	for (enum price_kind k = 0; k < PRICE_KIND_COUNT; k++) {
		if (strcmp(v->string, names[k]) != 0)
			continue;
		return rates[k] == PRICE_UNSET ? read_micro(r, v, PRICE_RATE_MAX, &rates[k]) : wrong(r, "is there twice");
	}
	return wrong(r, "is no rate; there are input, output, cache_read, cache_write_5m, cache_write_1h");
}

static bool
read_tier_rates(struct reader *r, const cJSON *v, struct price_tier *t)
{
	const cJSON *item;
	bool ok = true;

	for (enum price_kind k = 0; k < PRICE_KIND_COUNT; k++)
		t->rates[k] = PRICE_UNSET;
	if (!cJSON_IsObject(v))
		return wrong(r, "expected an object of rates");
	cJSON_ArrayForEach(item, v)
	{
		const size_t before = enter(r, "%s", item->string);

		ok &= read_rate(r, item, t->rates);
		leave(r, before);
	}
	if (ok && (t->rates[PRICE_INPUT] == PRICE_UNSET || t->rates[PRICE_OUTPUT] == PRICE_UNSET))
		return wrong(r, "needs input and output");
	return ok;
}

static bool
read_rates(struct reader *r, const cJSON *v, struct price *p)
{
	return read_tier_rates(r, v, &p->tiers[0]);
}

static bool
read_tier(struct reader *r, const cJSON *v, uint64_t below, struct price_tier *t)
{
	const cJSON *above = cJSON_GetObjectItemCaseSensitive(v, "above");
	const cJSON *rates = cJSON_GetObjectItemCaseSensitive(v, "rates");
	bool ok;

	if (!cJSON_IsObject(v) || cJSON_GetArraySize(v) != 2 || !above || !rates)
		return wrong(r, "expected {\"above\": …, \"rates\": …}");
	if (!cJSON_IsNumber(above) || !(above->valuedouble > (double)below) || above->valuedouble > ABOVE_MAX ||
	    floor(above->valuedouble) != above->valuedouble)
		return wrong(r, "\"above\" is a whole number of tokens, larger than that of the tier before");
	t->above = (uint64_t)above->valuedouble;
	const size_t before = enter(r, "rates");
	ok = read_tier_rates(r, rates, t);
	leave(r, before);
	return ok;
}

static bool
read_tiers(struct reader *r, const cJSON *v, struct price *p)
{
	const cJSON *item;
	bool ok = true;

	if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) > PRICE_TIERS_MAX)
		return wrong(r, "expected a list of at most 4 tiers");
	cJSON_ArrayForEach(item, v)
	{
		const size_t before = enter(r, "[%zu]", p->tier_count - 1);

		ok &= read_tier(r, item, p->tiers[p->tier_count - 1].above, &p->tiers[p->tier_count]);
		p->tier_count++;
		leave(r, before);
	}
	return ok;
}

static bool
add_factor(struct reader *r, const cJSON *v, const char *name, struct price *p)
{
	struct price_factor f;

	if (p->factor_count == PRICE_FACTORS_MAX || *name == '\0' || strlen(name) >= sizeof(f.name))
		return wrong(r, "expected at most 4 of them, each with a name of at most 15 characters");
	for (size_t i = 0; i < p->factor_count; i++)
		if (strcmp(p->factors[i].name, name) == 0)
			return wrong(r, "is there twice");
	if (!read_micro(r, v, PRICE_FACTOR_MAX, &f.micro))
		return false;
	strcpy(f.name, name);
	p->factors[p->factor_count++] = f;
	return true;
}

static bool
read_fast(struct reader *r, const cJSON *v, struct price *p)
{
	return add_factor(r, v, "fast", p);
}

static bool
read_service_tiers(struct reader *r, const cJSON *v, struct price *p)
{
	const cJSON *item;
	bool ok = true;

	if (!cJSON_IsObject(v))
		return wrong(r, "expected an object of factors");
	cJSON_ArrayForEach(item, v)
	{
		const size_t before = enter(r, "%s", item->string);

		ok &= add_factor(r, item, item->string, p);
		leave(r, before);
	}
	return ok;
}

static const struct {
	const char *key;
	bool (*read)(struct reader *r, const cJSON *v, struct price *p);
	bool needed;
} members[] = {
	{ "name", read_name, true },      { "aliases", read_aliases, false }, { "provider", read_provider, false },
	{ "from", read_from, false },     { "until", read_until, false },     { "rates", read_rates, true },
	{ "tiers", read_tiers, false },   { "fast", read_fast, false },       { "service_tiers", read_service_tiers, false },
	{ "source", read_source, false }, { "as_of", read_as_of, false },     { "note", read_note, false },
};
#define MEMBER_COUNT (sizeof(members) / sizeof(members[0]))

/* --- the whole --- */

static bool
read_member(struct reader *r, const cJSON *v, unsigned *seen, struct price *p)
{
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		if (strcmp(members[i].key, v->string) != 0)
			continue;
		if (*seen & 1u << i)
			return wrong(r, "is there twice");
		*seen |= 1u << i;
		return members[i].read(r, v, p);
	}
	return wrong(r, "is nothing that a model has");
}

static bool
read_model(struct reader *r, const cJSON *v, struct price *p)
{
	const cJSON *item;
	unsigned seen = 0;
	char what[40];
	bool ok = true;

	*p = (struct price){ .until_ns = UINT64_MAX, .tier_count = 1 };
	if (!cJSON_IsObject(v))
		return wrong(r, "expected an object");
	cJSON_ArrayForEach(item, v)
	{
		const size_t before = enter(r, "%s", item->string);

		ok &= read_member(r, item, &seen, p);
		leave(r, before);
	}
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		if (!members[i].needed || seen & 1u << i)
			continue;
		snprintf(what, sizeof(what), "\"%s\" is missing", members[i].key);
		ok = wrong(r, what);
	}
	if (ok && p->from_ns >= p->until_ns)
		return wrong(r, "\"from\" must be before \"until\"");
	return ok;
}

static bool
add_model(struct reader *r, const cJSON *v, struct price_list *ret)
{
	const struct price *clash;
	struct price p;
	char what[120];

	if (!read_model(r, v, &p))
		return false;
	clash = price_list_clash(ret, &p);
	if (clash) {
		snprintf(what, sizeof(what), "has a name in common with \"%s\" at the same time", clash->name);
		return wrong(r, what);
	}
	return price_list_add(ret, &p) || wrong(r, "there are too many models");
}

static bool
read_models(struct reader *r, const cJSON *root, struct price_list *ret)
{
	const cJSON *models = cJSON_GetObjectItemCaseSensitive(root, "models"), *item;
	bool ok = true;
	size_t i = 0;

	if (!cJSON_IsArray(models) || cJSON_GetArraySize(root) != 1)
		return wrong(r, "expected {\"models\": […]}");
	cJSON_ArrayForEach(item, models)
	{
		const size_t before = enter(r, "models[%zu]", i++);

		ok &= add_model(r, item, ret);
		leave(r, before);
	}
	return ok;
}

static bool
wrong_at(const struct reader *r, const struct price_json_error *error)
{
	char where[440];

	snprintf(where, sizeof(where), "%.400s:%u:", r->name, error->line);
	complain(r->report, where, "%s", error->what);
	return false;
}

bool
price_file_parse(const char *text, size_t len, const char *name, struct price_report *report, struct price_list *ret)
{
	struct reader r = { .report = report, .name = name };
	struct price_json_error error;
	cJSON *root;
	bool ok;

	if (len > PRICE_FILE_MAX)
		return wrong(&r, "the file is too large");
	root = price_json_parse(text, len, DEPTH_MAX, &error);
	ok = root ? read_models(&r, root, ret) : wrong_at(&r, &error);
	cJSON_Delete(root);
	return ok;
}
