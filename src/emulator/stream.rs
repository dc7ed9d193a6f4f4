//! Event streams in the service's layout, and what a scenario does to them.
//!
//! DashScope frames have four lines and no space after the colons; the status is a comment; nothing marks the end.
//! Compatible mode has only `data: ` lines and ends with `[DONE]`. A blank line follows each frame, unless a scenario omits
//! it as some gateways do.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::answer::{Dialect, Refusal};

/// Events of one answer, in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Events {
    pub(super) dialect: Dialect,
    pub(super) data: Vec<Value>,
    /// Real time between two frames.
    pub(super) pause: Duration,
}

/// The layout of a stream by a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) crlf: bool,
    pub(super) no_blank_lines: bool,
    /// Number of values in one frame, each on a `data:` line of its own.
    pub(super) values_per_frame: usize,
    /// Size in bytes of the pieces in which the body is sent, wherever they split it.
    pub(super) chunk_bytes: Option<usize>,
    pub(super) pause: Option<Duration>,
    pub(super) end: End,
}

/// How a stream ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    Whole,
    /// After this many frames, at most all but the last; half of the next one follows if `mid_frame`. The connection is closed
    /// in order unless `abrupt`.
    Cut {
        frames: usize,
        mid_frame: bool,
        abrupt: bool,
    },
    /// After this many frames, at most all but the last, an error under HTTP 200.
    Error {
        frames: usize,
        event: Event,
        refusal: Refusal,
    },
}

/// The event name of an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Event {
    #[default]
    Error,
    Result,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            crlf: false,
            no_blank_lines: false,
            values_per_frame: 1,
            chunk_bytes: None,
            pause: None,
            end: End::Whole,
        }
    }
}

/// A stream being sent.
#[derive(Debug)]
pub(super) struct Written {
    /// A part that is sent at once, and whether a frame ends in it.
    pub(super) parts: Vec<(Bytes, bool)>,
    pub(super) pause: Duration,
    /// The connection breaks after the last part.
    pub(super) broken: bool,
}

impl Events {
    /// Writes the frames.
    pub(super) fn written(&self, shape: &Shape, request_id: &str) -> Written {
        let mut frames: Vec<Vec<String>> = self
            .data
            .chunks(shape.values_per_frame.max(1))
            .enumerate()
            .map(|(at, values)| {
                let lines = values.iter().map(|value| self.data_line(&value.to_string()));
                self.head(at, "result", 200).into_iter().chain(lines).collect()
            })
            .collect();
        if self.dialect == Dialect::Compatible {
            frames.push(vec![self.data_line("[DONE]")]);
        }
        let but_last = frames.len().saturating_sub(1);
        let mut half = None;
        let mut broken = false;
        match &shape.end {
            End::Whole => {}
            End::Cut { frames: kept, mid_frame, abrupt } => {
                let rest = frames.split_off(but_last.min(*kept));
                half = rest.into_iter().next().filter(|_| *mid_frame);
                broken = *abrupt;
            }
            End::Error { frames: kept, event, refusal } => {
                frames.truncate(but_last.min(*kept));
                let (name, status) = match event {
                    Event::Error => ("error", refusal.status.as_u16()),
                    Event::Result => ("result", 200),
                };
                let line = self.data_line(&self.dialect.error(refusal, request_id).to_string());
                frames.push(self.head(frames.len(), name, status).into_iter().chain([line]).collect());
            }
        }
        let mut texts: Vec<Vec<u8>> = frames.iter().map(|lines| shape.frame(lines)).collect();
        if let Some(lines) = half {
            let mut bytes = shape.frame(&lines);
            bytes.truncate(bytes.len() / 2);
            texts.push(bytes);
        }
        Written { parts: shape.parts(texts), pause: shape.pause.unwrap_or(self.pause), broken }
    }

    fn head(&self, at: usize, event: &str, status: u16) -> Vec<String> {
        match self.dialect {
            Dialect::DashScope => {
                vec![format!("id:{}", at + 1), format!("event:{event}"), format!(":HTTP_STATUS/{status}")]
            }
            Dialect::Compatible => Vec::new(),
        }
    }

    fn data_line(&self, data: &str) -> String {
        match self.dialect {
            Dialect::DashScope => format!("data:{data}"),
            Dialect::Compatible => format!("data: {data}"),
        }
    }
}

impl Shape {
    fn frame(&self, lines: &[String]) -> Vec<u8> {
        let end = if self.crlf { "\r\n" } else { "\n" };
        let mut text = String::new();
        for line in lines {
            text.push_str(line);
            text.push_str(end);
        }
        if !self.no_blank_lines {
            text.push_str(end);
        }
        text.into_bytes()
    }

    fn parts(&self, frames: Vec<Vec<u8>>) -> Vec<(Bytes, bool)> {
        let Some(size) = self.chunk_bytes else {
            return frames.into_iter().map(|frame| (Bytes::from(frame), true)).collect();
        };
        let ends: Vec<usize> = frames
            .iter()
            .scan(0, |at, frame| {
                *at += frame.len();
                Some(*at)
            })
            .collect();
        let body = Bytes::from(frames.concat());
        let ends_in = |from: usize, to: usize| {
            let passed = |at: usize| ends.partition_point(|end| *end <= at);
            passed(to) > passed(from)
        };
        let starts = (0..body.len()).step_by(size.max(1));
        starts
            .map(|from| {
                let to = body.len().min(from + size.max(1));
                (body.slice(from..to), ends_in(from, to))
            })
            .collect()
    }
}

