//! Calls with a script: who says what, from when to when.
//!
//! A line of a script becomes sentences that fill its time without a gap, so that the figures of the call can be worked out
//! from the lines by hand. People who share a track never speak at once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::script::{CHINESE, ENGLISH, Script};
use super::{Sentence, Word};
use crate::{Error, Result};

/// The longest recording that the service takes, in milliseconds: twelve hours.
const LONGEST_MS: u64 = 12 * 3_600_000;

/// Written for this emulator, not transcribed from recordings.
static BUILTIN: [(&str, &str); 13] = [
    ("kettle-refund", include_str!("calls/kettle-refund.txt")),
    ("late-parcel", include_str!("calls/late-parcel.txt")),
    ("hotel-cancel", include_str!("calls/hotel-cancel.txt")),
    ("phone-bill", include_str!("calls/phone-bill.txt")),
    ("router-restart", include_str!("calls/router-restart.txt")),
    ("washer-return", include_str!("calls/washer-return.txt")),
    ("takeaway-late", include_str!("calls/takeaway-late.txt")),
    ("saas-invoice", include_str!("calls/saas-invoice.txt")),
    ("dentist-booking", include_str!("calls/dentist-booking.txt")),
    ("gym-supervisor", include_str!("calls/gym-supervisor.txt")),
    ("flight-change", include_str!("calls/flight-change.txt")),
    ("pocket-dial", include_str!("calls/pocket-dial.txt")),
    ("boiler-voicemail", include_str!("calls/boiler-voicemail.txt")),
];

/// A call with a script: the emulator answers with it for every address whose file has its name.
///
/// A script is UTF-8 text. Empty lines and lines with `#` are skipped. `title`, `language` (`en`, `zh`) and `length` are
/// required, and one of `tracks` (each person has a track) and `mono` (all share one, told apart by diarization), which
/// name the people. Any other `name: value` is a note. The spoken lines follow in order of their start, with times as
/// minutes and seconds. Without any, the recording is silent.
///
/// ```
/// use talkmeter::emulator::Dialogue;
///
/// let call = Dialogue::parse("refund", "\
/// title: A refund
/// language: en
/// tracks: agent, customer
/// length: 0:08.0
/// queue: returns
///
/// 0:01.0-0:03.2 agent: Hello. How can I help?
/// 0:03.0-0:05.5 customer: I'd like a refund, please.
/// ")?;
/// assert_eq!((call.name(), call.duration_ms(), call.tracks()), ("refund", 8000, 2));
/// assert_eq!(call.note("queue"), Some("returns"));
///
/// let wrong = Dialogue::parse("a", "title: A\nlanguage: en\nmono: agent\nlength: 0:02.0\n0:01.0-0:03.0 agent: Hello.");
/// assert_eq!(wrong.unwrap_err().to_string(), "the script of a, line 5: it ends after the recording");
/// # Ok::<(), talkmeter::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Dialogue {
    name: String,
    title: String,
    pub(super) script: &'static Script,
    people: Vec<String>,
    /// Whether each person has a track.
    apart: bool,
    duration_ms: u64,
    notes: Vec<(String, String)>,
    /// In order of their start; lines of one person do not overlap.
    pub(super) sentences: Vec<Sentence>,
}

