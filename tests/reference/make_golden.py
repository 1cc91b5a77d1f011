#!/usr/bin/env python3
"""Record the golden cases: the region model computed a second time, with PyTorch, in double precision.

usage: make_golden.py FOLDER [CASE...]       write every case, or those named, into FOLDER
       make_golden.py --compare FILE...      compute the given cases again and print how far they are off

Parameters and inputs are drawn as float32; everything after that is double, without dropout, and stored as float32.
A case holds x [B][T][C], y [B], condition [B] where the router reads it, param.*, and what must come out: logits [B][classes], gate [B][K], grad.* of the first step,
losses [3] of three AdamW steps on the one batch, and stepped.* after them. Metadata: config (the model's configuration), regions
(as in a model file), set (what moe-train gets with --set), channels, classes, length, halo, rate,
conditions (their names).
"""
import array
import json
import math
import os
import sys
import zlib

import container
import experts
import mixture
import tokens
import torch
from torch.nn import functional

STEPS = 3
TRAIN = {"lr": 1e-3, "weight_decay": 0.01, "decay": "all", "clip_norm": 0, "class_weight": "none", "label_smoothing": 0,
         "expert_loss_weight": 0}
ENCODER = {"hidden_dim": 8, "layers": 1, "heads": 2, "ffn_dim": 12, "activation": "relu", "norm": "post",
           "positional": "learned", "tokens": "sample", "patch": 1}
BRIDGE = {"tokens": 1, "sync": "end"}
GATE = {"temperature": 1.0}
ABSENT = {"pool": "mean", "sync_every": 1, "type": "mlp", "combine": "features", "top_k": 0, "load_balance_weight": 0}


# --- the regions: K runs of consecutive channels, the first C mod K one longer, `halo` further columns on either side

def index_regions(channels, regions, halo):
    out, first = [], 0
    for k in range(regions):
        after = first + channels // regions + (k < channels % regions)
        span = range(first - halo, after + halo)
        out.append({"name": str(k), "channel": [c if 0 <= c < channels else -1 for c in span],
                    "core": [int(first <= c < after) for c in span]})
        first = after
    return out


def columns(x, region):
    """x [B][T][C] -> [B][T][W], padding columns are zero"""
    index = torch.tensor(region["channel"])
    return x[:, :, index.clamp(min=0)] * (index >= 0).to(x.dtype)


# --- the model, as functions of a dictionary of parameters p

def affine(p, name, x):
    return x @ p[name + ".weight"].T + p[name + ".bias"]


def standardise(p, name, x):
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt() * p[name + ".weight"] + p[name + ".bias"]


