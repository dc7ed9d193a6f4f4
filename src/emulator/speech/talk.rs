//! Who says what when: a conversation made from the lines of a script.

use super::script::Script;
use super::{Sentence, Word};

/// A conversation. With tracks of their own participants may talk over each other; on one track they do not, because the
/// sentences of one track never overlap.
pub(super) fn talk(script: &Script, seed: &[u8; 32], tracks: usize, duration_ms: u64) -> Vec<Sentence> {
    let dice = &mut Dice::new(seed, b"talk");
    let apart = tracks > 1;
    let speakers = tracks.max(2);
    let (mut left, mut exchange): (Vec<usize>, usize) = (Vec::new(), 0);
    let mut free = vec![0; speakers];
    let mut sentences = Vec::new();
    let mut at = dice.between(300, 1_500);
    for turn in 0_usize.. {
        let speaker = turn % speakers;
        let line = if let Some(opening) = script.opening.get(turn) {
            opening
        } else {
            if turn % 2 == 0 {
                if left.is_empty() {
                    left = (0..script.exchanges.len()).collect();
                }
                let drawn = dice.below(left.len() as u64);
                exchange = left.swap_remove(usize::try_from(drawn).unwrap_or(0));
            }
            script.exchanges.get(exchange).map_or(script.shortest, |pair| pair[turn % 2])
        };
        let begin = at.max(free.get(speaker).copied().unwrap_or(0));
        let spoken = speak(script, dice, speaker, begin, line);
        let end = spoken.last().map_or(begin, Sentence::end);
        if end > duration_ms {
            return sentences;
        }
        sentences.extend(spoken);
        if let Some(free) = free.get_mut(speaker) {
            *free = end + 60;
        }
        let listener = (speaker + 1) % speakers;
        if apart && end - begin > 4_000 && dice.one_in(5) {
            let word = script.listening.get(usize::try_from(dice.below(4)).unwrap_or(0)).unwrap_or(&script.shortest);
            let response = speak(script, dice, listener, begin + 1_500, word);
            if let Some(free) = free.get_mut(listener) {
                *free = response.last().map_or(0, Sentence::end) + 60;
            }
            sentences.extend(response);
        }
        let pause = match dice.below(24) {
            0 => dice.between(5_000, 12_000),
            1..=4 => dice.between(900, 2_500),
            _ => dice.between(120, 900),
        };
        at = if apart && dice.one_in(7) { end.saturating_sub(dice.between(150, 1_200)) } else { end + pause };
    }
    sentences
}

/// A line that one participant speaks alone; the same for the same name.
pub(super) fn dictate(script: &Script, name: &str, line: &str) -> Vec<Sentence> {
    let dice = &mut Dice::new(blake3::hash(name.as_bytes()).as_bytes(), b"dictate");
    speak(script, dice, 0, 400, line)
}

/// Speaks a line, sentence by sentence, starting at `begin`.
fn speak(script: &Script, dice: &mut Dice, speaker: usize, begin: u64, line: &str) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let mut words: Vec<Word> = Vec::new();
    let mut at = begin;
    for token in line.split(' ') {
        let text = token.trim_end_matches([',', '.', '?', '!', '，', '。', '？', '！']);
        let mut punctuation = token.strip_prefix(text).unwrap_or_default().to_owned();
        let (each, word) = script.pace;
        let length = (text.chars().count() as u64 * each + word) * dice.between(85, 120) / 100;
        let closes = punctuation.ends_with(['.', '?', '!', '。', '？', '！']);
        let pauses = !punctuation.is_empty();
        if closes {
            punctuation.push_str(script.after_sentence);
        }
        let space = if words.is_empty() { "" } else { script.between };
        words.push(Word { begin: at, end: at + length, text: format!("{space}{text}"), punctuation });
        at += length;
        if closes {
            sentences.push(Sentence { speaker, words: std::mem::take(&mut words) });
            at += dice.between(180, 600);
        } else if pauses {
            at += dice.between(80, 300);
        }
    }
    if !words.is_empty() {
        sentences.push(Sentence { speaker, words });
    }
    sentences
}

/// Used if nothing else fits.
pub(super) fn shortest(script: &Script, speaker: usize, duration_ms: u64) -> Sentence {
    let (begin, end) = (duration_ms / 4, (duration_ms * 3 / 4).max(duration_ms / 4 + 1));
    let text = script.shortest.trim_end_matches(['.', '。']);
    let punctuation = script.shortest.strip_prefix(text).unwrap_or_default();
    let punctuation = format!("{punctuation}{}", script.after_sentence);
    Sentence { speaker, words: vec![Word { begin, end, text: text.to_owned(), punctuation }] }
}

/// Reproducible pseudo-random numbers.
pub(super) struct Dice(blake3::OutputReader);

impl Dice {
    pub(super) fn new(seed: &[u8; 32], about: &[u8]) -> Self {
        Self(blake3::Hasher::new_keyed(seed).update(about).finalize_xof())
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % n.max(1)
    }

    fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}
