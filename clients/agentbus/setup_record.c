#include "setup_record.h"

#include "setup_file.h"
#include "whole_file.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION 1

static const char *const kinds[] = { [EDIT_SET] = "set", [EDIT_APPEND] = "append" };

bool
setup_record_dir(char out[PATH_MAX])
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n = -1;

	if (state && *state == '/')
		n = snprintf(out, PATH_MAX, "%s/agentbus/setup", state);
	else if (home && *home == '/')
		n = snprintf(out, PATH_MAX, "%s/.local/state/agentbus/setup", home);
	return n > 0 && n < PATH_MAX;
}

/* NAME is made of the CLI, the file's name and a hash of its path (FNV-1a): there may be several configurations. */
static bool
part_path(const char *cli, const char *path, const char *suffix, char out[PATH_MAX])
{
	const char *name = strrchr(path, '/');
	uint64_t hash = 0xcbf29ce484222325;
	char dir[PATH_MAX];

	for (const char *c = path; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
	if (!setup_record_dir(dir))
		return false;
	const int n =
	    snprintf(out, PATH_MAX, "%s/%s-%s-%016llx.%s", dir, cli, name ? name + 1 : path, (unsigned long long)hash, suffix);

	return n > 0 && n < PATH_MAX;
}

static bool
refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return false;
}

/* --- reading --- */

static char *
text_of(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsString(item) ? edit_copy(item->valuestring, strlen(item->valuestring)) : NULL;
}

static bool
read_change(const cJSON *object, struct edit_change *ret)
{
	const cJSON *path = cJSON_GetObjectItemCaseSensitive(object, "path"),
		    *kind = cJSON_GetObjectItemCaseSensitive(object, "kind");
	const cJSON *created = cJSON_GetObjectItemCaseSensitive(object, "created"), *key;
	struct edit_change c = { .value = text_of(object, "value"),
				 .old = text_of(object, "old"),
				 .inside = text_of(object, "inside") };
	bool ok = c.value && cJSON_IsArray(path) && cJSON_IsString(kind);

	if (ok)
		c.kind = strcmp(kind->valuestring, kinds[EDIT_APPEND]) == 0 ? EDIT_APPEND : EDIT_SET;
	cJSON_ArrayForEach(key, path)
	{
		ok = ok && c.depth < EDIT_PATH_MAX && cJSON_IsString(key);
		if (ok)
			ok = (c.key[c.depth++] = edit_copy(key->valuestring, strlen(key->valuestring))) != NULL;
	}
	ok = ok && c.depth > 0;
	if (cJSON_IsNumber(created) && created->valuedouble >= 0 && created->valuedouble <= EDIT_PATH_MAX)
		c.created = (unsigned)created->valuedouble;
	if (ok)
		*ret = c;
	else
		edit_change_finish(&c);
	return ok;
}

static bool
read_changes(const char *text, struct setup_record *r)
{
	cJSON *root = cJSON_Parse(text);
	const cJSON *changes = cJSON_GetObjectItemCaseSensitive(root, "changes"), *change;
	const cJSON *version = cJSON_GetObjectItemCaseSensitive(root, "version");
	bool ok = cJSON_IsArray(changes) && cJSON_IsNumber(version) && version->valuedouble == VERSION;

	r->existed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "existed"));
	r->made_dir = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "made_dir"));
	cJSON_ArrayForEach(change, changes)
	{
		ok = ok && r->change_count < SETUP_RECORD_CHANGES_MAX && read_change(change, &r->changes[r->change_count]);
		r->change_count += ok;
	}
	cJSON_Delete(root);
	return ok;
}

static bool
read_part(const char *cli, const char *path, const char *suffix, struct edit_text *ret)
{
	char part[PATH_MAX];

	if (!part_path(cli, path, suffix, part) || !whole_file_read(part, 2 * SETUP_FILE_MAX, &ret->data, &ret->len))
		return false;
	ret->size = ret->len + 1;
	return true;
}

