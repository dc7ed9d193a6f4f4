"""Result files measured by Apache Spark: the rows that one machine makes, from as many machines as there are.

    files = spark.read.format("binaryFile").option("recursiveFileLookup", True).load("s3a://calls/may")
    measured = files.mapInArrow(measure(["calls", "turns"], "s3a://calls/may"), schema(["calls", "turns"])).persist()
    measured.selectExpr("inline(calls)").write.parquet("s3a://out/calls.parquet")
    measured.selectExpr("inline(failed)").show()

Every worker needs talkmeter, pandas and pyarrow 16 or later. Tested with Spark 4.3 and 3.5.
"""

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Union

import pyarrow  # type: ignore[import-untyped, unused-ignore]

from . import _talkmeter

if TYPE_CHECKING:
    from pyspark.sql.types import StructType as _StructType  # type: ignore[import-not-found, unused-ignore]

#: Files that become one row: it is as large as all their rows together.
FILES_PER_ROW = 200

_FAILED = pyarrow.struct([("file", pyarrow.string()), ("reason", pyarrow.string())])
_PLACE = re.compile(r"(?:[A-Za-z][\w+.-]+:)?(?://([^/]*))?(.*)", re.DOTALL)


def schema(tables: Sequence[str]) -> "_StructType":
    """Return the schema of what `measure` makes: a list of rows for each table, and for `failed`."""
    from pyspark.sql.pandas.types import from_arrow_schema  # type: ignore[import-not-found, unused-ignore]

    lists = [(name, pyarrow.list_(row)) for name, row in _row_types(tables, {}).items()]
    return from_arrow_schema(pyarrow.schema(lists))


def measure(
    tables: Sequence[str], root: Union[str, "os.PathLike[str]"], **parameters: Any
) -> Callable[[Iterable[pyarrow.RecordBatch]], Iterator[pyarrow.RecordBatch]]:
    """Return the function that `mapInArrow` calls with batches of `binaryFile`.

    tables: names, as for `schema`. root: the folder that is read; a call is named by its path below it, as `analyze` does.
    parameters: those of `talkmeter.measure`. A file that cannot be measured is a row of `failed`, with `file` and `reason`.
    Mistakes in the arguments are raised here, not on the workers.
    """
    for name in ("rules", "prices"):
        if isinstance(parameters.get(name), (str, os.PathLike)):
            # The workers do not have the file.
            parameters[name] = Path(parameters[name]).read_bytes()
    row_types, name_of = _row_types(tables, parameters), _names(os.fspath(root))

    def measure_batches(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        for batch in batches:
            for start in range(0, batch.num_rows, FILES_PER_ROW):
                files = batch.slice(start, FILES_PER_ROW)
                names = [name_of(path) for path in files["path"].to_pylist()]
                analysis = _talkmeter.measure(names, files["content"].to_pylist(), tables=tables, **parameters)
                rows = {name: _rows(analysis[name].to_pyarrow(), row_types[name]) for name in tables}
                failed = [{"file": file, "reason": reason} for file, reason in analysis.failed]
                rows["failed"] = pyarrow.array(failed, _FAILED)
                lists = [pyarrow.ListArray.from_arrays([0, len(array)], array) for array in rows.values()]
                yield pyarrow.RecordBatch.from_arrays(lists, names=list(rows))

    return measure_batches


def _row_types(tables: Sequence[str], parameters: "dict[str, Any]") -> "dict[str, pyarrow.StructType]":
    """Return the type of a row of each table. Spark 3.5 knows no string views."""
    nothing = _talkmeter.measure([], [], tables=tables, **parameters)
    types = {}
    for name in tables:
        fields = [(field.name, field.type) for field in pyarrow.schema(nothing[name])]
        as_text = pyarrow.types.is_string_view
        types[name] = pyarrow.struct([(field, pyarrow.string() if as_text(kind) else kind) for field, kind in fields])
    return {**types, "failed": _FAILED}


def _rows(table: pyarrow.Table, row: pyarrow.StructType) -> pyarrow.StructArray:
    columns = table.cast(pyarrow.schema(list(row))).columns
    return pyarrow.StructArray.from_arrays([column.combine_chunks() for column in columns], fields=list(row))


def _names(root: str) -> Callable[[str], str]:
    """Return what names a file by its path: Spark says `file:/calls/a.json` of `/calls`, and `file:///calls` is the same."""
    host, folder = _PLACE.fullmatch(root).groups()  # type: ignore[union-attr]
    folder = posixpath.normpath(os.path.abspath(folder) if folder == root else folder or "/").rstrip("/")

    def name_of(path: str) -> str:
        its_host, place = _PLACE.fullmatch(path).groups()  # type: ignore[union-attr]
        if place.startswith(folder + "/") and host in (None, "", its_host):
            return place[len(folder) + 1 :]
        if place == folder:
            return posixpath.basename(place)
        raise ValueError(f"{path} is not below the root {root}")

    return name_of
