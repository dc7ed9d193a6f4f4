//! The audio of a flash call: an address, or the bytes themselves as a data URI.
//!
//! Source: the vendor's Fun-ASR-Flash reference (input, formats), checked 2026-11.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client::uploads::TempUrl;
use crate::redact::without_query;

/// The format of an address without a known extension, as in the vendor's own command line.
const USUAL_FORMAT: &str = "wav";

/// A short recording for a flash call.
#[derive(Clone, PartialEq, Eq)]
pub struct Clip {
    address: String,
    format: Option<String>,
    sample_rate_hz: Option<u32>,
    length: Option<Duration>,
}

impl fmt::Debug for Clip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No megabytes of audio, no signatures.
        let shown: String = without_query(&self.address).chars().take(60).collect();
        f.debug_struct("Clip")
            .field("address", &shown)
            .field("format", &self.format)
            .field("sample_rate_hz", &self.sample_rate_hz)
            .finish()
    }
}

impl Clip {
    /// An http, https or oss URL that the service fetches, or a data URI. The format is taken from the extension.
    #[must_use]
    pub fn url(url: impl Into<String>) -> Self {
        let address = url.into();
        let format = if address.starts_with("data:") { None } else { extension(&address) };
        Self { address, format, sample_rate_hz: None, length: None }
    }

    /// A file in temporary storage.
    #[must_use]
    pub fn uploaded(file: &TempUrl) -> Self {
        Self::url(&file.url)
    }

    /// The bytes of a file, sent in the request. The format, and the sample rate of a WAV, are read from the first bytes; an
    /// unknown format is sent as WAV, and the service detects it.
    #[must_use]
    pub fn bytes(bytes: &[u8]) -> Self {
        let (format, mime) = sniff(bytes).unwrap_or((USUAL_FORMAT, "audio/wav"));
        let clip = Self::bytes_as(mime, bytes).format(format);
        match wav_rate(bytes) {
            Some(rate) => clip.sample_rate_hz(rate),
            None => clip,
        }
    }

    /// The same with a given MIME type; parameters such as `;codecs=opus` are removed, because the service rejects them.
    #[must_use]
    pub fn bytes_as(mime: &str, bytes: &[u8]) -> Self {
        let mime = mime.split(';').next().unwrap_or_default().trim();
        let mut address = format!("data:{mime};base64,");
        STANDARD.encode_string(bytes, &mut address);
        let format = mime.rsplit('/').next().filter(|format| !format.is_empty()).map(normalized);
        Self { address, format, sample_rate_hz: None, length: None }
    }

    /// The container or codec, as in `wav`, `mp3`, `opus`.
    #[must_use]
    pub fn format(mut self, format: &str) -> Self {
        self.format = Some(normalized(format));
        self
    }

    /// In hertz.
    #[must_use]
    pub fn sample_rate_hz(mut self, rate: u32) -> Self {
        self.sample_rate_hz = Some(rate);
        self
    }

    /// How long it plays, which limits the time of a call; unless set, the longest clip that the model takes.
    #[must_use]
    pub fn lasting(mut self, length: Duration) -> Self {
        self.length = Some(length);
        self
    }

    /// The address or data URI that is sent.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The length of the payload of a data URI, in bytes; `None` for an address.
    #[must_use]
    pub fn encoded_bytes(&self) -> Option<usize> {
        let data = self.address.strip_prefix("data:")?;
        Some(data.split_once(',').map_or(data.len(), |(_, payload)| payload.len()))
    }

    /// The format named in the request.
    pub(super) fn stated_format(&self) -> &str {
        self.format.as_deref().unwrap_or(USUAL_FORMAT)
    }

    pub(super) fn length(&self) -> Option<Duration> {
        self.length
    }

    pub(super) fn stated_rate_hz(&self) -> Option<u32> {
        self.sample_rate_hz
    }
}

/// `MPEG` becomes `mp3`, `x-wav` becomes `wav`.
fn normalized(format: &str) -> String {
    let format = format.trim().to_ascii_lowercase();
    match format.strip_prefix("x-").unwrap_or(&format) {
        "mpeg" | "mpga" => "mp3".to_owned(),
        "wave" => "wav".to_owned(),
        other => other.to_owned(),
    }
}

/// The extension of an address, if it is one of audio.
fn extension(url: &str) -> Option<String> {
    const KNOWN: [&str; 18] = [
        "aac", "aiff", "amr", "avi", "flac", "flv", "m4a", "mkv", "mov", "mp3", "mp4", "mpeg", "ogg", "opus", "wav",
        "webm", "wma", "wmv",
    ];
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let (_, extension) = name.rsplit_once('.')?;
    let extension = extension.to_ascii_lowercase();
    KNOWN.contains(&&extension[..]).then(|| normalized(&extension))
}

