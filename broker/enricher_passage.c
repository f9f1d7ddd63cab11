#include "enricher_passage.h"

#include "content.h"
#include "error.h"

uint64_t
passage_trace_hash(const uint8_t id[16])
{
	uint64_t h;

	memcpy(&h, id, sizeof(h));
	return h & ~1ull;
}

static struct speaker *
speaker_of(struct passage *t)
{
	return &t->e->speakers[t->peer % SPEAKERS_MAX];
}

static void
remember_speaker(struct passage *t, const struct note *n)
{
	struct speaker *s = speaker_of(t);

	if (t->peer == 0 || (n->o.flags & OBS_SHARED))
		return;
	s->peer = t->peer;
	s->provider = n->provider;
	str_copy(s->session, sizeof(s->session), n->o.session);
}

const struct session *
passage_session(struct passage *t, struct note *n, bool guess)
{
	const struct session *x = sessions_of(t->e->with.sessions, &n->o);
	struct speaker *s = speaker_of(t);
	char *id;

	if (n->o.session.len == 0 && x)
		n->o.session = str_from(x->id);
	if (n->o.session.len > 0) {
		remember_speaker(t, n);
		return x;
	}
	if (!guess)
		return NULL;
	if (t->peer != 0 && s->peer == t->peer && s->provider == n->provider && !(n->o.flags & OBS_SHARED)) {
		n->o.session = str_from(s->session);
		return sessions_of(t->e->with.sessions, &n->o);
	}
	id = arena_take(t->arena, SESSION_ID_MAX);
	if (id)
		n->o.session = session_anonymous_id(&n->o, id, SESSION_ID_MAX);
	return NULL;
}

static struct str
version_of(OtlpKeyValue **attrs, size_t count)
{
	struct value v;

	for (size_t i = 0; i < count; i++)
		if (strcmp(attrs[i]->key, "service.version") == 0 && value_of(attrs[i]->value, &v) && v.kind == VALUE_TEXT)
			return v.text;
	return (struct str){ 0 };
}

const struct resource_view *
passage_resource(const struct passage *t, const Opentelemetry__Proto__Resource__V1__Resource *r, struct str *ret_version)
{
	OtlpKeyValue **attrs = r ? r->attributes : NULL;
	const size_t count = r ? r->n_attributes : 0;
	struct resource_view *view = arena_take(t->arena, sizeof(*view));

	if (!view)
		return NULL;
	*view = provider_resource(attrs, count, t->e->with.max_attributes, t->peer, t->now_ns, t->arena);
	*ret_version = version_of(attrs, count);
	return view;
}

bool
passage_reserve(struct passage *t, struct notes *n, size_t count)
{
	n->list = count ? arena_take(t->arena, count * sizeof(*n->list)) : NULL;
	return n->list || count == 0;
}

static void
classify(struct note *n)
{
	if (n->o.error_message.len > 0)
		n->o.error = error_classify(n->o.status, n->o.error_type, n->o.error_message);
}

/* What is left of it where it came from: it may quote what it is about. */
static void
note_message_again(struct note *n)
{
	struct observation o;

	if (n->o.error_message.len == 0)
		return;
	if (n->record)
		provider_read_log(n->provider, n->resource, n->record, &o);
	else
		provider_read_span(n->provider, n->resource, n->span, &o);
	n->o.error_message = o.error_message;
}

bool
passage_drop_content(const struct passage *t, struct otlp_request *req, struct notes *notes)
{
	size_t dropped;

	if (t->e->with.settings.keep_content)
		return true;
	for (size_t i = 0; notes && i < notes->count; i++)
		classify(&notes->list[i]);
	if (content_drop(req, t->arena, &dropped) != VERDICT_OK)
		return false;
	for (size_t i = 0; notes && i < notes->count; i++)
		note_message_again(&notes->list[i]);
	return true;
}

bool
passage_deliver(struct passage *t, const struct otlp_request *req)
{
	const struct enricher *e = t->e;

	t->refused = e->with.wanted[req->signal] && !e->with.deliver(e->with.ctx, req);
	return !t->refused;
}
