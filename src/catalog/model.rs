//! One model: protocol, parameters, limits and prices.

use std::time::Duration;

use jiff::civil::Date;

use super::{Allowance, Parameter, Price, Protocol, Region};
use crate::error::{Check, Error, Result};
use crate::time::span_of_seconds;

/// A row of the catalogue.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Model {
    /// Its name in requests.
    pub name: String,
    /// The snapshot this name was an alias of when the row was checked; null for a snapshot.
    pub same_as: Option<String>,
    /// Its family, as the vendor names it.
    pub family: String,
    /// What it is for, in one clause; null = not documented.
    pub about: Option<String>,
    /// Its protocol.
    pub protocol: Protocol,
    /// What it is billed by.
    pub billed_by: BilledBy,
    /// The regions that offer it.
    pub regions: Vec<Region>,
    /// Limits of a recording.
    pub limits: Limits,
    /// File extensions it takes, lower case, without dot; empty = not documented.
    pub formats: Vec<String>,
    /// The only sample rate it takes, in Hz; null = any.
    pub sample_rate_hz: Option<u32>,
    /// Language codes documented for it; the union of pages that contradict each other. Empty = not documented.
    pub languages: Vec<String>,
    /// How many of the requested languages it uses, from the first; null = all.
    pub languages_counted: Option<usize>,
    /// Languages for which `enable_itn` works; empty = not limited, or not a parameter of it.
    pub itn_languages: Vec<String>,
    /// Languages for which `enable_words` gives word times; empty = not limited, or not a parameter of it.
    pub word_languages: Vec<String>,
    /// The parameters it takes, in the order of [`super::PARAMETERS`].
    pub parameters: Vec<&'static Parameter>,
    /// The most words in a hotword list for it; null = not documented.
    pub hotwords: Option<usize>,
    /// Language codes for words of such a list; empty = not documented.
    pub hotword_languages: Vec<String>,
    /// How many hotwords of weight 50 it takes; 0 = none.
    pub super_hotwords: usize,
    /// Whether it takes context: earlier turns of a dialogue, or lists of terms.
    pub context: bool,
    /// Its rate limits; empty = not documented.
    pub rate_limits: Vec<RateLimit>,
    /// List prices, per region the billing currency first; empty = unknown.
    pub prices: Vec<Price>,
    /// Free allowances; empty = none documented.
    pub allowances: Vec<Allowance>,
    /// The page that documents it.
    pub source: String,
    /// Date of the page the row was checked against.
    pub checked: Date,
}

/// What a model is billed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BilledBy {
    /// Seconds of speech in each requested track.
    Speech,
    /// Seconds of audio, with or without speech.
    Length,
    /// Input and output tokens.
    Tokens,
}

impl BilledBy {
    /// `speech`, `length`, `tokens`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Speech => "speech",
            Self::Length => "length",
            Self::Tokens => "tokens",
        }
    }
}

/// Limits of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Limits {
    /// Largest file, in bytes; null = not documented.
    pub bytes: Option<u64>,
    /// Longest recording, in seconds; null = not documented.
    pub seconds: Option<u64>,
    /// The most URLs per task by any page; 1 for synchronous calls.
    pub files_per_task: usize,
    /// The most URLs per task by the current page.
    pub files_per_task_now: usize,
    /// Longest recording, in seconds, for which diarization is recommended; null = not documented.
    pub diarization_seconds: Option<u64>,
}

/// A rate limit of a model, per account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct RateLimit {
    /// The region it applies to; null = all others.
    pub region: Option<Region>,
    /// Requests …
    pub requests: u32,
    /// … in this many seconds. The service also enforces the average per second.
    pub seconds: u32,
    /// Concurrent tasks; null = not documented.
    pub tasks: Option<u32>,
}

