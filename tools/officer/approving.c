/* SPDX-License-Identifier: Apache-2.0 */
#include "approving.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fileio.h"
#include "base/hex.h"
#include "tools/common/input.h"

enum {
	/* Of a Sig_structure, beside the operation. */
	MESSAGE_ROOM = 256,
	FILE_MODE = 0644
};

static enum sg_err add(const struct approved *a, const struct officer *officer,
		       struct span signature, struct approving *out)
{
	uint8_t *p = malloc(APPROVED_BYTES_MAX);
	enum sg_err err = SG_NO_MEMORY;

	if (p != NULL)
		err = approved_add(a, officer, signature, p, APPROVED_BYTES_MAX,
				   &out->n);
	if (err == SG_OK)
		out->p = p;
	else
		free(p);
	return err;
}

/* Would whoever verifies it believe the signature of S in OUT? */
static enum sg_err check(const struct approving *out, const struct signer *s)
{
	struct approved a;
	enum sg_err err = approved_decode(span_of(out->p, out->n), &a);

	for (size_t i = 0; err == SG_OK && i < a.n; i++)
		if (memcmp(a.approval[i].kid, s->officer.kid, ROLL_KID_BYTES) ==
		    0)
			return approval_verify(&a, i, &s->officer);
	return err == SG_OK ? SG_INTERNAL : err;
}

bool approving_may(const struct opfile *f, const struct opfile_known *known,
		   const struct officer *officer, char *why, size_t cap)
{
	const struct roll *r = opfile_roll(f, known);
	const struct officer *o;

	if (r == NULL && known->now != NULL && known->now->roll.n > 0)
		r = &known->now->roll;
	if (r == NULL)
		return true; /* signerd knows who is whose */
	o = roll_find(r, officer->kid);
	if (o != NULL && strcmp(o->name, officer->name) == 0)
		return true;
	if (o == NULL)
		(void)snprintf(why, cap,
			       "this key is of none of the officers of the "
			       "roll");
	else
		(void)snprintf(why, cap, "the roll has this key as %s's",
			       o->name);
	return false;
}

bool approving_others(const struct opfile *f, const struct opfile_known *known,
		      const char *name, char *why, size_t cap)
{
	const struct roll *r = opfile_roll(f, known);
	const struct officer *own =
		r != NULL ? roll_named(r, span_str(name)) : NULL;
	char kid[HEX_TEXT(ROLL_KID_BYTES)];

	for (size_t i = 0; i < f->approved.n; i++) {
		const uint8_t *by = f->approved.approval[i].kid;
		const char *fault = opfile_signature_fault(f, i, known);

		/* His own makes room for the new one. */
		if (fault == NULL ||
		    (own != NULL && memcmp(by, own->kid, ROLL_KID_BYTES) == 0))
			continue;
		(void)snprintf(why, cap,
			       "signerd will refuse all of it for the "
			       "signature of kid %s: %s; signer-officer drop "
			       "takes that out",
			       hex_encode(by, ROLL_KID_BYTES, kid), fault);
		return false;
	}
	return true;
}

bool approving_has(const struct opfile *f, const struct officer *officer)
{
	size_t own = 0;
	bool good = false;

	for (size_t i = 0; i < f->approved.n; i++) {
		if (memcmp(f->approved.approval[i].kid, officer->kid,
			   ROLL_KID_BYTES) != 0)
			continue;
		own++;
		good = approval_verify(&f->approved, i, officer) == SG_OK;
	}
	return own == 1 && good;
}

enum sg_err approving_sign(const struct opfile *f, const struct signer *s,
			   struct approving *out, char *why, size_t cap)
{
	const struct span operation = f->approved.operation;
	uint8_t *message = malloc(operation.n + MESSAGE_ROOM);
	struct card_signature signature;
	size_t message_n = 0;
	enum sg_err err = SG_NO_MEMORY;

	*out = (struct approving){0};
	if (message != NULL)
		err = approval_message(&s->officer, operation, message,
				       operation.n + MESSAGE_ROOM, &message_n);
	if (err == SG_OK)
		err = signer_sign(s, span_of(message, message_n), &signature,
				  why, cap);
	if (err == SG_OK)
		err = add(&f->approved, &s->officer,
			  span_of(signature.bytes, signature.n), out);
	if (err == SG_OK)
		err = check(out, s);
	free(message);
	if (err != SG_OK) {
		if (why[0] == '\0')
			(void)snprintf(why, cap, "%s", err_text(err));
		free(out->p);
		*out = (struct approving){0};
	}
	return err;
}

