/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdlib.h>

#include "load.h"

void report_number(json_t *j, const char *name, double v)
{
	json_object_set_new(j, name, json_real(v));
}

void report_count(json_t *j, const char *name, uint64_t v)
{
	json_object_set_new(j, name, json_integer((json_int_t)v));
}

json_t *report_statuses(const uint64_t *by_status)
{
	json_t *j = json_object();
	char name[12];

	for (int status = 0; status < LOAD_STATUS_MAX; status++) {
		if (by_status[status] == 0)
			continue;
		(void)snprintf(name, sizeof(name), "%d", status);
		report_count(j, name, by_status[status]);
	}
	return j;
}

void report_put(json_t *j, FILE *to)
{
	char *text = json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(8));

	if (text != NULL)
		(void)fprintf(to, "%s\n", text);
	free(text);
	json_decref(j);
}

double report_mib(uint64_t bytes)
{
	return (double)bytes / 1048576;
}
