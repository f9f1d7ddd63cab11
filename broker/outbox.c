#include "outbox.h"

#include <stdlib.h>

#define KEPT_BYTES ((size_t)256 << 10)
#define FIRST_ROWS 4

static uint64_t
log_items(const struct otlp_request *req)
{
	uint64_t n = 0;

	for (size_t i = 0; i < req->logs->n_resource_logs; i++)
		for (size_t k = 0; k < req->logs->resource_logs[i]->n_scope_logs; k++)
			n += req->logs->resource_logs[i]->scope_logs[k]->n_log_records;
	return n;
}

static uint64_t
trace_items(const struct otlp_request *req)
{
	uint64_t n = 0;

	for (size_t i = 0; i < req->traces->n_resource_spans; i++)
		for (size_t k = 0; k < req->traces->resource_spans[i]->n_scope_spans; k++)
			n += req->traces->resource_spans[i]->scope_spans[k]->n_spans;
	return n;
}

static uint64_t
metric_items(const struct otlp_request *req)
{
	uint64_t n = 0;

	for (size_t i = 0; i < req->metrics->n_resource_metrics; i++)
		for (size_t k = 0; k < req->metrics->resource_metrics[i]->n_scope_metrics; k++)
			n += req->metrics->resource_metrics[i]->scope_metrics[k]->n_metrics;
	return n;
}

static uint64_t (*const counters[OTLP_SIGNAL_COUNT])(const struct otlp_request *req) = {
	[OTLP_LOGS] = log_items,
	[OTLP_TRACES] = trace_items,
	[OTLP_METRICS] = metric_items,
};

uint64_t
outbox_items(const struct otlp_request *req)
{
	return counters[req->signal](req);
}

static size_t
row_begin(const struct outbox_signal *s, size_t row)
{
	return row > 0 ? s->rows[row - 1].end : 0;
}

/* The row that so many more bytes belong to, which may be a new one. NULL without memory. */
static struct outbox_row *
row_for(struct outbox_signal *s, size_t len)
{
	if (s->count > 0 && s->bytes.len - row_begin(s, s->count - 1) + len <= OUTBOX_ROW_MAX)
		return &s->rows[s->count - 1];
	if (s->count == s->size) {
		const size_t size = s->size ? 2 * s->size : FIRST_ROWS;
		struct outbox_row *rows = realloc(s->rows, size * sizeof(*rows));

		if (!rows)
			return NULL;
		s->rows = rows;
		s->size = size;
	}
	s->rows[s->count] = (struct outbox_row){ .end = s->bytes.len };
	return &s->rows[s->count++];
}

bool
outbox_add(struct outbox *o, const struct otlp_request *req)
{
	struct outbox_signal *s = &o->of[req->signal];
	const uint64_t items = s->wanted ? outbox_items(req) : 0;
	struct outbox_row *row;
	size_t len;

	if (items == 0)
		return true;
	len = protobuf_c_message_get_packed_size(req->message);
	if (!buf_reserve(&s->bytes, len) || !(row = row_for(s, len)))
		return false;
	s->bytes.len += protobuf_c_message_pack(req->message, s->bytes.bytes + s->bytes.len);
	row->end = s->bytes.len;
	row->items += items;
	return true;
}

bool
outbox_is_empty(const struct outbox *o)
{
	for (size_t i = 0; i < OTLP_SIGNAL_COUNT; i++)
		if (o->of[i].count > 0)
			return false;
	return true;
}

void
outbox_clear(struct outbox *o)
{
	for (size_t i = 0; i < OTLP_SIGNAL_COUNT; i++) {
		buf_clear(&o->of[i].bytes, KEPT_BYTES);
		o->of[i].count = 0;
	}
}

uint64_t
outbox_cut(struct outbox *o, enum otlp_signal signal, size_t len)
{
	struct outbox_signal *s = &o->of[signal];
	size_t count = 0;
	uint64_t items = 0;

	while (count < s->count && s->rows[count].end <= len)
		count++;
	for (size_t i = count; i < s->count; i++)
		items += s->rows[i].items;
	s->count = count;
	s->bytes.len = row_begin(s, count);
	return items;
}

void
outbox_finish(struct outbox *o)
{
	for (size_t i = 0; i < OTLP_SIGNAL_COUNT; i++) {
		buf_finish(&o->of[i].bytes);
		free(o->of[i].rows);
		o->of[i].rows = NULL;
		o->of[i].count = o->of[i].size = 0;
	}
}
