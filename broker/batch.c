#include "batch.h"
#include "bus_pack.h"

#include <stdio.h>

#define KEPT_BYTES 4096

void
batch_open(struct batch *b, const struct session *s)
{
	b->session = s;
	b->count = 0;
	snprintf(b->topic, sizeof(b->topic), "v1/%s/%s", s->provider, s->id);
}

bool
batch_is_for(const struct batch *b, const struct session *s)
{
	char topic[BATCH_TOPIC_MAX];

	if (b->session != s)
		return false;
	snprintf(topic, sizeof(topic), "v1/%s/%s", s->provider, s->id);
	return strcmp(b->topic, topic) == 0;
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

size_t
batch_size(const struct batch *b, uint64_t first_seq)
{
	uint8_t head[BUS_HEAD_MAX];
	size_t at = 0, size = strlen(b->topic) + 1;
	uint32_t len;

	for (uint64_t seq = first_seq; next_event(b, &at, &len); seq++) {
		const size_t event_size = bus_seq_size(seq) + len;

		size += bus_put_head(head, 1, event_size) + event_size;
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
		out += bus_put_head(out, 1, bus_seq_size(seq) + len);
		const size_t seq_size = bus_put_seq(out, seq);
		memcpy(out + seq_size, event, len);
		journal_append(j, seq, out, seq_size + len);
		out += seq_size + len;
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
