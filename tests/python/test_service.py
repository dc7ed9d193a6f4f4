"""Clips and batches, against the emulator."""

import os
import subprocess
import sys
import wave

import pytest

import talkmeter


def test_a_clip_is_text_as_it_arrives(environment):
    clip = talkmeter.flash("https://clips.example/order.wav", context=["Acme", "kubelet"])
    texts = list(clip)
    assert len(texts) > 1 and clip.text.startswith(texts[0][:5]) and clip.usage and clip.request_id
    assert clip.warnings == []


def test_a_clip_may_be_bytes_or_a_file(environment, tmp_path):
    path = tmp_path / "clip.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(32000))
    assert talkmeter.flash(path).text == talkmeter.flash(path.read_bytes()).text != ""


def test_refusals_have_a_kind(service, monkeypatch):
    monkeypatch.delenv("DASHSCOPE_API_KEY", raising=False)
    with pytest.raises(talkmeter.Error, match="DASHSCOPE_API_KEY") as raised:
        talkmeter.flash("https://clips.example/a.wav")
    assert raised.value.kind == "auth"
    with pytest.raises(talkmeter.Error) as raised:
        print(talkmeter.flash("https://clips.example/a.wav", api_key="wrong", base_url=service).text)
    assert raised.value.kind == "auth" and "wrong" not in str(raised.value)
    with pytest.raises(talkmeter.Error) as raised:
        talkmeter.flash("https://clips.example/a.wav", api_key="sk-any", base_url=service, model="fun-asr")
    assert raised.value.kind == "invalid_input"


def test_a_batch_resumes_and_is_measured_with_its_costs(environment, tmp_path):
    urls = [f"https://calls.example/{name}.wav" for name in "abc"] + ["https://gone.invalid/d.wav"]
    batch = talkmeter.transcribe(urls, tmp_path / "may", channel=[0, 1])
    assert (batch.files, batch.transcribed, batch.failed, batch.is_done) == (4, 3, 1, False)
    ledger = (tmp_path / "may" / "ledger.jsonl").read_bytes()
    assert talkmeter.transcribe(urls, tmp_path / "may", channel=[0, 1]) == batch
    assert (tmp_path / "may" / "ledger.jsonl").read_bytes().count(b'"accepted"') == ledger.count(b'"accepted"') > 0
    analysis = batch.analyze(tables=["calls", "costs"])
    assert len(analysis.calls) == 3
    assert set(analysis.costs.to_polars()["model"]) == {"fun-asr"}
    out = tmp_path / "tables"
    subprocess.run([sys.executable, "-m", "talkmeter", "analyze", "-q", str(tmp_path / "may"), "-o", str(out)], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    polars = pytest.importorskip("polars")
    assert analysis.costs.to_polars().equals(polars.read_parquet(out / "costs.parquet"))


def test_a_batch_that_cannot_begin_is_an_error(environment, tmp_path):
    with pytest.raises(talkmeter.Error) as raised:
        talkmeter.transcribe(["https://calls.example/a.wav"], tmp_path / "may", model="no-such-model")
    assert "no-such-model" in str(raised.value)
    with pytest.raises(talkmeter.Error) as raised:
        talkmeter.transcribe(["https://calls.example/a.wav"], tmp_path / "may", no_such_flag=True)
    assert raised.value.kind == "invalid_input"
    assert not os.path.exists(tmp_path / "may" / "results")
