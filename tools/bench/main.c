/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bulk_main.h"
#include "decide.h"
#include "generate.h"
#include "raw.h"
#include "serve.h"
#include "suite.h"

static const char USAGE[] =
	"usage: signer-bench [suite] [OPTIONS] DIR...\n"
	"       signer-bench raw|serve|bulk|decide|generate [OPTIONS]\n\n"
	"  suite      everything side by side: a table, JSON, a chart\n"
	"  raw        how fast a PKCS#11 module signs: the limit\n"
	"  serve      how fast a server answers single requests\n"
	"  bulk       how fast it answers streams of them\n"
	"  decide     how long a policy takes for a decision\n"
	"  generate   write sample records\n\n"
	"\"signer-bench COMMAND --help\" tells more; \"--version\" prints the "
	"version.\n";

/* With the arguments after its name. */
static const struct {
	const char *name;
	int (*run)(int argc, char *argv[]);
} COMMANDS[] = {
	{"serve", serve_main},	 {"bulk", bulk_main},
	{"decide", decide_main}, {"generate", generate_main},
	{"suite", suite_main},
};

int main(int argc, char *argv[])
{
	if (argc < 2) {
		(void)fputs(USAGE, stderr);
		return 2;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("signer-bench " SIGNERD_VERSION);
		return 0;
	}
	if (strcmp(argv[1], "--help") == 0) {
		(void)fputs(USAGE, stdout);
		return 0;
	}
	if (strcmp(argv[1], "raw") == 0)
		return bench_raw(argc - 1, argv + 1);
	for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++)
		if (strcmp(argv[1], COMMANDS[i].name) == 0)
			return COMMANDS[i].run(argc - 2, argv + 2);
	/* Without a command it is the suite, of directories. */
	if (argv[1][0] != '-' && access(argv[1], F_OK) != 0) {
		(void)fprintf(stderr,
			      "signer-bench: there is no command and no "
			      "directory \"%s\"\n\n%s",
			      argv[1], USAGE);
		return 2;
	}
	return suite_main(argc - 1, argv + 1);
}
