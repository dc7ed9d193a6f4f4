//! A conversation cut into cues: which words stand together, and from when to when they are shown.
//!
//! Every speaker is cut alone. What a speaker says is first parted where no cue may go on: at a silence longer than the
//! run-on, between sentences where somebody else begins, where the script changes. The rest is cut so that the sum of
//! what is bad about its cues is the smallest: breaks by their kind, sentences that share a cue, time missing to read,
//! cues with little in them. Two invariants: every token is in one cue, in order; cues of one speaker neither overlap
//! nor stand closer than the gap.

use super::breaks::{Break, Token};
use super::limits::{Rules, Script};
use super::wrapping::Filling;
use crate::text::needs_space;

/// What a cue costs by itself, beside [`Break::cost`].
const CUE: i64 = 2000;
/// What it costs that a sentence ends inside a cue: more than a cue, so that sentences share one only to be readable.
const SHARED: i64 = 2600;
/// What a ms costs that is missing to read.
const MISSING_MS: i64 = 5;
/// The emptiness of a part of a sentence in per cent, squared, is divided by this.
const THIN: i64 = 4;

/// A cue before it is put on lines.
#[derive(Debug, Clone)]
pub(super) struct Cut {
    /// Index of the participant.
    pub(super) speaker: usize,
    pub(super) script: Script,
    pub(super) begin: i64,
    pub(super) end: i64,
    /// How long it wants to be shown.
    pub(super) wanted: i64,
    /// When what it says has been said.
    pub(super) said: i64,
    pub(super) tokens: Vec<Token>,
}

/// What one participant says on one channel, by time.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) speaker: usize,
    /// Columns to keep free on the first line for the name.
    pub(super) label: u32,
    pub(super) sentences: Vec<Spoken>,
}

/// A sentence as tokens.
#[derive(Debug)]
pub(super) struct Spoken {
    pub(super) script: Script,
    pub(super) tokens: Vec<Token>,
}

/// When anybody begins something, to know who comes in between.
#[derive(Debug)]
pub(super) struct Onsets {
    /// Begin and stream, by time.
    all: Vec<(i64, usize)>,
    /// For each of them, the next one that is of another stream.
    other: Vec<usize>,
}

impl Onsets {
    /// Of begins, each with the number of its stream.
    fn of(begins: impl Iterator<Item = (i64, usize)>) -> Self {
        let mut all: Vec<(i64, usize)> = begins.collect();
        all.sort_unstable();
        let mut other = vec![all.len(); all.len()];
        for index in (0..all.len().saturating_sub(1)).rev() {
            let (here, next) = (all.get(index), all.get(index + 1));
            let differs = here.map(|one| one.1) != next.map(|one| one.1);
            let known = other.get(index + 1).copied().unwrap_or(all.len());
            if let Some(place) = other.get_mut(index) {
                *place = if differs { index + 1 } else { known };
            }
        }
        Self { all, other }
    }

    /// When somebody else begins next, at `from` or later.
    fn next(&self, stream: usize, from: i64) -> i64 {
        let index = self.all.partition_point(|onset| onset.0 < from);
        match self.all.get(index) {
            None => i64::MAX,
            Some(onset) if onset.1 != stream => onset.0,
            Some(_) => {
                let index = self.other.get(index).copied().unwrap_or(usize::MAX);
                self.all.get(index).map_or(i64::MAX, |onset| onset.0)
            }
        }
    }
}

