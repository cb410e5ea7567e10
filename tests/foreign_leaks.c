/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What others lose is not reported as ours.  In every program of a build with
 * AddressSanitizer that loads a PKCS#11 module (tests/CMakeLists.txt).
 *
 * SoftHSM2 2.6.1 loses an ASN.1 string, the name of a curve, each time that it
 * reads an EC private key.  A suppression by its name would have to find it in
 * the stack, behind frames of libcrypto without frame pointers: that takes the
 * slow unwinder in each allocation, which makes an hsm process five times as
 * slow.  So its call comes here.  Nobody else in our processes calls this
 * function: certificates are read by templates.
 */
#include <openssl/asn1t.h>
#include <sanitizer/lsan_interface.h>

__attribute__((visibility("default"))) ASN1_PRINTABLESTRING *
d2i_ASN1_PRINTABLESTRING(ASN1_PRINTABLESTRING **out, const unsigned char **in,
			 long n)
{
	ASN1_VALUE *value;

	__lsan_disable();
	value = ASN1_item_d2i((ASN1_VALUE **)out, in, n,
			      ASN1_ITEM_rptr(ASN1_PRINTABLESTRING));
	__lsan_enable();
	return (ASN1_PRINTABLESTRING *)value;
}
