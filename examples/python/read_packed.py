"""Runs a packed multi-layer perceptron with numpy alone, without any code of tbn: docs/format.md as a program.

  python examples/python/read_packed.py models/pretrained/mnist_mlp_p4.tbn image.raw

prints the logits of a raw file of float32 values, or of the file's own test vectors where none is given.
"""

import json
import sys

import numpy as np

DTYPES = {"F32": "<f4", "F16": "<f2", "U8": "u1", "I64": "<i8"}
FEATURES = {"binary", "compact", "f16", "generated", "interleave", "output_scalars", "tiled", "uniform"}
SWAPPED_QUOTES = str.maketrans({'"': "'", "'": '"'})
ACTIVATIONS = {"none": lambda x: x, "relu": lambda x: np.maximum(x, 0)}


def crc32c(content):
    crc = 0xffffffff
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return "%08x" % (crc ^ 0xffffffff)


def expand(graph):
    """Adds to a graph in short form what that leaves out."""
    common = {entry["op"]: entry for entry in graph.pop("common")}
    for number, node in enumerate(graph["nodes"]):
        node.update({**common.get(node["op"], {}), **node})
        if number > 0:
            node.setdefault("inputs", [number - 1])
    graph.setdefault("output", len(graph["nodes"]) - 1)


def example_inputs(count, shape):
    """The inputs of test vectors that the generator "example-1" makes."""
    state, values = 1, []
    for _ in range(count * int(np.prod(shape))):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values.append(state >> 56)
    inputs = np.array(values, "<f4").reshape(count, *shape)
    return inputs / 128 - 1 if len(shape) == 2 else inputs


def read_packed(path):
    """The graph and the tensors by name. Raises ValueError for a file that is damaged or too new."""
    with open(path, "rb") as file:
        raw = file.read()
    length = int.from_bytes(raw[:8], "little")
    head, data = bytearray(raw[:8 + length]), raw[8 + length:]
    header = json.loads(head[8:])
    metadata = header.pop("__metadata__")
    features = set(metadata["tbn.features"].split(",")) - {""}
    if metadata["tbn.format"].split(".")[0] != "1" or features - FEATURES:
        raise ValueError(f"{path}: format {metadata['tbn.format']}, features {metadata['tbn.features']}")
    head[46:54] = b"00000000"  # the digits of tbn.header_crc32c itself
    if crc32c(head) != metadata["tbn.header_crc32c"] or crc32c(data) != metadata["tbn.crc32c"]:
        raise ValueError(f"{path}: a checksum is wrong")
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
    text = metadata["tbn.graph"]
    graph = json.loads(text.translate(SWAPPED_QUOTES) if "compact" in features else text)
    if "compact" in features:
        expand(graph)
        for name in [name for name in tensors if "+" in name]:  # "fc.scale+bias": two in one
            node, _, suffixes = name.rpartition(".")
            tensors.update(zip((f"{node}.{suffix}" for suffix in suffixes.split("+")), tensors.pop(name)))
    if "generated" in features:
        if metadata["tbn.verify"] != "example-1":
            raise ValueError(f"{path}: no generator {metadata['tbn.verify']!r} of test vectors here")
        tensors["verify.input"] = example_inputs(len(tensors["verify.output"]), graph["nodes"][0]["shape"])
    return graph, tensors


def tiled_weights(how, tile, alpha, n, m):
    p = how["p"]
    bits = np.unpackbits(tile, axis=1, bitorder="little")
    if n % p != 0:  # one row of q bits, repeated p times over all n m weights
        q = n * m // p
        signs, slices = np.tile(bits[0, :q], p), np.repeat(np.arange(p), q)
    elif how.get("order") == "interleave":  # output c takes row c / p
        signs, slices = np.repeat(bits[:, :m], p, axis=0), np.repeat(np.arange(n) % p, m)
    else:  # output c takes row c mod n / p
        signs, slices = np.tile(bits[:, :m], (p, 1)), np.repeat(np.arange(p), n // p * m)
    scalar_of = {"tile": slices, "layer": slices * 0, "output": np.repeat(np.arange(n), m)}
    scalars = 1 if alpha is None else np.float64(alpha)[scalar_of[how.get("alpha", "tile")]]
    return ((2.0 * signs.reshape(-1) - 1) * scalars).reshape(n, m)


def uniform_weights(how, levels, alpha, n, m):
    bits = how["bits"]
    digits = np.unpackbits(levels, axis=1, bitorder="little")[:, :m * bits].reshape(n, m, bits)
    values = 2.0 ** np.arange(bits)
    values[-1] *= -1  # two's complement
    return digits @ values * (1 if alpha is None else np.float64(alpha)[:, None])


def linear(node, tensors, x):
    own = {key: tensors.get(f"{node['name']}.{key}") for key in ("weight", "tile", "levels", "alpha", "scale", "bias")}
    how = node.get("weights", {"encoding": "float"})
    size = node["out_features"], x.shape[1]
    weights = {"float": lambda: own["weight"],
               "tiled": lambda: tiled_weights(how, own["tile"], own["alpha"], *size),
               "uniform": lambda: uniform_weights(how, own["levels"], own["alpha"], *size)}[how["encoding"]]()
    y = x @ weights.T * (own["scale"] if node.get("scale") else 1)
    return y + own["bias"] if node.get("bias", True) else y


def run(graph, tensors, x):
    """The logits [batch, classes] of inputs [batch, ...]. Raises ValueError for an op that it does not know."""
    values = [x]  # of each node, by its number
    for node in graph["nodes"][1:]:
        x = values[node["inputs"][0]]
        if node["op"] == "normalize":
            channels = (-1,) + (1,) * (x.ndim - 2 if x.ndim > 3 else 0)  # the first of an image, else the last
            x = (x - np.reshape(node["mean"], channels)) / np.reshape(node["std"], channels)
        elif node["op"] == "flatten":
            x = x.reshape(len(x), -1)
        elif node["op"] == "linear" and x.ndim == 2:
            x = linear(node, tensors, x)
        elif node["op"] != "activation":
            raise ValueError(f"no {node['op']} of [{', '.join(map(str, x.shape[1:]))}] here: '{node['name']}'")
        values.append(ACTIVATIONS[node.get("kind", node.get("activation", "none"))](x))
    return values[graph["output"]]


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: read_packed.py <network.tbn> [input.raw]")
    graph, tensors = read_packed(sys.argv[1])
    given = np.fromfile(sys.argv[2], "<f4") if len(sys.argv) == 3 else tensors["verify.input"]
    for logits in run(graph, tensors, given.reshape(-1, *graph["nodes"][0]["shape"])):
        print(*(f"{value:.6g}" for value in logits))


if __name__ == "__main__":
    try:
        main()
    except (ValueError, LookupError, OSError) as error:  # of which damaged JSON and text are some
        sys.exit(f"read_packed.py: {' '.join(sys.argv[1:2])}: {error}")