/// The cues of all streams, by begin, end and speaker.
pub(super) fn cut(streams: Vec<Stream>, rules: &Rules) -> Vec<Cut> {
    let sentences = || {
        (0..).zip(&streams).flat_map(|(number, stream)| stream.sentences.iter().map(move |one| (&one.tokens, number)))
    };
    let words =
        Onsets::of(sentences().flat_map(|(tokens, number)| tokens.iter().map(move |token| (token.begin, number))));
    let sentences = Onsets::of(sentences().filter_map(|(tokens, number)| Some((tokens.first()?.begin, number))));
    let mut cues: Vec<Vec<Cut>> = streams
        .into_iter()
        .enumerate()
        .map(|(number, stream)| cut_stream(stream, number, &words, &sentences, rules))
        .collect();
    let begins =
        Onsets::of((0..).zip(&cues).flat_map(|(number, cues)| cues.iter().map(move |cue| (cue.begin, number))));
    for (number, cues) in cues.iter_mut().enumerate() {
        time(cues, number, &begins, rules);
    }
    let mut cues: Vec<Cut> = cues.into_iter().flatten().collect();
    cues.sort_by_key(|cue| (cue.begin, cue.end, cue.speaker));
    cues
}

/// Cuts stream number `number`.
fn cut_stream(stream: Stream, number: usize, words: &Onsets, sentences: &Onsets, rules: &Rules) -> Vec<Cut> {
    let Stream { speaker, label, sentences: spoken } = stream;
    let mut cues = Vec::new();
    let mut run: Vec<Token> = Vec::new();
    let mut script = Script::Latin;
    let mut last_cue = i64::MIN;
    let mut runs = Vec::new();
    for sentence in spoken {
        for (place, mut token) in sentence.tokens.into_iter().enumerate() {
            let ends = run.last().is_some_and(|before| {
                token.begin - before.end > rules.run_on_ms
                    || (place == 0 && (sentence.script != script || words.next(number, before.begin) < token.begin))
            });
            if ends {
                runs.push((script, std::mem::take(&mut run)));
            }
            script = sentence.script;
            if place == 0 {
                let ends = |token: &Token| token.text.chars().next_back();
                let both = run.last().and_then(ends).zip(token.text.chars().next());
                token.spaced = both.is_some_and(|(left, right)| needs_space(left, right));
            }
            run.push(token);
        }
    }
    if !run.is_empty() {
        runs.push((script, run));
    }
    for (place, (script, run)) in runs.iter().enumerate() {
        let (script, limit) = (*script, rules.line_columns(*script));
        let after = runs.get(place + 1).and_then(|next| next.1.first()).map_or(i64::MAX, |token| token.begin);
        let cutter = Cutter { rules, words, sentences, stream: number, script, label, limit, run, after };
        let begins = cutter.best(last_cue);
        for (place, &begin) in begins.iter().enumerate() {
            let end = begins.get(place + 1).copied().unwrap_or(run.len());
            let tokens = run.get(begin..end).unwrap_or(&[]);
            let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { continue };
            let said = tokens.iter().map(|token| token.end).max().unwrap_or(last.end);
            let named = cutter.is_named(last_cue, said);
            last_cue = first.begin;
            let mut filling = Filling::new(u32::MAX, if named { label } else { 0 });
            tokens.iter().for_each(|token| filling.add(token));
            cues.push(Cut {
                speaker,
                script,
                begin: first.begin,
                end: said,
                wanted: rules.wanted_ms(filling.columns, script),
                said,
                tokens: tokens.to_vec(),
            });
        }
    }
    cues
}

/// Gives every cue its time: from the first word for as long as it wants, up to the run-on behind the last word, but not
/// into the next cue of anybody.
fn time(cues: &mut [Cut], stream: usize, begins: &Onsets, rules: &Rules) {
    let mut free = i64::MIN;
    for place in 0..cues.len() {
        let next = cues.get(place + 1).map_or(i64::MAX, |next| next.begin);
        let Some(cue) = cues.get_mut(place) else { break };
        // Pushed where the words before have no time of their own.
        cue.begin = cue.begin.max(free);
        let wanted = cue.said.max(cue.begin.saturating_add(cue.wanted));
        let room = room(begins.next(stream, cue.said), next, cue.said, rules);
        cue.end = wanted.min(room).min(cue.begin.saturating_add(rules.max_duration_ms)).max(cue.begin + 1);
        free = cue.end.saturating_add(rules.gap_ms);
    }
}

