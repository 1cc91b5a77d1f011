#!/usr/bin/env python3
"""The convolutional networks EEG is commonly classified with, as braindecode has them, on a windows file of ours: one thread.

usage: networks.py train NETWORK WINDOWS MODEL      12 epochs, batches of 64, AdamW, cosine schedule; MODEL is written
       networks.py predict NETWORK WINDOWS MODEL    the probabilities of every window's classes
       networks.py versions

NETWORK is the name of a class of braindecode.models, taken with its own defaults. Prints one JSON object: seconds (user CPU time from
reading WINDOWS to the end), system (what the kernel took for it meanwhile) and imports (user CPU time of the imports before, which
seconds lacks); predict also accuracy, that on the windows that have a label.
"""
import json
import mmap
import os
import resource
import sys

os.environ["OMP_NUM_THREADS"] = "1"
EPOCHS, BATCH, RATE, DECAY = 12, 64, 1e-3, 0.01


def usage():
    return resource.getrusage(resource.RUSAGE_SELF)


def package():
    """braindecode.models. Its filters import torchaudio, whose last release refuses a PyTorch made for another CUDA than its own;
    these networks have no such filters."""
    import warnings
    from unittest import mock
    warnings.simplefilter("ignore")
    for name in "torchaudio", "torchaudio.functional", "torchaudio.transforms":
        sys.modules[name] = mock.MagicMock()
    import braindecode.models
    return braindecode.models


def read(path):
    """A windows file (man moe-formats): samples [channels][S], first sample and label of each window, its length, number of classes."""
    import torch
    types = {"F32": torch.float32, "I32": torch.int32, "I64": torch.int64, "U8": torch.uint8}
    with open(path, "rb") as f:
        data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY)
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])

    def tensor(name):
        t = header[name]
        begin, end = t["data_offsets"]
        kind = types[t["dtype"]]
        return torch.frombuffer(data, dtype=kind, count=(end - begin) // kind.itemsize, offset=start + begin).reshape(t["shape"])
    about = header["__metadata__"]
    channels = [None] * len(json.loads(about["moe.channels"]))
    for k in range(len(json.loads(about["moe.regions"]))):
        for column, (channel, core) in enumerate(zip(tensor(f"region.{k}.channel").tolist(), tensor(f"region.{k}.core").tolist())):
            if core:
                channels[channel] = tensor(f"expert.{k}")[:, column]
    return (torch.stack(channels), tensor("window.start"), tensor("window.label").long(), int(about["moe.length"]),
            len(json.loads(about["moe.classes"])))


def work(do, network, path, model_path):
    import torch
    models = package()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    before = usage()
    samples, start, label, length, classes = read(path)
    model = getattr(models, network)(n_chans=len(samples), n_outputs=classes, n_times=length)
    if do == "train":
        known = label >= 0
        start, label = start[known], label[known]
        scale = samples.mean(dim=1, keepdim=True), samples.std(dim=1, keepdim=True)
    else:
        saved = torch.load(model_path)
        scale = saved["scale"]
        model.load_state_dict(saved["model"])
    windows = ((samples - scale[0]) / scale[1]).unfold(1, length, 1).transpose(0, 1)  # a view: [first sample][channels][length]
    told = {}
    if do == "train":
        optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY, fused=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * -(-len(start) // BATCH))
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(start)).split(BATCH):
                torch.nn.functional.cross_entropy(model(windows[start[batch]]), label[batch]).backward()
                optimizer.step()
                optimizer.zero_grad()
                schedule.step()
        torch.save({"model": model.state_dict(), "scale": scale}, model_path)
    else:
        model.eval()
        with torch.inference_mode():
            p = torch.cat([model(windows[batch]).softmax(dim=1) for batch in start.split(BATCH)])
        told["accuracy"] = (p.argmax(dim=1) == label)[label >= 0].float().mean().item()
    after = usage()
    print(json.dumps({"seconds": after.ru_utime - before.ru_utime, "system": after.ru_stime - before.ru_stime,
                      "imports": before.ru_utime, **told}))


if __name__ == "__main__":
    if sys.argv[1:] == ["versions"]:
        from importlib.metadata import version
        print(json.dumps({"PyTorch": version("torch"), "braindecode": version("braindecode")}))
    elif len(sys.argv) == 5 and sys.argv[1] in ("train", "predict"):
        work(*sys.argv[1:])
    else:
        sys.exit(__doc__)
