/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/memory.h"
#include "config.h"
#include "core/approved_policy.h"
#include "ipc/role.h"
#include "pkcs11/smith.h"
#include "profile.h"
#include "sandbox/sandbox.h"
#include "supervisor.h"

enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2, SLOT_MAX = 65535 };

struct arguments {
	const char *config;
	const char *role; /* NULL: the supervisor */
	const char *slot;
	bool check;
	bool mute;
};

static const char VERSION[] = "signerd " SIGNERD_VERSION "\n";

static const char USAGE[] =
	"usage: signerd --config FILE [--check]\n"
	"\n"
	"Signs health certificates (EU DCC, WHO HCERT) with keys in an HSM,\n"
	"for clients that an issuance policy names.\n"
	"\n"
	"  --config FILE  the configuration, signerd.yaml(5)\n"
	"  --check        report every fault of configuration and policy, and "
	"exit\n"
	"  --version      print the version and exit\n"
	"  --help         print this and exit\n"
	"\n"
	"Exit status: 0 good, 1 failed, 2 usage or configuration.\n"
	"SIGTERM drains, SIGHUP reloads; see signerd(8).\n";

/* --- roles ---------------------------------------------------------------- */

static enum sg_err load(int fd, struct config **out, char *reason, size_t cap)
{
	struct faults faults = {0};
	const enum sg_err e = config_from_fd(fd, out, &faults);

	if (e != SG_OK) {
		faults.text[strcspn(faults.text, "\n")] = '\0';
		(void)snprintf(reason, cap, "%s",
			       faults.n > 0 ? faults.text : err_text(e));
		return SG_CONFIG;
	}
	log_limit((enum log_level)(*out)->log_level);
	log_requests((*out)->log_requests);
	return SG_OK;
}

static enum sg_err read_front(int fd, struct front_settings *out, char *reason,
			      size_t cap)
{
	struct config *c;
	const enum sg_err e = load(fd, &c, reason, cap);

	if (e != SG_OK)
		return e;
	*out = c->front;
	config_free(c);
	return SG_OK;
}

static enum sg_err read_core(int fd, struct core_settings *out, char *reason,
			     size_t cap)
{
	struct config *c;
	const enum sg_err e = load(fd, &c, reason, cap);

	if (e != SG_OK)
		return e;
	*out = c->core;
	config_free(c);
	return SG_OK;
}

static int run(enum wire_role role, unsigned slot, const struct config *c)
{
	const struct config_hsm *hsm;

	switch (role) {
	case WIRE_FRONT: return front_run(&c->front, read_front);
	case WIRE_CORE: return core_run(&c->core, read_core);
	case WIRE_HSM:
		hsm = config_hsm_of(c, slot);
		return hsm != NULL ? worker_run(&hsm->worker) : STATUS_USAGE;
	case WIRE_WITNESS: return witness_run(&c->witness);
	case WIRE_SMITH:
		return slot < c->nhsms ? smith_run(&c->hsm[slot].worker)
				       : STATUS_USAGE;
	case WIRE_SUPERVISOR:
	case WIRE_ROLE_COUNT: break;
	}
	return STATUS_USAGE;
}

/* No reason to end: all works but for that. */
static void tell_memory(bool watched)
{
	if (!watched)
		log_event(LOG_WARNING, "memory-unwatched",
			  "text=\"a library has used OpenSSL before: what "
			  "cannot be verified for want of memory counts as "
			  "wrong\"");
}

static int run_role(enum wire_role role, unsigned slot, bool watched)
{
	char reason[512];
	struct config *c;
	int status;

	if (role_begin(role, slot) != SG_OK || sandbox_begin(role, 0) != SG_OK)
		return STATUS_FAILED;
	tell_memory(watched);
	if (load(ROLE_FD_CONFIG, &c, reason, sizeof(reason)) != SG_OK) {
		log_event(LOG_ERROR, "config-unusable", "reason=\"%s\"",
			  reason);
		return STATUS_USAGE;
	}
	(void)close(ROLE_FD_CONFIG);
	status = profile_enter(c, role, slot) == SG_OK ? run(role, slot, c)
						       : STATUS_FAILED;
	config_free(c);
	return status;
}

static int bad_role(const char *what, const char *which)
{
	(void)fprintf(stderr, "signerd: %s%s\n", what, which);
	return STATUS_USAGE;
}

