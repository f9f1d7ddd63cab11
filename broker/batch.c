#include "batch.h"
#include "bus_pack.h"
#include "bus_wire.h"

#include <stdio.h>

#define KEPT_BYTES   16384
#define EVENTS_FIELD 1 /* of EventBatch */
#define SEQ_FIELD    1 /* of Event */

void
batch_open(struct batch *b, const struct session *s)
{
	b->session = s;
	b->count = 0;
	b->provider = s->provider;
	b->id = b->topic + snprintf(b->topic, sizeof(b->topic), "v1/%s/", s->provider);
	snprintf(b->id, SESSION_ID_MAX, "%s", s->id);
}

bool
batch_is_for(const struct batch *b, const struct session *s)
{
	return b->session == s && b->provider == s->provider && strcmp(b->id, s->id) == 0;
}

bool
batch_add(struct batch *b, const struct event *e, const char *boot_id)
{
	const size_t at = b->events.len;
	uint32_t len = 0;

	if (!buf_append(&b->events, &len, sizeof(len)))
		return false;
	if (!bus_pack_event(e, boot_id, &b->events)) {
		b->events.len = at;
		return false;
	}
	len = (uint32_t)(b->events.len - at - sizeof(len));
	memcpy(b->events.bytes + at, &len, sizeof(len));
	b->count++;
	return true;
}

/* Steps through the packed events; returns NULL after the last. */
static const uint8_t *
next_event(const struct batch *b, size_t *at, uint32_t *ret_len)
{
	const uint8_t *bytes = b->events.bytes + *at;

	if (*at == b->events.len)
		return NULL;
	memcpy(ret_len, bytes, sizeof(*ret_len));
	*at += sizeof(*ret_len) + *ret_len;
	return bytes + sizeof(*ret_len);
}

static size_t
seq_size(uint64_t seq)
{
	uint8_t scratch[BUS_WIRE_HEAD_MAX];

	return bus_wire_put_number(scratch, SEQ_FIELD, seq);
}

size_t
batch_size(const struct batch *b, uint64_t first_seq)
{
	uint8_t head[BUS_WIRE_HEAD_MAX];
	size_t at = 0, size = strlen(b->topic) + 1;
	uint32_t len;

	for (uint64_t seq = first_seq; next_event(b, &at, &len); seq++) {
		const size_t event_size = seq_size(seq) + len;

		size += bus_wire_put_head(head, EVENTS_FIELD, event_size) + event_size;
	}
	return size;
}

void
batch_write(const struct batch *b, uint64_t first_seq, uint8_t *out, struct journal *j)
{
	const size_t topic_size = strlen(b->topic) + 1;
	uint64_t seq = first_seq;
	const uint8_t *event;
	size_t at = 0;
	uint32_t len;

	memcpy(out, b->topic, topic_size);
	out += topic_size;
	for (; (event = next_event(b, &at, &len)); seq++) {
		out += bus_wire_put_head(out, EVENTS_FIELD, seq_size(seq) + len);
		const size_t n = bus_wire_put_number(out, SEQ_FIELD, seq);
		memcpy(out + n, event, len);
		journal_append(j, seq, out, n + len);
		out += n + len;
	}
}

void
batch_clear(struct batch *b)
{
	b->session = NULL;
	b->count = 0;
	buf_clear(&b->events, KEPT_BYTES);
}

void
batch_finish(struct batch *b)
{
	buf_finish(&b->events);
}
