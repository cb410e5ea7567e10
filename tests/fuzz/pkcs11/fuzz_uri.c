/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a PKCS #11 URI of a key and of a token; what follows a NUL is
 * the label of a key there. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "pkcs11/uri.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 512 };

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* The key that U names, and the tokens that it fits: one whose every field is
 * blank, and one that is called as the URIs of the corpus say. */
static void look(const struct uri *u)
{
	CK_ATTRIBUTE attrs[URI_TEMPLATE_MAX];
	CK_TOKEN_INFO token;
	CK_SLOT_INFO slot;
	CK_INFO info;
	const CK_ULONG n = uri_template(u, attrs);

	must(n >= 1 && n <= URI_TEMPLATE_MAX && uri_label(u) != NULL);
	memset(&info, ' ', sizeof(info));
	memset(&token, ' ', sizeof(token));
	memset(&slot, ' ', sizeof(slot));
	(void)uri_fits_library(u, &info);
	(void)uri_fits_token(u, 0, &slot, &token);
	memcpy(token.label, "demo", 4);
	memcpy(token.model, "SoftHSM v2", 10);
	memcpy(slot.slotDescription, "slot", 4);
	(void)uri_fits_token(u, 7, &slot, &token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX] = "";
	char token[URI_TOKEN_BYTES];
	struct span object;
	struct uri *u;
	bool named;
	size_t n;

	log_limit((enum log_level) - 1);
	memcpy(text, data, size < TEXT_MAX ? size : TEXT_MAX - 1);
	n = strlen(text) + 1;
	object = n < size ? span_of(data + n, size - n) : span_of(NULL, 0);
	if (uri_parse("key", text, &u) == SG_OK) {
		look(u);
		uri_free(u);
	}
	named = uri_token(text, token);
	must(!named || strlen(token) < URI_TOKEN_BYTES);
	if (uri_parse_token("key", text, object, &u) == SG_OK) {
		must(uri_token_fault(text) == NULL);
		look(u);
		uri_free(u);
	}
	return 0;
}
