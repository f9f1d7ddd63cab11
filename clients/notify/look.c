#include "notify/look.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEWS_SECONDS   300 /* how long the end of a turn waits for a daemon that shows it */
#define BUDGET_SECONDS 3600
#define PATH_SIZE      4096
#define DEFAULT_DIRS   "/usr/local/share:/usr/share"

static const struct look looks[NOTICE_COUNT] = {
	[NOTICE_COMPLETED] = { "dialog-information", "agentbus-completed-symbolic", "transfer.complete", "complete",
			       NEWS_SECONDS },
	[NOTICE_FAILED] = { "dialog-error", "agentbus-failed-symbolic", "transfer.error", "dialog-error", NEWS_SECONDS },
	[NOTICE_WAITING] = { "dialog-question", "agentbus-waiting-symbolic", "x-agentbus.waiting", "dialog-question", 0 },
	[NOTICE_BUDGET_WARN] = { "dialog-warning", "agentbus-budget-symbolic", "x-agentbus.budget", "dialog-warning",
				 BUDGET_SECONDS },
	[NOTICE_BUDGET_LIMIT] = { "dialog-error", "agentbus-budget-symbolic", "x-agentbus.budget", "dialog-error",
				  BUDGET_SECONDS },
};

const struct look *
look_of(enum notice notice)
{
	return &looks[notice];
}

/* Whether a theme below the directory (which need not end in NUL) has the icon. */
static bool
has_icon(const char *dir, size_t dir_len, const char *name)
{
	static const char *const places[] = { "symbolic/apps", "symbolic/status", "scalable/apps", "scalable/status" };
	char path[PATH_SIZE];

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int n = snprintf(path, sizeof(path), "%.*s/icons/hicolor/%s/%s.svg", (int)dir_len, dir, places[i], name);

		if (n > 0 && (size_t)n < sizeof(path) && access(path, R_OK) == 0)
			return true;
	}
	return false;
}

static bool
any_has_icon(const char *dirs, const char *name)
{
	for (const char *p = dirs; *p;) {
		size_t len = strcspn(p, ":");

		if (len > 0 && len < PATH_SIZE && has_icon(p, len, name))
			return true;
		p += len;
		p += *p == ':';
	}
	return false;
}

const char *
look_icon(enum notice notice)
{
	const char *home = getenv("XDG_DATA_HOME"), *user = getenv("HOME"), *dirs = getenv("XDG_DATA_DIRS");
	const struct look *look = &looks[notice];
	char own[PATH_SIZE] = "";

	if (home && home[0])
		snprintf(own, sizeof(own), "%s", home);
	else if (user && user[0])
		snprintf(own, sizeof(own), "%s/.local/share", user);
	if (any_has_icon(own, look->own_icon) || any_has_icon(dirs && dirs[0] ? dirs : DEFAULT_DIRS, look->own_icon))
		return look->own_icon;
	return look->icon;
}
