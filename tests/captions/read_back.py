"""Prints the cues of a caption file as webvtt-py or srt reads them: [[begin_ms, end_ms, voice, text], …]."""

import html
import json
import sys

path = sys.argv[1]
cues = []
if path.endswith(".vtt"):
    import webvtt

    for cue in webvtt.read(path):
        begin = (cue.start_in_seconds * 1000 + int(cue.start.split(".")[1]))
        end = (cue.end_in_seconds * 1000 + int(cue.end.split(".")[1]))
        cues.append([begin, end, cue.voice, html.unescape(cue.text)])
else:
    import srt

    with open(path, encoding="utf-8", newline="") as file:
        for cue in srt.parse(file.read()):
            begin, end = (round(time.total_seconds() * 1000) for time in (cue.start, cue.end))
            cues.append([begin, end, None, cue.content])
json.dump(cues, sys.stdout)
