/*
 * A bounded text for a bar that reads markup: what we write ourselves is markup, what others wrote is escaped.
 *
 *	struct rich t = { .kind = RICH_MARKUP };
 *	rich_raw(&t, "<b>");
 *	rich_text(&t, project);
 *	rich_raw(&t, "</b>");
 */
#ifndef CLIENTS_EWW_RICH_H
#define CLIENTS_EWW_RICH_H

#include <stdbool.h>
#include <stddef.h>

/* Whoever reads it. */
enum rich_kind {
	RICH_PLAIN,   /* a person */
	RICH_MARKUP,  /* Pango */
	RICH_POLYBAR, /* polybar's tags; these know no escape, so that "%{" of others becomes "% {" */
	RICH_JSON     /* a string of JSON, within the quotes */
};

/* In the order of the kinds, ended by NULL. */
extern const char *const rich_kinds[];

enum { RICH_SIZE = 8192 };

/* Zeros, and a kind, are an empty text. */
struct rich {
	enum rich_kind kind;
	bool full; /* something had no room; nothing more is added then */
	size_t len;
	char text[RICH_SIZE]; /* ended by NUL */
};

/* Adds text as it is. */
void rich_raw(struct rich *t, const char *text);

/* The same, as printf() writes it; cut after 255 bytes. */
__attribute__((format(printf, 2, 3))) void rich_format(struct rich *t, const char *format, ...);

/*
 * Adds what somebody else wrote: escaped, whole characters only, "?" for control characters, for marks that turn the direction of
 * what follows, and for bytes that are not UTF-8.
 */
void rich_text(struct rich *t, const char *text);

/* The same, in at most so many columns, with "…" for what is cut. columns is at most RICH_COLUMNS. */
enum { RICH_COLUMNS = 160 };
void rich_clip(struct rich *t, const char *text, size_t columns);

/* Puts what follows into a colour ("#rrggbb") until the next rich_uncolour(). Nothing where the kind has no colours. */
void rich_colour(struct rich *t, const char *colour);
void rich_uncolour(struct rich *t);

/* Takes everything after the first len bytes away again, and with it that it was full. */
void rich_rewind(struct rich *t, size_t len);

#endif
