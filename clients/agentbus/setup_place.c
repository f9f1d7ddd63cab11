#include "setup_place.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM "agentbus"

static bool
fits(int n)
{
	return n > 0 && n < PATH_MAX;
}

static const char *
home_dir(void)
{
	const char *home = getenv("HOME");

	return home && *home == '/' ? home : NULL;
}

bool
setup_place_dir(const struct setup_cli *cli, char out[PATH_MAX])
{
	const char *own = cli->dir_env ? getenv(cli->dir_env) : NULL, *home = home_dir();

	if (own && *own)
		return fits(snprintf(out, PATH_MAX, "%s", own));
	return home && fits(snprintf(out, PATH_MAX, "%s/%s", home, cli->dir));
}

bool
setup_place_file(const struct setup_cli *cli, const struct setup_file *f, char out[PATH_MAX])
{
	char dir[PATH_MAX];

	return setup_place_dir(cli, dir) && fits(snprintf(out, PATH_MAX, "%s/%s", dir, f->name));
}

static bool
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

bool
setup_place_program(const char *name, char out[PATH_MAX])
{
	const char *at = getenv("PATH");

	while (at && *at) {
		const size_t len = strcspn(at, ":");

		if (len > 0 && fits(snprintf(out, PATH_MAX, "%.*s/%s", (int)len, at, name)) && is_program(out))
			return true;
		at += len + (at[len] == ':');
	}
	return false;
}

bool
setup_place_has(const struct setup_cli *cli)
{
	char path[PATH_MAX];
	struct stat st;

	return (setup_place_dir(cli, path) && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) ||
	       setup_place_program(cli->name, path);
}

bool
setup_place_self(char out[PATH_MAX])
{
	/* From the program of the verbs: in the build directory, and installed. */
	static const char *const places[] = { "/" PROGRAM, "/../../bin/" PROGRAM };
	char self[PATH_MAX], path[PATH_MAX];
	const ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (setup_place_program(PROGRAM, path))
		return fits(snprintf(out, PATH_MAX, PROGRAM));
	if (n <= 0)
		return false;
	self[n] = '\0';
	const char *dir = dirname(self);

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (fits(snprintf(path, sizeof(path), "%s%s", dir, places[i])) && is_program(path))
			return realpath(path, out);
	return false;
}

const char *
setup_place_show(const char *path, char out[PATH_MAX])
{
	const char *home = home_dir();
	const size_t len = home ? strlen(home) : 0;

	if (len > 1 && strncmp(path, home, len) == 0 && path[len] == '/' && fits(snprintf(out, PATH_MAX, "~%s", path + len)))
		return out;
	return path;
}
