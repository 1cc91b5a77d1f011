#include "check.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/mapping.h"
#include "io/output.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 3 * 4096 };

static char folder[] = "/tmp/moe-mapping-XXXXXX";

static void write_file(const char *name, char filling, size_t n)
{
	char *x = mem_new(n, 1);
	memset(x, filling, n);
	FILE *f = fopen(name, "w");
	CHECK(f && fwrite(x, 1, n, f) == n && !fclose(f));
	free(x);
}

static char *map(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	char *p = mapping_new(fd, SIZE, name);
	close(fd);
	CHECK(p);
	return p;
}

/* Runs a test in a process of its own: what changed is remembered for good. */
static void apart(void (*test)(void))
{
	int status = 0;
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) {
		check_failed_here = 0;
		test();
		_exit(check_failed_here ? 1 : 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status));
}

/* Whether a result can be put in place now; if not, nothing is there. */
static bool can_commit(void)
{
	unlink("result");
	struct output *o = output_open("result", OUTPUT_TEXT);
	bool done = o && !output_write(o, "x", 1) && !output_commit(o);
	CHECK(done == !access("result", F_OK));
	return done;
}

static void replaced(void)
{
	write_file("a", 'a', SIZE);
	write_file("b", 'b', SIZE);
	char *p = map("a");
	CHECK(!rename("b", "a") && !mapping_check() && p[SIZE - 1] == 'a' && can_commit());
	CHECK(!unlink("a") && !mapping_check() && p[0] == 'a');
	write_file("a", 'c', SIZE);
	CHECK(!mapping_check() && p[SIZE - 1] == 'a');
	mapping_free(p);
	CHECK(!mapping_check() && can_commit());
}

static void a_file_may_be_replaced_or_removed(void)
{
	apart(replaced);
}

static void overwritten(void)
{
	write_file("a", 'a', SIZE);
	char *p = map("a"); /* at once: the file is as old as the clock's tick */
	int fd = open("a", O_WRONLY | O_CLOEXEC);
	CHECK(pwrite(fd, "x", 1, 5000) == 1 && p[5000] == 'x');
	close(fd);
	CHECK(mapping_check() == -1 && err_status() == EX_IOERR);
	CHECK_TEXT(err_text(), "a: changed while it was read; run again, and replace files with mv, never by "
			       "overwriting them");
	CHECK(!can_commit());
	mapping_free(p);
	CHECK(mapping_check() == -1 && !can_commit()); /* what was made from it may be wrong still */
}

static void a_file_that_is_overwritten_spoils_every_result(void)
{
	for (int i = 0; i < 20; i++)
		apart(overwritten);
}

static void from_standard_input(void)
{
	write_file("a", 'a', SIZE);
	int fd = open("a", O_RDONLY | O_CLOEXEC);
	CHECK(dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	char *p = mapping_new(STDIN_FILENO, SIZE, "standard input");
	CHECK(p && !mapping_check());
	write_file("a", 'b', SIZE);
	CHECK(mapping_check() == -1);
}

static void standard_input_is_watched_too(void)
{
	apart(from_standard_input);
}

static void longer(void)
{
	write_file("a", 'a', SIZE + 1);
	int fd = open("a", O_RDONLY | O_CLOEXEC);
	CHECK(!mapping_new(fd, SIZE, "a") && err_status() == EX_IOERR);
}

static void another_size_than_was_expected_is_refused(void)
{
	apart(longer);
}

static const char *volatile found;
static volatile bool whole;

static void on_fault(int s, siginfo_t *info, void *context)
{
	bool w;
	(void)s, (void)context;
	found = mapping_at(info->si_addr, &w);
	whole = w;
	_exit(found && !strcmp(found, "b") && !whole ? 0 : 2);
}

static void *touch(void *p)
{
	return ((volatile char *)p)[SIZE - 1] ? p : NULL;
}

static void shortened(void)
{
	struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	pthread_t t;
	sigaction(SIGBUS, &a, NULL);
	write_file("a", 'a', SIZE);
	write_file("b", 'b', SIZE);
	char *p = map("a"), *q = map("b");
	mapping_free(p);
	p = map("a");
	CHECK(!truncate("b", 4096) && p[SIZE - 1] == 'a' && q[0] == 'b');
	CHECK(!pthread_create(&t, NULL, touch, q));
	pthread_join(t, NULL);
	_exit(3); /* there was no fault */
}

static void the_file_that_became_shorter_is_named_to_a_handler(void)
{
	apart(shortened);
}

static void addresses(void)
{
	bool w;
	write_file("a", 'a', SIZE);
	char *p = map("a");
	CHECK_TEXT(mapping_at(p, &w), "a");
	CHECK(w && mapping_at(p + SIZE - 1, &w) && !mapping_at(p + SIZE, &w) && !mapping_at(p - 1, &w));
	mapping_free(p);
	CHECK(!mapping_at(p, &w) && !mapping_at(&w, &w));
}

static void addresses_find_their_file_while_it_is_mapped(void)
{
	apart(addresses);
}

static atomic_bool enough;

static void *come_and_go(void *name)
{
	for (int i = 0; i < 300; i++)
		mapping_free(map(name));
	return NULL;
}

static void *ask(void *p)
{
	bool w;
	while (!atomic_load(&enough))
		if (strcmp(mapping_at(p, &w), "b") || mapping_check())
			return p;
	return NULL;
}

static void threads(void)
{
	pthread_t t[3];
	void *bad;
	write_file("a", 'a', SIZE);
	write_file("b", 'b', SIZE);
	char *p = map("b");
	pthread_create(&t[0], NULL, come_and_go, "a");
	pthread_create(&t[1], NULL, come_and_go, "a");
	pthread_create(&t[2], NULL, ask, p);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	atomic_store(&enough, true);
	pthread_join(t[2], &bad);
	CHECK(!bad);
}

static void threads_map_and_ask_at_the_same_time(void)
{
	apart(threads);
}

int main(void)
{
	if (!mkdtemp(folder) || chdir(folder))
		return 1;
	CASE(a_file_may_be_replaced_or_removed);
	CASE(a_file_that_is_overwritten_spoils_every_result);
	CASE(standard_input_is_watched_too);
	CASE(another_size_than_was_expected_is_refused);
	CASE(the_file_that_became_shorter_is_named_to_a_handler);
	CASE(addresses_find_their_file_while_it_is_mapped);
	CASE(threads_map_and_ask_at_the_same_time);
	unlink("a");
	unlink("b");
	unlink("result");
	return check_done() || rmdir(folder);
}
