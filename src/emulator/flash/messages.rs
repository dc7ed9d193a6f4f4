//! `input.messages`: which roles may contain what, in which order; any other message is refused.

use serde_json::Value;

use super::context::{By, Item};
use crate::emulator::answer::Refusal;
use crate::emulator::tasks::submit::known;

/// The audio of a body and its context.
#[derive(Debug)]
pub(super) struct Asked<'b> {
    /// A URL or a data URI.
    pub(super) audio: &'b str,
    pub(super) context: Vec<Item<'b>>,
}

/// The messages of a body's `input`, which may hold nothing else.
pub(super) fn of_input(body: &Value) -> Result<&Vec<Value>, Refusal> {
    let input = body.get("input").filter(|input| input.is_object());
    let input = input.ok_or_else(|| Refusal::format("input must be an object"))?;
    known(input, "input", &["messages"])?;
    let messages = input.get("messages").and_then(Value::as_array);
    messages.ok_or_else(|| Refusal::format("input.messages must be an array"))
}

/// Role and content of a message, which may hold nothing else.
pub(super) fn parts(message: &Value) -> Result<(&str, &Vec<Value>), Refusal> {
    known(message, "a message", &["role", "content"])?;
    let role = message.get("role").and_then(Value::as_str);
    let role = role.ok_or_else(|| Refusal::format("a message must have a role"))?;
    let content = message.get("content").and_then(Value::as_array);
    Ok((role, content.ok_or_else(|| Refusal::format("content must be an array"))?))
}

/// Messages of Fun-ASR-Flash and Qwen-Audio-3.x: context in turns, then the one with the audio. Earlier pages put the
/// assistant first and wanted pairs, later ones the user, so the order within a turn is free.
pub(super) fn flash(body: &Value) -> Result<Asked<'_>, Refusal> {
    let messages = of_input(body)?;
    let (mut context, mut audio) = (Vec::new(), None);
    for (message, sent) in messages.iter().enumerate() {
        let (role, content) = parts(sent)?;
        if content.is_empty() {
            return Err(Refusal::format("content must not be empty"));
        }
        if audio.is_some() {
            return Err(Refusal::format("the message with input_audio must be the last one"));
        }
        for item in content {
            if let Some(data) = audio_of(role, item)? {
                // The reference says at least one, the table of limits one file: which one would be recognised is unknown.
                if audio.replace(data).is_some() {
                    return Err(Refusal::format("one input_audio at a time"));
                }
            } else {
                context.push(context_item(role, message, item)?);
            }
        }
    }
    let audio = audio.ok_or_else(|| Refusal::parameter("input must contain input_audio"))?;
    Ok(Asked { audio, context })
}

/// The audio of an audio item.
fn audio_of<'b>(role: &str, item: &'b Value) -> Result<Option<&'b str>, Refusal> {
    match item.get("type").and_then(Value::as_str) {
        Some("input_audio") if role == "user" => {
            known(item, "input_audio", &["type", "input_audio"])?;
            let audio = item.get("input_audio").unwrap_or(&Value::Null);
            known(audio, "input_audio.input_audio", &["data"])?;
            let data = audio.get("data").and_then(Value::as_str).filter(|data| !data.is_empty());
            data.map(Some).ok_or_else(|| Refusal::format("input_audio.data must be a string"))
        }
        // Observed to work, undocumented.
        Some("audio") | None if role == "user" && item.get("type").is_none_or(Value::is_string) => {
            Ok(item.get("audio").and_then(Value::as_str))
        }
        _ => Ok(None),
    }
}

/// An item of context: `input_text` of the user or `text` of the assistant.
fn context_item<'b>(role: &str, message: usize, item: &'b Value) -> Result<Item<'b>, Refusal> {
    let by = match (role, item.get("type").and_then(Value::as_str)) {
        ("user", Some("input_text")) => By::User,
        ("assistant", Some("text")) => By::Assistant,
        _ => {
            let message = "content holds input_audio and input_text of the user, text of the assistant";
            return Err(Refusal::format(message));
        }
    };
    known(item, "an item of content", &["type", "text"])?;
    let text = item.get("text").and_then(Value::as_str);
    Ok(Item { by, message, text: text.ok_or_else(|| Refusal::format("text must be a string"))? })
}

/// Context without audio, as files of Qwen-Audio take it.
pub(super) fn context(messages: &Value) -> Result<(), Refusal> {
    let messages = messages.as_array().ok_or_else(|| Refusal::format("input.context must be an array"))?;
    for (message, sent) in messages.iter().enumerate() {
        let (role, content) = parts(sent)?;
        for item in content {
            context_item(role, message, item)?;
        }
    }
    Ok(())
}

