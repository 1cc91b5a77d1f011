#!/usr/bin/env python3
"""Load a trained model into a PyTorch class and compare its answers with those of moe-predict.

usage: moe-predict -m MODEL WINDOWS | load_in_torch.py --listing FILE --model MODEL --windows WINDOWS

FILE is a document with the class DistributedEEGMoE in a fenced code block (or plain Python). The model must be one that this class
can express: preset `seed`, two classes, channels that the regions divide evenly. Its parameters are taken with strict=True; scale.mean
and scale.std are not parameters of the class, so the scaling is done here, before the windows go in. Prints the largest differences
of logits and gate weights; exit 1 when one is above --tolerance. Needs torch (the files are read by hand).
"""
import argparse
import json
import re
import struct
import sys

import torch

DTYPE = {"F32": torch.float32, "I32": torch.int32, "I64": torch.int64, "U8": torch.uint8}


def read_container(path):
    with open(path, "rb") as f:
        (length,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(length))
        data = bytearray(f.read())
    meta = header.pop("__metadata__", {})
    return {name: torch.frombuffer(data, dtype=DTYPE[e["dtype"]], offset=e["data_offsets"][0],
                                   count=(e["data_offsets"][1] - e["data_offsets"][0]) // DTYPE[e["dtype"]].itemsize
                                   ).reshape(e["shape"]).clone()
            for name, e in header.items()}, meta


def listing_class(path):
    """Runs the code of the document (its example under __main__ does not run) and returns the class."""
    text = open(path, encoding="utf-8").read()
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.S | re.M) or [text]
    for block in blocks:
        if "class DistributedEEGMoE" in block:
            names = {"__name__": "listing"}
            exec(compile(block, path, "exec"), names)
            return names["DistributedEEGMoE"]
    sys.exit(f"{path}: no code block with class DistributedEEGMoE")


def build(cls, tensors, meta):
    channels = json.loads(meta["moe.channels"])
    regions = json.loads(meta["moe.regions"])
    layers = {int(m.group(1)) for m in (re.search(r"\.layers\.(\d+)\.", n) for n in tensors) if m}
    # dim_feedforward is fixed in the class: it can only load models of that width, which load_state_dict checks
    net = cls(total_channels=len(channels), time_points=int(meta["moe.length"]), num_experts=len(regions),
              expert_hidden_dim=tensors["global_token"].shape[2], expert_layers=len(layers), halo_size=int(meta["moe.halo"]))
    net.load_state_dict({n: t for n, t in tensors.items() if not n.startswith("scale.")}, strict=True)
    return net.eval()


def whole_windows(tensors, meta):
    """[N][T][C], put together from the regions' own channels."""
    length, n = int(meta["moe.length"]), len(json.loads(meta["moe.channels"]))
    signal = torch.zeros(tensors["expert.0"].shape[0], n)
    for k in range(len(json.loads(meta["moe.regions"]))):
        for column, (channel, core) in enumerate(zip(tensors[f"region.{k}.channel"], tensors[f"region.{k}.core"])):
            if core:
                signal[:, channel] = tensors[f"expert.{k}"][:, column]
    return torch.stack([signal[s:s + length] for s in tensors["window.start"]])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--listing", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--windows", required=True)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    a = parser.parse_args()
    tensors, meta = read_container(a.model)
    net = build(listing_class(a.listing), tensors, meta)
    windows, windows_meta = read_container(a.windows)
    if windows_meta["moe.channels"] != meta["moe.channels"]:
        sys.exit("windows and model have different channels, or in another order")
    x = whole_windows(windows, windows_meta)
    if "scale.mean" in tensors:
        x = (x - tensors["scale.mean"]) / tensors["scale.std"]
    with torch.no_grad():
        logits, gate = net(x)
    answers = [json.loads(line) for line in sys.stdin]
    if len(answers) != len(x):
        sys.exit(f"{len(answers)} answers for {len(x)} windows")
    off = {"logits": (logits - torch.tensor([r["logits"] for r in answers])).abs().max().item(),
           "gate": (gate.squeeze(-1) - torch.tensor([r["gate"] for r in answers])).abs().max().item()}
    print(f"{len(x)} windows; largest difference: logits {off['logits']:.2e}, gate {off['gate']:.2e}")
    sys.exit(any(not v <= a.tolerance for v in off.values()))


if __name__ == "__main__":
    main()
