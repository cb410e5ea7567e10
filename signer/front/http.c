/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <stdio.h>
#include <time.h>

void http_date(int64_t seconds, char out[HTTP_DATE_BYTES])
{
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed",
					"Thu", "Fri", "Sat"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr",
					   "May", "Jun", "Jul", "Aug",
					   "Sep", "Oct", "Nov", "Dec"};
	const time_t t = seconds;
	struct tm tm;

	/* Not strftime(): its names follow the locale. */
	if (gmtime_r(&t, &tm) == NULL || tm.tm_year < 0 ||
	    tm.tm_year > 9999 - 1900) {
		out[0] = '\0';
		return;
	}
	(void)snprintf(out, HTTP_DATE_BYTES,
		       "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday],
		       (unsigned)tm.tm_mday % 100, months[tm.tm_mon],
		       (unsigned)(tm.tm_year + 1900) % 10000,
		       (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
		       (unsigned)tm.tm_sec % 100);
}

const char *http_reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{200, "OK"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{422, "Unprocessable Content"},
		{429, "Too Many Requests"},
		{500, "Internal Server Error"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status)
			return reasons[i].text;
	}
	return "Status";
}
