//! Caption files of anybody's making → cues.
//!
//! One invariant: what is kept is bounded by the file, and whatever stands in it, the answer is cues or one line that
//! says where reading stopped.

use super::{Cue, Format};

/// Why a file is no captions: one line, with its number where there is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct NotCaptions {
    what: String,
}

fn refused<T>(what: impl Into<String>) -> Result<T, NotCaptions> {
    Err(NotCaptions { what: what.into() })
}

pub(super) fn read(format: Format, bytes: &[u8]) -> Result<Vec<Cue>, NotCaptions> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return refused(format!("not valid UTF-8 at byte {}", error.valid_up_to())),
    };
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = (1_usize..).zip(text.split('\n')).peekable();
    if format == Format::WebVtt {
        let head = lines.peek().map_or("", |line| line.1);
        if !head.strip_prefix("WEBVTT").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t'])) {
            return refused("line 1: a WebVTT file begins with WEBVTT");
        }
        while lines.next_if(|line| !line.1.is_empty()).is_some() {}
    }
    let mut cues: Vec<Cue> = Vec::new();
    loop {
        while lines.next_if(|line| line.1.trim().is_empty()).is_some() {}
        let Some((number, first)) = lines.next() else { break };
        let mut block = vec![(number, first)];
        while let Some(line) = lines.next_if(|line| !line.1.trim().is_empty()) {
            block.push(line);
        }
        read_block(format, &block, &mut cues)?;
    }
    Ok(cues)
}

/// One block of lines: an id or number, a time line, text.
fn read_block(format: Format, block: &[(usize, &str)], cues: &mut Vec<Cue>) -> Result<(), NotCaptions> {
    let Some(at) = block.iter().take(2).position(|line| line.1.contains("-->")) else {
        let first = block.first().map_or((0, ""), |line| *line);
        return match (format, cues.last_mut()) {
            // Comments, styles, regions, and what the standard says to skip.
            (Format::WebVtt, _) => Ok(()),
            // A blank line inside a text, which many tools write.
            (Format::Srt, Some(cue)) => {
                cue.lines.extend(block.iter().map(|line| bare(format, line.1).trim().to_owned()));
                Ok(())
            }
            (Format::Srt, None) => {
                refused(format!("line {}: `{}` is where a cue should begin", first.0, short(first.1)))
            }
        };
    };
    let Some(&(number, line)) = block.get(at) else { return Ok(()) };
    let Some((begin_ms, end_ms)) = times(line) else {
        let example = super::time(1000, if format == Format::Srt { ',' } else { '.' });
        let end = super::time(2500, if format == Format::Srt { ',' } else { '.' });
        return refused(format!("line {number}: `{}` is no time line such as {example} --> {end}", short(line)));
    };
    let text = block.get(at + 1..).unwrap_or(&[]);
    let voice = text.first().filter(|_| format == Format::WebVtt).and_then(|line| voice(line.1));
    let lines = text.iter().map(|line| {
        let bare = bare(format, line.1);
        if format == Format::WebVtt { unescaped(&bare) } else { bare }.trim().to_owned()
    });
    cues.push(Cue { begin_ms, end_ms, voice, lines: lines.collect() });
    Ok(())
}

/// The beginning of a line, for a message.
fn short(line: &str) -> String {
    let line: String = line.trim().chars().take(60).collect();
    line
}

/// Both times of a time line; settings behind them are skipped.
fn times(line: &str) -> Option<(i64, i64)> {
    let (begin, rest) = line.split_once("-->")?;
    Some((ms(begin.trim())?, ms(rest.split_whitespace().next()?)?))
}

/// `01:02:03,004`, `02:03.004`; hours may have any number of digits, the fraction one to three.
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

/// Without tags: `<…>` that begins like one, and in SRT `{\…}`.
fn bare(format: Format, line: &str) -> String {
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

/// The escapes of WebVTT that stand for text.
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
        let cues = read(format, text.as_bytes()).unwrap();
        assert_eq!(cues.len(), 1, "{cues:?}");
        cues.into_iter().next().unwrap()
    }

    fn why(format: Format, bytes: &[u8]) -> String {
        read(format, bytes).unwrap_err().to_string()
    }

    #[test]
    fn what_tools_write_is_read() {
        let cue = only(Format::Srt, "\u{FEFF}1\r\n0:00:01.5 --> 00:00:03,250 X1:10\r\n<i>{\\an8}Hi</i> 5 < 6\r\n\r\n");
        assert_eq!((cue.begin_ms, cue.end_ms, &cue.lines[..]), (1500, 3250, &["Hi 5 < 6".to_owned()][..]));
        // No number; a blank line inside the text.
        let cue = only(Format::Srt, "00:00:01,000 --> 00:00:02,000\none\n\ntwo\n");
        assert_eq!(cue.lines, ["one", "two"]);
        let vtt = "WEBVTT\nKind: captions\n\nNOTE x\ny\n\nSTYLE\n::cue {}\n\nid\n100:00:01.000 --> 100:00:02.000\n<v.loud Ann B>a &amp;lt; b</v>\n";
        let cue = only(Format::WebVtt, vtt);
        assert_eq!((cue.begin_ms, cue.voice.as_deref()), (360_001_000, Some("Ann B")));
        assert_eq!(cue.lines, ["a &lt; b"]);
        assert_eq!(only(Format::WebVtt, "WEBVTT\n\n00:01.000 --> 00:02.000").lines, Vec::<String>::new());
        assert_eq!(read(Format::Srt, b""), Ok(Vec::new()));
        assert_eq!(read(Format::WebVtt, b"WEBVTT"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_caption_file_is_refused_in_one_line() {
        assert_eq!(why(Format::WebVtt, b""), "line 1: a WebVTT file begins with WEBVTT");
        assert_eq!(why(Format::WebVtt, b"WEBVTTX\n"), "line 1: a WebVTT file begins with WEBVTT");
        assert_eq!(why(Format::Srt, b"1\n\xFF"), "not valid UTF-8 at byte 2");
        assert_eq!(why(Format::Srt, b"\n<html>"), "line 2: `<html>` is where a cue should begin");
        for line in
            ["00:00:61,000 --> 00:01:02,000", "1 --> 2", "00:00:01,0000 --> 00:00:02,000", "a:00:01,000 --> b", "-->"]
        {
            assert!(why(Format::Srt, line.as_bytes()).starts_with("line 1: `"), "{line}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "(WEBVTT\n\n)?([0-9:,.]{0,12}( --> )?|<v|[<>{}&;\\\\\n]|\\PC){0,40}") {
            for format in Format::ALL {
                let _ = read(format, &bytes);
                let _ = read(format, text.as_bytes());
            }
        }
    }
}
