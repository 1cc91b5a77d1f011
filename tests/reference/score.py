#!/usr/bin/env python3
"""Record predictions and their figures, computed with scikit-learn and SciPy.

usage: score.py FOLDER            writes score-NAME.jsonl (predictions) and score-NAME.json (figures) into FOLDER
       score.py --check GOT WANT  compares two JSON files: what WANT has, GOT must have, to 1e-8; under "about" to 0.02
                                  (needs the standard library only)

    two      two classes, 8 groups of unlike size, tied probabilities, windows without a label
    other    the same windows, answered a little better
    three    three classes, two seeds, some windows answered "unsure"
"""
import json
import math
import sys

GROUPS = 8


def near(got, want, tolerance, where):
    if isinstance(want, dict):
        for key, value in want.items():
            if key == "about":
                near(got, value, 0.02, where)
            elif key not in got:
                sys.exit(f"{where}: no {key}")
            else:
                near(got[key], value, tolerance, f"{where}.{key}")
    elif isinstance(want, list):
        if len(got) != len(want):
            sys.exit(f"{where}: {len(got)} instead of {len(want)}")
        for i, value in enumerate(want):
            near(got[i], value, tolerance, f"{where}[{i}]")
    elif isinstance(want, float):
        if got is None or not math.isclose(got, want, rel_tol=0, abs_tol=tolerance):
            sys.exit(f"{where}: {got} instead of {want}")
    elif got != want:
        sys.exit(f"{where}: {got} instead of {want}")


if sys.argv[1] == "--check":
    with open(sys.argv[2]) as g, open(sys.argv[3]) as w:
        near(json.load(g), json.load(w), 1e-8, "")
    sys.exit(0)

import numpy as np
from scipy import stats
from sklearn import metrics


def figures(label, p):
    """label [n], p [n][C] -> the eight figures"""
    n, C = p.shape
    answer = p.argmax(axis=1)
    hot = np.eye(C)[label]
    clipped = np.clip(p, 1e-15, 1)
    top = p.max(axis=1)
    edge = np.linspace(0, 1, 16)
    error = 0.0
    for low, high in zip(edge[:-1], edge[1:]):
        inside = (top > low) & (top <= high)
        if inside.any():
            error += inside.mean() * abs((answer == label)[inside].mean() - top[inside].mean())
    if C == 2:
        auroc = metrics.roc_auc_score(label, p[:, 1])
    else:
        auroc = metrics.roc_auc_score(hot, p, average="macro")
    return {
        "accuracy": metrics.accuracy_score(label, answer),
        "balanced_accuracy": metrics.balanced_accuracy_score(label, answer),
        "kappa": metrics.cohen_kappa_score(label, answer),
        "macro_f1": metrics.f1_score(label, answer, average="macro"),
        "auroc": auroc,
        "log_loss": -np.log(clipped[np.arange(n), label]).mean(),
        "brier": ((p - hot) ** 2).sum(axis=1).mean(),
        "ece": error,
    }


def bootstrap(rows, function):
    """rows: by group, whatever function takes a list of"""
    draw = np.random.default_rng(0)
    sums = [function([rows[i] for i in draw.integers(0, len(rows), len(rows))]) for _ in range(20000)]
    return [float(x) for x in np.percentile(sums, [2.5, 97.5])]


def limits(n, level):
    return {"level": level, "limit_95": stats.binom.ppf(0.95, n, level) / n, "limit_99": stats.binom.ppf(0.99, n, level) / n}


def draw(rng, sizes, C, strength, noise, ties):
    """Answers by group: label [n] and p [n][C], rounded as moe-predict prints them"""
    out = []
    for size in sizes:
        label = rng.integers(0, C, size)
        label[:C] = np.arange(C)
        z = strength * np.eye(C)[label] + noise * rng.standard_normal((size, C)) + 0.3 * rng.standard_normal(C)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        if ties:
            p = np.stack([np.round(p[:, 0], 1), 1 - np.round(p[:, 0], 1)], axis=1).clip(0, 1)
            p[p[:, 0] == 0.5] = [0.4, 0.6]
        p = np.array([[float(f"{x:.9g}") for x in row] for row in p])
        out.append((label, p))
    return out


