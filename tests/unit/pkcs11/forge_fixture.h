/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SG_TEST_FORGE_FIXTURE_H
#define SG_TEST_FORGE_FIXTURE_H

/* forge_fixture: a smith's tasks on the token beta, in the test's process. */
#include "vault_fixture.h"

#include "hcert/dsc.h"
#include "pkcs11/forge.h"

#define BETA "pkcs11:token=beta"

static struct worker_settings smith_settings;

static inline int forge_make(void **state)
{
	(void)make(state);
	(void)snprintf(smith_settings.name, sizeof(smith_settings.name),
		       "demo");
	(void)snprintf(smith_settings.module, sizeof(smith_settings.module),
		       "%s", SOFTHSM_MODULE);
	(void)snprintf(smith_settings.token, sizeof(smith_settings.token), "%s",
		       BETA);
	(void)snprintf(smith_settings.pin_file, sizeof(smith_settings.pin_file),
		       "%s", hsm.pin_file);
	return 0;
}

static inline struct wire_forge task_of(enum wire_task task, enum cose_alg alg,
					uint32_t bits, const char *label)
{
	return (struct wire_forge){.task = (uint8_t)task,
				   .alg = alg,
				   .bits = bits,
				   .kinds = DCC_ALL_KINDS,
				   .label = span_str(label)};
}

/* As a smith does: everything anew for each task.  forged_drop() *OUT. */
static inline enum sg_err forge(const struct wire_forge *task,
				struct forged *out)
{
	struct forge f;

	*out = (struct forged){0};
	if (forge_open(&f, &smith_settings, &watch, out) == SG_OK)
		forge_do(&f, task, out);
	forge_close(&f);
	assert_int_equal(watch.since_us, 0);
	assert_true((out->err == SG_OK) == (out->reason[0] == '\0'));
	return out->err;
}

/* A new key called LABEL; its public key, for OPENSSL_free(). */
static inline struct span forge_key(enum cose_alg alg, uint32_t bits,
				    const char *label)
{
	const struct wire_forge task =
		task_of(WIRE_TASK_GENERATE, alg, bits, label);
	struct forged out;

	if (forge(&task, &out) != SG_OK)
		fail_msg("%s: %s", label, out.reason);
	assert_true(out.spki.n > 0);
	return out.spki;
}

static inline void forge_destroy(enum cose_alg alg, const char *label,
				 struct span spki)
{
	struct wire_forge task = task_of(WIRE_TASK_DESTROY, alg, 0, label);
	struct forged out;

	task.spki = spki;
	if (forge(&task, &out) != SG_OK)
		fail_msg("%s: %s", label, out.reason);
	forged_drop(&out);
}

#endif /* SG_TEST_FORGE_FIXTURE_H */
