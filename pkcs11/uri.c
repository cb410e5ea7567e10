/* SPDX-License-Identifier: Apache-2.0 */
#include "uri.h"

#include <p11-kit/uri.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "unconst.h"

struct uri {
	P11KitUri *parsed;
	const char *label;
	CK_OBJECT_CLASS class; /* always CKO_PRIVATE_KEY; for the template */
};

/* What p11-kit says for a URI without slot-id. */
#define ANY_SLOT ((CK_SLOT_ID)-1)

_Static_assert(sizeof(((CK_TOKEN_INFO *)NULL)->label) < URI_TOKEN_BYTES,
	       "a token's label fits");

/* The length of the attribute's name at P. */
static size_t name_length(const char *p)
{
	return strcspn(p, "=;?&");
}

/* p11-kit lets the last of two win; RFC 7512 s. 2.3 allows only one. */
static bool has_twice(const char *text)
{
	for (const char *p = strchr(text, ':'); p != NULL;
	     p = strpbrk(p, ";?&")) {
		const size_t n = name_length(++p);

		for (const char *q = strpbrk(p, ";?&"); q != NULL;
		     q = strpbrk(q, ";?&"))
			if (name_length(++q) == n && n > 0 &&
			    memcmp(p, q, n) == 0)
				return true;
	}
	return false;
}

/* What no URI of ours may be or have; NULL: it is not. */
static const char *refuse_any(const char *text, P11KitUri *u)
{
	if (has_twice(text))
		return "has an attribute twice";
	if (p11_kit_uri_any_unrecognized(u) != 0)
		return "has an attribute that is not known";
	if (p11_kit_uri_get_pin_value(u) != NULL ||
	    p11_kit_uri_get_pin_source(u) != NULL)
		return "has a PIN; the PIN belongs in its own file";
	if (p11_kit_uri_get_module_path(u) != NULL ||
	    p11_kit_uri_get_module_name(u) != NULL)
		return "names a module; the module is set beside it";
	return NULL;
}

/* Why the URI does not serve for a private key, or NULL. */
static const char *refuse(const char *text, P11KitUri *u)
{
	const CK_ATTRIBUTE *class = p11_kit_uri_get_attribute(u, CKA_CLASS);
	const char *why = refuse_any(text, u);

	if (why != NULL)
		return why;
	if (class != NULL &&
	    (class->ulValueLen != sizeof(CK_OBJECT_CLASS) ||
	     *(const CK_OBJECT_CLASS *)class->pValue != CKO_PRIVATE_KEY))
		return "has a type other than private";
	if (p11_kit_uri_get_attribute(u, CKA_LABEL) == NULL &&
	    p11_kit_uri_get_attribute(u, CKA_ID) == NULL)
		return "has neither object nor id";
	return NULL;
}

/* The label of the token in U, without its padding, and its length. */
static size_t token_label(P11KitUri *u, char out[URI_TOKEN_BYTES])
{
	const CK_TOKEN_INFO *info = p11_kit_uri_get_token_info(u);
	/* All zeros where the URI has none, else padded. */
	size_t n = strnlen((const char *)info->label, sizeof(info->label));

	while (n > 0 && info->label[n - 1] == ' ')
		n--;
	memcpy(out, info->label, n);
	out[n] = '\0';
	return n;
}

/* Why the URI does not serve for a token, or NULL. */
static const char *refuse_token(const char *text, P11KitUri *u)
{
	char label[URI_TOKEN_BYTES];
	const char *why = refuse_any(text, u);

	if (why != NULL)
		return why;
	if (p11_kit_uri_get_attribute(u, CKA_CLASS) != NULL ||
	    p11_kit_uri_get_attribute(u, CKA_LABEL) != NULL ||
	    p11_kit_uri_get_attribute(u, CKA_ID) != NULL)
		return "must name a token and no object";
	if (token_label(u, label) == 0)
		return "must name its token: token=LABEL";
	return NULL;
}

