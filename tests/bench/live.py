#!/usr/bin/env python3
"""How long a live stream waits for its answers: from a window's last row in to its line out.

usage: live.py      MOE_BIN: folder of the programs; LIVE_SECONDS of each stream (20); BENCH_JSON=1 prints JSON Lines

A row of 64 channels is written every 4 ms into a pipeline; windows of 300 rows begin every 0.25 s. The model has the size of the
bench's: 4 regions, halo 4, hidden 32, feed-forward 2048, 2 layers.
"""
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time

BIN = os.environ.get("MOE_BIN", "build/bin")
SECONDS = float(os.environ.get("LIVE_SECONDS", 20))
CHANNELS, RATE, LENGTH, STRIDE = 64, 250, 300, 62


def program(name):
    return os.path.join(BIN, name)


def make_model(folder):
    """A model of one epoch over little: its answers do not matter here, its size does."""
    at = os.path.join(folder, "eeg")
    windows, model = os.path.join(folder, "windows"), os.path.join(folder, "model")
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([program("moe-synth"), "-q", "--subjects", "2", "--channels", str(CHANNELS), "--rate", str(RATE), "--seconds",
                    "12", "-o", at], **quiet)
    recordings = [os.path.join(at, name) for name in sorted(os.listdir(at))]
    subprocess.run([program("moe-split"), "-q", "--window", str(LENGTH), "--stride", str(STRIDE), "--halo", "4", "-o", windows] +
                   recordings, **quiet)
    subprocess.run([program("moe-train"), "-q", "--progress", "never", "--preset", "seed", "--set", "encoder.hidden_dim=32", "--set",
                    "train.epochs=1", "-o", model, windows], **quiet)
    with open(recordings[0], encoding="utf-8") as f:
        names = [name for name in f.readline().strip().split(",") if name not in ("time", "label")]
    return model, names


class Stream:
    """Rows go in on time; the time at which each line comes out is noted beside that of its window's last row."""

    def __init__(self, stages, names):
        self.children, source = [], subprocess.PIPE
        for command in stages:
            child = subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE)
            if self.children:
                source.close()
            source = child.stdout
            self.children.append(child)
        self.names, self.written, self.out = names, [], []

    def read(self):
        for line in self.children[-1].stdout:
            self.out.append((time.perf_counter(), json.loads(line)["start"]))

    def run(self, seconds):
        draw = random.Random(1)
        rows = [",".join("%.4f" % draw.gauss(0, 20) for _ in self.names).encode() + b"\n" for _ in range(500)]
        reader = threading.Thread(target=self.read)
        reader.start()
        into = self.children[0].stdin.fileno()
        os.write(into, (",".join(self.names) + "\n").encode())
        begin = time.perf_counter() + 0.5
        for i in range(int(seconds * RATE)):
            wait = begin + i / RATE - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            self.written.append(time.perf_counter())
            os.write(into, rows[i % len(rows)])
        time.sleep(0.5)
        lines = len(self.out)
        self.children[0].stdin.close()
        reader.join()
        bad = [child.args[0] for child in self.children if child.wait()]
        if bad or lines != len(self.out) or lines != 1 + (len(self.written) - LENGTH) // STRIDE:
            sys.exit(f"live.py: {lines} lines in time, {len(self.out)} in all; failed: {bad}")
        return sorted((at - self.written[start + LENGTH - 1]) * 1e3 for at, start in self.out)


def main():
    with tempfile.TemporaryDirectory() as folder:
        model, names = make_model(folder)
        split = [program("moe-split"), "--like", model]
        predict = [program("moe-predict"), "-m", model]
        for what, stages in ("moe-split | moe-predict", [split, predict]), ("moe-predict", [predict]):
            ms = Stream(stages, names).run(SECONDS)
            line = {"what": "live stream", "of": what, "windows": len(ms), "median_ms": round(statistics.median(ms), 3),
                    "p99_ms": round(ms[min(len(ms) - 1, int(0.99 * len(ms)))], 3), "most_ms": round(ms[-1], 3)}
            if os.environ.get("BENCH_JSON"):
                print(json.dumps(line), flush=True)
            else:
                print("%-24s %4d windows: median %.1f ms, 99th percentile %.1f ms" %
                      (what, len(ms), line["median_ms"], line["p99_ms"]), flush=True)


if __name__ == "__main__":
    main()
