#!/usr/bin/env python3
"""Writes scripts/requirements/*.txt: the Python packages that scripts/setup.sh installs, each by version
and by the SHA-256 of its files for every Python that is prepared for. Asks the package index through pip
and downloads no package. Run it to take newer versions, read the difference, run scripts/setup.sh. Names of
files without .txt, as arguments, restrict it to those."""

import json
import pathlib
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent / "requirements"
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
PLATFORMS = [f"manylinux{name}_x86_64" for name in
             ["1", "2010", "2014", "_2_17", "_2_18", "_2_24", "_2_25", "_2_26", "_2_27", "_2_28"]]
TORCH = "torch==2.11.0"
# Name: what is wanted, whether what that needs comes too, and the Pythons.
FILES = {
    # The wheel's CPU library alone: of CUDA it needs two small libraries to be loaded at all.
    "libtorch-cpu": ([TORCH, "nvidia-cuda-runtime==13.0.*", "nvidia-cuda-cupti==13.0.*"], False, PYTHONS),
    # nvcc is made of four packages, beside the CUDA libraries that LibTorch brings.
    "libtorch-cuda": ([TORCH, "nvidia-cuda-nvcc==13.0.*", "nvidia-cuda-crt==13.0.*", "nvidia-nvvm==13.0.*",
                       "nvidia-cuda-cccl==13.0.*"], True, PYTHONS),
    "test-tools": (["numpy", "safetensors", "tensorboard", "h5py"], True, PYTHONS[1:]),
    # Since version 22 it leaves system headers alone: a third of the time, a fifth where LibTorch is included.
    "lint-tools": (["clang-tidy"], True, PYTHONS[1:]),
}


def resolve(wanted, with_needs, python):
    """What pip would install under a version of Python: {name: (version, sha256)}."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--dry-run",
                   "--ignore-installed", "--only-binary", ":all:", "--target", folder, "--report", str(report),
                   "--python-version", python]
        for platform in PLATFORMS:
            command += ["--platform", platform]
        subprocess.run(command + ([] if with_needs else ["--no-deps"]) + wanted, check=True)
        entries = json.loads(report.read_text())["install"]
    return {entry["metadata"]["name"].lower().replace("_", "-"):
            (entry["metadata"]["version"], entry["download_info"]["archive_info"]["hashes"]["sha256"])
            for entry in entries}


def condition(pythons, all_pythons):
    """The Pythons that take a requirement, where not all do."""
    if pythons == all_pythons:
        return ""
    return " ; " + " or ".join(f'python_version == "{python}"' for python in pythons)


def lines(wanted, with_needs, pythons):
    found = {python: resolve(wanted, with_needs, python) for python in pythons}
    names = sorted({name for packages in found.values() for name in packages})
    for name in names:
        by_version = {}
        for python in pythons:
            if name in found[python]:
                version, digest = found[python][name]
                by_version.setdefault(version, []).append((python, digest))
        for version, uses in by_version.items():
            users = [python for python, _ in uses]
            # Debian 12's environments hold one that does.
            if name == "setuptools":
                users = [python for python in users if python != "3.11"]
            yield f"{name}=={version}{condition(users, pythons)} \\"
            digests = list(dict.fromkeys(digest for _, digest in uses))
            yield " \\\n".join(f"    --hash=sha256:{digest}" for digest in digests)


def main():
    for name in sys.argv[1:] or FILES:
        wanted, with_needs, pythons = FILES[name]
        text = (f"# {', '.join(wanted)} for Python {pythons[0]} to {pythons[-1]} on x86-64.\n"
                "# Made by scripts/pin_packages.py.\n" + "\n".join(lines(wanted, with_needs, pythons)) + "\n")
        (FOLDER / f"{name}.txt").write_text(text)
        print(f"{FOLDER / name}.txt")


if __name__ == "__main__":
    main()
