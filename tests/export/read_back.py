"""Reads what was exported with the tools that own the formats; fails where two of them do not hold the same.

Whisper's JSON is the measure: it has every sentence, with speaker, times and words.
"""

import json
import sys
from pathlib import Path

import meeteval.io
import textgrid
from praatio import textgrid as praat
from pympi.Elan import Eaf

folder = Path(sys.argv[1])
calls = sentences = 0


def ms(seconds):
    return round(float(seconds) * 1000)


def plain(text):
    return " ".join(text.split())


for path in sorted(folder.rglob("*.whisper.json")):
    calls += 1
    base = str(path)[: -len(".whisper.json")]
    timed = [one for one in json.loads(path.read_text("utf-8"))["segments"] if "start" in one]
    spoken = sorted((ms(one["start"]), ms(one["end"]), one["speaker"], plain(one["text"])) for one in timed)
    sentences += len(spoken)

    stm = meeteval.io.STM.load(base + ".stm")
    # Without the label that keeps a text from being read as one.
    read = [(ms(one.begin_time), ms(one.end_time), one.speaker_id, plain(one.transcript.removeprefix("<O> "))) for one in stm]
    assert sorted(read) == spoken, (base, "stm", sorted(read), spoken)

    segments = [one for one in json.loads(Path(base + ".seglst.json").read_text("utf-8")) if "start_time" in one]
    seglst = meeteval.io.SegLST.parse(json.dumps(segments))
    read = [(ms(one["start_time"]), ms(one["end_time"]), one["speaker"], plain(one["words"])) for one in seglst]
    assert sorted(read) == spoken, (base, "seglst")

    # Bursts lie inside what is said, and cover the begin and end of every sentence.
    rttm = meeteval.io.RTTM.load(base + ".rttm")
    bursts = [(ms(one.begin_time), ms(one.begin_time + one.duration), one.speaker_id) for one in rttm]
    for begin, end, speaker, _ in spoken:
        own = [(first, last) for first, last, name in bursts if name == speaker]
        assert any(first <= begin < last for first, last in own), (base, "rttm", begin)
        assert any(first < end <= last for first, last in own), (base, "rttm", end)

    words = sum(1 for one in timed for word in one.get("words", []) if "start" in word)
    lines = Path(base + ".ctm").read_text("utf-8").splitlines()
    assert len(lines) == words, (base, "ctm", len(lines), words)
    if lines and len(lines[0].split()) == 5:
        assert len(list(meeteval.io.CTM.load(base + ".ctm"))) == words

    expected = sorted((begin, end, text) for begin, end, _, text in spoken if end > begin)
    for tiers in (
        [[(x.minTime, x.maxTime, x.mark) for x in tier] for tier in textgrid.TextGrid.fromFile(base + ".TextGrid") if "words" not in tier.name],
        [
            [(x.start, x.end, x.label) for x in tier.entries]
            for tier in praat.openTextgrid(base + ".TextGrid", includeEmptyIntervals=False).tiers
            if "words" not in tier.name
        ],
    ):
        read = sorted((ms(begin), ms(end), plain(text)) for tier in tiers for begin, end, text in tier if text)
        assert read == expected, (base, "textgrid", read, expected)

    eaf = Eaf(base + ".eaf")
    tiers = [name for name in eaf.get_tier_names() if "words" not in name]
    read = sorted((begin, end, plain(text)) for name in tiers for begin, end, text, *_ in eaf.get_annotation_data_for_tier(name))
    assert read == expected, (base, "eaf")

json.dump({"calls": calls, "sentences": sentences}, sys.stdout)