/// Format and MIME type by the first bytes.
fn sniff(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let at = |from: usize, mark: &[u8]| bytes.get(from..from + mark.len()) == Some(mark);
    let found = match bytes {
        _ if at(0, b"RIFF") && at(8, b"AVI ") => ("avi", "video/x-msvideo"),
        _ if at(0, b"RIFF") || at(0, b"RF64") => ("wav", "audio/wav"),
        _ if at(0, b"OggS") && at(28, b"OpusHead") => ("opus", "audio/ogg"),
        _ if at(0, b"OggS") => ("ogg", "audio/ogg"),
        _ if at(0, b"fLaC") => ("flac", "audio/flac"),
        _ if at(0, b"#!AMR") => ("amr", "audio/amr"),
        _ if at(0, b"FLV") => ("flv", "video/x-flv"),
        _ if at(0, b"FORM") => ("aiff", "audio/aiff"),
        _ if at(0, b"\x1A\x45\xDF\xA3") => ("webm", "audio/webm"),
        _ if at(0, b"\x30\x26\xB2\x75") => ("wma", "audio/x-ms-wma"),
        _ if at(4, b"ftypM4A") => ("m4a", "audio/mp4"),
        _ if at(4, b"ftypqt") => ("mov", "video/quicktime"),
        _ if at(4, b"ftyp") => ("mp4", "audio/mp4"),
        _ if at(0, b"ID3") => ("mp3", "audio/mpeg"),
        // ADTS has layer 0, MPEG audio another.
        [0xFF, second, ..] if second & 0xF6 == 0xF0 => ("aac", "audio/aac"),
        [0xFF, second, ..] if second & 0xE0 == 0xE0 => ("mp3", "audio/mpeg"),
        _ => return None,
    };
    Some(found)
}

/// The sample rate of a WAV whose first chunk is its format, in hertz.
fn wav_rate(bytes: &[u8]) -> Option<u32> {
    let wave = bytes.get(..4)? == b"RIFF" && bytes.get(8..16)? == b"WAVEfmt ";
    let rate: [u8; 4] = bytes.get(24..28)?.try_into().ok()?;
    Some(u32::from_le_bytes(rate)).filter(|rate| wave && (1..=768_000).contains(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_comes_from_extension_or_bytes() {
        for (url, format) in [
            ("https://h/a.WAV?sign=x.mp3", "wav"),
            ("https://h/a.mpeg", "mp3"),
            ("oss://b/c/d.opus", "opus"),
            ("https://h/a", "wav"),
            ("https://h/a.php", "wav"),
            ("data:audio/mpeg;base64,AAAA", "wav"),
        ] {
            assert_eq!(Clip::url(url).stated_format(), format, "{url}");
        }
        for (bytes, format, mime) in [
            (&b"RIFF\0\0\0\0WAVE"[..], "wav", "audio/wav"),
            (b"ID3\x04", "mp3", "audio/mpeg"),
            (b"\xFF\xF1\x50", "aac", "audio/aac"),
            (b"\xFF\xFB\x90", "mp3", "audio/mpeg"),
            (b"\0\0\0\x20ftypM4A ", "m4a", "audio/mp4"),
            (b"OggS", "ogg", "audio/ogg"),
            (b"what?", "wav", "audio/wav"),
            (b"", "wav", "audio/wav"),
        ] {
            let clip = Clip::bytes(bytes);
            assert_eq!(clip.stated_format(), format);
            assert!(clip.address().starts_with(&format!("data:{mime};base64,")), "{clip:?}");
        }
        assert_eq!(Clip::bytes_as("audio/webm;codecs=opus", b"abc").address(), "data:audio/webm;base64,YWJj");
        assert_eq!(Clip::bytes_as("audio/x-wav", b"").stated_format(), "wav");
    }

    #[test]
    fn the_rate_of_a_wav_is_taken_from_its_header() {
        let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0".to_vec();
        assert_eq!(Clip::bytes(&wav).stated_rate_hz(), Some(8000));
        wav.truncate(26);
        assert_eq!(Clip::bytes(&wav).stated_rate_hz(), None);
    }

    #[test]
    fn debug_output_is_short_and_without_secrets() {
        let shown = format!("{:?} {:?}", Clip::bytes(&[7; 4000]), Clip::url("https://h/a.wav?Signature=secret"));
        assert!(shown.len() < 400 && !shown.contains("secret"), "{shown}");
    }
}
