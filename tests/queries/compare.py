"""Asks the questions of docs/queries.md in talkmeter query, DuckDB, polars and pandas: all must answer the same.

compare.py TALKMETER REPOSITORY
"""

import json
import math
import os
import re
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import duckdb


def blocks(text, kind):
    """The fenced blocks of one kind, in order."""
    return re.findall(rf"^```{re.escape(kind)}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def python_of(text, library):
    """The one block of Python for a library."""
    found = [code for code in blocks(text, "python") if code.startswith(f"# {library}\n")]
    assert len(found) == 1, f"{len(found)} blocks for {library} in\n{text}"
    return found[0]


def cell(value):
    """Numbers to nine digits, whatever their type; nothing is None."""
    if isinstance(value, str):
        # Exact amounts of money are text in JSON.
        return float(value) if re.fullmatch(r"\d+\.\d+", value) else value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, Decimal) or hasattr(value, "item") or isinstance(value, (int, float)):
        value = value.item() if hasattr(value, "item") else value
        return value if isinstance(value, bool) else float(f"{float(value):.9g}")
    return value


def rows(names, cells):
    return [dict(zip(names, map(cell, row))) for row in cells]


def answers(section, talkmeter, base, frames):
    """The answer of each program."""
    (sql,) = blocks(section, "sql")
    said = subprocess.run([talkmeter, "query", "out", sql, "--format", "jsonl"], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    found = {"talkmeter": [{name: cell(value) for name, value in line.items()} for line in lines]}
    relation = base.sql(sql)
    found["duckdb"] = rows(relation.columns, relation.fetchall())
    for library, names in frames.items():
        scope = dict(names)
        exec(python_of(section, library), scope)
        answer = scope["answer"]
        values = answer.rows() if library == "polars" else answer.itertuples(index=False, name=None)
        found[library] = rows(list(answer.columns), values)
    return found


def main():
    talkmeter, repository = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    text = (repository / "docs/queries.md").read_text(encoding="utf-8")
    intro, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.symlink(repository / "examples", "examples")
        commands = blocks(intro, "sh")[0].replace("talkmeter ", f"{talkmeter} ")
        subprocess.run(["sh", "-ec", commands], check=True, capture_output=True)
        base = duckdb.connect()
        base.execute(blocks(intro, "sql duckdb")[0])
        frames = {"polars": {}, "pandas": {}}
        for library, scope in frames.items():
            exec(python_of(intro, library), scope)
        for section in sections:
            question = section.splitlines()[0]
            found = answers(section, talkmeter, base, frames)
            assert found["talkmeter"], f"{question}: no row"
            for program, answer in found.items():
                assert answer == found["talkmeter"], f"{question}\n{program}: {answer}\ntalkmeter: {found['talkmeter']}"
    print(f"{len(sections)} questions, the same answers")


if __name__ == "__main__":
    main()