def lines(groups, classes, extra, unsure=()):
    at = 0
    for g, (label, p) in enumerate(groups):
        for i in range(len(label)):
            named = "unsure" if at in unsure else classes[int(p[i].argmax())]
            yield json.dumps({"recording": f"P{g}_{1 + i % 2}.csv", "group": f"P{g}", "start": 300 * (i // 2), "time": 3.0 * (i // 2),
                              "label": classes[int(label[i])], "class": named, "p": list(map(float, p[i])), **extra}, separators=(",", ":"))
            at += 1


def whole(groups):
    return np.concatenate([l for l, _ in groups]), np.concatenate([p for _, p in groups])


def right(groups):
    label, p = whole(groups)
    return (p.argmax(axis=1) == label).mean()


def record(folder, name, rows, want):
    with open(f"{folder}/score-{name}.jsonl", "w") as f:
        f.write("\n".join(rows) + "\n")
    with open(f"{folder}/score-{name}.json", "w") as f:
        f.write(json.dumps(want, indent=1, default=float) + "\n")


def main(folder):
    rng = np.random.default_rng(20)
    sizes = [8, 10, 12, 14, 8, 10, 12, 16]
    two = draw(rng, sizes, 2, 0.8, 1.0, True)
    label, p = whole(two)
    n = len(label)
    share = max((label == c).mean() for c in range(2))
    by_group = [figures(*g) for g in two]
    want = {"windows": n, "unlabelled": 3, "groups": GROUPS, "classes": ["rest", "task"], "adapted": False, **figures(label, p),
            "chance": limits(n, 0.5), "chance_most_frequent": limits(n, share),
            "confusion": metrics.confusion_matrix(label, p.argmax(axis=1)).tolist(),
            "over_groups": {k: np.mean([f[k] for f in by_group]) for k in ("accuracy", "balanced_accuracy")},
            "by_group": [{"group": f"P{g}", "windows": sizes[g], "accuracy": f["accuracy"], "balanced_accuracy": f["balanced_accuracy"],
                          "limit_95": limits(sizes[g], 0.5)["limit_95"]} for g, f in enumerate(by_group)],
            "about": {"accuracy_interval": bootstrap(two, right)}}
    want["over_groups"]["about"] = {"accuracy_interval": bootstrap(by_group, lambda f: np.mean([x["accuracy"] for x in f]))}
    rows = list(lines(two, ["rest", "task"], {}))
    for i in range(3):
        rows.append(json.dumps({**json.loads(rows[i]), "start": 30000 + i, "label": None}, separators=(",", ":")))
    rng.shuffle(rows)
    record(folder, "two", rows, want)

    # the same labels, answered anew
    other = [(l, q) for (l, _), (_, q) in zip(two, draw(np.random.default_rng(20), sizes, 2, 1.6, 1.0, True))]
    gain = np.array([figures(*a)["accuracy"] - figures(*b)["accuracy"] for a, b in zip(other, two)])
    loss = np.array([figures(*a)["log_loss"] - figures(*b)["log_loss"] for a, b in zip(other, two)])
    want = {"accuracy": right(other)}
    for key, d in (("acc", gain), ("logloss", loss)):
        test = stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=np.inf)
        want[key] = {"difference": d.mean(), "p": float(test.pvalue), "exact": True, "flips": 2 ** GROUPS}
    record(folder, "other", list(lines(other, ["rest", "task"], {})), want)

    # three classes, two seeds
    three = [draw(np.random.default_rng(30 + s), sizes, 3, 1.0, 1.0, False) for s in range(2)]
    three[1] = [(a[0], b[1]) for a, b in zip(three[0], three[1])]
    unsure = [set(np.random.default_rng(s).choice(n, 20, replace=False).tolist()) for s in range(2)]
    classes = ["left", "right", "rest"]
    seeds = [figures(*whole(g)) for g in three]
    answered = []
    for g, u in zip(three, unsure):
        keep = np.array([i not in u for i in range(n)])
        label, p = whole(g)
        answered.append(figures(label[keep], p[keep]))
    want = {"windows": n, "unlabelled": 0, "classes": classes, "adapted": "group",
            **{k: np.mean([s[k] for s in seeds]) for k in seeds[0]},
            "chance": limits(n, 1 / 3),
            "confusion": sum(metrics.confusion_matrix(l, q.argmax(axis=1)) for l, q in map(whole, three)).tolist(),
            "answered": {"coverage": 1 - 20 / n, **{k: np.mean([a[k] for a in answered]) for k in ("accuracy", "balanced_accuracy")}},
            "by_run": [{"seed": str(s), **seeds[s]} for s in range(2)]}
    rows = [r for s in range(2) for r in lines(three[s], classes, {"fold": 0, "seed": s, "adapted": "group"}, unsure[s])]
    record(folder, "three", rows, want)


main(sys.argv[1])
