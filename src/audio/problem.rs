//! What is wrong with a recording as a whole, in words.

use super::Probe;

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
            Some(promised) => format!("holds no sound, although its header promises {}", length(promised)),
            None => "holds no sound".to_owned(),
        })
    }

    /// How much more the header promises than the file holds, in one clause; `None` unless it is at least a second.
    #[must_use]
    pub fn shortfall(&self) -> Option<String> {
        let (held, promised) = (self.duration_ms?, self.promised_ms?);
        let notable = held > 0 && promised >= held.saturating_add(TOLERANCE_MS);
        notable.then(|| format!("holds {}, although its header promises {}", length(held), length(promised)))
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

/// `12.3 s`, `17 min 45 s`, `1 h 2 min`.
fn length(ms: u64) -> String {
    let seconds = ms.saturating_add(500) / 1000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) if ms.is_multiple_of(1000) => format!("{seconds} s"),
        (0, 0, _) => format!("{}.{} s", ms / 1000, ms / 100 % 10),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
