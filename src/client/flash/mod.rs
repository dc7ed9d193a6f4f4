//! Synchronous recognition of short clips, with complete or streamed answers.
//!
//! | call | wire |
//! | --- | --- |
//! | [`FlashCalls::recognize`] | `POST /services/aigc/multimodal-generation/generation` |
//! | [`FlashCalls::stream`] | the same with `X-DashScope-SSE: enable` |
//! | both, Qwen3 in compatible mode and Qwen-Omni | `POST /compatible-mode/v1/chat/completions` of the same host |
//!
//! A call costs money and has no idempotency key, so it is retried only if it was certainly refused. A stream that has begun
//! is never retried.

mod answer;
mod clip;
mod conversation;
mod reading;
mod request;
mod stream;

pub use answer::{FlashAnswer, FlashUsage};
pub use clip::Clip;
pub use conversation::Conversation;
pub use request::Flash;
pub use stream::{FlashEvent, FlashStream};

use serde_json::json;

use super::Client;
use super::pacing::Class;
use super::retry::RetrySafety;
use super::tasks::is_silence;
use super::transport::{Body, Call, Opened};
use crate::error::{Error, Result};

/// Synchronous calls for short clips.
///
/// ```no_run
/// # async fn run(client: talkmeter::client::Client) -> talkmeter::Result<()> {
/// use talkmeter::client::{Clip, Flash, FlashEvent, Recognition};
///
/// let clip = Clip::url("https://example.org/clip.wav").sample_rate_hz(16_000);
/// let flash = Flash::new(Recognition::new("fun-asr-flash-2026-06-15").language("en"), clip);
/// let mut stream = client.flash().stream(&flash).await?;
/// while let Some(event) = stream.next().await {
///     match event? {
///         FlashEvent::Text(text) => println!("so far: {text}"),
///         FlashEvent::Done(answer) => println!("{} ({:?})", answer.text, answer.usage),
///         _ => {}
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct FlashCalls<'c> {
    pub(super) client: &'c Client,
}

impl FlashCalls<'_> {
    /// The complete answer. If there is no speech, it is empty with a warning. Models that only stream are supported, too.
    ///
    /// `POST /services/aigc/multimodal-generation/generation`
    ///
    /// # Errors
    /// The service refused, or did not answer, in which case the call may still be billed.
    pub async fn recognize(self, flash: &Flash) -> Result<FlashAnswer> {
        if flash.always_streams() {
            return self.stream(flash).await?.answer().await;
        }
        match self.client.transport().send_longer(call(flash, &flash.headers(false), false), flash.longer()).await {
            Ok(answer) => Ok(stream::read(answer)),
            Err(error) => silent(error),
        }
    }

    /// The answer as it arrives. It may be a single event: some models stream only audio of a minute or more.
    ///
    /// `POST /services/aigc/multimodal-generation/generation` with `X-DashScope-SSE: enable`
    ///
    /// # Errors
    /// As [`Self::recognize`], before the first event; later errors are in the stream.
    pub async fn stream(self, flash: &Flash) -> Result<FlashStream> {
        match self.client.transport().open(call(flash, &flash.headers(true), true), flash.longer()).await {
            Ok(Opened::Events(attempt, body)) => Ok(FlashStream::events(attempt, body, flash.incremental())),
            Ok(Opened::Whole(answer)) => Ok(FlashStream::whole(stream::read(answer))),
            Err(error) => silent(error).map(FlashStream::whole),
        }
    }
}

fn call<'a>(flash: &Flash, headers: &'a [(&'static str, &'static str)], streamed: bool) -> Call<'a> {
    let model = flash.recognition().model();
    Call {
        doing: format!("recognise a clip with {model}"),
        target: flash.target(),
        body: Body::Json(flash.body(streamed)),
        headers,
        class: Class::Submit(model.to_owned()),
        repeat: RetrySafety::IfRefused,
    }
}

