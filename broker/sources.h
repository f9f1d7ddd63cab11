/*
 * What has come from each CLI, by kind, since the broker's start: so that a person can see what is missing. Pure.
 */
#ifndef AGENTBUS_SOURCES_H
#define AGENTBUS_SOURCES_H

#include "otlp.h"
#include "provider.h"

#define SOURCES_PROVIDERS_MAX 8

enum source_kind { SOURCE_LOGS, SOURCE_TRACES, SOURCE_METRICS, SOURCE_HOOKS, SOURCE_KIND_COUNT };

struct source {
	uint64_t count;   /* log records, spans, metrics, hooks */
	uint64_t last_ns; /* when the last came, by the broker's clock; 0: none has */
};

/* All zero at first. */
struct sources {
	struct source of[SOURCES_PROVIDERS_MAX][SOURCE_KIND_COUNT]; /* in the order of providers[] */
};

/* Counts what is in a request that arrived at now_ns, whatever it means. scratch is what provider_resource() needs. */
void sources_take(struct sources *s, const struct otlp_request *req, size_t max_attributes, uint64_t now_ns,
		  struct arena *scratch);

/* A hook of the provider of that name. */
void sources_take_hook(struct sources *s, const char *provider, uint64_t now_ns);

/* "logs", "traces", "metrics", "hooks" */
const char *sources_kind(enum source_kind kind);

#endif
