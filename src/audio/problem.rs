//! What is wrong with a recording as a whole, in words.

use super::Probe;
use crate::time;

/// A header may promise this much more than the file holds, in milliseconds, before it is worth a remark.
const TOLERANCE_MS: u64 = 1000;

impl Probe {
    /// Why the recording cannot be transcribed, in one clause: the service does not read its format, or it holds no sound.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        if self.format == "silk" {
            let what = "holds SILK audio, the voice messages of chat apps, which the service does not read";
            return Some(format!("{what}: convert it to MP3 or WAV"));
        }
        (self.duration_ms == Some(0)).then(|| match self.promised_ms {
            Some(promised) => format!("holds no sound, although its header promises {}", span(promised)),
            None => "holds no sound".to_owned(),
        })
    }

    /// How much more the header promises than the file holds, in one clause; `None` unless it is at least a second.
    #[must_use]
    pub fn shortfall(&self) -> Option<String> {
        let (held, promised) = (self.duration_ms?, self.promised_ms?);
        let notable = held > 0 && promised >= held.saturating_add(TOLERANCE_MS);
        notable.then(|| format!("holds {}, although its header promises {}", span(held), span(promised)))
    }

    /// The file extension by which the service knows this format: `ogg` for Ogg, whatever the file is called.
    #[must_use]
    pub fn extension(&self) -> &'static str {
        match self.format {
            "asf" => "wma",
            "mp1" | "mp2" => "mpeg",
            format => format,
        }
    }
}

fn span(ms: u64) -> String {
    time::span(i64::try_from(ms).unwrap_or(i64::MAX))
}
