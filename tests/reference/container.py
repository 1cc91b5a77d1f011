"""The safetensors container, read and written with the standard library only.

A tensor is a tuple (dtype, shape, array.array); a file is ({name: tensor}, {metadata key: text}).
"""
import array
import json
import struct

TYPECODE = {"F64": "d", "I64": "q", "F32": "f", "I32": "i", "U8": "B"}


def load(path):
    with open(path, "rb") as f:
        (length,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(length))
        data = f.read()
    meta = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = array.array(TYPECODE[entry["dtype"]])
        values.frombytes(data[begin:end])
        tensors[name] = (entry["dtype"], entry["shape"], values)
    return tensors, meta


def save(path, tensors, meta):
    """Widest elements first, then by name; the data starts on a multiple of 64."""
    order = sorted(tensors, key=lambda name: (-tensors[name][2].itemsize, name))
    header, at = {"__metadata__": meta}, 0
    for name in order:
        dtype, shape, values = tensors[name]
        size = len(values) * values.itemsize
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 64)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for name in order:
            f.write(tensors[name][2].tobytes())


def tensor(dtype, shape, values):
    return (dtype, list(shape), array.array(TYPECODE[dtype], values))
