/* json_parse, json_names and what reads the counts of moe-stats --merge, on any bytes. */
#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "analysis/report.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = mem_text_n((const char *)data, size);
	struct names names = {0};
	cJSON *json = json_parse(s, size, "fuzz");
	must(json || err_status() == EX_DATAERR);
	json_names(s, &names, "fuzz"); /* up to the first NUL */
	if (json) {
		struct report r = {0};
		struct text t = {0};
		if (!report_merge(&r, json, "fuzz")) { /* what was accepted can be written, and read again */
			report_json(&r, &t);
			report_table(&r, ',', &t);
			t.n = 0;
			report_raw(&r, &t);
			cJSON *again = json_parse(t.s, t.n, "fuzz");
			must(again != NULL);
			cJSON_Delete(again);
		}
		text_free(&t);
		report_free(&r);
	}
	cJSON_Delete(json);
	names_free(&names);
	free(s);
	return 0;
}
