/*
 * What attributes tell, whatever type a CLI sends them in: the fields of a record, and conditions on them. Pure.
 */
#ifndef AGENTBUS_FIELD_H
#define AGENTBUS_FIELD_H

#include "observation.h"
#include "otlp.h"

/* What attributes can tell. F_NONE is no field. */
enum field {
	F_NONE,
	F_EVENT,       /* the event's name */
	F_TIMESTAMP,   /* RFC 3339, for records without a time */
	F_SESSION,     /* the CLI's own session id */
	F_SESSION_ALT, /* another attribute that holds it where F_SESSION is missing */
	F_AGENT,       /* a sub-agent within the session */
	F_PARENT,      /* id of the session that spawned or is reported to */
	F_CHILD,       /* id of the session that was spawned */
	F_MODEL,
	F_MODEL_ALT,
	F_INPUT,
	F_OUTPUT,
	F_CACHE_READ,
	F_CACHE_WRITE,
	F_CACHE_WRITE_1H, /* of F_CACHE_WRITE */
	F_REASONING,
	F_COST_USD,
	F_SPEED, /* how the model served */
	F_DURATION_MS,
	F_REQUEST_ID,
	F_SOURCE, /* who asked the model */
	F_TOOL,
	F_CALL_ID,
	F_DECISION,
	F_SUCCESS,
	F_STATUS, /* HTTP */
	F_ERROR_TYPE,
	F_ERROR_MESSAGE,
	F_ATTEMPT,
	F_ATTEMPTS, /* in all */
	F_COMMAND,  /* a slash command */
	F_COMMAND_SOURCE,
	F_PROMPT_LENGTH,
	F_PROMPT_ID,
	F_KIND,  /* the CLI's own sub-kind of the event */
	F_PHASE, /* send, receive … */
	F_HOOK,
	F_STOP_REASON,
	F_INTERACTIVE,
	F_OPERATION, /* gen_ai.operation.name */
	F_OUTCOME,   /* how a turn ended, in the CLI's word */
	F_RPC_ID,
	F_SANDBOX,
	F_MCP_SERVERS,
	F_ORIGINATOR,
	F_TURN_TOKENS, /* of a whole turn */
	F_CWD,
	F_PROJECT,
	F_INTERRUPT,    /* the person has stopped a tool */
	F_NOTIFICATION, /* what a notification is about */
	F_TITLE,        /* of a thread that only makes a title */
	F_TYPED,        /* a prompt that its person has typed */
	F_TOOL_PHASE,   /* on the span that is a tool's call, where other spans name the tool, too */
	F_COUNT
};

enum value_kind { VALUE_TEXT, VALUE_INT, VALUE_DOUBLE, VALUE_BOOL };

struct value {
	enum value_kind kind;
	struct str text; /* VALUE_TEXT */
	union {
		int64_t i; /* VALUE_INT, VALUE_BOOL (0, 1) */
		double d;  /* VALUE_DOUBLE */
	};
};

/* The fields that one record has. */
struct fields {
	uint64_t present; /* bit per enum field */
	struct value values[F_COUNT];
};

_Static_assert(F_COUNT <= 64, "struct fields.present is a 64-bit mask");

/* An attribute and its field. Tables are sorted by attr (strcmp order). */
struct field_rule {
	const char *attr;
	enum field field;
};

/* A condition on a field: its text equals `is`, or begins with it if that ends in '*'. NULL `is`: the field is there. */
struct condition {
	enum field field; /* F_NONE: always true */
	const char *is;
	bool negated;
};

#define IS(id, text)                                                                                                             \
	{                                                                                                                        \
		.field = (id), .is = (text)                                                                                      \
	}
#define HAS(id)                                                                                                                  \
	{                                                                                                                        \
		.field = (id)                                                                                                    \
	}
#define LACKS(id)                                                                                                                \
	{                                                                                                                        \
		.field = (id), .negated = true                                                                                   \
	}

/* Whether s is the pattern, or begins with it where that ends in '*'. */
bool pattern_matches(const char *pattern, struct str s);

/* Whether any of the patterns matches; the list ends in NULL and may be NULL. */
bool any_pattern_matches(const char *const *patterns, struct str s);

/* The value of an attribute if it is a text, number or truth; *ret is untouched otherwise. */
bool value_of(const OtlpAnyValue *v, struct value *ret);

/* Adds what attributes tell by the rules; of two that mean the same field the first text counts, else the first value. */
void fields_add(struct fields *f, const struct field_rule *rules, size_t rule_count, OtlpKeyValue **attrs, size_t count);

/* What is there, as text, number, or truth; numbers and truths also from text, 0 and false where there is none. */
bool field_has(const struct fields *f, enum field id);
struct str field_text(const struct fields *f, enum field id);
uint64_t field_u64(const struct fields *f, enum field id);
double field_double(const struct fields *f, enum field id);
bool field_true(const struct fields *f, enum field id);
bool condition_holds(const struct fields *f, const struct condition *c);

#endif
