#!/usr/bin/env python3
"""What users would pick instead, for comparison: PyTorch (eager and compiled), ONNX Runtime, pandas.

usage: peers.py prepare CACHE THREADS      export the model for ONNX Runtime, compile it, compare what they answer; versions as JSON
       peers.py serve PEER CACHE THREADS    answer requests, one JSON object a line on standard input, until it ends:
           {"do": "train" or "evaluate", "ffn": 2048, "batch": 32, "runs": 1}   -> {"seconds": [...]}   (first asked: a warm-up)
           {"do": "mixture", "experts": 8, "batch": 32, "runs": 1}              -> {"seconds": [...]}   training step
           {"do": "csv", "path": "...", "runs": 1}                              -> {"seconds": [...]}
           {"do": "memory"}                                                     -> {"megabytes": 3900.0}  peak of this process
       peers.py start torch|onnx CACHE THREADS      from nothing to the answer for one window, then end

PEER is eager, compiled, loop, onnx or pandas. The model is the one with a transformer encoder per region, a shared token and a gate, said
with torch.nn's own modules, in the size the toolkit's benchmark uses: 300 samples, 64 channels, 4 experts with a halo of 4, hidden
32, 2 layers, 4 heads, dropout 0.1. Parameters are named as moe-train names them, so that its models can be loaded.
"""
import inspect
import json
import os
import subprocess
import sys
import time

T, CHANNELS, EXPERTS, HALO, HIDDEN, LAYERS, HEADS = 300, 64, 4, 4, 32, 2, 4
WIDTHS = 2048, 128
BATCHES = 32, 1


