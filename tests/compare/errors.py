"""Error rates of jiwer and pyannote.metrics, call by call and over all calls: JSON in, JSON out."""

import json
import sys

import jiwer
from pyannote.core import Annotation, Segment
from pyannote.metrics.diarization import DiarizationErrorRate


def annotation(bursts):
    speech = Annotation()
    for number, burst in enumerate(bursts):
        speech[Segment(int(burst["begin_ms"]) / 1000, int(burst["end_ms"]) / 1000), number] = burst["participant"]
    return speech


calls = json.load(sys.stdin)
der = {name: DiarizationErrorRate(collar=collar) for name, collar in (("der", 0), ("der_collar_250", 0.25))}
found = []
for call in calls:
    reference, other = map(annotation, call["bursts"])
    rates = {name: metric(reference, other) for name, metric in der.items()}
    found.append({"wer": jiwer.wer(*call["texts"]), **rates})
texts = [[text for call in calls for text in call["texts"][side]] for side in (0, 1)]
found.append({"wer": jiwer.wer(*texts), **{name: abs(metric) for name, metric in der.items()}})
json.dump(found, sys.stdout)
