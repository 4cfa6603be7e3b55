"""Writes the comparison of scripts/compare.sh into docs/results.md, between its two markers.

usage: compare_table.py RUNS_FOLDER MARKDOWN_FILE
"""

import datetime
import glob
import json
import os
import re
import statistics
import sys

TWINS = {
    "p4": "tiled, p = 4",
    "float": "float twin",
    "p1": "1-bit twin (p = 1)",
    "p1_half": "1-bit twin of half the width (as many tile bits)",
    "p8": "tiled, p = 8",
}
BEGIN, END = "<!-- compare.sh: begin -->", "<!-- compare.sh: end -->"


def load(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return json.load(file)


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "unknown"


def row(folder, twin):
    """One twin's line: test accuracies over its seeds, and what its file costs."""
    runs = sorted(glob.glob(os.path.join(folder, f"{twin}_seed*")))
    runs = [run for run in runs if os.path.exists(os.path.join(run, "inspect.json"))]
    if not runs:
        return None
    trained = [load(run, "checkpoint.json")["metrics"]["top1"] for run in runs]
    packed = [load(run, "packed.json")["metrics"]["top1"] for run in runs]
    seconds = [load(run, "summary.json")["train_seconds"] for run in runs]
    totals = load(runs[0], "inspect.json")["totals"]
    size = os.path.getsize(os.path.join(runs[0], f"{twin}.tbn"))
    seeds = ", ".join(re.search(r"_seed(\d+)$", run).group(1) for run in runs)
    return (
        f"| {TWINS[twin]} | {seeds} | {' / '.join(f'{v:.2f}' for v in trained)} "
        f"| {' / '.join(f'{v:.2f}' for v in packed)} | {statistics.mean(trained):.2f} "
        f"| {totals['bits_per_weight']:.3f} | {size:,} | {totals['macs'] / 1e6:.1f} M "
        f"| {statistics.mean(seconds):.0f} |"
    )


def main():
    folder, markdown = sys.argv[1:]
    rows = [line for line in (row(folder, twin) for twin in TWINS) if line]
    today = datetime.date.today().isoformat()
    table = "\n".join(
        [
            BEGIN,
            f"`scripts/compare.sh`, {today}, {cpu_model()}, {os.cpu_count()} cores.",
            "",
            "| network | seeds | test accuracy, checkpoint | packed file | mean | bits a weight "
            "| file bytes | multiply-adds | training, s |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows,
            END,
        ]
    )
    with open(markdown, encoding="utf-8") as file:
        text = file.read()
    if BEGIN not in text or END not in text:
        sys.exit(f"compare_table.py: {markdown} has no '{BEGIN}' ... '{END}'")
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    with open(markdown + ".part", "w", encoding="utf-8") as file:
        file.write(head + table + tail)
    os.replace(markdown + ".part", markdown)
    print(table)


if __name__ == "__main__":
    main()
