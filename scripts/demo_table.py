"""Prints the closing table of scripts/demo.sh from the JSON that the tools wrote.

usage: demo_table.py RUN_FOLDER IMAGES_THAT_DIFFER TRAINING_SECONDS ALL_SECONDS
"""

import json
import os
import sys


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main():
    run, differ, training, everything = sys.argv[1:]
    packed_file = os.path.join(run, "fashion_mnist.tbn")
    checkpoint = load(os.path.join(run, "checkpoint.json"))["metrics"]
    packed = load(os.path.join(run, "packed.json"))["metrics"]
    totals = load(os.path.join(run, "inspect.json"))["totals"]
    ratio = totals["dense_macs"] / totals["macs"]
    rows = [
        ("test accuracy, checkpoint", f"{checkpoint['top1']:.2f} %"),
        ("test accuracy, packed file", f"{packed['top1']:.2f} %"),
        ("predictions that differ", f"{differ} of {checkpoint['images']:,}"),
        ("weights", f"{totals['weights']:,}"),
        ("bits per weight", f"{totals['bits_per_weight']:.3f}"),
        ("packed file", f"{os.path.getsize(packed_file):,} bytes"),
        ("multiply-adds per image", f"{totals['macs']:,} ({ratio:.1f} times fewer than dense)"),
        ("training", f"{int(training)} s"),
        ("all of it", f"{int(everything)} s"),
        ("run directory", run),
        ("packed model", packed_file),
    ]
    print()
    for name, value in rows:
        print(f"  {name:<28}{value}")


if __name__ == "__main__":
    main()
