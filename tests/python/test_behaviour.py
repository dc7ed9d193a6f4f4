"""Errors, Ctrl-C, forks, reports, and how long a start takes."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

import talkmeter


def test_errors_have_a_kind(calls, tmp_path):
    with pytest.raises(talkmeter.Error, match="no such file") as raised:
        talkmeter.analyze(tmp_path / "nowhere")
    assert raised.value.kind == "invalid_input"
    for wrong in ({"tables": ["cals"]}, {"roles": {"ch0": "a", "CH0": "b"}, "window_ms": 0}, {"dead_air_ms": -1},
                  {"keywords": ["/(/"]}, {"region": "mars"}, {"definition": "own"}, {"where": "nothing > 1"}):  # fmt: skip
        with pytest.raises(talkmeter.Error) as raised:
            talkmeter.analyze(calls, **wrong)
        assert raised.value.kind == "invalid_input" and "\n" not in str(raised.value), wrong
    with pytest.raises(TypeError, match="dead_air"):
        talkmeter.analyze(calls, dead_air=1)
    with pytest.raises(AttributeError, match="name it in `tables`"):
        talkmeter.analyze(calls).words
    assert talkmeter.Error.kind == "" and issubclass(talkmeter.Error, Exception)


def test_files_that_fail_are_named_and_the_rest_goes_through(calls, tmp_path):
    (tmp_path / "bad.json").write_text("{}")
    (tmp_path / "good.json").write_bytes((calls / "refund-anna.json").read_bytes())
    analysis = talkmeter.analyze([tmp_path, tmp_path / "missing.json"])
    assert len(analysis.calls) == 1
    assert [(os.path.basename(path), why[:12]) for path, why in analysis.failed] == [
        ("missing.json", "no such file"),
        ("bad.json", "not a transc"),
    ]


def test_progress_is_told_and_its_errors_are_raised(calls):
    seen = []
    talkmeter.analyze(calls, progress=lambda done, all: seen.append((done, all)))
    assert seen and seen[-1] == (6, 6)

    def stop(done, all):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        talkmeter.analyze(calls, progress=stop)


def test_ctrl_c_ends_an_analysis_within_a_second(calls, tmp_path):
    call = (calls / "refund-anna.json").read_bytes()
    for at in range(6000):
        (tmp_path / f"{at}.json").write_bytes(call)
    code = "import sys, talkmeter\ntalkmeter.analyze(sys.argv[1], progress=lambda *n: print(*n, flush=True))"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=-1, stderr=-1, text=True) as process:
        done = int(process.stdout.readline().split()[0])
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        _, said = process.communicate(timeout=30)
    took = time.monotonic() - sent
    print(f"\nCtrl-C after {done} of 6000 files: {took * 1000:.0f} ms")
    assert "KeyboardInterrupt" in said and process.returncode != 0 and done < 6000 and took < 1


def _child(calls):
    return len(talkmeter.analyze(calls).calls), len(talkmeter.analyze(calls).report.html) > 100_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_measures_too(calls):
    assert _child(calls) == (6, True)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(_child, [calls] * 4).get(timeout=60) == [(6, True)] * 4


def test_what_does_not_survive_a_fork_says_so(calls):
    code = """
import os, sys, talkmeter
talkmeter.analyze(sys.argv[1], where="units > 1")
if os.fork() == 0:
    try:
        talkmeter.analyze(sys.argv[1], where="units > 1")
    except talkmeter.Error as error:
        print(error, flush=True)
    os._exit(0)
os.wait()"""
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(calls)], capture_output=True, text=True, timeout=60)
    assert "spawn" in ran.stdout, ran


def test_the_report_is_a_page_and_files(calls, tmp_path):
    analysis = talkmeter.analyze(calls, title="May & June")
    shown = analysis._repr_html_()
    assert shown.startswith("<iframe srcdoc=\"") and shown.count("\"") == shown.count("=\"") * 2
    assert len(shown) < len(analysis.report.html) * 1.3
    for name in ("report.html", "report.md", "report.json"):
        analysis.report.save(tmp_path / name)
    assert "May &amp; June" in (tmp_path / "report.html").read_text()
    assert analysis.report.to_dict()["inputs"]["measured"] == 6
    assert "6 calls measured" in str(analysis.report)
    with pytest.raises(talkmeter.Error, match="extension"):
        analysis.report.save(tmp_path / "report.pdf")
    html = analysis.turns._repr_html_()
    assert html.count("<tr>") == 11 and f"turns: {len(analysis.turns)} rows" in html


def test_the_command_is_the_command(calls):
    ran = subprocess.run([sys.executable, "-m", "talkmeter", "analyze", str(calls), "--format", "json"], capture_output=True)
    assert ran.returncode == 0 and b'"measured": 6' in ran.stdout
    assert subprocess.run([sys.executable, "-m", "talkmeter", "nothing"], capture_output=True).returncode == 2


def test_a_start_is_short():
    def best(*command):
        times = []
        for _ in range(5):
            begun = time.monotonic()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times.append(time.monotonic() - begun)
        return min(times) * 1000

    python = best(sys.executable, "-c", "pass")
    imported = best(sys.executable, "-c", "import talkmeter")
    command = best(sys.executable, "-m", "talkmeter", "--version")
    print(f"\nPython alone {python:.0f} ms, import talkmeter {imported:.0f} ms, talkmeter --version {command:.0f} ms")
    assert imported < python + 2000
