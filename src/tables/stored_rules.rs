//! Rules over stored tables, without the result files. The rows are those that an analysis with these rules writes.

use std::borrow::Cow;
use std::sync::Arc;

use rayon::prelude::*;

use super::analysis::BATCH_FILES;
use super::call_rows::{Reader, intervals, of_rules};
use super::files::Output;
use super::frame::Rows;
use super::stored::Stored;
use crate::error::{Check, Error, Result};
use crate::metrics::catalogue::{BURSTS, CALLS, Cells, HITS, PARTICIPANTS, RULES, SENTENCES, TURNS, Table, WORDS};
use crate::metrics::{Hit, Interval, Measured, RuleRow, StoredCall, TimeBasis};
use crate::rules::{FigureKey, Flip, Rules};
use crate::transcript::{Channel, Sentence, Transcript, Word};

/// The tables that a call is put together from.
const NEEDED: [&Table; 6] = [&CALLS, &PARTICIPANTS, &BURSTS, &TURNS, &SENTENCES, &WORDS];

/// Read if they are there: the keyword hits to keep, and which hits are of rules.
const OPTIONAL: [&Table; 2] = [&HITS, &RULES];

/// Calls in memory at once.
const CALLS_TOGETHER: usize = 512;

impl Stored {
    /// Refuses folders without the tables that rules need: `calls`, `participants`, `bursts`, `turns`, `sentences` and
    /// `words`. The text of a burst inside another's talk is in no other table.
    ///
    /// # Errors
    /// Names the folder and the tables that it does not have.
    pub fn check_for_rules(&self) -> Result<()> {
        for (path, missing) in self.without(&NEEDED) {
            if !missing.is_empty() {
                let tables = missing.join("`, `");
                let message = format!("rules need the tables `{tables}`, which are not in {}", path.display());
                return Err(Error::invalid(message).with_check(Check::NoTables));
            }
        }
        Ok(())
    }

    /// Decides rules in every call, in the order of the calls, and passes each call's name and rows of `rules` to `take`.
    /// Appends the rows of `rules` and `hits` to `output`, if given; keyword hits are kept.
    ///
    /// # Errors
    /// As [`Stored::check_for_rules`]; when a table cannot be read or written.
    pub fn run_rules(
        &self,
        rules: &Rules,
        mut output: Option<&mut Output>,
        take: &mut dyn FnMut(&str, &[RuleRow]),
    ) -> Result<()> {
        let written = output.as_ref().map_or_else(Vec::new, |output| output.tables());
        let decide = |call: &CallTables| {
            call.rebuild(|measured, figure| {
                let mut rows: Vec<Rows> = written.iter().map(|table| Rows::new(table)).collect();
                rules.apply_with(measured, figure);
                rows.iter_mut().for_each(|rows| rows.add(measured, &[]));
                (std::mem::take(&mut measured.rules), rows)
            })
        };
        // Appended as many calls at a time as an analysis does, so that row groups are the same.
        let mut together: Vec<Rows> = Vec::new();
        let mut count = 0;
        self.each_call(&decide, &mut |file, (verdicts, rows)| {
            take(file, &verdicts);
            let Some(output) = &mut output else { return Ok(()) };
            if together.is_empty() {
                together = rows;
            } else {
                together.iter_mut().zip(rows).for_each(|(sum, rows)| sum.append(vec![rows]));
            }
            count += 1;
            if count % BATCH_FILES == 0 { output.append(std::mem::take(&mut together)) } else { Ok(()) }
        })?;
        output.map_or(Ok(()), |output| output.append(together))
    }

    /// Passes each verdict in which two rule files differ to `take`, in the order of the calls; returns the number of calls.
    ///
    /// # Errors
    /// As [`Stored::check_for_rules`]; when a table cannot be read.
    pub fn compare_rules(&self, old: &Rules, new: &Rules, take: &mut dyn FnMut(Flip)) -> Result<u64> {
        let mut calls = 0;
        let compare = |call: &CallTables| call.rebuild(|measured, figure| old.flips(new, measured, figure));
        self.each_call(&compare, &mut |_, flips| {
            calls += 1;
            flips.into_iter().for_each(&mut *take);
            Ok(())
        })?;
        Ok(calls)
    }

