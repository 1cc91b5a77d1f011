/* The dialects: whether a table is one, and what it says. */
#ifndef EEG_RECORDERS_H
#define EEG_RECORDERS_H

#include "recording/dialect/dialect.h"

/* OpenBCI GUI and SD card: comments with %, 8 or 16 channels between a counter 0..255 and what is no EEG. */
bool openbci_is(const struct glimpse *);
void openbci_plan(const struct glimpse *, struct facts *);
/* Mind Monitor (Muse): band powers and RAW_ columns, bursts, rows with a message only. */
bool mindmonitor_is(const struct glimpse *);
void mindmonitor_plan(const struct glimpse *, struct facts *);
/* muse-lsl: TP9, AF7, AF8, TP10 and timestamps. */
bool muse_is(const struct glimpse *);
void muse_plan(const struct glimpse *, struct facts *);
/* EmotivPRO: a first line of pairs, then EEG.* among others. */
bool emotiv_is(const struct glimpse *);
void emotiv_plan(const struct glimpse *, struct facts *);
/* Unicorn: Counter, Battery Level and Validation Indicator beside the channels. */
bool unicorn_is(const struct glimpse *);
/* OpenViBE: the rate in the name of the time column, events behind the channels. */
bool openvibe_is(const struct glimpse *);
void openvibe_plan(const struct glimpse *, struct facts *);
/* rdsamp of PhysioNet's WFDB: single quotes, a row of units. */
bool physionet_is(const struct glimpse *);
void physionet_plan(const struct glimpse *, struct facts *);
/* EEGLAB's text export: tabs, also behind the last cell; time in milliseconds that starts again with each trial. */
bool eeglab_is(const struct glimpse *);
void eeglab_plan(const struct glimpse *, struct facts *);
/* Neuroelectrics .easy: whole nanovolts, trigger, milliseconds since 1970, no names. */
bool neuroelectrics_is(const struct glimpse *);
void neuroelectrics_plan(const struct glimpse *, struct facts *);
/* BrainFlow: all rows of a board's data, tabs, no names. */
bool brainflow_is(const struct glimpse *);
void brainflow_plan(const struct glimpse *, struct facts *);

#endif
