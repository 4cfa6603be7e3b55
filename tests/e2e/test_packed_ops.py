"""Every op of docs/format.md: files written from that page alone, whose outputs are computed in numpy (packed_ops.py),
are what tbn-eval --verify computes."""

import json

import numpy as np

from packed_ops import OPS, evaluate
from packed_support import packed
from tools_support import ToolTest, main

RANDOM = np.random.default_rng(1)
IMAGE, TOKENS = [3, 7, 6], [8, 6]


def bits(*shape):
    """Rows of signs, the last number of a shape the bits of a row."""
    return np.packbits(RANDOM.integers(0, 2, shape), axis=1, bitorder="little")


def case(start, op, tensors={}, before=(), **attributes):
    """A graph of the input, the nodes before, and a node `it` of the op, with its tensors: arrays, or shapes of random
    ones."""
    nodes = [{"name": "input", "op": "input", "shape": start}, *before]
    attributes.setdefault("inputs", [len(nodes) - 1])
    made = {f"it.{name}": value if isinstance(value, np.ndarray) else RANDOM.normal(size=value).astype("<f4")
            for name, value in tensors.items()}
    graph = {"name": "case", "nodes": [*nodes, {"name": "it", "op": op, **attributes}], "output": len(nodes)}
    return graph, made


def node(name, op, inputs=(0,), **attributes):
    return {"name": name, "op": op, "inputs": list(inputs), **attributes}


TWICE = (node("a", "activation", kind="tanh"),)
# Each op at its defaults and off them.
CASES = [
    case(IMAGE, "normalize", mean=[1.0, 2.0, 3.0], std=[1.5, 2.5, 0.5]),
    case(TOKENS, "normalize", mean=[0.5] * 6, std=[2.0] * 6),
    case(IMAGE, "conv2d", {"weight": (4, 3, 1, 1)}, out_channels=4, padding=[0, 0]),
    case(IMAGE, "conv2d", {"weight": (6, 1, 3, 2), "bias": 6}, out_channels=6, kernel=[3, 2], stride=[2, 1],
         padding=[1, 0], groups=3, bias=True, activation="gelu"),
    case(IMAGE, "conv2d", {"tile": bits(2, 27), "scale": 6, "bias": 6}, out_channels=6, kernel=[3, 3], scale=True,
         padding=[1, 1], bias=True, activation="silu", weights={"encoding": "tiled", "p": 3}),
    case(IMAGE, "conv2d", {"tile": bits(2, 12), "alpha": 2}, out_channels=4, kernel=[2, 2], padding=[0, 0],
         weights={"encoding": "tiled", "order": "interleave", "p": 2}),
    case(IMAGE, "conv2d", {"levels": bits(4, 15), "alpha": 4}, out_channels=4, padding=[0, 0],
         weights={"encoding": "uniform", "bits": 5}),
    case([6], "linear", {"weight": (4, 6), "bias": 4}, out_features=4),
    case(TOKENS, "linear", {"tile": bits(1, 10), "alpha": 3, "scale": 5}, out_features=5, bias=False, scale=True,
         activation="sigmoid", weights={"encoding": "tiled", "p": 3}),
    case(TOKENS, "linear", {"tile": bits(4, 6), "alpha": 1}, out_features=4, bias=False, activation="tanh",
         weights={"encoding": "tiled", "alpha": "layer", "p": 1}),
    case(IMAGE, "affine", {"scale": 3, "bias": 3}, activation="relu"),
    case(TOKENS, "affine", {"scale": 6, "bias": 6}),
    *(case(TOKENS, "activation", kind=kind) for kind in ("relu", "gelu", "silu", "tanh", "sigmoid")),
    case(TOKENS, "add", before=TWICE, inputs=[0, 1], activation="relu"),
    case(TOKENS, "subtract", before=TWICE, inputs=[0, 1]),
    case(TOKENS, "multiply", before=TWICE, inputs=[0, 1]),
    case(IMAGE, "max_pool2d", stride=[2, 2]),
    case(IMAGE, "max_pool2d", kernel=[3, 3], stride=[1, 2], padding=[1, 0]),
    case(IMAGE, "avg_pool2d", stride=[2, 2]),
    case(IMAGE, "avg_pool2d", kernel=[3, 1], stride=[2, 1]),
    case(IMAGE, "global_avg_pool"),
    case(IMAGE, "flatten"),
    case(IMAGE, "reshape", shape=[14, 9]),
    case(TOKENS, "transpose"),
    case(IMAGE, "transpose"),
    case(IMAGE, "pad2d", top=1, left=2, right=3),
    case(TOKENS, "concat", before=TWICE, inputs=[0, 1, 0]),
    case(IMAGE, "concat", before=TWICE, inputs=[1, 0], axis=2),
    case(TOKENS, "slice"),
    case(IMAGE, "slice", axis=1, begin=2, length=4),
    case([5], "expand", count=3),
    case(TOKENS, "layer_norm", {"weight": 6, "bias": 6}),
    case(TOKENS, "layer_norm", {"weight": 6, "bias": 6}, eps=0.25),
    case(TOKENS, "attention"),
    case(TOKENS, "attention", before=TWICE, inputs=[0, 1, 0], heads=3),
    case([16, 12], "attention", {"relative_bias": (9, 2)}, heads=2, grid=[4, 4], window=2, shift=1,
         relative_bias=True),
    case([24, 6], "attention", heads=1, grid=[4, 6], window=2),
    case(TOKENS, "class_token", {"token": 6}),
    case(TOKENS, "position_embedding", {"table": (8, 6)}),
    case(TOKENS, "position_embedding", kind="sinusoidal"),
    case(TOKENS, "sequence_pool"),
    case(TOKENS, "sequence_pool", kind="max"),
    case(TOKENS, "moving_average"),
    case(TOKENS, "moving_average", kernel=3),
    case(TOKENS, "matmul", before=(node("a", "transpose"),), inputs=[0, 1]),
    case([4, 4], "add_identity"),
]


