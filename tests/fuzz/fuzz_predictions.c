/* What moe-score reads: the first byte chooses, the rest is the file; what is accepted is scored,
 * compared with itself and printed in every form. */
#include "base/error.h"
#include "base/json.h"
#include "score/comparison.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct input *input_of(const uint8_t *data, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET))
		abort();
	return input_of_fd(fd, "fuzz.jsonl");
}

static void print(const struct predictions *a, bool per_recording)
{
	struct score s;
	struct comparison c;
	struct text t = {0};
	score_predictions(&s, a, per_recording, 3, 1);
	for (int f = 0; f < METRICS; f++)
		if (!comparison_of(&c, &s, &s, (enum metric)f)) {
			must(c.mean == 0 && c.p == 1);
			comparison_rows(&c, ',', &t);
			comparison_words(&c, &t);
			comparison_free(&c);
		} else {
			comparison_free(&c);
		}
	score_rows(&s, '\t', &t);
	score_words(&s, &t);
	t.n = 0;
	score_json(&s, &t);
	text_add(&t, "}");
	cJSON *json = json_parse(t.s, t.n, "score");
	must(json != NULL);
	cJSON_Delete(json);
	text_free(&t);
	score_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 2)
		return 0;
	struct predictions a = {0};
	struct input *in = input_of(data + 1, n - 1);
	bool per_recording = data[0] & 1;
	int bad = predictions_read(&a, in);
	if (!bad && data[0] & 2 && !a.listed) {
		struct names classes = {0};
		names_split(&classes, "a,b", ',');
		predictions_set_classes(&a, &classes);
		names_free(&classes);
	}
	if (!bad && !predictions_settle(&a, per_recording))
		print(&a, per_recording);
	predictions_free(&a);
	input_close(in);
	return 0;
}
