#!/usr/bin/env python3
"""Turn a golden case into the two files the programs read (standard library only).

usage: golden_files.py CASE.safetensors MODEL WINDOWS
"""
import array
import json
import sys

import container


def layout(meta):
    """The metadata that a model and its windows have in common."""
    return {
        "moe.length": meta["length"],
        "moe.stride": meta["length"],
        "moe.rate": meta["rate"],
        "moe.unit": "uV",
        "moe.halo": meta["halo"],
        "moe.channels": meta["channels"],
        "moe.classes": meta["classes"],
    }


def write_model(case, path):
    tensors, meta = case
    parameters = {name[6:]: t for name, t in tensors.items() if name.startswith("param.")}
    named = {"moe.conditions": meta["conditions"]} if "conditions" in meta else {}
    container.save(path, parameters, {
        **layout(meta), **named, "moe.format": "model/1", "moe.config": meta["config"], "moe.regions": meta["regions"]})


def write_windows(case, path):
    tensors, meta = case
    _, (n, length, channels), x = tensors["x"]
    regions = json.loads(meta["regions"])
    out = {}
    for k, region in enumerate(regions):
        columns = region["channel"]
        signal = array.array("f")
        for row in range(n * length):
            signal.extend(x[row * channels + c] if c >= 0 else 0.0 for c in columns)
        out[f"expert.{k}"] = ("F32", [n * length, len(columns)], signal)
        out[f"region.{k}.channel"] = container.tensor("I32", [len(columns)], columns)
        out[f"region.{k}.core"] = container.tensor("U8", [len(columns)], region["core"])
    out["window.start"] = container.tensor("I64", [n], range(0, n * length, length))
    out["window.label"] = container.tensor("I32", [n], tensors["y"][2])
    out["window.recording"] = container.tensor("I32", [n], [0] * n)
    out["window.group"] = container.tensor("I32", [n], [0] * n)
    named = {}
    if "conditions" in meta:  # another order than the model's: names are what counts
        conditions = json.loads(meta["conditions"])
        named["moe.conditions"] = json.dumps(conditions[::-1])
        out["window.condition"] = container.tensor("I32", [n], [len(conditions) - 1 - c for c in tensors["condition"][2]])
    container.save(path, out, {
        **layout(meta), **named, "moe.format": "windows/1", "moe.recordings": '["golden"]', "moe.groups": '["golden"]',
        "moe.regions": json.dumps([r["name"] for r in regions])})


def main(case, model, windows):
    loaded = container.load(case)
    write_model(loaded, model)
    write_windows(loaded, windows)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip())
    main(*sys.argv[1:])
