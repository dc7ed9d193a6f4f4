//! Cuts a conversation into cues: which words share one, and when it is shown.
//!
//! Each speaker is cut separately. Speech is first split where no cue may continue: at a silence longer than the run-on,
//! between sentences if someone else begins, and where the script changes. Each run is then cut at the lowest total cost:
//! of breaks by their kind, of sentences that share a cue, of missing reading time and of short cues. Every token is in
//! one cue, in order; cues of one speaker are at least the gap apart.

use super::limits::Limits;
use super::script::Script;
use super::tokens::{Break, Token};
use super::wrap::LineFill;
use crate::text::needs_space;

/// Cost of a cue, in addition to [`Break::cost`].
const CUE: i64 = 2000;
/// Cost of a sentence that ends inside a cue: more than a cue, so that sentences share one only to become readable.
const SHARED: i64 = 2600;
/// Cost of a ms of missing reading time.
const MISSING_MS: i64 = 5;
/// Divides the square of the unused share (in per cent) of a cue with part of a sentence.
const THIN: i64 = 4;

/// A cue that is not broken into lines yet.
#[derive(Debug, Clone)]
pub(super) struct DraftCue {
    /// Index of the participant.
    pub(super) speaker: usize,
    pub(super) script: Script,
    pub(super) begin: i64,
    pub(super) end: i64,
    /// How long it should be shown, in ms.
    pub(super) target_ms: i64,
    /// End of its last word, in ms.
    pub(super) speech_end: i64,
    pub(super) tokens: Vec<Token>,
}

/// The sentences of one participant on one channel, by time.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) speaker: usize,
    /// Columns to keep free on the first line for the name.
    pub(super) label: u32,
    pub(super) sentences: Vec<TokenizedSentence>,
}

/// A sentence as tokens.
#[derive(Debug)]
pub(super) struct TokenizedSentence {
    pub(super) script: Script,
    pub(super) tokens: Vec<Token>,
}

/// Begin times of all streams, to find who begins in between.
#[derive(Debug)]
pub(super) struct BeginTimes {
    /// Begin time and stream, by time.
    all: Vec<(i64, usize)>,
    /// For each, the index of the next one of another stream.
    other: Vec<usize>,
}

