"""From what was measured to the rows of the table: ours, the fastest peer, how far we reach. Used by run.

A row: part (model or training-run), row (what), ours, peer and who (or none), unit; score is what is held against least and aim (a
ratio, or ours itself), and less says that a smaller score is better; verdict: short, reached, aim.
"""

HIGH, LOW = False, True


def verdict(score, least, aim, less):
    def holds(bound):
        return bound is not None and (score <= bound if less else score >= bound)
    if least is None:
        return ""
    if not holds(least):
        return "short"
    return "aim" if holds(aim) else "reached"


class Measured:
    def __init__(self, lines):
        self.lines = lines
        self.threads = next(x["threads"] for x in lines if x["what"] == "machine")

    def times(self, of, **keys):
        return [x for x in self.lines if x["what"] == "time" and x["of"] == of and all(x.get(k) == v for k, v in keys.items())]

    def ours(self, of, **keys):
        return next((x for x in self.times(of, who="ours", **keys)), None)

    def fastest(self, of, **keys):
        return min((x for x in self.times(of, **keys) if x["who"] != "ours"), key=lambda x: x["seconds"], default=None)


def row(name, ours, unit, least, aim, less=HIGH, peer=None, who=None, score=None, more=None):
    if score is None:
        score = ours
    return {"row": name, "ours": ours, "unit": unit, "peer": peer, "who": who, "score": score, "least": least, "aim": aim, "less": less,
            "verdict": verdict(score, least, aim, less) if score is not None else "not measured", "more": more}


def against(m, name, of, least, aim, **keys):
    mine, other = m.ours(of, **keys), m.fastest(of, **({k: v for k, v in keys.items() if k != "threads"}))
    if not other:
        return row(name, mine["seconds"], "s", least, aim) | {"score": None, "verdict": "no peers"}
    return row(name, mine["seconds"], "s", least, aim, peer=other["seconds"], who=other["who"], score=other["seconds"] / mine["seconds"])


def engine_rows(m):
    for of, name, bounds in (("train", "training step", {2048: (8, 12), 128: (8, 12)}),
                             ("evaluate", "evaluation of 32 windows", {2048: (2, 2.7), 128: (1.8, 2.5)}),
                             ("window", "one window", {2048: (1.5, 2.1), 128: (1.3, 2)})):
        for ffn, (least, aim) in bounds.items():
            yield against(m, f"{name}, feed-forward {ffn}", of, least, aim, ffn=ffn, threads=m.threads)
    step, sgemm = m.ours("train", ffn=2048, threads=m.threads), m.ours("sgemm")
    blas = 2e-9 * 2048 ** 3 / sgemm["seconds"] * m.threads
    rate = step["gflop"] / step["seconds"]
    yield row("useful work of a training step, of sgemm's rate", rate, "GFLOP/s", 0.5, 0.65, peer=blas,
              who=f"sgemm 2048^3 x {m.threads}", score=rate / blas, more=f"{step['gflop']:.1f} GFLOP a step")
    if m.threads > 1:
        for of, name in ("train", "training"), ("evaluate", "evaluation"):
            for ffn in 2048, 128:
                one, all_ = m.ours(of, ffn=ffn, threads=1), m.ours(of, ffn=ffn, threads=m.threads)
                yield row(f"{m.threads} threads against one, {name}, feed-forward {ffn}", all_["seconds"], "s",
                          *((1.85, 1.95) if m.threads == 2 else (None, None)), peer=one["seconds"], who="one thread",
                          score=one["seconds"] / all_["seconds"])


def mixture_rows(m):
    """Hidden 64, feed-forward 256 an expert, 100 tokens, batch 32, one region, both layers mixtures of which a token takes two."""
    dense, few, many = (m.ours("mixture", experts=e, threads=m.threads) for e in (0, 8, 64))
    yield row("top-2 of 64 experts, training step, against of 8", many["seconds"], "s", 1.15, 1.05, LOW, peer=few["seconds"],
              who="8 experts", score=many["seconds"] / few["seconds"])
    yield row("top-2 of 8 experts, training step, against dense of the same active size", few["seconds"], "s", 1.25, 1.1, LOW,
              peer=dense["seconds"], who="feed-forward 512", score=few["seconds"] / dense["seconds"])
    for e in 8, 64:
        yield against(m, f"top-2 of {e} experts, training step", "mixture", 5, 10, experts=e, threads=m.threads)
    for e in 8, 64:
        layer, alone = m.ours("mixture layer", experts=e), m.ours("mixture layer, experts alone", experts=e)
        share = 100 * (1 - alone["seconds"] / layer["seconds"])
        yield row(f"routing, dispatch and combine of {e} experts, of the layer's time", share, "%", 15, 8, LOW)


def program_rows(m):
    memory = [x for x in m.lines if x["what"] == "memory" and x["of"] == "train" and "who" in x]
    mine = next(x for x in memory if x["who"] == "ours")
    other = min((x for x in memory if x["who"] != "ours"), key=lambda x: x["megabytes"], default={})
    yield row("peak memory of training", mine["megabytes"], "MB", 150, 80, LOW, peer=other.get("megabytes"), who=other.get("who"),
              score=mine["megabytes"], more=f"{mine['anonymous']:.0f} MB of it not mapped from files")
    start = m.fastest("start, windows") or {}
    for of in "windows", "raw CSV":
        ms = 1e3 * m.ours("start, " + of)["seconds"]
        peer = 1e3 * start["seconds"] if start and of == "windows" else None
        yield row(f"moe-predict, start to first line, {of}", ms, "ms", 30, 10, LOW, peer=peer, who=peer and start["who"], score=ms)
    split, newlines = m.ours("split"), m.fastest("newlines")
    yield against(m, "moe-split of 60,000 x 64 CSV, one thread", "split", 3, 4) | {
        "more": f"{100 * newlines['seconds'] / split['seconds']:.1f} % of the rate of memchr for newlines"}


def live_rows(m):
    for x in m.lines:
        if x["what"] == "live stream":
            yield row(f"{x['of']}, live: last row in to line out, median", x["median_ms"], "ms", 10, None, LOW)
            yield row(f"{x['of']}, live: last row in to line out, 99th percentile", x["p99_ms"], "ms", 20, None, LOW)


def training_run_rows(m):
    """User CPU time on one thread: least and aim are those of a whole training run, against each network."""
    about = next(x for x in m.lines if x["what"] == "training run")
    for of, name, least, aim in (("training run", f"training run on {about['windows']:,} windows", 10, 15),
                                 ("predictions", f"prediction of {about['predicted']:,} windows", None, None)):
        mine, others = m.ours(of)["seconds"], [x for x in m.times(of) if x["who"] != "ours"]
        for x in others:
            yield row(name, mine, "s", least, aim, peer=x["seconds"], who=x["who"], score=x["seconds"] / mine)
        if not others:
            yield row(name, mine, "s", least, aim) | {"verdict": "no peers"}


def rows(lines):
    """Those of the parts that were measured; part says of which."""
    m, measured = Measured(lines), {x["what"] for x in lines}
    model = [engine_rows, mixture_rows, program_rows, live_rows] if "growth" in measured else []
    training_run = [training_run_rows] if "training run" in measured else []
    return [{"part": part, **r} for part, kinds in (("model", model), ("training-run", training_run)) for kind in kinds for r in kind(m)]