impl Model {
    /// Whether it takes a parameter, by its wire name.
    #[must_use]
    pub fn takes(&self, key: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter.key == key)
    }

    /// Checks that it is offered in a region.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::InvalidInput`] naming the regions that offer it.
    pub fn check_region(&self, region: Region) -> Result<()> {
        if self.regions.contains(&region) {
            return Ok(());
        }
        let offered: Vec<&str> = self.regions.iter().map(|region| region.name()).collect();
        let message = format!("{} is not offered in {region}: it is in {}", self.name, offered.join(", "));
        Err(Error::invalid(message).with_check(Check::Region(offered.first().unwrap_or(&"intl"))))
    }

    /// The rate limit in a region; `None` = not documented.
    #[must_use]
    pub fn rate_limit(&self, region: Region) -> Option<&RateLimit> {
        let of = |wanted| self.rate_limits.iter().find(|limit| limit.region == wanted);
        of(Some(region)).or_else(|| of(None))
    }

    /// Submits per second in a region; `None` = not documented.
    #[must_use]
    pub fn submits_per_second(&self, region: Region) -> Option<f64> {
        self.rate_limit(region).map(|limit| f64::from(limit.requests) / f64::from(limit.seconds))
    }

    /// List prices in a region, the billing currency first.
    pub fn prices(&self, region: Region) -> impl Iterator<Item = &Price> {
        self.prices.iter().filter(move |price| price.region == region)
    }

    /// The list price in the billing currency; `None` = unknown, not free.
    #[must_use]
    pub fn price(&self, region: Region) -> Option<&Price> {
        self.prices(region).next()
    }

    /// Checks a recording by what is known of it; `None` is not checked.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::InvalidInput`] for an unsupported extension, a file that is too large or too long, or a sample rate
    /// other than the only one it takes.
    pub fn check_file(
        &self,
        extension: Option<&str>,
        bytes: Option<u64>,
        sample_rate_hz: Option<u32>,
        duration: Option<Duration>,
    ) -> Result<()> {
        let Self { name, limits, formats, .. } = self;
        if let Some(extension) = extension.map(str::to_ascii_lowercase)
            && !formats.is_empty()
            && !formats.contains(&extension)
        {
            let shown: String = extension.chars().take(20).collect();
            return Err(Error::invalid(format!("{name} does not take `.{shown}`: it takes {}", formats.join(", "))));
        }
        if let (Some(bytes), Some(most)) = (bytes, limits.bytes)
            && bytes > most
        {
            let most = size(most);
            return Err(Error::invalid(format!(
                "{bytes} bytes exceed the {most} that {name} takes: compress or split the recording"
            )));
        }
        if let (Some(given), Some(only)) = (sample_rate_hz, self.sample_rate_hz)
            && given != only
        {
            return Err(Error::invalid(format!(
                "{name} takes {only} Hz only, this is {given} Hz: use another model, or convert with ffmpeg -ar {only}"
            )));
        }
        if let (Some(given), Some(most)) = (duration, limits.seconds)
            && given > Duration::from_secs(most)
        {
            let begun = u64::from(given.subsec_nanos() > 0);
            let (most, given) = (span_of_seconds(most), span_of_seconds(given.as_secs().saturating_add(begun)));
            return Err(Error::invalid(format!("{name} takes up to {most}, this lasts {given}: split it")));
        }
        Ok(())
    }
}

/// `2 GB`, `10 MB`, by powers of 1024.
pub(crate) fn size(bytes: u64) -> String {
    let units = [(30, "GB"), (20, "MB"), (10, "KB")];
    let unit = units.into_iter().find(|(shift, _)| bytes >> shift > 0);
    unit.map_or_else(|| format!("{bytes} bytes"), |(shift, name)| format!("{} {name}", bytes >> shift))
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    fn refused(model: &str, extension: &str, bytes: u64, rate: u32, seconds: u64) -> String {
        let model = Catalog::builtin().model(model).unwrap();
        let duration = Some(Duration::from_secs(seconds));
        model
            .check_file(Some(extension), Some(bytes), Some(rate), duration)
            .map_or_else(|e| e.to_string(), |()| String::new())
    }

    #[test]
    fn unsupported_files_are_refused() {
        assert_eq!(refused("fun-asr", "WAV", 1 << 31, 44_100, 43_200), "");
        assert_eq!(
            refused("fun-asr", "docx", 1, 8000, 1),
            "fun-asr does not take `.docx`: it takes aac, amr, avi, flac, flv, m4a, mkv, mov, mp3, mp4, mpeg, ogg, opus, \
             wav, webm, wma, wmv"
        );
        assert_eq!(
            refused("fun-asr", "wav", (1 << 31) + 1, 8000, 1),
            "2147483649 bytes exceed the 2 GB that fun-asr takes: compress or split the recording"
        );
        assert_eq!(
            refused("paraformer-8k-v2", "wav", 1, 16_000, 1),
            "paraformer-8k-v2 takes 8000 Hz only, this is 16000 Hz: use another model, or convert with ffmpeg -ar 8000"
        );
        assert_eq!(
            refused("fun-asr", "wav", 1, 8000, 43_201),
            "fun-asr takes up to 12 h, this lasts 12 h 1 s: split it"
        );
        assert_eq!(
            refused("qwen-audio-3.1-asr-flash", "wav", 1, 8000, 301),
            "qwen-audio-3.1-asr-flash takes up to 5 min, this lasts 5 min 1 s: split it"
        );
        assert_eq!(
            refused("qwen-audio-3.0-asr-flash", "wav", (10 << 20) + 1, 8000, 1),
            "10485761 bytes exceed the 10 MB that qwen-audio-3.0-asr-flash takes: compress or split the recording"
        );
    }

    #[test]
    fn unknown_properties_are_not_checked() {
        let model = Catalog::builtin().model("paraformer-8k-v2").unwrap();
        assert!(model.check_file(None, None, None, None).is_ok());
    }
}
