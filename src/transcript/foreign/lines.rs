//! The exchange formats of research: RTTM, CTM and STM, whose lines have columns, and `SegLST`.

use std::collections::{BTreeMap, HashMap, HashSet};

use rust_decimal::Decimal;
use serde_json::Value;

use super::fields::{Fields, decimal, items, ms, span};
use super::speech::{Said, Speech, Spoken};
use super::{Format, ParseError};

/// The shape of a file that is not JSON.
pub(super) fn detect(text: &str) -> Option<Format> {
    if text.starts_with("WEBVTT") {
        return Some(Format::WebVtt);
    }
    let lines: Vec<&str> = rows(text).map(|(_, line)| line).take(20).collect();
    if lines.iter().take(4).any(|line| super::cues::times(line).is_some()) {
        return Some(Format::Srt);
    }
    let rows: Vec<Vec<&str>> = lines.iter().map(|line| first_columns(line)).collect();
    let all = |fits: &dyn Fn(&[&str]) -> bool| !rows.is_empty() && rows.iter().all(|row| fits(row));
    // A recording may be called `speaker`.
    let is_rttm = |row: &Vec<&str>| {
        let is_written = |name: &&str| name.bytes().all(|byte| !byte.is_ascii_lowercase()) || row.contains(&"<NA>");
        row.len() >= 8 && row.first().filter(|name| is_written(name)).and_then(|name| Kind::new(name)).is_some()
    };
    if rows.iter().any(is_rttm) {
        return Some(Format::Rttm);
    }
    let is_ctm = all(&|row| (5..=8).contains(&row.len()) && is_number(row, 2) && is_number(row, 3));
    let is_stm = all(&|row| row.len() >= 5 && is_number(row, 3) && is_number(row, 4));
    // With numbers for speakers STM looks like CTM with numbers for words: its ends come after its begins, and the column
    // behind is a text, not a confidence.
    let is_upwards = |row: &[&str]| {
        let number = |at: usize| row.get(at).and_then(|text| decimal(text));
        number(3).zip(number(4)).is_some_and(|(begin, end)| begin <= end)
    };
    let has_text =
        |row: &Vec<&str>| row.get(5).is_some_and(|text| *text != "NA" && *text != "<NA>" && decimal(text).is_none());
    if is_stm && (!is_ctm || all(&is_upwards) && rows.iter().any(has_text)) {
        Some(Format::Stm)
    } else {
        is_ctm.then_some(Format::Ctm)
    }
}

/// The lines of RTTM that are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Speaker,
    Lexeme,
    /// Names a speaker; only tells what the file is.
    Info,
}

impl Kind {
    fn new(name: &str) -> Option<Self> {
        let is = |kind: &str| name.eq_ignore_ascii_case(kind);
        match () {
            () if is("SPEAKER") => Some(Self::Speaker),
            () if is("LEXEME") => Some(Self::Lexeme),
            () if is("SPKR-INFO") => Some(Self::Info),
            () => None,
        }
    }
}

/// Enough columns to tell formats apart; a line may have millions.
fn first_columns(line: &str) -> Vec<&str> {
    line.split_whitespace().take(9).collect()
}

fn is_number(columns: &[&str], at: usize) -> bool {
    columns.get(at).is_some_and(|text| *text == "*" || decimal(text).is_some())
}

/// Lines that are neither empty nor comments, counted from 1.
fn rows(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let lines = (1..).zip(text.lines().map(str::trim));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with(";;"))
}

/// The columns of lines that have at least this many; the others are counted.
fn columns<'t>(
    rows: impl Iterator<Item = (u32, &'t str)>,
    least: usize,
    speech: &mut Speech,
) -> Vec<(u32, Vec<&'t str>)> {
    let rows = rows.map(|(line, row)| (line, row.split_whitespace().collect::<Vec<_>>()));
    let (rows, short): (Vec<_>, Vec<_>) = rows.partition(|(_, row)| row.len() >= least);
    short.into_iter().for_each(|(line, _)| speech.note_line(line, "columns"));
    rows
}

/// One recording, or an error that names them.
fn one_recording<'n>(names: impl Iterator<Item = &'n str>) -> Result<(), ParseError> {
    let mut known = HashSet::new();
    let found: Vec<&str> = names.filter(|name| known.insert(*name)).collect();
    if found.len() > 1 { Err(ParseError::recordings(found.into_iter())) } else { Ok(()) }
}

fn given(label: &str) -> Option<String> {
    (!matches!(label, "<NA>" | "unknown" | "unknow" | "")).then(|| label.to_owned())
}

/// Begin and end in ms of a begin and a length; what is no number is counted.
fn seconds(begin: &str, length: &str, line: u32, speech: &mut Speech) -> (Option<i64>, Option<i64>) {
    span(number_of(begin, line, speech), number_of(length, line, speech), Decimal::ONE_THOUSAND)
}

fn number_of(text: &str, line: u32, speech: &mut Speech) -> Option<Decimal> {
    let number = decimal(text);
    if number.is_none() && text != "<NA>" {
        speech.note_line(line, "time");
    }
    number
}

