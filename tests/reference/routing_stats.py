#!/usr/bin/env python3
"""A second implementation of the figures of moe-stats (standard library only).

usage: routing_stats.py make OUT [--seed N] [--windows N] [--first N] [--k K]    a routing file of random routing
       routing_stats.py check FIGURES.json ROUTING...                             exit 1 unless the figures are those of the files

make: four regions, layers in regions 0 and 2, three tokens a window, five experts, some places empty, some windows unlabelled.
With --capacity N, experts of even number are said to take N tokens of a window, the others one fewer.
With --first, only the windows from there on of the same random sequence, so that parts and whole can be compared.
"""
import argparse
import json
import math
import os
import random
import statistics
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import container  # noqa: E402

REGIONS = ["front", "central", "parietal", "back"]
CLASSES = ["rest", "task"]
GROUPS = ["S00", "S01", "S02"]
PLACES = [(0, 0), (0, 1), (2, 1)]
TOKENS, E = 3, 5


def softmax(z):
    e = [math.exp(v - max(z)) for v in z]
    return [v / sum(e) for v in e]


def one_window(rng, k):
    label, group = rng.choice([-1, 0, 1]), rng.randrange(len(GROUPS))
    gate = softmax([rng.gauss(0, 1) + (2 if i == 3 and label == 1 else 0) for i in range(len(REGIONS))])
    layers = []
    for _ in PLACES:
        p, e, w = [], [], []
        for _ in range(TOKENS):
            q = softmax([rng.gauss(0, 2) for _ in range(E)])
            best = sorted(range(E), key=lambda i: (-q[i], i))[:k]
            weight = [q[i] / sum(q[j] for j in best) for i in best]
            if rng.random() < 0.1:
                best[-1], weight[-1] = -1, 0.0
            p += q
            e += best
            w += weight
        layers.append((p, e, w))
    return label, group, gate, layers


def make(a):
    rng = random.Random(a.seed)
    windows = [one_window(rng, a.k) for _ in range(a.windows)][a.first:]
    n, t = len(windows), {}
    t["gate.weight"] = container.tensor("F32", [n, len(REGIONS)], [v for w in windows for v in w[2]])
    for i, (region, layer) in enumerate(PLACES):
        name = "layer.%d.%d." % (region, layer)
        t[name + "probability"] = container.tensor("F32", [n, TOKENS, E], [v for w in windows for v in w[3][i][0]])
        t[name + "expert"] = container.tensor("I32", [n, TOKENS, a.k], [v for w in windows for v in w[3][i][1]])
        t[name + "weight"] = container.tensor("F32", [n, TOKENS, a.k], [v for w in windows for v in w[3][i][2]])
        if a.capacity:
            t[name + "capacity"] = container.tensor("I32", [E], [a.capacity - i % 2 for i in range(E)])
    t["window.start"] = container.tensor("I64", [n], [300 * i for i in range(n)])
    t["window.sample"] = container.tensor("I64", [n], [300 * i for i in range(n)])
    t["window.label"] = container.tensor("I32", [n], [w[0] for w in windows])
    t["window.group"] = container.tensor("I32", [n], [w[1] for w in windows])
    t["window.recording"] = container.tensor("I32", [n], [w[1] for w in windows])
    meta = {"moe.format": "routing/1", "moe.length": "300", "moe.stride": "300", "moe.rate": "128", "moe.unit": "uV",
            "moe.halo": "0", "moe.channels": json.dumps(["Fz", "Cz", "Pz", "Oz"]), "moe.classes": json.dumps(CLASSES),
            "moe.groups": json.dumps(GROUPS), "moe.recordings": json.dumps([g + ".csv" for g in GROUPS]),
            "moe.regions": json.dumps(REGIONS), "moe.history": '[{"program": "fixture", "version": "1", "argv": []}]'}
    container.save(a.out, t, meta)


