#!/usr/bin/env python3
"""Show the JSON Lines of the benchmark: the table, the engine's own figures, how cost grows.

usage: table.py LINES                   print all of it
       table.py LINES --write FILE      rewrite what stands in FILE between the marks <!-- bench PART --> and <!-- /bench PART --> of
                                        the parts that were measured: model, training-run
"""
import json
import re
import sys
import textwrap

# What the cost of each dimension is made of; said beside the figures.
BOUND = {
    "T": "The feed-forward grows with T and is a matrix product; attention grows with T^2 and is bound by its exponentials and, in "
         "training, dropout's generator: at 1200 it is more than half of the time.",
    "K": "Every region sees all T samples, so the work is that of K encoders of equal size; nothing is shared but the gate: linear.",
    "batch": "Windows are independent: the time for each stays the same, but for small batches, where threads wait for the last task.",
    "ffn": "Attention, norms and projections cost the same at any width and are most of it below 512; beyond, the two matrix products "
           "are, and they run near the speed of sgemm with a hidden size of 32.",
}
LABEL = {"T": "samples T", "K": "regions K", "batch": "batch", "ffn": "feed-forward"}


def read(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def short(x):
    """Three digits, no exponent."""
    if x is None:
        return ""
    digits = 0 if abs(x) >= 100 else 1 if abs(x) >= 10 else 2 if abs(x) >= 1 else 3 if abs(x) >= 0.1 else 4
    return f"{x:.{digits}f}"


def time_of(row, key):
    """Seconds below 0.1 are told in ms; ours and the peer's in the same unit."""
    x = row[key]
    if x is None:
        return ""
    if row["unit"] == "s" and min(row["ours"], row["peer"] or row["ours"]) < 0.1:
        return short(1e3 * x) + " ms"
    return f"{short(x)} {row['unit']}".strip()


def is_ratio(row):
    return row["peer"] is not None and row["score"] != row["ours"]


def bound(row, key):
    if row[key] is None:
        return ""
    if row["less"]:
        unit = "times" if is_ratio(row) else row["unit"]
        return f"{'under' if key == 'least' else ''} {row[key]:g} {unit}".strip()
    return f"{row[key]:g}"


def cells(row):
    ratio = ""
    if row["peer"]:
        x = row["score"] if is_ratio(row) else row["peer"] / row["ours"]
        ratio = short(x) if x < 100 else f"{x:.0f}"
    return [row["row"], time_of(row, "ours"), time_of(row, "peer"), row["who"] or "", ratio, bound(row, "least"), bound(row, "aim"),
            row["verdict"]]


HEAD = ["what", "ours", "other", "which", "ratio", "at least", "aim", "verdict"]


def plain(head, body):
    width = [max(len(r[i]) for r in [head] + body) for i in range(len(head))]
    for r in [head] + body:
        print("  ".join(c.ljust(w) if i == 0 or head[i] in ("which", "verdict") else c.rjust(w)
                        for i, (c, w) in enumerate(zip(r, width))).rstrip())


def machine(lines):
    m = next(x for x in lines if x["what"] == "machine")
    peers = ", ".join(f"{k} {v}" for k, v in m["peers"].items()) or "none"
    return (f"{m['cpu']}, {m['cores']} cores; {m['blas']}; {m['compiler']}", f"peers: {peers}",
            f"{m['threads']} threads where not said otherwise; medians of {m['rounds']} rounds in turn; {m['time']}", m)


def disturbed(lines, parts=("model",)):
    others = next(x["share"] for x in lines if x["what"] == "others")
    if others <= 0.05:
        return ""
    so = "do not rely on the ratios" if "model" in parts else "CPU time leaves them out, but caches and memory were shared"
    return f"Other programs took {100 * others:.0f} % of the processors meanwhile: {so}."


PRESET_HEAD = ["preset", "parameters", "active", "GFLOP a step", "ms a step", "MB"]
PRESETS = ("A training step of 8 windows of 100 tokens, one region, against the same encoder with dense feed-forwards of equal size. Useful "
           "work as above; MB: peak memory of the process.")


def preset_cells(lines):
    for x in lines:
        if x["what"] == "preset":
            name = x["who"] + (f", 1/{x['narrow']} as wide" if x["narrow"] > 1 and x["who"] == x["preset"] else "")
            yield [name, f"{x['parameters']:,}", f"{x['active']:,}", short(x["gflop"]), short(1e3 * x["seconds"]), f"{x['megabytes']:.0f}"]


def show(lines):
    where, peers, how, m = machine(lines)
    print(f"{where}\n{peers}\n{how}\n")
    rows = [x for x in lines if x["what"] == "reach"]
    parts = {r["part"] for r in rows}
    if disturbed(lines, parts):
        print(disturbed(lines, parts) + "\n")
    plain(HEAD, [cells(r) for r in rows])
    for r in rows:
        if r["more"]:
            print(f"  {r['row']}: {r['more']}")
    for x in lines:  # of programs beside, in their own words
        if x["what"] not in ("machine", "others", "time", "growth", "reach", "memory", "live stream", "preset", "training run"):
            print("  " + ", ".join(f"{k}: {v}" for k, v in x.items()))
    if training_run(lines):
        print("\n" + textwrap.fill(training_run(lines), 120))
    if "model" in parts:
        show_engine(lines)
    print("\nAll that was timed: median, least and most seconds\n")
    body = [[x["of"] + (f", ffn {x['ffn']}" if "ffn" in x else "") + (f", {x['experts']} experts" if "experts" in x else "") + (f", {x['threads']} threads" if "threads" in x else ""), x["who"],
             f"{x['seconds']:.4f}", f"{x['least']:.4f}", f"{x['most']:.4f}", str(x["runs"])] for x in lines if x["what"] == "time"]
    plain(["what", "who", "median", "least", "most", "runs"], sorted(body))
    if any(preset_cells(lines)):
        print("\n" + textwrap.fill(PRESETS, 120) + "\n")
        plain(PRESET_HEAD, list(preset_cells(lines)))
    if "model" in parts:
        show_growth(lines, m["threads"])


def show_engine(lines):
    sgemm = next(x for x in lines if x["what"] == "time" and x["of"] == "sgemm")
    rate = 2e-9 * 2048 ** 3 / sgemm["seconds"]
    print(f"\nThe engine alone (sgemm 2048^3 on one thread: {rate:.1f} GFLOP/s). Useful work: 2 for each multiplication of the matrix\n"
          "products, and twice that again backward; nothing that is computed a second time.\n")
    body = []
    for x in lines:
        if x["what"] == "time" and "gflop" in x:
            n = 1 if x["of"] == "window" else 32
            name = {"train": "training step", "evaluate": "evaluation of 32", "window": "one window"}[x["of"]]
            body.append([name, str(x["ffn"]), str(x["threads"]), f"{1e3 * x['seconds']:.1f}", f"{n / x['seconds']:.1f}",
                         f"{x['gflop']:.2f}", f"{x['gflop'] / x['seconds']:.1f}", f"{x['gflop'] / x['seconds'] / rate / x['threads']:.2f}"])
    plain(["what", "ffn", "threads", "ms", "windows/s", "GFLOP", "GFLOP/s", "of sgemm"], body)


def show_growth(lines, threads):
    print(f"\nHow cost grows from the shape above, {threads} threads\n")
    grown = [x for x in lines if x["what"] == "growth"]
    for by in BOUND:
        body = []
        for value in sorted({x["value"] for x in grown if x["by"] == by}):
            at = {x["of"]: x for x in grown if x["by"] == by and x["value"] == value}
            body.append([str(value)] + [t for of in ("train", "evaluate") for t in (
                f"{1e3 * at[of]['seconds_per_window']:.2f}", f"{at[of]['gflop_per_s']:.1f}")] + [f"{at['train']['megabytes']:.0f}"])
        plain([LABEL[by].ljust(12), "training ms/window", "GFLOP/s", "evaluation ms/window", "GFLOP/s", "training MB"], body)
        print(textwrap.fill(BOUND[by], 120) + "\n")


def training_run(lines):
    """What the rows of training runs do not say."""
    x = next((x for x in lines if x["what"] == "training run"), None)
    if not x:
        return ""

    def told(of):
        return ", ".join(f"{who} {short(seconds)} s" for who, seconds in x[of].items())
    imports = f" Imports, not counted: {told('imports')}." if x["imports"] else ""
    return f"Taken by the kernel in training, not counted: {told('system')}.{imports}"


def write(lines, path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for part in dict.fromkeys(x["part"] for x in lines if x["what"] == "reach"):
        text, n = re.subn(rf"(<!-- bench {part} -->\n).*(<!-- /bench {part} -->)",
                          lambda mark: mark.group(1) + "\n".join(markdown(lines, part)) + "\n" + mark.group(2), text, flags=re.S)
        if n != 1:
            sys.exit(f"{path}: the marks <!-- bench {part} --> and <!-- /bench {part} --> are not there")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def markdown(lines, part):
    where, peers, _, m = machine(lines)
    out = ["| what | ours | other | ratio |", "|---|---|---|---|"]
    for r in (x for x in lines if x["what"] == "reach" and x["part"] == part):
        if r["score"] is None:
            continue
        c = [text.replace("|", "\\|") for text in cells(r)]
        out.append(f"| {c[0]} | {c[1]} | {c[2]}{', ' + c[3] if c[3] else ''} | {c[4]} |")
    if part == "training-run":
        return out + [" ".join(filter(None, (f"\nOn {where}; {peers}; one thread, rounds: {m['rounds']}.", disturbed(lines, [part]),
                                             training_run(lines))))]
    out.append(f"\nOn {where}; {peers}; {m['threads']} threads, rounds: {m['rounds']}. {disturbed(lines)}".rstrip())
    if any(preset_cells(lines)):
        out += ["", PRESETS.replace("as above", "2 for each multiplication of the matrix products forward, and twice that again backward"), "",
                "| " + " | ".join(PRESET_HEAD) + " |", "|" + "---|" * len(PRESET_HEAD)]
        out += ["| " + " | ".join(c) + " |" for c in preset_cells(lines)]
    return out


if __name__ == "__main__":
    if len(sys.argv) == 2:
        show(read(sys.argv[1]))
    elif len(sys.argv) == 4 and sys.argv[2] == "--write":
        write(read(sys.argv[1]), sys.argv[3])
    else:
        sys.exit(__doc__)
