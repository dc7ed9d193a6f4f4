"""orjson into polars data frames, or json into pandas. usage: frames.py polars|pandas FOLDER OUT"""

import pathlib
import sys

TERMS = pathlib.Path(__file__).with_name("terms.txt").read_text(encoding="utf-8").split()
LATIN = "|".join(term for term in TERMS if term.isascii())
HAN = "|".join(term for term in TERMS if not term.isascii())
HIT = rf"(?i)\b(?:{LATIN})\b|{HAN}"
UNIT = r"[\x{4e00}-\x{9fff}]|[A-Za-z0-9']+"


def load(folder, loads):
    """Columns of words, sentences and calls."""
    words = {"file": [], "participant": [], "begin": [], "end": []}
    sentences = {"file": [], "participant": [], "text": []}
    calls = {"file": [], "billable_ms": []}
    for path in sorted(folder.glob("*.json")):
        tracks = loads(path.read_bytes())["transcripts"]
        calls["file"].append(path.name)
        calls["billable_ms"].append(sum(track["content_duration_in_milliseconds"] for track in tracks))
        for track in tracks:
            for sentence in track["sentences"]:
                speaker = sentence.get("speaker_id")
                label = f"ch{track['channel_id']}" if len(tracks) > 1 or speaker is None else f"spk{speaker}"
                sentences["file"].append(path.name)
                sentences["participant"].append(label)
                sentences["text"].append(sentence["text"])
                for word in sentence["words"]:
                    words["file"].append(path.name)
                    words["participant"].append(label)
                    words["begin"].append(word["begin_time"])
                    words["end"].append(word["end_time"])
    return words, sentences, calls


def with_polars(folder, out):
    import orjson
    import polars as pl

    words, sentences, calls = map(pl.DataFrame, load(folder, orjson.loads))
    who = ["file", "participant"]
    words = words.lazy().sort(*who, "begin").with_columns(reached=pl.col("end").cum_max().over(who))
    gap = pl.col("begin") - pl.col("reached").shift(1).over(who)
    bursts = words.with_columns(burst=(gap > 250).fill_null(False).cum_sum().over(who))
    bursts = bursts.group_by(*who, "burst").agg(length=pl.col("end").max() - pl.col("begin").min())
    talk = bursts.group_by(who).agg(talk_ms=pl.col("length").sum())
    counts = sentences.lazy().group_by(who).agg(
        units=pl.col("text").str.count_matches(UNIT).sum(),
        keyword_hit_count=pl.col("text").str.count_matches(HIT).sum(),
    )
    talk.join(counts, on=who).sort(who).collect().write_csv(out / "participants.csv")
    calls.write_csv(out / "calls.csv")


def with_pandas(folder, out):
    import json

    import pandas as pd

    words, sentences, calls = map(pd.DataFrame, load(folder, json.loads))
    who = ["file", "participant"]
    words = words.sort_values([*who, "begin"])
    words["reached"] = words.groupby(who)["end"].cummax()
    words["gap"] = words["begin"] - words.groupby(who)["reached"].shift(1)
    words["burst"] = (words["gap"] > 250).groupby([words["file"], words["participant"]]).cumsum()
    bursts = words.groupby([*who, "burst"]).agg(begin=("begin", "min"), end=("end", "max"))
    talk = (bursts["end"] - bursts["begin"]).groupby(who).sum().rename("talk_ms")
    sentences["units"] = sentences["text"].str.count(UNIT.replace(r"\x{4e00}-\x{9fff}", "\u4e00-\u9fff"))
    sentences["keyword_hit_count"] = sentences["text"].str.count(HIT.replace("(?i)", "(?ai)"))
    counts = sentences.groupby(who)[["units", "keyword_hit_count"]].sum()
    pd.concat([talk, counts], axis=1).to_csv(out / "participants.csv")
    calls.to_csv(out / "calls.csv", index=False)


if __name__ == "__main__":
    library, folder, out = sys.argv[1:]
    {"polars": with_polars, "pandas": with_pandas}[library](pathlib.Path(folder), pathlib.Path(out))
