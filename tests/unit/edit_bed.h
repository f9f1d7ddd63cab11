/* What tests of the editors share: a text, changes to it, and taking them back. */
#ifndef AGENTBUS_TEST_EDIT_BED_H
#define AGENTBUS_TEST_EDIT_BED_H

#include "agentbus/edit_text.h"
#include "guard.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

struct wish {
	enum edit_kind kind;
	struct edit_path path;
	const char *value;
};

static inline struct edit_text
bed_text(const char *bytes)
{
	struct edit_text t = { 0 };

	cr_assert(edit_text_puts(&t, bytes));
	return t;
}

static inline void
bed_expect(const struct edit_text *t, const char *want)
{
	cr_expect_not(t->failed);
	cr_expect_str_eq(t->data, want, "not what was wanted:\n%s\n-- but:\n%s", want, t->data);
}

#endif
