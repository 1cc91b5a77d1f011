#!/usr/bin/env python3
"""Anonymous memory (RssAnon, mapped files aside) of moe-split and moe-train as recordings grow.

usage: memory.py      MOE_BIN: folder of the programs; MEMORY_MB: size of the large recordings (3000; the small ones have 30);
                      BENCH_JSON=1 prints JSON Lines. Needs three times MEMORY_MB in TMPDIR.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

BIN = os.environ.get("MOE_BIN", "build/bin")
SMALL, LARGE = 30, int(os.environ.get("MEMORY_MB", 3000))
CHANNELS, RATE = 64, 250


def write(path, megabytes):
    """A recording of 64 channels with four decimals and a label that changes every second."""
    draw = random.Random(1)
    seconds = [[",".join("%.4f" % draw.gauss(0, 20) for _ in range(CHANNELS)) for _ in range(RATE)] for _ in range(2)]
    blocks = ["".join(f"{row},{label}\n" for row in rows).encode() for label, rows in zip(("rest", "task"), seconds)]
    size = 0
    with open(path, "wb") as f:
        f.write((",".join(f"E{i}" for i in range(CHANNELS)) + ",label\n").encode())
        while size < megabytes * 1e6:
            for block in blocks:
                size += f.write(block)


def peak(*command):
    """The largest RssAnon, in kilobytes, that looking every other millisecond finds."""
    with subprocess.Popen([os.path.join(BIN, command[0]), *command[1:]], stdout=subprocess.DEVNULL) as child:
        most = 0
        while child.poll() is None:
            try:
                with open(f"/proc/{child.pid}/status", encoding="ascii") as f:
                    most = max([most] + [int(line.split()[1]) for line in f if line.startswith("RssAnon")])
            except OSError:
                pass
            time.sleep(0.002)
    if child.returncode:
        sys.exit(f"memory.py: {command[0]} ended with {child.returncode}")
    return most


def tell(of, small, large):
    line = {"what": "memory", "of": of, "small_mb": SMALL, "large_mb": LARGE, "small_kb": small, "large_kb": large,
            "ratio": round(large / small, 3)}
    print(json.dumps(line) if os.environ.get("BENCH_JSON") else
          f"{of}: {small} KB for {SMALL} MB, {large} KB for {LARGE} MB: {line['ratio']}", flush=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        if shutil.disk_usage(folder).free < 3e6 * LARGE:
            sys.exit(f"memory.py: {folder} has less than {3 * LARGE} MB left (TMPDIR, MEMORY_MB)")

        def at(name):
            return os.path.join(folder, name)
        write(at("S0_small.csv"), SMALL)
        write(at("S0_large.csv"), LARGE)
        split = ["moe-split", "-q", "--rate", str(RATE), "--window", str(RATE), "--threads", "2"]
        grid = ["--stride", "50", "--align", "grid", "--label-rule", "majority"]
        tell("moe-split, one recording", *(peak(*split, *grid, "-o", at(size), at(f"S0_{size}.csv")) for size in ("small", "large")))
        train = ["moe-train", "-q", "--progress", "never", "--set", "train.epochs=1", "--set", "encoder.layers=1", "--set",
                 "encoder.ffn_dim=32", "--threads", "2", "-o", at("model")]
        tell("moe-train", *(peak(*train, at(size)) for size in ("small", "large")))
        os.remove(at("S0_large.csv"))
        os.remove(at("large"))
        many = [at(f"S{i}_many.csv") for i in range(LARGE // SMALL)]
        for path in many:
            shutil.copy(at("S0_small.csv"), path)
        tell("moe-split, many recordings", *(peak(*split, "-o", at("windows"), *some) for some in (many[:2], many)))


if __name__ == "__main__":
    main()
