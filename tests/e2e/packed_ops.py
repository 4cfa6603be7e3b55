"""The ops of packed networks in numpy, written from docs/format.md: slow, in double, of one example."""

import math
import sys

import numpy as np

from tools_support import ROOT

sys.path.insert(0, str(ROOT / "examples" / "python"))
from read_packed import tiled_weights, uniform_weights  # noqa: E402

ACT = {"none": lambda x: x, "relu": lambda x: np.maximum(x, 0), "tanh": np.tanh,
       "gelu": lambda x: 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))),
       "silu": lambda x: x / (1 + np.exp(-x)), "sigmoid": lambda x: 1 / (1 + np.exp(-x))}


def per_channel(values, x):
    """Numbers of channels as they meet x: the first dimension of three and more, the last of others."""
    return np.reshape(values, (-1, *(1,) * (x.ndim - 1)) if x.ndim > 2 else (-1,))


def windows(x, kernel, stride, padding, fill):
    """[C, H', W', kernel height, kernel width] of an image."""
    top, left = padding
    x = np.pad(x, ((0, 0), (top, top), (left, left)), constant_values=fill)
    seen = np.lib.stride_tricks.sliding_window_view(x, kernel, (1, 2))
    return seen[:, ::stride[0], ::stride[1]]


def weights(node, own, n, m):
    how = node.get("weights", {"encoding": "float"})
    if how["encoding"] == "float":
        return own["weight"].reshape(n, m)
    if how["encoding"] == "uniform":
        return uniform_weights(how, own["levels"], own.get("alpha"), n, m)
    return tiled_weights(how, own["tile"], own.get("alpha"), n, m)


def epilogue(node, own, y):
    """Of [n, ...]."""
    column = (-1, *(1,) * (y.ndim - 1))
    y = y * own["scale"].reshape(column) if node.get("scale") else y
    y = y + own["bias"].reshape(column) if node.get("bias", node["op"] == "linear") else y
    return ACT[node.get("activation", "none")](y)


