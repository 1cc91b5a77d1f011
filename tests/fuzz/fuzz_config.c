/* A configuration from a stranger: every key through the table, and what it writes must read back
 * to the same. */
#include "base/error.h"
#include "base/mem.h"
#include "model/config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct configuration c, again;
	config_begin(&c, PRESET_DEFAULT);
	if (!config_json(&c, (const char *)data, n, FROM_MODEL, "fuzz") && !config_check(&c)) {
		struct text once = {0}, twice = {0};
		config_write_json(&c.value, &once);
		config_begin(&again, PRESET_SEED);
		must(!config_json(&again, once.s, once.n, FROM_MODEL, "again"));
		config_write_json(&again.value, &twice);
		must(!strcmp(once.s, twice.s));
		config_end(&again);
		text_free(&once);
		text_free(&twice);
	}
	config_end(&c);
	char *text = mem_text_n((const char *)data, n);
	config_begin(&c, PRESET_SEED);
	if (!config_set(&c, text))
		must(!config_check(&c) || err_text());
	config_end(&c);
	free(text);
	return 0;
}