class Usage:
    def __init__(self, experts, k):
        self.experts, self.k, self.rows, self.capacity, self.tokens = experts, k, [], None, 1

    def figures(self):
        E_, k, n = self.experts, self.k, len(self.rows)
        c, importance, weight = [0] * E_, [[] for _ in range(E_)], [[] for _ in range(E_)]
        served = [sum(v >= 0 for v in e) for _, e, _ in self.rows]
        weights = [v for _, e, w in self.rows for i, v in zip(e, w) if i >= 0]
        pair, entropy, margin, empty = [[0] * E_ for _ in range(E_)], [], [], 0
        for p, e, w in self.rows:
            for i in range(E_):
                importance[i].append(p[i])
            for j, i in enumerate(e):
                if i < 0:
                    empty += 1
                    continue
                c[i] += 1
                weight[i].append(w[j])
                for other in e:
                    if other >= 0 and other != i:
                        pair[i][other] += 1
            entropy.append(-sum(v * math.log(v + 1e-10) for v in p))
            s = sorted(p, reverse=True)
            margin.append((s[k - 1] - s[k]) / s[k - 1] if k < E_ else 0)
        mean = sum(c) / E_
        h = math.fsum(entropy) / n
        return {"tokens": n, "share": [v / (k * n) for v in c], "importance": [math.fsum(v) / n for v in importance],
                "average_weight": [math.fsum(v) / len(v) if v else None for v in weight], "entropy": h,
                "entropy_normalised": h / math.log(E_) if E_ > 1 else 0,
                "cv": math.sqrt(sum((v - mean) ** 2 for v in c) / E_) / mean, "max_over_mean": max(c) / mean,
                "coselection": pair, "overflow": empty / (k * n), "margin": math.fsum(margin) / n,
                "unrouted": sum(all(v < 0 for v in e) for _, e, _ in self.rows) / n,
                "importance_deviation": [statistics.pstdev(v) for v in importance], "max_over_min": (max(c) + 1) / (min(c) + 1),
                "max_probability": statistics.fmean(max(p) for p, _, _ in self.rows),
                "min_probability": statistics.fmean(min(p) for p, _, _ in self.rows),
                "fewest_experts": min(served), "most_experts": max(served),
                "at_least": [sum(v > j for v in served) / n for j in range(k)],
                "capacity": self.capacity or [None] * E_,
                "capacity_utilisation": sum(c) / (n / self.tokens * sum(self.capacity)) if self.capacity else None,
                "weight_min": min(weights, default=None), "weight_max": max(weights, default=None)}


def entropy(counts):
    return -sum(v / sum(counts) * math.log(v / sum(counts)) for v in counts if v)


def association(by_label, labels, experts):
    """[specialisation], information of {label: Usage}."""
    table = [[sum(i == expert for _, e, _ in u.rows for i in e) for expert in range(experts)] for u in by_label.values()]
    columns = list(zip(*table)) or [[0]] * experts
    total = sum(map(sum, table))
    special = [1 - entropy(c) / math.log(labels) if sum(c) and labels > 1 else None for c in columns]
    return special, entropy([sum(row) for row in table]) - sum(sum(c) / total * entropy(c) for c in columns if sum(c))