def joined(cases):
    """One graph of all, each on its own part of one long input and for its own part of the output."""
    nodes, made, ends, at = [{"name": "input", "op": "input"}], {}, [], 0
    for i, (graph, tensors) in enumerate(cases):
        first, *rest = graph["nodes"]
        count = int(np.prod(first["shape"]))
        nodes.append(node(f"part{i}", "slice", begin=at, length=count))
        nodes.append(node(f"input{i}", "reshape", [len(nodes) - 1], shape=first["shape"]))
        start = len(nodes) - 1
        for each in rest:
            nodes.append({**each, "name": f"{each['name']}{i}", "inputs": [start + old for old in each["inputs"]]})
        made.update((name.replace(".", f"{i}.", 1), value) for name, value in tensors.items())
        nodes.append(node(f"output{i}", "flatten", [len(nodes) - 1]))
        ends.append(len(nodes) - 1)
        at += count
    nodes[0]["shape"] = [at]
    nodes.append(node("outputs", "concat", ends))
    return {"name": "cases", "nodes": nodes, "output": len(nodes) - 1}, made


class Ops(ToolTest):
    train_images = test_images = 10

    def verify(self, graph, tensors):
        inputs = RANDOM.normal(size=(2, *graph["nodes"][0]["shape"])).astype("<f4")
        outputs = np.array([evaluate(graph, tensors, x) for x in inputs], "<f4")
        content = packed(graph, [*((name, "U8" if value.dtype == np.uint8 else "F32", value)
                                   for name, value in tensors.items()),
                                 ("verify.input", "F32", inputs), ("verify.output", "F32", outputs)],
                         **{"tbn.features": "binary,interleave,tiled,uniform"})
        (self.folder / "case.tbn").write_bytes(content)
        # Its own tolerance goes by the largest of all outputs.
        self.assertLess(self.call_json("tbn-eval", "case.tbn", "--verify")["verify"]["max_difference"], 2e-5)

    def test_each_computes_what_it_says(self):
        self.assertEqual({graph["nodes"][-1]["op"] for graph, _ in CASES}, set(OPS))
        try:
            self.verify(*joined(CASES))
        except AssertionError:
            for graph, tensors in CASES:
                with self.subTest(json.dumps(graph["nodes"][-1])):
                    self.verify(graph, tensors)
            raise


if __name__ == "__main__":
    main()