const char *uri_token_fault(const char *text)
{
	P11KitUri *u = p11_kit_uri_new();
	const char *why = "cannot be read: no memory";
	int r;

	if (u == NULL)
		return why;
	r = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, u);
	why = r == P11_KIT_URI_OK ? refuse_token(text, u)
				  : "must be a pkcs11: URI (RFC 7512)";
	p11_kit_uri_free(u);
	return why;
}

/* TEXT, if REFUSES has nothing against it. */
static enum sg_err parse(const char *label, const char *text,
			 const char *(*refuses)(const char *, P11KitUri *),
			 struct uri **out)
{
	struct uri *uri = calloc(1, sizeof(*uri));
	const char *why;
	int r;

	*out = NULL;
	if (uri == NULL)
		return SG_NO_MEMORY;
	uri->class = CKO_PRIVATE_KEY;
	uri->label = label;
	uri->parsed = p11_kit_uri_new();
	if (uri->parsed == NULL) {
		free(uri);
		return SG_NO_MEMORY;
	}
	r = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri->parsed);
	why = r == P11_KIT_URI_OK ? refuses(text, uri->parsed)
				  : p11_kit_uri_message(r);
	if (why != NULL) {
		log_event(LOG_ERROR, "key-uri-refused",
			  "key=\"%s\" reason=\"%s\"", label, why);
		uri_free(uri);
		return SG_CONFIG;
	}
	*out = uri;
	return SG_OK;
}

enum sg_err uri_parse(const char *label, const char *text, struct uri **out)
{
	return parse(label, text, refuse, out);
}

enum sg_err uri_parse_token(const char *label, const char *text,
			    struct span object, struct uri **out)
{
	CK_ATTRIBUTE name = {CKA_LABEL, unconst(object.p), object.n};
	enum sg_err e = parse(label, text, refuse_token, out);

	if (e != SG_OK || object.n == 0)
		return e;
	if (p11_kit_uri_set_attribute((*out)->parsed, &name) == P11_KIT_URI_OK)
		return SG_OK;
	uri_free(*out);
	*out = NULL;
	return SG_NO_MEMORY;
}

void uri_free(struct uri *uri)
{
	if (uri == NULL)
		return;
	p11_kit_uri_free(uri->parsed);
	free(uri);
}

const char *uri_label(const struct uri *uri)
{
	return uri->label;
}

bool uri_fits_token(const struct uri *uri, CK_SLOT_ID id,
		    const CK_SLOT_INFO *slot, const CK_TOKEN_INFO *token)
{
	const CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(uri->parsed);

	return (wanted == ANY_SLOT || wanted == id) &&
	       p11_kit_uri_match_slot_info(uri->parsed, slot) != 0 &&
	       p11_kit_uri_match_token_info(uri->parsed, token) != 0;
}

bool uri_fits_library(const struct uri *uri, const CK_INFO *info)
{
	return p11_kit_uri_match_module_info(uri->parsed, info) != 0;
}

CK_ULONG uri_template(const struct uri *uri,
		      CK_ATTRIBUTE attrs[URI_TEMPLATE_MAX])
{
	static const CK_ATTRIBUTE_TYPE given[] = {CKA_LABEL, CKA_ID};
	CK_ULONG n = 0;

	attrs[n++] = (CK_ATTRIBUTE){CKA_CLASS, unconst(&uri->class),
				    sizeof(uri->class)};
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		const CK_ATTRIBUTE *a =
			p11_kit_uri_get_attribute(uri->parsed, given[i]);

		if (a != NULL)
			attrs[n++] = *a;
	}
	return n;
}

bool uri_token(const char *text, char out[URI_TOKEN_BYTES])
{
	P11KitUri *u = p11_kit_uri_new();
	size_t n = 0;

	out[0] = '\0';
	if (u != NULL &&
	    p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, u) == P11_KIT_URI_OK)
		n = token_label(u, out);
	p11_kit_uri_free(u);
	return n > 0;
}
