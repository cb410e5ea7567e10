/* SPDX-License-Identifier: Apache-2.0 */
/* The OCSP response that a job has fetched from somebody's CA.  One that is
 * taken has its end in the future, one that is not has a reason. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fileio.h"
#include "front/tls.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of nobody and for nothing else, until 2120. */
static const char CERTIFICATE[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBIDCByKADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBGZ1enowIBcN\n"
	"MjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMA8xDTALBgNVBAMMBGZ1enow\n"
	"WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT7zveg7Qlc9jr+yiDVQnhK8vNnTzQu\n"
	"nd7cK79koRv00gVsIGyR0L7hPE1ExW2UqJ7jM3uNZAJS8J6N1WgPqE1ooxMwETAP\n"
	"BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIE2q+iKDE9sTPbIYQNUi\n"
	"g7arJQ84S3OZdcvvn8EvE5m4AiB5iTp4SMpQ/Lhf7ycVMa2XplE0WMs3C7JNDcZh\n"
	"MevUEA==\n"
	"-----END CERTIFICATE-----\n";

static const char KEY[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjKbvgg4pfNWAhL6D\n"
	"SecdR9XYwdCJ3LzYjFFXucaUu6mhRANCAAT7zveg7Qlc9jr+yiDVQnhK8vNnTzQu\n"
	"nd7cK79koRv00gVsIGyR0L7hPE1ExW2UqJ7jM3uNZAJS8J6N1WgPqE1o\n"
	"-----END PRIVATE KEY-----\n";

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* TEXT as a file; close() it. */
static int put(char path[FRONT_PATH_MAX], struct span text)
{
	const int fd = fileio_memfd("fuzz", text);

	must(fd >= 0);
	(void)snprintf(path, FRONT_PATH_MAX, "/proc/self/fd/%d", fd);
	return fd;
}

static void check(const struct front_settings *s)
{
	char reason[TLS_REASON_BYTES];
	struct tls_context *ctx;
	const struct tls_times *t;

	must(tls_context_create(s, &ctx, reason) == SG_OK);
	t = tls_context_times(ctx);
	must(t->ocsp == 0 || t->ocsp >= time(NULL) - 301);
	must((t->ocsp == 0) == (tls_context_ocsp_fault(ctx) != NULL));
	tls_context_free(ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct front_settings s;
	int fd[3];

	s = (struct front_settings){.client_chain = 3};
	fd[0] = put(s.certificate, span_str(CERTIFICATE));
	(void)snprintf(s.client_ca, sizeof(s.client_ca), "%s", s.certificate);
	fd[1] = put(s.key, span_str(KEY));
	fd[2] = put(s.ocsp, span_of(data, size));
	check(&s);
	for (size_t i = 0; i < sizeof(fd) / sizeof(fd[0]); i++)
		(void)close(fd[i]);
	return 0;
}