/// Fun-ASR-Realtime: `parameters.audio_address` and no message, or one message with audio.
pub(super) fn realtime(body: &Value) -> Result<Asked<'_>, Refusal> {
    let messages = of_input(body)?;
    let audio = match body.pointer("/parameters/audio_address") {
        Some(address) if messages.is_empty() => {
            let address = address.as_str().filter(|address| address.contains("://"));
            address.ok_or_else(|| Refusal::format("parameters.audio_address must be a URL"))?
        }
        Some(_) => return Err(Refusal::format("beside parameters.audio_address there are no messages")),
        None => {
            let missing = || Refusal::parameter("input must contain audio");
            let [message] = messages.as_slice() else { return Err(missing()) };
            let ("user", content) = parts(message)? else { return Err(missing()) };
            let [item] = content.as_slice() else { return Err(missing()) };
            known(item, "an item of content", &["audio"])?;
            item.get("audio").and_then(Value::as_str).ok_or_else(missing)?
        }
    };
    Ok(Asked { audio, context: Vec::new() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(messages: Value) -> Result<(String, usize), String> {
        let body = json!({"input": {"messages": messages}});
        flash(&body)
            .map(|asked| (asked.audio.to_owned(), asked.context.len()))
            .map_err(|refusal| format!("{} {}", refusal.status, refusal.message))
    }

    fn audio() -> Value {
        json!({"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "https://x.org/a.wav"}}]})
    }

    fn user(text: &str) -> Value {
        json!({"role": "user", "content": [{"type": "input_text", "text": text}]})
    }

    fn assistant(text: &str) -> Value {
        json!({"role": "assistant", "content": [{"type": "text", "text": text}]})
    }

    #[test]
    fn both_orders_of_a_turn_and_a_word_list_alone_pass() {
        for (messages, items) in [
            (json!([audio()]), 0),
            (json!([user("etcd"), audio()]), 1),
            (json!([user("a"), assistant("b"), user("c"), assistant("d"), audio()]), 4),
            (json!([assistant("b"), user("a"), audio()]), 2),
            (json!([{"role": "user", "content": [{"type": "audio", "audio": "data:audio/wav;base64,AA=="}]}]), 0),
            (json!([{"role": "user", "content": [{"audio": "data:audio/wav;base64,AA=="}]}]), 0),
        ] {
            assert_eq!(asked(messages.clone()).unwrap().1, items, "{messages}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let one = |role: &str, item: Value| json!({"role": role, "content": [item]});
        for wrong in [
            json!([]),
            json!({}),
            json!([user("a")]),
            json!([audio(), user("a")]),
            json!([audio(), assistant("a")]),
            json!([audio(), audio()]),
            json!([{"role": "user", "content": []}, audio()]),
            json!([{"role": "user", "content": "text"}, audio()]),
            json!([{"content": audio()["content"]}]),
            json!([one("system", json!({"text": "etcd"})), audio()]),
            json!([one("user", json!({"type": "text", "text": "a"})), audio()]),
            json!([one("assistant", json!({"type": "input_text", "text": "a"})), audio()]),
            json!([one("assistant", json!({"type": "input_audio", "input_audio": {"data": "https://x.org/a.wav"}}))]),
            json!([one("user", json!({"type": "input_text"})), audio()]),
            json!([one("user", json!({"type": "input_text", "text": 7})), audio()]),
            json!([one("user", json!({"type": "input_text", "text": "a", "txt": 7})), audio()]),
            json!([one("user", json!({"type": "input_audio", "input_audio": "https://x.org/a.wav"}))]),
            json!([one("user", json!({"type": "input_audio", "input_audio": {"url": "https://x.org/a.wav"}}))]),
            json!([one("user", json!({"type": "input_audio", "input_audio": {"data": "a", "format": "wav"}}))]),
            json!([{"role": "user", "name": "x", "content": audio()["content"]}]),
        ] {
            assert!(asked(wrong.clone()).unwrap_err().starts_with("400"), "{wrong}");
        }
    }

    #[test]
    fn realtime_takes_an_address_or_one_message() {
        let address = json!({"input": {"messages": []}, "parameters": {"audio_address": "https://x.org/a.mp3"}});
        assert_eq!(realtime(&address).unwrap().audio, "https://x.org/a.mp3");
        let message = json!({"role": "user", "content": [{"audio": "data:audio/wav;base64,AA=="}]});
        assert!(realtime(&json!({"input": {"messages": [message]}})).is_ok());
        for wrong in [
            json!({"input": {"messages": [message]}, "parameters": {"audio_address": "https://x.org/a.mp3"}}),
            json!({"input": {"messages": []}, "parameters": {"audio_address": "a.mp3"}}),
            json!({"input": {"messages": []}}),
            json!({"input": {"messages": [audio()]}}),
        ] {
            assert!(realtime(&wrong).is_err(), "{wrong}");
        }
    }
}
