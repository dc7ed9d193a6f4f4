"""Batches: the command `talkmeter transcribe` in a process of its own, so that Ctrl-C leaves a folder that can be resumed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Union

from ._talkmeter import Analysis, Error, analyze

Place = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Batch:
    """A folder of transcribed recordings. Run the same call again to resume it."""

    #: The folder.
    out: str
    #: Recordings of the batch, and how many of them are in which state.
    files: int
    transcribed: int
    silent: int
    failed: int
    at_service: int
    uncertain: int
    waiting: int
    #: The folder of result files.
    results: str

    @property
    def is_done(self) -> bool:
        """Whether every recording has a result."""
        return self.transcribed + self.silent == self.files

    def analyze(self, **options: Any) -> Analysis:
        """Measure the results: `talkmeter.analyze` of this folder."""
        return analyze(self.out, **options)


def transcribe(inputs: Union[Place, Iterable[Place]], out: Place, **options: Any) -> Batch:
    """Transcribe recordings as a batch in the folder `out`, with the ledger of the command: the same call resumes it.

    inputs: addresses and files. Options are the flags of `talkmeter transcribe` with underscores: model="fun-asr",
    channel=[0, 1], diarize=True, base_url="…", stage="s3://calls/may", unstage=True. What the command says on stderr goes to
    stderr. Some failed recordings are no exception: see `Batch.failed` and failures.csv in the folder.
    """
    given: Sequence[Place] = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    command = [sys.executable, "-m", "talkmeter", "transcribe", "-o", os.fspath(out), "--format", "json"]
    for name, value in options.items():
        command += _flag(name, value)
    command += ["--", *(os.fspath(place) for place in given)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as process:
        said = []
        try:
            assert process.stderr and process.stdout
            for line in process.stderr:
                sys.stderr.write(line)
                said.append(line.strip())
            answer = process.stdout.read()
        except KeyboardInterrupt:
            # It has two seconds to write down what is in progress.
            process.send_signal(signal.SIGINT)
            process.wait()
            raise
    if process.returncode not in (0, 3) or not answer.strip():
        errors = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
        error = Error(errors[-1] if errors else f"talkmeter transcribe ended with {process.returncode}")
        error.kind = {2: "invalid_input", 4: "auth"}.get(process.returncode, "task_failed")
        raise error
    row = json.loads(answer)
    return Batch(out=os.fspath(out), **(row[0] if isinstance(row, list) else row))


def _flag(name: str, value: Any) -> "list[str]":
    flag = "--" + name.replace("_", "-")
    if value is None or value is False:
        return []
    if value is True:
        return [flag]
    if isinstance(value, (list, tuple)):
        # Lists of numbers are one value; others are a flag for each.
        if all(isinstance(item, int) for item in value):
            return [flag, ",".join(map(str, value))]
        return [part for item in value for part in (flag, str(item))]
    return [flag, os.fspath(value) if isinstance(value, os.PathLike) else str(value)]
