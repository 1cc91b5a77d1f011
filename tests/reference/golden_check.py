#!/usr/bin/env python3
"""Put golden cases through moe-predict and moe-train and measure how far off they are (standard library only).

usage: golden_check.py BIN CASE.safetensors...

Tolerances: logits, gate and losses 1e-5. stepped.*: 1e-4, and 1e-5 for all but one number in 10,000 of a case, because where a
gradient nearly vanishes AdamW makes much of its rounding. The middle third of in_proj_bias (the keys') has no gradient at all,
the softmax does not see it; there a step may go anywhere, three of them 3.1e-3 far. Prints the worst deviation as a share of its
tolerance and where it was; exit 1 when one is above 1.
"""
import json
import os
import subprocess
import sys
import tempfile

import container
import golden_files


class Worst:
    def __init__(self):
        self.share, self.where = 0.0, "nothing compared"

    def note(self, share, where):
        if not share <= self.share:  # NaN counts as worse
            self.share, self.where = share, where

    def compare(self, where, got, wanted, tolerance):
        if len(got) != len(wanted):
            raise SystemExit(f"{where}: {len(got)} numbers instead of {len(wanted)}")
        for a, b in zip(got, wanted):
            self.note(abs(a - b) / tolerance, where)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def stepped_pairs(case, trained):
    """Yields (name, got, wanted, is a key bias) of every stepped tensor."""
    for name, (_, shape, wanted) in case.items():
        if not name.startswith("stepped."):
            continue
        name = name[8:]
        if name not in trained:
            raise SystemExit(f"the trained model lacks {name}")
        got = trained[name][2]
        if name.endswith("in_proj_bias"):  # one for each row, where experts are stacked
            third = shape[-1] // 3
            keys = [i for i in range(len(wanted)) if i % shape[-1] // third == 1]
            rest = [i for i in range(len(wanted)) if i % shape[-1] // third != 1]
            yield name + " (keys)", [got[i] for i in keys], [wanted[i] for i in keys], True
            got, wanted = [got[i] for i in rest], [wanted[i] for i in rest]
        yield name, got, wanted, False


def check(bin_folder, path, folder):
    case, meta = container.load(path)
    worst = Worst()
    model, windows, trained, log = (os.path.join(folder, f) for f in ("model", "windows", "trained", "log"))
    golden_files.main(path, model, windows)

    answers = [json.loads(line) for line in run(f"{bin_folder}/moe-predict", "-m", model, windows).splitlines()]
    for key in ("logits", "gate"):
        worst.compare(key, [v for a in answers for v in a[key]], case[key][2], 1e-5)

    settings = {"train.lr": "1e-3", "train.weight_decay": "0.01", "train.decay": "all", "train.schedule": "constant",
                "train.clip_norm": "0", "encoder.dropout": "0", "train.scale": "none",
                "train.batch_size": str(case["x"][1][0]), "train.epochs": "3", "train.shuffle": "false"}
    settings.update(s.split("=") for s in json.loads(meta["set"]))
    run(f"{bin_folder}/moe-train", "--init", model, *(w for k, v in settings.items() for w in ("--set", f"{k}={v}")),
        "--log", log, "--seed", "1", "-o", trained, windows)
    far = total = 0
    for name, got, wanted, is_key in stepped_pairs(case, container.load(trained)[0]):
        if is_key:  # says nothing as long as it is inside
            keys = Worst()
            keys.compare("stepped." + name, got, wanted, 3.1e-3)
            if not keys.share <= 1:
                worst.note(keys.share, keys.where)
        else:
            worst.compare("stepped." + name, got, wanted, 1e-4)
            far += sum(abs(a - b) > 1e-5 for a, b in zip(got, wanted))
            total += len(wanted)
    if far > total / 10000:
        worst.note(far * 10000 / total, f"{far} of {total} stepped numbers beyond 1e-5")
    with open(log) as lines:
        loss = {e["epoch"]: e["loss"] for e in map(json.loads, lines) if "epoch" in e and "loss" in e}
    worst.compare("losses", [loss[e] for e in sorted(loss)], case["losses"][2], 1e-5)
    os.remove(log)
    return worst


def main(bin_folder, cases):
    failed = False
    for path in cases:
        with tempfile.TemporaryDirectory() as folder:
            worst = check(bin_folder, path, folder)
        print(f"{os.path.basename(path)}: {worst.share:.3f} of the tolerance ({worst.where})")
        failed = failed or not worst.share <= 1
    sys.exit(failed)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__.strip())
    main(sys.argv[1], sys.argv[2:])