def model_of(ffn):
    import torch
    from torch import nn

    class Expert(nn.Module):
        def __init__(self, columns):
            super().__init__()
            self.input_projection = nn.Linear(columns, HIDDEN)
            self.pos_embedding = nn.Parameter(torch.randn(1, T + 1, HIDDEN))
            layer = nn.TransformerEncoderLayer(HIDDEN, HEADS, dim_feedforward=ffn, dropout=0.1, batch_first=True)
            self.transformer = nn.TransformerEncoder(layer, LAYERS)

        def forward(self, x, token):
            state = torch.cat([token, self.input_projection(x)], dim=1) + self.pos_embedding
            state = self.transformer(state)
            return state[:, 1:].mean(dim=1), state[:, 0]

    class Gate(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(HIDDEN, HIDDEN // 2)
            self.fc2 = nn.Linear(HIDDEN // 2, EXPERTS)

        def forward(self, context):
            return self.fc2(self.fc1(context).relu()).softmax(dim=-1)

    class Regions(nn.Module):
        own = CHANNELS // EXPERTS

        def __init__(self):
            super().__init__()
            self.experts = nn.ModuleList(Expert(self.own + 2 * HALO) for _ in range(EXPERTS))
            self.global_token = nn.Parameter(torch.randn(1, 1, HIDDEN))
            self.gate = Gate()
            self.classifier = nn.Linear(HIDDEN, 2)

        def forward(self, x):
            x = nn.functional.pad(x, (HALO, HALO))
            token = self.global_token.expand(x.shape[0], -1, -1)
            parts = [expert(x[:, :, k * self.own:(k + 1) * self.own + 2 * HALO], token)
                     for k, expert in enumerate(self.experts)]
            summary = torch.stack([s for s, _ in parts], dim=1)
            weight = self.gate(torch.stack([g for _, g in parts], dim=1).mean(dim=1))
            return self.classifier((weight.unsqueeze(-1) * summary).sum(dim=1)), weight

    torch.manual_seed(1)
    return Regions()


# The mixture, as the usual loop over experts has it: the tokens sorted by expert and gathered once (index_select), each expert's
# linear maps on its rows, the weighted answers added once at their places (index_add). One gather for all keeps its backward pass
# from filling a tensor of all tokens for every expert; experts own their tensors, so that no gradient is stacked.
MIXED_T, MIXED_HIDDEN, MIXED_FFN, TOP_K, BALANCE = 100, 64, 256, 2, 0.01


def mixture_model(experts):
    """The same encoder for windows of one region, without a shared token, both layers mixtures; returns logits and balance loss."""
    import torch
    from torch import nn

    class Mixture(nn.Module):
        def __init__(self):
            super().__init__()
            self.router = nn.Linear(MIXED_HIDDEN, experts, bias=False)
            self.up = nn.ModuleList(nn.Linear(MIXED_HIDDEN, MIXED_FFN) for _ in range(experts))
            self.down = nn.ModuleList(nn.Linear(MIXED_FFN, MIXED_HIDDEN) for _ in range(experts))
            self.drop = nn.Dropout(0.1)

        def forward(self, x):
            rows = x.reshape(-1, MIXED_HIDDEN)
            p = self.router(rows).softmax(dim=-1)
            weight, chosen = p.topk(TOP_K, dim=-1)
            weight = weight / weight.sum(dim=-1, keepdim=True)
            flat = chosen.flatten()
            order = flat.argsort(stable=True)
            token = order.div(TOP_K, rounding_mode="floor")
            count = torch.bincount(flat, minlength=experts)
            parts = rows.index_select(0, token).split(count.tolist())
            answers = [down(self.drop(up(part).relu())) for up, down, part in zip(self.up, self.down, parts) if part.shape[0]]
            weighted = torch.cat(answers) * weight.flatten().index_select(0, order).unsqueeze(-1)
            y = torch.zeros_like(rows).index_add(0, token, weighted)
            balance = experts * (count / flat.shape[0] * p.mean(dim=0)).sum()
            return y.reshape(x.shape), balance

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(MIXED_HIDDEN, HEADS, dropout=0.1, batch_first=True)
            self.mixture = Mixture()
            self.norm1, self.norm2 = nn.LayerNorm(MIXED_HIDDEN), nn.LayerNorm(MIXED_HIDDEN)
            self.drop = nn.Dropout(0.1)

        def forward(self, x):
            x = self.norm1(x + self.drop(self.attention(x, x, x, need_weights=False)[0]))
            y, balance = self.mixture(x)
            return self.norm2(x + self.drop(y)), balance

    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.input_projection = nn.Linear(CHANNELS, MIXED_HIDDEN)
            self.pos_embedding = nn.Parameter(torch.randn(1, MIXED_T, MIXED_HIDDEN))
            self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
            self.classifier = nn.Linear(MIXED_HIDDEN, 2)

        def forward(self, x):
            x, loss = self.input_projection(x) + self.pos_embedding, 0
            for layer in self.layers:
                x, balance = layer(x)
                loss = loss + balance
            return self.classifier(x.mean(dim=1)), loss

    torch.manual_seed(1)
    return Mixed()


def windows(batch, length=T):
    import torch
    return torch.randn(batch, length, CHANNELS, generator=torch.Generator().manual_seed(2))


# --- each peer answers case(what, ffn, batch) with a function that does the work once

class Torch:
    def __init__(self, compiled, cache, threads):
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", os.path.join(os.path.abspath(cache), "inductor"))
        import torch
        self.torch, self.compiled = torch, compiled
        torch.set_num_threads(threads)
        if compiled:
            import torch._dynamo
            torch._dynamo.config.recompile_limit = 64

    def case(self, what, ffn, batch):
        torch = self.torch
        model, x = model_of(ffn), windows(batch)
        y = torch.arange(batch) % 2
        run = torch.compile(model, dynamic=False) if self.compiled else model
        if what == "evaluate":
            model.eval()

            def evaluate():
                with torch.inference_mode():
                    return run(x)
            return evaluate
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01, fused=True)

        def step():
            loss = torch.nn.functional.cross_entropy(run(x)[0], y)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            return loss.item()
        return step


class Loop:
    def __init__(self, threads):
        import torch
        self.torch = torch
        torch.set_num_threads(threads)

    def case(self, _, experts, batch):
        torch = self.torch
        model, x, y = mixture_model(experts), windows(batch, MIXED_T), torch.arange(batch) % 2
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01, fused=True)

        def step():
            logits, balance = model(x)
            loss = torch.nn.functional.cross_entropy(logits, y) + BALANCE * balance
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
            optimizer.step()
            optimizer.zero_grad()
            return loss.item()
        return step


def onnx_file(cache, ffn, batch):
    return os.path.join(cache, f"model-{ffn}-{batch}.onnx")


class Onnx:
    def __init__(self, cache, threads):
        import onnxruntime
        self.runtime, self.cache, self.threads = onnxruntime, cache, threads

    def case(self, what, ffn, batch):
        import numpy
        options = self.runtime.SessionOptions()
        options.intra_op_num_threads = self.threads
        session = self.runtime.InferenceSession(onnx_file(self.cache, ffn, batch), options, providers=["CPUExecutionProvider"])
        x = numpy.random.default_rng(2).standard_normal((batch, T, CHANNELS), dtype=numpy.float32)
        name = session.get_inputs()[0].name
        return lambda: session.run(None, {name: x})


class Pandas:
    def __init__(self):
        import pandas
        self.pandas = pandas

    def read(self, path):
        return self.pandas.read_csv(path, engine="c")


def open_peer(name, cache, threads):
    if name == "onnx":
        return Onnx(cache, threads)
    if name == "loop":
        return Loop(threads)
    return Pandas() if name == "pandas" else Torch(name == "compiled", cache, threads)


# --- answering

def peak_megabytes():
    with open("/proc/self/status", encoding="ascii") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM"))


def timed(work, runs):
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return seconds


def serve(name, cache, threads):
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is not an answer
    peer, cases = open_peer(name, cache, threads), {}
    for line in sys.stdin:
        ask = json.loads(line)
        try:
            if ask["do"] == "memory":
                answer = {"megabytes": peak_megabytes()}
            elif ask["do"] == "csv":
                answer = {"seconds": timed(lambda: peer.read(ask["path"]), ask["runs"])}
            else:
                key = ask["do"], ask["experts" if ask["do"] == "mixture" else "ffn"], ask["batch"]
                if key not in cases:
                    cases[key] = peer.case(*key)
                    cases[key]()
                answer = {"seconds": timed(cases[key], ask["runs"])}
        except Exception as problem:  # a peer that cannot is told of, and the others go on
            answer = {"error": f"{type(problem).__name__}: {problem}".splitlines()[0]}
        print(json.dumps(answer), file=answers, flush=True)


def start(name, cache, threads):
    if name == "torch":
        import torch
        torch.set_num_threads(threads)
        model = model_of(WIDTHS[0])
        model.load_state_dict(torch.load(os.path.join(cache, "model.pt")))
        with torch.inference_mode():
            print(model.eval()(windows(1)))
    else:
        print(Onnx(cache, threads).case("evaluate", WIDTHS[0], 1)())


def prepare(cache, threads):
    import logging
    import onnxruntime
    import pandas
    import torch
    versions = {"PyTorch": torch.__version__, "ONNX Runtime": onnxruntime.__version__, "pandas": pandas.__version__}
    stamp = os.path.join(cache, "versions.json")
    wanted = json.dumps([versions, threads, inspect.getsource(model_of)])
    if os.path.exists(stamp) and open(stamp, encoding="utf-8").read() == wanted:
        print(json.dumps(versions))
        return
    os.makedirs(cache, exist_ok=True)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    for ffn in WIDTHS:
        model = model_of(ffn).eval()
        for batch in BATCHES:
            x, path = windows(batch), onnx_file(cache, ffn, batch)
            torch.onnx.export(model, (x,), dynamo=True, verbose=False).save(path)
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            with torch.inference_mode():
                off = (torch.from_numpy(session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]) - model(x)[0]).abs().max()
            if not off < 1e-4:
                sys.exit(f"{path}: ONNX Runtime and PyTorch differ by {off}")
        if ffn == WIDTHS[0]:
            torch.save(model.state_dict(), os.path.join(cache, "model.pt"))
    # In a process of its own, as it will run: what is compiled there is found again in CACHE.
    asks = [{"do": "train", "ffn": f, "batch": BATCHES[0], "runs": 0} for f in WIDTHS]
    asks += [{"do": "evaluate", "ffn": f, "batch": b, "runs": 0} for b in BATCHES for f in WIDTHS]
    done = subprocess.run([sys.executable, "-B", __file__, "serve", "compiled", cache, threads], text=True, check=True,
                          input="".join(json.dumps(a) + "\n" for a in asks), stdout=subprocess.PIPE)
    for problem in {json.loads(line).get("error") for line in done.stdout.splitlines()} - {None}:
        print(f"peers.py: torch.compile does not work here: {problem}", file=sys.stderr)
    with open(stamp, "w", encoding="utf-8") as f:
        f.write(wanted)
    print(json.dumps(versions))


def main(args):
    if len(args) == 3 and args[0] == "prepare":
        prepare(args[1], args[2])
    elif len(args) == 4 and args[0] in ("serve", "start"):
        (serve if args[0] == "serve" else start)(args[1], args[2], int(args[3]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
