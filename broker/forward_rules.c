#include "forward_rules.h"
#include "forward_answer.h"

#define ROWS_MAX 4096 /* a limit above is none */
#define CALM_NS  (60ull * 1000000000)

static const struct {
	unsigned status;
	enum forward_result result;
	const char *name;
} statuses[] = {
	{ 0, FORWARD_AGAIN, "no answer" },
	{ 400, FORWARD_REFUSED, "bad request" },
	{ 401, FORWARD_UNWELCOME, "unauthorized" },
	{ 403, FORWARD_UNWELCOME, "forbidden" },
	{ 404, FORWARD_UNWELCOME, "not found" },
	{ 405, FORWARD_UNWELCOME, "method not allowed" },
	{ 413, FORWARD_REFUSED, "too large" },
	{ 415, FORWARD_UNWELCOME, "unsupported media type" },
	{ 422, FORWARD_REFUSED, "unprocessable" },
	{ 429, FORWARD_AGAIN, "too many requests" },
	{ 500, FORWARD_REFUSED, "internal server error" },
	{ 502, FORWARD_AGAIN, "bad gateway" },
	{ 503, FORWARD_AGAIN, "service unavailable" },
	{ 504, FORWARD_AGAIN, "gateway timeout" },
};

enum forward_result
forward_rules_judge(unsigned status)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == status)
			return statuses[i].result;
	if (status >= 200 && status < 300)
		return FORWARD_SENT;
	/* Redirections are not followed: they would take headers, which may be secrets, elsewhere. */
	return status >= 400 ? FORWARD_REFUSED : FORWARD_UNWELCOME;
}

const char *
forward_rules_name(unsigned status)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == status)
			return statuses[i].name;
	return "";
}

void
forward_rules_succeeded(struct forward_pace *p)
{
	p->next_ns = 0;
}

uint64_t
forward_rules_wait(struct forward_pace *p, const char *retry_after, uint64_t now_ns, uint32_t chance)
{
	const uint64_t base = p->next_ns < p->min_ns ? p->min_ns : p->next_ns;
	const uint64_t grown = base + base / 2, fifth = base / 5;
	/* 0.8 to 1.2 of it. */
	const uint64_t wait = base - fifth + (uint64_t)(2. * (double)fifth * chance / UINT32_MAX);
	uint64_t asked;

	p->next_ns = grown < p->max_ns ? grown : p->max_ns;
	if (!forward_answer_wait(retry_after, now_ns, &asked))
		return wait;
	if (asked > FORWARD_WAIT_MAX_NS)
		asked = FORWARD_WAIT_MAX_NS;
	return asked > wait ? asked : wait;
}

uint64_t
forward_rules_rows(enum forward_result r, uint64_t limit, uint64_t rows)
{
	switch (r) {
	case FORWARD_SENT:
		/* What was refused is behind us, or it is the next row: feel the way back. */
		return limit < ROWS_MAX ? 2 * limit : 0;
	case FORWARD_REFUSED:
		return rows > 1 ? rows / 2 : limit;
	case FORWARD_AGAIN:
	case FORWARD_UNWELCOME:
		break;
	}
	return limit;
}

bool
forward_rules_tell(struct forward_warning *w, uint64_t count, uint64_t now_ns, uint64_t *ret_count)
{
	w->untold += count;
	if (w->told_ns && now_ns - w->told_ns < CALM_NS)
		return false;
	*ret_count = w->untold;
	w->told_ns = now_ns;
	w->untold = 0;
	return true;
}
