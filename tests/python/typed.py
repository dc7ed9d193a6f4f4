"""Type hints as an editor sees them; checked by mypy, not run."""

import polars

import talkmeter


def longest(folder: str) -> polars.DataFrame:
    analysis: talkmeter.Analysis = talkmeter.analyze([folder], keywords=["refund"], dead_air_ms=5000)
    if analysis.report is not None:
        analysis.report.save("report.html", calls=3)
    return analysis.calls.to_polars()


def heard(clip: bytes) -> str:
    return talkmeter.flash(clip, ["Acme"]).text


def done(batch: talkmeter.Batch) -> bool:
    return batch.is_done and not batch.analyze().failed
