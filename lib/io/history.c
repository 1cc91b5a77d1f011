#include "io/history.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/version.h"

#include <string.h>

char *history_append(const struct history *h, const char *before)
{
	if (h->off)
		return NULL;
	struct text t = {0};
	size_t n = before ? strlen(before) : 0;
	bool list = n > 2 && before[0] == '[' && before[n - 1] == ']';
	text_add_n(&t, list ? before : "[", list ? n - 1 : 1);
	text_addf(&t, "%s{\"program\":", list ? "," : "");
	json_string(&t, h->program);
	text_add(&t, ",\"version\":\"" MOE_VERSION "\",\"argv\":[");
	for (int i = 1; i < h->argc; i++) {
		text_add(&t, i > 1 ? "," : "");
		json_string(&t, h->argv[i]);
	}
	text_add(&t, "]");
	if (h->seed) /* a 64-bit seed does not fit a JSON number */
		text_addf(&t, ",\"seed\":\"%llu\"", (unsigned long long)*h->seed);
	text_add(&t, "}]");
	return text_take(&t);
}
