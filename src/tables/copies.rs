//! Recordings with several transcripts among the calls: each is measured, but sums count them more than once.

use serde::Serialize;

use super::figures::Figures;
use crate::recording_id::address_id;
use crate::redact::without_query;

/// Recordings that are named.
const NAMED: usize = 3;

/// Letters of an address that are shown.
const MOST_SHOWN: usize = 60;

/// Recordings with more than one file in a run, told by `file_url` without the parameters of signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Copies {
    /// Number of such recordings.
    pub recordings: u64,
    /// Number of their files.
    pub files: u64,
    /// The first three, in the order of their first files.
    pub first: Vec<CopiedRecording>,
}

/// A recording with several files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CopiedRecording {
    /// Its URL without the query.
    pub recording: String,
    /// Number of its files.
    pub files: u64,
}

impl Copies {
    /// Finds them by the column `file_url` of `calls`; `None` if there are none.
    pub(super) fn find(calls: &Figures) -> Option<Self> {
        // By hash: the addresses of all calls together are large.
        let hash = |url: &str| blake3::hash(address_id(url).as_bytes()).as_bytes().first_chunk().copied();
        let mut found: Vec<([u8; 16], u32)> = Vec::with_capacity(calls.height());
        let mut row = 0;
        for part in calls.parts("file_url") {
            for url in part.ok()?.str().ok()?.iter() {
                found.extend(url.filter(|url| !url.is_empty()).and_then(hash).map(|hash| (hash, row)));
                row += 1;
            }
        }
        found.sort_unstable();
        let same = found.chunk_by(|one, two| one.0 == two.0).filter(|same| same.len() > 1);
        let mut copied: Vec<(u32, u64)> = same.filter_map(|same| Some((same.first()?.1, same.len() as u64))).collect();
        copied.sort_unstable();
        let rows: Vec<usize> = copied.iter().take(NAMED).map(|(row, _)| *row as usize).collect();
        let urls = if rows.is_empty() { Vec::new() } else { calls.texts_at("file_url", &rows).ok()? };
        let named = urls.into_iter().zip(&copied).filter_map(|(url, (_, files))| {
            let recording = without_query(&url?).trim_end_matches("?…").to_owned();
            Some(CopiedRecording { recording, files: *files })
        });
        (!copied.is_empty()).then(|| Self {
            recordings: copied.len() as u64,
            files: copied.iter().map(|(_, files)| files).sum(),
            first: named.collect(),
        })
    }
}

impl std::fmt::Display for Copies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.recordings {
            1 => write!(f, "1 recording has {} transcripts: ", self.files)?,
            more => write!(f, "{more} recordings have {} transcripts: ", self.files)?,
        }
        for (at, copied) in self.first.iter().enumerate() {
            let between = if at > 0 { ", " } else { "" };
            let recording = end_of(&copied.recording.replace(char::is_control, "\u{FFFD}"));
            write!(f, "{between}{recording} ({} times)", copied.files)?;
        }
        if self.recordings > self.first.len() as u64 { write!(f, ", …") } else { Ok(()) }
    }
}

/// A long address by its end, which tells recordings apart.
fn end_of(address: &str) -> String {
    let beyond = address.chars().count().saturating_sub(MOST_SHOWN);
    if beyond == 0 {
        address.to_owned()
    } else {
        format!("…{}", address.chars().skip(beyond + 1).collect::<String>())
    }
}
