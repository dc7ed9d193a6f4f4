//! Keyword hits: participant, time and surrounding text (definitions: keyword hit). [`super::keywords`] decides what
//! matches.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

use super::Settings;
use super::conversation::{CleanSentence, Conversation};
use super::floor::Floor;
use super::interval::Interval;
use super::keywords::{Keywords, Match, Scratch};
use super::rows::{Hit, TimeBasis};
use super::texts::{Contribution, Texts};
use crate::text::{Markers, join_into, trim};

/// A hit carries the whole text of its turn up to this length, beyond it the part around the hit: otherwise a file of
/// one endless turn would be repeated with each of its hits.
const WHOLE_TEXT_BYTES: usize = 16_384;

/// Least text kept on each side of a hit in a longer turn.
const AROUND_BYTES: usize = 256;

/// Searches turns, contained bursts, and sentences without a time.
pub(super) fn find(conversation: &Conversation<'_>, floor: &Floor, texts: &mut Texts, settings: &Settings) -> Vec<Hit> {
    let Some(keywords) = &settings.keywords else { return Vec::new() };
    let terms: Vec<Arc<str>> = keywords.terms().iter().map(|term| Arc::from(&**term)).collect();
    let (markers, scratch) = (settings.markers, Scratch::default());
    let mut search = Search { conversation, keywords, markers, terms: &terms, scratch, hits: Vec::new() };
    let turns = floor.turns.iter().map(|turn| (turn.participant, &turn.pieces));
    let contained = floor
        .contained
        .iter()
        .filter_map(|pieces| conversation.pieces_in(pieces).first().map(|piece| (piece.participant, pieces)));
    for (participant, pieces) in turns.chain(contained) {
        search.stretch(participant, &texts.contributions(conversation, pieces, settings.markers));
    }
    for (number, sentence) in (0..).zip(&conversation.sentences) {
        if sentence.pieces == 0 {
            let text = settings.markers.shown(conversation.text(sentence));
            let whole = Contribution { sentence: number, text, cut: None, units: sentence.units };
            search.stretch(sentence.participant, &[whole]);
        }
    }
    search.in_order()
}

struct Search<'c, 't> {
    conversation: &'c Conversation<'t>,
    keywords: &'c Keywords,
    markers: Markers,
    terms: &'c [Arc<str>],
    scratch: Scratch,
    /// With the index of the term.
    hits: Vec<(usize, Hit)>,
}

impl Search<'_, '_> {
    /// Searches one text of one participant.
    fn stretch(&mut self, participant: u32, contributions: &[Contribution<'_>]) {
        let mut text = String::new();
        let mut ranges = Vec::with_capacity(contributions.len());
        for contribution in contributions {
            join_into(&mut text, &contribution.text);
            // The contribution is what was appended last; a space, if any, comes before it.
            ranges.push(text.len() - trim(&contribution.text).len()..text.len());
        }
        let mut matches = Vec::new();
        self.keywords.find_into(&text, &mut self.scratch, &mut matches);
        if matches.is_empty() {
            return;
        }
        let conversation = self.conversation;
        let markers = self.markers;
        let part = |(range, contribution)| Part { range, contribution, markers, words: OnceCell::new() };
        let parts: Vec<Part<'_, '_>> = ranges.into_iter().zip(contributions).map(part).collect();
        let whole: Option<Arc<str>> = (text.len() <= WHOLE_TEXT_BYTES).then(|| Arc::from(&*text));
        let mut excerpts = Excerpts { text: &text, last: None };
        for found in matches {
            let (time_basis, interval) = time(conversation, &text, &found, &parts);
            let Some(term) = self.terms.get(found.term) else { continue };
            let hit = Hit {
                rule: Arc::clone(term),
                hit_index: 0,
                participant: participant as usize,
                term: Arc::clone(term),
                begin_ms: interval.map(|interval| interval.begin),
                end_ms: interval.map(|interval| interval.end),
                time_basis,
                matched: text.get(found.start..found.end).unwrap_or_default().to_owned(),
                text: whole.clone().unwrap_or_else(|| excerpts.around(&found)),
            };
            self.hits.push((found.term, hit));
        }
    }

    /// Rules in the order given, begin, end, participant; hits without a time last (definitions: keyword hit).
    fn in_order(mut self) -> Vec<Hit> {
        self.hits.sort_by_key(|(term, hit)| {
            (*term, hit.begin_ms.unwrap_or(i64::MAX), hit.end_ms.unwrap_or(i64::MAX), hit.participant)
        });
        let mut before = None;
        let mut index = 0;
        self.hits
            .into_iter()
            .map(|(term, mut hit)| {
                index = if before == Some(term) { index + 1 } else { 0 };
                before = Some(term);
                hit.hit_index = index;
                hit
            })
            .collect()
    }
}

/// One sentence's part of a text.
struct Part<'c, 't> {
    range: Range<usize>,
    contribution: &'c Contribution<'t>,
    markers: Markers,
    /// Aligned with the text when a match touches it.
    words: OnceCell<Option<Vec<Spelt>>>,
}

impl Part<'_, '_> {
    fn sentence<'c>(&self, conversation: &'c Conversation<'_>) -> Option<&'c CleanSentence> {
        conversation.sentences.get(self.contribution.sentence as usize)
    }

