#include "otlp_json.h"

#include "otlp_json_scan.h"
#include "otlp_json_tree.h"
#include "otlp_json_value.h"

#include <string.h>

/*
 * Brackets around the outermost value (an exemplar's attribute in a metric), with some to spare for unknown members, and
 * brackets per nested value (a member of a kvlistValue).
 */
#define OUTER_BRACKETS 32
#define LEVEL_BRACKETS 4

struct mapper {
	struct arena *arena;
	unsigned levels; /* values may nest this much deeper */
};

static enum verdict map_message(struct mapper *m, const cJSON *object, ProtobufCMessage *message);

/* Whether name is the field's in lowerCamelCase or snake_case. */
static bool
is_name_of(const char *field, const char *name)
{
	for (; *field && *name; field++, name++) {
		char wanted = *field;

		if (*field == '_' && *name != '_')
			wanted = (char)(*++field - 'a' + 'A');
		if (*name != wanted)
			return false;
	}
	return *field == *name;
}

/* Members mostly come in the fields' order, so the search goes on from *next, the field after the last one found. */
static const ProtobufCFieldDescriptor *
find_field(const ProtobufCMessageDescriptor *d, const char *name, unsigned *next)
{
	for (unsigned i = 0; i < d->n_fields; i++) {
		unsigned at = (*next + i) % d->n_fields;

		if (is_name_of(d->fields[at].name, name)) {
			*next = at + 1;
			return &d->fields[at];
		}
	}
	return NULL;
}

static enum verdict
map_child(struct mapper *m, const cJSON *object, const ProtobufCMessageDescriptor *d, ProtobufCMessage *child)
{
	bool is_value = d == &opentelemetry__proto__common__v1__any_value__descriptor;
	enum verdict v;

	if (is_value && m->levels == 0)
		return VERDICT_TOO_DEEP;
	d->message_init(child);
	m->levels -= is_value;
	v = map_message(m, object, child);
	m->levels += is_value;
	return v;
}

static enum verdict
map_single(struct mapper *m, const cJSON *value, const ProtobufCFieldDescriptor *f, ProtobufCMessage *message)
{
	void *member = (char *)message + f->offset;
	void *child;
	enum verdict v;

	if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
		const ProtobufCMessageDescriptor *d = f->descriptor;

		child = arena_alloc(m->arena, d->sizeof_message);
		if (!child)
			return arena_verdict(m->arena);
		v = map_child(m, value, d, child);
		if (v == VERDICT_OK)
			memcpy(member, &child, sizeof(child));
	} else {
		v = otlp_json_value(value, f, m->arena, member);
	}
	if (v == VERDICT_OK && f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		memcpy((char *)message + f->quantifier_offset, &f->id, sizeof(f->id));
	return v;
}

/* Each message of a list next to the other. A null among them is a value that JavaScript could not write: an empty one. */
static enum verdict
map_messages(struct mapper *m, const cJSON *list, size_t n, const ProtobufCMessageDescriptor *d, void **ret)
{
	ProtobufCMessage **pointers = arena_alloc(m->arena, n * sizeof(void *));
	char *messages = arena_alloc(m->arena, n * d->sizeof_message);
	const cJSON *item;
	size_t i = 0;

	if (!pointers || !messages)
		return arena_verdict(m->arena);
	for (item = list->child; item; item = item->next) {
		enum verdict v;

		pointers[i] = (ProtobufCMessage *)(void *)(messages + i * d->sizeof_message);
		v = map_child(m, item, d, pointers[i]);
		if (v != VERDICT_OK)
			return v;
		i++;
	}
	*ret = pointers;
	return VERDICT_OK;
}

static size_t
element_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_STRING:
		return sizeof(char *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_BOOL:
		return 4;
	default:
		return 8;
	}
}

