/* SPDX-License-Identifier: Apache-2.0 */
/* NOLINTBEGIN(bugprone-not-null-terminated-result): bytes, not strings */
#include "dcc_world.h"

#include <stdio.h>

#include "front/dcc_cbor.h"

enum { BYTES_MAX = 200000 };

static enum sg_err normalise(const uint8_t *in, size_t n, struct span *out)
{
	return dcc_world_read(dcc_cbor_read, in, n, out);
}

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;
	char byte[3] = {0};

	for (; hex[0] != '\0'; hex += 2) {
		memcpy(byte, hex, 2);
		out[n++] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return n;
}

static void test_normal_form(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"a0", "a0"},
		{"a1616101", "a1616101"},
		{"bfff", "a0"},
		/* long heads */
		{"b90001780161"
		 "1b0000000000000001",
		 "a1616101"},
		{"a16161391000", "a16161391000"},
		{"a161613b0000000000000006", "a1616126"},
		{"a161613bffffffffffffffff", "a161613bffffffffffffffff"},
		{"a161611bffffffffffffffff", "a161611bffffffffffffffff"},
		/* order, at every level */
		{"a3626262016161026162a2617a0161610a",
		 "a3616102616"
		 "2a261610a617a0162626201"},
		/* indefinite lengths */
		{"bf616201616102ff", "a2616102616201"},
		{"a161619f0102ff", "a16161820102"},
		{"a161619fbf616202616101ffff", "a1616181a2616101616202"},
		{"a161617f61786179ff", "a16161627879"},
		{"a161615f41014102ff", "a16161420102"},
		{"a161617fff", "a1616160"},
		{"a17f6161616260ff01", "a162616201"},
		/* floats without a fraction */
		{"a16161fb4008000000000000", "a1616103"},
		{"a16161f94200", "a1616103"},
		{"a16161f98000", "a1616100"},
		{"a16161fb4004000000000000", "a16161f94100"},
		{"a16161f97e00", "a16161f97e00"},
		{"a16161fb7ff0000000000000", "a16161f97c00"},
		/* simple values, byte strings: for the policy */
		{"a46161f66162f56163f76164f8ff",
		 "a46161f66162f56163f76164f8ff"},
		{"a16b6174746573746174696f6e43010203",
		 "a16b6174746573746174696f6e43010203"},
		/* tag 0 is taken off its text */
		{"a16161c06131", "a161616131"},
		{"a16161d9000061"
		 "31",
		 "a161616131"},
		{"a16161c07f6131ff", "a161616131"},
	};
	uint8_t in[256];
	uint8_t want[256];
	struct span out;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n = unhex(rows[i].in, in);
		if (normalise(in, n, &out) != SG_OK)
			fail_msg("%s: %s", rows[i].in, scratch->detail);
		n = unhex(rows[i].out, want);
		assert_int_equal(out.n, n);
		assert_memory_equal(out.p, want, n);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *in;
		enum sg_err err;
		const char *detail; /* part of it */
	} rows[] = {
		{"", SG_MALFORMED, "byte 0"},
		{"a1", SG_MALFORMED, "byte 0"},
		{"a16161", SG_MALFORMED, "not well-formed"},
		{"a161611c", SG_MALFORMED, "not well-formed"},
		{"a1616163ff", SG_MALFORMED, "not well-formed"},
		{"a1616161ff", SG_MALFORMED, "UTF-8"},
		{"a16161bb7fffffffffffffff", SG_MALFORMED, "not well-formed"},
		{"a0"
		 "00",
		 SG_MALFORMED, "follows"},
		{"80", SG_MALFORMED, "must be a CBOR map"},
		{"01", SG_MALFORMED, "must be a CBOR map"},
		{"d9d9f7a0", SG_MALFORMED, "must be a CBOR map"},
		{"a10102", SG_MALFORMED, "keys must be text"},
		{"a1416102", SG_MALFORMED, "keys must be text"},
		{"a1c0616102", SG_MALFORMED, "keys must be text"},
		{"a16161c100", SG_MALFORMED, "tags are not taken"},
		{"a16161d903e86131", SG_MALFORMED, "tags are not taken"},
		{"a16161c001", SG_MALFORMED, "tag 0"},
		{"a16161c0c06131", SG_MALFORMED, "tag 0"},
		{"a16161ff", SG_MALFORMED, "break"},
		{"a161618201ff", SG_MALFORMED, "break"},
		{"bf6161ff", SG_MALFORMED, "break"},
		{"a161617f4101ff", SG_MALFORMED, "chunk"},
		{"a161617f7f6161ffff", SG_MALFORMED, "chunk"},
		{"a161617f6161", SG_MALFORMED, "not well-formed"},
		{"a161619f01", SG_MALFORMED, "not well-formed"},
		{"a2616101616102", SG_DUPLICATE_KEY, ""},
		{"a26161017801"
		 "6102",
		 SG_DUPLICATE_KEY, ""},
		{"bf6161017f6161ff02ff", SG_DUPLICATE_KEY, ""},
		{"a1616181a3616101616202616103", SG_DUPLICATE_KEY, ""},
	};
	uint8_t in[256];
	struct span out;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n = unhex(rows[i].in, in);
		if (normalise(in, n, &out) != rows[i].err)
			fail_msg("%s", rows[i].in);
		if (strstr(scratch->detail, rows[i].detail) == NULL)
			fail_msg("%s: %s", rows[i].in, scratch->detail);
	}
}

