#include "train/log.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct log {
	int fd;
	char *path;
};

/* Two runs do not write into one file. What is no regular file, or cannot be locked (on some
 * network file systems), is shared. */
static int lock_alone(int fd, const char *path, bool append)
{
	struct stat st;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return 0;
	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return err_set(EX_LOCKED,
			"%s: another run is writing to it; wait until it ends, or give each run its own "
			"--log",
			path);
	if (!append && ftruncate(fd, 0)) /* not before it is ours */
		return err_errno(EX_CANTCREAT, "%s: cannot truncate it", path);
	return 0;
}

struct log *log_open(const char *path, bool append)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : 0), 0666);
	if (fd < 0) {
		err_errno(EX_CANTCREAT, "%s: cannot open it for writing", path);
		return NULL;
	}
	if (lock_alone(fd, path, append)) {
		close(fd);
		return NULL;
	}
	struct log *l = NEW(struct log);
	*l = (struct log){fd, mem_text(path)};
	return l;
}

void log_close(struct log *l)
{
	if (!l)
		return;
	close(l->fd);
	free(l->path);
	free(l);
}

static int write_line(const struct log *l, struct text *t)
{
	int r = 0;
	text_add(t, "}\n");
	for (size_t at = 0; at < t->n && !r;) {
		ssize_t n = write(l->fd, t->s + at, t->n - at);
		if (n > 0)
			at += (size_t)n;
		else if (errno != EINTR)
			r = err_errno(EX_IOERR, "%s: cannot write", l->path);
	}
	text_free(t);
	return r;
}

static void number(struct text *t, const char *key, double x)
{
	text_addf(t, ",\"%s\":", key);
	json_float(t, x);
}

static void losses(struct text *t, double loss, const struct losses *parts)
{
	number(t, "loss", loss);
	number(t, "task", parts->task);
	number(t, "aux", parts->aux);
	number(t, "z", parts->z);
}

static void moe_layers(struct text *t, const struct epoch_report *e)
{
	text_add(t, ",\"layers\":[");
	for (int i = 0; i < e->moe_layers; i++) {
		const struct moe_layer_report *m = &e->moe_layer[i];
		text_addf(t, "%s{\"region\":%d,\"layer\":%d,\"share\":%s", i ? "," : "", m->region, m->layer,
			m->assigns ? "[" : "null");
		for (int j = 0; j < m->experts && m->assigns; j++) {
			text_add(t, j ? "," : "");
			json_float(t, m->share[j]);
		}
		text_add(t, m->assigns ? "]" : "");
		number(t, "overflow", m->overflow);
		number(t, "aux", m->aux);
		number(t, "z", m->z);
		text_add(t, "}");
	}
	text_add(t, "]");
}

int log_epoch(struct log *l, const struct epoch_report *e)
{
	struct text t = {0};
	if (!l)
		return 0;
	text_addf(&t, "{\"epoch\":%d,\"step\":%ld", e->epoch, e->step);
	losses(&t, e->loss, &e->parts);
	number(&t, "accuracy", e->accuracy);
	number(&t, "lr", e->lr);
	number(&t, "grad_norm", e->grad_norm);
	number(&t, "windows_per_s", e->windows_per_s);
	if (e->moe_layers)
		moe_layers(&t, e);
	if (e->valids) {
		number(&t, "valid_loss", e->valid_loss);
		number(&t, "valid_accuracy", e->valid_accuracy);
		number(&t, "valid_balanced_accuracy", e->valid_balanced_accuracy);
		text_addf(&t, ",\"best\":%s", e->best ? "true" : "false");
	}
	return write_line(l, &t);
}

int log_step(struct log *l, const struct step_report *s)
{
	struct text t = {0};
	if (!l)
		return 0;
	text_addf(&t, "{\"at_epoch\":%d,\"step\":%ld", s->epoch, s->step);
	losses(&t, s->loss, &s->parts);
	number(&t, "lr", s->lr);
	number(&t, "grad_norm", s->grad_norm);
	number(&t, "windows_per_s", s->windows_per_s);
	return write_line(l, &t);
}