/// Until when a cue may be shown. `other` is when somebody else begins after its last word, `own` the next cue's begin.
fn room(other: i64, own: i64, said: i64, rules: &Rules) -> i64 {
    let others = other.saturating_sub(rules.gap_ms).max(said);
    others.min(said.saturating_add(rules.run_on_ms)).min(own.saturating_sub(rules.gap_ms))
}

/// One run of one speaker, to be cut.
struct Cutter<'a> {
    rules: &'a Rules,
    words: &'a Onsets,
    sentences: &'a Onsets,
    stream: usize,
    script: Script,
    label: u32,
    limit: u32,
    run: &'a [Token],
    /// When the speaker's next run begins.
    after: i64,
}

/// A way to cut the first tokens.
#[derive(Clone, Copy)]
struct Way {
    cost: i64,
    /// Where the last cue begins.
    from: usize,
}

impl Cutter<'_> {
    /// Whether somebody else begins between the speaker's last cue and the end of this one: then it may need his name.
    fn is_named(&self, last_cue: i64, end: i64) -> bool {
        last_cue == i64::MIN || self.words.next(self.stream, last_cue) < end
    }

    /// The tokens with which cues begin. `last_cue` is the begin of the speaker's cue before this run.
    fn best(&self, last_cue: i64) -> Vec<usize> {
        let count = self.run.len();
        let mut ways: Vec<Option<Way>> = vec![None; count + 1];
        if let Some(first) = ways.first_mut() {
            *first = Some(Way { cost: 0, from: 0 });
        }
        for begin in 0..count {
            let Some(way) = ways.get(begin).copied().flatten() else { continue };
            let before =
                if begin == 0 { last_cue } else { self.run.get(way.from).map_or(last_cue, |token| token.begin) };
            self.from(begin, way, before, &mut ways);
        }
        let mut begins = Vec::new();
        let mut end = count;
        while end > 0 {
            end = ways.get(end).copied().flatten().map_or(0, |way| way.from);
            begins.push(end);
        }
        begins.reverse();
        begins
    }

    /// All cues that begin with token `begin`.
    fn from(&self, begin: usize, way: Way, before: i64, ways: &mut [Option<Way>]) {
        let Some(first) = self.run.get(begin) else { return };
        let mut plain = Filling::new(self.limit, 0);
        let mut labelled = Filling::new(self.limit, self.label);
        let mut sentences = 0;
        let mut said = first.end;
        for (end, token) in self.run.iter().enumerate().skip(begin) {
            if end > begin && token.before == Break::Sentence {
                sentences += 1;
            }
            plain.add(token);
            labelled.add(token);
            said = said.max(token.end);
            let filling = if self.is_named(before, said) { &labelled } else { &plain };
            let fits = filling.lines <= self.rules.lines && said - first.begin <= self.rules.max_duration_ms;
            if !fits && end > begin {
                // With more tokens it will not fit either.
                break;
            }
            let next = self.run.get(end + 1);
            let own = next.map_or(self.after, |next| next.begin);
            let shown = room(self.sentences.next(self.stream, said), own, said, self.rules) - first.begin;
            let missing = (self.rules.wanted_ms(filling.columns, self.script) - shown).clamp(0, 10_000);
            let full = i64::from(filling.columns) * 100 / (i64::from(self.limit) * i64::from(self.rules.lines)).max(1);
            let whole = first.before == Break::Sentence && next.is_none_or(|next| next.before == Break::Sentence);
            let cost = way.cost
                + CUE
                + next.map_or(0, |next| next.before.cost())
                + sentences * SHARED
                + missing * MISSING_MS
                + if whole { 0 } else { (100 - full.min(100)).pow(2) / THIN };
            if let Some(place) = ways.get_mut(end + 1)
                && place.is_none_or(|known| cost < known.cost)
            {
                *place = Some(Way { cost, from: begin });
            }
        }
    }
}
