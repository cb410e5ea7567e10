/* SPDX-License-Identifier: Apache-2.0 */
#include "qr_version.h"

#include <stdint.h>

/* Characters that versions 1 to 40 hold. */
static const uint16_t ROOM[QR_VERSION_MAX] = {
	16,   29,   47,	  67,	87,   108,  125,  157,	189,  221,
	259,  296,  352,  376,	426,  470,  531,  574,	644,  702,
	742,  823,  890,  963,	1041, 1094, 1172, 1263, 1322, 1429,
	1499, 1618, 1700, 1787, 1867, 1966, 2071, 2181, 2298, 2420};

unsigned qr_version(size_t characters)
{
	unsigned v = 0;

	while (v < QR_VERSION_MAX && ROOM[v] < characters)
		v++;
	return v + 1;
}
