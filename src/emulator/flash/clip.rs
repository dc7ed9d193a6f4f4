//! Fetches the clip: a URL or a data URI, within the limits, with the refusals of each family of models.

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::emulator::answer::Refusal;
use crate::emulator::fetching;
use crate::emulator::models::{Model, Protocol};
use crate::emulator::routes::Call;
use crate::emulator::speech::Source;
use crate::emulator::state::State;
use crate::emulator::wav;

const LONGEST_STRING: usize = 28_000_000;
/// Of the `input_audio` models, decoded.
const LARGEST_DATA: usize = 20 << 20;
/// Of the Qwen models, encoded.
const LARGEST_TEXT: usize = 10 << 20;

fn failed(code: &str, message: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, code, message)
}

/// The answer to a clip without recognisable speech.
pub(super) fn no_words() -> Refusal {
    failed("CLIENT_ERROR", "ASR_RESPONSE_HAVE_NO_WORDS")
}

/// Refuses a body with an endless string.
pub(super) fn short_enough(body: &Value) -> Result<(), Refusal> {
    match super::named_files(body).iter().find(|text| text.len() > LONGEST_STRING) {
        Some(text) => Err(Refusal::parameter(format!(
            "String value length ({}) exceeds the maximum allowed ({LONGEST_STRING}, from \
             `StreamReadConstraints.getMaxStringLength()`)",
            text.len()
        ))),
        None => Ok(()),
    }
}

/// The refusals of a family of models.
enum Trouble {
    /// Neither a URL nor a data URI: bare base64, for example.
    NoAddress,
    Unresolved,
    Unfetchable(&'static str, &'static str),
    Undecodable,
    TooLarge,
    TooLong(u64),
    Empty,
}

impl Trouble {
    fn refusal(&self, model: &Model) -> Refusal {
        const NO_URL: &str = "InternalError.Algo.InvalidParameter: The provided URL does not appear to be valid. Ensure \
                              it is correctly formatted.";
        match (self, model.protocol) {
            (Self::NoAddress, Protocol::Flash | Protocol::Realtime) => {
                failed("FILE_DOWNLOAD_FAILED", "domain resolution failed")
            }
            (Self::Unresolved, Protocol::Flash | Protocol::Realtime) => failed(
                "InvalidParameter.DataInspection",
                "Unable to download the media resource during the data inspection process.",
            ),
            (Self::Unfetchable(code, message), Protocol::Flash | Protocol::Realtime) => failed(code, message),
            (Self::Undecodable, Protocol::Flash | Protocol::Realtime) => failed("DECODE_ERROR", "DECODE_ERROR"),
            (Self::TooLarge, Protocol::Flash | Protocol::Realtime) => failed(
                "BadRequest.TooLarge",
                &format!("Exceeded limit on max bytes per data-uri item : {LARGEST_DATA}"),
            ),
            (Self::TooLong(ms), Protocol::Flash | Protocol::Realtime) => failed(
                "AUDIO_DURATION_TOO_LONG",
                &format!("audio duration ({ms}.0ms) over service process ({}s)", model.longest_s()),
            ),
            (Self::Empty, Protocol::Flash | Protocol::Realtime) => no_words(),
            // The models below answer as a chat.
            (Self::NoAddress | Self::Unresolved, _) => Refusal::parameter(NO_URL),
            (Self::Unfetchable(..), _) => failed("InvalidFile.DownloadFailed", "The audio file cannot be downloaded."),
            (Self::Undecodable, _) => failed(
                "InvalidParameter.DataInspection",
                "The media format is not supported or incorrect for the data inspection.",
            ),
            (Self::TooLarge, _) => {
                Refusal::parameter(format!("Exceeded limit on max bytes per data-uri item : {LARGEST_TEXT}"))
            }
            (Self::TooLong(_), _) => failed(
                "InvalidFile.AudioLengthError",
                &format!("Audio length must be between 1s and {}s.", model.longest_s()),
            ),
            (Self::Empty, _) => Refusal::parameter("The audio is empty"),
        }
    }
}

/// Fetches the clip.
pub(super) fn listen(state: &State, call: &Call, model: &Model, address: &str) -> Result<Source, Refusal> {
    found(state, call, model, address).map_err(|trouble| trouble.refusal(model))
}

fn found(state: &State, call: &Call, model: &Model, address: &str) -> Result<Source, Trouble> {
    let source = if let Some(data) = address.strip_prefix("data:") {
        let payload = data.split_once(";base64,").map(|(_, payload)| payload).ok_or(Trouble::Undecodable)?;
        let chat = !matches!(model.protocol, Protocol::Flash | Protocol::Realtime);
        if chat && payload.len() > LARGEST_TEXT {
            return Err(Trouble::TooLarge);
        }
        let bytes = STANDARD.decode(payload).map_err(|_| Trouble::Undecodable)?;
        if !chat && bytes.len() > LARGEST_DATA {
            return Err(Trouble::TooLarge);
        }
        // The media type is not compared with the bytes.
        if !sounds(&bytes) {
            return Err(Trouble::Undecodable);
        }
        let audio = wav::read(&bytes, bytes.len() as u64);
        let hash = blake3::hash(&bytes);
        // A name for the file: its address would be the whole recording.
        let name = hash.to_hex().get(..16).map_or_else(String::new, |hex| format!("data:{hex}"));
        Source::bytes(&name, *hash.as_bytes(), audio)
    } else if address.contains("://") {
        let resolves = call.header_says("x-dashscope-ossresourceresolve", "enable");
        if address.starts_with("oss://") && !resolves {
            return Err(Trouble::Unresolved);
        }
        fetching::source(state, model, address, resolves).map_err(|(code, message)| match code {
            "DECODE_ERROR" => Trouble::Undecodable,
            _ => Trouble::Unfetchable(code, message),
        })?
    } else {
        return Err(Trouble::NoAddress);
    };
    match source.duration_ms() {
        0 => Err(Trouble::Empty),
        ms if ms > model.longest_s() * 1000 => Err(Trouble::TooLong(ms)),
        _ => Ok(source),
    }
}

/// Whether bytes begin like one of the accepted formats.
fn sounds(bytes: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 11] = [
        b"RIFF",
        b"FORM",
        b"ID3",
        b"OggS",
        b"fLaC",
        b"#!AMR",
        b"FLV",
        b"\x1A\x45\xDF\xA3",
        b"\x30\x26\xB2\x75",
        b"\0\0\x01",
        b"G@",
    ];
    let frame = matches!(bytes, [0xFF, second, ..] if second & 0xE0 == 0xE0);
    frame || bytes.get(4..8) == Some(b"ftyp") || BEGINNINGS.iter().any(|beginning| bytes.starts_with(beginning))
}