bool
setup_record_read(const char *cli, const char *path, struct setup_record *ret, const char **ret_why)
{
	struct edit_text json = { 0 };

	*ret = (struct setup_record){ 0 };
	if (!read_part(cli, path, "json", &json))
		return refuse(ret_why, errno == ENOENT ? NULL : strerror(errno));
	const bool ok = read_changes(json.data, ret) && read_part(cli, path, "before", &ret->before) &&
			read_part(cli, path, "after", &ret->after);

	edit_text_finish(&json);
	if (ok)
		return true;
	setup_record_finish(ret);
	return refuse(ret_why, "the record of what was written is damaged");
}

/* --- writing --- */

static cJSON *
change_json(const struct edit_change *c)
{
	cJSON *object = cJSON_CreateObject(), *path = cJSON_AddArrayToObject(object, "path");

	cJSON_AddStringToObject(object, "kind", kinds[c->kind]);
	for (size_t i = 0; i < c->depth; i++)
		cJSON_AddItemToArray(path, cJSON_CreateString(c->key[i]));
	cJSON_AddStringToObject(object, "value", c->value);
	if (c->old)
		cJSON_AddStringToObject(object, "old", c->old);
	if (c->inside)
		cJSON_AddStringToObject(object, "inside", c->inside);
	cJSON_AddNumberToObject(object, "created", c->created);
	return object;
}

static char *
record_json(const char *path, const struct setup_record *r)
{
	cJSON *root = cJSON_CreateObject(), *changes;

	cJSON_AddNumberToObject(root, "version", VERSION);
	cJSON_AddStringToObject(root, "file", path);
	cJSON_AddBoolToObject(root, "existed", r->existed);
	cJSON_AddBoolToObject(root, "made_dir", r->made_dir);
	changes = cJSON_AddArrayToObject(root, "changes");
	for (size_t i = 0; i < r->change_count; i++)
		cJSON_AddItemToArray(changes, change_json(&r->changes[i]));
	char *text = cJSON_Print(root);

	cJSON_Delete(root);
	return text;
}

static bool
fill(FILE *out, void *ctx)
{
	const struct edit_text *t = ctx;

	return t->len == 0 || fwrite(t->data, 1, t->len, out) == t->len;
}

static bool
write_part(const char *cli, const char *path, const char *suffix, const struct edit_text *text)
{
	char part[PATH_MAX];
	struct edit_text copy = *text;

	return part_path(cli, path, suffix, part) && whole_file_write(part, fill, &copy);
}

bool
setup_record_write(const char *cli, const char *path, const struct setup_record *r, const char **ret_why)
{
	char dir[PATH_MAX];
	struct edit_text json = { .data = record_json(path, r) };

	if (!setup_record_dir(dir)) {
		free(json.data);
		return refuse(ret_why, "neither XDG_STATE_HOME nor HOME names a directory for a copy");
	}
	json.len = json.data ? strlen(json.data) : 0;
	/* Copies of what may hold secrets, whoever may read the file itself. */
	const mode_t mask = umask(0077);
	/* The changes last: with older ones beside newer texts, what is undone is right all the same. */
	const bool ok = json.data && setup_make_dir(dir) && write_part(cli, path, "before", &r->before) &&
			write_part(cli, path, "after", &r->after) && write_part(cli, path, "json", &json);

	umask(mask);
	if (!ok)
		*ret_why = json.data ? strerror(errno) : "no memory";
	free(json.data);
	return ok;
}

void
setup_record_remove(const char *cli, const char *path)
{
	static const char *const suffixes[] = { "json", "after", "before" };
	char part[PATH_MAX];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (part_path(cli, path, suffixes[i], part))
			unlink(part);
}

void
setup_record_finish(struct setup_record *r)
{
	for (size_t i = 0; i < r->change_count; i++)
		edit_change_finish(&r->changes[i]);
	edit_text_finish(&r->before);
	edit_text_finish(&r->after);
	*r = (struct setup_record){ 0 };
}