    /// Runs `work` on every call, many in parallel, and passes the results to `take` in the order of the calls.
    fn each_call<T: Send>(
        &self,
        work: &(dyn Fn(&CallTables) -> T + Sync),
        take: &mut dyn FnMut(&str, T) -> Result<()>,
    ) -> Result<()> {
        self.check_for_rules()?;
        let files = self.files()?;
        let tables: Vec<&'static Table> = NEEDED.into_iter().chain(OPTIONAL).collect();
        for chunk in files.chunks(self.together(&tables, CALLS_TOGETHER, files.len())) {
            let calls: Vec<CallTables> = self
                .rows_of_calls(&tables, chunk)?
                .into_iter()
                .zip(chunk)
                .map(|(tables, file)| CallTables { file: file.clone(), tables })
                .collect();
            let done: Vec<T> = calls.par_iter().map(work).collect();
            for (call, done) in calls.iter().zip(done) {
                take(&call.file, done)?;
            }
        }
        Ok(())
    }
}

/// The rows of one call.
struct CallTables {
    file: String,
    tables: Vec<Rows>,
}

impl CallTables {
    /// Puts the call together and passes it to `work`, with a reader of its figures.
    fn rebuild<T>(&self, work: impl FnOnce(&mut Measured<'_>, &dyn Fn(FigureKey) -> Cells) -> T) -> T {
        let participants = self.participants();
        let labels: Vec<String> = participants.iter().map(|(label, _)| label.clone()).collect();
        let reader = Reader::new(&labels);
        let rows = |table: &Table| self.rows(table);
        let bursts = rows(&BURSTS).map(|rows| reader.bursts(rows)).unwrap_or_default();
        let mut bursts: Vec<_> = bursts.into_iter().map(|burst| (burst.participant, burst.interval)).collect();
        bursts.sort_unstable();
        let turns = rows(&TURNS).map(|rows| reader.turns(rows)).unwrap_or_default();
        let (mut transcript, speakers) = self.transcript(&reader);
        mark_silent(&mut transcript, &speakers, &bursts);
        let stored = StoredCall {
            file: self.file.clone(),
            participants,
            speakers,
            bursts,
            turns: turns.into_iter().map(|turn| (turn.participant, turn.interval)).collect(),
            units: self.rows(&SENTENCES).map(|rows| rows.integers("units")).unwrap_or_default(),
            transcript: &transcript,
        };
        let mut measured = stored.rebuild();
        measured.hits = self.keyword_hits(&reader);
        work(&mut measured, &|key| {
            self.rows(key.table)
                .and_then(|rows| rows.column(key.column.name))
                .cloned()
                .unwrap_or_else(|| Cells::new(key.column.kind))
        })
    }

    fn rows(&self, table: &Table) -> Option<&Rows> {
        self.tables.iter().find(|rows| rows.table.name == table.name)
    }

    fn participants(&self) -> Vec<(String, Option<String>)> {
        let Some(rows) = self.rows(&PARTICIPANTS) else { return Vec::new() };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let parties = rows.texts("participant").into_iter().zip(rows.texts("role"));
        parties.map(|(label, role)| (owned(label).unwrap_or_default(), owned(role))).collect()
    }

    /// Sentences and words as stored, and the participant of each sentence.
    fn transcript(&self, reader: &Reader<'_>) -> (Transcript<'_>, Vec<u32>) {
        let mut transcript = Transcript::default();
        let mut speakers = Vec::new();
        let (Some(sentences), Some(words)) = (self.rows(&SENTENCES), self.rows(&WORDS)) else {
            return (transcript, speakers);
        };
        let participants = reader.participants(sentences, "participant");
        let mut words = Words::new(words);
        let rows = keys(sentences).into_iter().zip(intervals(sentences)).zip(sentences.texts("text")).zip(participants);
        for (((key, interval), text), participant) in rows {
            let (Some((channel, index)), Some(participant)) = (key, participant) else { continue };
            if transcript.channels.last().is_none_or(|last| i64::from(last.id) != channel) {
                let id = u32::try_from(channel).unwrap_or(u32::MAX);
                transcript.channels.push(Channel { id, ..Channel::default() });
            }
            let Some(last) = transcript.channels.last_mut() else { continue };
            last.sentences.push(Sentence {
                begin_ms: interval.map(|interval| interval.begin),
                end_ms: interval.map(|interval| interval.end),
                text: Cow::Borrowed(text.unwrap_or_default()),
                words: words.of(channel, index),
                ..Sentence::default()
            });
            speakers.push(participant as u32);
        }
        (transcript, speakers)
    }

    /// The stored hits that are of no stored rule.
    fn keyword_hits(&self, reader: &Reader<'_>) -> Vec<Hit> {
        let Some(rows) = self.rows(&HITS) else { return Vec::new() };
        let of_rules = of_rules(rows, self.rows(&RULES));
        let (terms, matched, texts) = (rows.texts("term"), rows.texts("matched"), rows.texts("text"));
        let (bases, participants) = (rows.texts("time_basis"), reader.participants(rows, "participant"));
        let (begins, ends, indices) = (rows.integers("begin_ms"), rows.integers("end_ms"), rows.integers("hit_index"));
        let text = |list: &[Option<&str>], at: usize| list.get(at).copied().flatten().unwrap_or_default().to_owned();
        let integer = |list: &[Option<i64>], at: usize| list.get(at).copied().flatten();
        let hit = |(at, rule): (usize, Option<&str>)| {
            let rule = rule.filter(|_| !of_rules.get(at).copied().unwrap_or_default())?;
            Some(Hit {
                rule: Arc::from(rule),
                hit_index: integer(&indices, at)?,
                participant: participants.get(at).copied().flatten(),
                term: Arc::from(text(&terms, at)),
                begin_ms: integer(&begins, at),
                end_ms: integer(&ends, at),
                time_basis: TimeBasis::from_name(&text(&bases, at))?,
                matched: text(&matched, at),
                text: Arc::from(text(&texts, at)),
            })
        };
        rows.texts("rule").into_iter().enumerate().filter_map(hit).collect()
    }
}

/// Channel and number of the sentence of each row.
fn keys(rows: &Rows) -> Vec<Option<(i64, i64)>> {
    let keys = rows.integers("channel_id").into_iter().zip(rows.integers("sentence_index"));
    keys.map(|(channel, index)| channel.zip(index)).collect()
}

/// The words of a call, taken sentence by sentence.
struct Words<'r> {
    keys: Vec<Option<(i64, i64)>>,
    intervals: Vec<Option<Interval>>,
    texts: Vec<Option<&'r str>>,
    punctuation: Vec<Option<&'r str>>,
    next: usize,
}

