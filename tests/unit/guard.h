/* Input that ends where readable memory ends: reading one byte too many is a crash. For tests of the parsers. */
#ifndef AGENTBUS_TEST_GUARD_H
#define AGENTBUS_TEST_GUARD_H

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard {
	char *map, *end;
	size_t size;
};

static inline struct guard
guard_create(size_t max)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), readable = (max + page) / page * page;
	struct guard g = { .size = readable + page };

	g.map = mmap(NULL, g.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(g.map, MAP_FAILED);
	g.end = g.map + readable;
	cr_assert_eq(mprotect(g.end, page, PROT_NONE), 0);
	return g;
}

/* The bytes, at the very end of what can be read; valid until the next call. */
static inline char *
guard_put(struct guard *g, const void *bytes, size_t len)
{
	return len ? memcpy(g->end - len, bytes, len) : g->end;
}

static inline void
guard_destroy(struct guard *g)
{
	munmap(g->map, g->size);
}

#endif
