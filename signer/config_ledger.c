/* SPDX-License-Identifier: Apache-2.0 */
/* The section "ledger" of the configuration. */
#include <stddef.h>
#include <string.h>

#include "config_read.h"
#include "config_values.h"
#include "ledger/note.h"
#include "pkcs11/uri.h"

_Static_assert((int)WITNESS_MAX == (int)CORE_WITNESSES_MAX &&
		       (int)WITNESS_PATH_MAX == (int)CONFIG_PATH_BYTES,
	       "the core and the witness role know the same witnesses");
_Static_assert((int)CORE_ORIGIN_MAX == NOTE_NAME_MAX + 1 &&
		       (int)CORE_VKEY_MAX >= (int)NOTE_VKEY_MAX,
	       "what a note can name can be configured");

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	SECOND_MS = 1000,
	MINUTE_MS = 60 * SECOND_MS,
	HOUR_MS = 60 * MINUTE_MS,
	DAY_MS = 24 * HOUR_MS,
	CHECKPOINT_MS_MIN = 100
};

/* The section, before its parts go to whom they concern. */
struct ledger_entry {
	struct config_key key;
	struct core_ledger_settings ledger;
	char public_listen[CONFIG_PATH_BYTES];
	char witness_ca[CONFIG_PATH_BYTES];
	struct witness_settings *witness;
};

/* --- single values -------------------------------------------------------- */

static void value_origin(const struct yaml_at *at, void *member,
			 const struct yaml_field *f)
{
	static const uint8_t nothing[NOTE_PUBLIC_BYTES];
	struct note_key key;
	struct span s;
	enum sg_err err;

	(void)f;
	if (!yaml_text(at, &s))
		return;
	err = note_key_make(s, NOTE_ED25519, nothing, &key);
	if (err == SG_OK)
		text_put(s, (char *)member);
	else if (err == SG_NO_MEMORY)
		yaml_fault(at, "%s", err_text(err));
	else
		yaml_fault(at,
			   "must be the name of a log: 1 to %d bytes, without "
			   "white space and '+'",
			   NOTE_NAME_MAX);
}

static void value_witness_key(const struct yaml_at *at, void *member,
			      const struct yaml_field *f)
{
	struct note_key key;
	struct span s;
	enum sg_err err;

	(void)f;
	if (!yaml_text(at, &s))
		return;
	err = s.n < CORE_VKEY_MAX ? note_key_parse_as(s, NOTE_COSIGNATURE, &key)
				  : SG_TOO_BIG;
	if (err == SG_OK)
		text_put(s, (char *)member);
	else if (err == SG_NO_MEMORY)
		yaml_fault(at, "%s", err_text(err));
	else
		yaml_fault(at, "must be the verifier key of a witness, "
			       "NAME+HASH+BASE64 of type 0x04");
}

/* Does URL begin with WORD?  Then it is taken off. */
static bool take_word(struct span *url, const char *word)
{
	const size_t n = strlen(word);

	if (url->n < n || memcmp(url->p, word, n) != 0)
		return false;
	*url = span_of(url->p + n, url->n - n);
	return true;
}

/* Is REST, what comes after "http://", on this machine? */
static bool on_loopback(struct span rest)
{
	static const char *const hosts[] = {"127.0.0.1", "[::1]", "localhost"};

	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct span after = rest;

		if (take_word(&after, hosts[i]) &&
		    (after.n == 0 || after.p[0] == ':' || after.p[0] == '/'))
			return true;
	}
	return false;
}

/* Nothing in it that a path cannot come after. */
static bool is_prefix(struct span url)
{
	if (!take_word(&url, "https://") &&
	    !(take_word(&url, "http://") && on_loopback(url)))
		return false;
	if (url.n == 0 || url.p[0] == '/')
		return false;
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= ' ' || url.p[i] > '~' ||
		    strchr("?#@\"<>\\^`{|}", url.p[i]) != NULL)
			return false;
	return true;
}

static void value_url(const struct yaml_at *at, void *member,
		      const struct yaml_field *f)
{
	struct span s;

	(void)f;
	if (!yaml_text(at, &s))
		return;
	while (s.n > 0 && s.p[s.n - 1] == '/')
		s.n--;
	if (s.n < WITNESS_URL_MAX && is_prefix(s))
		text_put(s, (char *)member);
	else
		yaml_fault(at,
			   "must be https://HOST[:PORT][/PATH], of at most %d "
			   "bytes; http:// for a host on loopback alone",
			   WITNESS_URL_MAX - 1);
}

/* --- witnesses ------------------------------------------------------------ */

struct witness_entry {
	char key[CORE_VKEY_MAX];
	char url[WITNESS_URL_MAX];
};

