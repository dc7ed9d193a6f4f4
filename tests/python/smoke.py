"""Every version of Python loads the same build: a check that needs no package."""

import pathlib
import sys

import talkmeter

calls = pathlib.Path(__file__).resolve().parents[2] / "examples" / "calls"
analysis = talkmeter.analyze(calls, roles={"ch0": "agent"})
assert len(analysis.calls) == 6 and len(analysis.report.html) > 100_000
assert analysis.calls.to_dicts()[0]["file"] == "booking-sofia.json"
try:
    talkmeter.analyze("nowhere")
except talkmeter.Error as error:
    assert error.kind == "invalid_input"
else:
    raise AssertionError("no error")
print("talkmeter", talkmeter.__version__, "on Python", sys.version.split()[0])