impl BeginTimes {
    /// From begin times, each with the number of its stream.
    fn new(begins: impl Iterator<Item = (i64, usize)>) -> Self {
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

    /// The next begin of another stream, at `from` or later.
    fn next(&self, stream: usize, from: i64) -> i64 {
        let index = self.all.partition_point(|begin| begin.0 < from);
        match self.all.get(index) {
            None => i64::MAX,
            Some(begin) if begin.1 != stream => begin.0,
            Some(_) => {
                let index = self.other.get(index).copied().unwrap_or(usize::MAX);
                self.all.get(index).map_or(i64::MAX, |begin| begin.0)
            }
        }
    }
}

/// Cuts all streams. The cues are sorted by begin, end and speaker.
pub(super) fn cut(streams: Vec<Stream>, limits: &Limits) -> Vec<DraftCue> {
    let sentences = || {
        (0..).zip(&streams).flat_map(|(number, stream)| stream.sentences.iter().map(move |one| (&one.tokens, number)))
    };
    let words =
        BeginTimes::new(sentences().flat_map(|(tokens, number)| tokens.iter().map(move |token| (token.begin, number))));
    let sentences = BeginTimes::new(sentences().filter_map(|(tokens, number)| Some((tokens.first()?.begin, number))));
    let mut cues: Vec<Vec<DraftCue>> = streams
        .into_iter()
        .enumerate()
        .map(|(number, stream)| cut_stream(stream, number, &words, &sentences, limits))
        .collect();
    let begins =
        BeginTimes::new((0..).zip(&cues).flat_map(|(number, cues)| cues.iter().map(move |cue| (cue.begin, number))));
    for (number, cues) in cues.iter_mut().enumerate() {
        time(cues, number, &begins, limits);
    }
    let mut cues: Vec<DraftCue> = cues.into_iter().flatten().collect();
    cues.sort_by_key(|cue| (cue.begin, cue.end, cue.speaker));
    cues
}

/// Cuts stream number `number`.
fn cut_stream(
    stream: Stream,
    number: usize,
    words: &BeginTimes,
    sentences: &BeginTimes,
    limits: &Limits,
) -> Vec<DraftCue> {
    let Stream { speaker, label, sentences: spoken } = stream;
    let mut cues = Vec::new();
    let mut run: Vec<Token> = Vec::new();
    let mut script = Script::Latin;
    let mut last_cue = i64::MIN;
    let mut runs = Vec::new();
    for sentence in spoken {
        for (place, mut token) in sentence.tokens.into_iter().enumerate() {
            let ends = run.last().is_some_and(|before| {
                token.begin - before.end > limits.run_on_ms
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
        let (script, limit) = (*script, limits.line_columns(*script));
        let after = runs.get(place + 1).and_then(|next| next.1.first()).map_or(i64::MAX, |token| token.begin);
        let cutter = Cutter { limits, words, sentences, stream: number, script, label, limit, run, after };
        let begins = cutter.best(last_cue);
        for (place, &begin) in begins.iter().enumerate() {
            let end = begins.get(place + 1).copied().unwrap_or(run.len());
            let tokens = run.get(begin..end).unwrap_or(&[]);
            let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { continue };
            let speech_end = tokens.iter().map(|token| token.end).max().unwrap_or(last.end);
            let named = cutter.is_named(last_cue, speech_end);
            last_cue = first.begin;
            let mut filling = LineFill::new(u32::MAX, if named { label } else { 0 });
            tokens.iter().for_each(|token| filling.add(token));
            cues.push(DraftCue {
                speaker,
                script,
                begin: first.begin,
                end: speech_end,
                target_ms: limits.display_ms(filling.columns, script),
                speech_end,
                tokens: tokens.to_vec(),
            });
        }
    }
    cues
}

/// Sets when each cue ends: after its target time, at most the run-on past its last word, and before the next cue of any
/// speaker.
fn time(cues: &mut [DraftCue], stream: usize, begins: &BeginTimes, limits: &Limits) {
    let mut free = i64::MIN;
    for place in 0..cues.len() {
        let next = cues.get(place + 1).map_or(i64::MAX, |next| next.begin);
        let Some(cue) = cues.get_mut(place) else { break };
        // Pushed back if the previous words have no time of their own.
        cue.begin = cue.begin.max(free);
        let target_end = cue.speech_end.max(cue.begin.saturating_add(cue.target_ms));
        let room = room(begins.next(stream, cue.speech_end), next, cue.speech_end, limits);
        cue.end = target_end.min(room).min(cue.begin.saturating_add(limits.max_duration_ms)).max(cue.begin + 1);
        free = cue.end.saturating_add(limits.gap_ms);
    }
}

/// When a cue must end. `other` is the next begin of another speaker after its last word, `own` that of the next cue.
fn room(other: i64, own: i64, speech_end: i64, limits: &Limits) -> i64 {
    let others = other.saturating_sub(limits.gap_ms).max(speech_end);
    others.min(speech_end.saturating_add(limits.run_on_ms)).min(own.saturating_sub(limits.gap_ms))
}

/// Cuts one run of one speaker.
struct Cutter<'a> {
    limits: &'a Limits,
    words: &'a BeginTimes,
    sentences: &'a BeginTimes,
    stream: usize,
    script: Script,
    label: u32,
    limit: u32,
    run: &'a [Token],
    /// When the speaker's next run begins.
    after: i64,
}

/// The cheapest way to cut the first tokens.
#[derive(Clone, Copy)]
struct PartialCut {
    cost: i64,
    /// Where the last cue begins.
    from: usize,
}

impl Cutter<'_> {
    /// Whether someone else begins between the speaker's last cue and the end of this one, so that the cue may need the name.
    fn is_named(&self, last_cue: i64, end: i64) -> bool {
        last_cue == i64::MIN || self.words.next(self.stream, last_cue) < end
    }

    /// Indices of the tokens that begin a cue. `last_cue` is the begin of the speaker's cue before this run.
    fn best(&self, last_cue: i64) -> Vec<usize> {
        let count = self.run.len();
        let mut ways: Vec<Option<PartialCut>> = vec![None; count + 1];
        if let Some(first) = ways.first_mut() {
            *first = Some(PartialCut { cost: 0, from: 0 });
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

    /// Tries all cues that begin with token `begin`.
    fn from(&self, begin: usize, way: PartialCut, before: i64, ways: &mut [Option<PartialCut>]) {
        let Some(first) = self.run.get(begin) else { return };
        let mut plain = LineFill::new(self.limit, 0);
        let mut labelled = LineFill::new(self.limit, self.label);
        let mut sentences = 0;
        let mut speech_end = first.end;
        for (end, token) in self.run.iter().enumerate().skip(begin) {
            if end > begin && token.before == Break::Sentence {
                sentences += 1;
            }
            plain.add(token);
            labelled.add(token);
            speech_end = speech_end.max(token.end);
            let filling = if self.is_named(before, speech_end) { &labelled } else { &plain };
            let fits = filling.lines <= self.limits.lines && speech_end - first.begin <= self.limits.max_duration_ms;
            if !fits && end > begin {
                // Nor would it fit with more tokens.
                break;
            }
            let next = self.run.get(end + 1);
            let own = next.map_or(self.after, |next| next.begin);
            let shown = room(self.sentences.next(self.stream, speech_end), own, speech_end, self.limits) - first.begin;
            let missing = (self.limits.display_ms(filling.columns, self.script) - shown).clamp(0, 10_000);
            let full = i64::from(filling.columns) * 100 / (i64::from(self.limit) * i64::from(self.limits.lines)).max(1);
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
                *place = Some(PartialCut { cost, from: begin });
            }
        }
    }
}
