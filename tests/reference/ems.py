"""Exponential moving standardisation a second time: the weighted sums of its definition written out for each sample, none carried on.

    python3 tests/reference/ems.py      prints the numbers of tests/unit/test_ems.c: recording, sample, channel, y for four settings

Settings: factor 0.02 with a first block of 20 samples; the same without one; with one longer than the recording; factor 0.3 and a least
deviation of 15. Needs NumPy.
"""
import numpy as np

ROWS, CHANNELS = 153, 3
SETTINGS = (0.02, 20, 1e-4), (0.02, 0, 1e-4), (0.02, 1000, 1e-4), (0.3, 0, 15.0)
PICKED = (0, 1, 7, 19, 20, 21, 60, 152)


def signal(recording):
    t = np.arange(ROWS, dtype=np.float64)[:, None]
    c = np.arange(CHANNELS, dtype=np.float64)[None, :]
    x = 40 * np.sin(0.05 * t * (c + 1) + recording) + 20 * np.sin(0.31 * t + c) + 0.2 * t * c + 100 * (c - 1)
    return x.astype(np.float32).astype(np.float64)


def moving(x, factor):
    """sum w_i x_(t-i) / sum w_i for each t, w_i = (1 - factor)^i"""
    out = np.empty_like(x)
    for t in range(len(x)):
        w = (1 - factor) ** np.arange(t, -1, -1, dtype=np.float64)
        out[t] = (w[:, None] * x[: t + 1]).sum(0) / w.sum()
    return out


def ems(x, factor, init, eps):
    d = x - moving(x, factor)
    y = d / np.maximum(np.sqrt(moving(d * d, factor)), eps)
    if init:
        first = x[:init]
        y[:init] = (first - first.mean(0)) / np.maximum(first.std(0), eps)
    return y


if __name__ == "__main__":
    for recording in range(2):
        answers = [ems(signal(recording), *s) for s in SETTINGS]
        for t in PICKED:
            for c in range(CHANNELS):
                print("\t{%d, %d, %d, {%s}}," % (recording, t, c, ", ".join("%.9g" % a[t, c] for a in answers)))
