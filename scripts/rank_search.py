#!/usr/bin/env python3
"""Trains networks of a search from scratch and says how well the search ranked them.

usage: rank_search.py [--tools FOLDER] [--networks N] [--seeds LIST] [--within P] CONFIG FOLDER [key=value...]
  CONFIG            the configuration that was searched
  FOLDER            the folder of the search, for example runs/found_search
  --tools FOLDER    holds tbn-search and tbn-train (build/release/bin, else build/dev/bin)
  --networks N      how many networks are trained (24)
  --seeds LIST      each with these seeds (1,2,3)
  --within P        their files differ from the budget by at most so many per cent (1)
  key=value         settings of each training: data.train_limit=30000 train.epochs=2
The same settings that the search was given belong among them.

The networks are spread evenly over the ranks that search.csv gives them on its ranking half, the best one among them.
FOLDER/rank/<choices> has each one's configuration and runs; trainings that are there go on, and complete ones are
not repeated. Prints a table as Markdown; Kendall's tau between the search's scores and the means of the validation scores
from scratch; and, as its ceiling, the mean tau between one seed's scores and the mean of the others.
"""

import argparse
import csv
import itertools
import json
import pathlib
import statistics
import subprocess
import sys

TOOLS = ("build/release/bin", "build/dev/bin")


def kendall_tau(first, second):
    """Tau b: pairs in the same order less those in opposite order, ties left out of each side."""
    same = ties_first = ties_second = pairs = 0
    for i, j in itertools.combinations(range(len(first)), 2):
        a, b = first[i] - first[j], second[i] - second[j]
        pairs += 1
        ties_first += a == 0
        ties_second += b == 0
        same += (a * b > 0) - (a * b < 0)
    scale = ((pairs - ties_first) * (pairs - ties_second)) ** 0.5
    return same / scale if scale > 0 else float("nan")


def chosen(rows, budget, count, within):
    """Evenly over the ranks of the networks near the budget, best first."""
    near = {row["choices"]: float(row["score"]) for row in rows
            if row["images"] == "rank" and abs(int(row["bytes"]) / budget - 1) <= within / 100}
    ranked = sorted(near.items(), key=lambda item: -item[1])
    if len(ranked) <= count:
        return ranked
    return [ranked[i * (len(ranked) - 1) // max(1, count - 1)] for i in range(count)]


def run(*command):
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"rank_search.py: {command[0]} failed:\n{done.stderr}")
    return done.stdout


def score_of(tools, config, folder, name, seed, settings):
    """The validation score of the best epoch, as metrics.csv has it."""
    run(tools / "tbn-train", "--config", config, "--resume=auto", "--quiet", f"train.seed={seed}", f"output={folder}",
        f"name={name}", *settings)
    with open(folder / name / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    (column,) = (name for name in rows[0] if name.startswith("val_") and name != "val_loss")
    sign = -1 if column == "val_mse" else 1  # as the search counts
    return max(sign * float(row[column]) for row in rows)


def limits(search):
    """The options that make the space of the search again."""
    words = ["--p", ",".join(map(str, search["p"])), "--levels", ",".join(map(str, search["levels"])),
             "--rows", search["rows"]]
    return words + (["--fix", ",".join(search["fix"])] if search["fix"] else [])


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    parser.add_argument("--tools")
    parser.add_argument("--networks", type=int, default=24)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--within", type=float, default=1)
    parser.add_argument("config", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("settings", nargs="*")
    given = parser.parse_args()
    tools = pathlib.Path(given.tools or next((path for path in TOOLS if pathlib.Path(path, "tbn-search").exists()), ""))
    if not (tools / "tbn-search").exists():
        sys.exit("rank_search.py: no tbn-search in " + ", ".join(TOOLS) + "; build it, or give --tools")
    search = json.loads((given.folder / "search.json").read_text())["search"]
    if "bytes" not in search:
        sys.exit("rank_search.py: the search had no --bytes, by which networks of one size are chosen")
    seeds = [int(seed) for seed in given.seeds.split(",")]
    with open(given.folder / "search.csv", newline="") as file:
        networks = chosen(list(csv.DictReader(file)), search["bytes"], given.networks, given.within)
    if len(networks) < 2:
        sys.exit(f"rank_search.py: {len(networks)} of the measured networks lie within {given.within} per cent of "
                 f"{search['bytes']} bytes; give a larger --within")
    print("| choices | search | " + " | ".join(f"seed {seed}" for seed in seeds) + " | mean |")
    print("|---" * (len(seeds) + 3) + "|")
    scores = []
    for choices, searched in networks:
        place = given.folder / "rank" / choices.replace("/", "-")
        place.mkdir(parents=True, exist_ok=True)
        config = place / "network.yaml"
        if not config.exists():
            run(tools / "tbn-search", "--config", given.config, "--choices", choices, *limits(search), "-o", config,
                *given.settings)
        scores.append([score_of(tools, config, place, f"seed{seed}", seed, given.settings) for seed in seeds])
        cells = [f"{score:.2f}" for score in [searched, *scores[-1], statistics.mean(scores[-1])]]
        print(f"| {choices} | " + " | ".join(cells) + " |", flush=True)
    means = [statistics.mean(row) for row in scores]
    tau = kendall_tau([score for _, score in networks], means)
    print(f"\nKendall's tau of the search's ranks: {tau:.2f}{' (all scores tie)' if tau != tau else ''}")
    if len(seeds) > 1:
        ceilings = []
        for left in range(len(seeds)):
            others = [statistics.mean(score for i, score in enumerate(row) if i != left) for row in scores]
            ceilings.append(kendall_tau([row[left] for row in scores], others))
        print(f"of one seed's, the ceiling: {statistics.mean(ceilings):.2f}")


if __name__ == "__main__":
    main()
