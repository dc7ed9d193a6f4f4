//! `cost estimate --vad`: measures the speech in local recordings. Recordings that cannot be measured keep the usual share and are
//! reported.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::super::output::{Console, chain};
use super::recordings::EstimateInput;
use crate::audio::{Speech, speech, tracks};
use crate::billing::{MeasuredSpeech, Recording};
use crate::report::number::counted;

/// The part of the stated length, in hundredths, that must be decoded; less means a truncated or damaged file.
const DECODED: u64 = 95;

/// A smaller difference, in ms, is codec padding.
const PADDING_MS: u64 = 1000;

/// Measures all local recordings in parallel. `otherwise` tells what is assumed if that fails.
pub(super) fn measure(inputs: &mut [EstimateInput], search_path: Option<&OsStr>, otherwise: &str, console: &Console) {
    let ffmpeg = search_path.and_then(|path| program("ffmpeg", path));
    let local = inputs.iter().filter(|input| input.path.is_some()).count();
    let bar = console.progress(local);
    let failures: Vec<Option<Failure>> = inputs
        .par_iter_mut()
        .map(|input| {
            let path = input.path.as_deref()?;
            let failure = measure_one(path, &mut input.recording, ffmpeg.as_deref()).err();
            if input.recording.channels.is_some_and(|channels| channels > 1) {
                // As `transcribe` does; a failure here was already reported above.
                let compared = tracks(path).ok().flatten().filter(|tracks| tracks.compared);
                input.distinct =
                    compared.map(|tracks| tracks.distinct.into_iter().map(u32::from).collect()).unwrap_or_default();
            }
            bar.inc(1);
            failure
        })
        .collect();
    bar.finish_and_clear();
    let mut without_ffmpeg = 0;
    for (input, failure) in inputs.iter().zip(failures) {
        match (failure, &input.path) {
            (Some(Failure::NoFfmpeg), _) => without_ffmpeg += 1,
            (Some(Failure::Other(why)), Some(path)) => {
                let otherwise = input.recording.duration_ms.map(|_| format!(": {otherwise}")).unwrap_or_default();
                console.say(&format!("{}: {why}{otherwise}", path.display()));
            }
            _ => {}
        }
    }
    if without_ffmpeg > 0 {
        let recordings = counted(without_ffmpeg, "recording");
        console.say(&format!("{recordings} cannot be decoded without ffmpeg; {otherwise}"));
    }
}

/// Why a recording was not measured.
enum Failure {
    /// Decoding needs ffmpeg, which is not installed.
    NoFfmpeg,
    /// Any other reason, in one clause.
    Other(String),
}

fn measure_one(path: &Path, recording: &mut Recording, ffmpeg: Option<&Path>) -> Result<(), Failure> {
    match speech(path, ffmpeg) {
        Ok(Some(speech)) => record(recording, &speech).map_err(Failure::Other),
        Ok(None) if ffmpeg.is_none() && recording.duration_ms.is_some() => Err(Failure::NoFfmpeg),
        Ok(None) => Err(Failure::Other("cannot be decoded".to_owned())),
        Err(error) => Err(Failure::Other(chain(&error))),
    }
}

/// Records the measured speech, or returns why too little could be decoded.
fn record(recording: &mut Recording, speech: &Speech) -> Result<(), String> {
    let stated = recording.duration_ms.and_then(|ms| u64::try_from(ms).ok());
    let decoded = speech.duration_ms;
    if let Some(stated) = stated
        && decoded.saturating_add(PADDING_MS) < stated
        && decoded.saturating_mul(100) < stated.saturating_mul(DECODED)
    {
        return Err(format!("only {decoded} of {stated} ms could be decoded"));
    }
    let ms = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    if stated.is_none() {
        recording.duration_ms = Some(ms(decoded));
    }
    let each = speech.channels_ms.iter().zip(&speech.with_tones_ms);
    recording.measured_ms = (0..)
        .zip(each)
        .map(|(channel, (speech, with_tones))| {
            (channel, MeasuredSpeech { speech: ms(*speech), with_tones: ms(*with_tones) })
        })
        .collect();
    Ok(())
}

/// Finds a program on `PATH`. Empty and relative entries are skipped, so that no program is run from a folder of recordings.
fn program(name: &str, search_path: &OsStr) -> Option<PathBuf> {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let folders = std::env::split_paths(search_path).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(&name)).find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_which_too_little_can_be_decoded_is_not_measured() {
        let taken = |stated: Option<i64>, decoded: u64| {
            let mut recording = Recording { duration_ms: stated, ..Recording::default() };
            let speech = Speech { channels_ms: vec![700], with_tones_ms: vec![900], duration_ms: decoded };
            record(&mut recording, &speech).map(|()| (recording.duration_ms, recording.measured_ms.get(&0).copied()))
        };
        let measure = Some(MeasuredSpeech { speech: 700, with_tones: 900 });
        assert_eq!(taken(Some(60_000), 10_000), Err("only 10000 of 60000 ms could be decoded".to_owned()));
        assert_eq!(taken(Some(60_000), 57_000), Ok((Some(60_000), measure)));
        // Codecs pad their last frame.
        assert_eq!(taken(Some(1500), 1000), Ok((Some(1500), measure)));
        // If the headers state no length, it is the decoded length.
        assert_eq!(taken(None, 10_000), Ok((Some(10_000), measure)));
    }
}
