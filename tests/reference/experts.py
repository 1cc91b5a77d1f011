"""Experts of each type and form behind a plain top-k router, a second time; what other routers do is in mixture.py.

Every expert works on every token here and is weighed by 0 where it was not chosen: slow, and easy to read.
"""
import math

import torch

MOE = {"layers": "all", "num_experts": 4, "top_k": 2, "router": "topk", "load_balance_weight": 0.01, "shared_experts": 0,
       "ffn": "mlp", "ffn_dim": 0, "activation": "encoder", "inner_norm": False, "output_norm": False,
       "expert_types": [], "route_unit": "token", "kernel": 3, "residual_expert": False}


def gelu(x):
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


def standardise(x, weight, bias):
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt() * weight + bias


def ffn_width(config):
    return config["moe"]["ffn_dim"] or config["encoder"]["ffn_dim"]


def ffn_shapes(config):
    h, f, moe = config["encoder"]["hidden_dim"], ffn_width(config), config["moe"]
    out = {"linear1.weight": [f, h], "linear1.bias": [f], "linear2.weight": [h, f], "linear2.bias": [h]}
    if "glu" in moe["ffn"]:
        out.update({"linear_gate.weight": [f, h], "linear_gate.bias": [f]})
    elif moe["inner_norm"]:
        out.update({"inner_norm.weight": [f], "inner_norm.bias": [f]})
    if moe["output_norm"]:
        out.update({"output_norm.weight": [h], "output_norm.bias": [h]})
    return out


def ffn(w, x, config):
    """w: one expert's tensors by name"""
    moe = config["moe"]
    hidden = x @ w["linear1.weight"].T + w["linear1.bias"]
    if "glu" in moe["ffn"]:
        gate = x @ w["linear_gate.weight"].T + w["linear_gate.bias"]
        hidden = hidden * {"glu": torch.sigmoid(gate), "geglu": gelu(gate), "swiglu": gate * torch.sigmoid(gate)}[moe["ffn"]]
    else:
        if moe["inner_norm"]:
            hidden = standardise(hidden, w["inner_norm.weight"], w["inner_norm.bias"])
        act = config["encoder"]["activation"] if moe["activation"] == "encoder" else moe["activation"]
        hidden = hidden.clamp(min=0) if act == "relu" else gelu(hidden)
    y = hidden @ w["linear2.weight"].T + w["linear2.bias"]
    if moe["ffn"] == "residual":
        y = x + y
    return standardise(y, w["output_norm.weight"], w["output_norm.bias"]) if moe["output_norm"] else y


def attention_shapes(config):
    h = config["encoder"]["hidden_dim"]
    return {"attention.in_proj_weight": [3 * h, h], "attention.in_proj_bias": [3 * h],
            "attention.out_proj.weight": [h, h], "attention.out_proj.bias": [h]}


