//! Which tracks of each recording a batch requests: all of a local file that sound different, the first of an address.
//!
//! Each track is billed by itself, so that what was found is said before anything is submitted. A recording that the batch has
//! already is requested as it was begun, whatever its file holds now.

use std::collections::HashMap;
use std::path::Path;

use indicatif::ProgressBar;
use rayon::prelude::*;

use super::output::Console;
use crate::audio::{self, Tracks};
use crate::batch::{LedgerReport, Recording, Source};
use crate::catalog::Catalog;
use crate::client::Recognition;
use crate::error::Result;
use crate::report::number::{count, counted};

/// How a batch asks for tracks.
#[derive(Debug)]
pub(super) struct TrackSelector<'a> {
    pub(super) recognition: &'a Recognition,
    /// The folder of the batch.
    pub(super) dir: &'a Path,
    /// Whether somebody needs to know how long local files are.
    pub(super) lengths: bool,
}

/// What was found out about a recording.
#[derive(Debug)]
pub(super) struct TrackSelection {
    /// The tracks that are requested of it.
    pub(super) tracks: Vec<u32>,
    /// `None` = not known.
    pub(super) duration_ms: Option<i64>,
    /// Tracks that sound different, or all where they were not compared; `None` = not known.
    pub(super) distinct_tracks: Option<u32>,
}

impl TrackSelector<'_> {
    /// Whether the user chose the tracks, of all recordings.
    pub(super) fn is_chosen(&self) -> bool {
        self.recognition.get("channel_id").is_some()
    }

    /// Looks at local files, in parallel, and gives each recording the tracks that are requested of it; says what that comes to. The
    /// answer is in the order of the recordings.
    ///
    /// # Errors
    /// The ledger of the batch cannot be read. A file that cannot be read is no error yet: its upload will say so.
    pub(super) fn select(&self, recordings: &mut [Recording], console: &Console) -> Result<Vec<TrackSelection>> {
        let begun = if self.is_chosen() { None } else { LedgerReport::read(self.dir)? };
        let begun = begun.into_iter().flat_map(|ledger| ledger.receipts().recordings);
        let begun: HashMap<String, Vec<u32>> = begun.map(|sent| (sent.key, sent.tracks)).collect();
        let of_all = self.recognition.tracks();
        let one_track = self.recognition.one_track(Catalog::builtin());
        let is_open = |recording: &Recording| !self.is_chosen() && !begun.contains_key(&*recording.key);
        let is_probed =
            |recording: &Recording| matches!(recording.source, Source::File(_)) && (self.lengths || is_open(recording));
        let files = recordings.iter().filter(|recording| is_probed(recording)).count();
        let bar = if files == 0 { ProgressBar::hidden() } else { console.progress(files) };
        bar.set_message("reading local files");
        let select = |recording: &mut Recording| {
            let mut selected = TrackSelection { tracks: of_all.clone(), duration_ms: None, distinct_tracks: None };
            let mut found = None;
            if let (Source::File(path), true) = (&recording.source, is_probed(recording)) {
                let probe = audio::probe(path).ok().flatten();
                if is_open(recording) {
                    found = Some(probe.as_ref().and_then(|probe| audio::compare(path, probe).ok().flatten()));
                }
                selected.distinct_tracks = probe.as_ref().and_then(|probe| probe.channels).map(u32::from);
                selected.duration_ms = probe.and_then(|probe| i64::try_from(probe.duration_ms?).ok());
                bar.inc(1);
            }
            if let Some(Some(tracks)) = &found {
                let different: Vec<u32> = tracks.distinct.iter().copied().map(u32::from).collect();
                recording.repeated = (0..tracks.channels.into()).filter(|track| !different.contains(track)).collect();
                selected.distinct_tracks = u32::try_from(different.len()).ok();
                if one_track.is_none() {
                    selected.tracks = different;
                }
            } else if let Some(tracks) = begun.get(&*recording.key) {
                selected.tracks.clone_from(tracks);
            }
            recording.channels = (selected.tracks != of_all).then(|| selected.tracks.clone());
            (selected, found)
        };
        let (selected, found): (Vec<TrackSelection>, Vec<Option<Option<Tracks>>>) =
            recordings.par_iter_mut().map(select).unzip();
        bar.finish_and_clear();
        let found: Vec<Option<Tracks>> = found.into_iter().flatten().collect();
        said(&found, one_track.as_deref()).iter().for_each(|line| console.note(line));
        Ok(selected)
    }
}

