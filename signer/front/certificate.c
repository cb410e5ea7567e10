/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate.h"

#include "dcc_cbor.h"
#include "hcert/cose.h"
#include "problem.h"

enum { ID_CODE_POINTS_MAX = 128 };

static void put_id(struct doc *d, struct span id)
{
	if (id.n == 0)
		return;
	doc_key(d, "id");
	doc_text(d, id);
}

static void put_warnings(struct doc *d, const struct wire_issued *m)
{
	if (m->violations.n > 0)
		problem_violations(d, "warnings", m->violations);
}

static void put_ledger(struct doc *d, const struct wire_issued *m,
		       struct span origin)
{
	doc_key(d, "ledger");
	doc_map(d, 2);
	doc_key(d, "origin");
	doc_text(d, origin);
	doc_key(d, "index");
	doc_int(d, m->ledger_index);
	doc_map_end(d);
}

static void put_signed(struct doc *d, const struct wire_issued *m,
		       struct span hc1)
{
	if (d->form == DOC_CBOR) {
		doc_key(d, "cose");
		doc_bytes(d, m->cose);
	} else {
		doc_key(d, "hcert");
		doc_text(d, hc1);
	}
}

void certificate_write(struct doc *d, const struct wire_issued *m,
		       const struct certificate_parts *p)
{
	const bool on_record = m->ledger_index != WIRE_NO_LEDGER_INDEX;

	doc_map(d, 6U + (p->id.n > 0) + on_record + m->replayed +
			   (m->violations.n > 0));
	put_id(d, p->id);
	put_signed(d, m, p->hc1);
	doc_key(d, "uvci");
	doc_text(d, m->uvci);
	doc_key(d, "kid");
	doc_bytes(d, span_of(m->kid, sizeof(m->kid)));
	doc_key(d, "alg");
	doc_str(d, cose_alg_name((enum cose_alg)m->alg));
	doc_key(d, "iat");
	doc_int(d, m->iat);
	doc_key(d, "exp");
	doc_int(d, m->exp);
	if (on_record)
		put_ledger(d, m, p->origin);
	if (m->replayed) {
		doc_key(d, "replayed");
		doc_bool(d, true);
	}
	put_warnings(d, m);
	doc_map_end(d);
}

void certificate_verdict(struct doc *d, const struct wire_issued *m,
			 struct span id)
{
	doc_map(d, 1U + (id.n > 0) + (m->violations.n > 0));
	put_id(d, id);
	doc_key(d, "verdict");
	doc_str(d, "accept");
	put_warnings(d, m);
	doc_map_end(d);
}

struct span certificate_id(struct span request)
{
	const struct span id = dcc_request_text(request, "id");
	const struct span none = {0};
	size_t points = 0;

	if (id.n > CERTIFICATE_ID_MAX)
		return none;
	for (size_t i = 0; i < id.n; i++)
		points += (id.p[i] & 0xc0) != 0x80; /* not a continuation */
	return points <= ID_CODE_POINTS_MAX ? id : none;
}