impl<'r> Words<'r> {
    fn new(rows: &'r Rows) -> Self {
        let (texts, punctuation) = (rows.texts("text"), rows.texts("punctuation"));
        Self { keys: keys(rows), intervals: intervals(rows), texts, punctuation, next: 0 }
    }

    /// The words of a sentence, which follow those of the sentence before.
    fn of(&mut self, channel: i64, sentence: i64) -> Vec<Word<'r>> {
        let mut words = Vec::new();
        while self.keys.get(self.next).is_some_and(|key| *key == Some((channel, sentence))) {
            let text =
                |list: &[Option<&'r str>]| Cow::Borrowed(list.get(self.next).copied().flatten().unwrap_or_default());
            let interval = self.intervals.get(self.next).copied().flatten();
            words.push(Word {
                index: words.len() as u32,
                begin_ms: interval.map(|interval| interval.begin),
                end_ms: interval.map(|interval| interval.end),
                text: text(&self.texts),
                punctuation: text(&self.punctuation),
            });
            self.next += 1;
        }
        words
    }
}

/// Marks the channels in which the service heard no speech: a blank sentence there has no burst (definitions: blank
/// sentence).
fn mark_silent(transcript: &mut Transcript<'_>, speakers: &[u32], bursts: &[(usize, Interval)]) {
    let mut speakers = speakers.iter();
    for channel in &mut transcript.channels {
        for (sentence, &speaker) in channel.sentences.iter().zip(speakers.by_ref()) {
            let words = sentence.words.iter().flat_map(|word| [&word.text, &word.punctuation]);
            let mut texts = std::iter::once(&sentence.text).chain(words);
            if texts.any(|text| text.chars().any(char::is_alphanumeric)) {
                continue;
            }
            let own = std::iter::once((sentence.begin_ms, sentence.end_ms));
            let times = sentence.words.iter().map(|word| (word.begin_ms, word.end_ms)).chain(own);
            let Some((begin, end)) = times.filter_map(|(begin, end)| begin.zip(end)).find(|(begin, end)| begin < end)
            else {
                continue;
            };
            let behind = bursts.partition_point(|(who, burst)| (*who, burst.begin) <= (speaker as usize, begin));
            let burst = behind.checked_sub(1).and_then(|at| bursts.get(at));
            let spoken = burst.is_some_and(|(who, burst)| *who == speaker as usize && end <= burst.end);
            if !spoken {
                channel.content_duration_ms = Some(0);
            }
        }
    }
}
