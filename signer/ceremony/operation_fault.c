/* SPDX-License-Identifier: Apache-2.0 */
/* What the values of an operation may be. */
#include <openssl/err.h>
#include <openssl/x509.h>

#include <string.h>

#include "hcert/dsc.h"
#include "hcert/utf8.h"
#include "operation_members.h"

enum {
	ORIGIN_MAX = 255, /* bytes; as a head of the journal has it */
	RSA_BITS_MIN = 2048,
	RSA_BITS_MAX = 4096,
	RSA_BITS_STEP = 256,
	COUNTRY_BYTES = 2
};
/* 9999-12-31T23:59:59Z: what RFC 5280 and a reader of dates can say. */
static const int64_t TIME_MAX = 253402300799;
/* A century: so that no sum with a time can overflow. */
static const int64_t PERIOD_MAX = (int64_t)100 * 366 * 86400;

static bool is_time(int64_t t)
{
	return t > 0 && t <= TIME_MAX;
}

/* One line that says all that it holds. */
static bool is_line(struct span s, size_t max)
{
	return s.n <= max && utf8_valid(s) && !utf8_has_hidden(s);
}

static const char *common_fault(const struct operation *o)
{
	if (o->origin.n == 0 || !is_line(o->origin, ORIGIN_MAX))
		return "its origin is no line of 1 to 255 bytes";
	if (o->nonce == NULL)
		return "it has no nonce";
	if (!is_time(o->created) || !is_time(o->expires))
		return "its times are not between 1970 and 9999";
	if (o->expires <= o->created)
		return "it expires before it was made";
	if (!roll_is_name(o->proposer))
		return "its proposer is no name";
	if (!is_line(o->reason, OPERATION_REASON_MAX))
		return "its reason is no line of at most 200 bytes";
	return NULL;
}

static const char *alg_fault(const struct operation *o)
{
	switch (o->alg) {
	case COSE_ES256:
	case COSE_EDDSA:
		return o->bits == 0 ? NULL : "only an RSA key has bits";
	case COSE_PS256:
		return o->bits >= RSA_BITS_MIN && o->bits <= RSA_BITS_MAX &&
				       o->bits % RSA_BITS_STEP == 0
			       ? NULL
			       : "the bits of an RSA key are 2048 to 4096, by "
				 "256";
	case COSE_ES384:
	case COSE_NONE:
	default: return "its algorithm is none of ES256, PS256, EdDSA";
	}
}

static bool is_country(struct span s)
{
	if (s.n != COUNTRY_BYTES)
		return false;
	return s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' && s.p[1] <= 'Z';
}

static bool is_for_ledger(const struct operation *o)
{
	return o->alg == COSE_EDDSA && o->country.n == 0 &&
	       o->signatures == 0 && o->period_s == 0;
}

static const char *key_fault(const struct operation *o, unsigned has)
{
	const char *fault = NULL;

	if ((has & OP_KEY) != 0 && !roll_is_name(o->key))
		return "its key's label is not [A-Za-z0-9._-]{1,63}";
	if ((has & OP_HSM) != 0 && !roll_is_name(o->hsm))
		return "its HSM's name is not [A-Za-z0-9._-]{1,63}";
	if ((has & OP_ALG) != 0)
		fault = alg_fault(o);
	if (fault != NULL)
		return fault;
	if ((o->kinds & ~(unsigned)DCC_ALL_KINDS) != 0)
		return "the key is for no kind of certificate";
	if ((has & OP_KINDS) != 0 && o->kinds == 0 && !is_for_ledger(o))
		return "a key for no kind of certificate is one of the "
		       "ledger's: EdDSA, without a country and limits";
	if (o->country.n > 0 && !is_country(o->country))
		return "its country is not two capital letters";
	if (o->period_s < 0 || o->period_s > PERIOD_MAX)
		return "its period is not between 0 and 100 years";
	return NULL;
}

/* An Ed25519 key, which has one spelling of this length alone. */
static bool is_ed25519(struct span der)
{
	static const uint8_t head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
				       0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

	return der.n == OPERATION_SPKI_BYTES &&
	       memcmp(der.p, head, sizeof(head)) == 0;
}

/* A name in DER, and not the empty one. */
static bool is_subject(struct span der)
{
	const unsigned char *p = der.p;
	X509_NAME *name;
	bool good;

	if (der.n == 0 || der.n > OPERATION_SUBJECT_MAX)
		return false;
	name = d2i_X509_NAME(NULL, &p, (long)der.n);
	good = name != NULL && p == der.p + der.n &&
	       X509_NAME_entry_count(name) > 0;
	X509_NAME_free(name);
	ERR_clear_error();
	return good;
}

static const char *rest_fault(const struct operation *o, unsigned has)
{
	if ((has & OP_SUBJECT) != 0 && !is_subject(o->subject))
		return "its subject is no name in DER, or too large";
	if ((has & OP_SPKI) != 0 && !is_ed25519(o->spki))
		return "its public key is none of Ed25519 in DER";
	if ((has & OP_CERTIFICATE) != 0 &&
	    (o->certificate.n == 0 ||
	     o->certificate.n > OPERATION_CERTIFICATE_MAX))
		return "its certificate is empty or too large";
	if ((o->activate != 0 && !is_time(o->activate)) ||
	    (o->retire != 0 && !is_time(o->retire)))
		return "its times are not between 1970 and 9999";
	if ((has & OP_POLICY) != 0 && o->policy == NULL)
		return "it has no policy's hash";
	return (has & OP_ROLL) != 0 ? roll_fault(&o->roll) : NULL;
}

const char *operation_fault(const struct operation *o)
{
	const unsigned has = operation_members(o->kind);
	const char *fault;

	if ((unsigned)o->kind >= OPERATION_KINDS)
		return "there is no such kind of operation";
	fault = common_fault(o);
	if (fault == NULL)
		fault = key_fault(o, has);
	if (fault == NULL)
		fault = rest_fault(o, has);
	return fault;
}
