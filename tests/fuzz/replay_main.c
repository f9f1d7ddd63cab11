/*
 * Feeds inputs to a fuzz target without a fuzzer: each file named on the command line, and each file in a directory named
 * there. Ends with 0 if the target survived them all.
 */
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
replay_file(const char *path, size_t size)
{
	/* Exactly as large as the input, so that AddressSanitizer sees whoever reads behind it. */
	uint8_t *data = malloc(size ? size : 1);
	FILE *f = fopen(path, "rb");
	bool ok = data && f && fread(data, 1, size, f) == size;

	if (ok)
		LLVMFuzzerTestOneInput(data, size);
	if (f)
		fclose(f);
	free(data);
	return ok;
}

/* Replays a file, or whatever is in a directory; counts the files. */
static bool
replay(const char *path, unsigned long *count)
{
	struct dirent *entry;
	struct stat st;
	bool ok = true;
	DIR *dir;

	if (stat(path, &st) != 0)
		return false;
	if (!S_ISDIR(st.st_mode)) {
		++*count;
		return replay_file(path, (size_t)st.st_size);
	}
	dir = opendir(path);
	while (dir && ok && (entry = readdir(dir))) {
		char child[PATH_MAX];

		if (entry->d_name[0] == '.')
			continue;
		ok = snprintf(child, sizeof(child), "%s/%s", path, entry->d_name) < (int)sizeof(child) && replay(child, count);
	}
	if (dir)
		closedir(dir);
	return dir && ok;
}

int
main(int argc, char **argv)
{
	unsigned long count = 0;

	for (int i = 1; i < argc; i++) {
		if (!replay(argv[i], &count)) {
			fprintf(stderr, "%s: cannot replay %s\n", argv[0], argv[i]);
			return 1;
		}
	}
	printf("%s: %lu inputs\n", argv[0], count);
	return 0;
}
