/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An auditor looks at a log that something has damaged.  Two bytes of the input
 * say how many leaves it has; then come changes (damage.h).  A log that is
 * sound has nothing wrong; the root of one that is not is never taken for the
 * signed one without a finding, unless all that was read is what was there.
 */
#include <stdlib.h>

#include "../../ledger/log_maker.h"
#include "../damage.h"
#include "tools/auditor/audit.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LEAVES_MAX = 520, WHY_BYTES = 512 };

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* In front of the C library's: there is no disk to wait for. */
int syncfs(int fd)
{
	(void)fd;
	return 0;
}

/* A good log of N leaves; *HALF and *WHOLE get its states. */
static void make(uint32_t n, struct checkpoint *half, struct checkpoint *whole)
{
	struct log_maker l;

	must(log_maker_open(&l, files_dir, "log.example", NULL, 0) == SG_OK);
	must(log_maker_grow(&l, n / 2) == SG_OK);
	*half = (struct checkpoint){.origin = SPAN_LIT("log.example"),
				    .size = n / 2};
	must(tree_root(l.tree, &half->root) == SG_OK);
	must(log_maker_grow(&l, n) == SG_OK);
	*whole = *half;
	whole->size = n;
	must(tree_root(l.tree, &whole->root) == SG_OK);
	must(log_maker_publish(&l) == SG_OK);
	log_maker_close(&l);
}

/* With COPY (may be NULL) what is right is kept there, and used again by who
 * looks the next time. */
static void look(const struct checkpoint *whole, bool sound, const char *copy)
{
	const struct audit_settings settings = {.where = {.where = files_dir},
						.jobs = 1,
						.size = whole->size,
						.root = whole->root,
						.copy = copy,
						.quiet = true};
	struct audit_result result;
	struct findings *f;
	char why[WHY_BYTES] = "";

	must(findings_create(&f) == SG_OK);
	if (audit_run(&settings, f, &result, why, sizeof(why)) != SG_OK)
		must(!sound && why[0] != '\0');
	else if (sound)
		must(findings_errors(f) == 0 && result.entries == whole->size);
	findings_sort(f);
	for (size_t i = 0; i < findings_n(f); i++)
		must(findings_code(findings_at(f, i)->id) != NULL);
	findings_free(f);
}

/* Another root is never the log's. */
static void look_for_another(struct checkpoint whole)
{
	struct audit_settings settings = {.where = {.where = files_dir},
					  .jobs = 1,
					  .size = whole.size,
					  .quiet = true};
	struct audit_result result;
	struct findings *f;
	char why[WHY_BYTES] = "";

	whole.root.b[0] ^= 1;
	settings.root = whole.root;
	must(findings_create(&f) == SG_OK);
	if (audit_run(&settings, f, &result, why, sizeof(why)) == SG_OK)
		must(findings_errors(f) > 0);
	findings_free(f);
}

static void compare(const struct checkpoint *half,
		    const struct checkpoint *whole, bool sound)
{
	const struct source_settings where = {.where = files_dir};
	struct findings *f;
	struct source *s;
	char why[WHY_BYTES] = "";
	enum sg_err err;

	must(findings_create(&f) == SG_OK);
	must(source_open(&where, &s, why, sizeof(why)) == SG_OK);
	err = audit_consistent(s, half, whole, f, why, sizeof(why));
	must(!sound || (err == SG_OK && findings_errors(f) == 0));
	source_close(s);
	findings_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct checkpoint half;
	struct checkpoint whole;
	char copy[FILES_PATH];
	unsigned failing = 0;
	uint32_t n;
	bool sound;

	if (size < 2)
		return 0;
	n = (uint32_t)(data[0] | data[1] << 8) % LEAVES_MAX;
	files_begin();
	make(n, &half, &whole);
	sound = !damage(span_of(data + 2, size - 2), n, &failing);
	look(&whole, sound, NULL);
	files_folder("copy");
	look(&whole, sound, files_path("copy", copy));
	look(&whole, sound, copy);
	look_for_another(whole);
	compare(&half, &whole, sound);
	return 0;
}