def conv2d(node, own, x):
    n, groups, kernel = node["out_channels"], node.get("groups", 1), node.get("kernel", [1, 1])
    inside = windows(x, kernel, node.get("stride", [1, 1]), node["padding"], 0)
    each = len(x) // groups
    w = weights(node, own, n, each * kernel[0] * kernel[1]).reshape(n, each, *kernel)
    y = [np.einsum("chwij,cij->hw", inside[g * each:(g + 1) * each], w[c])
         for c in range(n) for g in [c // (n // groups)]]
    return epilogue(node, own, np.array(y))


def linear(node, own, x):
    w = weights(node, own, node["out_features"], x.shape[-1])
    return np.moveaxis(epilogue(node, own, np.moveaxis(x @ w.T, -1, 0)), 0, -1)


def attention(node, own, *inputs):
    q, k, v = inputs if len(inputs) == 3 else np.split(inputs[0], 3, axis=1)
    tokens, features = q.shape
    heads, side, shift = node.get("heads", 1), node.get("window", 0), node.get("shift", 0)
    height, width = node.get("grid", [0, 0])
    y = np.zeros_like(q)
    places = [[((t, 0), t) for t in range(tokens)]]  # of each window: (place in the rolled image, token)
    if side > 0:
        places = [[((i, j), (i + shift) % height * width + (j + shift) % width)
                   for i in range(top, top + side) for j in range(left, left + side)]
                  for top in range(0, height, side) for left in range(0, width, side)]

    def score(head, a, b):
        (place, query), (other, key) = a, b
        mine = slice(head * features // heads, (head + 1) * features // heads)
        value = q[query, mine] @ k[key, mine] / math.sqrt(features // heads)
        if side == 0:
            return value
        if any((place[d] + shift >= size) != (other[d] + shift >= size) for d, size in ((0, height), (1, width))):
            return -math.inf  # neighbours by the roll alone
        if node.get("relative_bias"):
            dy, dx = place[0] - other[0], place[1] - other[1]
            value += own["relative_bias"][(dy + side - 1) * (2 * side - 1) + dx + side - 1, head]
        return value

    for window in places:
        order = [token for _, token in window]
        for head in range(heads):
            mine = slice(head * features // heads, (head + 1) * features // heads)
            scores = np.exp([[score(head, a, b) for b in window] for a in window])
            y[order, mine] = scores / scores.sum(axis=1, keepdims=True) @ v[order, mine]
    return y


def layer_norm(node, own, x):
    centred = x - x.mean(-1, keepdims=True)
    variance = (centred ** 2).mean(-1, keepdims=True)
    return centred / np.sqrt(variance + node.get("eps", 1e-5)) * own["weight"] + own["bias"]


def position_embedding(node, own, x):
    if node.get("kind", "learned") == "learned":
        return x + own["table"]
    tokens, features = x.shape
    t, f = np.mgrid[:tokens, :features]
    angle = t / 10000 ** (2 * (f // 2) / features)
    return x + np.where(f % 2 == 0, np.sin(angle), np.cos(angle))


def moving_average(node, own, x):
    half = node.get("kernel", 25) // 2
    rows = [np.clip(np.arange(t - half, t + half + 1), 0, len(x) - 1) for t in range(len(x))]
    return np.array([x[row].mean(axis=0) for row in rows])


def pool(node, x, fill):
    return windows(x, node.get("kernel", [2, 2]), node["stride"], node.get("padding", [0, 0]), fill)


OPS = {
    "normalize": lambda node, own, x: (x - per_channel(node["mean"], x)) / per_channel(node["std"], x),
    "conv2d": conv2d, "linear": linear, "attention": attention, "layer_norm": layer_norm,
    "affine": lambda node, own, x: ACT[node.get("activation", "none")](
        per_channel(own["scale"], x) * x + per_channel(own["bias"], x)),
    "activation": lambda node, own, x: ACT[node.get("kind", "none")](x),
    "add": lambda node, own, a, b: ACT[node.get("activation", "none")](a + b),
    "subtract": lambda node, own, a, b: a - b,
    "multiply": lambda node, own, a, b: a * b,
    "max_pool2d": lambda node, own, x: pool(node, x, -math.inf).max(axis=(3, 4)),
    "avg_pool2d": lambda node, own, x: pool(node, x, 0).mean(axis=(3, 4)),
    "global_avg_pool": lambda node, own, x: x.mean(axis=(1, 2)),
    "flatten": lambda node, own, x: x.reshape(-1),
    "reshape": lambda node, own, x: x.reshape(node["shape"]),
    "transpose": lambda node, own, x: np.swapaxes(x, -1, -2),
    "pad2d": lambda node, own, x: np.pad(x, ((0, 0), (node.get("top", 0), node.get("bottom", 0)),
                                             (node.get("left", 0), node.get("right", 0)))),
    "concat": lambda node, own, *inputs: np.concatenate(inputs, axis=node.get("axis", 0)),
    "slice": lambda node, own, x: x.take(
        range(node.get("begin", 0), node.get("begin", 0) + node.get("length", 1)), axis=node.get("axis", 0)),
    "expand": lambda node, own, x: np.tile(x, (node.get("count", 1), 1)),
    "class_token": lambda node, own, x: np.concatenate([own["token"][None], x]),
    "position_embedding": position_embedding, "moving_average": moving_average,
    "sequence_pool": lambda node, own, x: x.max(axis=0) if node.get("kind") == "max" else x.mean(axis=0),
    "matmul": lambda node, own, a, b: a @ b,
    "add_identity": lambda node, own, x: x + np.eye(len(x)),
}


def evaluate(graph, tensors, x):
    """The output of the graph for one example."""
    values = [np.float64(x)]
    for node in graph["nodes"][1:]:
        start = node["name"] + "."
        own = {name[len(start):]: tensor if tensor.dtype == np.uint8 else np.float64(tensor)
               for name, tensor in tensors.items() if name.startswith(start)}
        values.append(OPS[node["op"]](node, own, *(values[i] for i in node["inputs"])))
    return values[graph["output"]]
