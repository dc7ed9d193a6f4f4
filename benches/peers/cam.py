"""call-ai-metrics, which measures more than is compared here. usage: cam.py sentences|words FOLDER OUT

With `sentences` each sentence is a segment, as its documentation does it, and talk time is that of sentences; with `words`
each word is one, stretched to the next where the pause is joined.
"""

import csv
import json
import pathlib
import sys

from call_ai_metrics import analyze
from typed import HIT, UNIT


def segments_of(sentences, way):
    if way == "sentences":
        return [(sentence["begin_time"], sentence["end_time"]) for sentence in sentences]
    words = sorted((word["begin_time"], word["end_time"]) for sentence in sentences for word in sentence["words"])
    following = [begin for begin, _ in words[1:]] + [None]
    return [
        (begin, max(end, after)) if after is not None and after - end <= 250 else (begin, end)
        for (begin, end), after in zip(words, following)
    ]


def measure(path, way):
    tracks = json.loads(path.read_bytes())["transcripts"]
    participants = {}
    for track in tracks:
        for sentence in track["sentences"]:
            speaker = sentence.get("speaker_id")
            label = f"ch{track['channel_id']}" if len(tracks) > 1 or speaker is None else f"spk{speaker}"
            participants.setdefault(label, []).append(sentence)
    segments = [
        (begin / 1000, end / 1000, label)
        for label, sentences in participants.items()
        for begin, end in segments_of(sentences, way)
    ]
    report = analyze(segments) if segments else {}
    for label, sentences in participants.items():
        texts = [sentence["text"] for sentence in sentences]
        count = lambda pattern: sum(1 for text in texts for _ in pattern.finditer(text))
        yield path.name, label, round(1000 * report[label].talk_time_s), count(UNIT), count(HIT)


def main():
    way, folder, out = sys.argv[1], *map(pathlib.Path, sys.argv[2:])
    with open(out / "participants.csv", "w", newline="") as participants, open(out / "calls.csv", "w", newline="") as calls:
        participants, calls = csv.writer(participants), csv.writer(calls)
        participants.writerow(("file", "participant", "talk_ms", "units", "keyword_hit_count"))
        calls.writerow(("file", "billable_ms"))
        for path in sorted(folder.glob("*.json")):
            participants.writerows(measure(path, way))
            tracks = json.loads(path.read_bytes())["transcripts"]
            calls.writerow((path.name, sum(track["content_duration_in_milliseconds"] for track in tracks)))


if __name__ == "__main__":
    main()