static bool has_witness(const struct core_ledger_settings *l, const char *key)
{
	for (size_t i = 0; i < l->nwitnesses; i++)
		if (strcmp(l->witness[i], key) == 0)
			return true;
	return false;
}

static void read_witnesses(const struct yaml_at *at, void *entry,
			   const struct yaml_field *f)
{
#define AT(member) .offset = offsetof(struct witness_entry, member)
	static const struct yaml_field fields[] = {
		{.key = "key", .read = value_witness_key, AT(key)},
		{.key = "url", .read = value_url, AT(url)},
	};
#undef AT
	struct ledger_entry *e = (struct ledger_entry *)entry;
	struct core_ledger_settings *l = &e->ledger;
	struct witness_settings *to = e->witness;
	const size_t n = yaml_list(at, CORE_WITNESSES_MAX);

	(void)f;
	for (size_t i = 0; i < n; i++) {
		const struct yaml_at item = yaml_item(at, i);
		struct witness_entry w = {0};

		yaml_fields(&item, fields, COUNT(fields), &w);
		if (w.key[0] != '\0' && has_witness(l, w.key)) {
			const struct yaml_at key = yaml_child(&item, "key");

			yaml_fault(&key, "another witness has this key");
		}
		memcpy(l->witness[l->nwitnesses++], w.key, sizeof(w.key));
		memcpy(to->url[to->n++], w.url, sizeof(w.url));
	}
}

/* --- officers ------------------------------------------------------------- */

/* One person with two names would count twice.  Errors: SG_CONFIG (KEY is such
 * a one), SG_NO_MEMORY. */
static enum sg_err look_for_officer(const struct core_ledger_settings *l,
				    const struct note_key *key)
{
	struct note_key other;

	for (size_t i = 0; i < l->nofficers; i++) {
		/* It has been parsed before. */
		if (note_key_parse(span_str(l->officer[i]), &other) != SG_OK)
			return SG_NO_MEMORY;
		if (strcmp(other.name, key->name) == 0 ||
		    memcmp(other.public_key, key->public_key,
			   sizeof(other.public_key)) == 0)
			return SG_CONFIG;
	}
	return SG_OK;
}

static void read_officer(const struct yaml_at *item,
			 struct core_ledger_settings *l)
{
	struct note_key key;
	struct span s;
	enum sg_err err;

	if (!yaml_text(item, &s))
		return;
	err = s.n < CORE_VKEY_MAX ? note_key_parse_as(s, NOTE_ED25519, &key)
				  : SG_TOO_BIG;
	if (err == SG_OK)
		err = look_for_officer(l, &key);
	if (err == SG_OK)
		text_put(s, l->officer[l->nofficers++]);
	else if (err == SG_NO_MEMORY)
		yaml_fault(item, "%s", err_text(err));
	else if (err == SG_CONFIG)
		yaml_fault(item, "another officer has this name or this key");
	else
		yaml_fault(item, "must be the verifier key of an officer, as "
				 "signer-officer vkey prints it");
}

static void read_officers(const struct yaml_at *at, void *entry,
			  const struct yaml_field *f)
{
	struct core_ledger_settings *l =
		&((struct ledger_entry *)entry)->ledger;
	const size_t n = yaml_list(at, CORE_OFFICERS_MAX);

	(void)f;
	for (size_t i = 0; i < n; i++) {
		const struct yaml_at item = yaml_item(at, i);

		read_officer(&item, l);
	}
}

static void check_approvals(const struct yaml_at *at,
			    struct core_ledger_settings *l)
{
	const struct yaml_at approvals = yaml_child(at, "approvals");

	if (l->approvals > l->nofficers)
		yaml_fault(&approvals,
			   "is more than the %zu officers there are",
			   l->nofficers);
	/* One alone decides only where there is no other. */
	if (l->approvals == 0)
		l->approvals = l->nofficers < 2 ? (uint32_t)l->nofficers : 2;
}

/* --- the key -------------------------------------------------------------- */

/* The HSM called NAME makes keys beside the ledger's. */
static void mark_ledger_hsm(struct config *c, const char *name)
{
	for (size_t i = 0; i < c->core.nhsms; i++)
		if (strcmp(c->core.hsm[i].name, name) == 0)
			c->core.hsm[i].makes_ledger_keys = true;
}

/* None of W's keys of certificates may be on TOKEN, the ledger's, whose URI
 * stands at URI. */
static void check_keys_off(const struct yaml_at *uri,
			   const struct worker_settings *w, const char *token)
{
	char other[URI_TOKEN_BYTES];

	for (size_t k = 0; k < w->nkeys; k++) {
		if (w->key[k].ledger || w->key[k].uri[0] == '\0')
			continue;
		/* One that names none could be on this one. */
		if (!uri_token(w->key[k].uri, other) ||
		    strcmp(token, other) == 0)
			yaml_fault(uri,
				   "may be on the token of the key \"%s\": the "
				   "ledger's key needs one of its own",
				   w->key[k].label);
	}
}

