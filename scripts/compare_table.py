"""Writes the comparison of scripts/compare.sh into docs/results.md, between its two markers.

usage: compare_table.py LOGS_FOLDER MARKDOWN_FILE

The rows are those logs of LOGS_FOLDER whose name is <twin>_seed<k>.
"""

import json
import os
import pathlib
import re
import statistics
import sys

TWINS = {
    "p4": ("ResNet", "4"),
    "p8": ("ResNet", "8"),
    "p1": ("ResNet, 1-bit twin", "1"),
    "p1_half": ("ResNet of half the width, as many tile bits", "1"),
    "float": ("ResNet, float twin", ""),
}
BEGIN, END = "<!-- compare.sh: begin -->", "<!-- compare.sh: end -->"
HEADER = ("network", "p", "bits per weight", "file bytes", "test accuracy, %", "packed file, %", "float twin, %",
          "multiply-adds", "training, s", "config", "settings", "log")


def logs_of(folder, twin):
    """(seed, summary) of each run of a twin, by seed."""
    names = (re.fullmatch(rf"{twin}_seed(\d+)", path.name) for path in folder.iterdir())
    seeds = sorted(int(name[1]) for name in names if name)
    return [(seed, json.loads((folder / f"{twin}_seed{seed}" / "summary.json").read_text(encoding="utf-8")))
            for seed in seeds]


def links(folder, twin, logs):
    return ", ".join(f"[seed {seed}](logs/{folder.name}/{twin}_seed{seed})" for seed, _ in logs)


def mean(logs, *path):
    """The mean over seeds of a field of the summaries."""
    values = []
    for _, value in logs:
        for key in path:
            value = value[key]
        values.append(value)
    return statistics.mean(values)


def row(folder, twin):
    """One twin's cells: means over its seeds, and what its network and file cost."""
    logs = logs_of(folder, twin)
    label, p = TWINS[twin]
    floats = logs_of(folder, "float") if twin != "float" else []
    first = logs[0][1]
    return (label, p, f"{first['bits_per_weight']:.3f}", f"{first['file_bytes']:,}", f"{mean(logs, 'test', 'top1'):.2f}",
            f"{mean(logs, 'packed', 'top1'):.2f}",
            f"{mean(floats, 'test', 'top1'):.2f} {links(folder, 'float', floats)}" if floats else "",
            f"{first['macs'] / 1e6:.1f} M", f"{mean(logs, 'train_seconds'):.0f}",
            f"[as recorded](logs/{folder.name}/{twin}_seed{logs[0][0]}/config.yaml)", "", links(folder, twin, logs))


def table(folder):
    rows = [row(folder, twin) for twin in TWINS if logs_of(folder, twin)]
    lines = ["| " + " | ".join(cells) + " |" for cells in (HEADER, *rows)]
    return "\n".join([lines[0], "|---" * len(HEADER) + "|", *lines[1:]])


def main():
    logs, markdown = sys.argv[1:]
    between = f"{BEGIN}\n{table(pathlib.Path(logs))}\n{END}"
    with open(markdown, encoding="utf-8") as file:
        text = file.read()
    if BEGIN not in text or END not in text:
        sys.exit(f"compare_table.py: {markdown} has no '{BEGIN}' ... '{END}'")
    head, rest = text.split(BEGIN, 1)
    with open(markdown + ".part", "w", encoding="utf-8") as file:
        file.write(head + between + rest.split(END, 1)[1])
    os.replace(markdown + ".part", markdown)
    print(between)


if __name__ == "__main__":
    main()