/// An error as the only frame of a body.
pub(super) fn alone(dialect: Dialect, refusal: &Refusal, request_id: &str) -> String {
    let events = Events { dialect, data: Vec::new(), pause: Duration::ZERO };
    let end = End::Error { frames: 0, event: Event::Error, refusal: refusal.clone() };
    let written = events.written(&Shape { end, ..Shape::default() }, request_id);
    written.parts.iter().map(|(bytes, _)| String::from_utf8_lossy(bytes)).collect()
}

/// An error in the service's own shape.
pub(super) fn own_error(refusal: &Refusal, request_id: &str) -> Value {
    json!({"code": refusal.code, "message": refusal.message, "request_id": request_id})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Events {
        let data = vec![json!({"text": "é"}), json!({"text": "é好"}), json!({"text": "é好."})];
        Events { dialect: Dialect::DashScope, data, pause: Duration::ZERO }
    }

    fn body(shape: &Shape) -> Vec<u8> {
        three().written(shape, "r").parts.iter().flat_map(|(bytes, _)| bytes.to_vec()).collect()
    }

    fn text(shape: &Shape) -> String {
        String::from_utf8(body(shape)).unwrap()
    }

    const FIRST: &str = "id:1\nevent:result\n:HTTP_STATUS/200\ndata:{\"text\":\"é\"}\n\n";

    #[test]
    fn frames_are_as_documented_and_nothing_marks_the_end() {
        let whole = text(&Shape::default());
        assert!(whole.starts_with(FIRST));
        assert!(whole.ends_with("id:3\nevent:result\n:HTTP_STATUS/200\ndata:{\"text\":\"é好.\"}\n\n"));
        let compatible = Events { dialect: Dialect::Compatible, ..three() }.written(&Shape::default(), "r");
        assert_eq!(compatible.parts.first().unwrap().0, "data: {\"text\":\"é\"}\n\n");
        assert_eq!(compatible.parts.last().unwrap().0, "data: [DONE]\n\n");
    }

    #[test]
    fn shapes_combine_and_leave_the_words_alone() {
        let shape = Shape { crlf: true, no_blank_lines: true, values_per_frame: 2, ..Shape::default() };
        let text = text(&shape);
        assert_eq!(text.matches("\r\n").count(), 4 + 1 + 4);
        assert!(!text.contains("\n\r\n") && !text.contains("\n\n"));
        assert!(text.contains("data:{\"text\":\"é\"}\r\ndata:{\"text\":\"é好\"}\r\nid:2\r\n"));
    }

    #[test]
    fn pieces_split_anything_and_each_frame_ends_once() {
        let whole = body(&Shape::default());
        for size in 1..whole.len() + 2 {
            let shape = Shape { chunk_bytes: Some(size), ..Shape::default() };
            let parts = three().written(&shape, "r").parts;
            assert!(parts.iter().rev().skip(1).all(|(bytes, _)| bytes.len() == size));
            assert_eq!(parts.iter().flat_map(|(bytes, _)| bytes.to_vec()).collect::<Vec<u8>>(), whole);
            assert!(parts.last().unwrap().1);
            assert_eq!(parts.iter().filter(|(_, ends)| *ends).count(), 3.min(parts.len()));
        }
    }

    #[test]
    fn a_cut_stream_never_has_its_last_frame() {
        let cut = |frames, mid_frame| Shape { end: End::Cut { frames, mid_frame, abrupt: false }, ..Shape::default() };
        assert_eq!(text(&cut(1, false)), FIRST);
        assert_eq!(text(&cut(0, false)), "");
        let most = text(&cut(9, false));
        assert!(most.contains("id:2") && !most.contains("id:3"));
        let half = body(&cut(1, true));
        assert!(half.len() > FIRST.len() && !half.ends_with(b"\n\n"));
        let end = End::Cut { frames: 1, mid_frame: false, abrupt: true };
        assert!(three().written(&Shape { end, ..Shape::default() }, "r").broken);
    }

    #[test]
    fn an_error_comes_under_either_name() {
        let refusal = Refusal::rate();
        let error = |event| {
            let end = End::Error { frames: 1, event, refusal: refusal.clone() };
            text(&Shape { end, ..Shape::default() })
        };
        let data = "data:{\"code\":\"Throttling.RateQuota\",\"message\":\"Requests rate limit exceeded, please try again \
                    later.\",\"request_id\":\"r\"}\n\n";
        assert_eq!(error(Event::Error), format!("{FIRST}id:2\nevent:error\n:HTTP_STATUS/429\n{data}"));
        assert_eq!(error(Event::Result), format!("{FIRST}id:2\nevent:result\n:HTTP_STATUS/200\n{data}"));
    }
}
