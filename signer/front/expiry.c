/* SPDX-License-Identifier: Apache-2.0 */
#include "expiry.h"

#include "base/clock.h"
#include "base/log.h"
#include "tls.h"

void expiry_renewed(struct front *f)
{
	const struct tls_times *t = tls_context_times(f->tls);
	const char *fault = tls_context_ocsp_fault(f->tls);

	metric_set(METRIC_CLIENT_CERT_EXPIRY, (uint64_t)t->own);
	metric_set(METRIC_CLIENT_CA_EXPIRY, (uint64_t)t->client_ca);
	metric_set(METRIC_CRL_UPDATE, (uint64_t)t->crl);
	metric_set(METRIC_OCSP_UPDATE, (uint64_t)t->ocsp);
	metric_set(METRIC_OCSP_MISSING, fault != NULL && t->ocsp == 0);
	if (fault != NULL && t->ocsp != 0)
		log_event(LOG_WARNING, "ocsp-kept", "reason=" LOG_Q, fault);
	else if (fault != NULL)
		log_event(LOG_ERROR, "ocsp-unusable", "reason=" LOG_Q, fault);
	f->crl_expired = f->ocsp_expired = false;
	expiry_second(f);
}

void expiry_second(struct front *f)
{
	const struct tls_times *t = tls_context_times(f->tls);
	const int64_t now = clock_wall_s();

	if (!f->crl_expired && t->crl != 0 && now >= t->crl) {
		f->crl_expired = true;
		log_event(LOG_ERROR, "crl-expired", "reason=" LOG_Q,
			  "its clients are refused until it is renewed");
	}
	if (!f->ocsp_expired && t->ocsp != 0 && now >= t->ocsp) {
		f->ocsp_expired = true;
		metric_set(METRIC_OCSP_MISSING, 1);
		log_event(LOG_ERROR, "ocsp-unusable", "reason=" LOG_Q,
			  "it is past its next update");
	}
}
