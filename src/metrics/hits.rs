//! Where terms occur in a call: participant, time and surrounding text (definitions: keyword hit). [`super::keywords`]
//! decides what matches.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use super::conversation::{CleanSentence, Conversation};
use super::floor::Floor;
use super::interval::Interval;
use super::keywords::{Keywords, Match, Scratch};
use super::rows::{Hit, TimeBasis};
use super::texts::{Contribution, Texts};
use crate::text::{Markers, join_into, letters, trim};

/// A hit carries the whole text of its turn up to this length, beyond it the part around the hit: otherwise a file of
/// one endless turn would be repeated with each of its hits.
const WHOLE_TEXT_BYTES: usize = 16_384;

/// Least text kept on each side of a hit in a longer turn.
const AROUND_BYTES: usize = 256;

/// A place in a call where a term of a list was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Occurrence {
    /// Index into [`Keywords::terms`].
    pub(crate) term: usize,
    /// Index into [`Measured::participants`](super::Measured::participants).
    pub(crate) participant: usize,
    pub(crate) interval: Option<Interval>,
    pub(crate) time_basis: TimeBasis,
    /// As in the transcript.
    pub(crate) matched: String,
    /// As in the column `text` of `hits`.
    pub(crate) text: Arc<str>,
    /// `None` inside another participant's turn, and without a time.
    pub(crate) turn_index: Option<usize>,
    /// The searched text, numbered within the call, and the byte where the match begins: two occurrences of one term are
    /// told apart by it.
    pub(crate) place: (usize, usize),
}

impl Occurrence {
    /// The order of hits of one term: begin, end, participant; those without a time last.
    pub(crate) fn order(&self) -> (i64, i64, usize) {
        let (begin, end) = self.interval.map_or((i64::MAX, i64::MAX), |interval| (interval.begin, interval.end));
        (begin, end, self.participant)
    }
}

/// Searches turns, contained bursts, and sentences without a time. By term, then in [order](Occurrence::order).
pub(super) fn search(
    conversation: &Conversation<'_>,
    floor: &Floor,
    texts: &mut Texts,
    keywords: &Keywords,
) -> Vec<Occurrence> {
    let markers = conversation.markers;
    let mut search = Search { conversation, keywords, searched: 0, scratch: Scratch::default(), found: Vec::new() };
    let turns = floor.turns.iter().enumerate().map(|(index, turn)| (turn.participant, Some(index), &turn.pieces));
    let contained = floor
        .contained
        .iter()
        .filter_map(|pieces| conversation.pieces_in(pieces).first().map(|piece| (piece.participant, None, pieces)));
    for (participant, turn_index, pieces) in turns.chain(contained) {
        search.stretch(participant, turn_index, &texts.contributions(conversation, pieces, markers));
    }
    for (number, sentence) in (0..).zip(&conversation.sentences) {
        if sentence.pieces == 0 {
            let text = markers.shown(conversation.text(sentence));
            let whole = Contribution { sentence: number, text, cut: None, units: sentence.units };
            search.stretch(sentence.participant, None, &[whole]);
        }
    }
    let mut found = search.found;
    found.sort_by_key(|occurrence| (occurrence.term, occurrence.order()));
    found
}

/// The hits of plain keywords: `rule` as given, `term` without its exclusions (definitions: keyword hit).
pub(super) fn of_keywords(found: Vec<Occurrence>, keywords: &Keywords) -> Vec<Hit> {
    let shared = |list: &[String]| list.iter().map(|text| Arc::from(&**text)).collect::<Vec<Arc<str>>>();
    let (rules, terms) = (shared(keywords.lines()), shared(keywords.terms()));
    let (mut before, mut hit_index) = (None, 0);
    let hit = |found: Occurrence| {
        hit_index = if before == Some(found.term) { hit_index + 1 } else { 0 };
        before = Some(found.term);
        let rule = Arc::clone(rules.get(found.term)?);
        Some(Hit::new(rule, hit_index, Arc::clone(terms.get(found.term)?), found))
    };
    found.into_iter().filter_map(hit).collect()
}

impl Hit {
    /// A hit of a rule or keyword where a term was found.
    pub(crate) fn new(rule: Arc<str>, hit_index: i64, term: Arc<str>, found: Occurrence) -> Self {
        Self {
            rule,
            hit_index,
            participant: Some(found.participant),
            term,
            begin_ms: found.interval.map(|interval| interval.begin),
            end_ms: found.interval.map(|interval| interval.end),
            time_basis: found.time_basis,
            matched: found.matched,
            text: found.text,
        }
    }
}

struct Search<'c, 't> {
    conversation: &'c Conversation<'t>,
    keywords: &'c Keywords,
    /// Number of texts searched so far.
    searched: usize,
    scratch: Scratch,
    found: Vec<Occurrence>,
}

impl Search<'_, '_> {
    /// Searches one text of one participant.
    fn stretch(&mut self, participant: u32, turn_index: Option<usize>, contributions: &[Contribution<'_>]) {
        self.searched += 1;
        let mut text = String::with_capacity(contributions.iter().map(|part| part.text.len() + 1).sum());
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
        let markers = conversation.markers;
        let part = |(range, contribution)| Part { range, contribution, markers, words: OnceCell::new() };
        let parts: Vec<Part<'_, '_>> = ranges.into_iter().zip(contributions).map(part).collect();
        let whole: Option<Arc<str>> = (text.len() <= WHOLE_TEXT_BYTES).then(|| Arc::from(&*text));
        let mut excerpts = Excerpts { text: &text, last: None };
        for found in matches {
            let (time_basis, interval) = time(conversation, &text, &found, &parts);
            self.found.push(Occurrence {
                term: found.term,
                participant: participant as usize,
                interval,
                time_basis,
                matched: text.get(found.start..found.end).unwrap_or_default().to_owned(),
                text: whole.clone().unwrap_or_else(|| excerpts.around(&found)),
                turn_index,
                place: (self.searched, found.start),
            });
        }
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
        let mut spelt = Vec::with_capacity(sentence.words.len());
        for words in ranges {
            let intervals = conversation.words.get(words.start as usize..words.end as usize)?;
            for (word, interval) in conversation.words_of(sentence, words.clone()).iter().zip(intervals) {
                let place = rest.spell(&self.markers.shown(Cow::Borrowed(&word.text)))?;
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
