"""Transcribe recorded calls, measure the conversations, and account for what it costs."""

from ._batch import Batch as Batch
from ._batch import transcribe as transcribe
from ._talkmeter import Analysis as Analysis
from ._talkmeter import Error as Error
from ._talkmeter import Flash as Flash
from ._talkmeter import Report as Report
from ._talkmeter import Table as Table
from ._talkmeter import __version__ as __version__
from ._talkmeter import analyze as analyze
from ._talkmeter import flash as flash
from ._talkmeter import measure as measure
