import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Union, final

import pandas  # type: ignore[import-untyped, unused-ignore]
import polars
import pyarrow  # type: ignore[import-untyped, unused-ignore]

_Place = Union[str, os.PathLike[str]]

__version__: str

class Error(Exception):
    kind: str

@final
class Table:
    @property
    def name(self) -> str: ...
    @property
    def columns(self) -> list[str]: ...
    @property
    def schema(self) -> dict[str, dict[str, str]]: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    def to_polars(self) -> polars.DataFrame: ...
    def to_pyarrow(self) -> pyarrow.Table: ...
    def to_pandas(self) -> pandas.DataFrame: ...
    def to_dicts(self) -> list[dict[str, Any]]: ...
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...
    def __arrow_c_schema__(self) -> object: ...
    def __len__(self) -> int: ...
    def _repr_html_(self) -> str: ...

@final
class Report:
    @property
    def html(self) -> str: ...
    def to_html(self, calls: int | None = None) -> str: ...
    def to_markdown(self) -> str: ...
    def to_dict(self) -> dict[str, Any]: ...
    def save(self, path: _Place, *, calls: int | None = None) -> None: ...
    def _repr_html_(self) -> str: ...

@final
class Analysis:
    @property
    def tables(self) -> dict[str, Table]: ...
    @property
    def failed(self) -> list[tuple[str, str]]: ...
    @property
    def notes(self) -> list[str]: ...
    @property
    def report(self) -> Report | None: ...
    def __getattr__(self, name: str) -> Table: ...
    def __getitem__(self, key: str, /) -> Table: ...
    def __dir__(self) -> list[str]: ...
    def _repr_html_(self) -> str | None: ...

@final
class Flash:
    @property
    def text(self) -> str: ...
    @property
    def usage(self) -> dict[str, Any] | None: ...
    @property
    def request_id(self) -> str | None: ...
    @property
    def warnings(self) -> list[str]: ...
    def __iter__(self) -> Iterator[str]: ...
    def __next__(self) -> str: ...

def analyze(
    paths: _Place | Sequence[_Place],
    *,
    tables: Sequence[str] | None = None,
    keywords: Sequence[str] | None = None,
    roles: Mapping[str, str] | None = None,
    rules: _Place | bytes | None = None,
    meta: Any = None,
    join: str | None = None,
    group_by: Sequence[str] | None = None,
    time_format: str | None = None,
    where: str | None = None,
    definition: str | None = None,
    window_ms: int | None = None,
    model: str | None = None,
    region: str | None = None,
    prices: _Place | bytes | None = None,
    currency: str | None = None,
    price_date: str | date | None = None,
    title: str | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], object] | None = None,
    **parameters: int,
) -> Analysis: ...
def measure(
    names: Sequence[str],
    contents: Sequence[bytes],
    *,
    tables: Sequence[str] | None = None,
    keywords: Sequence[str] | None = None,
    roles: Mapping[str, str] | None = None,
    rules: _Place | bytes | None = None,
    definition: str | None = None,
    window_ms: int | None = None,
    model: str | None = None,
    region: str | None = None,
    prices: _Place | bytes | None = None,
    currency: str | None = None,
    price_date: str | date | None = None,
    threads: int = 1,
    **parameters: int,
) -> Analysis: ...
def flash(
    clip: _Place | bytes,
    context: Sequence[str] | None = None,
    *,
    model: str = "fun-asr-flash-2026-06-15",
    language: str | None = None,
    prompt: str | None = None,
    api_key: str | None = None,
    region: str | None = None,
    workspace: str | None = None,
    base_url: str | None = None,
) -> Flash: ...
def run_command(arguments: Sequence[str]) -> int: ...
