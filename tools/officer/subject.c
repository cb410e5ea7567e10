/* SPDX-License-Identifier: Apache-2.0 */
#include "subject.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

enum { PART_MAX = 256 };

/* The next part of *TEXT, "TYPE=value", without its backslashes; false: it is
 * too long. */
static bool next_part(const char **text, char out[PART_MAX])
{
	const char *p = *text;
	size_t n = 0;

	for (; *p != '\0' && *p != ','; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		if (n == PART_MAX - 1)
			return false;
		out[n++] = *p;
	}
	out[n] = '\0';
	*text = *p == ',' ? p + 1 : p;
	return true;
}

static bool add_part(X509_NAME *name, char *part)
{
	char *equals = strchr(part, '=');
	const char *type = part + strspn(part, " ");

	if (equals == NULL || equals[1] == '\0')
		return false;
	*equals = '\0';
	return X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8,
					  (const unsigned char *)equals + 1, -1,
					  -1, 0) == 1;
}

static enum sg_err fill(X509_NAME *name, const char *text, char *why,
			size_t cap)
{
	char part[PART_MAX];

	do {
		if (next_part(&text, part) && add_part(name, part))
			continue;
		(void)snprintf(why, cap,
			       "--subject: a list as "
			       "\"C=VN,O=Ministry,CN=DSC 2\"; what is wrong is "
			       "\"%.100s\"",
			       part);
		ERR_clear_error();
		return SG_MALFORMED;
	} while (*text != '\0');
	return SG_OK;
}

enum sg_err subject_parse(const char *text, struct span *out, char *why,
			  size_t cap)
{
	X509_NAME *name = X509_NAME_new();
	unsigned char *der = NULL;
	enum sg_err err = SG_NO_MEMORY;
	int n;

	if (name != NULL)
		err = fill(name, text, why, cap);
	if (err == SG_OK) {
		n = i2d_X509_NAME(name, &der);
		*out = span_of(der, n > 0 ? (size_t)n : 0);
		err = n > 0 ? SG_OK : SG_NO_MEMORY;
	}
	X509_NAME_free(name);
	return err;
}