/// Turns the error that reports silence into an empty answer.
fn silent(error: Error) -> Result<FlashAnswer> {
    let Some(api) = error.api().filter(|api| is_silence(&api.code) || is_silence(&api.message)) else {
        return Err(error);
    };
    let mut answer = FlashAnswer::new(String::new());
    answer.request_id = api.request_id.clone();
    answer.raw = json!({"code": api.code, "message": api.message, "request_id": api.request_id}).to_string();
    Ok(answer)
}

#[cfg(test)]
mod tests {
    // Answers and streams as documented and as observed.

    use bytes::Bytes;
    use futures_util::StreamExt as _;
    use serde_json::{Value, json};
    use tokio::time::Instant;

    use super::reading::AnswerBuilder;
    use super::*;
    use crate::client::attempt::Attempt;
    use crate::client::key::ApiKey;

    fn read(value: Value) -> FlashAnswer {
        let mut builder = AnswerBuilder::default();
        builder.take(value);
        builder.answer()
    }

    fn sentence() -> Value {
        json!({"sentence_id": 9, "sentence_end": true, "channel_id": 0, "begin_time": 760, "end_time": 3800, "speaker_id": null,
            "text": "Hello World.", "words": [
                {"begin_time": 760, "end_time": 1040, "text": "Hello", "punctuation": "", "fixed": true},
                {"begin_time": 1040, "end_time": 1240, "text": " World", "punctuation": ".", "fixed": true}]})
    }

    #[test]
    fn one_answer_comes_out_of_every_envelope() {
        let (usage, id) = (json!({"duration": 4}), "40e0734d");
        let part = json!({"text": "Hello World.", "sentence": sentence()});
        let mut shared = json!({"output": part, "usage": usage, "request_id": id});
        shared["output"]["usage"] = usage.clone();
        shared["output"]["output"] = part.clone();
        let mut workspace = part.clone();
        workspace["output"] = part.clone();
        workspace["usage"] = usage.clone();
        workspace["request_id"] = id.into();
        workspace["sentences"] = Value::Null;
        let documented = json!({"output": part, "usage": usage, "request_id": id});
        let nested = json!({"output": {"output": {"sentence": sentence()}, "text": "Hello World."}, "request_id": id, "usage": usage});
        let inner = json!({"output": {"output": part}, "request_id": id, "usage": usage});
        for envelope in [shared, workspace, documented, nested, inner] {
            let answer = read(envelope);
            assert_eq!((answer.text.as_str(), answer.request_id.as_deref()), ("Hello World.", Some(id)));
            assert_eq!(answer.sentences, [sentence()]);
            assert_eq!(answer.usage.as_ref().unwrap().seconds, Some(4.0));
            let transcript = answer.transcript();
            let words = &transcript.channels[0].sentences[0].words;
            assert_eq!((words[1].begin_ms, &*words[1].text, &*words[1].punctuation), (Some(1040), " World", "."));
            assert_eq!(transcript.duration_ms, Some(4000));
            assert_eq!(transcript.notices.summed(), []);
        }
    }

