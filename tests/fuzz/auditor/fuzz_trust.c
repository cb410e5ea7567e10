/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an auditor is given to believe by, and what a log gives: the file of the
 * log's key, the file of its witnesses, the checkpoint that was kept, and from
 * the log itself its key and its checkpoint, a chunk each.
 */
#include <stdlib.h>

#include "../files.h"
#include "tools/auditor/trust.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WHY_BYTES = 512 };

static struct findings *findings;
static struct trust trust;

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void believe(struct source *s, const struct trust_wanted *wanted,
		    const char *kept)
{
	static struct trust_checkpoint c;
	char why[WHY_BYTES] = "";

	if (trust_load(&trust, wanted, s, findings, why, sizeof(why)) != SG_OK)
		return;
	must(trust.nwitnesses <= TRUST_WITNESSES_MAX &&
	     trust.quorum <= trust.nwitnesses);
	if (trust_fetch(&trust, s, &c, findings, why, sizeof(why)) == SG_OK)
		must(c.cosigned <= trust.nwitnesses &&
		     span_is(c.c.origin, trust.key.name));
	if (trust.differs)
		trust_refuse_own(&trust, why, findings);
	if (trust_kept(&trust, kept, &c, why, sizeof(why)) == SG_OK)
		must(span_is(c.c.origin, trust.key.name) || trust.follows);
	else
		must(why[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	char vkey[FILES_PATH];
	char witnesses[FILES_PATH];
	char kept[FILES_PATH];
	char why[WHY_BYTES];
	const struct source_settings where = {.where = files_dir};
	struct trust_wanted wanted = {.vkey = files_path("given", vkey)};
	struct span chunk;
	struct source *s;

	files_begin();
	must(findings_create(&findings) == SG_OK);
	files_put("given", files_chunk(&in));
	chunk = files_chunk(&in);
	if (chunk.n > 0) {
		files_put("witnesses", chunk);
		wanted.witnesses = files_path("witnesses", witnesses);
	}
	files_put("kept", files_chunk(&in));
	chunk = files_chunk(&in);
	if (chunk.n > 0)
		files_put("vkey", chunk);
	chunk = files_chunk(&in);
	if (chunk.n > 0)
		files_put("checkpoint", chunk);
	(void)files_path("kept", kept);
	must(source_open(&where, &s, why, sizeof(why)) == SG_OK);
	believe(s, &wanted, kept);
	wanted.follow = true;
	wanted.quorum = "1";
	believe(s, &wanted, kept);
	wanted = (struct trust_wanted){0};
	believe(s, &wanted, kept);
	source_close(s);
	findings_free(findings);
	return 0;
}
