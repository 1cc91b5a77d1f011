#include "sidecar/path.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

static const char placeholder[] = "{}";

int sidecar_paths_check(const struct names *files, int recordings, bool for_all, const char *option)
{
	bool pattern = files->n == 1 && strstr(files->s[0], placeholder);
	if (!files->n || files->n == recordings || pattern || (for_all && files->n == 1))
		return 0;
	return err_set(EX_USAGE,
		"%s: given %d times for %d recordings; give it once for each, in their order, or once with "
		"{} in place of the recording's path without its extension",
		option, files->n, recordings);
}

/* The recording's path without its ending and without _eeg. */
static size_t stem_length(const char *recording)
{
	static const char suffix[] = "_eeg";
	const char *slash = strrchr(recording, '/'), *base = slash ? slash + 1 : recording;
	const char *dot = strrchr(base, '.');
	size_t n = dot && dot > base ? (size_t)(dot - recording) : strlen(recording), k = sizeof suffix - 1;
	return n >= k && !memcmp(recording + n - k, suffix, k) ? n - k : n;
}

char *sidecar_path(const struct names *files, int i, const char *recording)
{
	const char *name = files->s[files->n == 1 ? 0 : i],
		   *at = files->n == 1 ? strstr(name, placeholder) : NULL;
	return at ? mem_format("%.*s%.*s%s", (int)(at - name), name, (int)stem_length(recording), recording,
			    at + sizeof placeholder - 1)
		  : mem_text(name);
}
