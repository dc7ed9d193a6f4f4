//! Prints which tracks of local files are requested. Each is billed, so this comes before anything is submitted.

use crate::audio::Tracks;
use crate::batch::{TrackBasis, TrackSelection};
use crate::report::number::{count, counted};

/// One line for each kind of local file; `one_track` is why only one track of each can be requested.
pub(super) fn lines(selected: &[TrackSelection], one_track: Option<&str>) -> Vec<String> {
    let known = || selected.iter().filter_map(tracks);
    let several = |compared| known().filter(move |tracks| tracks.distinct.len() > 1 && tracks.compared == compared);
    let files = |files: usize| counted(files as u64, "local file");
    let verb = |files: usize, one: &'static str, many: &'static str| if files == 1 { one } else { many };
    let mut lines = Vec::new();
    if let Some(why) = one_track {
        let left_out = several(true).count() + several(false).count();
        if left_out > 0 {
            lines.push(format!("{why}: only track 0 of {} with several tracks is requested", files(left_out)));
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
    let n = selected.iter().filter(|selection| selection.basis == TrackBasis::UnknownFile).count();
    if n > 0 {
        lines.push(format!("{}: number of tracks unknown, only track 0 is requested; choose with --channel", files(n)));
    }
    lines
}

fn tracks(selection: &TrackSelection) -> Option<&Tracks> {
    match &selection.basis {
        TrackBasis::File(tracks) => Some(tracks),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::audio;

    /// The selection for a WAV of one frame of 16-bit samples, or of another codec.
    fn wav(frame: &[i16], codec: u8) -> TrackSelection {
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
        let tracks = audio::tracks(path).unwrap().unwrap();
        TrackSelection { tracks: Vec::new(), distinct_tracks: None, basis: TrackBasis::File(tracks) }
    }

    #[test]
    fn requested_tracks_are_summed_up() {
        let (mono, two, same) = (wav(&[900], 1), wav(&[900, 0], 1), wav(&[900, 900], 1));
        let unknown = TrackSelection { basis: TrackBasis::UnknownFile, ..mono.clone() };
        let said = |selected: &[TrackSelection]| lines(selected, None);
        assert_eq!(said(std::slice::from_ref(&mono)), Vec::<String>::new());
        assert_eq!(
            said(&[mono.clone(), two.clone(), same.clone(), two.clone(), unknown]),
            [
                "2 local files have two different tracks: both are requested, 4 tracks are billed",
                "1 local file has the same sound in both tracks: it is requested once",
                "1 local file: number of tracks unknown, only track 0 is requested; choose with --channel",
            ]
        );
        assert_eq!(
            said(&[two.clone(), wav(&[900, 0, 900, 400], 1)]),
            [
                "2 local files have several different tracks: all are requested, 5 tracks are billed",
                "1 local file has the same sound in several tracks: it is requested once",
            ]
        );
        // GSM is not decoded here.
        assert_eq!(
            said(&[wav(&[900, 900], 0x31)]),
            ["1 local file has two tracks that cannot be compared here: both are requested, 2 tracks are billed"]
        );
        assert_eq!(
            lines(&[two.clone(), mono, two], Some("diarization (--diarize) works on one track")),
            [
                "diarization (--diarize) works on one track: only track 0 of 2 local files with several tracks is requested"
            ]
        );
    }
}
