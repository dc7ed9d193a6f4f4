"""polars alone, orjson into its data frames, or json into pandas. usage: frames.py alone|polars|pandas FOLDER OUT"""

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


def polars_alone(folder, out):
    import polars as pl

    word = pl.Struct({"begin_time": pl.Int64, "end_time": pl.Int64})
    sentence = pl.Struct({"text": pl.String, "speaker_id": pl.Int64, "words": pl.List(word)})
    fields = {"channel_id": pl.Int64, "content_duration_in_milliseconds": pl.Int64, "sentences": pl.List(sentence)}
    schema = {"transcripts": pl.List(pl.Struct(fields))}
    tracks = pl.scan_ndjson(sorted(folder.glob("*.json")), schema=schema, include_file_paths="file")
    several = pl.col("transcripts").list.len() > 1
    tracks = tracks.with_columns(pl.col("file").str.split("/").list.last(), several=several)
    tracks = tracks.explode("transcripts").unnest("transcripts")
    sentences = tracks.explode("sentences").unnest("sentences").with_columns(
        participant=pl.when(pl.col("several") | pl.col("speaker_id").is_null())
        .then(pl.format("ch{}", "channel_id"))
        .otherwise(pl.format("spk{}", "speaker_id"))
    )
    words = sentences.select("file", "participant", "words").explode("words").unnest("words")
    words = words.rename({"begin_time": "begin", "end_time": "end"})
    calls = tracks.group_by("file").agg(billable_ms=pl.col("content_duration_in_milliseconds").sum())
    measure_with_polars(words, sentences, calls, out)


def with_polars(folder, out):
    import orjson
    import polars as pl

    measure_with_polars(*map(pl.LazyFrame, load(folder, orjson.loads)), out)


def measure_with_polars(words, sentences, calls, out):
    import polars as pl

    who = ["file", "participant"]
    words = words.sort(*who, "begin").with_columns(reached=pl.col("end").cum_max().over(who))
    gap = pl.col("begin") - pl.col("reached").shift(1).over(who)
    bursts = words.with_columns(burst=(gap > 250).fill_null(False).cum_sum().over(who))
    bursts = bursts.group_by(*who, "burst").agg(length=pl.col("end").max() - pl.col("begin").min())
    talk = bursts.group_by(who).agg(talk_ms=pl.col("length").sum())
    counts = sentences.group_by(who).agg(
        units=pl.col("text").str.count_matches(UNIT).sum(),
        keyword_hit_count=pl.col("text").str.count_matches(HIT).sum(),
    )
    talk.join(counts, on=who).sort(who).collect().write_csv(out / "participants.csv")
    calls.sort("file").collect().write_csv(out / "calls.csv")


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
    {"alone": polars_alone, "polars": with_polars, "pandas": with_pandas}[library](pathlib.Path(folder), pathlib.Path(out))
