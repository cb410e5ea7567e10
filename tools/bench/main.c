/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "raw.h"
#include "serve.h"

static const char USAGE[] =
	"usage: signer-bench raw|serve [OPTIONS]\n\n"
	"  raw     how fast a PKCS#11 module signs: the limit\n"
	"  serve   how fast a server issues, over mutual TLS\n\n"
	"\"signer-bench raw --help\" and \"signer-bench serve --help\" tell "
	"more;\n\"--version\" prints the version.\n";

int main(int argc, char *argv[])
{
	if (argc >= 2 && strcmp(argv[1], "raw") == 0)
		return bench_raw(argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "serve") == 0)
		return serve_main(argc - 2, argv + 2);
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("signer-bench " SIGNERD_VERSION);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		(void)fputs(USAGE, stdout);
		return 0;
	}
	(void)fputs(USAGE, stderr);
	return 2;
}