static enum verdict
map_scalars(struct mapper *m, const cJSON *list, size_t n, const ProtobufCFieldDescriptor *f, void **ret)
{
	size_t size = element_size(f->type);
	char *elements = arena_alloc(m->arena, n * size), *p = elements;
	const cJSON *item;

	if (!elements)
		return arena_verdict(m->arena);
	for (item = list->child; item; item = item->next) {
		enum verdict v = otlp_json_value(item, f, m->arena, p);

		if (v != VERDICT_OK)
			return v;
		p += size;
	}
	*ret = elements;
	return VERDICT_OK;
}

static enum verdict
map_list(struct mapper *m, const cJSON *list, const ProtobufCFieldDescriptor *f, ProtobufCMessage *message)
{
	void *elements = NULL;
	enum verdict v;
	size_t n;

	if (!cJSON_IsArray(list))
		return VERDICT_MALFORMED;
	n = (size_t)cJSON_GetArraySize(list);
	if (f->type == PROTOBUF_C_TYPE_MESSAGE)
		v = map_messages(m, list, n, f->descriptor, &elements);
	else
		v = map_scalars(m, list, n, f, &elements);
	if (v != VERDICT_OK)
		return v;
	memcpy((char *)message + f->offset, &elements, sizeof(elements));
	memcpy((char *)message + f->quantifier_offset, &n, sizeof(n));
	return VERDICT_OK;
}

/* Where a member comes twice, the last one counts; a null is as if it were not there. */
static enum verdict
map_message(struct mapper *m, const cJSON *object, ProtobufCMessage *message)
{
	const cJSON *item;
	unsigned next = 0;

	if (cJSON_IsNull(object))
		return VERDICT_OK;
	if (!cJSON_IsObject(object))
		return VERDICT_MALFORMED;
	for (item = object->child; item; item = item->next) {
		const ProtobufCFieldDescriptor *f = find_field(message->descriptor, item->string, &next);
		enum verdict v;

		if (!f || cJSON_IsNull(item))
			continue;
		v = f->label == PROTOBUF_C_LABEL_REPEATED ? map_list(m, item, f, message) : map_single(m, item, f, message);
		if (v != VERDICT_OK)
			return v;
	}
	return VERDICT_OK;
}

/* Refuses what cJSON should not see; *text becomes a copy in the arena where it has to be mended first. */
static enum verdict
prepare(const char **text, size_t len, unsigned max_depth, struct arena *a)
{
	unsigned max_levels = (CJSON_NESTING_LIMIT - OUTER_BRACKETS) / LEVEL_BRACKETS;
	struct json_outline outline;
	enum verdict v;
	char *copy;

	if (max_depth > max_levels)
		max_depth = max_levels;
	v = json_scan(*text, len, OUTER_BRACKETS + max_depth * LEVEL_BRACKETS, &outline);
	if (v != VERDICT_OK)
		return v;
	/* Told before the arena is full: cJSON needs this much for each value. */
	if (outline.values > a->cap / sizeof(cJSON)) {
		a->exhausted = true;
		return VERDICT_TOO_LARGE;
	}
	if (!outline.lone_surrogates)
		return VERDICT_OK;
	copy = arena_alloc(a, len);
	if (!copy)
		return arena_verdict(a);
	json_repair(memcpy(copy, *text, len), len);
	*text = copy;
	return VERDICT_OK;
}

enum verdict
otlp_json_decode(enum otlp_signal signal, const char *text, size_t len, unsigned max_depth, struct arena *a,
		 struct otlp_request *ret)
{
	const ProtobufCMessageDescriptor *d = otlp_request_descriptor(signal);
	struct mapper m = { .arena = a, .levels = max_depth };
	ProtobufCMessage *message;
	enum verdict v;
	cJSON *tree;

	v = prepare(&text, len, max_depth, a);
	if (v != VERDICT_OK)
		return v;
	tree = json_tree_parse(text, len, a);
	if (!tree)
		return a->exhausted || a->out_of_memory ? arena_verdict(a) : VERDICT_MALFORMED;
	message = arena_alloc(a, d->sizeof_message);
	v = message ? map_child(&m, tree, d, message) : arena_verdict(a);
	if (v == VERDICT_OK)
		*ret = (struct otlp_request){ .signal = signal, .message = message };
	return v;
}
