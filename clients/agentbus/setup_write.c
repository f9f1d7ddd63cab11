#include "setup_write.h"

#include "json_edit.h"
#include "json_find.h"
#include "setup_record.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
same(const struct setup_disk *d, const struct edit_text *t)
{
	return d->len == t->len && (d->len == 0 || memcmp(d->text, t->data, d->len) == 0);
}

/* The directory has to be made as well. */
static bool
lacks_dir(const char *path)
{
	char *dir = strdup(path), *slash = dir ? strrchr(dir, '/') : NULL;

	if (slash)
		*slash = '\0';
	const bool lacks = slash && access(dir, F_OK) != 0;

	free(dir);
	return lacks;
}

/*
 * What was written before, with *r as it is now: the text without ours, and the changes so far. What is not as it was written
 * then was changed by somebody; that stays when ours is taken back.
 */
static bool
continue_record(const struct setup_cli *cli, const struct setup_file *f, const struct setup_disk *d, struct setup_record *r)
{
	const char *why;
	bool ok;

	if (!d->there || !setup_record_read(cli->name, d->path, r, &why))
		return false;
	if (same(d, &r->after))
		return true;
	if (!same(d, &r->before)) {
		r->before.len = 0;
		if (edit_text_add(&r->before, d->text, d->len)) {
			setup_revert(f, &r->before, r->changes, r->change_count, &ok);
			if (ok)
				return true;
		}
	}
	setup_record_finish(r);
	return false;
}

static bool
begin_record(const struct setup_disk *d, struct setup_record *r)
{
	*r = (struct setup_record){ .existed = d->there, .made_dir = !d->there && lacks_dir(d->path) };
	return edit_text_add(&r->before, d->text, d->len);
}

/* The changes become the record's. */
static bool
hand_over(struct setup_plan *p, struct setup_record *r)
{
	if (p->change_count > SETUP_RECORD_CHANGES_MAX - r->change_count)
		return false;
	memcpy(r->changes + r->change_count, p->changes, p->change_count * sizeof(p->changes[0]));
	r->change_count += p->change_count;
	p->change_count = 0;
	r->after.len = 0;
	return edit_text_add(&r->after, p->after.data, p->after.len);
}

bool
setup_write(const struct setup_cli *cli, const struct setup_file *f, const struct setup_disk *d, struct setup_plan *p,
	    const char **ret_why)
{
	struct setup_record *r = calloc(1, sizeof(*r));
	bool ok = r && (continue_record(cli, f, d, r) || begin_record(d, r)) && hand_over(p, r);

	if (!ok)
		*ret_why = "no memory, or too many changes to take back";
	ok =
	    ok && setup_record_write(cli->name, d->path, r, ret_why) && setup_disk_write(d, p->after.data, p->after.len, ret_why);
	if (r)
		setup_record_finish(r);
	free(r);
	return ok;
}

/*
 * Whether a text without ours is what was there before, as its CLI has written it anew: the file has no comments, or they may be
 * of the person.
 */
static bool
only_reformatted(const struct setup_file *f, const struct setup_disk *d, const struct edit_text *t, const struct setup_record *r)
{
	const bool relaxed = f->language == SETUP_JSON_RELAXED;
	const struct json_text file = { d->text, d->len, JSON_EDIT_DEPTH_MAX, false };
	const struct json_text now = { t->data, t->len, JSON_EDIT_DEPTH_MAX, relaxed };
	const struct json_text then = { r->before.data, r->before.len, JSON_EDIT_DEPTH_MAX, relaxed };
	struct edit_span value;
	struct edit_fault fault;

	return r->existed && f->language != SETUP_TOML && json_scan_whole(&file, &value, &fault) &&
	       json_scan_whole(&then, &value, &fault) && json_same(&now, &then);
}

/* Nothing but an empty object, or nothing at all. */
static bool
is_hollow(const struct edit_text *t)
{
	return strspn(t->data, " \t\r\n{}") == t->len;
}

static enum setup_undone
undo_changed(const struct setup_file *f, const struct setup_disk *d, const struct setup_record *r, size_t *ret_left,
	     const char **ret_why)
{
	struct edit_text text = { 0 };
	bool ok = edit_text_add(&text, d->text, d->len);

	if (ok)
		*ret_left = setup_revert(f, &text, r->changes, r->change_count, &ok);
	enum setup_undone done = SETUP_UNDONE_FAILED;

	if (!ok)
		*ret_why = "it is not valid any more";
	else if (!r->existed && is_hollow(&text))
		done = setup_disk_remove(d, r->made_dir, ret_why) ? SETUP_UNDONE_REMOVED : SETUP_UNDONE_FAILED;
	else if (same(d, &text))
		done = SETUP_UNDONE_NOTHING;
	else if (only_reformatted(f, d, &text, r))
		done = setup_disk_write(d, r->before.data, r->before.len, ret_why) ? SETUP_UNDONE_RESTORED : SETUP_UNDONE_FAILED;
	else if (setup_disk_write(d, text.data, text.len, ret_why))
		done = SETUP_UNDONE_PARTLY;
	edit_text_finish(&text);
	return done;
}

static enum setup_undone
undo(const struct setup_file *f, const struct setup_disk *d, const struct setup_record *r, size_t *ret_left, const char **ret_why)
{
	if (!d->there || (r->existed && same(d, &r->before)))
		return SETUP_UNDONE_NOTHING;
	if (!same(d, &r->after))
		return undo_changed(f, d, r, ret_left, ret_why);
	if (!r->existed)
		return setup_disk_remove(d, r->made_dir, ret_why) ? SETUP_UNDONE_REMOVED : SETUP_UNDONE_FAILED;
	return setup_disk_write(d, r->before.data, r->before.len, ret_why) ? SETUP_UNDONE_RESTORED : SETUP_UNDONE_FAILED;
}

enum setup_undone
setup_undo(const struct setup_cli *cli, const struct setup_file *f, const char *path, size_t *ret_left, const char **ret_why)
{
	struct setup_record *r = calloc(1, sizeof(*r));
	enum setup_undone done = SETUP_UNDONE_FAILED;
	struct setup_disk d = { 0 };

	*ret_left = 0;
	*ret_why = "no memory";
	if (!r || !setup_disk_read(path, &d, ret_why)) {
		free(r);
		return SETUP_UNDONE_FAILED;
	}
	if (!setup_record_read(cli->name, d.path, r, ret_why)) {
		done = *ret_why ? SETUP_UNDONE_FAILED : SETUP_UNDONE_NOTHING;
	} else {
		done = undo(f, &d, r, ret_left, ret_why);
		if (done != SETUP_UNDONE_FAILED)
			setup_record_remove(cli->name, d.path);
		setup_record_finish(r);
	}
	setup_disk_finish(&d);
	free(r);
	return done;
}
