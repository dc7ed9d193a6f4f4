//! Caption files → cues.
//!
//! WebVTT is read by its standard: an empty line ends a cue (a line of white space does not), and so does a line with an
//! arrow. SubRip has no standard: blank lines inside a text are tolerated, and a time line begins a cue wherever it is.
//! What is not text is never taken for it: a time line that cannot be read is refused with its line number.

use std::borrow::Cow;

use super::{Cue, Format};
use crate::sheet::{self, text::Encoding};

/// Why a file is not a caption file: one line, with the line number if there is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    message: String,
    encoding: Option<&'static str>,
}

impl ParseError {
    /// The encoding of the file, if converting it to UTF-8 would help.
    #[must_use]
    pub fn encoding(&self) -> Option<&str> {
        self.encoding
    }
}

impl From<ParseError> for crate::Error {
    fn from(error: ParseError) -> Self {
        Self::invalid(error.message)
    }
}

fn refuse<T>(message: impl Into<String>) -> Result<T, ParseError> {
    Err(ParseError { message: message.into(), encoding: None })
}

/// At most this many broken lines are named.
const NAMED_LINES: usize = 5;

/// The text of a file. SRT may have any encoding; WebVTT is UTF-8 by its standard.
pub(super) fn decode(format: Format, bytes: &[u8]) -> Result<Cow<'_, str>, ParseError> {
    let (text, encoding) = sheet::decode(bytes);
    let name = match encoding {
        Encoding::Utf8 => None,
        Encoding::Marked(encoding) => Some(encoding.name()),
        Encoding::Detected(_) => encoding.detected(),
    };
    if text.contains('\0') {
        return refuse("this is not a text file");
    }
    match name {
        Some(name) if format == Format::WebVtt => {
            let message = format!("this is {name}, WebVTT must be UTF-8");
            Err(ParseError { message, encoding: Some(name) })
        }
        _ => Ok(text),
    }
}

/// The encoding of a file, if it had to be guessed.
pub(super) fn guessed_encoding(bytes: &[u8]) -> Option<&'static str> {
    sheet::decode(bytes).1.detected()
}

pub(super) fn detect(bytes: &[u8]) -> Option<Format> {
    let text = sheet::decode(bytes).0;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    if text.starts_with("WEBVTT") {
        return Some(Format::WebVtt);
    }
    let mut head = text.lines().map(str::trim).filter(|line| !line.is_empty());
    head.by_ref().take(2).any(|line| times(line).is_some()).then_some(Format::Srt)
}

pub(super) fn parse(format: Format, text: &str) -> Result<Vec<Cue>, ParseError> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = text.split('\n').collect();
    if format == Format::WebVtt && !is_signature(lines.first().copied().unwrap_or_default()) {
        return refuse("line 1: a WebVTT file begins with WEBVTT");
    }
    let broken = broken_lines(format, &lines);
    if !broken.is_empty() {
        return refuse(describe_broken(format, &lines, &broken));
    }
    match format {
        Format::WebVtt => Ok(webvtt(&lines)),
        Format::Srt => srt(&lines),
    }
}

