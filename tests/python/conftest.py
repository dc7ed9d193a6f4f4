"""The emulator in place of the service, and the examples."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def calls():
    return ROOT / "examples" / "calls"


@pytest.fixture(scope="session")
def service():
    """The base URL of an emulator."""
    with subprocess.Popen([sys.executable, "-m", "talkmeter", "emulate"], stdout=subprocess.PIPE, text=True) as emulator:
        yield emulator.stdout.readline().strip()
        emulator.terminate()


@pytest.fixture
def environment(service, monkeypatch):
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-any")
    monkeypatch.setenv("DASHSCOPE_HTTP_BASE_URL", service)
    return os.environ
