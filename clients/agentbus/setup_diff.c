#include "setup_diff.h"

#include "setup_mask.h"

#include <stdlib.h>
#include <string.h>

/* Beyond so many changed lines all that is not alike at the beginning and the end counts as changed. */
enum { CHANGES_MAX = 1000, CONTEXT = 3 };

struct line {
	size_t at, len; /* with its line break */
};

struct side {
	const struct setup_side *of;
	unsigned char *mask;
	struct line *lines;
	bool *changed; /* of each line: it is on this side alone */
	size_t count;
};

static bool
split(const struct setup_side *of, struct side *ret)
{
	size_t count = 0;

	*ret = (struct side){ .of = of, .mask = setup_mask(of->text, of->len) };
	for (size_t i = 0; i < of->len; i++)
		count += of->text[i] == '\n' || i + 1 == of->len;
	ret->lines = calloc(count + 1, sizeof(*ret->lines));
	ret->changed = calloc(count + 1, sizeof(*ret->changed));
	if (!ret->mask || !ret->lines || !ret->changed)
		return false;
	for (size_t at = 0; at < of->len; ret->count++) {
		const char *end = memchr(of->text + at, '\n', of->len - at);
		const size_t len = end ? (size_t)(end - of->text) + 1 - at : of->len - at;

		ret->lines[ret->count] = (struct line){ at, len };
		at += len;
	}
	return true;
}

static void
side_finish(struct side *s)
{
	free(s->mask);
	free(s->lines);
	free(s->changed);
}

static bool
same(const struct side *a, size_t i, const struct side *b, size_t k)
{
	return a->lines[i].len == b->lines[k].len &&
	       memcmp(a->of->text + a->lines[i].at, b->of->text + b->lines[k].at, a->lines[i].len) == 0;
}

/* --- Myers' shortest edit script --- */

/* The part of the two sides that is compared, and how far each diagonal has come after so many changes. */
struct search {
	const struct side *a, *b;
	size_t from, a_len, b_len; /* lines alike before are left out, and those after */
	long *reach[CHANGES_MAX + 1];
};

static long
step(const struct search *s, const long *reach, long d, long k)
{
	long x = k == -d || (k != d && reach[k - 1] < reach[k + 1]) ? reach[k + 1] : reach[k - 1] + 1, y = x - k;

	while (x < (long)s->a_len && y < (long)s->b_len && same(s->a, s->from + (size_t)x, s->b, s->from + (size_t)y)) {
		x++;
		y++;
	}
	return x;
}

/* How many changes there are; -1 if too many, or without memory. reach[d] is how it was before step d, from diagonal -d-1 on. */
static long
search(struct search *s)
{
	for (long d = 0; d <= CHANGES_MAX; d++) {
		long *reach = calloc((size_t)(2 * d + 5), sizeof(*reach));

		if (!reach)
			return -1;
		s->reach[d] = reach;
		reach += d + 2;
		if (d > 0)
			memcpy(reach - d - 1, s->reach[d - 1], (size_t)(2 * d + 3) * sizeof(*reach));
		for (long k = -d; k <= d; k += 2) {
			reach[k] = step(s, reach, d, k);
			if (reach[k] >= (long)s->a_len && reach[k] - k >= (long)s->b_len)
				return d;
		}
	}
	return -1;
}

static void
trace(const struct search *s, long d, struct side *a, struct side *b)
{
	long x = (long)s->a_len, y = (long)s->b_len;

	for (; d > 0; d--) {
		const long *reach = s->reach[d - 1] + d + 1;
		const long k = x - y;
		const bool down = k == -d || (k != d && reach[k - 1] < reach[k + 1]);
		const long before = down ? reach[k + 1] : reach[k - 1];

		if (down)
			b->changed[s->from + (size_t)(before - k - 1)] = true;
		else
			a->changed[s->from + (size_t)before] = true;
		x = before;
		y = before - (down ? k + 1 : k - 1);
	}
}

static void
compare(struct side *a, struct side *b)
{
	struct search s = { .a = a, .b = b };
	size_t tail = 0;

	while (s.from < a->count && s.from < b->count && same(a, s.from, b, s.from))
		s.from++;
	while (tail < a->count - s.from && tail < b->count - s.from && same(a, a->count - 1 - tail, b, b->count - 1 - tail))
		tail++;
	s.a_len = a->count - s.from - tail;
	s.b_len = b->count - s.from - tail;
	const long changes = search(&s);

	if (changes >= 0) {
		trace(&s, changes, a, b);
	} else {
		memset(a->changed + s.from, true, s.a_len);
		memset(b->changed + s.from, true, s.b_len);
	}
	for (size_t i = 0; i <= CHANGES_MAX; i++)
		free(s.reach[i]);
}

