//! Recorded result files, served byte for byte.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::{Error, Result};

/// One recorded result file.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) bytes: Bytes,
    pub(super) billed_seconds: u64,
}

/// A folder of result files.
#[derive(Debug, Default)]
pub(super) struct Recordings {
    by_stem: HashMap<String, Arc<Recorded>>,
    in_order: Vec<Arc<Recorded>>,
}

impl Recordings {
    /// Reads every `*.json` of a folder.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let paths = super::folder::files(folder, "json")?;
        let mut recordings = Self::default();
        for path in paths {
            let bytes = std::fs::read(&path).map_err(|error| Error::io("read", &path, error))?;
            let billed_seconds = serde_json::from_slice(&bytes).map_or(0, |value| billed_seconds(&value));
            let recorded = Arc::new(Recorded { bytes: bytes.into(), billed_seconds });
            if let Some(stem) = path.file_stem() {
                recordings.by_stem.insert(stem.to_string_lossy().into_owned(), Arc::clone(&recorded));
            }
            recordings.in_order.push(recorded);
        }
        if recordings.in_order.is_empty() {
            return Err(Error::invalid(format!("{} holds no result file (*.json)", folder.display())));
        }
        Ok(recordings)
    }

    /// The recording of that name, else one chosen by the address; `None` without a folder.
    pub(super) fn of(&self, url: &str) -> Option<Arc<Recorded>> {
        let path = url.split(['?', '#']).next().unwrap_or(url);
        let name = path.rsplit('/').next().unwrap_or(path);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let picked = || {
            let [a, b, c, d, ..] = *blake3::hash(url.as_bytes()).as_bytes();
            let at = u32::from_le_bytes([a, b, c, d]) as usize;
            self.in_order.get(at.checked_rem(self.in_order.len())?)
        };
        self.by_stem.get(stem).or_else(picked).cloned()
    }
}

/// Seconds of speech that the file states for each track, else the time of its sentences, rounded up for each.
fn billed_seconds(result: &Value) -> u64 {
    let transcripts = result.get("transcripts").and_then(Value::as_array);
    let number = |value: &Value, key: &str| value.get(key).and_then(Value::as_f64).filter(|ms| *ms >= 0.0);
    let of_track = |track: &Value| {
        let stated = number(track, "content_duration_in_milliseconds").or_else(|| number(track, "content_duration"));
        let sentences = track.get("sentences").and_then(Value::as_array).into_iter().flatten();
        let spoken =
            |sentence: &Value| Some((number(sentence, "end_time")? - number(sentence, "begin_time")?).max(0.0));
        let ms = stated.unwrap_or_else(|| sentences.filter_map(spoken).sum());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; never negative")]
        let seconds = (ms / 1000.0).ceil() as u64;
        seconds
    };
    transcripts.into_iter().flatten().map(of_track).fold(0, u64::saturating_add)
}
