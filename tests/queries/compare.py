"""Asks the questions of docs/queries.md in talkmeter query, DuckDB, polars and pandas: all must answer the
same; and everyday SQL in talkmeter query and DuckDB.

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

# How people ask at first: nulls in what is sorted, results without a name, groups ordered by what is no result. One query a
# line; names of results are not compared.
EVERYDAY = """\
select file, started, rated from figures order by rated desc, file
select file, rated from figures order by rated, file
select file, rated from figures order by rated desc nulls first, file
select agent, avg(rated), count(*) from figures group by agent order by avg(rated) desc, agent
select sum(units), avg(units), count(*), count(rated) from figures
select agent, count(*) from figures group by agent order by count(*) desc, agent
select agent from figures group by agent order by sum(dead_air_ms) desc, agent limit 2
select agent, sum(dead_air_ms)/count(*) from figures group by agent order by sum(dead_air_ms)/count(*) desc, agent
select queue, max(units) - min(units) from figures group by queue having count(*) > 1 order by 2 desc, queue
select a.file, b.file from figures a join figures b on a.agent = b.agent where a.file < b.file order by a.file, b.file
select file, row_number() over (order by rated desc, file desc) from figures where rated is not null order by file
select file, rank() over (order by rated desc) from figures order by file
select file, units / 60000.0, upper(agent) from figures order by units / 60000.0, file
select agent from figures union all select role from participants order by 1"""


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


def compare_everyday(talkmeter, base):
    """Answers of talkmeter and DuckDB, cell by cell; returns how many questions there were."""
    figures = "with figures as (select *, case when dead_air_count > 0 then interruption_count end as rated from calls) "
    queries = [figures + query for query in EVERYDAY.splitlines()]
    for sql in queries:
        said = subprocess.run([talkmeter, "query", "out", sql, "--format", "jsonl"], capture_output=True, text=True)
        assert said.returncode == 0, f"{sql}\n{said.stderr}"
        found = [list(map(cell, json.loads(line).values())) for line in said.stdout.splitlines()]
        expected = [list(map(cell, row)) for row in base.sql(sql).fetchall()]
        assert found == expected and found, f"{sql}\nduckdb: {expected}\ntalkmeter: {found}"
    nulls = base.sql(figures + "select count(*) - count(rated), count(rated) from figures").fetchall()[0]
    assert all(nulls), f"nothing to compare: {nulls}"
    return len(queries)


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
        more = compare_everyday(talkmeter, base)
    print(f"{len(sections)} questions, the same answers; {more} more of talkmeter and DuckDB")


if __name__ == "__main__":
    main()