def expected(files):
    """{place: {"all": Usage, "by_class": {...}, "by_group": {...}}}; the gate is place None."""
    sites = {}
    for path in files:
        t, meta = container.load(path)
        classes, groups = json.loads(meta["moe.classes"]), json.loads(meta["moe.groups"])
        label, group = t["window.label"][2], t["window.group"][2]
        found = {None: (t["gate.weight"], None, None)}
        for name in t:
            if name.endswith(".probability"):
                at = name[:-len("probability")]
                found[tuple(int(v) for v in name.split(".")[1:3])] = (t[name], t[at + "expert"], t[at + "weight"])
        for place, (p, e, w) in found.items():
            n, tokens, experts = p[1] if e else (p[1][0], 1, p[1][1])
            k = e[1][2] if e else 1
            site = sites.setdefault(place, {"all": Usage(experts, k), "by_class": {}, "by_group": {}})
            for i in range(n * tokens):
                q = list(p[2][i * experts:(i + 1) * experts])
                best = max(range(experts), key=lambda j: (q[j], -j))
                row = (q, list(e[2][i * k:(i + 1) * k]) if e else [best], list(w[2][i * k:(i + 1) * k]) if e else [q[best]])
                at = i // tokens
                capacity = t.get("layer.%d.%d.capacity" % place if place else "")
                for usage in (site["all"], site["by_group"].setdefault(groups[group[at]], Usage(experts, k)),
                              site["by_class"].setdefault(classes[label[at]], Usage(experts, k)) if label[at] >= 0 else None):
                    if usage and capacity:
                        usage.capacity, usage.tokens = list(capacity[2]), tokens
                site["all"].rows.append(row)
                site["by_group"].setdefault(groups[group[at]], Usage(experts, k)).rows.append(row)
                if label[at] >= 0:
                    site["by_class"].setdefault(classes[label[at]], Usage(experts, k)).rows.append(row)
    return sites


def compare(got, want, where, faults):
    if isinstance(want, dict):
        for key in want:
            compare(got.get(key, "missing"), want[key], where + "." + key, faults)
    elif isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            faults.append("%s: %s, not %s" % (where, got, want))
        else:
            for i, v in enumerate(want):
                compare(got[i], v, "%s[%d]" % (where, i), faults)
    elif want is None or not isinstance(got, (int, float)):
        if got is not want:
            faults.append("%s: %s, not %s" % (where, got, want))
    elif abs(got - want) > 1e-8 * max(1, abs(want)):
        faults.append("%s: %.12g, not %.12g" % (where, got, want))


def check(a):
    with open(a.figures) as f:
        got = json.load(f)
    faults, compared = [], 0
    places = {None: got["gate"]}
    places.update({(v["region"], v["layer"]): v for v in got["layers"]})
    sites = expected(a.routing)
    metas = [container.load(path)[1] for path in a.routing]
    classes, groups = ({name for m in metas for name in json.loads(m[key])} for key in ("moe.classes", "moe.groups"))
    if set(places) != set(sites):
        faults.append("places %s, not %s" % (list(places), list(sites)))
    for place in set(places) & set(sites):
        compare(places[place], sites[place]["all"].figures(), str(place), faults)
        for key, split, labels in (("", "by_class", classes), ("group_", "by_group", groups)):
            special, information = association(sites[place][split], len(labels), sites[place]["all"].experts)
            compare(places[place], {key + "specialisation": special, key + "information": information}, str(place), faults)
        for split in ("by_class", "by_group"):
            if set(places[place][split]) != set(sites[place][split]):
                faults.append("%s %s: other names" % (place, split))
            for name, usage in sites[place][split].items():
                compare(places[place][split].get(name, {}), usage.figures(), "%s.%s.%s" % (place, split, name), faults)
                compared += 1
    print("\n".join(faults[:20]) or "%d places, %d splits: equal" % (len(sites), compared))
    return 1 if faults or not compared else 0


def main():
    parser = argparse.ArgumentParser()
    command = parser.add_subparsers(dest="command", required=True)
    m = command.add_parser("make")
    m.add_argument("out")
    m.add_argument("--seed", type=int, default=1)
    m.add_argument("--windows", type=int, default=40)
    m.add_argument("--first", type=int, default=0)
    m.add_argument("--k", type=int, default=2)
    m.add_argument("--capacity", type=int, default=0)
    c = command.add_parser("check")
    c.add_argument("figures")
    c.add_argument("routing", nargs="+")
    a = parser.parse_args()
    sys.exit(make(a) if a.command == "make" else check(a))


if __name__ == "__main__":
    main()
