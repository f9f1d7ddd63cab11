#include "claude_session.h"

#include "otlp_json_scan.h"
#include "otlp_json_tree.h"
#include "provider.h"

#define DEPTH_MAX 32
#define NS_PER_MS 1000000ull
#define MS_MAX    1e13    /* the year 2286 */
#define PID_MAX   4194304 /* the kernel's own limit, 2^22 */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- words --- */

static const struct {
	const char *word;
	enum claude_status status;
} statuses[] = {
	{ "idle", CLAUDE_IDLE },
	{ "shell", CLAUDE_IDLE }, /* a command runs in the background */
	{ "busy", CLAUDE_BUSY },
	{ "waiting", CLAUDE_WAITING },
};

/* A menu that its person has opened is no question. */
static const struct {
	const char *word;
	enum claude_status status;
	const char *reason;
} waits[] = {
	{ "dialog open", CLAUDE_UNSAID, NULL },
	{ "permission prompt", CLAUDE_WAITING, "permission" },
	{ "sandbox request", CLAUDE_WAITING, "permission" },
	{ "worker request", CLAUDE_WAITING, "permission" },
};

/* --- JSON --- */

static cJSON *
parse(const char *text, size_t len, struct arena *a)
{
	struct json_outline outline;
	char *copy;

	if (len > CLAUDE_SESSION_FILE_MAX || json_scan(text, len, DEPTH_MAX, &outline) != VERDICT_OK ||
	    outline.values > a->cap / sizeof(cJSON))
		return NULL;
	if (outline.lone_surrogates) {
		copy = arena_take(a, len);
		if (!copy)
			return NULL;
		json_repair(memcpy(copy, text, len), len);
		text = copy;
	}
	return json_tree_parse(text, len, a);
}

static struct str
text_of(const cJSON *object, const char *key)
{
	return str_from(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key)));
}

/* A whole number from 1 to max, else 0. */
static uint64_t
number_of(const cJSON *object, const char *key, double max)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNumber(n) && n->valuedouble >= 1 && n->valuedouble <= max ? (uint64_t)n->valuedouble : 0;
}

static uint64_t
time_of(const cJSON *object, const char *key)
{
	return number_of(object, key, MS_MAX) * NS_PER_MS;
}

/* Ticks since the machine was started, written as a text. Another form of it, or of another system: unknown. */
static uint64_t
ticks_of(struct str s)
{
	uint64_t n = 0;

	if (s.len == 0 || s.len > 18)
		return 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return 0;
		n = n * 10 + (uint64_t)(s.ptr[i] - '0');
	}
	return n;
}

static void
read_status(const cJSON *file, struct claude_session *c)
{
	const struct str status = text_of(file, "status"), wait = text_of(file, "waitingFor");

	for (size_t i = 0; i < COUNT(statuses); i++)
		if (str_eq(status, str_from(statuses[i].word)))
			c->status = statuses[i].status;
	if (c->status != CLAUDE_WAITING)
		return;
	c->reason = "question";
	for (size_t i = 0; i < COUNT(waits); i++)
		if (str_eq(wait, str_from(waits[i].word))) {
			c->status = waits[i].status;
			c->reason = waits[i].reason;
		}
}

/* Whether a copy of it would be the same. */
static bool
is_id(struct str s)
{
	char copy[SESSION_ID_MAX];

	str_copy(copy, sizeof(copy), s);
	return s.len > 0 && str_eq(s, str_from(copy));
}

bool
claude_session_read(const char *text, size_t len, struct arena *a, struct claude_session *ret)
{
	const cJSON *file = parse(text, len, a);
	struct claude_session c = { 0 };

	if (!cJSON_IsObject(file))
		return false;
	c.pid = (uint32_t)number_of(file, "pid", PID_MAX);
	c.id = text_of(file, "sessionId");
	if (c.pid == 0 || !is_id(c.id))
		return false;
	c.cwd = text_of(file, "cwd");
	c.start_ticks = ticks_of(text_of(file, "procStart"));
	c.pid_domain = text_of(file, "pidDomain");
	c.started_ns = time_of(file, "startedAt");
	c.updated_ns = time_of(file, "updatedAt");
	c.status_ns = time_of(file, "statusUpdatedAt");
	read_status(file, &c);
	*ret = c;
	return true;
}

/* --- what it means --- */

static struct observation
observe(enum meaning means, const char *id, uint64_t ns, uint64_t now_ns)
{
	return (struct observation){
		.means = means,
		.flags = OBS_TOLD | OBS_STATUS,
		.provider = provider_claude.name,
		.session = str_from(id),
		.time_ns = ns == 0 || ns > now_ns + OBSERVATION_AHEAD_NS ? now_ns : ns,
	};
}

static uint64_t
first_known(uint64_t a, uint64_t b, uint64_t c)
{
	return a ? a : b ? b : c;
}

static const struct {
	enum meaning means;
	unsigned flags;
	const char *reason;
} meanings[] = {
	[CLAUDE_UNSAID] = { MEANS_NOTHING, 0, NULL },
	[CLAUDE_IDLE] = { MEANS_TURN_END, 0, "turn_end" },
	[CLAUDE_BUSY] = { MEANS_ACTIVITY, OBS_OPENS, NULL },
	[CLAUDE_WAITING] = { MEANS_ASK, 0, NULL },
};

/* A status with the time of the last one is that one: after /clear the new session begins with what the old one had. */
static bool
next_status(struct claude_known *k, const struct claude_session *c, uint64_t file_ns, uint64_t now_ns, struct observation *o)
{
	const bool same = c->status == k->status && (c->status_ns == k->status_ns || c->status_ns == 0);

	k->status = c->status;
	k->status_ns = c->status_ns;
	if (same || meanings[c->status].means == MEANS_NOTHING)
		return false;
	*o = observe(meanings[c->status].means, k->id, first_known(c->status_ns, c->updated_ns, file_ns), now_ns);
	o->flags |= meanings[c->status].flags;
	o->reason = c->status == CLAUDE_WAITING ? c->reason : meanings[c->status].reason;
	return true;
}

bool
claude_session_next(struct claude_known *k, const struct claude_session *c, uint64_t file_ns, uint64_t now_ns,
		    struct observation *ret)
{
	const bool first = k->id[0] == '\0' && k->last_id[0] == '\0';
	struct observation o;

	if (k->id[0] && !str_eq(c->id, str_from(k->id))) {
		strcpy(k->last_id, k->id);
		k->id[0] = '\0';
		o = observe(MEANS_END, k->last_id, first_known(c->updated_ns, file_ns, 0), now_ns);
		o.reason = "clear";
	} else if (k->id[0] == '\0') {
		str_copy(k->id, sizeof(k->id), c->id);
		o = observe(MEANS_START, k->id, first_known(first ? c->started_ns : 0, c->updated_ns, file_ns), now_ns);
	} else if (!next_status(k, c, file_ns, now_ns, &o)) {
		return false;
	}
	o.pid = c->pid;
	o.project_dir = c->cwd;
	*ret = o;
	return true;
}

bool
claude_session_gone(struct claude_known *k, uint64_t now_ns, struct observation *ret)
{
	if (k->id[0] == '\0')
		return false;
	*ret = observe(MEANS_END, k->id, 0, now_ns);
	ret->reason = "exit";
	return true;
}
