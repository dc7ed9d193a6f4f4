//! One model: how it is called, what it takes, what it costs, and how fast it may be asked.

use std::time::Duration;

use jiff::civil::Date;

use super::{Allowance, Parameter, Price, Protocol, Region};
use crate::error::{Check, Error, Result};

/// A row of the catalogue.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Model {
    /// As requests name it.
    pub name: String,
    /// The snapshot that this name stood for when the row was checked; null for a snapshot itself.
    pub same_as: Option<String>,
    /// The family it belongs to, as the vendor names it.
    pub family: String,
    /// What it is for, in a clause; null when the pages say nothing beyond the name.
    pub about: Option<String>,
    /// How it is called.
    pub protocol: Protocol,
    /// Where it is offered.
    pub regions: Vec<Region>,
    /// What a recording may be.
    pub limits: Limits,
    /// File name extensions it takes, lower case, without dot; empty = no page lists them.
    pub formats: Vec<String>,
    /// The one sample rate it takes, in Hz; null = any.
    pub sample_rate_hz: Option<u32>,
    /// Language codes that some page lists for it; pages contradict each other, this is their union. Empty = no page
    /// lists codes.
    pub languages: Vec<String>,
    /// How many of the languages asked for count, the first ones; null = all.
    pub languages_counted: Option<usize>,
    /// Languages for which `enable_itn` works; empty = not limited, or not a parameter of it.
    pub itn_languages: Vec<String>,
    /// Languages for which `enable_words` gives word times; empty = not limited, or not a parameter of it.
    pub word_languages: Vec<String>,
    /// What it takes, in the order of [`super::PARAMETERS`].
    pub parameters: Vec<&'static Parameter>,
    /// Most words of a hotword list made for it; null = no page says.
    pub hotwords: Option<usize>,
    /// Language codes that a word of such a list may have; empty = no page lists them.
    pub hotword_languages: Vec<String>,
    /// How many hotwords of weight 50 count; 0 = that weight does not exist for it.
    pub super_hotwords: usize,
    /// Whether earlier turns of a dialogue, or word lists, can be sent before the audio.
    pub context: bool,
    /// How fast it may be asked; empty = no page says.
    pub rate_limits: Vec<RateLimit>,
    /// List prices, the currency that bills are in first for each region; empty = unknown.
    pub prices: Vec<Price>,
    /// What may be used free of charge; empty = no page says so.
    pub allowances: Vec<Allowance>,
    /// The page that documents it.
    pub source: String,
    /// Date of the page the row was compared with.
    pub checked: Date,
}

/// What a recording may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Largest file, in bytes; null = no page says.
    pub bytes: Option<u64>,
    /// Longest recording, in seconds; null = no page says.
    pub seconds: Option<u64>,
    /// Most URLs a task may have by any page; 1 for synchronous calls.
    pub files_per_task: usize,
    /// Most URLs a task may have by the current page, which for some models is fewer.
    pub files_per_task_now: usize,
    /// Longest recording, in seconds, for which telling speakers apart is recommended; null = no page says.
    pub diarization_seconds: Option<u64>,
}

/// How fast a model may be asked, for one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// Where it holds; null = everywhere else.
    pub region: Option<Region>,
    /// So many requests …
    pub requests: u32,
    /// … in so many seconds. The service also enforces the average per second.
    pub seconds: u32,
    /// Tasks that may run at once; null = no page says.
    pub tasks: Option<u32>,
}

impl Model {
    /// Whether it takes a parameter of this wire name.
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

    /// The rate limit that holds in a region; null = no page says.
    #[must_use]
    pub fn rate_limit(&self, region: Region) -> Option<&RateLimit> {
        let of = |wanted| self.rate_limits.iter().find(|limit| limit.region == wanted);
        of(Some(region)).or_else(|| of(None))
    }

    /// Requests a second that pace its submissions in a region; null = no page says.
    #[must_use]
    pub fn submits_per_second(&self, region: Region) -> Option<f64> {
        self.rate_limit(region).map(|limit| f64::from(limit.requests) / f64::from(limit.seconds))
    }

    /// List prices in a region; the currency that bills are in comes first.
    pub fn prices(&self, region: Region) -> impl Iterator<Item = &Price> {
        self.prices.iter().filter(move |price| price.region == region)
    }

    /// The list price in the currency that bills are in; null = unknown, which is not free.
    #[must_use]
    pub fn price(&self, region: Region) -> Option<&Price> {
        self.prices(region).next()
    }

    /// Whether a recording can be sent, by what is known of it; an unknown (`None`) is not checked.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::InvalidInput`] for an extension that is not listed, too many bytes, another sample rate than
    /// the only one it takes, or too long a recording. The clause says what to do.
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
                "{bytes} bytes are more than the {most} that {name} takes: compress the recording or split it"
            )));
        }
        if let (Some(given), Some(only)) = (sample_rate_hz, self.sample_rate_hz)
            && given != only
        {
            return Err(Error::invalid(format!(
                "{name} takes {only} Hz alone, this is {given} Hz: take another model, or convert it: ffmpeg -ar {only}"
            )));
        }
        if let (Some(given), Some(most)) = (duration, limits.seconds)
            && given > Duration::from_secs(most)
        {
            let begun = u64::from(given.subsec_nanos() > 0);
            let (most, given) = (span(most), span(given.as_secs().saturating_add(begun)));
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

/// `12 h`, `5 min`, `12 h 1 s`.
pub(crate) fn span(seconds: u64) -> String {
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let said: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}")).collect();
    if said.is_empty() { "0 s".to_owned() } else { said.join(" ") }
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
    fn a_file_is_refused_with_what_to_do() {
        assert_eq!(refused("fun-asr", "WAV", 1 << 31, 44_100, 43_200), "");
        assert_eq!(
            refused("fun-asr", "docx", 1, 8000, 1),
            "fun-asr does not take `.docx`: it takes aac, amr, avi, flac, flv, m4a, mkv, mov, mp3, mp4, mpeg, ogg, opus, \
             wav, webm, wma, wmv"
        );
        assert_eq!(
            refused("fun-asr", "wav", (1 << 31) + 1, 8000, 1),
            "2147483649 bytes are more than the 2 GB that fun-asr takes: compress the recording or split it"
        );
        assert_eq!(
            refused("paraformer-8k-v2", "wav", 1, 16_000, 1),
            "paraformer-8k-v2 takes 8000 Hz alone, this is 16000 Hz: take another model, or convert it: ffmpeg -ar 8000"
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
            "10485761 bytes are more than the 10 MB that qwen-audio-3.0-asr-flash takes: compress the recording or split it"
        );
    }

    #[test]
    fn what_is_unknown_of_a_file_is_not_checked() {
        let model = Catalog::builtin().model("paraformer-8k-v2").unwrap();
        assert!(model.check_file(None, None, None, None).is_ok());
    }
}
