/* Options for reading recordings and their sidecar files, and for cutting windows: plain data, for
 * every room that reads or cuts. What is 0 or NULL is detected, or has a default.
 */
#ifndef RECORDING_OPTIONS_H
#define RECORDING_OPTIONS_H

#include "base/option.h"
#include "format/layout.h"

/* Defaults of moe-split, which its option table shows too. */
#define READING_WINDOW      300 /* samples */
#define READING_REGIONS     4   /* index regions */
#define READING_HALO        2   /* columns on each side of a region */
#define READING_MAX_CLASSES 1000

enum voltage_unit { UNIT_AUTO, UNIT_UV, UNIT_MV, UNIT_V, UNIT_NV };
enum time_unit { TIME_UNIT_AUTO, TIME_UNIT_S, TIME_UNIT_MS, TIME_UNIT_US };
enum reading_header { HEADER_AUTO, HEADER_NONE, HEADER_ONE, HEADER_TWO, HEADER_YES, HEADER_NO };
enum window_align { ALIGN_RUN, ALIGN_GRID };
enum label_rule { LABEL_OF_ALL, LABEL_OF_MAJORITY, LABEL_OF_LAST };
/* A cell without a value: refuse it, leave out the windows that contain it, or interpolate. */
enum missing_value { VALUE_ERROR, VALUE_DROP, VALUE_INTERP };

/* How recordings are named beyond their own name. Patterns are POSIX extended regular expressions
 * on the base name. */
struct reading_naming {
	const char *group;                      /* NULL: up to the first _ or . */
	const char *group_name;                 /* the group of everything, instead */
	const char *condition, *condition_name; /* likewise; both NULL: none has a condition */
};

enum event_unit { EVENT_UNIT_AUTO, EVENT_UNIT_S, EVENT_UNIT_MS, EVENT_UNIT_SAMPLES };

/* Labels from files of events (sidecar/events.h) in the place of a column. */
struct reading_events {
	struct names files;    /* one for each recording, or one with {} (sidecar/path.h); empty: none */
	bool own;              /* instead of files: events contained in the recordings themselves */
	struct names from, to; /* description -> class; empty: each description is a class */
	const char *column;    /* that describes events; NULL: the format's own */
	enum event_unit unit;
	struct span start, stop; /* of a trial, from the event's onset */
	bool stop_given;         /* else it lasts as long as the event, or one window */
	bool drop_outside; /* trials that reach beyond the recording are left out; else they are refused */
};

struct recording_list; /* sidecar/list.h */

/* How text becomes columns. What is 0 or NULL is detected. */
struct reading_text {
	const char *delim;       /* comma, semicolon, tab, blank, or the character itself */
	const char *decimal;     /* . or , */
	int header;              /* enum reading_header */
	int ragged;              /* enum csv_ragged of io/csv.h */
	int dialect;             /* of DIALECT_CHOICES */
	const char *time_column; /* NULL: "time", "timestamp", ... when there is one */
	int time_unit;           /* enum time_unit */
	int unit;                /* enum voltage_unit, of the cells */
};

struct reading_options {
	struct reading_text reading;
	const char *label_column; /* NULL: "label" when there is one */
	double rate;              /* Hz, 0 = as stated in the recording (or by the model) */
	const char *rate_by;      /* what named it, for messages; NULL: --rate */
	struct names channels, drop,
		ignore;       /* channels: pick and order; ignore: label values that mean unlabelled */
	struct names classes; /* empty: those found, sorted */
	enum missing_value value;
	size_t max_row;  /* bytes */
	int max_columns; /* cells of a row */
	int max_classes;
	struct preprocessing preprocessing; /* before cutting; the model's takes its place */
	/* cutting */
	struct span window, stride; /* stride.amount 0 = the window */
	enum window_align align;
	enum label_rule rule;
	bool keep_last; /* the rows left at the end of a segment become a partial window, if they are half a window at least */
	/* regions: lobes, hemispheres, auto:K or a file (TSV), else index regions */
	const char *regions,
		*electrodes;     /* electrodes: a file of positions; NULL: they follow from the names */
	int index_regions, halo; /* halo: columns on each side of index regions, else nearest channels */
	double halo_mm;          /* or the channels within this distance along the head */
	bool halo_given, halo_mm_given;
	/* names */
	struct reading_naming naming;
	/* sidecar files */
	struct reading_events events;
	struct names channel_files;        /* BIDS channels.tsv: one for each recording, or one for all */
	const struct recording_list *list; /* of the recordings, which are added in its order; NULL = none */
	/* a model's layout takes the place of channels, regions, rate, window and stride; its
	 * classes come first */
	const struct layout *like;
	enum missing_channel missing;
	bool explain; /* collect what split_explain prints; an unknown rate is no error then */
};

/* What is done to the recordings: the model's preprocessing, or that of the options. */
const struct preprocessing *reading_preprocessing(const struct reading_options *);

#endif
