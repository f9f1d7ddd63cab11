#include "refusal.h"

#define QUIET_NS 60000000000ull /* between two lines about the same kind of refusal */

void
refusals_init(struct refusals *r, const struct log *log)
{
	*r = (struct refusals){ .log = log };
}

void
refusals_note(struct refusals *r, enum verdict v, const char *what, uint64_t now_ns)
{
	if (r->of[v].logged_ns != 0 && now_ns - r->of[v].logged_ns < QUIET_NS) {
		r->of[v].silent++;
		return;
	}
	log_warning(r->log, "refused %s: %u, %s", what, verdict_http_status(v), verdict_text(v));
	if (r->of[v].silent > 0)
		log_warning(r->log, "%u more were refused like this since it was last said", r->of[v].silent);
	r->of[v].logged_ns = now_ns;
	r->of[v].silent = 0;
}