def attend(p, name, x, heads):
    b, n, h = x.shape
    projected = x @ p[name + ".in_proj_weight"].T + p[name + ".in_proj_bias"]
    q, k, v = (part.reshape(b, n, heads, h // heads) for part in projected.split(h, dim=-1))
    score = torch.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(h // heads)
    score = (score - score.amax(-1, keepdim=True)).exp()
    mixed = torch.einsum("bhqk,bkhd->bqhd", score / score.sum(-1, keepdim=True), v)
    return affine(p, name + ".out_proj", mixed.reshape(b, n, h))


def feed_forward(p, name, x, activation):
    hidden = affine(p, name + ".linear1", x)
    hidden = hidden.clamp(min=0) if activation == "relu" else hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2
    return affine(p, name + ".linear2", hidden)


def encoder_layer(p, name, x, config, moe, losses):
    """moe None: a dense layer"""
    encoder = config["encoder"]

    def feed(x):
        if moe and "expert_types" in moe:
            y, balance = experts.forward(p, name + ".moe.", x, config)
            losses[0] += balance
            return y
        if moe:
            return mixture.mixture(p, name + ".moe", x, moe, encoder["activation"], losses)
        return feed_forward(p, name, x, encoder["activation"])

    if encoder["norm"] == "pre":
        x = x + attend(p, name + ".self_attn", standardise(p, name + ".norm1", x), encoder["heads"])
        return x + feed(standardise(p, name + ".norm2", x))
    x = standardise(p, name + ".norm1", x + attend(p, name + ".self_attn", x, encoder["heads"]))
    return standardise(p, name + ".norm2", x + feed(x))


def wave(tokens, hidden):
    """sine in even places, cosine in odd ones, one frequency for each pair"""
    table = torch.zeros(tokens, hidden, dtype=torch.float64)
    for position in range(tokens):
        for i in range(hidden):
            angle = position / 10000 ** ((i - i % 2) / hidden)
            table[position, i] = math.cos(angle) if i % 2 else math.sin(angle)
    return table


def standard(p, k, x):
    """x [B][tokens][D] by mean and deviation of its kind"""
    mean, std = (p[f"experts.{k}.tokens.{part}"].detach() for part in ("mean", "std"))
    kind = torch.arange(x.shape[1]) % mean.shape[0]
    return (x - mean[kind]) / std[kind]


def embed(p, k, region, x, encoder, n_global):
    """x [B][T][W] -> [B][tokens][H], the global tokens in front"""
    if encoder["tokens"] == "covariance":
        x = standard(p, k, tokens.covariances(x, encoder, region, p[f"experts.{k}.tokens.scale"].detach()))
    if encoder["tokens"] == "spectral":
        x = tokens.band_powers(x, encoder)
    if encoder["tokens"] == "conv":
        x = tokens.filtered_powers(x, encoder, p[f"experts.{k}.tokens.temporal.weight"], p[f"experts.{k}.tokens.spatial.weight"])
    if encoder["tokens"] == "patch":
        size = encoder["patch"]
        n = x.shape[1] // size
        x = x[:, :n * size].reshape(x.shape[0], n, size * x.shape[2])
    weight, bias = (p[f"experts.{k}.input_projection.{part}"] for part in ("weight", "bias"))
    if weight.dim() == 3:  # one for each kind of token, by turns
        kind = torch.arange(x.shape[1]) % weight.shape[0]
        x = (x.unsqueeze(-2) @ weight[kind].transpose(-1, -2)).squeeze(-2) + bias[kind]
    else:
        x = x @ weight.T + bias
    if n_global:
        x = torch.cat([p["global_token"].expand(x.shape[0], -1, -1), x], dim=1)
    if encoder["positional"] == "learned":
        x = x + p[f"experts.{k}.pos_embedding"]
    elif encoder["positional"] == "sinusoidal":
        x = x + wave(x.shape[1], x.shape[2])
    return x


def setting(config, part, key):
    """A key that older cases do not name has the value that changes nothing."""
    return config[part].get(key, ABSENT[key])


def encode(p, x, config, regions, losses):
    """[B][N][H] of each region, after the last layer; losses: balance and z of the mixtures are added"""
    encoder, bridge, moe = config["encoder"], config["bridge"], {**mixture.MOE, **config.get("moe", {})}
    g, last = bridge["tokens"], encoder["layers"] - 1
    state = [embed(p, k, region, columns(x, region), encoder, g) for k, region in enumerate(regions)]
    for layer in range(encoder["layers"]):
        state = [encoder_layer(p, f"experts.{k}.transformer.layers.{layer}", s, config,
                               moe if mixture.here(moe, layer) else None, losses) for k, s in enumerate(state)]
        if bridge["sync"] == "layer" and layer != last and (layer + 1) % setting(config, "bridge", "sync_every") == 0:
            shared = sum(s[:, :g] for s in state) / len(state)
            state = [torch.cat([shared, s[:, g:]], dim=1) for s in state]
    return state


def pool(p, k, local, config):
    if setting(config, "encoder", "pool") == "mean":
        return local.mean(1)
    score = local @ p[f"experts.{k}.pool.query"][0] / math.sqrt(local.shape[-1])
    return (torch.softmax(score, dim=-1).unsqueeze(-1) * local).sum(1)


def gate_weights(p, context, config):
    """What the regions count, and the probabilities the balance loss sees: before the choice of the largest."""
    score = affine(p, "gate.fc1", context)
    if setting(config, "gate", "type") == "mlp":
        score = affine(p, "gate.fc2", score.clamp(min=0))
    probability = torch.softmax(score / config["gate"]["temperature"], dim=-1)
    top_k = setting(config, "gate", "top_k")
    if not top_k:
        return probability, probability
    chosen = torch.zeros_like(probability)
    for row, values in enumerate(probability.tolist()):
        for i in sorted(range(len(values)), key=lambda i: (-values[i], i))[:top_k]:
            chosen[row, i] = 1
    kept = probability * chosen
    return kept / kept.sum(-1, keepdim=True), probability


def forward(p, x, config, regions):
    """logits, gate, what the gate's balance loss sees, and the mixtures' losses"""
    g, losses = config["bridge"]["tokens"], [0.0, 0.0]
    state = encode(p, x, config, regions, losses)
    summary = torch.stack([pool(p, k, s[:, g:], config) for k, s in enumerate(state)], dim=1)  # [B][K][H]
    if g and config["bridge"]["sync"] != "none":
        context = torch.stack([s[:, :g].mean(1) for s in state], dim=1).mean(1)
    else:
        context = summary.mean(1)
    gate, probability = gate_weights(p, context, config)
    if setting(config, "gate", "combine") == "features":
        return affine(p, "classifier", (gate.unsqueeze(-1) * summary).sum(1)), gate, probability, losses, []
    answers = [torch.softmax(affine(p, f"heads.{k}", summary[:, k]), dim=-1) for k in range(len(state))]
    return sum(gate[:, k:k + 1] * a for k, a in enumerate(answers)).log(), gate, probability, losses, answers


# --- parameters

def shapes(config, regions, length, classes):
    encoder, bridge, moe = config["encoder"], config["bridge"], {**mixture.MOE, **config.get("moe", {})}
    h, f, g = encoder["hidden_dim"], encoder["ffn_dim"], bridge["tokens"]
    layers = [h, h // 2, len(regions)] if setting(config, "gate", "type") == "mlp" else [h, len(regions)]
    out = {}
    for i, (before, after) in enumerate(zip(layers, layers[1:])):
        out[f"gate.fc{i + 1}.weight"], out[f"gate.fc{i + 1}.bias"] = [after, before], [after]
    own = setting(config, "gate", "combine") == "answers"
    for head in [f"heads.{k}" for k in range(len(regions))] if own else ["classifier"]:
        out[head + ".weight"], out[head + ".bias"] = [classes, h], [classes]
    if g:
        out["global_token"] = [1, g, h]
    for k, region in enumerate(regions):
        e = f"experts.{k}."
        n, shape_of = tokens.shapes(encoder, region, length, h)
        out.update({e + name: shape for name, shape in shape_of.items()})
        if encoder["positional"] == "learned":
            out[e + "pos_embedding"] = [1, n + g, h]
        if setting(config, "encoder", "pool") == "attention":
            out[e + "pool.query"] = [1, h]
        for layer in range(encoder["layers"]):
            t = f"{e}transformer.layers.{layer}."
            out[t + "self_attn.in_proj_weight"], out[t + "self_attn.in_proj_bias"] = [3 * h, h], [3 * h]
            out[t + "self_attn.out_proj.weight"], out[t + "self_attn.out_proj.bias"] = [h, h], [h]
            if mixture.here(moe, layer) and "expert_types" in moe:
                out.update(experts.shapes(config, t + "moe."))
            elif mixture.here(moe, layer):
                out.update({t + name: shape for name, shape in mixture.shapes(moe, h, f).items()})
            else:
                out[t + "linear1.weight"], out[t + "linear1.bias"] = [f, h], [f]
                out[t + "linear2.weight"], out[t + "linear2.bias"] = [h, f], [h]
            for norm in ("norm1", "norm2"):
                out[t + norm + ".weight"], out[t + norm + ".bias"] = [h], [h]
    return out


def draw(shape_of, generator):
    """Random enough that no bias is zero and no norm is one; rounded to float32."""
    p = {}
    for name in sorted(shape_of):
        shape = shape_of[name]
        values = torch.randn(shape, generator=generator, dtype=torch.float64)
        if name.endswith(("tokens.std", "tokens.scale")):
            values = values.abs() + 0.5
        elif "norm" in name:
            values = values * 0.1 + (1 if name.endswith("weight") else 0)
        elif len(shape) == 1:
            values = values * 0.2
        elif len(shape) == 2 or ".moe." in name or "projection" in name:
            values = values / math.sqrt(shape[-1])
        p[name] = values.float().double()
    return p


# --- training

def task_loss(logits, y, train):
    weight = None
    if train["class_weight"] == "balanced":
        count = torch.bincount(y, minlength=logits.shape[1]).to(logits.dtype)
        weight = len(y) / (logits.shape[1] * count)
    return functional.cross_entropy(logits, y, weight=weight, label_smoothing=train["label_smoothing"])


def balance_loss(probability):
    """K times the sum over regions of: share of the windows in which it is the largest, times its mean."""
    k = probability.shape[1]
    first = torch.bincount(probability.argmax(-1), minlength=k) / probability.shape[0]
    return k * (first * probability.mean(0)).sum()


def kept(name):
    """Buffers: part of the model, but not trained."""
    return name.endswith(("tokens.mean", "tokens.std", "tokens.scale"))


def decays(name, shape, rule):
    return rule == "all" or (len(shape) >= 2 and name != "global_token" and not name.endswith(("pos_embedding", "query")))


def outcome(p, x, y, config, regions, train):
    """Everything that must come out of a case, as a dictionary of double tensors."""
    p = {name: values.clone().requires_grad_() for name, values in p.items()}
    decayed = [v for n, v in p.items() if not kept(n) and decays(n, v.shape, train["decay"])]
    spared = [v for n, v in p.items() if not kept(n) and not decays(n, v.shape, train["decay"])]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": train["weight_decay"]},
                                   {"params": spared, "weight_decay": 0.0}], lr=train["lr"], betas=(0.9, 0.999), eps=1e-8)
    out, losses = {}, []
    for step in range(STEPS):
        logits, gate, probability, (aux, z), answers = forward(p, x, config, regions)
        moe = {**mixture.MOE, **config.get("moe", {})}
        loss = (task_loss(logits, y, train) + setting(config, "gate", "load_balance_weight") * balance_loss(probability) +
                moe["load_balance_weight"] * aux + moe["z_loss_weight"] * z +
                train["expert_loss_weight"] * sum(task_loss(a.log(), y, train) for a in answers))
        optimizer.zero_grad()
        loss.backward()
        for values in p.values():
            values.grad = torch.zeros_like(values) if values.grad is None else values.grad
        losses.append(loss.item())
        if step == 0:
            out["logits"], out["gate"] = logits.detach(), gate.detach()
            out.update({"grad." + name: values.grad.clone() for name, values in p.items()})
        if train["clip_norm"]:
            torch.nn.utils.clip_grad_norm_(p.values(), train["clip_norm"])
        optimizer.step()
    out["losses"] = torch.tensor(losses, dtype=torch.float64)
    out.update({"stepped." + name: values.detach() for name, values in p.items()})
    return out


# --- the cases

CASES = {
    "seed": dict(regions=4, halo=2, channels=8),
    "halo-0": dict(regions=2, halo=0, channels=6, encoder={"heads": 4}),
    "halo-wide": dict(regions=2, halo=5, channels=4),
    "uneven": dict(regions=2, halo=1, channels=5),
    "classes-3": dict(regions=2, halo=1, channels=6, classes=3),
    "one-region": dict(regions=1, halo=2, channels=5, encoder={"layers": 2}),
    "pre-gelu": dict(regions=2, halo=1, channels=4, encoder={"layers": 2, "norm": "pre", "activation": "gelu"}),
    "tokens-2": dict(regions=2, halo=1, channels=4, bridge={"tokens": 2}),
    "tokens-0": dict(regions=2, halo=1, channels=4, bridge={"tokens": 0}),
    "sync-none": dict(regions=2, halo=1, channels=4, bridge={"sync": "none"}),
    "gate-warm": dict(regions=2, halo=1, channels=4, gate={"temperature": 2.0}),
    "exchange": dict(regions=3, halo=1, channels=6, encoder={"layers": 3}, bridge={"sync": "layer"}),
    "exchange-2": dict(regions=2, halo=1, channels=4, encoder={"layers": 4, "norm": "pre", "activation": "gelu"},
                       bridge={"sync": "layer", "sync_every": 2, "tokens": 2}),
    "pool-attention": dict(regions=2, halo=1, channels=4, encoder={"pool": "attention"}),
    "gate-linear": dict(regions=2, halo=1, channels=4, gate={"type": "linear"}),
    "gate-top": dict(regions=4, halo=1, channels=8, gate={"top_k": 2, "temperature": 0.5}),
    "gate-balance": dict(regions=3, halo=1, channels=6, gate={"load_balance_weight": 0.7, "top_k": 1}),
    "answers": dict(regions=2, halo=1, channels=4, classes=3, gate={"combine": "answers"}),
    "joined": dict(regions=3, halo=1, channels=6, classes=3,
                   encoder={"layers": 2, "norm": "pre", "activation": "gelu", "pool": "attention"}, bridge={"sync": "layer"},
                   gate={"type": "linear", "combine": "answers", "top_k": 2, "load_balance_weight": 0.3},
                   train={"label_smoothing": 0.1}),
    "position-none": dict(regions=2, halo=1, channels=4, encoder={"positional": "none"}),
    "position-wave": dict(regions=2, halo=1, channels=4, encoder={"positional": "sinusoidal"}),
    "patch": dict(regions=2, halo=1, channels=5, length=14, encoder={"tokens": "patch", "patch": 4, "heads": 4}),
    "spectral": dict(regions=2, halo=1, channels=5, length=45,
                     encoder={"tokens": "spectral", "window": 0.2, "hop": 0.1, "bands": [1, 4.5, 20, 45]}),
    "conv": dict(regions=2, halo=1, channels=5, length=40, encoder={"tokens": "conv", "window": 0, "filters": 5, "kernel": 0.07}),
    "conv-hop": dict(regions=2, halo=0, channels=4, length=41,
                     encoder={"tokens": "conv", "window": 0.16, "hop": 0.08, "filters": 3, "kernel": 0.1, "norm": "pre"},
                     gate={"combine": "answers"}, train={"expert_loss_weight": 0.5}),
    "covariance": dict(regions=2, halo=1, channels=5, length=45,
                       encoder={"tokens": "covariance", "window": 0, "bands": [4, 12, 20, 45], "floor": 0.05, "tapers": 3},
                       gate={"combine": "answers"}, train={"expert_loss_weight": 0.5, "label_smoothing": 0.1}),
    "covariance-lines": dict(regions=2, halo=0, channels=4, length=60,
                             encoder={"tokens": "covariance", "window": 0.4, "hop": 0.2, "bands": [[11, 11], [2, 9]], "floor": 1,
                                      "tapers": 0}),
    "smooth-weight": dict(regions=2, halo=1, channels=4, classes=3, labels=[0, 2, 1, 0, 0],
                          train={"label_smoothing": 0.1, "class_weight": "balanced"}),
    "clip": dict(regions=2, halo=1, channels=4, train={"clip_norm": 0.25}),
    "ffn-glu": dict(regions=1, halo=0, channels=4, moe={**experts.MOE, "ffn": "glu", "ffn_dim": 7}),
    "ffn-geglu": dict(regions=2, halo=1, channels=4, moe={**experts.MOE, "ffn": "geglu", "shared_experts": 1}),
    "ffn-swiglu": dict(regions=1, halo=0, channels=4, encoder={"norm": "pre"}, moe={**experts.MOE, "ffn": "swiglu", "output_norm": True}),
    "ffn-residual": dict(regions=1, halo=0, channels=4, moe={**experts.MOE, "ffn": "residual", "activation": "gelu", "output_norm": True}),
    "ffn-norms": dict(regions=1, halo=0, channels=4, encoder={"layers": 2},
                      moe={**experts.MOE, "inner_norm": True, "activation": "gelu", "layers": [1], "top_k": 1}),
    "experts-attention": dict(regions=2, halo=1, channels=4, moe={**experts.MOE, "expert_types": ["attention*3"]}),
    "experts-conv": dict(regions=1, halo=0, channels=4, bridge={"tokens": 2}, encoder={"activation": "gelu"},
                         moe={**experts.MOE, "expert_types": ["conv*3"], "route_unit": "window", "kernel": 4, "top_k": 1}),
    "experts-mixed": dict(regions=2, halo=1, channels=4, encoder={"patch": 3},
                          moe={**experts.MOE, "expert_types": ["ffn*2", "attention*1", "conv*2"], "route_unit": "patch"}),
    "experts-residual": dict(regions=1, halo=0, channels=4, moe={**experts.MOE, "residual_expert": True, "shared_experts": 1}),
    "decay-matrices": dict(regions=2, halo=1, channels=4, train={"decay": "matrices", "weight_decay": 2.0}),
}

# A mixture: pre-norm gelu (but for one), two layers of which the second, or both, have experts.
for name, case in {
    "moe-topk": dict(moe={"bias": True, "temperature": 0.7, "z_loss_weight": 0.01, "load_balance_weight": 0.1}),
    "moe-topk-1": dict(moe={"top_k": 1, "layers": "all", "load_balance_form": "first", "load_balance_weight": 0.1},
                       encoder={"norm": "post", "activation": "relu"}),
    "moe-topk-plain": dict(moe={"num_experts": 5, "top_k": 3, "renormalise": "no", "load_balance_form": "cv2",
                                "load_balance_weight": 0.1, "z_loss_weight": 0.01}),
    "moe-noisy": dict(moe={"router": "noisy_topk", "noise_std": 0.0, "load_balance_form": "sum", "load_balance_weight": 0.1}),
    "moe-soft": dict(moe={"router": "soft", "temperature": 2.0, "shared_experts": 1, "z_loss_weight": 0.01}),
    "moe-slots": dict(moe={"router": "soft_moe", "num_experts": 3, "slots": 2}),
    "moe-expert-choice": dict(moe={"router": "expert_choice", "capacity_factor": 1.5, "z_loss_weight": 0.01}),
    "moe-cosine": dict(moe={"router": "cosine", "shared_experts": 2, "z_loss_weight": 0.01, "load_balance_weight": 0.1}),
    "moe-capacity": dict(moe={"capacity_factor": 0.6, "capacity_factor_eval": 0.6, "load_balance_weight": 0.1}),
    "moe-drops": dict(moe={"capacity_factor": 1.0, "capacity_factor_eval": 1.0, "capacity_max": 3, "drop_policy": "probability",
                           "drop_residual": False, "drop_renormalise": True, "load_balance_form": "cv2"}),
    "moe-priority": dict(moe={"capacity_factor": 0.5, "capacity_factor_eval": 0.5, "capacity_min": 4, "drop_policy": "priority"}),
    "moe-sigmoid": dict(moe={"score": "sigmoid", "load_balance_weight": 0.1, "z_loss_weight": 0.01}),
    "moe-groups": dict(moe={"num_experts": 8, "groups": 4, "top_k_groups": 2, "top_k": 3, "load_balance_weight": 0.1}),
    "moe-mass": dict(moe={"top_k": 3, "top_p": 0.7, "load_balance_weight": 0.1}),
    "moe-special": dict(moe={"specialisation": True, "bias": True, "temperature": 0.8, "load_balance_weight": 0.1}),
    "moe-uniform": dict(moe={"router": "uniform"}),
    "moe-tree": dict(moe={"router": "hierarchical", "levels": [3, 2], "top_k_groups": 2, "top_k": 1, "bias": True,
                          "load_balance_weight": 0.1, "z_loss_weight": 0.01}),
    "moe-tree-3": dict(moe={"router": "hierarchical", "levels": [2, 2, 2], "top_k_groups": 1, "top_k": 2, "temperature": 0.7,
                            "load_balance_weight": 0.1}),
    "moe-scope": dict(moe={"balance_scope": "window", "load_balance_weight": 0.1}),
    "moe-condition": dict(moe={"router": "condition", "condition": "condition", "layers": "all", "bias": True, "temperature": 0.8,
                               "z_loss_weight": 0.01, "load_balance_weight": 0.1}, conditions=["rest", "site b", "site a", "none here"],
                          condition=[1, 2, 1, 0, 2]),
}.items():
    CASES[name] = dict(regions=2, halo=1, channels=5, moe={"layers": [1], **case["moe"]},
                       encoder={"layers": 2, "norm": "pre", "activation": "gelu", **case.get("encoder", {})},
                       **{k: v for k, v in case.items() if k.startswith("condition")})


def to_tensor(values):
    return ("F32", list(values.shape), array.array("f", values.flatten().tolist()))


def from_tensor(t):
    return torch.tensor(list(t[2]), dtype=torch.float64 if t[0] == "F32" else torch.int64).reshape(t[1])


def record(name, folder):
    spec = CASES[name]
    windows, length, classes = 5, spec.get("length", 10), spec.get("classes", 2)
    train = {**TRAIN, **spec.get("train", {})}
    config = {"preset": "seed"}
    for part, defaults in (("encoder", ENCODER), ("bridge", BRIDGE), ("gate", GATE)):
        config[part] = {**defaults, **spec.get(part, {})}
    if "moe" in spec:
        config["moe"] = {**mixture.MOE, **spec["moe"]}
    written = json.dumps(config)
    if "conditions" in spec:
        config["moe"].update(names=len(spec["conditions"]), of=spec["condition"])
    regions = index_regions(spec["channels"], spec["regions"], spec["halo"])
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    p = draw(shapes(config, regions, length, classes), generator)
    x = torch.randn([windows, length, spec["channels"]], generator=generator, dtype=torch.float64).float().double()
    y = torch.tensor(spec.get("labels", [i % classes for i in (0, 1, 2, 3, 5)]))
    out = {"x": to_tensor(x), "y": container.tensor("I64", [windows], y.tolist())}
    meta = {}
    if "conditions" in spec:
        out["condition"] = container.tensor("I64", [windows], spec["condition"])
        meta["conditions"] = json.dumps(spec["conditions"])
    out.update({"param." + n: to_tensor(v) for n, v in p.items()})
    out.update({n: to_tensor(v) for n, v in outcome(p, x, y, config, regions, train).items()})
    container.save(os.path.join(folder, name + ".safetensors"), out, {
        "config": written, "regions": json.dumps(regions),
        "set": json.dumps([f"train.{k}={v}" for k, v in spec.get("train", {}).items()]),
        "channels": json.dumps([f"C{i}" for i in range(spec["channels"])]),
        "classes": json.dumps([f"class {i}" for i in range(classes)]),
        "length": str(length), "halo": str(spec["halo"]), "rate": str(tokens.RATE), **meta})


def compare(path):
    """Also takes a case without our metadata: the plain model, K regions of equal width, 4 heads."""
    tensors, meta = container.load(path)
    p = {n[6:]: from_tensor(t) for n, t in tensors.items() if n.startswith("param.")}
    x, y = from_tensor(tensors["x"]), from_tensor(tensors["y"])
    train = {**TRAIN, **dict(s[6:].split("=") for s in json.loads(meta.get("set", "[]")))}
    for key in ("weight_decay", "clip_norm", "label_smoothing", "expert_loss_weight"):
        train[key] = float(train[key])
    if "regions" in meta:
        config, regions = json.loads(meta["config"]), json.loads(meta["regions"])
        if "conditions" in meta:
            config["moe"].update(names=len(json.loads(meta["conditions"])), of=tensors["condition"][2])
    else:
        k, channels = tensors["gate"][1][1], x.shape[2]
        halo = (p["experts.0.input_projection.weight"].shape[1] - channels // k) // 2
        layers = 1 + max(int(n.split(".layers.")[1].split(".")[0]) for n in p if ".layers." in n)
        config = {"encoder": {**ENCODER, "layers": layers, "heads": 4}, "bridge": BRIDGE, "gate": GATE}
        regions = index_regions(channels, k, halo)
    worst = {}
    for name, values in outcome(p, x, y, config, regions, train).items():
        kind = name.split(".")[0]
        worst[kind] = max(worst.get(kind, 0), (values - from_tensor(tensors[name])).abs().max().item())
    print(f"{os.path.basename(path)}: " + ", ".join(f"{k} {v:.1e}" for k, v in worst.items()))


def main(arguments):
    if len(arguments) > 1 and arguments[0] == "--compare":
        for path in arguments[1:]:
            compare(path)
    elif arguments and os.path.isdir(arguments[0]):
        names = arguments[1:] or list(CASES)
        for name in names:
            record(name, arguments[0])
        print(f"{len(names)} cases, PyTorch {torch.__version__}, Python {sys.version.split()[0]}")
    else:
        sys.exit(__doc__.strip())


if __name__ == "__main__":
    main(sys.argv[1:])
