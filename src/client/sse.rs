//! Server-sent events as the service writes them: bytes → lines → events, without HTTP.
//!
//! Gateways leave out the blank line that ends an event, and the decoder then yields no event at all. An adapter before the
//! decoder adds a blank line before each line that begins with `id:`, and one at the end. The events do not depend on the
//! kind of line breaks (LF, CRLF, CR) or on how the bytes are split into chunks.
//!
//! Source: the streaming sections of the vendor's Fun-ASR-Flash and Qwen-ASR references, checked 2026-11.

use bytes::{Buf, Bytes, BytesMut};
use eventsource_stream::{EventStreamError, Eventsource as _};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use serde_json::Value;

use crate::error::{Error, Result};

/// The longest event, in bytes: a hundred times the text of five minutes with its words.
const LONGEST_EVENT: usize = 8 << 20;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The field `event`; `message` if there is none.
    pub name: String,
    /// The field `data`, line by line.
    pub data: String,
}

impl Event {
    /// The JSON values in its data: usually one, several if events ran together. The `[DONE]` of other protocols is left out.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Protocol`] if part of it is not JSON; values before that part are lost.
    pub fn values(&self) -> Result<Vec<Value>> {
        let whole = |text: &str| serde_json::Deserializer::from_str(text).into_iter().collect();
        let values: serde_json::Result<Vec<Value>> = if self.data.contains(DONE) {
            let said: Vec<&str> = self.data.lines().filter(|line| line.trim() != DONE).collect();
            whole(&said.join("\n"))
        } else {
            whole(&self.data)
        };
        values.map_err(|error| Error::protocol(format!("an event of the stream is not JSON: {error}")))
    }

