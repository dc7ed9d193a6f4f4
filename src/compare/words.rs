//! The words of two transcripts side by side: errors, substitutions, start times (definitions: word errors).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::alignment::align;
use crate::metrics::{Measured, WordRow};
use crate::text::{Markers, spelling, tokens};

/// How the words of a transcript differ from those of the reference.
///
/// ```
/// let errors = talkmeter::compare::word_errors("I would like a refund", "I'd like a a refund");
/// assert_eq!((errors.reference_words, errors.substitutions, errors.deletions, errors.insertions), (5, 1, 1, 1));
/// assert_eq!(errors.rate(), Some(0.6));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WordErrors {
    /// Words of the reference: `matches` + `substitutions` + `deletions`.
    pub reference_words: u64,
    /// Words that are the same.
    pub matches: u64,
    /// Words with another in their place.
    pub substitutions: u64,
    /// Words of the reference that are missing.
    pub deletions: u64,
    /// Words that the reference does not have.
    pub insertions: u64,
}

impl WordErrors {
    /// The word error rate, which can exceed 1; `None` if the reference has no words.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let errors = self.substitutions + self.deletions + self.insertions;
        (self.reference_words > 0).then(|| errors as f64 / self.reference_words as f64)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.reference_words += other.reference_words;
        self.matches += other.matches;
        self.substitutions += other.substitutions;
        self.deletions += other.deletions;
        self.insertions += other.insertions;
    }
}

/// A substitution, deletion or insertion, and how often it occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WordEdit {
    /// The word of the reference; null for an insertion.
    pub reference: Option<String>,
    /// The word in its place; null for a deletion.
    pub word: Option<String>,
    /// How often.
    pub count: u64,
}

/// Edits by their words.
pub(super) type Edits = BTreeMap<(Option<String>, Option<String>), u64>;

/// The most frequent first, then by their words.
pub(super) fn by_frequency(edits: Edits) -> Vec<WordEdit> {
    let mut edits: Vec<WordEdit> =
        edits.into_iter().map(|((reference, word), count)| WordEdit { reference, word, count }).collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.count));
    edits
}

/// The words of one call.
#[derive(Debug, Default)]
pub(super) struct ComparedWords {
    pub(super) errors: WordErrors,
    pub(super) edits: Edits,
    /// Of matched words with times on both sides: how far apart they begin, in ms.
    pub(super) start_errors: Vec<i64>,
}

/// The errors in `text`, where `reference` is what should stand there. Markers such as `[PII]` are no words.
#[must_use]
pub fn word_errors(reference: &str, text: &str) -> WordErrors {
    let track = |text: &str| -> Vec<Word> {
        tokens(text, Markers::Drop).into_iter().map(|text| Word { text, begin_ms: None }).collect()
    };
    let mut compared = ComparedWords::default();
    compared.add(&track(reference), &track(text));
    compared.errors
}

/// A token of a transcript.
#[derive(Debug)]
struct Word {
    text: String,
    /// Where a word of the transcript begins with it.
    begin_ms: Option<i64>,
}

impl ComparedWords {
    /// Channel by channel where both sides have the same ones, else the whole calls in order of time.
    pub(super) fn new(a: &Measured<'_>, b: &Measured<'_>) -> Self {
        let (mut of_a, mut of_b) = (Tracks::new(a), Tracks::new(b));
        if of_a.0.len() < 2 || !of_a.0.keys().eq(of_b.0.keys()) {
            of_a.join();
            of_b.join();
        }
        let mut compared = Self::default();
        let channels: BTreeSet<u32> = of_a.0.keys().chain(of_b.0.keys()).copied().collect();
        for channel in channels {
            compared.add(&of_a.words(channel), &of_b.words(channel));
        }
        compared
    }

    pub(super) fn append(&mut self, other: Self) {
        self.errors.add(other.errors);
        self.start_errors.extend(other.start_errors);
        for (words, count) in other.edits {
            *self.edits.entry(words).or_default() += count;
        }
    }