static void test_depth(void **state)
{
	uint8_t *in = malloc(BYTES_MAX);
	struct span out;

	(void)state;
	assert_non_null(in);
	memcpy(in, "\xa1\x61\x61", 3);
	memset(in + 3, 0x81, BYTES_MAX - 3);
	in[3 + DCC_DEPTH_MAX - 1] = 0x01;
	assert_int_equal(normalise(in, 3 + DCC_DEPTH_MAX, &out), SG_OK);
	in[3 + DCC_DEPTH_MAX - 1] = 0x81;
	in[3 + DCC_DEPTH_MAX] = 0x01;
	assert_int_equal(normalise(in, 4 + DCC_DEPTH_MAX, &out), SG_MALFORMED);
	assert_non_null(strstr(scratch->detail, "nested"));
	memset(in + 3, 0x9f, BYTES_MAX - 3);
	assert_int_equal(normalise(in, BYTES_MAX, &out), SG_MALFORMED);
	assert_non_null(strstr(scratch->detail, "nested"));
	free(in);
}

static void test_limits(void **state)
{
	uint8_t *in = malloc(BYTES_MAX);
	struct cbor_writer w = cbor_write(in, BYTES_MAX);
	struct span out;
	char key[16];

	(void)state;
	assert_non_null(in);
	cbor_put_map(&w, DCC_MEMBERS_MAX);
	for (int i = DCC_MEMBERS_MAX; i > 0; i--) {
		(void)snprintf(key, sizeof(key), "%06d", i);
		cbor_put_text(&w, span_str(key));
		cbor_put_uint(&w, 1);
	}
	assert_int_equal(normalise(in, w.len, &out), SG_OK);
	w.len = 0;
	cbor_put_map(&w, DCC_MEMBERS_MAX + 1);
	for (int i = 0; i < DCC_MEMBERS_MAX + 1; i++) {
		(void)snprintf(key, sizeof(key), "%06d", i);
		cbor_put_text(&w, span_str(key));
		cbor_put_uint(&w, 1);
	}
	assert_int_equal(normalise(in, w.len, &out), SG_TOO_BIG);
	/* a1 61 61 59 .. ..: the string fills the request to the byte */
	memset(in, 0, BYTES_MAX);
	memcpy(in, "\xa1\x61\x61\x59\xff\xfa", 6);
	assert_int_equal(normalise(in, 6 + 0xfffa, &out), SG_OK);
	assert_int_equal(out.n, WIRE_REQUEST_MAX);
	in[5] = 0xfb;
	assert_int_equal(normalise(in, 6 + 0xfffb, &out), SG_TOO_BIG);
	/* as chunks of an indefinite one */
	memcpy(in, "\xa1\x61\x61\x5f", 4);
	for (size_t i = 0; i < 3; i++)
		memcpy(in + 4 + i * 32771, "\x59\x80\x00", 3);
	in[4 + 3 * 32771] = 0xff;
	assert_int_equal(normalise(in, 5 + 3 * 32771, &out), SG_TOO_BIG);
	/* an array that outgrows the request only with its head */
	memset(in, 0x01, BYTES_MAX);
	memcpy(in, "\xa1\x61\x61\x99\xff\xfa", 6);
	assert_int_equal(normalise(in, 6 + 0xfffa, &out), SG_OK);
	assert_int_equal(out.n, WIRE_REQUEST_MAX);
	memset(in + 4, 0x01, 8);
	memcpy(in, "\xa1\x61\x61\x9f", 4);
	in[4 + 0xfffb] = 0xff;
	assert_int_equal(normalise(in, 5 + 0xfffb, &out), SG_TOO_BIG);
	free(in);
}

static void test_request_text(void **state)
{
	/* {"id": "x", "dcc": {"id": "no"}, "exp": 1} */
	static const uint8_t with[] = "\xa3\x62id\x61x\x63"
				      "dcc\xa1\x62id\x62no\x63"
				      "exp\x01";
	static const uint8_t number[] = "\xa1\x62id\x05";

	(void)state;
	assert_true(span_is(
		dcc_request_text(span_of(with, sizeof(with) - 1), "id"), "x"));
	assert_int_equal(
		dcc_request_text(span_of(with, sizeof(with) - 1), "exp").n, 0);
	assert_int_equal(
		dcc_request_text(span_of(with, sizeof(with) - 1), "no").n, 0);
	assert_int_equal(
		dcc_request_text(span_of(number, sizeof(number) - 1), "id").n,
		0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normal_form),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_request_text),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
/* NOLINTEND(bugprone-not-null-terminated-result) */
