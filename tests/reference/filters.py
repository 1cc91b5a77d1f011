#!/usr/bin/env python3
"""Record the golden numbers of conditioning: what SciPy's filters make of a signal that is a formula.

usage: filters.py > tests/golden/filters.json          needs numpy and scipy

The signal of channel c at sample t is ((t * 7919 + c * 104729) mod 1009 - 504) / 8 + 1000 (c + 1): noise on an offset, exact in
binary. Filters are butter(4, ...) as second-order sections and iirnotch(Q = 30), each started by sosfilt_zi times the first sample.
Resampling is written out anew: kaiser windows of scipy, one dot product a sample, held first and last samples.
"""
import json

import numpy as np
from scipy import signal, special

ROWS, CHANNELS = 160, 2
CASES = [  # name, rate, notches, low, high, rate afterwards as up / down
    ("band", 256, [], 1, 45, 1, 1),
    ("narrow", 256, [], 8, 13, 1, 1),
    ("wide", 500, [], 0.1, 100, 1, 1),
    ("slow", 1000, [], 0.5, 40, 1, 1),
    ("high", 128, [], 0.5, None, 1, 1),
    ("low", 250, [], None, 30, 1, 1),
    ("edge", 128, [], 1, 63.5, 1, 1),
    ("notch", 250, [50], None, None, 1, 1),
    ("notches", 256, [60, 120], None, None, 1, 1),
    ("both", 250, [50, 100], 1, 40, 1, 1),
    ("half", 256, [], None, None, 1, 2),
    ("four-fifths", 160, [], None, None, 4, 5),
    ("up", 125, [], None, None, 128, 125),
    ("odd", 250, [], None, None, 64, 125),
    ("twice", 64, [], None, None, 2, 1),
    ("all", 256, [50], 1, 45, 1, 2),
]


def signal_of(channel):
    t = np.arange(ROWS)
    return ((t * 7919 + channel * 104729) % 1009 - 504) / 8 + 1000.0 * (channel + 1)


def started(sos, x):
    return signal.sosfilt(sos, x, zi=signal.sosfilt_zi(sos) * x[0])[0]


def filtered(x, rate, notches, low, high):
    for hz in notches:
        b, a = signal.iirnotch(hz, 30, fs=rate)
        x = started(signal.tf2sos(b, a), x)
    if low and high:
        x = started(signal.butter(4, [low, high], "bandpass", fs=rate, output="sos"), x)
    elif low or high:
        x = started(signal.butter(4, low or high, "highpass" if low else "lowpass", fs=rate, output="sos"), x)
    return x


def resampled(x, up, down):
    """60 dB from half of the slower rate on, 16 of its samples to each side."""
    beta, half = signal.kaiser_beta(60), 16
    edge = 1 - (60 - 7.95) / (2 * 14.36 * half)
    slower, out = min(1, up / down), []
    for m in range(-(-len(x) * up // down)):
        at = m * down / up
        reach = half / slower
        n = np.arange(int(np.ceil(at - reach)), int(np.floor(at + reach)) + 1)
        d = (n - at) * slower
        w = np.sinc(edge * d) * special.i0(beta * np.sqrt(np.maximum(0, 1 - (d / half) ** 2)))
        out.append(np.dot(w / w.sum(), x[np.clip(n, 0, len(x) - 1)]))
    return np.array(out)


cases = []
for name, rate, notches, low, high, up, down in CASES:
    y = []
    for c in range(CHANNELS):
        x = filtered(signal_of(c), rate, notches, low, high)
        y.append(x if up == down else resampled(x, up, down))
    rows = np.array(y).T
    cases.append({"name": name, "rate": rate, "notch": notches, "low": low or 0, "high": high or 0, "up": up, "down": down,
                  "y": [[float(v) for v in r] for r in rows]})
print("[" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "]")
