#!/usr/bin/env python3
"""Draw how cost grows, from the JSON Lines of the benchmark: plot.py LINES > growth.svg

Four columns, one for each dimension; above the time per window, below the useful GFLOP/s. Both axes are logarithmic, and all panels
of a row share theirs. Grey text and lines on nothing, so that it can be read on a light and on a dark page.
"""
import json
import math
import sys

PANELS = (("T", "samples T"), ("K", "regions K"), ("batch", "batch"), ("ffn", "feed-forward width"))
LINES = (("train", "training step", "#2f7fd0"), ("evaluate", "evaluation", "#e0792b"))
W, H, GAP = 190, 165, 22  # a panel, and the space between two
LEFT, TOP, MIDDLE, BOTTOM = 62, 44, 50, 52
INK, GRID = "#7d828a", "#7d828a"


def ticks(low, high):
    """Round numbers from low to high, more of them when they are close."""
    found, decade = [], 10.0 ** math.floor(math.log10(low))
    steps = (1, 2, 5) if high / low > 10 else (1, 2, 3, 4, 6, 8)
    while decade <= high:
        found += [s * decade for s in steps if low <= s * decade <= high * 1.0001]
        decade *= 10
    return found


def bounds(values):
    """A little room on either side of all values, on a logarithmic axis."""
    return min(values) / 1.25, max(values) * 1.25


class Picture:
    def __init__(self):
        self.parts = []

    def text(self, x, y, s, anchor="middle", size=11, more=""):
        s = s.replace("&", "&amp;").replace("<", "&lt;")
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{INK}"{more}>{s}</text>')

    def line(self, x1, y1, x2, y2, opacity):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{GRID}" stroke-opacity="{opacity}"/>')

    def curve(self, points, colour):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]

    def svg(self, width, height, title):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
                f'font-family="sans-serif" role="img"><title>{title}</title>\n' + "\n".join(self.parts) + "\n</svg>\n")


def panel(p, x0, y0, curves, x_values, y_range, name, first):
    """curves: (colour, [(x, y)]); x_values: what is on the lower axis; first: with numbers on the left."""
    low, high = bounds(x_values)

    def at(x, y):
        return (x0 + W * math.log(x / low) / math.log(high / low),
                y0 + H - H * math.log(y / y_range[0]) / math.log(y_range[1] / y_range[0]))
    for y in ticks(*y_range):
        _, py = at(low, y)
        p.line(x0, py, x0 + W, py, 0.25)
        if first:
            p.text(x0 - 6, py + 4, f"{y:g}", "end")
    for x in x_values:
        px, _ = at(x, y_range[0])
        p.line(px, y0, px, y0 + H, 0.12)
        p.text(px, y0 + H + 15, f"{x:g}", size=10)
    p.line(x0, y0 + H, x0 + W, y0 + H, 0.9)
    p.line(x0, y0, x0, y0 + H, 0.9)
    if name:
        p.text(x0 + W / 2, y0 + H + 34, name, size=12)
    for colour, points in curves:
        p.curve([at(*point) for point in points], colour)


def draw(lines):
    grown = [x for x in lines if x["what"] == "growth"]
    threads = next(x["threads"] for x in lines if x["what"] == "machine")
    p, rows = Picture(), (("ms per window", lambda x: 1e3 * x["seconds_per_window"]), ("useful GFLOP/s", lambda x: x["gflop_per_s"]))
    width, height = LEFT + 4 * W + 3 * GAP + 14, TOP + 2 * H + MIDDLE + BOTTOM - 8
    x = LEFT
    for _, name, colour in LINES:
        p.parts.append(f'<line x1="{x}" y1="18" x2="{x + 22}" y2="18" stroke="{colour}" stroke-width="2"/>'
                       f'<circle cx="{x + 11}" cy="18" r="3" fill="{colour}"/>')
        p.text(x + 28, 22, name, "start", 12)
        x += 130
    p.text(width - 14, 22, f"{threads} threads; the others at T 300, K 4, batch 32, feed-forward 2048", "end", 11)
    for r, (label, value) in enumerate(rows):
        y0 = TOP + r * (H + MIDDLE)
        y_range = bounds([value(x) for x in grown])
        p.text(0, 0, label, size=12, more=f' transform="translate(16 {y0 + H / 2:.0f}) rotate(-90)"')
        for i, (by, name) in enumerate(PANELS):
            here = [x for x in grown if x["by"] == by]
            curves = [(colour, sorted((x["value"], value(x)) for x in here if x["of"] == of)) for of, _, colour in LINES]
            panel(p, LEFT + i * (W + GAP), y0, curves, sorted({x["value"] for x in here}), y_range, name, i == 0)
    return p.svg(width, height, "Time per window and useful GFLOP/s as samples, regions, batch and feed-forward width grow")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as f:
        sys.stdout.write(draw([json.loads(line) for line in f]))
