"""Mixtures of experts a second time, in PyTorch, one token after the other where that is the plain way to say it.

A mixture stands where a layer has its feed-forward. x [B][N][H]; p holds the parameters; losses gathers (balance, z) of each.
Where the router reads conditions moe["names"] says how many there are and moe["of"] which of them each window has.
"""
import math

import torch

MOE = {"layers": "none", "num_experts": 4, "top_k": 2, "router": "topk", "renormalise": "auto", "bias": False, "temperature": 1.0,
       "noise_std": 1.0, "router_dim": 6, "slots": 1, "capacity_factor": 0.0, "load_balance_weight": 0.01,
       "load_balance_form": "switch", "z_loss_weight": 0.0, "shared_experts": 0, "capacity_factor_eval": 0.0, "capacity_min": 0,
       "score": "softmax", "top_p": 0.0, "groups": 0, "top_k_groups": 1, "specialisation": False, "capacity_max": 0, "drop_policy": "choice", "drop_residual": True, "drop_renormalise": False}
LINEAR = ("topk", "noisy_topk", "soft", "expert_choice", "condition")


def here(moe, layer):
    rule = moe["layers"]
    return rule == "all" or (rule != "none" and layer in rule)


def experts_of(moe):
    return math.prod(moe["levels"]) if "levels" in moe else moe["num_experts"]


def shapes(moe, h, f):
    """of one mixture, below the layer's name"""
    e, router = experts_of(moe), moe["router"]
    out = {}
    for part, n in (("experts", e), ("shared", moe["shared_experts"])):
        if n:
            out.update({f"moe.{part}.linear1.weight": [n, f, h], f"moe.{part}.linear1.bias": [n, f],
                        f"moe.{part}.linear2.weight": [n, h, f], f"moe.{part}.linear2.bias": [n, h]})
    if router in LINEAR:
        out["moe.router.weight"] = [e, h]
        if moe["bias"]:
            out["moe.router.bias"] = [e]
        if moe["specialisation"]:
            out.update({"moe.router.specialisation.embedding": [e, h], "moe.router.specialisation.weight": [e, h],
                        "moe.router.specialisation.bias": [e]})
    for level in range(len(moe.get("levels", []))):
        entries = math.prod(moe["levels"][:level + 1])
        out[f"moe.router.levels.{level}.weight"] = [entries, h]
        if moe["bias"]:
            out[f"moe.router.levels.{level}.bias"] = [entries]
    if router == "noisy_topk":
        out["moe.router.noise.weight"] = [e, h]
    if router == "condition":
        out["moe.router.condition.weight"] = [moe["names"], h]
    if router == "cosine":
        out.update({"moe.router.projection.weight": [moe["router_dim"], h],
                    "moe.router.embedding.weight": [e, moe["router_dim"]], "moe.router.log_scale": [1]})
    if router == "soft_moe":
        out.update({"moe.router.slots.weight": [e * moe["slots"], h], "moe.router.scale": [1]})
    return out


def expert(p, name, i, x, activation):
    hidden = x @ p[name + ".linear1.weight"][i].T + p[name + ".linear1.bias"][i]
    hidden = hidden.clamp(min=0) if activation == "relu" else hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2
    return hidden @ p[name + ".linear2.weight"][i].T + p[name + ".linear2.bias"][i]


def unit(x):
    return x / x.square().sum(-1, keepdim=True).sqrt()


def logits_of(p, name, x, moe):
    """clean logits [tokens][E]"""
    if moe["router"] == "cosine":
        scale = p[name + ".log_scale"].exp().clamp(max=100)
        return unit(x @ p[name + ".projection.weight"].T) @ unit(p[name + ".embedding.weight"]).T * scale
    z = x @ p[name + ".weight"].T
    if moe["bias"]:
        z = z + p[name + ".bias"]
    if moe["specialisation"]:
        own = x @ p[name + ".specialisation.weight"].T + p[name + ".specialisation.bias"]
        z = z + (unit(x) @ unit(p[name + ".specialisation.embedding"]).T + own).softmax(-1)
    return z / moe["temperature"]


def best(values, n):
    """indices of the n largest, of equal ones the lower first"""
    return sorted(range(len(values)), key=lambda i: (-values[i], i))[:n]


