#!/usr/bin/env python3
"""Keeps what reproduces a run: its configuration and one summary, as docs/logs holds them.

usage: keep_run.py [--tools FOLDER] [--packed JSON] [--overwrite] RUN LOG
  RUN               the folder of a complete run, for example runs/resnet18_p4
  LOG               where it is kept, for example docs/logs/cifar10/resnet18_p4_seed1
  --tools FOLDER    holds tbn-train (build/release/bin, else build/dev/bin)
  --packed JSON     what `tbn-eval FILE --json` printed of the run's packed file; its figures are kept as well
  --overwrite       replace a LOG that is there

LOG/config.yaml is the run's own; `tbn-train --config LOG/config.yaml` trains it again. LOG/summary.json
holds date, seed, device and versions, the size of the network and of its packed file (without the names
and rules of data from files), the figures of the validation and test split, and a row of metrics per epoch.
docs/logs/README.md lists its fields.
"""

import argparse
import csv
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
TOOLS = ("build/release/bin", "build/dev/bin")
# What a reader can check or compare; the host's kernel and the command's folders are nobody's business.
ENVIRONMENT = ("tbn", "libtorch", "compiler", "cpu", "cores", "threads")
SIZES = ("weights", "bits", "bits_per_weight", "bytes", "macs", "dense_macs")
# Columns of metrics.csv that follow from the others.
DERIVED = {"step", "samples_per_s", "images_per_s"}


class KeepError(Exception):
    """What the user is told; the text is one sentence."""


def read(run, name):
    try:
        return (run / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise KeepError(f"'{run}' holds no {name}: it is no complete run of tbn-train") from None


def scalars(figures):
    """The figures of a split without its tables per class."""
    return {key: value for key, value in figures.items() if isinstance(value, (int, float, str))}


def number(text):
    """A value of metrics.csv, in the six digits that a plot shows; None for an empty field."""
    if not text:
        return None
    return int(text) if text.isdigit() else float(f"{float(text):.6g}")


def metrics(text):
    rows = list(csv.reader(text.splitlines()))
    kept = [i for i, column in enumerate(rows[0]) if column not in DERIVED]
    return {"columns": [rows[0][i] for i in kept],
            "rows": [[number(row[i]) for i in kept] for row in rows[1:]]}


def sample_counts(log):
    """Samples of each split, of the first line of train.log."""
    counts = re.search(r"([\d,]+) training, (?:([\d,]+) validation and )?([\d,]+) test", log)
    if not counts:
        return {}
    return {split: int(count.replace(",", ""))
            for split, count in zip(("train", "validation", "test"), counts.groups()) if count}


def dry_run(tools, config, *settings):
    """The network and the file of a configuration, wherever its data are: as if they were not there, so that the
    size of the file does not depend on it. Generated data have no folder, and their names and rules are counted."""
    for without_data in (["data.root=no-such-folder"], []):
        command = [tools / "tbn-train", "--config", config, *settings, *without_data, "--dry-run", "--json"]
        plan = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if plan.returncode == 0:
            return json.loads(plan.stdout)
    raise KeepError(f"tbn-train --dry-run of '{config}' failed: {plan.stderr.strip()}")


def summary_of(run, tools, packed=None):
    """All that LOG/summary.json says, in the order in which it is read."""
    config, log = read(run, "config.yaml"), read(run, "train.log")
    result = json.loads(read(run, "summary.json"))
    if not result.get("complete"):
        raise KeepError(f"'{run}' is not complete; tbn-train --resume {run} goes on with it")
    kept = {"name": result["name"], "date": log[:10],
            "seed": int(re.search(r"^train:.*?^  seed: (\d+)", config, re.M | re.S)[1]),
            "device": result["device"]}
    if (run / "environment.json").exists():
        environment = json.loads(read(run, "environment.json"))
        kept["environment"] = {key: environment[key] for key in ENVIRONMENT if key in environment}
    kept["samples"] = sample_counts(log)
    kept |= {key: result[key] for key in ("epochs", "steps", "best_epoch")}
    kept["train_seconds"] = round(result["train_seconds"], 1)
    kept |= {key: result[key] for key in SIZES}
    kept["file_bytes"] = dry_run(tools.resolve(), (run / "config.yaml").resolve())["file"]["bytes"]
    kept |= {split: scalars(result[split]) for split in ("validation", "test") if split in result}
    if packed:
        evaluated = json.loads(read(packed.parent, packed.name))
        if evaluated["kind"] != "packed":
            raise KeepError(f"'{packed}' is of a {evaluated['kind']}; --packed takes what tbn-eval says of a "
                            "packed file")
        kept["packed"] = scalars(evaluated["metrics"])
    kept["metrics"] = metrics(read(run, "metrics.csv"))
    return kept


def as_text(summary):
    """JSON with a line per field, and one per epoch."""
    def line(value):
        return json.dumps(value, ensure_ascii=False)
    lines = []
    for key, value in summary.items():
        if key == "metrics":
            rows = ",\n".join("      " + line(row) for row in value["rows"])
            value = f'{{\n    "columns": {line(value["columns"])},\n    "rows": [\n{rows}\n    ]\n  }}'
            lines.append(f'  "metrics": {value}')
        else:
            lines.append(f"  {line(key)}: {line(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def find_tools(folder):
    for candidate in [folder] if folder else [ROOT / name for name in TOOLS]:
        if (candidate / "tbn-train").exists():
            return candidate
    raise KeepError(f"tbn-train is not in {folder or ' or '.join(TOOLS)}; build it, or name its folder "
                    "with --tools")


def keep(run, log, tools, packed, overwrite):
    if log.exists() and not overwrite:
        raise KeepError(f"'{log}' exists; name another folder, or give --overwrite")
    text, config = as_text(summary_of(run, tools, packed)), read(run, "config.yaml")
    log.mkdir(parents=True, exist_ok=True)
    (log / "config.yaml").write_text(config, encoding="utf-8")
    (log / "summary.json").write_text(text, encoding="utf-8")
    for key, path in re.findall(r"^ *(output|root|from): ['\"]?(/\S+?)['\"]?$", config, re.M):
        print(f"keep_run.py: note: {log}/config.yaml has a path of this machine, {key}: {path}",
              file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(usage=argparse.SUPPRESS, add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--tools", type=pathlib.Path)
    parser.add_argument("--packed", type=pathlib.Path)
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument("folders", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    if options.help:
        print(__doc__.strip())
        return
    if len(options.folders) != 2:
        print("keep_run.py: RUN and LOG are needed; see keep_run.py --help", file=sys.stderr)
        sys.exit(2)
    try:
        keep(*options.folders, find_tools(options.tools), options.packed, options.overwrite)
    except KeepError as error:
        print(f"keep_run.py: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
