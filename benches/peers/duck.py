"""DuckDB. usage: duck.py book|tuned FOLDER OUT

`book`: files read as the manual's first page does, with detected types. `tuned`: only the fields that are needed, with their types,
two threads, rows in any order.
"""

import pathlib
import sys

import duckdb

TERMS = pathlib.Path(__file__).with_name("terms.txt").read_text(encoding="utf-8").split()
LATIN = "|".join(term for term in TERMS if term.isascii())
HAN = "|".join(term for term in TERMS if not term.isascii())

FIELDS = """columns = {transcripts: 'STRUCT(channel_id INT, content_duration_in_milliseconds BIGINT, sentences STRUCT(
    text VARCHAR, speaker_id INT, words STRUCT(begin_time BIGINT, end_time BIGINT)[])[])[]'}"""

QUERY = """
create temp table tracks as
    select parse_filename(filename) as file, len(transcripts) as tracks, unnest(transcripts) as track
    from read_json('FOLDER/*.json', filename = true, FIELDS);
create temp table sentences as
    select file, case when tracks > 1 or sentence.speaker_id is null then 'ch' || channel_id
        else 'spk' || sentence.speaker_id end as participant, sentence.text as text, sentence.words as words
    from (select file, tracks, track.channel_id as channel_id, unnest(track.sentences) as sentence from tracks);
create temp table words as
    select file, participant, word.begin_time as begins, word.end_time as ends
    from (select file, participant, unnest(words) as word from sentences);
copy (
    with reached as (
        select *, begins - max(ends) over (partition by file, participant order by begins
            rows between unbounded preceding and 1 preceding) as gap from words),
    numbered as (
        select *, sum(case when gap > 250 then 1 else 0 end) over (partition by file, participant order by begins
            rows unbounded preceding) as burst from reached),
    bursts as (
        select file, participant, max(ends) - min(begins) as length from numbered group by file, participant, burst),
    talk as (select file, participant, sum(length) as talk_ms from bursts group by all),
    counts as (
        select file, participant, sum(len(regexp_extract_all(text, '[一-鿿]|[A-Za-z0-9'']+'))) as units,
            sum(len(regexp_extract_all(text, '(?i)\\b(?:LATIN)\\b|HAN'))) as keyword_hit_count
        from sentences group by all)
    select file, participant, talk_ms, units, keyword_hit_count from talk join counts using (file, participant) order by all
) to 'OUT/participants.csv' (header);
copy (
    select file, sum(track.content_duration_in_milliseconds) as billable_ms from tracks group by file order by file
) to 'OUT/calls.csv' (header);
"""


def main():
    way, folder, out = sys.argv[1:]
    database = duckdb.connect()
    if way == "tuned":
        database.execute("set threads = 2; set preserve_insertion_order = false")
    fields = FIELDS if way == "tuned" else "sample_size = -1"
    query = QUERY.replace("FIELDS", fields).replace("LATIN", LATIN).replace("HAN", HAN)
    database.execute(query.replace("FOLDER", str(folder)).replace("OUT", str(out)))


if __name__ == "__main__":
    main()