fn is_signature(line: &str) -> bool {
    line.strip_prefix("WEBVTT").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

fn webvtt(lines: &[&str]) -> Vec<Cue> {
    let mut cues: Vec<Cue> = Vec::new();
    // Text outside of a cue: the header, an identifier, a comment, a style sheet or a region.
    let mut in_cue = false;
    for line in lines.iter().skip(1) {
        if let Some((begin_ms, end_ms)) = times(line) {
            cues.push(Cue { begin_ms, end_ms, voice: None, lines: Vec::new() });
            in_cue = true;
        } else if line.is_empty() {
            in_cue = false;
        } else if let (true, Some(cue)) = (in_cue, cues.last_mut()) {
            if cue.lines.is_empty() {
                cue.voice = voice(line);
            }
            cue.lines.push(unescaped(&without_tags(Format::WebVtt, line)).trim().to_owned());
        }
    }
    cues
}

fn srt(lines: &[&str]) -> Result<Vec<Cue>, ParseError> {
    let mut cues: Vec<Cue> = Vec::new();
    let line_at = |at: usize| lines.get(at).map_or("", |line| line.trim());
    // The number of the cue before.
    let mut last: Option<u64> = None;
    for (at, line) in lines.iter().enumerate() {
        let next_is_time = || times(line_at(at + 1)).is_some();
        let before = at.checked_sub(1).map_or("", line_at);
        if let Some((begin_ms, end_ms)) = times(line) {
            last = before.parse().ok();
            cues.push(Cue { begin_ms, end_ms, voice: None, lines: Vec::new() });
        } else if is_next_number(last, line, before) && !next_is_time() {
            if !line_at(at + 1).is_empty() {
                return refuse(format!("line {}: cue {} has no time line", at + 1, line.trim()));
            }
            // A cue without times or text: nothing is lost.
            last = line.trim().parse().ok();
        } else if line.trim().is_empty() || (is_number(line) && next_is_time()) {
            // Between two cues, or a blank line inside a text, which many tools write.
        } else if let Some(cue) = cues.last_mut() {
            cue.lines.push(without_tags(Format::Srt, line).trim().to_owned());
        } else if is_number(line) && lines.get(at + 1).is_some_and(|next| next.contains("-->")) {
            return refuse(describe_broken(Format::Srt, lines, &[at + 1]));
        } else {
            return refuse(format!("line {}: expected a cue, found `{}`", at + 1, short(line)));
        }
    }
    Ok(cues)
}

/// Whether a line heads a block with the number that follows on the last one.
fn is_next_number(last: Option<u64>, line: &str, before: &str) -> bool {
    let number = Some(line.trim()).filter(|line| is_number(line)).and_then(|line| line.parse().ok());
    before.is_empty() && number.is_some() && number == last.and_then(|last| last.checked_add(1))
}

fn is_number(line: &str) -> bool {
    let number = line.trim();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Indices of the lines that must be time lines but cannot be read as such.
///
/// In WebVTT that is any line with an arrow; in SRT, where a text may have one, only at the head of a block. In both it is
/// one of two times joined by something like an arrow (`->`, or one that was escaped) where no text can be.
fn broken_lines(format: Format, lines: &[&str]) -> Vec<usize> {
    let mut broken = Vec::new();
    let (mut begins_block, mut in_comment) = (true, false);
    for (at, line) in lines.iter().enumerate() {
        if begins_block {
            in_comment = format == Format::WebVtt && is_comment(line);
        }
        begins_block = line.is_empty();
        if in_comment || times(line).is_some() {
            continue;
        }
        let is_broken = match format {
            Format::WebVtt => line.contains("-->") || (heads_block(lines, at) && joins_times(line)),
            Format::Srt => joins_times(line) || (line.contains("-->") && heads_block(lines, at)),
        };
        if is_broken {
            broken.push(at);
        }
    }
    broken
}

/// Whether a line begins a WebVTT comment.
fn is_comment(line: &str) -> bool {
    line.strip_prefix("NOTE").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// Whether a line is where a block has its time line: the first, or the second after a number or an identifier.
fn heads_block(lines: &[&str], at: usize) -> bool {
    let line = |back: usize| at.checked_sub(back).and_then(|at| lines.get(at)).map_or("", |line| line.trim());
    line(1).is_empty() || (line(2).is_empty() && times(line(1)).is_none())
}

/// Whether a line is two times with milliseconds, joined by something like an arrow.
fn joins_times(line: &str) -> bool {
    let is_time = |c: char| c.is_ascii_digit() || matches!(c, ':' | ',' | '.');
    let is_stamp =
        |text: &str| text.contains(':') && text.contains([',', '.']) && text.starts_with(|c: char| c.is_ascii_digit());
    let line = line.trim();
    let rest = line.trim_start_matches(is_time);
    let begin = line.get(..line.len() - rest.len()).unwrap_or_default();
    let end = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
    let between = rest.get(..rest.len() - end.len()).unwrap_or_default().trim();
    let end = end.split_whitespace().next().unwrap_or_default();
    is_stamp(begin)
        && is_stamp(end)
        && end.chars().all(is_time)
        && (between.ends_with(['>', '→']) || between.ends_with("&gt;"))
        && between.trim_end_matches("&gt;").chars().all(|c| matches!(c, '-' | '=' | '>' | ' ' | '–' | '—' | '→'))
}

fn describe_broken(format: Format, lines: &[&str], broken: &[usize]) -> String {
    let first = broken.first().copied().unwrap_or_default();
    let decimal = if format == Format::Srt { ',' } else { '.' };
    let (begin, end) = (super::time(1000, decimal), super::time(2500, decimal));
    let line = short(lines.get(first).copied().unwrap_or_default());
    let mut message = format!("line {}: `{line}` is not a time line such as {begin} --> {end}", first + 1);
    let others: Vec<String> = broken.iter().skip(1).take(NAMED_LINES - 1).map(|at| (at + 1).to_string()).collect();
    match broken.len() {
        0 | 1 => {}
        2 => message += &format!("; nor is line {}", others.concat()),
        count if count > NAMED_LINES => {
            message += &format!("; nor are lines {} and {} more", others.join(", "), count - NAMED_LINES);
        }
        _ => message += &format!("; nor are lines {}", others.join(", ")),
    }
    message
}

/// The beginning of a line, for a message.
fn short(line: &str) -> String {
    line.trim().chars().take(60).collect()
}

/// Begin and end of a time line; cue settings after them are skipped.
fn times(line: &str) -> Option<(i64, i64)> {
    let (begin, rest) = line.split_once("-->")?;
    Some((ms(begin.trim())?, ms(rest.split_whitespace().next()?)?))
}

/// `01:02:03,004`, `02:03.004`; any number of hour digits, one to three digits of fraction.
fn ms(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once([',', '.'])?;
    let digits = |text: &str| {
        (!text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<i64>().ok())
            .flatten()
    };
    let fraction = match fraction.len() {
        1 => digits(fraction)? * 100,
        2 => digits(fraction)? * 10,
        3 => digits(fraction)?,
        _ => return None,
    };
    let mut parts = whole.rsplit(':').map(digits);
    let seconds = parts.next()??;
    let minutes = parts.next()??;
    let hours = parts.next().unwrap_or(Some(0))?;
    if parts.next().is_some() || seconds > 59 || minutes > 59 {
        return None;
    }
    Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction)
}

/// The name in `<v Name>` or `<v.loud Name>`.
fn voice(line: &str) -> Option<String> {
    let tag = line.trim_start().strip_prefix("<v")?;
    let tag = tag.get(..tag.find('>')?)?;
    let name = tag.get(tag.find([' ', '\t'])?..)?;
    Some(unescaped(name.trim())).filter(|name| !name.is_empty())
}

/// The text without tags: `<…>` that looks like one, and in SRT `{\…}`.
fn without_tags(format: Format, line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['<', '{']) {
        let (before, tag) = rest.split_at(at);
        text += before;
        let mut inside = tag.chars().skip(1);
        let next = inside.next().unwrap_or(' ');
        let close = match tag.starts_with('{') {
            true if next == '\\' && format == Format::Srt => tag.find('}'),
            false if next.is_ascii_alphanumeric() || next == '/' => tag.find('>'),
            _ => None,
        };
        let end = close.map_or(1, |close| close + 1);
        if close.is_none() {
            text += tag.get(..1).unwrap_or_default();
        }
        rest = tag.get(end..).unwrap_or_default();
    }
    text + rest
}

/// WebVTT escapes replaced by the characters they stand for.
fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    // The ampersand last, or `&amp;lt;` would become `<`.
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", "\u{A0}"), ("&lrm;", "\u{200E}"), ("&rlm;", "\u{200F}")];
    named.iter().fold(text.to_owned(), |text, (escape, c)| text.replace(escape, c)).replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn only(format: Format, text: &str) -> Cue {
        let cues = parse(format, text).unwrap();
        assert_eq!(cues.len(), 1, "{cues:?}");
        cues.into_iter().next().unwrap()
    }

    fn why(format: Format, text: &str) -> String {
        parse(format, text).unwrap_err().to_string()
    }

    #[test]
    fn what_tools_write_is_read() {
        let cue = only(Format::Srt, "\u{FEFF}1\r\n0:00:01.5 --> 00:00:03,250 X1:10\r\n<i>{\\an8}Hi</i> 5 < 6\r\n\r\n");
        assert_eq!((cue.begin_ms, cue.end_ms, &cue.lines[..]), (1500, 3250, &["Hi 5 < 6".to_owned()][..]));
        // No number; a blank line inside the text.
        let cue = only(Format::Srt, "00:00:01,000 --> 00:00:02,000\none\n\ntwo\n");
        assert_eq!(cue.lines, ["one", "two"]);
        let vtt = "WEBVTT\nKind: captions\n\nNOTE x --> y\nz --> a\n\nSTYLE\n::cue {}\n\nid\n100:00:01.000 --> 100:00:02.000\n<v.loud Ann B>a &amp;lt; b</v>\n";
        let cue = only(Format::WebVtt, vtt);
        assert_eq!((cue.begin_ms, cue.voice.as_deref()), (360_001_000, Some("Ann B")));
        assert_eq!(cue.lines, ["a &lt; b"]);
        assert_eq!(only(Format::WebVtt, "WEBVTT\n\n00:01.000 --> 00:02.000").lines, Vec::<String>::new());
        assert_eq!(parse(Format::Srt, ""), Ok(Vec::new()));
        assert_eq!(parse(Format::WebVtt, "WEBVTT"), Ok(Vec::new()));
    }

    #[test]
    fn an_arrow_in_a_text_is_text() {
        let cue = only(Format::Srt, "1\n00:00:01,000 --> 00:00:02,000\nline\nA --> B, 9:00 - 17:00\n9:00 - 17:00\n");
        assert_eq!(cue.lines, ["line", "A --> B, 9:00 - 17:00", "9:00 - 17:00"]);
    }

    #[test]
    fn a_number_belongs_to_the_text_unless_a_time_line_follows() {
        let cues =
            parse(Format::Srt, "1\n00:00:01,000 --> 00:00:02,000\nIn\n1985\n2\n00:00:03,000 --> 00:00:04,000\n1986\n");
        let lines: Vec<Vec<String>> = cues.unwrap().into_iter().map(|cue| cue.lines).collect();
        assert_eq!(lines, [vec!["In".to_owned(), "1985".to_owned()], vec!["1986".to_owned()]]);
    }

    #[test]
    fn a_cue_number_without_a_time_line_is_no_text() {
        let two = "1\n00:00:01,000 --> 00:00:02,000\nHello\n\n2\n";
        for empty in ["", "\n", "\n3\n", "\n3\n00:00:03,000 --> 00:00:04,000\nBye\n"] {
            let cues = parse(Format::Srt, &format!("{two}{empty}")).unwrap();
            assert_eq!(cues[0].lines, ["Hello"], "{empty:?}");
        }
        assert_eq!(why(Format::Srt, &format!("{two}It left on Monday.\n")), "line 5: cue 2 has no time line");
        // Another number is a text, and so is one inside a text.
        for text in ["Hello\n\n1985\n", "Hello\n2\n"] {
            let cue = only(Format::Srt, &format!("1\n00:00:01,000 --> 00:00:02,000\n{text}"));
            assert_eq!(cue.lines.len(), 2, "{text}");
        }
    }

    #[test]
    fn what_is_no_caption_file_is_refused_in_one_line() {
        assert_eq!(why(Format::WebVtt, ""), "line 1: a WebVTT file begins with WEBVTT");
        assert_eq!(why(Format::WebVtt, "WEBVTTX\n"), "line 1: a WebVTT file begins with WEBVTT");
        assert_eq!(why(Format::Srt, "\n<html>"), "line 2: expected a cue, found `<html>`");
        for line in
            ["00:00:61,000 --> 00:01:02,000", "1 --> 2", "00:00:01,0000 --> 00:00:02,000", "a:00:01,000 --> b", "-->"]
        {
            assert!(why(Format::Srt, line).starts_with("line 1: `"), "{line}");
            assert!(why(Format::Srt, &format!("1\n{line}")).starts_with("line 2: `"), "{line}");
        }
        for arrow in ["->", "--&gt;", "—>", "==>", "- ->", "→", "-&gt;"] {
            let file = format!("1\n00:00:01,000 --> 00:00:02,000\nx\n2\n00:00:03,000 {arrow} 00:00:04,000\ny\n");
            assert!(why(Format::Srt, &file).starts_with("line 5: `00:00:03,000 "), "{arrow}");
        }
        let many = "00:00:01,000 -> 00:00:02,000\n".repeat(7);
        assert!(
            why(Format::Srt, &many).ends_with("; nor are lines 2, 3, 4, 5 and 2 more"),
            "{}",
            why(Format::Srt, &many)
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "(WEBVTT\n\n)?([0-9:,.]{0,12}( --?> )?|<v|[<>{}&;\\\\\n]|\\PC){0,40}") {
            for format in Format::ALL {
                let _ = format.read(&bytes);
                let _ = parse(format, &text);
            }
        }
    }
}
