#!/usr/bin/env python3
"""Times talkmeter beside other ways to the same figures, and asserts that all figures are equal.

    python3 benches/peers/run.py [--files N] [--runs N] [--talkmeter PATH] [--markdown FILE]

Needs the packages of `requirements.txt`, and rustc, with which the corpus is written. Each program starts afresh in every run; runs
alternate. Ratios are the median wall time of a program over that of talkmeter.
"""

import argparse
import csv
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COLUMNS = ("file", "participant", "talk_ms", "units", "keyword_hit_count")

PEERS = {
    "typed msgspec, 2 processes": ("typed.py",),
    "DuckDB, tuned": ("duck.py", "tuned"),
    "DuckDB, by the book": ("duck.py", "book"),
    "polars alone": ("frames.py", "alone"),
    "orjson + polars": ("frames.py", "polars"),
    "json + pandas": ("frames.py", "pandas"),
    "call-ai-metrics, on sentences": ("cam.py", "sentences"),
    "call-ai-metrics, on words": ("cam.py", "words"),
}
# Talk time of sentences is another figure.
WITHOUT_TALK = "call-ai-metrics, on sentences"


def ours(program, folder, out):
    return [
        program, "analyze", folder, "-o", out, "--only", "participants,calls", "--tables", "csv",
        "--keywords", HERE / "terms.txt", "--no-progress", "-q",
    ]


def figures(out):
    """The rows of both files, by the names of their columns, without order."""
    def rows(name, columns):
        with open(out / name, newline="", encoding="utf-8-sig") as file:
            return sorted(tuple(int(row[c]) if row[c].isdigit() else row[c] for c in columns) for row in csv.DictReader(file))
    return rows("participants.csv", COLUMNS), rows("calls.csv", ("file", "billable_ms"))


def without_talk(figures):
    talk = COLUMNS.index("talk_ms")
    return [sorted(row[:talk] + row[talk + 1 :] for row in figures[0]), figures[1]]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--files", type=int, default=2000)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--talkmeter", default=ROOT / "target/release/talkmeter")
    arguments.add_argument("--markdown", type=pathlib.Path)
    arguments = arguments.parse_args()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        writer, folder = work / "write_corpus", work / "corpus"
        subprocess.run(["rustc", "--edition", "2024", "-O", ROOT / "benches/write_corpus.rs", "-o", writer], check=True)
        subprocess.run([writer, folder, str(arguments.files)], check=True, stdout=subprocess.DEVNULL)
        commands = {"talkmeter": lambda out: ours(arguments.talkmeter, folder, out)}
        for name, (script, *way) in PEERS.items():
            commands[name] = lambda out, script=script, way=way: [sys.executable, HERE / script, *way, folder, out]
        times, expected = {name: [] for name in commands}, None
        for run in range(arguments.runs):
            for name, command in commands.items():
                out = work / f"{run}-{name.replace(' ', '-')}"
                out.mkdir()
                start = time.perf_counter()
                subprocess.run(command(out), check=True, stdout=subprocess.DEVNULL)
                times[name].append(time.perf_counter() - start)
                found = figures(out)
                expected = expected or found
                if name == WITHOUT_TALK:
                    found = without_talk(found)
                for mine, theirs in zip(without_talk(expected) if name == WITHOUT_TALK else expected, found):
                    differ = [pair for pair in zip(mine, theirs) if pair[0] != pair[1]][:3]
                    if mine != theirs:
                        sys.exit(f"{name} has other figures ({len(mine)} rows, {len(theirs)}): {differ}")
        medians = {name: statistics.median(each) for name, each in times.items()}
        size = sum(path.stat().st_size for path in folder.iterdir())
        lines = [
            f"{arguments.files:,} files, {size / 1e6:.0f} MB, {os.cpu_count()} cores, median of {arguments.runs} runs;"
            f" {len(expected[0]):,} participants with equal figures everywhere.",
            "",
            "| program | wall, s | over talkmeter |",
            "| --- | ---: | ---: |",
        ]
        for name, median in sorted(medians.items(), key=lambda pair: pair[1]):
            lines.append(f"| {name} | {median:.2f} | {median / medians['talkmeter']:.2f} |")
        print("\n".join(lines))
        if arguments.markdown:
            text = arguments.markdown.read_text(encoding="utf-8")
            head = text.split("<!-- results -->")[0]
            arguments.markdown.write_text(head + "<!-- results -->\n\n" + "\n".join(lines) + "\n", encoding="utf-8")


main()