/* All that approved_add() looks at of an officer. */
static void officer_of(const struct approval *a, struct officer *out)
{
	memset(out, 0, sizeof(*out));
	out->alg = a->alg;
	memcpy(out->kid, a->kid, sizeof(out->kid));
}

enum sg_err approving_join(const struct opfile *f, const struct opfile *other,
			   struct approving *out, char *why, size_t cap)
{
	struct approved all = f->approved;
	struct officer officer;
	struct approving next = {0};
	enum sg_err err = SG_OK;

	*out = (struct approving){0};
	if (!span_eq(f->approved.operation, other->approved.operation)) {
		(void)snprintf(why, cap,
			       "they are not the same operation: officers must "
			       "sign copies of one file");
		return SG_CONFLICT;
	}
	for (size_t i = 0; err == SG_OK && i < other->approved.n; i++) {
		const struct approval *a = &other->approved.approval[i];

		officer_of(a, &officer);
		err = add(&all, &officer, a->signature, &next);
		if (err != SG_OK)
			break;
		free(out->p);
		*out = next;
		err = approved_decode(span_of(out->p, out->n), &all);
	}
	if (err == SG_OK && out->p == NULL) { /* nobody has signed the other */
		out->p = malloc(f->n);
		err = out->p != NULL ? SG_OK : SG_NO_MEMORY;
		if (err == SG_OK) {
			memcpy(out->p, f->bytes, f->n);
			out->n = f->n;
		}
	}
	if (err != SG_OK) {
		(void)snprintf(why, cap, "%s", err_text(err));
		free(out->p);
		*out = (struct approving){0};
	}
	return err;
}

enum sg_err approving_drop(const struct opfile *f,
			   const uint8_t kid[ROLL_KID_BYTES],
			   struct approving *out, char *why, size_t cap)
{
	uint8_t *p = malloc(APPROVED_BYTES_MAX);
	enum sg_err err = SG_NO_MEMORY;

	*out = (struct approving){0};
	if (p != NULL)
		err = approved_drop(&f->approved, kid, p, APPROVED_BYTES_MAX,
				    &out->n);
	if (err == SG_OK) {
		out->p = p;
		return SG_OK;
	}
	free(p);
	(void)snprintf(why, cap, "%s",
		       err == SG_NOT_FOUND ? "nobody of that kid has signed it"
					   : err_text(err));
	return err;
}

/* --- files ---------------------------------------------------------------- */

static enum sg_err trouble(const char *path, char *why, size_t cap)
{
	(void)snprintf(why, cap, "%s: %s", path, strerrordesc_np(errno));
	return SG_IO;
}

enum sg_err approving_create(const char *path, struct span bytes, char *why,
			     size_t cap)
{
	bool good;
	int fd;

	if (strcmp(path, "-") == 0)
		return output_bytes(path, bytes.p, bytes.n, why, cap);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	if (fd < 0 && errno == EEXIST) {
		(void)snprintf(why, cap,
			       "%s is there already, perhaps with what others "
			       "have signed: choose another name, or remove it",
			       path);
		return SG_IO;
	}
	if (fd < 0)
		return trouble(path, why, cap);
	good = fileio_write(fd, bytes) && fsync(fd) == 0;
	fileio_close(fd);
	if (good)
		return SG_OK;
	(void)trouble(path, why, cap);
	(void)unlink(path);
	return SG_IO;
}

enum sg_err approving_write(const char *path, struct span bytes, char *why,
			    size_t cap)
{
	if (strcmp(path, "-") == 0)
		return output_bytes(path, bytes.p, bytes.n, why, cap);
	if (fileio_replace(path, bytes, FILE_MODE) == SG_OK)
		return SG_OK;
	return trouble(path, why, cap);
}

enum sg_err approving_put(const char *in, const char *out, struct span bytes,
			  char *why, size_t cap)
{
	if (out == NULL || strcmp(in, out) == 0)
		return approving_write(in, bytes, why, cap);
	return approving_create(out, bytes, why, cap);
}
