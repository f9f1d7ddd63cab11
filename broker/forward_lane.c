#include "forward_lane.h"

#include "forward.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include <sys/random.h>

#define COLLECT_S 0.2 /* what comes within this time goes together */
#define MUCH      ((uint64_t)256 << 10)
#define CALM_NS   (60 * NS_PER_S)

static const char *const state_names[] = {
	[FORWARD_IDLE] = "idle",       [FORWARD_COLLECTING] = "collecting", [FORWARD_PACKING] = "packing",
	[FORWARD_SENDING] = "sending", [FORWARD_WAITING] = "waiting",
};

const char *
forward_state_name(enum forward_state s)
{
	return state_names[s];
}

static uint64_t
now_of(const struct forward_lane *l)
{
	return clock_now(l->host->clock);
}

/* Whether a trouble is to be told of now; *ret_count is how many times it came since the last time. */
static bool
may_tell(struct queue_warning *w, uint64_t count, uint64_t now_ns, uint64_t *ret_count)
{
	w->untold += count;
	if (w->told_ns && now_ns - w->told_ns < CALM_NS)
		return false;
	*ret_count = w->untold;
	w->told_ns = now_ns;
	w->untold = 0;
	return true;
}

/* --- states --- */

static void
enter(struct forward_lane *l, enum forward_state state, double after_s)
{
	l->state = state;
	ev_timer_stop(l->host->loop, &l->timer);
	ev_timer_set(&l->timer, after_s, 0.);
	ev_timer_start(l->host->loop, &l->timer);
}

static void
become_idle(struct forward_lane *l)
{
	l->state = FORWARD_IDLE;
	ev_timer_stop(l->host->loop, &l->timer);
	forward_pack_finish(&l->pack);
	buf_finish(&l->answer);
	forward_lane_wake(l);
}

void
forward_lane_wake(struct forward_lane *l)
{
	const struct store_mark waiting = forward_queue_waiting(l->host->queue, l->queue);

	if (waiting.row == 0 || (l->state != FORWARD_IDLE && l->state != FORWARD_COLLECTING))
		return;
	if (waiting.bytes >= MUCH)
		enter(l, FORWARD_PACKING, 0.);
	else if (l->state == FORWARD_IDLE)
		enter(l, FORWARD_COLLECTING, COLLECT_S);
}

static void
note_error(struct forward_lane *l, const char *why)
{
	str_copy(l->error, sizeof(l->error), str_from(why));
	l->error_ns = now_of(l);
}

/* To be tried again later. */
static void
put_off(struct forward_lane *l, const char *why)
{
	struct forward_target *t = l->target;
	const uint64_t now = now_of(l);
	uint32_t chance = 0;
	uint64_t count;

	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) != sizeof(chance))
		chance = (uint32_t)now;
	const uint64_t wait = forward_rules_wait(&l->pace, *l->retry_after ? l->retry_after : NULL, now, chance);
	note_error(l, why);
	l->queue->counts.retries++;
	l->queue->changed = true;
	l->again_ns = now + wait;
	forward_pack_finish(&l->pack);
	buf_finish(&l->answer);
	enter(l, FORWARD_WAITING, (double)wait / NS_PER_S);
	t->is_down = true;
	if (!may_tell(&t->down, 1, now, &count))
		return;
	t->said_down = true;
	log_warning(l->host->log, "forward %s: %s are not taken (%s); trying again", t->to->name, l->url + strlen(t->to->url) + 4,
		    l->error);
}

/* --- making a request --- */

static void
post(struct forward_lane *l)
{
	if (!forward_pack_end(&l->pack)) {
		put_off(l, "out of memory");
		return;
	}
	l->state = FORWARD_SENDING;
	l->headed = l->cut = false;
	l->retry_after[0] = '\0';
	l->answer.len = 0;
	curl_easy_setopt(l->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)l->pack.body.len);
	curl_easy_setopt(l->easy, CURLOPT_POSTFIELDS, (const char *)l->pack.body.bytes);
	if (!forward_multi_add(&l->host->multi, l->easy))
		put_off(l, "out of memory");
}

static bool
is_full(const struct forward_lane *l)
{
	return l->rows > 0 && (l->rows == l->rows_max || l->pack.total > FORWARD_BATCH_MAX - OUTBOX_ROW_MAX);
}

