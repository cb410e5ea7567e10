/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for libFuzzer's main: gives every file named on the command line,
 * and every file in a directory named there, to the target once. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 1 << 20, PATH_SIZE = 4096 };

static int replay_file(const char *path)
{
	static uint8_t buf[FILE_MAX];
	FILE *f = fopen(path, "rb");
	uint8_t *exact;
	size_t n;

	if (f == NULL)
		return 0;
	n = fread(buf, 1, sizeof(buf), f);
	(void)fclose(f);
	/* A block of its own, so that a read past its end is seen. */
	exact = malloc(n > 0 ? n : 1);
	if (exact == NULL)
		return 0;
	for (size_t i = 0; i < n; i++)
		exact[i] = buf[i];
	(void)LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	return 1;
}

static int replay_path(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	char name[PATH_SIZE];
	int count = 0;

	if (dir == NULL)
		return replay_file(path);
	while ((entry = readdir(dir)) != NULL) { /* NOLINT(concurrency-*) */
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof(name), "%s/%s", path,
			       entry->d_name);
		count += replay_file(name);
	}
	(void)closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	int count = 0;

	for (int i = 1; i < argc; i++)
		count += replay_path(argv[i]);
	printf("%d inputs replayed\n", count);
	return count > 0 ? 0 : 1;
}