/* No key of certificates may lie on the ledger's token: it is written to, and
 * whoever has its PIN can put the log back. */
static void check_token(const struct yaml_at *at, struct config *c,
			const struct config_key *ledger)
{
	const struct yaml_at uri = yaml_child(at, "uri");
	const struct config_hsm *own = config_hsm_named(c, ledger->hsm);
	char token[URI_TOKEN_BYTES];
	char other[URI_TOKEN_BYTES];

	if (own == NULL || ledger->uri[0] == '\0')
		return;
	if (!uri_token(ledger->uri, token)) {
		yaml_fault(&uri, "must name its token: token=LABEL");
		return;
	}
	for (size_t i = 0; i < c->nhsms; i++) {
		const struct worker_settings *w = &c->hsm[i].worker;

		if (strcmp(w->module, own->worker.module) != 0)
			continue;
		check_keys_off(&uri, w, token);
		if (!uri_token(w->token, other) || strcmp(token, other) != 0)
			continue;
		if (w == &own->worker)
			mark_ledger_hsm(c, w->name);
		else
			yaml_fault(&uri,
				   "is on the token for new keys of the HSM "
				   "\"%s\": the ledger's key needs one of its "
				   "own",
				   w->name);
	}
}

/* --- the section ---------------------------------------------------------- */

static void check_times(const struct yaml_at *at,
			const struct core_ledger_settings *l)
{
	const struct yaml_at stale = yaml_child(at, "stale");
	const struct yaml_at quorum = yaml_child(at, "quorum");

	if (l->stale_ms <= l->checkpoint_ms)
		yaml_fault(&stale, "must be more than ledger.checkpoint");
	if (l->quorum > l->nwitnesses)
		yaml_fault(&quorum, "is more than the %zu witnesses there are",
			   l->nwitnesses);
}

#define AT(member) .offset = offsetof(struct ledger_entry, member)
#define TIME(name, member, least, most)                                        \
	{                                                                      \
		.key = (name), .read = value_duration, .optional = true,       \
		.min = (least), .max = (most), AT(member)                      \
	}
static const struct yaml_field FIELDS[] = {
	{.key = "origin", .read = value_origin, AT(ledger.origin)},
	{.key = "hsm", .read = value_label, AT(key.hsm)},
	{.key = "uri", .read = value_uri, AT(key.uri)},
	{.key = "label",
	 .read = value_label,
	 .optional = true,
	 AT(key.core.label)},
	TIME("checkpoint", ledger.checkpoint_ms, CHECKPOINT_MS_MIN, MINUTE_MS),
	TIME("stale", ledger.stale_ms, SECOND_MS, HOUR_MS),
	{.key = "public",
	 .read = value_endpoint,
	 .optional = true,
	 AT(public_listen)},
	{.key = "witnesses",
	 .read = read_witnesses,
	 .optional = true,
	 .offset = 0},
	{.key = "witness_ca",
	 .read = value_path,
	 .optional = true,
	 AT(witness_ca)},
	TIME("witness_interval", ledger.witness_ms, SECOND_MS, DAY_MS),
	{.key = "quorum",
	 .read = value_u32,
	 .optional = true,
	 .max = CORE_WITNESSES_MAX,
	 AT(ledger.quorum)},
	{.key = "officers",
	 .read = read_officers,
	 .optional = true,
	 .offset = 0},
	{.key = "approvals",
	 .read = value_u32,
	 .optional = true,
	 .min = 1,
	 .max = CORE_OFFICERS_MAX,
	 AT(ledger.approvals)},
};
#undef TIME
#undef AT

void config_read_ledger(const struct yaml_at *at, void *config,
			const struct yaml_field *f)
{
	const struct yaml_at root = yaml_root(at->tree);
	struct config *c = (struct config *)config;
	struct ledger_entry e = {.key = {.core = {.label = "ledger",
						  .alg = COSE_EDDSA,
						  .ledger = true}},
				 .ledger = c->core.ledger,
				 .witness = &c->witness};

	(void)f;
	config_read_tls_key(&root, c);
	yaml_fields(at, FIELDS, COUNT(FIELDS), &e);
	check_times(at, &e.ledger);
	check_approvals(at, &e.ledger);
	config_key_add(at, c, &e.key);
	check_token(at, c, &e.key);
	c->core.ledger = e.ledger;
	memcpy(c->public_listen, e.public_listen, sizeof(c->public_listen));
	memcpy(c->witness.ca, e.witness_ca, sizeof(c->witness.ca));
}