/* What the queue counts but does not have is damage. */
static void
pass_hole(struct forward_lane *l)
{
	const struct store_mark waiting = forward_queue_waiting(l->host->queue, l->queue);
	struct store_mark end = l->queue->at;

	end.row += waiting.row;
	end.bytes += waiting.bytes;
	end.items += waiting.items;
	l->queue->counts.dropped += waiting.items;
	forward_queue_pass(l->queue, &end);
	become_idle(l);
}

/* Takes a piece more into the body, or a row into what it is made of. */
static bool
take_more(struct forward_lane *l, struct store *st, bool *ret_end)
{
	struct store_mark mark;
	uint64_t time_ns;

	*ret_end = false;
	if (!forward_pack_hungry(&l->pack))
		return forward_pack_step(&l->pack);
	if (is_full(l)) {
		*ret_end = true;
		return true;
	}
	if (!store_queue_read(st, l->queue->signal, &l->up_to, &l->pack.row, &mark, &time_ns))
		return false;
	*ret_end = mark.row == l->up_to.row;
	l->rows += !*ret_end;
	l->up_to = mark;
	return true;
}

/* One piece of work: short, for others wait meanwhile. */
static void
pack(struct forward_lane *l)
{
	struct store *st = l->host->queue->store;
	bool end = false, ok = true;

	if (!l->pack.open) {
		l->rows = 0;
		l->from = l->up_to = l->queue->at;
		ok = forward_pack_begin(&l->pack, l->target->to->gzip);
	}
	for (const size_t before = l->pack.total; ok && !end && l->pack.total - before < FORWARD_PACK_PIECE;)
		ok = st && take_more(l, st, &end);
	if (!ok)
		put_off(l, st ? "its queue cannot be read" : "its queue cannot be opened");
	else if (!end)
		enter(l, FORWARD_PACKING, 0.);
	else if (l->rows > 0)
		post(l);
	else
		pass_hole(l);
}

static void
timer_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct forward_lane *l = w->data;

	(void)loop;
	(void)revents;
	l->state = FORWARD_PACKING;
	pack(l);
}

/* --- what comes of it --- */

static uint64_t
items_sent(const struct forward_lane *l)
{
	return l->up_to.items - l->from.items;
}

static void
tell_partial(struct forward_lane *l, const struct forward_partial *p)
{
	uint64_t count;

	if ((p->rejected == 0 && *p->message == '\0') || !may_tell(&l->target->partial, p->rejected, now_of(l), &count))
		return;
	log_warning(l->host->log, "forward %s: items rejected: %" PRIu64 " (%s)", l->target->to->name, count,
		    *p->message ? p->message : "it does not say why");
}

static void
sent(struct forward_lane *l, const char *why)
{
	struct forward_target *t = l->target;
	struct store_lane_counts *c = &l->queue->counts;
	struct forward_partial partial;

	(void)why;
	forward_answer_partial(l->answer.bytes, l->answer.len, &partial);
	if (partial.rejected > items_sent(l))
		partial.rejected = items_sent(l);
	c->rejected += partial.rejected;
	c->sent += items_sent(l) - partial.rejected;
	c->sent_bytes += l->pack.total;
	c->sent_requests++;
	forward_queue_pass(l->queue, &l->up_to);
	forward_rules_succeeded(&l->pace);
	l->rows_max = forward_rules_rows(FORWARD_SENT, l->rows_max, l->rows);
	l->success_ns = now_of(l);
	tell_partial(l, &partial);
	if (t->said_down)
		log_info(l->host->log, "forward %s: works again", t->to->name);
	t->is_down = t->said_down = false;
	become_idle(l);
}

static void
again(struct forward_lane *l, const char *why)
{
	put_off(l, why);
}

static void
give_up(struct forward_lane *l, const char *why)
{
	uint64_t count;

	note_error(l, why);
	l->queue->counts.rejected += items_sent(l);
	forward_queue_pass(l->queue, &l->up_to);
	forward_rules_succeeded(&l->pace);
	if (may_tell(&l->target->refused, items_sent(l), now_of(l), &count))
		log_warning(l->host->log, "forward %s: items refused for good: %" PRIu64 " (%s)", l->target->to->name, count,
			    l->error);
	become_idle(l);
}

/* Not all of it may be bad: less at a time. */
static void
refused(struct forward_lane *l, const char *why)
{
	if (l->rows <= 1) {
		give_up(l, why);
		return;
	}
	note_error(l, why);
	l->rows_max = forward_rules_rows(FORWARD_REFUSED, l->rows_max, l->rows);
	forward_pack_finish(&l->pack);
	enter(l, FORWARD_PACKING, 0.);
}

