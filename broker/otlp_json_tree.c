#include "otlp_json_tree.h"

/* Where the hooks allocate while a text is being parsed. The one variable of its kind: cJSON leaves no other way. */
static _Thread_local struct arena *parsing;

static void *
allocate(size_t size)
{
	return arena_alloc(parsing, size);
}

static void
ignore_free(void *ptr)
{
	(void)ptr;
}

cJSON *
json_tree_parse(const char *text, size_t len, struct arena *a)
{
	cJSON_Hooks hooks = { .malloc_fn = allocate, .free_fn = ignore_free };
	cJSON *tree;

	parsing = a;
	cJSON_InitHooks(&hooks);
	tree = cJSON_ParseWithLength(text, len);
	cJSON_InitHooks(NULL);
	parsing = NULL;
	return tree;
}