/// What the tracks of local files come to, a line each; `None` = their number cannot be told.
fn said(found: &[Option<Tracks>], one_track: Option<&str>) -> Vec<String> {
    let known = || found.iter().flatten();
    let several = |compared| known().filter(move |tracks| tracks.distinct.len() > 1 && tracks.compared == compared);
    let files = |files: usize| counted(files as u64, "local file");
    let verb = |files: usize, one: &'static str, many: &'static str| if files == 1 { one } else { many };
    let mut lines = Vec::new();
    if let Some(why) = one_track {
        let left_out = several(true).count() + several(false).count();
        if left_out > 0 {
            lines.push(format!("{why}: of {} with more, track 0 alone is requested", files(left_out)));
        }
    } else {
        for (compared, what) in [(true, ""), (false, " that cannot be compared here")] {
            let n = several(compared).count();
            let billed: usize = several(compared).map(|tracks| tracks.distinct.len()).sum();
            let has = verb(n, "has", "have");
            let (number, all) = if billed == 2 * n { ("two", "both") } else { ("several", "all") };
            let different = if compared { " different" } else { "" };
            if n > 0 {
                let (files, billed) = (files(n), count(billed as i64));
                lines.push(format!(
                    "{files} {has} {number}{different} tracks{what}: {all} are requested, {billed} tracks are billed"
                ));
            }
        }
    }
    let repeated = || known().filter(|tracks| tracks.distinct.len() < usize::from(tracks.channels));
    let n = repeated().count();
    if n > 0 {
        let several = if repeated().all(|tracks| tracks.channels == 2) { "both" } else { "several" };
        let has = verb(n, "has", "have");
        lines.push(format!("{} {has} the same sound in {several} tracks: it is requested once", files(n)));
    }
    let n = found.len() - known().count();
    if n > 0 {
        let it = verb(n, "it has", "they have");
        lines.push(format!(
            "{}: how many tracks {it} cannot be told, track 0 alone is requested; --channel decides",
            files(n)
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::audio::tracks;

    /// The tracks of a WAV of one frame of 16-bit samples, or of another codec.
    fn of(frame: &[i16], codec: u8) -> Option<Tracks> {
        let channels = frame.len() as u16;
        let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
        wav.extend([codec, 0]);
        wav.extend(channels.to_le_bytes());
        wav.extend(8000_u32.to_le_bytes());
        wav.extend((8000 * u32::from(channels) * 2).to_le_bytes());
        wav.extend((channels * 2).to_le_bytes());
        wav.extend(b"\x10\0data");
        wav.extend((u32::from(channels) * 2).to_le_bytes());
        frame.iter().for_each(|sample| wav.extend(sample.to_le_bytes()));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), wav).unwrap();
        let path: &Path = file.path();
        tracks(path).unwrap()
    }

    #[test]
    fn what_is_billed_is_said_in_sums() {
        let (mono, two, same) = (of(&[900], 1), of(&[900, 0], 1), of(&[900, 900], 1));
        let said = |found: &[Option<Tracks>]| said(found, None);
        assert_eq!(said(std::slice::from_ref(&mono)), Vec::<String>::new());
        assert_eq!(
            said(&[mono.clone(), two.clone(), same.clone(), two.clone(), None]),
            [
                "2 local files have two different tracks: both are requested, 4 tracks are billed",
                "1 local file has the same sound in both tracks: it is requested once",
                "1 local file: how many tracks it has cannot be told, track 0 alone is requested; --channel decides",
            ]
        );
        assert_eq!(
            said(&[two.clone(), of(&[900, 0, 900, 400], 1)]),
            [
                "2 local files have several different tracks: all are requested, 5 tracks are billed",
                "1 local file has the same sound in several tracks: it is requested once",
            ]
        );
        // GSM is not decoded here.
        assert_eq!(
            said(&[of(&[900, 900], 0x31)]),
            ["1 local file has two tracks that cannot be compared here: both are requested, 2 tracks are billed"]
        );
        assert_eq!(
            super::said(&[two.clone(), mono, two], Some("diarization (--diarize) works on one track")),
            ["diarization (--diarize) works on one track: of 2 local files with more, track 0 alone is requested"]
        );
    }
}
