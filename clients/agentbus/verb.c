#include "verb.h"

#include <stdarg.h>
#include <stdio.h>

void
verb_complain(const char *format, ...)
{
	va_list ap;

	fputs(VERB_PROGRAM ": ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}
