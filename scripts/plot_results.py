#!/usr/bin/env python3
"""Draws accuracy over bytes from the tables of docs/results.md and the published points of docs/published.csv.

usage: plot_results.py            writes docs/images/accuracy_<data>.svg of each data set
       plot_results.py --check    says which of them are older than what they show; needs no matplotlib

Drawing needs matplotlib (pip install matplotlib). A plot's <dc:description> is a digest of its points: by that a
check knows what was drawn.
"""

import csv
import hashlib
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "results.md"
PUBLISHED = ROOT / "docs" / "published.csv"
DATA = {"Fashion-MNIST": "fashion_mnist", "CIFAR-10": "cifar10"}
# How points of a kind are drawn: marker, colour, what the legend says.
KINDS = {"tiled": ("o", "#1f6fb4", "tiled, p of 2 and more"), "1 bit": ("s", "#d9822b", "1 bit"),
         "float": ("D", "#6b6b6b", "float twin"), "published": ("^", "#b03a48", "published, bytes of weights alone")}


def tables(text):
    """(heading, header, rows) of each table of a Markdown document."""
    heading, table = "", []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            table.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
            continue
        if table:
            yield heading, table[0], table[2:]
        table = []
        if line.startswith("#"):
            heading = line.lstrip("# ")


def number(cell):
    """The first figure of a cell."""
    return float(re.match(r"[\d,.]+", cell)[0].replace(",", ""))


def measured(data, text):
    """(kind, label, bytes, accuracy) of each row of a data set that has a packed file and a test accuracy."""
    points = set()
    for heading, header, rows in tables(text):
        for cells in rows:
            row = dict(zip(header, cells))
            if heading.startswith(data) and row.get("file bytes") and row.get("test accuracy, %"):
                kind = {"": "float", "1": "1 bit"}.get(row["p"], "tiled")
                points.add((kind, row["network"], number(row["file bytes"]), number(row["test accuracy, %"])))
    return sorted(points)


def published(data, text):
    """The same of the points that others published."""
    try:
        return sorted(("published", f"{row['network']}, {row['method']} ({row['source']})", float(row["bytes"]),
                       float(row["accuracy"])) for row in csv.DictReader(text.splitlines()) if row["data"] == data)
    except (KeyError, TypeError, ValueError) as error:
        sys.exit(f"plot_results.py: {PUBLISHED.name}: a row or its header is incomplete or no number ({error})")


def points_of(data):
    return (measured(data, RESULTS.read_text(encoding="utf-8")) +
            published(data, PUBLISHED.read_text(encoding="utf-8")))


def digest(points):
    return hashlib.sha256(repr(points).encode()).hexdigest()


def path_of(data):
    return ROOT / "docs" / "images" / f"accuracy_{DATA[data]}.svg"


def is_current(data):
    """Whether the plot of a data set shows what the tables say."""
    return path_of(data).is_file() and digest(points_of(data)) in path_of(data).read_text(encoding="utf-8")


def best_of(points):
    """Of points (bytes, accuracy) those that none of fewer bytes reaches."""
    best = []
    for size, accuracy in sorted(points, key=lambda point: (point[0], -point[1])):
        if not best or accuracy > best[-1][1]:
            best.append((size, accuracy))
    return best


def draw(data):
    """Writes the plot of a data set."""
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, NullFormatter

    plt.rcParams.update({"svg.hashsalt": data, "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9})
    points = points_of(data)
    figure, axes = plt.subplots(figsize=(7.2, 4.4))
    axes.set_xlim(min(p[2] for p in points) / 1.3, max(p[2] for p in points) * 1.3)
    axes.set_ylim(min(p[3] for p in points) - 1, max(p[3] for p in points) + 3)
    axes.set_xscale("log")
    for kind, (marker, colour, label) in KINDS.items():
        own = [point for point in points if point[0] == kind]
        if own:
            axes.scatter([p[2] for p in own], [p[3] for p in own], marker=marker, s=26, color=colour, label=label,
                         zorder=3)
        line = best_of([(p[2], p[3]) for p in own])
        if kind in ("tiled", "1 bit") and len(line) > 1:
            axes.step([p[0] for p in line], [p[1] for p in line], where="post", color=colour, linewidth=0.8, alpha=0.6)
        for _, text, size, accuracy in own:
            if kind == "published" or (size, accuracy) in line:
                right = axes.transAxes.inverted().transform(axes.transData.transform((size, accuracy)))[0] > 0.6
                axes.annotate(text, (size, accuracy), xytext=(-5 if right else 5, -9 if kind == "tiled" else 3),
                              textcoords="offset points", ha="right" if right else "left", fontsize=6, color=colour)
    first, last = axes.get_xlim()
    ticks = [step * 10**power for power in range(3, 8) for step in (1, 2, 5)]
    axes.set_xticks([tick for tick in ticks if first < tick < last])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1000:,.0f} kB"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("bytes of the packed file")
    axes.set_ylabel("test accuracy, %")
    axes.set_title(data, loc="left")
    axes.grid(True, linewidth=0.3, color="#dddddd")
    axes.legend(loc="lower right", frameon=False, fontsize=7)
    figure.tight_layout()
    figure.savefig(path_of(data), metadata={"Date": None, "Title": f"Accuracy over bytes, {data}",
                                            "Description": digest(points)})
    plt.close(figure)


def main():
    if sys.argv[1:] == ["--check"]:
        old = [path_of(data).name for data in DATA if not is_current(data)]
        if old:
            sys.exit(f"plot_results.py: {', '.join(old)} shows other points than docs/results.md: draw it again")
        return
    if sys.argv[1:]:
        sys.exit(__doc__)
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        sys.exit("plot_results.py: drawing needs matplotlib: pip install matplotlib")
    for data in DATA:
        draw(data)
        print(path_of(data).relative_to(ROOT))


if __name__ == "__main__":
    main()
