/* A list of recordings: a table with a header, its columns separated by tabs.
 *
 *     id   path       group  session  label  rate
 *     01   a/01.csv   old    1        rest   250
 *
 * Only path is needed; it is relative to the folder of the list. The group is the group, else the
 * id; the session becomes the recording's condition; the label is the class of all its rows.
 * Further columns are ignored.
 */
#ifndef SIDECAR_LIST_H
#define SIDECAR_LIST_H

#include "base/text.h"

struct list_entry {
	char *path, *group, *session, *label; /* group, session, label: NULL when not given */
	double rate;                          /* Hz, 0 = not given */
	long long line;
};

struct recording_list {
	char *name;
	struct list_entry *entry; /* [n] */
	int n;
	bool sessions, labels; /* there are such columns */
	struct names unknown;  /* columns that are ignored */
};

/* -1 with an error that names file and line; recording_list_free in any case. */
int recording_list_read(struct recording_list *, const char *path);
void recording_list_free(struct recording_list *);

#endif