/// `SPEAKER file channel begin duration … name`; `LEXEME` lines are words.
pub(super) fn rttm(text: &str) -> Result<Speech, ParseError> {
    let mut speech = Speech::default();
    let kind = |row: &str| row.split_whitespace().next().and_then(Kind::new);
    let is_read = |row: &str| kind(row).is_some_and(|kind| kind != Kind::Info);
    let rows = columns(rows(text).filter(|(_, row)| is_read(row)), 8, &mut speech);
    one_recording(rows.iter().filter_map(|(_, row)| row.get(1).copied()))?;
    let of =
        |wanted: Kind| rows.iter().filter(move |(_, row)| row.first().and_then(|name| Kind::new(name)) == Some(wanted));
    for (line, row) in of(Kind::Speaker) {
        let [_, _, _, begin, length, _, _, name, ..] = &row[..] else { continue };
        let (begin, end) = seconds(begin, length, *line, &mut speech);
        speech.sentences.push(Said { speaker: given(name), begin, end, ..Said::default() });
    }
    let mut segments: HashMap<Option<String>, Segments> = HashMap::new();
    for (at, said) in speech.sentences.iter().enumerate() {
        let (Some(begin), Some(end)) = (said.begin, said.end) else { continue };
        segments.entry(said.speaker.clone()).or_default().times.push((begin, end, at));
    }
    segments.values_mut().for_each(Segments::sort);
    for (line, row) in of(Kind::Lexeme) {
        let [_, _, _, begin, length, word, _, name, ..] = &row[..] else { continue };
        let (begin, end) = seconds(begin, length, *line, &mut speech);
        let speaker = given(name);
        let at = segments.get(&speaker).and_then(|own| match begin.zip(end) {
            Some((begin, end)) => own.of_word(begin, end),
            None => own.times.last().map(|segment| segment.2),
        });
        match at.and_then(|at| speech.sentences.get_mut(at)) {
            Some(said) => said.words.push(Spoken { begin, end, text: (*word).to_owned(), speaker }),
            None => speech.note_line(*line, "speaker"),
        }
    }
    for said in &mut speech.sentences {
        said.text = said.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    }
    Ok(speech)
}

/// The segments of one speaker: begin, end, place in the file.
#[derive(Default)]
struct Segments {
    times: Vec<(i64, i64, usize)>,
    /// The last end of each and those before it.
    reach: Vec<i64>,
}

impl Segments {
    fn sort(&mut self) {
        self.times.sort_unstable();
        let mut last = i64::MIN;
        let reached = |&(_, end, _): &(i64, i64, usize)| {
            last = last.max(end);
            last
        };
        self.reach = self.times.iter().map(reached).collect();
    }

    /// The segment with which a word shares the most time; the one before it if there is none.
    fn of_word(&self, begin: i64, end: i64) -> Option<usize> {
        let before = self.times.partition_point(|segment| segment.0 < end);
        let near = self.times.iter().zip(&self.reach).take(before).rev().take_while(|(_, reach)| **reach > begin);
        let shared = |segment: &(i64, i64, usize)| segment.1.min(end) - segment.0.max(begin);
        let most = near.map(|(segment, _)| segment).filter(|segment| shared(segment) > 0).max_by_key(|one| shared(one));
        most.or(self.times.get(before.saturating_sub(1))).map(|segment| segment.2)
    }
}

/// `file channel begin duration word [confidence type speaker]`.
pub(super) fn ctm(text: &str) -> Result<Speech, ParseError> {
    let mut speech = Speech::default();
    let rows = columns(rows(text), 5, &mut speech);
    one_recording(rows.iter().filter_map(|(_, row)| row.first().copied()))?;
    let mut channels: BTreeMap<&str, Vec<Spoken>> = BTreeMap::new();
    for (line, row) in &rows {
        let [_, channel, begin, length, word, more @ ..] = &row[..] else { continue };
        if *begin == "*" || *length == "*" {
            continue;
        }
        let (begin, end) = seconds(begin, length, *line, &mut speech);
        let speaker = more.get(2).and_then(|label| given(label));
        channels.entry(channel).or_default().push(Spoken { begin, end, text: (*word).to_owned(), speaker });
    }
    for (channel, words) in channels {
        speech.add_words(Said { channel: Some(channel.to_owned()), ..Said::default() }, words);
    }
    Ok(speech)
}

/// `file channel speaker begin end [<label>] text`.
pub(super) fn stm(text: &str) -> Result<Speech, ParseError> {
    let mut speech = Speech::default();
    let rows = columns(rows(text), 5, &mut speech);
    one_recording(rows.iter().filter_map(|(_, row)| row.first().copied()))?;
    for (line, row) in &rows {
        let [_, channel, speaker, begin, end, words @ ..] = &row[..] else { continue };
        let words = match words {
            [label, words @ ..] if label.starts_with('<') && label.ends_with('>') => words,
            words => words,
        };
        let text = words.join(" ");
        if *speaker == "inter_segment_gap" || text == "IGNORE_TIME_SEGMENT_IN_SCORING" {
            continue;
        }
        let mut at = |text: &str| ms(number_of(text, *line, &mut speech)?.checked_mul(Decimal::ONE_THOUSAND)?);
        let (begin, end) = (at(begin), at(end));
        speech.sentences.push(Said {
            channel: Some((*channel).to_owned()),
            speaker: given(speaker),
            begin,
            end,
            text,
            ..Said::default()
        });
    }
    Ok(speech)
}

/// A list of segments, or one on each line; `words` is text.
pub(super) fn seglst(values: &[Value]) -> Result<Speech, ParseError> {
    let segments: Vec<Fields<'_>> = items(values).collect();
    one_recording(segments.iter().map(|segment| segment.text("session_id")))?;
    let sentences = segments.iter().map(|segment| Said {
        speaker: segment.label("speaker"),
        begin: segment.seconds("start_time"),
        end: segment.seconds("end_time"),
        text: segment.text("words").to_owned(),
        ..Said::default()
    });
    Ok(Speech { sentences: sentences.collect(), ..Speech::default() })
}
