"""Tables made by Spark are those of one machine, cell by cell. What needs no Spark is tested without."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pyarrow
import pyarrow.parquet
import pytest

import talkmeter
import talkmeter.spark

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLES = [
    "calls", "participants", "bursts", "turns", "events", "hits", "rules", "windows", "costs", "sentences", "words",
    "warnings",
]  # fmt: skip
RULE = '[[rule]]\nid = "refund"\nname = "Refund"\nwhen = "asked"\n[rule.conditions.asked]\nphrases = ["refund"]\n'
PRICE = '[[price]]\nmodels = ["fun-asr"]\nregion = "intl"\ncurrency = "USD"\nsecond = "0.5"\nsource = "own"\nchecked = "2026-01-01"\n'


@pytest.fixture(scope="module")
def spark():
    if shutil.which("java") is None:
        pytest.skip("no Java")
    sql = pytest.importorskip("pyspark.sql")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", False)
    session = session.config("spark.sql.files.openCostInBytes", "64KB")
    session = session.config("spark.sql.execution.arrow.maxRecordsPerBatch", 32).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    print("\nSpark", session.version)
    yield session
    session.stop()


def measured(spark, folder, tables, **parameters):
    """The rows of all files that the command reads there."""
    files = spark.read.format("binaryFile").option("recursiveFileLookup", True)
    files = files.option("pathGlobFilter", "*.{json,srt,vtt,ctm,rttm,stm}").load(str(folder))
    function = talkmeter.spark.measure(tables, folder, **parameters)
    return files.mapInArrow(function, talkmeter.spark.schema(tables))


def rows(table):
    return sorted(map(repr, table.to_pylist()))


@pytest.mark.parametrize("folder", [ROOT / "examples" / "calls", ROOT.parent / "shared" / "data"], ids=["examples", "shared"])
def test_cells_are_equal(spark, folder, tmp_path):
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    (tmp_path / "rules.toml").write_text(RULE)
    (tmp_path / "prices.toml").write_text(PRICE)
    options = {"rules": tmp_path / "rules.toml", "prices": tmp_path / "prices.toml", "model": "fun-asr", "region": "intl",
               "keywords": ["refund", "sorry"], "roles": {"ch0": "agent"}, "dead_air_ms": 2000}  # fmt: skip
    flags = ["--rules", options["rules"], "--prices", options["prices"], "--model", "fun-asr", "--region", "intl",
             "--keyword", "refund", "--keyword", "sorry", "--role", "ch0=agent", "--dead-air-ms", "2000"]  # fmt: skip
    one, many = tmp_path / "one", tmp_path / "many"
    command = [sys.executable, "-m", "talkmeter", "analyze", "-q", folder, "-o", one, *flags]
    ran = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert ran.returncode in (0, 3), ran.stderr
    analysis = talkmeter.analyze(folder, tables=TABLES, **options)
    lists = measured(spark, folder, TABLES, **options).persist()
    cells = 0
    for name in TABLES:
        path = many / f"{name}.parquet"
        lists.selectExpr(f"inline({name})").write.parquet(str(path))
        found, file = pyarrow.parquet.read_table(path), pyarrow.parquet.read_table(one / f"{name}.parquet")
        assert found.column_names == file.column_names
        assert rows(found) == rows(file) == rows(analysis[name].to_pyarrow()), name
        cells += found.num_rows * found.num_columns
    failed = [(row.file, row.reason) for row in lists.selectExpr("inline(failed)").collect()]
    # Spark does not hand out empty files.
    expected = [(os.path.relpath(path, folder), why) for path, why in analysis.failed if os.path.getsize(path) > 0]
    assert sorted(failed) == sorted(expected)
    print(f"{folder.name}: {cells} equal cells, {len(failed)} files in `failed`")
    sql = "select count(*) as n, sum(units) as units from calls"
    answers = [command_prints("query", out, sql, "--format", "csv") for out in (one, many)]
    assert answers[0] == answers[1] and len(answers[0].split()) == 2
    stored, made = (json.loads(command_prints("report", out, "--format", "json")) for out in (one, many))
    for name in ("totals", "calls", "participants", "bill", "cost", "unmeasured", "warnings"):
        assert made[name] == stored[name], name


def command_prints(*arguments):
    command = [sys.executable, "-m", "talkmeter", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_names_are_those_of_analyze(spark, calls, tmp_path):
    call, root = (calls / "refund-anna.json").read_bytes(), tmp_path / "a b%20c"
    for name in ("x.json", "may/1 2%41.json", "may/été, #1?.json", "dt=2026-05-01/你好.json"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(call)
    (root / "bad.json").write_text("{}")
    talkmeter.analyze(calls).report.save(root / "report.json")
    analysis = talkmeter.analyze(root, tables=["calls"])
    for given in (root, f"{root}/", f"file://{root}"):
        lists = measured(spark, given, ["calls"])
        found = [row.file for row in lists.selectExpr("inline(calls)").select("file").collect()]
        assert sorted(found) == sorted(analysis.calls.to_polars()["file"]), given
        assert [row.file for row in lists.selectExpr("inline(failed)").collect()] == ["bad.json"] and len(found) == 4


def batch(paths, contents):
    types = pyarrow.schema([("path", pyarrow.string()), ("content", pyarrow.binary())])
    return pyarrow.RecordBatch.from_arrays([pyarrow.array(paths), pyarrow.array(contents, pyarrow.binary())], schema=types)


def test_a_row_holds_at_most_200_files(calls):
    call = (calls / "refund-anna.json").read_bytes()
    files = batch([f"file:/calls/{at}.json" for at in range(450)], [call] * 449 + [b"{"])
    made = list(talkmeter.spark.measure(["turns", "calls"], "/calls")([files, files.slice(0, 0)]))
    assert [row.num_rows for row in made] == [1, 1, 1] and made[0].schema.names == ["turns", "calls", "failed"]
    assert [len(row["calls"][0]) for row in made] == [200, 200, 49]
    assert [len(row["failed"][0]) for row in made] == [0, 0, 1]


@pytest.mark.parametrize(
    ("root", "path", "name"),
    [
        ("/calls", "file:/calls/may/a.json", "may/a.json"),
        ("file:///calls/", "file:/calls/a.json", "a.json"),
        ("/calls/../calls", "hdfs://host:8020/calls/a.json", "a.json"),
        ("s3a://bucket", "s3a://bucket/may//a.json", "may//a.json"),
        ("s3a://bucket/may", "s3a://bucket/may/a: b.json", "a: b.json"),
        ("/calls/a.json", "file:/calls/a.json", "a.json"),
        ("/", "file:/a.json", "a.json"),
    ],
)
def test_a_file_is_named_from_the_root(calls, root, path, name):
    files = batch([path], [(calls / "refund-anna.json").read_bytes()])
    (made,) = talkmeter.spark.measure(["calls"], root)([files])
    assert made["calls"][0][0]["file"].as_py() == name


@pytest.mark.parametrize(
    ("root", "path"), [("/calls", "file:/calls2/a.json"), ("s3a://one", "s3a://two/a.json"), ("/a/b", "file:/a/c.json")]
)
def test_a_file_elsewhere_is_an_error(root, path):
    with pytest.raises(ValueError, match="not below the root"):
        list(talkmeter.spark.measure(["calls"], root)([batch([path], [b"{}"])]))


def test_mistakes_are_raised_before_work_begins(tmp_path):
    (tmp_path / "rules.toml").write_text("[[rule]]\n")
    for wrong in ({"region": "mars"}, {"rules": tmp_path / "rules.toml"}, {"rules": tmp_path / "none.toml"}, {"price_date": "May"},
                  {"prices": b"price = 1"}, {"currency": "eur"}):  # fmt: skip
        with pytest.raises((talkmeter.Error, FileNotFoundError)):
            talkmeter.spark.measure(["calls"], "/calls", **wrong)
    with pytest.raises(talkmeter.Error, match="no table"):
        talkmeter.spark.schema(["cals"])
    with pytest.raises(KeyError, match="rollup"):
        talkmeter.spark.measure(["rollup"], "/calls")
    with pytest.raises(TypeError, match="dead_air"):
        talkmeter.spark.measure(["calls"], "/calls", dead_air=1)
