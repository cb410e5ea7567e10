/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "approving.h"
#include "base/hex.h"

enum { OPT_KID = OPT_COMMON, OPT_OUT, OPT_COUNT };

static const struct arg_option OPTIONS[OPT_COUNT] = {
	COMMON_OPTIONS,
	[OPT_KID] = {"kid", "HEX", NULL, "whose signature, as show has it"},
	[OPT_OUT] = {"out", "FILE", NULL,
		     "where it goes without, a new file (FILE.op itself)"}};

static int drop(const struct args *args, const struct opfile *f,
		const uint8_t kid[ROLL_KID_BYTES])
{
	char why[WHY_MAX] = "";
	struct approved left;
	struct approving out;
	int status;

	if (approving_drop(f, kid, &out, why, sizeof(why)) != SG_OK) {
		(void)officer_trouble(why);
		return EXIT_REFUSED;
	}
	if (approving_put(args->rest[0], args->value[OPT_OUT],
			  span_of(out.p, out.n), why, sizeof(why)) != SG_OK ||
	    approved_decode(span_of(out.p, out.n), &left) != SG_OK) {
		status = officer_trouble(why);
	} else {
		(void)fprintf(stderr, "It has %zu signature%s now.\n", left.n,
			      left.n == 1 ? "" : "s");
		if (args->value[OPT_JSON] != NULL)
			printf("{\"signatures\": %zu}\n", left.n);
		status = EXIT_GOOD;
	}
	free(out.p);
	return status;
}

static int run(const struct args *args)
{
	static struct opfile f;
	const char *text = args->value[OPT_KID];
	uint8_t kid[ROLL_KID_BYTES];
	char why[WHY_MAX] = "";
	int status;

	if (args->n != 1 || text == NULL)
		return officer_trouble("drop takes one file and --kid");
	if (strlen(text) != 2 * sizeof(kid) ||
	    !hex_decode(text, kid, sizeof(kid)))
		return officer_trouble("--kid: 16 hexadecimal digits, as show "
				       "has them");
	if (opfile_read(args->rest[0], &f, why, sizeof(why)) != SG_OK)
		return officer_trouble(why);
	status = drop(args, &f, kid);
	free(f.bytes);
	return status;
}

const struct command DROP_COMMAND = {
	.name = "drop",
	.usage = "FILE.op --kid HEX [--out FILE]",
	.about = "take a signature out that has an operation refused",
	.more = "One that does not verify, or is of nobody in the roll, has "
		"all of it refused: \"show\nFILE.op --roll FILE\" names it.  "
		"What the others have signed stays as it is.\n",
	.options = OPTIONS,
	.noptions = OPT_COUNT,
	.run = run};