    fn add(&mut self, a: &[Word], b: &[Word]) {
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut number = |text| {
            let next = numbers.len() as u32;
            *numbers.entry(text).or_insert(next)
        };
        let of_a: Vec<u32> = a.iter().map(|word| number(&*word.text)).collect();
        let of_b: Vec<u32> = b.iter().map(|word| number(&*word.text)).collect();
        self.errors.reference_words += a.len() as u64;
        for (one, two) in align(&of_a, &of_b) {
            let (one, two) = (one.and_then(|at| a.get(at)), two.and_then(|at| b.get(at)));
            match (one, two) {
                (Some(one), Some(two)) if one.text == two.text => {
                    self.errors.matches += 1;
                    self.start_errors.extend(one.begin_ms.zip(two.begin_ms).map(|(one, two)| (one - two).abs()));
                    continue;
                }
                (Some(_), Some(_)) => self.errors.substitutions += 1,
                (Some(_), None) => self.errors.deletions += 1,
                _ => self.errors.insertions += 1,
            }
            let text = |word: Option<&Word>| word.map(|word| word.text.clone());
            *self.edits.entry((text(one), text(two))).or_default() += 1;
        }
    }
}

/// The sentences of each channel: when each begins, and its words.
struct Tracks(BTreeMap<u32, Vec<(i64, Vec<Word>)>>);

impl Tracks {
    fn new(measured: &Measured<'_>) -> Self {
        let mut tracks: BTreeMap<u32, Vec<(i64, Vec<Word>)>> = BTreeMap::new();
        // A silent channel is a channel.
        for track in &measured.billable {
            tracks.entry(track.channel_id).or_default();
        }
        let mut words = measured.words().peekable();
        for sentence in measured.sentences() {
            let key = (sentence.channel_id, sentence.sentence_index);
            let mut own = Vec::new();
            while let Some(word) = words.next_if(|word| (word.channel_id, word.sentence_index) == key) {
                own.push(word);
            }
            let track = tracks.entry(sentence.channel_id).or_default();
            let first = || own.iter().find_map(|word| word.interval);
            let begin = sentence.interval.or_else(first).map(|interval| interval.begin);
            // A sentence without a time stays behind the one before it.
            let begin = begin.or_else(|| track.last().map(|last| last.0)).unwrap_or(0);
            track.push((begin, timed(tokens(&sentence.text(), measured.markers()), &own, measured.markers())));
        }
        Self(tracks)
    }

    /// All channels as one.
    fn join(&mut self) {
        let all = std::mem::take(&mut self.0).into_values().flatten().collect();
        self.0.insert(0, all);
    }

    /// The words of a channel, sentence by sentence in order of time.
    fn words(&mut self, channel: u32) -> Vec<Word> {
        let mut sentences = self.0.remove(&channel).unwrap_or_default();
        sentences.sort_by_key(|sentence| sentence.0);
        sentences.into_iter().flat_map(|sentence| sentence.1).collect()
    }
}

/// The tokens of a sentence, with the begin of the word that begins with them. None has a time if its words do not spell
/// its text.
fn timed(tokens: Vec<String>, words: &[WordRow<'_>], markers: Markers) -> Vec<Word> {
    let mut spelt = String::new();
    // Bytes spelt before each word, and its begin.
    let mut begins: HashMap<usize, i64> = HashMap::new();
    for word in words {
        let own = spelling(markers.shown(word.text().into()).chars());
        if let Some(interval) = word.interval.filter(|_| !own.is_empty()) {
            begins.insert(spelt.len(), interval.begin);
        }
        spelt += &own;
    }
    let length = |token: &str| token.chars().filter(|c| c.is_alphanumeric()).map(char::len_utf8).sum::<usize>();
    let letters = || tokens.iter().flat_map(|token| token.chars().filter(|c| c.is_alphanumeric()));
    let is_same = letters().eq(spelt.chars());
    let mut at = 0;
    let word = |text: String| {
        let begin_ms = begins.get(&at).copied().filter(|_| is_same);
        at += length(&text);
        Word { text, begin_ms }
    };
    tokens.into_iter().map(word).collect()
}
