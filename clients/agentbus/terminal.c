#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool
terminal_measure(struct terminal_size *ret_size)
{
	struct winsize ws = { 0 };

	if (!isatty(STDOUT_FILENO))
		return false;
	/* If this fails, ws stays 0. */
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws);
	*ret_size = (struct terminal_size){ .width = ws.ws_col ? ws.ws_col : 80, .height = ws.ws_row ? ws.ws_row : 24 };
	return true;
}

bool
terminal_coloured(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}
