#include "doctor_version.h"

#include "whole_file.h"

#include <cjson/cJSON.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A program is in the package's directory, or in bin/ or dist/ of it. */
enum { LEVELS = 3, PACKAGE_MAX = 1 << 20 };

/* "2.1.330", "0.61.0-preview.1" */
static bool
is_version(const char *text)
{
	const size_t digits = strspn(text, "0123456789");

	return digits > 0 && text[digits] == '.' && text[digits + 1] >= '0' && text[digits + 1] <= '9' && strlen(text) < 32;
}

static bool
of_package(const char *path, char *out, size_t size)
{
	const cJSON *version;
	cJSON *root;
	char *text;
	size_t len;

	if (!whole_file_read(path, PACKAGE_MAX, &text, &len))
		return false;
	root = cJSON_ParseWithLength(text, len);
	free(text);
	version = cJSON_GetObjectItemCaseSensitive(root, "version");
	const bool ok = cJSON_IsString(version) && is_version(version->valuestring);

	if (ok)
		snprintf(out, size, "%s", version->valuestring);
	cJSON_Delete(root);
	return ok;
}

bool
doctor_version(const char *program, char *out, size_t size)
{
	char dir[PATH_MAX], path[PATH_MAX + 16];
	char *slash;

	if (!realpath(program, dir) || !(slash = strrchr(dir, '/')))
		return false;
	if (is_version(slash + 1)) {
		snprintf(out, size, "%s", slash + 1);
		return true;
	}
	for (int level = 0; level < LEVELS && (slash = strrchr(dir, '/')); level++) {
		*slash = '\0';
		snprintf(path, sizeof(path), "%s/package.json", dir);
		if (of_package(path, out, size))
			return true;
	}
	return false;
}