    /// Whether it marks the end of the stream.
    pub(super) fn is_done(&self) -> bool {
        self.data.lines().any(|line| line.trim() == DONE)
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Ends streams of the `OpenAI` protocol; the service's own protocol has no such mark.
const DONE: &str = "[DONE]";

/// The events of a body as they arrive. An error is the last item.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?.block_on(async {
/// use bytes::Bytes;
/// use futures_util::{StreamExt, stream};
/// use talkmeter::client::sse;
///
/// // No blank lines, split inside a character: still two events.
/// let body = "id:1\ndata:{\"text\":\"你\"}\nid:2\ndata:{\"text\":\"你好\"}".as_bytes();
/// let chunks = stream::iter([Ok(Bytes::from_static(&body[..21])), Ok(Bytes::from_static(&body[21..]))]);
/// let events: Vec<_> = sse::events(chunks.boxed()).collect().await;
/// let texts: Vec<_> = events.into_iter().map(|event| event.unwrap().data).collect();
/// assert_eq!(texts, [r#"{"text":"你"}"#, r#"{"text":"你好"}"#]);
/// # });
/// # Ok::<(), String>(())
/// ```
#[must_use]
pub fn events(body: BoxStream<'static, Result<Bytes>>) -> BoxStream<'static, Result<Event>> {
    let events = lines(body).eventsource().map(|event| match event {
        Ok(event) => Ok(Event { name: event.event, data: event.data }),
        Err(EventStreamError::Transport(error)) => Err(error),
        Err(EventStreamError::Utf8(_)) => Err(Error::protocol("the stream is not UTF-8")),
        Err(EventStreamError::Parser(_)) => Err(Error::protocol("the stream has a line that is not part of an event")),
    });
    // After a gap the next event could not be told from a continuation.
    let whole = events.scan(false, |failed, event| {
        let before = *failed;
        *failed |= event.is_err();
        std::future::ready((!before).then_some(event))
    });
    whole.boxed()
}

/// The state of the adapter.
struct Lines {
    body: BoxStream<'static, Result<Bytes>>,
    /// Received, not yet passed on.
    held: BytesMut,
    /// The number of bytes at the start of `held` without a line break.
    searched: usize,
    /// Nothing was passed on yet.
    first: bool,
    /// The blank line before the line in `held` was passed on.
    parted: bool,
    /// The previous line ended with CR, so an LF that follows belongs to it.
    after_cr: bool,
    /// Bytes since the last blank line.
    length: usize,
    end: End,
}

enum End {
    Open,
    /// The body has ended; `held` is the last line.
    Last,
    /// Everything but the error was passed on.
    Broken(Error),
    Over,
}

/// Yields lines that end with LF, with blank lines before events.
fn lines(body: BoxStream<'static, Result<Bytes>>) -> BoxStream<'static, Result<Bytes>> {
    let lines = Lines {
        body,
        held: BytesMut::new(),
        searched: 0,
        first: true,
        parted: false,
        after_cr: false,
        length: 0,
        end: End::Open,
    };
    stream::unfold(lines, |mut lines| async move { lines.next().await.map(|line| (line, lines)) }).boxed()
}

impl Lines {
    async fn next(&mut self) -> Option<Result<Bytes>> {
        loop {
            if let Some(line) = self.line() {
                self.length = if line.len() == 1 { 0 } else { self.length + line.len() };
                if std::str::from_utf8(&line).is_err() {
                    // The decoder would wait for the rest of the character.
                    self.end = End::Over;
                    self.held.clear();
                    return Some(Err(Error::protocol("the stream is not UTF-8")));
                }
                return Some(Ok(line));
            }
            if self.length + self.held.len() > LONGEST_EVENT {
                self.end = End::Over;
                return Some(Err(Error::protocol(format!(
                    "an event of the stream is longer than {LONGEST_EVENT} bytes"
                ))));
            }
            match std::mem::replace(&mut self.end, End::Over) {
                End::Open => {
                    self.end = match self.body.next().await {
                        Some(Ok(chunk)) => {
                            self.held.extend_from_slice(&chunk);
                            End::Open
                        }
                        Some(Err(error)) => {
                            // A partial line is dropped; the lines before it may be an event.
                            self.held.clear();
                            self.held.extend_from_slice(b"\n");
                            self.searched = 0;
                            self.after_cr = false;
                            End::Broken(error)
                        }
                        None => {
                            // The last line and the last event may lack their line breaks.
                            self.held.extend_from_slice(b"\n\n");
                            End::Last
                        }
                    }
                }
                End::Broken(error) => return Some(Err(error)),
                End::Last | End::Over => return None,
            }
        }
    }

    /// The next complete line, or the blank line before it.
    fn line(&mut self) -> Option<Bytes> {
        if self.after_cr && !self.held.is_empty() {
            self.after_cr = false;
            if self.held.starts_with(b"\n") {
                self.held.advance(1);
                self.searched = 0;
            }
        }
        let unseen = self.held.get(self.searched..).unwrap_or_default();
        let Some(at) = unseen.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            self.searched = self.held.len();
            return None;
        };
        let mut at = self.searched + at;
        let first = std::mem::take(&mut self.first);
        // The decoder does not handle one.
        while first && self.held.starts_with(BYTE_ORDER_MARK) {
            self.held.advance(BYTE_ORDER_MARK.len());
            at -= BYTE_ORDER_MARK.len();
        }
        if self.held.starts_with(b"id:") && !std::mem::replace(&mut self.parted, true) {
            self.searched = at;
            return Some(Bytes::from_static(b"\n"));
        }
        (self.parted, self.searched) = (false, 0);
        let mut line = self.held.split_to(at + 1);
        if let Some(last) = line.last_mut().filter(|last| **last == b'\r') {
            *last = b'\n';
            self.after_cr = true;
        }
        Some(line.freeze())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What comes out of these chunks; an error as its text.
    fn decoded(chunks: Vec<Vec<u8>>) -> Vec<Result<Event, String>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let chunks = stream::iter(chunks.into_iter().map(|chunk| Ok(Bytes::from(chunk))));
        let events = runtime.block_on(events(chunks.boxed()).collect::<Vec<_>>());
        events.into_iter().map(|event| event.map_err(|error| error.to_string())).collect()
    }

    fn data(body: &str) -> Vec<String> {
        decoded(vec![body.as_bytes().to_vec()]).into_iter().map(|event| event.unwrap().data).collect()
    }

    const DOCUMENTED: &str = "id:1\nevent:result\n:HTTP_STATUS/200\ndata:{\"output\":{\"text\":\"早\"}}\n\n\
        id:2\nevent:result\n:HTTP_STATUS/200\ndata:{\"output\":{\"text\":\"早上\"}}\n\n\
        id:3\nevent:result\n:HTTP_STATUS/200\ndata:{\"output\":{\"text\":\"早上好。\"}}\n\n";

    #[test]
    fn frames_without_blank_lines_are_events_too() {
        let expected = data(DOCUMENTED);
        assert_eq!(expected.len(), 3);
        assert_eq!(data(&DOCUMENTED.replace("\n\n", "\n")), expected, "no blank line anywhere");
        assert_eq!(data(DOCUMENTED.trim_end()), expected, "nothing behind the last line");
        assert_eq!(data(&DOCUMENTED.replace('\n', "\r\n")), expected, "CRLF");
        assert_eq!(data(&DOCUMENTED.replace('\n', "\r")), expected, "CR");
        assert_eq!(data(&DOCUMENTED.replace("\n\n", "\n").replace('\n', "\r\n")), expected);
        assert_eq!(data(&format!("\u{feff}{DOCUMENTED}")), expected, "a byte order mark");
        assert_eq!(data(&DOCUMENTED.replace("id:", "id: ").replace("data:", "data: ")), expected, "spaces");
    }

    #[test]
    fn data_is_one_value_or_a_sequence_of_them() {
        let values = |data: &str| Event { data: data.to_owned(), ..Event::default() }.values();
        assert_eq!(values("{\"a\":\n1}").unwrap().len(), 1, "one value on two lines");
        assert_eq!(values("{\"a\":1}\n{\"a\":2}\n[DONE]").unwrap().len(), 2);
        assert_eq!(values("[DONE]").unwrap(), Vec::<Value>::new());
        assert_eq!(values("{\"a\":\"[DONE]\"}").unwrap().len(), 1);
        assert!(values("{\"a\":").is_err() && values("Too many requests").is_err());
    }

    #[test]
    fn a_broken_connection_yields_the_events_before_it() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let body =
            [Ok(Bytes::from_static(b"data:1\n\ndata:2\ndata:3")), Err(Error::protocol("broken")), Ok(Bytes::new())];
        let found = runtime.block_on(events(stream::iter(body).boxed()).collect::<Vec<_>>());
        let found: Vec<_> = found.iter().map(|event| event.as_ref().map_or("broken", |event| &event.data)).collect();
        assert_eq!(found, ["1", "2", "broken"]);
    }

    #[test]
    fn invalid_utf8_ends_the_stream() {
        let found = decoded(vec![b"data:1\n\ndata:\xff\n\ndata:3\n\n".to_vec()]);
        assert_eq!(found.len(), 2);
        assert!(found[1].as_ref().unwrap_err().contains("not UTF-8"));
    }

    #[test]
    fn events_do_not_depend_on_chunk_boundaries() {
        for body in [
            DOCUMENTED.to_owned(),
            DOCUMENTED.replace("\n\n", "\n"),
            DOCUMENTED.replace('\n', "\r\n"),
            DOCUMENTED.replace("\n\n", "\n").replace('\n', "\r"),
            "data: {\"choices\":[{\"delta\":{\"content\":\"嗨\"}}]}\n\ndata: [DONE]\n\n".to_owned(),
        ] {
            let bytes = body.as_bytes();
            let expected = decoded(vec![bytes.to_vec()]);
            for at in 0..=bytes.len() {
                assert_eq!(decoded(vec![bytes[..at].to_vec(), bytes[at..].to_vec()]), expected, "cut at {at}");
            }
            let singly: Vec<Vec<u8>> = bytes.iter().map(|byte| vec![*byte]).collect();
            assert_eq!(decoded(singly), expected, "byte by byte");
        }
    }

    proptest! {
        #[test]
        fn events_of_any_text_do_not_depend_on_chunk_boundaries(
            lines in proptest::collection::vec("(id:|event:|data:|:|)[a-z你{}\" :]{0,8}(\n|\r\n|\r|\n\n|)", 0..12),
            cuts in proptest::collection::vec(0_usize..200, 0..6),
        ) {
            let bytes = lines.concat().into_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|at| *at < bytes.len()).collect();
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut from = 0;
            for at in cuts {
                chunks.push(bytes[from..at].to_vec());
                from = at;
            }
            chunks.push(bytes[from..].to_vec());
            prop_assert_eq!(decoded(chunks), decoded(vec![bytes]));
        }

        #[test]
        fn any_bytes_can_be_decoded(chunks in proptest::collection::vec(proptest::collection::vec(0_u8.., 0..30), 0..8)) {
            decoded(chunks);
        }
    }
}