impl Dialogue {
    /// Parses a script. `name` is the file name, without extension, of the addresses that it answers for.
    ///
    /// # Errors
    /// The script is wrong; the line is named.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        read(name, text).map_err(|(line, why)| {
            let place = if line == 0 { String::new() } else { format!(", line {line}") };
            Error::invalid(format!("the script of {name}{place}: {why}"))
        })
    }

    /// Reads every `*.txt` of a folder, in the order of their names.
    ///
    /// # Errors
    /// The folder or a file cannot be read, there is no script, or one is wrong.
    pub fn folder(folder: &Path) -> Result<Vec<Self>> {
        let paths = super::super::folder::files(folder, "txt")?;
        if paths.is_empty() {
            return Err(Error::invalid(format!("{} holds no script (*.txt)", folder.display())));
        }
        let one = |path: &PathBuf| {
            let text = std::fs::read_to_string(path).map_err(|error| Error::io("read", path, error))?;
            Self::parse(&path.file_stem().unwrap_or_default().to_string_lossy(), &text)
        };
        paths.iter().map(one).collect()
    }

    /// The calls that come with the emulator, written for it; a silent one and a voicemail by one person are among them.
    ///
    /// # Errors
    /// None; they are read like any other script.
    pub fn builtin() -> Result<Vec<Self>> {
        BUILTIN.iter().map(|(name, text)| Self::parse(name, text)).collect()
    }

    /// The file name, without extension, of the addresses that it answers for.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is about, in a few words.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Length of the recording in milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        self.duration_ms
    }

    /// The people, in order of their tracks or speaker ids.
    #[must_use]
    pub fn people(&self) -> &[String] {
        &self.people
    }

    /// Tracks of the recording: one for each person, or one for all.
    #[must_use]
    pub fn tracks(&self) -> usize {
        if self.apart { self.people.len() } else { 1 }
    }

    /// A note of the script: a `name: value` that the emulator does not use.
    #[must_use]
    pub fn note(&self, name: &str) -> Option<&str> {
        self.notes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Dialogues by name.
#[derive(Debug, Default)]
pub(in crate::emulator) struct Dialogues(HashMap<String, Arc<Dialogue>>);

impl Dialogues {
    pub(in crate::emulator) fn new(all: Vec<Dialogue>) -> Self {
        Self(all.into_iter().map(|dialogue| (dialogue.name.clone(), Arc::new(dialogue))).collect())
    }

    /// The dialogue for the file name at the end of an address.
    pub(in crate::emulator) fn of(&self, url: &str) -> Option<Arc<Dialogue>> {
        let name = super::extension_and_name(url).1;
        self.0.get(name.rsplit_once('.').map_or(name, |(stem, _)| stem)).cloned()
    }
}

/// The line, 0 for the whole script, and what is wrong with it.
type Wrong = (usize, String);

fn read(name: &str, text: &str) -> std::result::Result<Dialogue, Wrong> {
    let mut head: Vec<(String, String)> = Vec::new();
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |why: &str| (number, why.to_owned());
        let (key, value) = line.split_once(": ").ok_or_else(|| wrong("it is neither `name: value` nor a line"))?;
        if key.starts_with(|c: char| c.is_ascii_digit()) {
            lines.push((number, key, value.trim()));
        } else if head.iter().any(|(known, _)| known == key) {
            return Err(wrong(&format!("`{key}` is given twice")));
        } else {
            head.push((key.to_owned(), value.trim().to_owned()));
        }
    }
    let mut take = |key: &str| head.iter().position(|(known, _)| known == key).map(|at| head.remove(at).1);
    let missing = |key: &str| (0, format!("`{key}` is missing"));
    let title = take("title").ok_or_else(|| missing("title"))?;
    let script = match take("language").ok_or_else(|| missing("language"))?.as_str() {
        "en" => &ENGLISH,
        "zh" => &CHINESE,
        other => return Err((0, format!("unknown language `{other}`: use en or zh"))),
    };
    let length = take("length").ok_or_else(|| missing("length"))?;
    let duration_ms = time(&length)
        .filter(|ms| *ms <= LONGEST_MS)
        .ok_or_else(|| (0, format!("length `{length}` is not of the form M:SS.s")))?;
    let (people, apart) = match (take("tracks"), take("mono")) {
        (Some(people), None) => (people, true),
        (None, Some(people)) => (people, false),
        _ => return Err((0, "one of `tracks` and `mono` names the people".to_owned())),
    };
    let people: Vec<String> = people.split(',').map(|person| person.trim().to_owned()).collect();
    let mut sentences = Vec::new();
    let (mut last, mut free) = (0, vec![0; people.len()]);
    for (number, key, text) in lines {
        let wrong = |why: &str| (number, why.to_owned());
        let (times, person) = key.split_once(' ').ok_or_else(|| wrong("it does not say who speaks"))?;
        let speaker = people.iter().position(|known| known == person.trim());
        let speaker = speaker.ok_or_else(|| wrong(&format!("no person is named `{person}`")))?;
        let times = times.split_once('-').and_then(|(begin, end)| time(begin).zip(time(end)));
        let (begin, end) = times.ok_or_else(|| wrong("it does not begin with M:SS.s-M:SS.s"))?;
        if end > duration_ms {
            return Err(wrong("it ends after the recording"));
        }
        if begin < last {
            return Err(wrong("it begins before the line above"));
        }
        let taken = if apart { free.get(speaker).copied() } else { free.iter().max().copied() };
        if begin < taken.unwrap_or(0) {
            return Err(wrong("it begins inside another line of its track"));
        }
        sentences.extend(
            spread(script, speaker, (begin, end), text).ok_or_else(|| wrong("there is no time for its words"))?,
        );
        last = begin;
        if let Some(free) = free.get_mut(speaker) {
            *free = end;
        }
    }
    Ok(Dialogue { name: name.to_owned(), title, script, people, apart, duration_ms, notes: head, sentences })
}