static int start_role(const char *name, const char *slot_text, bool watched)
{
	char *end;
	unsigned long slot;

	if (slot_text == NULL || slot_text[0] < '0' || slot_text[0] > '9')
		return bad_role("--role needs --slot, a number", "");
	errno = 0;
	slot = strtoul(slot_text, &end, 10);
	if (errno != 0 || *end != '\0' || slot > SLOT_MAX)
		return bad_role("no such slot: ", slot_text);
	for (int r = WIRE_FRONT; r < WIRE_ROLE_COUNT; r++)
		if (strcmp(name, role_name((enum wire_role)r)) == 0)
			return run_role((enum wire_role)r, (unsigned)slot,
					watched);
	return bad_role("no such role: ", name);
}

/* --- the command ---------------------------------------------------------- */

/* What officers have said of the policy of TEXT.  No fault: what they are to
 * approve has to pass first. */
static void tell_approval(const char *state, struct span text)
{
	uint8_t hash[APPROVED_POLICY_BYTES];
	uint8_t newest[APPROVED_POLICY_BYTES];
	char name[HEX_TEXT(APPROVED_POLICY_BYTES)];
	enum approved_policy word;
	enum sg_err e = SG_NO_MEMORY;

	if (EVP_Digest(text.p, text.n, hash, NULL, EVP_sha256(), NULL) == 1)
		e = approved_policy_ask(state, hash, &word, newest);
	if (e == SG_NOT_FOUND)
		return; /* no officer has done anything here yet */
	if (e != SG_OK) {
		(void)printf("policy: whether officers have approved it cannot "
			     "be told: %s/operations: %s\n",
			     state,
			     e == SG_IO ? strerrordesc_np(errno) : err_text(e));
		return;
	}
	if (word == APPROVED_POLICY_FREE) {
		(void)puts("policy: needs no approval of officers");
		return;
	}
	(void)printf("policy: %s by the officers: %s\n",
		     word == APPROVED_POLICY_SAME ? "approved" : "not approved",
		     hex_encode(hash, sizeof(hash), name));
	if (word == APPROVED_POLICY_SAME)
		return;
	(void)printf("policy: approved is %s%s\n"
		     "policy: a reload refuses another one than that, and a "
		     "start goes on with that\n",
		     hex_encode(newest, sizeof(newest), name),
		     word == APPROVED_POLICY_BEFORE
			     ? ", and this one was before it"
			     : "");
}

static int check(const char *path)
{
	struct faults faults = {0};
	struct span policy = {0};
	struct config *c;
	const enum sg_err e = config_load(path, &c, &faults, NULL, &policy);

	if (e == SG_OK) {
		const bool outdated = c->outdated[0] != '\0';

		(void)fprintf(stderr, "%s%s", c->outdated, c->doubts);
		(void)puts(outdated ? "configuration is out of date"
				    : "configuration is valid");
		tell_approval(c->core.state, policy);
		config_free(c);
		config_text_free(&policy);
		return outdated ? STATUS_USAGE : STATUS_OK;
	}
	if (e != SG_CONFIG)
		(void)fprintf(stderr, "signerd: %s: %s\n", path, err_text(e));
	(void)fputs(faults.text, stderr);
	(void)fprintf(stderr, "signerd: %zu %s\n", faults.n,
		      faults.n == 1 ? "fault" : "faults");
	return STATUS_USAGE;
}

/* True when the program is to go on; else *STATUS is its end. */
static bool read_arguments(int argc, char **argv, struct arguments *a,
			   int *status)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'k'},
		{"role", required_argument, NULL, 'r'},
		{"slot", required_argument, NULL, 's'},
		{"mute", no_argument, NULL, 'm'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	int o;

	*status = STATUS_OK;
	/* One thread, here. */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 'c': a->config = optarg; break;
		case 'k': a->check = true; break;
		case 'r': a->role = optarg; break;
		case 's': a->slot = optarg; break;
		case 'm': a->mute = true; break;
		case 'v':
		case 'h':
			(void)fputs(o == 'v' ? VERSION : USAGE, stdout);
			return false;
		default: *status = STATUS_USAGE; return false;
		}
	}
	if (optind == argc && (a->config != NULL) != (a->role != NULL))
		return true;
	(void)fputs(USAGE, stderr);
	*status = STATUS_USAGE;
	return false;
}

int main(int argc, char **argv)
{
	/* Nothing has allocated yet, or a library's constructor has. */
	const bool watched = memory_watch();
	struct arguments a = {0};
	int status;

	if (!read_arguments(argc, argv, &a, &status))
		return status;
	(void)log_mute(a.mute && a.role != NULL);
	if (a.role != NULL)
		return start_role(a.role, a.slot, watched);
	if (a.check)
		return check(a.config);
	tell_memory(watched);
	return supervisor_run(a.config);
}
