/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "times.h"

/* The members to add, "\"exp\":1,\"id\":\"x\"" or nothing. */
static enum sg_err make_members(const struct request_extra *extra, char **out,
				char *why, size_t cap)
{
	json_t *members = json_object();
	enum sg_err err = SG_NO_MEMORY;
	char *text;
	int64_t exp;

	if (members == NULL)
		return SG_NO_MEMORY;
	if (extra->exp != NULL) {
		if (!times_parse(span_str(extra->exp), &exp)) {
			(void)snprintf(
				why, cap,
				"--exp: neither seconds since 1970 nor a date "
				"and time");
			err = SG_CONFIG;
			goto done;
		}
		if (json_object_set_new(members, "exp", json_integer(exp)) != 0)
			goto done;
	}
	if (extra->id != NULL &&
	    json_object_set_new(members, "id", json_string(extra->id)) != 0) {
		(void)snprintf(why, cap, "--id: not UTF-8");
		err = SG_CONFIG;
		goto done;
	}
	if (extra->attestation != NULL &&
	    json_object_set_new(members, "attestation",
				json_string(extra->attestation)) != 0)
		goto done;
	text = json_dumps(members, JSON_COMPACT | JSON_EMBED);
	if (text != NULL) {
		*out = text;
		err = SG_OK;
	}
done:
	json_decref(members);
	return err;
}

#define EXPECTED "expected is a request {\"dcc\": ...} or a bare payload"

/* Is there more behind the first value of FILE? */
static bool is_many(struct span file)
{
	json_error_t end;
	json_t *j = json_loadb((const char *)file.p, file.n,
			       JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL |
				       JSON_DISABLE_EOF_CHECK,
			       &end);
	const bool object = json_is_object(j);
	size_t at = object ? (size_t)end.position : file.n;

	json_decref(j);
	while (at < file.n && strchr(" \t\r\n", file.p[at]) != NULL)
		at++;
	return at < file.n && file.p[at] == '{';
}

/* TEXT, of the parser, without the record's own text that it shows: the place
 * is told, and who reads it may not be who may read the record. */
static const char *bare(char *text)
{
	char *shown = strstr(text, " near '");

	if (shown != NULL)
		*shown = '\0';
	return text;
}

/* What kind of object the file is, and that EXTRA's members are not in it. */
static enum sg_err look(struct span file, const struct request_extra *extra,
			bool *is_request, char *why, size_t cap)
{
	json_error_t fault;
	json_t *j =
		json_loadb((const char *)file.p, file.n,
			   JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &fault);
	enum sg_err err = SG_OK;

	if (j == NULL) {
		if (is_many(file))
			(void)snprintf(why, cap,
				       "more than one record: for a file of "
				       "them use \"signer-issuer bulk\"");
		else
			(void)snprintf(
				why, cap,
				"not JSON: line %d, column %d: %s; " EXPECTED,
				fault.line, fault.column, bare(fault.text));
		return SG_MALFORMED;
	}
	*is_request = json_object_get(j, "dcc") != NULL;
	if (!json_is_object(j)) {
		(void)snprintf(why, cap, "not a JSON object%s; " EXPECTED,
			       json_is_array(j) ? " but an array" : "");
		err = SG_MALFORMED;
	} else if (*is_request && extra->exp != NULL &&
		   json_object_get(j, "exp") != NULL) {
		(void)snprintf(why, cap, "--exp: the file has its own \"exp\"");
		err = SG_MALFORMED;
	} else if (*is_request && extra->id != NULL &&
		   json_object_get(j, "id") != NULL) {
		(void)snprintf(why, cap, "--id: the file has its own \"id\"");
		err = SG_MALFORMED;
	} else if (*is_request && extra->attestation != NULL &&
		   json_object_get(j, "attestation") != NULL) {
		(void)snprintf(why, cap,
			       "the file has its own "
			       "\"attestation\"");
		err = SG_MALFORMED;
	}
	json_decref(j);
	return err;
}

enum sg_err request_build(struct span file, const struct request_extra *extra,
			  char **out, size_t *n, char *why, size_t cap)
{
	static const char wrap[] = "\"dcc\":";
	char *members = NULL;
	bool is_request;
	char *text;
	size_t room;
	int len;
	enum sg_err err = look(file, extra, &is_request, why, cap);

	if (err == SG_OK)
		err = make_members(extra, &members, why, cap);
	if (err != SG_OK)
		return err;
	/* An object begins with "{" after white space only. */
	while (is_request && file.n > 0 && file.p[0] != '{')
		file = span_of(file.p + 1, file.n - 1);
	if (is_request)
		file = span_of(file.p + 1, file.n - 1);
	room = strlen(members) + sizeof(wrap) + file.n + sizeof("{,}");
	text = malloc(room);
	if (text == NULL) {
		free(members);
		return SG_NO_MEMORY;
	}
	len = snprintf(text, room, "{%s%s%s", members,
		       members[0] != '\0' ? "," : "", is_request ? "" : wrap);
	memcpy(text + len, file.p, file.n);
	*n = (size_t)len + file.n;
	if (!is_request)
		text[(*n)++] = '}';
	*out = text;
	free(members);
	return SG_OK;
}
