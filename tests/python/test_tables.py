"""Every table is the command's, cell by cell, whatever reads it."""

import datetime
import subprocess
import sys
from decimal import Decimal

import duckdb
import pandas
import polars
import polars.testing
import pyarrow.parquet
import pytest

import talkmeter

OPTIONS = {
    "roles": {"ch0": "agent", "ch1": "customer", "spk0": "agent", "spk1": "customer"},
    "keywords": ["refund", "sorry"],
    "group_by": ["agent"],
    "model": "fun-asr",
    "dead_air_ms": 2000,
}
FLAGS = [
    "--role", "ch0=agent,ch1=customer,spk0=agent,spk1=customer", "--keyword", "refund", "--keyword", "sorry",
    "--group-by", "agent", "--model", "fun-asr", "--dead-air-ms", "2000",
]  # fmt: skip
ALL = [
    "calls", "participants", "bursts", "turns", "events", "hits", "rules", "windows", "costs", "sentences", "words",
    "warnings", "calls_by_role", "rollup",
]  # fmt: skip


@pytest.fixture(scope="module")
def both(calls, tmp_path_factory):
    """An analysis, and the folder that the command writes."""
    out, meta = tmp_path_factory.mktemp("out"), calls / "calls-meta.csv"
    command = [sys.executable, "-m", "talkmeter", "analyze", "-q", str(calls), "-o", str(out), "--meta", str(meta)]
    subprocess.run(command + FLAGS, check=True, stdout=subprocess.DEVNULL)
    return talkmeter.analyze(calls, tables=ALL, meta=meta, **OPTIONS), out


def test_all_tables_are_there(both):
    analysis, out = both
    assert sorted(analysis.tables) == sorted(ALL) == sorted(path.stem for path in out.glob("*.parquet"))
    assert sum(len(table) for table in analysis.tables.values()) > 2000
    assert "calls" in dir(analysis) and analysis["calls"] is analysis.calls


@pytest.mark.parametrize("name", ALL)
def test_cells_are_equal(both, name):
    analysis, out = both
    found, path = analysis[name], out / f"{name}.parquet"
    file = pyarrow.parquet.read_table(path)
    assert (len(found), found.columns) == (file.num_rows, file.column_names)
    assert found.to_pyarrow().to_pylist() == file.to_pylist()
    polars.testing.assert_frame_equal(found.to_polars(), polars.read_parquet(path))
    # pandas reads whole numbers with nulls as fractions, on both sides.
    pandas.testing.assert_frame_equal(found.to_pandas(), file.to_pandas())
    assert duckdb.sql("select * from found").fetchall() == duckdb.read_parquet(str(path)).fetchall()
    fields = {field.name: field.metadata for field in found.to_pyarrow().schema}
    assert fields == {field.name: _without_ids(field.metadata) for field in file.schema}


def _without_ids(metadata):
    own = {key: value for key, value in (metadata or {}).items() if key != b"PARQUET:field_id"}
    return own or None


def test_a_column_says_what_it_is(both):
    column = both[0].calls.schema["dead_air_ms"]
    assert column["type"] == "integer" and column["unit"] == "ms" and column["meaning"]


def test_a_frame_of_polars_or_pandas_is_metadata(calls):
    rows = {"file": ["refund-anna.json", "sofa-grace.json"], "team": ["a", "b"], "rank": [1, 2]}
    for frame in (polars.DataFrame(rows), pandas.DataFrame(rows)):
        analysis = talkmeter.analyze(calls, tables=["calls", "rollup"], meta=frame, group_by=["team"])
        assert analysis.rollup.to_polars()["team"].to_list() == ["a", "b", None]
        assert analysis.calls.to_polars().filter(polars.col("rank") == 2)["file"].to_list() == ["sofa-grace.json"]
        assert analysis.notes == ["calls without a row in the metadata: 4"]


def test_bytes_are_measured_as_files_are(calls):
    files = sorted(calls.glob("*.json"))
    tables = ["calls", "turns", "words"]
    on_disk = talkmeter.analyze(calls, tables=tables)
    in_memory = talkmeter.measure([file.name for file in files], [file.read_bytes() for file in files], tables=tables)
    for name in tables:
        assert in_memory[name].to_polars().equals(on_disk[name].to_polars(), null_equal=True), name
    assert in_memory.report is None
    assert talkmeter.measure(["a"], [b"[]"]).failed[0][0] == "a"


def test_rows_without_any_package(both):
    rows = both[0].calls.to_dicts()
    assert rows == [{**row, **_as_text(row)} for row in both[0].calls.to_pyarrow().to_pylist()]


def _as_text(row):
    return {name: str(value) for name, value in row.items() if hasattr(value, "isoformat")}


def test_prices_are_those_of_the_command(calls, tmp_path):
    rows = ['[[price]]\nmodels = ["fun-asr"]\nregion = "cn"\ncurrency = "CNY"\nsource = "own"\n' + row for row in
            ('second = "0.5"\nchecked = "2026-05-01"\n', 'second = "0.25"\nchecked = "2026-09-01"\n')]  # fmt: skip
    prices = tmp_path / "prices.toml"
    prices.write_text("".join(rows))
    options = {"tables": ["costs"], "model": "fun-asr", "region": "cn"}
    command = [sys.executable, "-m", "talkmeter", "analyze", "-q", str(calls), "--only", "costs", "--model", "fun-asr",
               "--region", "cn"]  # fmt: skip
    for at, (given, flags) in enumerate([
        ({"prices": prices}, ["--prices", str(prices)]),
        ({"prices": prices.read_bytes(), "price_date": datetime.date(2026, 6, 1)}, ["--prices", str(prices), "--price-date", "2026-06-01"]),
        ({"currency": "cny"}, ["--currency", "cny"]),
        ({"currency": "usd", "price_date": "2026-06-01"}, ["--currency", "usd", "--price-date", "2026-06-01"]),
    ]):  # fmt: skip
        out = tmp_path / str(at)
        subprocess.run([*command, "-o", str(out), *flags], check=True, stdout=subprocess.DEVNULL)
        costs = talkmeter.analyze(calls, **options, **given).costs.to_pyarrow().to_pylist()
        assert costs == pyarrow.parquet.read_table(out / "costs.parquet").to_pylist()
        if "prices" in given:
            assert {row["unit_price"] for row in costs} == {Decimal("0.25" if at == 0 else "0.5")}
    with pytest.raises(talkmeter.Error, match="price_date"):
        talkmeter.analyze(calls, price_date="May")
    with pytest.raises(talkmeter.Error, match=r"^prices: "):
        talkmeter.analyze(calls, prices=b"price = 1")