def soft_moe(p, name, x, moe, activation):
    z = unit(x) @ (unit(p[name + ".router.slots.weight"]) * p[name + ".router.scale"]).T
    slots = z.softmax(1).transpose(1, 2) @ x
    answers = [expert(p, name + ".experts", i // moe["slots"], slots[:, i], activation) for i in range(slots.shape[1])]
    return z.softmax(2) @ torch.stack(answers, dim=1)


def top(values, moe):
    """the experts of one token by its scores, best first"""
    e, k, groups = len(values), moe["top_k"], moe["groups"] or 1
    size, per = e // groups, max(1, k // moe["top_k_groups"])
    sums = [sum(sorted(values[g * size:(g + 1) * size])[-per:]) for g in range(groups)]
    groups = best(sums, moe["top_k_groups"])
    chosen, mass = [], 0.0
    for i in [i for i in best(values, e) if i // size in groups][:k]:
        if not moe["top_p"] or not chosen or mass < moe["top_p"]:
            chosen.append(i)
        mass += values[i]
    return chosen


def choose(score, moe):
    """[N][E] of one window -> weights [N][E], and each token's choice in order"""
    n, e = score.shape
    values = score.detach().tolist()
    if moe["router"] == "soft":
        return score, [best(v, e) for v in values]
    if moe["router"] == "expert_choice":
        capacity = min(n, math.ceil((moe["capacity_factor"] or 2.0) * n / e))
        takes = [best([v[i] for v in values], capacity) for i in range(e)]
        chosen = [[i for i in range(e) if t in takes[i]] for t in range(n)]
    elif moe["router"] == "uniform":
        chosen = [[(t * moe["top_k"] + j) % e for j in range(moe["top_k"])] for t in range(n)]
    else:
        chosen = [top(v, moe) for v in values]
    mask = torch.zeros_like(score)
    for t, list_ in enumerate(chosen):
        mask[t, list_] = 1
    weight = score * mask
    if sums_to_one(moe):
        weight = weight / weight.sum(-1, keepdim=True)
    return weight, chosen


def sums_to_one(moe):
    if moe["router"] in ("soft", "expert_choice"):
        return False
    return moe["renormalise"] == "yes" or (moe["renormalise"] == "auto" and moe["top_k"] > 1)


def drop(score, weight, chosen, moe):
    """of one window: weights without the places beyond capacity, and which tokens have no expert left"""
    n, e = score.shape
    k = moe["top_k"]
    capacity = max(math.ceil(moe["capacity_factor"] * k * n / e), moe["capacity_min"])
    capacity = min(capacity, moe["capacity_max"] or capacity)
    p = score.detach().tolist()
    order = {"choice": lambda t, j: (j, t), "position": lambda t, j: (t, j), "probability": lambda t, j: (-p[t][chosen[t][j]], t, j),
             "priority": lambda t, j: (j, -max(p[t]), t)}[moe["drop_policy"]]
    taken, keep = [0] * e, torch.zeros_like(score)
    for t, j in sorted(((t, j) for t in range(n) for j in range(k)), key=lambda place: order(*place)):
        i = chosen[t][j]
        keep[t, i] = float(taken[i] < capacity)
        taken[i] += 1
    none = keep.sum(-1) == 0
    weight = weight * keep
    if moe["drop_renormalise"]:
        weight = torch.where(none[:, None], 0.0, weight / (weight.sum(-1, keepdim=True) + none[:, None]))
    return weight, none


def balance(probability, weight, chosen, moe):
    """probability, weight [tokens][E]"""
    n, e = probability.shape
    if moe["load_balance_form"] == "cv2":
        importance = weight.sum(0)
        return (importance - importance.mean()).square().mean() / importance.mean().square()
    count = torch.zeros(e, dtype=torch.float64)
    for list_ in chosen:
        for i in list_[:1] if moe["load_balance_form"] == "first" else list_:
            count[i] += 1
    share = count / (count.sum() if moe["load_balance_form"] == "switch" else n)
    return e * (share * probability.mean(0)).sum()


def shared_or_raw(p, moe, k):
    """weights of k chosen ones"""
    return p / p.sum() if moe["renormalise"] == "yes" or (moe["renormalise"] == "auto" and k > 1) else p


def climb(p, name, x, moe, losses):
    """A tree of routers, token by token from the root down: x [tokens][H] -> weights [tokens][E]; losses of all levels are added,
    form switch, each router's over the tokens that reach it."""
    rows, seen = [], {}  # seen: router -> [(probabilities, chosen, squared log)], a router being its path

    def down(t, path, level, so_far, row):
        n, last = moe["levels"][level], level + 1 == len(moe["levels"])
        k = moe["top_k"] if last else moe["top_k_groups"]
        first = 0
        for step, width in zip(path, moe["levels"]):
            first = first * width + step
        rows_of = slice(first * n, (first + 1) * n)
        z = x[t] @ p[f"{name}.levels.{level}.weight"][rows_of].T
        if moe["bias"]:
            z = z + p[f"{name}.levels.{level}.bias"][rows_of]
        z = z / moe["temperature"]
        probability = z.softmax(-1)
        chosen = best(probability.detach().tolist(), k)
        seen.setdefault(path, []).append((probability, chosen, z.logsumexp(-1).square()))
        for i, weight in zip(chosen, shared_or_raw(probability[chosen], moe, k)):
            if last:
                row[first * n + i] = so_far * weight
            else:
                down(t, path + (i,), level + 1, so_far * weight, row)

    zero = torch.zeros((), dtype=torch.float64)
    for t in range(x.shape[0]):
        row = [zero] * experts_of(moe)
        down(t, (), 0, torch.ones((), dtype=torch.float64), row)
        rows.append(torch.stack(row))
    for level in range(len(moe["levels"])):
        routers = {path: tokens for path, tokens in seen.items() if len(path) == level}
        arrivals = sum(len(tokens) for tokens in routers.values())
        for tokens in routers.values():
            probability = torch.stack([q for q, _, _ in tokens])
            count = torch.zeros(probability.shape[1], dtype=torch.float64)
            for _, chosen, _ in tokens:
                for i in chosen:
                    count[i] += 1
            share = len(tokens) / arrivals
            losses[0] += share * probability.shape[1] * (count / count.sum() * probability.mean(0)).sum()
            losses[1] += torch.stack([z for _, _, z in tokens]).sum() / arrivals
    return torch.stack(rows)


def mixture(p, name, x, moe, activation, losses):
    b, n, h = x.shape
    e = experts_of(moe)
    if moe["router"] == "soft_moe":
        y = soft_moe(p, name, x, moe, activation)
    elif moe["router"] == "hierarchical":
        weight = climb(p, name + ".router", x.reshape(b * n, h), moe, losses).reshape(b, n, e)
        y = sum(weight[..., i:i + 1] * expert(p, name + ".experts", i, x, activation) for i in range(e))
    else:
        if moe["router"] == "uniform":
            z = torch.zeros(b, n, e, dtype=torch.float64)
        else:
            read = x
            if moe["router"] == "condition":
                read = torch.stack([x[i] + p[name + ".router.condition.weight"][c] for i, c in enumerate(moe["of"])])
            z = logits_of(p, name + ".router", read.reshape(b * n, h), moe).reshape(b, n, e)
        score = z.sigmoid() if moe["score"] == "sigmoid" else z.softmax(-1)
        probability = score / score.sum(-1, keepdim=True)
        parts = [choose(s, moe) for s in score]
        weight = torch.stack([w for w, _ in parts])
        if moe["router"] in ("topk", "noisy_topk", "cosine", "condition"):
            if moe.get("balance_scope") == "window":
                losses[0] += sum(balance(probability[i], weight[i], parts[i][1], moe) for i in range(b)) / b
            else:
                losses[0] += balance(probability.reshape(b * n, e), weight.reshape(b * n, e), [c for _, l in parts for c in l], moe)
        if moe["router"] != "uniform":
            losses[1] += z.logsumexp(-1).square().mean()
        none = torch.zeros(b, n, dtype=torch.bool)
        if moe["capacity_factor"] and moe["router"] != "expert_choice":
            kept = [drop(s, w, c, moe) for s, (w, c) in zip(score, parts)]
            weight, none = torch.stack([w for w, _ in kept]), torch.stack([lost for _, lost in kept])
        y = sum(weight[..., i:i + 1] * expert(p, name + ".experts", i, x, activation) for i in range(e))
        if moe["drop_residual"]:
            y = torch.where(none[..., None], x, y)
    for i in range(moe["shared_experts"]):
        y = y + expert(p, name + ".shared", i, x, activation)
    return y
