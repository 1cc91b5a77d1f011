"""What tokens of stretches are made of: band powers, covariances, log powers of learned filters."""

import math

import torch

RATE = 100


def stretches(encoder):
    """length and distance, in samples"""
    return round(encoder["window"] * RATE), round(encoder["hop"] * RATE)


def shapes(encoder, region, length, h):
    """tokens of a window, and the tensors that make and project those of a region"""
    kind, width = encoder["tokens"], len(region["channel"])
    if kind == "sample":
        return length, projection([h, width])
    if kind == "patch":
        return length // encoder["patch"], projection([h, encoder["patch"] * width])
    span, hop = stretches(encoder) if encoder["window"] else (length, 1)
    count = 1 + (length - span) // hop
    if kind == "conv":
        filters = encoder["filters"]
        return count, {**projection([h, filters]), "tokens.temporal.weight": [filters, round(encoder["kernel"] * RATE)],
                       "tokens.spatial.weight": [filters, filters * width]}
    bands = len(edges(encoder))
    if kind == "spectral":
        return count, projection([h, bands * width])
    present = sum(c >= 0 for c in region["channel"])
    features = present * (present + 1) // 2
    return count * bands, {**projection([bands, h, features]), "tokens.mean": [bands, features], "tokens.std": [bands, features],
                           "tokens.scale": [bands]}


def projection(shape):
    return {"input_projection.weight": shape, "input_projection.bias": shape[:-1]}


def band_powers(x, encoder):
    """x [B][T][W] -> [B][tokens][bands * W]: half the logarithm of the mean power of each band in each stretch.

    A stretch loses its mean and is tapered by a Hann window of unit energy; columns without signal give 0."""
    length, hop = stretches(encoder)
    taper = torch.sin(math.pi * (torch.arange(length, dtype=torch.float64) + 0.5) / length).square()
    part = x.unfold(1, length, hop)  # [B][tokens][W][length]
    part = (part - part.mean(-1, keepdim=True)) * taper / taper.norm()
    bands = []
    for band in edges(encoder):
        mean = lines(part, band).abs().square().mean(-1)
        bands.append(torch.where(mean > 0, (mean + 1e-6).log() / 2, 0))
    return torch.cat(bands, dim=-1)


def filtered_powers(x, encoder, temporal, spatial):
    """x [B][T][W] -> [B][tokens][F]: log of the mean square, over each stretch, of signals that a convolution over time (temporal
    [F][taps], each column by each filter) and a map of filters and columns (spatial [F][F * W]) give, where they see no other stretch"""
    length, hop = stretches(encoder) if encoder["window"] else (x.shape[1], 1)
    part = x.unfold(1, length, hop).flatten(0, 1)  # [B * tokens][W][length]
    seen = torch.nn.functional.conv2d(part.unsqueeze(1), temporal[:, None, None, :])  # [..][F][W][length - taps + 1]
    seen = torch.nn.functional.conv2d(seen, spatial.reshape(len(temporal), len(temporal), -1, 1)).squeeze(2)
    return seen.square().mean(-1).clamp(min=1e-6).log().reshape(x.shape[0], -1, seen.shape[1])


def edges(encoder):
    bands = encoder["bands"]
    return bands if isinstance(bands[0], list) else list(zip(bands, bands[1:]))


def lines(part, band):
    """part [...][length] -> [...][lines]: its transform at the Fourier frequencies above the lower edge of the band up to the
    upper one and below Nyquist, or in its middle when there is none"""
    length = part.shape[-1]
    inside = [i for i in range(1, length) if band[0] < i * RATE / length <= band[1] and i * RATE / length < RATE / 2]
    cycles = torch.tensor(inside or [(band[0] + band[1]) / 2 * length / RATE], dtype=torch.float64)
    angle = -2 * math.pi * torch.arange(length, dtype=torch.float64).unsqueeze(1) * cycles / length
    return torch.complex(part, torch.zeros_like(part)) @ torch.polar(torch.ones_like(angle), angle)


def covariances(x, encoder, region, level):
    """x [B][T][W] -> [B][stretches * bands][V(V+1)/2]: log(C / level + floor I) of the covariance C of the V columns that are
    channels, in each band of each stretch; rows of the upper triangle, entries beside the diagonal times root 2"""
    x = x[..., [j for j, c in enumerate(region["channel"]) if c >= 0]]
    length, hop = stretches(encoder) if encoder["window"] else (x.shape[1], 1)
    part = x.unfold(1, length, hop)
    part = part - part.mean(-1, keepdim=True)
    t = torch.arange(length, dtype=torch.float64)
    tapers = [torch.sin(math.pi * (j + 1) * (t + 1) / (length + 1)) for j in range(encoder["tapers"])] or [torch.ones_like(t)]
    width = part.shape[2]
    upper = torch.triu_indices(width, width)
    scale = torch.where(upper[0] == upper[1], 1.0, math.sqrt(2))
    tokens = []
    for band in edges(encoder):
        z = torch.cat([lines(part * taper / taper.norm(), band) for taper in tapers], dim=-1)  # [B][stretches][W][lines]
        c = (z @ z.conj().transpose(-1, -2)).real / z.shape[-1]
        c = c / level[len(tokens)] + encoder["floor"] * torch.eye(width, dtype=torch.float64)
        values, vectors = torch.linalg.eigh(c)
        c = vectors @ torch.diag_embed(values.log()) @ vectors.transpose(-1, -2)
        tokens.append(c[..., upper[0], upper[1]] * scale)
    return torch.stack(tokens, dim=2).flatten(1, 2)