static void (*const outcomes[])(struct forward_lane *l, const char *why) = {
	[FORWARD_SENT] = sent,
	[FORWARD_AGAIN] = again,
	[FORWARD_REFUSED] = refused,
	[FORWARD_UNWELCOME] = give_up,
};

void
forward_lane_done(struct forward_lane *l, CURLcode code)
{
	char why[FORWARD_ERROR_SIZE];
	long status = 0;

	/* libcurl is content with a head that was cut short. */
	if (l->headed && (code == CURLE_OK || l->cut))
		curl_easy_getinfo(l->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status > 0)
		snprintf(why, sizeof(why), "HTTP %ld %s", status, forward_rules_name((unsigned)status));
	else
		str_copy(why, sizeof(why), str_from(*l->curl_error ? l->curl_error : curl_easy_strerror(code)));
	l->curl_error[0] = '\0';
	outcomes[forward_rules_judge((unsigned)status)](l, why);
}

/* --- libcurl --- */

static size_t
on_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct forward_lane *l = ctx;
	const size_t len = size * count;

	l->cut = len > FORWARD_ANSWER_MAX - l->answer.len;
	return !l->cut && buf_append(&l->answer, bytes, len) ? len : 0;
}

static size_t
on_header(char *bytes, size_t size, size_t count, void *ctx)
{
	static const char name[] = "retry-after:";
	struct forward_lane *l = ctx;
	struct str s = { bytes, size * count };

	l->headed = s.len > 0 && strchr("\r\n", *bytes);
	if (s.len < sizeof(name) || strncasecmp(s.ptr, name, sizeof(name) - 1) != 0)
		return size * count;
	s = (struct str){ s.ptr + sizeof(name) - 1, s.len - (sizeof(name) - 1) };
	while (s.len > 0 && strchr(" \t", *s.ptr))
		s = (struct str){ s.ptr + 1, s.len - 1 };
	while (s.len > 0 && strchr(" \t\r\n", s.ptr[s.len - 1]))
		s.len--;
	if (s.len < sizeof(l->retry_after))
		str_copy(l->retry_after, sizeof(l->retry_after), s);
	return size * count;
}

static bool
set_up(struct forward_lane *l)
{
	const struct destination *to = l->target->to;
	CURL *e = l->easy = curl_easy_init();

	if (!e)
		return false;
	const long timeout_ms = (long)(to->timeout_ns / NS_PER_MS);
	bool ok = curl_easy_setopt(e, CURLOPT_URL, l->url) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_PRIVATE, l) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_POST, 1L) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_HTTPHEADER, l->target->headers) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_USERAGENT, "agentbus/" AGENTBUS_VERSION) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_ERRORBUFFER, l->curl_error) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_WRITEDATA, l) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK;
	ok = ok && curl_easy_setopt(e, CURLOPT_HEADERDATA, l) == CURLE_OK;
	return ok && (*to->ca_file == '\0' || curl_easy_setopt(e, CURLOPT_CAINFO, to->ca_file) == CURLE_OK);
}

bool
forward_lane_open(struct forward_lane *l, struct forward *host, struct forward_target *target, struct queue_lane *queue)
{
	static const char *const paths[OTLP_SIGNAL_COUNT] = {
		[OTLP_LOGS] = "/v1/logs",
		[OTLP_TRACES] = "/v1/traces",
		[OTLP_METRICS] = "/v1/metrics",
	};

	*l = (struct forward_lane){
		.host = host, .target = target, .queue = queue, .pace = { target->to->retry_min_ns, target->to->retry_max_ns, 0 }
	};
	snprintf(l->url, sizeof(l->url), "%s%s", target->to->url, paths[queue->signal]);
	ev_timer_init(&l->timer, timer_due, 0., 0.);
	l->timer.data = l;
	return set_up(l);
}

void
forward_lane_close(struct forward_lane *l)
{
	if (!l->host)
		return;
	ev_timer_stop(l->host->loop, &l->timer);
	if (l->state == FORWARD_SENDING)
		forward_multi_remove(&l->host->multi, l->easy);
	curl_easy_cleanup(l->easy);
	forward_pack_finish(&l->pack);
	buf_finish(&l->answer);
}