def attention(w, x, config, mine):
    """tokens see those of their window that are the expert's, mine [B][N]"""
    heads = config["encoder"]["heads"]
    b, n, h = x.shape
    projected = x @ w["attention.in_proj_weight"].T + w["attention.in_proj_bias"]
    q, k, v = (part.reshape(b, n, heads, h // heads) for part in projected.split(h, dim=-1))
    score = torch.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(h // heads)
    score = score.masked_fill(~mine[:, None, None, :], -1e9)
    mixed = torch.einsum("bhqk,bkhd->bqhd", torch.softmax(score, dim=-1), v).reshape(b, n, h)
    return mixed @ w["attention.out_proj.weight"].T + w["attention.out_proj.bias"]


def conv_shapes(config):
    h, f, k = config["encoder"]["hidden_dim"], ffn_width(config), config["moe"]["kernel"]
    return {"conv.depthwise.weight": [h, k], "conv.depthwise.bias": [h], "conv.pointwise1.weight": [f, h],
            "conv.pointwise1.bias": [f], "conv.pointwise2.weight": [h, f], "conv.pointwise2.bias": [h]}


def conv(w, x, config, mine):
    """over the local tokens; a global token, in front, has no neighbours; tokens of others count as 0"""
    g, kernel = config["bridge"]["tokens"], config["moe"]["kernel"]
    x = x * mine.unsqueeze(-1)
    before = (kernel - 1) // 2
    spread = torch.cat([torch.nn.functional.pad(x[:, i:i + 1], (0, 0, before, kernel - 1 - before)) for i in range(g)] +
                       [torch.nn.functional.pad(x[:, g:], (0, 0, before, kernel - 1 - before))], dim=1)
    at = [i * kernel for i in range(g)] + [g * kernel + i for i in range(x.shape[1] - g)]
    y = w["conv.depthwise.bias"] + sum(spread[:, [a + j for a in at]] * w["conv.depthwise.weight"][:, j] for j in range(kernel))
    hidden = y @ w["conv.pointwise1.weight"].T + w["conv.pointwise1.bias"]
    act = config["encoder"]["activation"] if config["moe"]["activation"] == "encoder" else config["moe"]["activation"]
    hidden = hidden.clamp(min=0) if act == "relu" else gelu(hidden)
    return hidden @ w["conv.pointwise2.weight"].T + w["conv.pointwise2.bias"]


TYPES = {"ffn": (ffn_shapes, lambda w, x, config, mine: ffn(w, x, config)), "attention": (attention_shapes, attention),
         "conv": (conv_shapes, conv)}


def experts(config):
    """one (type, index among those of the type) for each expert"""
    listed = config["moe"]["expert_types"] or [f"ffn*{config['moe']['num_experts']}"]
    return [(t, i) for t, n in (e.split("*") for e in listed) for i in range(int(n))]


def units(config, n):
    """the unit of each of n tokens"""
    g, unit = config["bridge"]["tokens"], config["moe"]["route_unit"]
    if unit == "patch":
        return [0] * g + [i // config["encoder"]["patch"] + (g > 0) for i in range(n - g)]
    return [0] * n if unit == "window" else list(range(n))


def slice_of(p, prefix, names, e):
    return {n: p[prefix + n][e] for n in names}


def shapes(config, prefix):
    """The tensors of one layer, below "PREFIX" (which ends with "moe.")."""
    h, moe, kinds = config["encoder"]["hidden_dim"], config["moe"], [t for t, _ in experts(config)]
    out = {prefix + "router.weight": [len(kinds), h]}
    for kind in sorted(set(kinds)):
        for name, shape in TYPES[kind][0](config).items():
            out[f"{prefix}experts.{name}"] = [kinds.count(kind), *shape]
    for name, shape in ffn_shapes(config).items():
        if moe["shared_experts"]:
            out[f"{prefix}shared.{name}"] = [moe["shared_experts"], *shape]
        if moe["residual_expert"]:
            out[f"{prefix}residual.{name}"] = shape
            out[prefix + "coefficient.weight"] = [2, h]
    return out


def route(p, prefix, x, moe):
    """x [B][n][H] -> weights [B][n][E], which are chosen, and the balance loss, form switch"""
    probability = torch.softmax(x @ p[prefix + "router.weight"].T, dim=-1)
    best = probability.topk(moe["top_k"], dim=-1).indices
    chosen = torch.zeros_like(probability).scatter(-1, best, 1.0)
    weight = probability * chosen
    if moe["top_k"] > 1:
        weight = weight / weight.sum(-1, keepdim=True)
    share = chosen.sum((0, 1)) / (x.shape[0] * x.shape[1] * moe["top_k"])
    return weight, chosen > 0, probability.shape[-1] * (share * probability.mean((0, 1))).sum()


def forward(p, prefix, x, config):
    """x [B][N][H] -> what the layer gives back, and its balance loss"""
    moe, unit = config["moe"], units(config, x.shape[1])
    means = torch.stack([x[:, [i for i, u in enumerate(unit) if u == v]].mean(1) for v in range(unit[-1] + 1)], dim=1)
    weight, chosen, balance = route(p, prefix, means, moe)
    weight, chosen = weight[:, unit], chosen[:, unit]  # from units to their tokens
    y = torch.zeros_like(x)
    for e, (kind, at) in enumerate(experts(config)):
        shape_of, function = TYPES[kind]
        answer = function(slice_of(p, prefix + "experts.", shape_of(config), at), x, config, chosen[..., e])
        y = y + weight[..., e:e + 1] * answer
    for s in range(moe["shared_experts"]):
        y = y + ffn(slice_of(p, prefix + "shared.", ffn_shapes(config), s), x, config)
    if moe["residual_expert"]:
        mix = torch.softmax(x @ p[prefix + "coefficient.weight"].T, dim=-1)
        aside = ffn({n: p[prefix + "residual." + n] for n in ffn_shapes(config)}, x, config)
        y = mix[..., :1] * aside + mix[..., 1:] * y
    return y, balance