/* --- printing --- */

/* A return is a part of the line's end; within the line it would let the rest be written over the beginning. */
static void
print_line(FILE *out, char mark, const struct side *s, size_t i, const char *colour)
{
	const char *text = s->of->text + s->lines[i].at;
	const unsigned char *mask = s->mask + s->lines[i].at;
	const size_t len = s->lines[i].len;
	const bool ended = text[len - 1] == '\n';
	const size_t end = len - ended - (ended && len > 1 && text[len - 2] == '\r');
	size_t n;
	bool shown;

	fprintf(out, "%s%c", colour, mark);
	for (size_t k = 0; k < end; k += n) {
		n = setup_mask_rune(text + k, end - k, &shown);
		if (!mask[k])
			fwrite(shown ? text + k : "?", 1, shown ? n : 1, out);
		else if (k == 0 || !mask[k - 1])
			fputs("***", out);
		if (mask[k])
			n = 1;
	}
	fwrite(text + end, 1, len - ended - end, out);
	fprintf(out, "%s\n%s", *colour ? "\x1b[0m" : "", ended ? "" : "\\ No newline at end of file\n");
}

/* Where both sides stand. */
struct place {
	size_t a, b;
};

static void
pass_changes(const struct side *a, const struct side *b, struct place *p)
{
	while (p->a < a->count && a->changed[p->a])
		p->a++;
	while (p->b < b->count && b->changed[p->b])
		p->b++;
}

static bool
at_change(const struct side *a, const struct side *b, const struct place *p)
{
	return (p->a < a->count && a->changed[p->a]) || (p->b < b->count && b->changed[p->b]);
}

/* From the first change on: the end of what is shown with it, since the next change is far enough. */
static struct place
hunk_end(const struct side *a, const struct side *b, struct place p)
{
	for (;;) {
		size_t alike = 0;

		pass_changes(a, b, &p);
		while (p.a + alike < a->count && alike <= 2 * CONTEXT && !a->changed[p.a + alike] && !b->changed[p.b + alike])
			alike++;
		const struct place next = { p.a + alike, p.b + alike };

		if (alike > 2 * CONTEXT || !at_change(a, b, &next)) {
			const size_t shown = alike < CONTEXT ? alike : CONTEXT;

			return (struct place){ p.a + shown, p.b + shown };
		}
		p = next;
	}
}

static void
print_range(FILE *out, char mark, size_t from, size_t count)
{
	fprintf(out, count == 1 ? " %c%zu" : " %c%zu,%zu", mark, count ? from + 1 : from, count);
}

static void
print_hunk(FILE *out, const struct side *a, const struct side *b, struct place from, struct place to, bool colour)
{
	const char *red = colour ? "\x1b[31m" : "", *green = colour ? "\x1b[32m" : "";

	fputs("@@", out);
	print_range(out, '-', from.a, to.a - from.a);
	print_range(out, '+', from.b, to.b - from.b);
	fputs(" @@\n", out);
	while (from.a < to.a || from.b < to.b) {
		if (from.a < to.a && a->changed[from.a]) {
			print_line(out, '-', a, from.a++, red);
		} else if (from.b < to.b && b->changed[from.b]) {
			print_line(out, '+', b, from.b++, green);
		} else {
			print_line(out, ' ', a, from.a++, "");
			from.b++;
		}
	}
}

static void
print_hunks(FILE *out, const struct side *a, const struct side *b, bool colour)
{
	struct place p = { 0, 0 }, last = { 0, 0 };

	for (;;) {
		while (p.a < a->count && p.b < b->count && !at_change(a, b, &p)) {
			p.a++;
			p.b++;
		}
		if (!at_change(a, b, &p))
			return;
		const size_t before = p.a - last.a < CONTEXT ? p.a - last.a : CONTEXT;
		const struct place end = hunk_end(a, b, p);

		print_hunk(out, a, b, (struct place){ p.a - before, p.b - before }, end, colour);
		p = last = end;
	}
}

bool
setup_diff(FILE *out, const struct setup_side *before, const struct setup_side *after, bool colour)
{
	struct side a = { 0 }, b = { 0 };
	bool ok = split(before, &a) && split(after, &b);

	if (ok && (before->len != after->len || (before->len > 0 && memcmp(before->text, after->text, before->len) != 0))) {
		compare(&a, &b);
		fprintf(out, "--- %s\n+++ %s\n", before->name, after->name);
		print_hunks(out, &a, &b, colour);
	}
	side_finish(&a);
	side_finish(&b);
	return ok;
}