/// Parses `M:SS` and `M:SS.s`, up to milliseconds.
fn time(text: &str) -> Option<u64> {
    let (minutes, seconds) = text.trim().split_once(':')?;
    let (seconds, part) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let number = |digits: &str, most: usize| {
        let good = (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u64>().ok().filter(|_| good)
    };
    let seconds = number(seconds, 2).filter(|seconds| *seconds < 60)?;
    let ms = number(&format!("{part:0<3}"), 3)?;
    Some(number(minutes, 4)? * 60_000 + seconds * 1000 + ms)
}

/// The sentences of a line, word after word from its start to its end. Longer words take longer, and no two in a row
/// exactly the same time per character. `None` if there is no word, or less than 12 ms per character.
fn spread(script: &Script, speaker: usize, (begin, end): (u64, u64), text: &str) -> Option<Vec<Sentence>> {
    let mut words = words(text);
    let weight = |at: usize, word: &Word| (word.text.trim().chars().count() * 12 + 16 + at * 5 % 7) as u64;
    let total: u64 = words.iter().enumerate().map(|(at, word)| weight(at, word)).sum();
    let length = end.checked_sub(begin).filter(|length| *length >= total && total > 0)?;
    let mut heavy = 0;
    for (at, word) in words.iter_mut().enumerate() {
        word.begin = begin + length * heavy / total;
        heavy += weight(at, word);
        word.end = begin + length * heavy / total;
    }
    let mut sentences: Vec<Sentence> = Vec::new();
    let mut open = false;
    for mut word in words {
        let closes = word.punctuation.contains(['.', '?', '!', '。', '？', '！']);
        if closes {
            word.punctuation.push_str(script.after_sentence);
        }
        match sentences.last_mut().filter(|_| open) {
            Some(sentence) => sentence.words.push(word),
            None => {
                word.text = word.text.trim_start().to_owned();
                sentences.push(Sentence { speaker, words: vec![word] });
            }
        }
        open = !closes;
    }
    if let Some(word) = sentences.last_mut().filter(|_| open).and_then(|sentence| sentence.words.last_mut()) {
        // Cut off in the middle of a sentence.
        word.punctuation.push_str(script.after_sentence);
    }
    Some(sentences)
}

/// Words without times. A Han character is one; a space before a word is part of it, punctuation belongs to the word before.
fn words(text: &str) -> Vec<Word> {
    let han = |c: char| matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}');
    let mark = |c: char| ",.?!;:，。？！；：、…".contains(c);
    let mut words: Vec<Word> = Vec::new();
    let (mut space, mut joins) = (String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        // As in 3.5 and 1,000.
        let inside = joins && chars.peek().is_some_and(char::is_ascii_digit);
        match words.last_mut() {
            _ if c.is_whitespace() => {
                " ".clone_into(&mut space);
                joins = false;
            }
            Some(word) if mark(c) && !(inside && word.text.ends_with(|c: char| c.is_ascii_digit())) => {
                word.punctuation.push(c);
                joins = false;
            }
            // Punctuation without a word.
            None if mark(c) => {}
            Some(word) if joins && !han(c) => word.text.push(c),
            _ => {
                let text = format!("{}{c}", std::mem::take(&mut space));
                words.push(Word { begin: 0, end: 0, text, punctuation: String::new() });
                joins = !han(c);
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "title: A\nlanguage: en\ntracks: agent, customer\nlength: 0:30.0\n";

    fn said(lines: &str) -> Vec<Sentence> {
        Dialogue::parse("a", &format!("{HEAD}{lines}")).unwrap().sentences
    }

    #[test]
    fn a_line_is_filled_by_its_words() {
        let sentences = said("0:01.0-0:04.0 agent: Hello there, Ann. You're in, 是 Bo 吗");
        assert_eq!(
            sentences.iter().map(Sentence::text).collect::<Vec<_>>(),
            ["Hello there, Ann. ", "You're in, 是 Bo 吗 "]
        );
        let words: Vec<&Word> = sentences.iter().flat_map(|sentence| &sentence.words).collect();
        let texts: Vec<&str> = words.iter().map(|word| &*word.text).collect();
        assert_eq!(texts, ["Hello", " there", " Ann", "You're", " in", " 是", " Bo", " 吗"]);
        assert_eq!((words[0].begin, words[words.len() - 1].end), (1000, 4000));
        assert!(words.windows(2).all(|pair| pair[0].end == pair[1].begin && pair[0].begin < pair[0].end));
    }

    #[test]
    fn numbers_are_one_word() {
        let texts: Vec<String> = words("It's 1,000.50, or 3.5; 2. Yes").into_iter().map(|word| word.text).collect();
        assert_eq!(texts, ["It's", " 1,000.50", " or", " 3.5", " 2", " Yes"]);
    }

    #[test]
    fn a_script_that_makes_no_sense_says_where() {
        let why =
            |text: &str| Dialogue::parse("a", text).unwrap_err().to_string().split_once("a").unwrap().1.to_owned();
        let line = |lines: &str| {
            let said = Dialogue::parse("x", &format!("{HEAD}{lines}")).unwrap_err().to_string();
            said.strip_prefix("the script of x, line ").unwrap().to_owned()
        };
        assert!(why("title: A\nlanguage: fr\nmono: b\nlength: 0:01").contains("use en or zh"));
        assert!(why("language: en\nmono: b\nlength: 0:01").contains("`title` is missing"));
        assert!(why("title: A\nlanguage: en\nlength: 0:01").contains("names the people"));
        assert!(why("title: A\nlanguage: en\nmono: b\nlength: 1").contains("length `1` is not of the form M:SS.s"));
        assert_eq!(line("hello"), "5: it is neither `name: value` nor a line");
        assert_eq!(line("0:01-0:02 bob: Hi."), "5: no person is named `bob`");
        assert_eq!(line("0:01-0:61 agent: Hi."), "5: it does not begin with M:SS.s-M:SS.s");
        assert_eq!(line("0:02-0:01 agent: Hi."), "5: there is no time for its words");
        assert_eq!(line("0:01-0:02 agent: ,"), "5: there is no time for its words");
        assert_eq!(line("0:01-0:02 agent: Hi.\n0:00-0:01 agent: Hi."), "6: it begins before the line above");
        assert_eq!(line("0:01-0:03 agent: Hi.\n0:02-0:04 agent: Hi."), "6: it begins inside another line of its track");
        assert_eq!(line("title: B"), "5: `title` is given twice");
        said("0:01-0:03 agent: Hi.\n0:02-0:04 customer: Hi.");
        let mono = HEAD.replace("tracks", "mono");
        let both = Dialogue::parse("x", &format!("{mono}0:01-0:03 agent: Hi.\n0:02-0:04 customer: Hi."));
        assert!(both.unwrap_err().to_string().ends_with("it begins inside another line of its track"));
    }

    #[test]
    fn the_calls_that_come_along_can_be_read() {
        let calls = Dialogue::builtin().unwrap();
        assert_eq!(calls.iter().filter(|call| call.sentences.is_empty()).count(), 1);
        assert!(calls.iter().all(|call| call.note("queue").is_some() && call.duration_ms() < 240_000));
    }
}
