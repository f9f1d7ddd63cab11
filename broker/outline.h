/*
 * The outline of a trace. Codex sends some 500 spans for each answer, most of them about its own inside: those are dropped
 * before a request is forwarded, and what stays hangs from its nearest ancestor that stays. A span comes when it has ended,
 * children first, and a turn's spans in many requests: so it is remembered which spans were dropped, and where an ancestor
 * has not come yet it is named as the parent, and stays when it comes. No span becomes an orphan that was none before, as
 * long as what it takes to know that has not been forgotten: of the last 65,536 spans and 4,096 names nothing is.
 *
 * Pure and without time. Which spans are internal is the provider's to say; spans of other senders stay, but may hang from
 * dropped ones. Nothing is looked at or remembered until the first request that has spans of a provider with an outline.
 */
#ifndef AGENTBUS_OUTLINE_H
#define AGENTBUS_OUTLINE_H

#include "otlp.h"

struct outline;

/* Returns NULL without memory. The larger table (2.5 MiB) is allocated when it is first needed. */
struct outline *outline_create(void);
void outline_destroy(struct outline *o);

/*
 * Drops the internal spans of a request in place, and what holds nothing else: a request may have no resource left after
 * that. Parents, and links to dropped spans, are changed to the nearest ancestor that is or will be forwarded; new ids live
 * in the arena that holds the request. Other signals are left alone. The same request twice is the same outline twice.
 * Returns VERDICT_OK, or VERDICT_TOO_LARGE / VERDICT_NO_MEMORY, and then nothing was changed.
 */
enum verdict outline_apply(struct outline *o, struct otlp_request *req, struct arena *a);

/* --- to be kept across restarts: the spans that forwarded ones name as their parent, and that have not come yet --- */

/* Ids are 16 and 8 bytes. */
typedef void outline_named_fn(void *ctx, const uint8_t *trace_id, const uint8_t *span_id);

/* Calls fn for each of them, 4,096 at most. fn must not call the outline. */
void outline_each_named(const struct outline *o, outline_named_fn *fn, void *ctx);

/* Names a span again that outline_each_named() told. */
void outline_name(struct outline *o, const uint8_t *trace_id, const uint8_t *span_id);

/* Grows whenever what outline_each_named() tells has changed. */
uint64_t outline_changes(const struct outline *o);

#endif
