//! Azure, batch and fast transcription: a time is ticks of 100 ns, milliseconds, or ISO 8601.

use rust_decimal::Decimal;
use serde_json::Value;

use super::fields::{Fields, decimal, ms, span};
use super::fields_of;
use super::speech::{Said, Speech, Spoken};

pub(super) fn speech(root: &Value) -> Speech {
    let phrases = fields_of(root, "recognizedPhrases").chain(fields_of(root, "phrases"));
    let is_good = |phrase: &Fields<'_>| matches!(phrase.text("recognitionStatus"), "" | "Success");
    let sentences = phrases.filter(is_good).map(|phrase| {
        let best = phrase.list("nBest").next().unwrap_or(phrase);
        let text = if best.get("display").is_some() { best.text("display") } else { best.text("text") };
        let (begin, end) = times(phrase);
        Said {
            channel: phrase.label("channel"),
            speaker: phrase.label("speaker"),
            begin,
            end,
            text: text.to_owned(),
            language: phrase.label("locale"),
            words: best.list("words").map(word).collect(),
        }
    });
    Speech {
        duration_ms: exact(Fields(root), "duration").and_then(ms).filter(|ms| *ms > 0),
        sentences: sentences.collect(),
        first_channel: Some(0),
        ..Speech::default()
    }
}

fn word(word: Fields<'_>) -> Spoken {
    let text = if word.get("word").is_some() { word.text("word") } else { word.text("text") };
    let (begin, end) = times(word);
    Spoken { begin, end, text: text.to_owned(), speaker: None }
}

fn times(fields: Fields<'_>) -> (Option<i64>, Option<i64>) {
    span(exact(fields, "offset"), exact(fields, "duration"), Decimal::ONE)
}

/// A time in ms, not rounded.
fn exact(fields: Fields<'_>, name: &str) -> Option<Decimal> {
    let ticks = fields.number(&format!("{name}InTicks")).or_else(|| fields.number(&format!("{name}Ticks")));
    let millis = || fields.number(&format!("{name}Milliseconds"));
    let written = || iso(fields.text(name))?.checked_mul(Decimal::ONE_THOUSAND);
    ticks.and_then(|ticks| ticks.checked_mul(Decimal::new(1, 4))).or_else(millis).or_else(written)
}

/// `PT1H2M3.5S` in seconds.
fn iso(text: &str) -> Option<Decimal> {
    let (mut seconds, mut digits) = (Decimal::ZERO, String::new());
    for c in text.strip_prefix("PT")?.chars() {
        let unit = match c {
            'H' => 3600,
            'M' => 60,
            'S' => 1,
            _ => {
                digits.push(c);
                continue;
            }
        };
        seconds = seconds.checked_add(decimal(&digits)?.checked_mul(Decimal::from(unit))?)?;
        digits.clear();
    }
    digits.is_empty().then_some(seconds)
}