    /// Where each word is in the text; `None` when the words do not spell it.
    fn words(&self, conversation: &Conversation<'_>, text: &str) -> Option<&[Spelt]> {
        self.words.get_or_init(|| self.spell(conversation, text)).as_deref()
    }

    /// Aligns words with the text by letters and digits; case, width and punctuation may differ. Words of punctuation
    /// alone are left out.
    fn spell(&self, conversation: &Conversation<'_>, text: &str) -> Option<Vec<Spelt>> {
        let sentence = self.sentence(conversation)?;
        let whole = [sentence.words.clone()];
        let ranges = self.contribution.cut.as_deref().unwrap_or(&whole);
        let mut rest = letters(text.get(self.range.clone())?, self.range.start);
        let mut spelt = Vec::new();
        for words in ranges {
            let intervals = conversation.words.get(words.start as usize..words.end as usize)?;
            for (word, interval) in conversation.words_of(sentence, words.clone()).iter().zip(intervals) {
                let mut place: Option<Range<usize>> = None;
                for (letter, _) in letters(&self.markers.shown(Cow::Borrowed(&word.text)), 0) {
                    let (same, at) = rest.next()?;
                    if same != letter {
                        return None;
                    }
                    place = Some(place.map_or(at.start, |place| place.start)..at.end);
                }
                spelt.extend(place.map(|range| Spelt { range, interval: *interval }));
            }
        }
        (rest.next().is_none() && !spelt.is_empty()).then_some(spelt)
    }
}

/// A word and its place in a text.
struct Spelt {
    range: Range<usize>,
    interval: Option<Interval>,
}

/// The entries that a match touches; `list` is sorted by place.
fn touched<'l, T>(list: &'l [T], range: impl Fn(&T) -> &Range<usize>, found: &Match) -> &'l [T] {
    let from = list.partition_point(|one| range(one).end <= found.start);
    let to = list.partition_point(|one| range(one).start < found.end);
    list.get(from..to).unwrap_or(&[])
}

/// The time of a match: from its first to its last word, else the reach of its sentences (definitions: keyword hit).
fn time(
    conversation: &Conversation<'_>,
    text: &str,
    found: &Match,
    parts: &[Part<'_, '_>],
) -> (TimeBasis, Option<Interval>) {
    let parts = touched(parts, |part| &part.range, found);
    let sentences = || parts.iter().filter_map(|part| part.sentence(conversation));
    // A sentence without pieces has no time, even if its words have begins and ends.
    if sentences().all(|sentence| sentence.pieces == 0) {
        return (TimeBasis::None, None);
    }
    let mut by_words = Some(Vec::new());
    for part in parts {
        let words = part.words(conversation, text).map(|words| touched(words, |word| &word.range, found));
        let intervals = words.and_then(|words| words.iter().map(|word| word.interval).collect::<Option<Vec<_>>>());
        by_words = by_words.zip(intervals).map(|(mut all, more)| {
            all.extend(more);
            all
        });
    }
    // Words need not be in order of time: take the earliest begin and the latest end.
    let reach = |intervals: &[Interval]| {
        let begin = intervals.iter().map(|interval| interval.begin).min()?;
        Some(Interval { begin, end: intervals.iter().map(|interval| interval.end).max()? })
    };
    if let Some(interval) = by_words.as_deref().and_then(reach) {
        return (TimeBasis::Words, Some(interval));
    }
    let own: Vec<Interval> = sentences().filter_map(|sentence| sentence.own).collect();
    match reach(&own) {
        Some(interval) => (TimeBasis::Sentences, Some(interval)),
        None => (TimeBasis::None, None),
    }
}

/// The letters and digits of a text, folded in case and width, each with the place of its character.
fn letters(text: &str, start: usize) -> impl Iterator<Item = (char, Range<usize>)> {
    text.char_indices().flat_map(move |(at, c)| {
        let place = start + at..start + at + c.len_utf8();
        let plain = c.is_ascii().then(|| c.to_ascii_lowercase());
        let even = (!c.is_ascii()).then(|| std::iter::once(c).nfkd().flat_map(char::to_lowercase));
        let letters = plain.into_iter().chain(even.into_iter().flatten()).filter(|c| c.is_alphanumeric());
        letters.map(move |letter| (letter, place.clone()))
    })
}

/// Excerpts of a long text around hits; nearby hits share one.
struct Excerpts<'t> {
    text: &'t str,
    last: Option<(usize, Arc<str>)>,
}

impl Excerpts<'_> {
    fn around(&mut self, found: &Match) -> Arc<str> {
        let block = found.start / AROUND_BYTES;
        let ends_nearby = found.end <= (block + 2) * AROUND_BYTES;
        if let Some((known, excerpt)) = &self.last
            && *known == block
            && ends_nearby
        {
            return Arc::clone(excerpt);
        }
        let start = self.text.floor_char_boundary((block * AROUND_BYTES).saturating_sub(AROUND_BYTES));
        let end = self.text.ceil_char_boundary(((block + 3) * AROUND_BYTES).max(found.end));
        let excerpt: Arc<str> = Arc::from(self.text.get(start..end).unwrap_or(self.text));
        if ends_nearby {
            self.last = Some((block, Arc::clone(&excerpt)));
        }
        excerpt
    }
}
