/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "officer.h"

enum { OPT_NAME = OPT_COMMON, OPT_COUNT };

static const struct arg_option OPTIONS[OPT_COUNT] = {
	COMMON_OPTIONS,
	[OPT_NAME] = {"name", "NAME", NULL,
		      "the officer's name, as ledger.officers is to have it"}};

static int run(const struct args *args)
{
	char why[WHY_MAX] = "";
	char text[NOTE_VKEY_MAX];
	struct officer_key key;

	if (args->n != 1 || args->value[OPT_NAME] == NULL)
		return officer_trouble("vkey takes a key file and --name");
	if (officer_key_read(args->rest[0], args->value[OPT_NAME], &key, why,
			     sizeof(why)) != SG_OK)
		return officer_trouble(why);
	EVP_PKEY_free(key.pkey);
	note_key_text(&key.note, text);
	/* Neither a name nor base64 has what JSON would escape. */
	if (args->value[OPT_JSON] != NULL)
		printf("{\"vkey\": \"%s\"}\n", text);
	else
		puts(text);
	return EXIT_GOOD;
}

const struct command VKEY_COMMAND = {
	.name = "vkey",
	.usage = "KEY.pem --name NAME",
	.about = "print the verifier key of an officer's own key",
	.more = "It goes into ledger.officers of signerd.yaml.\n",
	.options = OPTIONS,
	.noptions = OPT_COUNT,
	.run = run};
