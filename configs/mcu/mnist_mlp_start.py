#!/usr/bin/env python3
"""Writes where the MLP of mnist_mlp_p4.yaml starts: random latents, and scalars of both signs for its four tiles.

    python3 configs/mcu/mnist_mlp_start.py runs/mnist_mlp_start.safetensors [a1,a2,a3,a4]
"""
import array
import json
import random
import struct
import sys

INPUTS, HIDDEN, P = 784, 128, 4


def main():
    path = sys.argv[1]
    scalars = [float(a) for a in sys.argv[2].split(",")] if len(sys.argv) > 2 else [0.03, 0.03, -0.03, -0.03]
    draw = random.Random(1)
    rows = HIDDEN // P
    tensors = {
        "linear1.latent": ([rows, INPUTS], [draw.gauss(0, 0.1) for _ in range(rows * INPUTS)]),
        "linear1.alpha": ([P], scalars),
    }
    header, data = {}, b""
    for name, (shape, values) in tensors.items():
        piece = array.array("f", values).tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(piece)]}
        data += piece
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


if __name__ == "__main__":
    main()