    #[test]
    fn speakers_come_in_sentences_of_their_own() {
        let said = |id: i64, begin: i64, speaker: i64| {
            json!({"sentence_id": id, "sentence_end": true, "channel_id": 0, "begin_time": begin, "end_time": begin + 900,
                "text": "so", "speaker_id": speaker, "words": []})
        };
        let answer = read(json!({"output": {"text": "so so", "sentence": sentence(),
            "sentences": [said(1, 0, 0), said(2, 1000, 1)]}, "usage": {"duration": 2, "input_tokens": 3, "output_tokens": 4}}));
        let transcript = answer.transcript();
        let speakers: Vec<_> =
            transcript.channels[0].sentences.iter().map(|sentence| sentence.speaker.clone()).collect();
        assert_eq!(speakers.len(), 2);
        assert!(speakers[1].is_some() && speakers[0] != speakers[1]);
        let usage = answer.usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(3), Some(4)));
    }

    #[test]
    fn choices_are_read_in_both_protocols() {
        let audio = json!([{"type": "audio_info", "language": "en", "emotion": "neutral"}]);
        for answer in [
            json!({"request_id": "r", "output": {"choices": [{"finish_reason": "stop", "message": {"role": "assistant",
                "content": [{"text": "Hello world."}], "annotations": audio}}]}, "usage": {"seconds": 1}}),
            json!({"id": "r", "object": "chat.completion", "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Hello world.", "annotations": audio}}],
                "usage": {"prompt_tokens": 42, "completion_tokens": 4, "seconds": 1}}),
        ] {
            let answer = read(answer);
            assert_eq!((answer.text.as_str(), answer.request_id.as_deref()), ("Hello world.", Some("r")));
            assert_eq!((answer.language.as_deref(), answer.emotion.as_deref()), (Some("en"), Some("neutral")));
            assert_eq!(answer.usage.as_ref().unwrap().seconds, Some(1.0));
            assert_eq!(
                answer.to_result(Some("u"), None),
                json!({
                    "file_url": "u", "properties": {"original_duration_in_milliseconds": 1000},
                    "transcripts": [{"channel_id": 0, "text": "Hello world."}],
                })
            );
            assert!(answer.warnings.is_empty());
        }
        let cut = read(json!({"choices": [{"finish_reason": "length", "message": {"content": "Hel"}}]}));
        assert!(cut.warnings[0].contains("length"), "{cut:?}");
    }

    #[test]
    fn silence_is_an_empty_transcript_with_a_warning() {
        let answer = read(
            json!({"output": {"text": "", "sentence": {"text": "", "sentence_end": true, "words": []}}, "usage": {"duration": 3}}),
        );
        assert!(answer.is_silent() && answer.warnings.len() == 1);
        assert_eq!(answer.to_result(Some("u"), None), json!({"file_url": "u", "transcripts": []}));
        assert_eq!(answer.transcript().channels.len(), 0);
    }

    fn attempt() -> Attempt {
        let url = url::Url::parse("https://h/api/v1/generation").unwrap();
        let key = ApiKey::new("sk-secret").unwrap();
        let mut attempt =
            Attempt::new("recognise a clip", "POST", &url, &key, 1, Instant::now(), std::time::Duration::from_secs(1));
        attempt.status = Some(200);
        attempt
    }

    /// What a stream of these chunks says, `Err` with the message and the text so far.
    fn told_in(chunks: Vec<Result<Bytes>>, incremental: bool) -> (Vec<String>, Result<FlashAnswer, (String, String)>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut stream = FlashStream::events(attempt(), futures_util::stream::iter(chunks).boxed(), incremental);
            let mut texts = Vec::new();
            loop {
                match stream.next().await.unwrap() {
                    Ok(FlashEvent::Text(text)) => texts.push(text),
                    Ok(FlashEvent::Done(answer)) => {
                        assert!(stream.next().await.is_none());
                        return (texts, Ok(*answer));
                    }
                    Err(error) => {
                        assert!(stream.next().await.is_none());
                        let so_far = error.text_so_far().unwrap_or("none").to_owned();
                        return (texts, Err((error.to_string(), so_far)));
                    }
                }
            }
        })
    }

    fn told(body: &str) -> (Vec<String>, Result<FlashAnswer, (String, String)>) {
        told_in(vec![Ok(Bytes::copy_from_slice(body.as_bytes()))], false)
    }

    fn frame(at: usize, data: &Value) -> String {
        format!("id:{at}\nevent:result\n:HTTP_STATUS/200\ndata:{data}\n\n")
    }

    fn snapshot(sentence: Value, text: &str, usage: Option<Value>) -> Value {
        let mut event = json!({"output": {"sentence": sentence, "text": text}, "request_id": "372d"});
        if let Some(usage) = usage {
            event["usage"] = usage;
        }
        event
    }

    fn three() -> [Value; 3] {
        [
            snapshot(
                json!({"sentence_id": 1, "sentence_begin": true, "sentence_end": false, "begin_time": 0, "text": "", "words": []}),
                "",
                None,
            ),
            snapshot(json!({"sentence_id": 1, "sentence_end": false, "begin_time": 160, "text": "god"}), "god", None),
            snapshot(
                json!({"sentence_id": 1, "sentence_end": true, "begin_time": 160, "end_time": 1680, "text": "good morning."}),
                "good morning.",
                Some(json!({"duration": 2})),
            ),
        ]
    }

    fn body(events: &[Value]) -> String {
        events.iter().enumerate().map(|(at, event)| frame(at + 1, event)).collect()
    }

    #[test]
    fn snapshots_replace_what_came_before() {
        let (texts, answer) = told(&body(&three()));
        assert_eq!(texts, ["god", "good morning."]);
        let answer = answer.unwrap();
        assert_eq!((answer.text.as_str(), answer.sentences.len()), ("good morning.", 1));
        assert_eq!(answer.usage.unwrap().seconds, Some(2.0));
        assert_eq!(serde_json::from_str::<Value>(&answer.raw).unwrap(), three()[2]);
        assert_eq!(told(&body(&three()).replace("\n\n", "\n")).0, texts, "no blank lines");
    }

    #[test]
    fn sentences_of_a_stream_add_up_and_a_spanning_one_covers_them() {
        let said = |id: i64, begin: i64, text: &str, end: bool| json!({"sentence_id": id, "sentence_end": end, "begin_time": begin, "end_time": begin + 500, "text": text});
        let usage = || Some(json!({"duration": 2}));
        let one_by_one = [
            snapshot(said(1, 100, "Good", false), "Good", None),
            snapshot(said(1, 100, "Good morning.", true), "Good morning.", usage()),
            snapshot(
                json!({"sentence_id": 2, "sentence_end": false, "begin_time": 0, "text": ""}),
                "Good morning.",
                None,
            ),
            snapshot(said(2, 1000, "Bye.", true), "Good morning. Bye.", usage()),
        ];
        let answer = told(&body(&one_by_one)).1.unwrap();
        let texts: Vec<_> = answer.sentences.iter().map(|sentence| sentence["text"].as_str().unwrap()).collect();
        assert_eq!(texts, ["Good morning.", "Bye."]);
        let spanning = [
            snapshot(said(1, 100, "Good morning.", true), "Good morning.", None),
            snapshot(said(2, 100, "Good morning. Bye.", true), "Good morning. Bye.", usage()),
        ];
        assert_eq!(told(&body(&spanning)).1.unwrap().sentences.len(), 1);
    }

    #[test]
    fn increments_are_added_and_the_end_is_said() {
        let chunk = |delta: Value, reason: Value| {
            format!(
                "data: {}\n\n",
                json!({"id": "c1", "choices": [{"delta": delta, "finish_reason": reason, "index": 0}], "usage": null})
            )
        };
        let begin = chunk(json!({"role": "assistant", "content": ""}), Value::Null)
            + &chunk(json!({"content": "你"}), Value::Null)
            + &chunk(json!({"content": "好", "annotations": [{"type": "audio_info", "language": "zh"}]}), Value::Null);
        let stop = chunk(json!({"role": null}), "stop".into());
        let usage = format!("data: {}\n\n", json!({"id": "c1", "choices": [], "usage": {"seconds": 1}}));
        let done = "data: [DONE]\n\n";
        let (texts, answer) = told_in(vec![Ok(Bytes::from(format!("{begin}{stop}{usage}{done}")))], true);
        assert_eq!(texts, ["你", "你好"]);
        let answer = answer.unwrap();
        assert_eq!((answer.text.as_str(), answer.language.as_deref()), ("你好", Some("zh")));
        assert_eq!(answer.usage.unwrap().seconds, Some(1.0));
        assert_eq!(answer.raw.lines().count(), 5);
        // Events that ran together, and no blank line.
        let together = format!("{begin}{stop}{usage}{done}").replace("\n\n", "\n");
        assert_eq!(told_in(vec![Ok(Bytes::from(together))], true).0, texts);
        // All was said before the connection broke.
        let broken = vec![Ok(Bytes::from(format!("{begin}{stop}"))), Err(Error::protocol("broken"))];
        assert_eq!(told_in(broken, true).1.unwrap().text, "你好");
        let cut = told_in(vec![Ok(Bytes::from(begin))], true).1.unwrap_err();
        assert_eq!(cut.1, "你好");
    }

    #[test]
    fn a_cut_stream_is_never_an_answer() {
        let whole = body(&three());
        let end = whole.rfind("id:3").unwrap();
        // The last event ends with its JSON: blank line and line break may be missing.
        for at in 0..whole.trim_end().len() {
            let Some(cut) = whole.get(..at) else { continue };
            let (texts, outcome) = told(cut);
            let (said, so_far) = outcome.expect_err(cut);
            assert_eq!(so_far, texts.last().map_or("", |text| text.as_str()), "{said}");
            assert!(at < end || so_far == "god", "{at}: {so_far}");
        }
        let (said, _) = told(&whole[..end]).1.unwrap_err();
        assert!(said.contains("the stream ended before its last event"), "{said}");
        let broken = vec![Ok(Bytes::from(whole.clone())), Err(Error::protocol("broken"))];
        assert_eq!(
            told_in(broken, false).1.unwrap_err().1,
            "good morning.",
            "an end of a sentence need not be the last"
        );
    }

    #[test]
    fn an_error_under_a_status_of_success_is_an_error() {
        let error = json!({"code": "Throttling.RateQuota", "message": "Requests rate limit exceeded: sk-secret", "request_id": "r9"});
        let [_, second, _] = three();
        for event in [
            format!("id:2\nevent:error\n:HTTP_STATUS/429\ndata:{error}\n\n"),
            format!("id:2\nevent:result\n:HTTP_STATUS/200\ndata:{error}\n\n"),
            format!(
                "data: {}\n\n",
                json!({"error": {"code": "Throttling.RateQuota", "message": "slow"}, "request_id": "r9"})
            ),
        ] {
            let (texts, outcome) = told(&(frame(1, &second) + &event));
            let (said, so_far) = outcome.unwrap_err();
            assert!(said.contains("Throttling.RateQuota") && said.contains("r9") && !said.contains("secret"), "{said}");
            assert_eq!((texts.len(), so_far.as_str()), (1, "god"));
        }
        let (said, _) = told("event:error\ndata:Too many requests\n\n").1.unwrap_err();
        assert!(said.contains("Too many requests"), "{said}");
        let silence = json!({"code": "CLIENT_ERROR", "message": "ASR_RESPONSE_HAVE_NO_WORDS.", "request_id": "r7"});
        let answer = told(&frame(1, &silence)).1.unwrap();
        assert!(answer.is_silent() && answer.request_id.as_deref() == Some("r7") && answer.raw.contains("NO_WORDS"));
    }

    #[test]
    fn the_same_is_told_wherever_the_bytes_are_cut() {
        let whole = body(&three()).replace("good", "早上").into_bytes();
        let expected = told_in(vec![Ok(Bytes::from(whole.clone()))], false);
        for at in 0..=whole.len() {
            let (one, two) = whole.split_at(at);
            let chunks = vec![Ok(Bytes::copy_from_slice(one)), Ok(Bytes::copy_from_slice(two))];
            assert_eq!(told_in(chunks, false), expected, "cut at {at}");
        }
    }
}
