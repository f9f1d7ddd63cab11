/* What is content in a recording must be nowhere in it once content was dropped: the same text may come under other keys. */
#include "content.h"
#include "content_keys.h"
#include "otlp_json.h"
#include "otlp_pb.h"
#include "otlp_tree.h"
#include "recordings.h"

#define SHORTEST 12 /* bytes; shorter ones are found in other words */

/* Longer texts of the recordings were replaced by this, whatever they were. */
#define FILLER "lorem ipsum dolor sit amet"

struct secret {
	char *recording; /* its directory */
	char *text;
};

struct secrets {
	struct secret *all;
	size_t count, room;
	struct content_index index;
	const char *path; /* of the body at hand */
	size_t dropped, bodies;
};

static size_t
directory_length(const char *path)
{
	return (size_t)(strrchr(path, '/') - path);
}

static bool
same_recording(const struct secret *s, const char *path)
{
	return strlen(s->recording) == directory_length(path) && strncmp(s->recording, path, strlen(s->recording)) == 0;
}

static void
learn(struct secrets *k, const char *text)
{
	if (strlen(text) < SHORTEST || strncmp(text, FILLER, strlen(FILLER)) == 0)
		return;
	for (size_t i = 0; i < k->count; i++) {
		if (same_recording(&k->all[i], k->path) && strcmp(k->all[i].text, text) == 0)
			return;
	}
	if (k->count == k->room) {
		k->room = k->room ? 2 * k->room : 64;
		k->all = realloc(k->all, k->room * sizeof(*k->all));
		cr_assert(k->all);
	}
	k->all[k->count++] = (struct secret){ strndup(k->path, directory_length(k->path)), strdup(text) };
}

/* --- what is content, by a walk of its own over whatever message --- */

static bool
is_content(const struct secrets *k, const OtlpKeyValue *kv)
{
	const struct content_rule *rule = content_rule_of(&k->index, str_from(kv->key));

	return rule && rule->kind == CONTENT_TEXT && !rule->only && !rule->except;
}

/* What else tells of a program: its path is the first of its arguments, too. */
static bool
is_program(OtlpKeyValue *const *siblings, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		const char *key = siblings[i]->key;

		if ((strcmp(key, "process.command") == 0 || strcmp(key, "process.executable.path") == 0) &&
		    strcmp(siblings[i]->value->string_value, text) == 0)
			return true;
	}
	return false;
}

/* Among arguments: the name of a model, which is told by other attributes, too. */
static bool
follows_option_m(const Opentelemetry__Proto__Common__V1__ArrayValue *list, size_t i)
{
	const OtlpAnyValue *v = i > 0 ? list->values[i - 1] : NULL;

	return v && v->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE &&
	       strcmp(v->string_value, "-m") == 0;
}

static void
learn_value(struct secrets *k, const OtlpAnyValue *v, OtlpKeyValue *const *siblings, size_t count)
{
	if (!v)
		return;
	if (v->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE) {
		if (!is_program(siblings, count, v->string_value))
			learn(k, v->string_value);
	} else if (v->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_ARRAY_VALUE) {
		for (size_t i = 0; i < v->array_value->n_values; i++) {
			if (!follows_option_m(v->array_value, i))
				learn_value(k, v->array_value->values[i], siblings, count);
		}
	} else if (v->value_case == OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_KVLIST_VALUE) {
		for (size_t i = 0; i < v->kvlist_value->n_values; i++)
			learn_value(k, v->kvlist_value->values[i]->value, siblings, count);
	}
}

/* Calls fn for each list of pairs in a message, at any depth. */
static void
each_list(ProtobufCMessage *m, void (*fn)(struct secrets *k, OtlpKeyValue **list, size_t count), struct secrets *k)
{
	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		char *member = (char *)m + f->offset;
		ProtobufCMessage **list;
		size_t count = 1;

		if (f->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			memcpy(&count, (char *)m + f->quantifier_offset, sizeof(count));
			memcpy(&list, member, sizeof(list));
			if (f->descriptor == &opentelemetry__proto__common__v1__key_value__descriptor)
				fn(k, (OtlpKeyValue **)list, count);
		} else {
			uint32_t which = f->id;

			if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
				memcpy(&which, (char *)m + f->quantifier_offset, sizeof(which));
			list = (ProtobufCMessage **)member;
			if (which != f->id || !*list)
				continue;
		}
		for (size_t n = 0; n < count; n++)
			each_list(list[n], fn, k);
	}
}

static void
learn_list(struct secrets *k, OtlpKeyValue **list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (is_content(k, list[i]))
			learn_value(k, list[i]->value, list, count);
	}
}

static void
expect_none(struct secrets *k, OtlpKeyValue **list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct content_rule *rule = content_rule_of(&k->index, str_from(list[i]->key));

		cr_assert_not(is_content(k, list[i]) && rule->flags == 0, "%s: %s", k->path, list[i]->key);
	}
}

/* --- over all bodies --- */

static struct otlp_request
decode(const struct recording *r, struct arena *a)
{
	struct otlp_request req;
	enum verdict v;

	arena_init(a, 64 << 20);
	v = r->json ? otlp_json_decode(r->signal, (const char *)r->bytes, r->len, OTLP_MAX_DEPTH, a, &req)
		    : otlp_pb_decode(r->signal, r->bytes, r->len, OTLP_MAX_DEPTH, a, &req);
	cr_assert_eq(v, VERDICT_OK, "%s", r->path);
	return req;
}

static void
learn_body(const struct recording *r, void *ctx)
{
	struct secrets *k = ctx;
	struct arena a;
	struct otlp_request req = decode(r, &a);

	k->path = r->path;
	each_list(req.message, learn_list, k);
	arena_finish(&a);
}

static void
check_body(const struct recording *r, void *ctx)
{
	struct secrets *k = ctx;
	struct arena a;
	struct otlp_request req = decode(r, &a);
	size_t dropped, len;
	uint8_t *packed;

	k->path = r->path;
	cr_assert_eq(content_drop(&req, &a, &dropped), VERDICT_OK, "%s", r->path);
	cr_assert(tree_is_sound(req.message));
	each_list(req.message, expect_none, k);
	packed = malloc(protobuf_c_message_get_packed_size(req.message) + 1);
	len = protobuf_c_message_pack(req.message, packed);
	for (size_t i = 0; i < k->count; i++) {
		const char *text = k->all[i].text;

		cr_expect_not(same_recording(&k->all[i], r->path) && memmem(packed, len, text, strlen(text)), "%s: %s", r->path,
			      text);
	}
	k->dropped += dropped;
	k->bodies += dropped > 0;
	free(packed);
	arena_finish(&a);
}

Test(content_recordings, nothing_that_was_content_is_left_anywhere)
{
	struct secrets k = { 0 };

	content_index_init(&k.index);
	recordings_each(learn_body, &k);
	cr_assert_gt(k.count, 100, "only %zu texts", k.count);
	recordings_each(check_body, &k);
	cr_log_info("%zu texts looked for; %zu dropped out of %zu bodies", k.count, k.dropped, k.bodies);
	cr_assert_gt(k.dropped, k.count);
	for (size_t i = 0; i < k.count; i++) {
		free(k.all[i].recording);
		free(k.all[i].text);
	}
	free(k.all);
}
