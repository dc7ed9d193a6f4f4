//! `cost estimate --vad`: how much of each local recording is speech, measured rather than assumed.
//!
//! Recordings that cannot be measured keep the usual share, and are said.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::super::output::{Console, chain};
use super::recordings::Found;
use crate::audio::{Speech, speech, tracks};
use crate::billing::{Measure, Recording};
use crate::report::number::counted;

/// Of a length by the headers, the part in hundredths that must be decoded: less is a file that was cut off or damaged.
const DECODED: u64 = 95;

/// Shorter lacks are the padding of codecs, in ms.
const PADDING_MS: u64 = 1000;

/// Measures every local recording, several at a time. `otherwise` says what is reckoned with where that fails.
pub(super) fn measure(found: &mut [Found], search_path: Option<&OsStr>, otherwise: &str, console: &Console) {
    let ffmpeg = search_path.and_then(|path| program("ffmpeg", path));
    let local = found.iter().filter(|found| found.path.is_some()).count();
    let bar = console.progress(local);
    let failures: Vec<Option<Failure>> = found
        .par_iter_mut()
        .map(|found| {
            let path = found.path.as_deref()?;
            let failure = of_one(path, &mut found.recording, ffmpeg.as_deref()).err();
            if found.recording.channels.is_some_and(|channels| channels > 1) {
                // As `transcribe` does; what fails here has failed above.
                let compared = tracks(path).ok().flatten().filter(|tracks| tracks.compared);
                found.different =
                    compared.map(|tracks| tracks.distinct.into_iter().map(u32::from).collect()).unwrap_or_default();
            }
            bar.inc(1);
            failure
        })
        .collect();
    bar.finish_and_clear();
    let mut without_ffmpeg = 0;
    for (found, failure) in found.iter().zip(failures) {
        match (failure, &found.path) {
            (Some(Failure::NoFfmpeg), _) => without_ffmpeg += 1,
            (Some(Failure::Other(why)), Some(path)) => {
                let otherwise = found.recording.duration_ms.map(|_| format!(": {otherwise}")).unwrap_or_default();
                console.say(&format!("{}: {why}{otherwise}", path.display()));
            }
            _ => {}
        }
    }
    if without_ffmpeg > 0 {
        let recordings = counted(without_ffmpeg, "recording");
        console.say(&format!("{recordings} cannot be decoded without ffmpeg: {otherwise}"));
    }
}

/// Why a recording is not measured.
enum Failure {
    /// It might be, if that were installed.
    NoFfmpeg,
    /// One clause.
    Other(String),
}

fn of_one(path: &Path, recording: &mut Recording, ffmpeg: Option<&Path>) -> Result<(), Failure> {
    match speech(path, ffmpeg) {
        Ok(Some(speech)) => take(recording, &speech).map_err(Failure::Other),
        Ok(None) if ffmpeg.is_none() && recording.duration_ms.is_some() => Err(Failure::NoFfmpeg),
        Ok(None) => Err(Failure::Other("cannot be decoded".to_owned())),
        Err(error) => Err(Failure::Other(chain(&error))),
    }
}

/// Takes what was measured; one clause why not, where too little could be decoded.
fn take(recording: &mut Recording, speech: &Speech) -> Result<(), String> {
    let stated = recording.duration_ms.and_then(|ms| u64::try_from(ms).ok());
    let decoded = speech.duration_ms;
    if let Some(stated) = stated
        && decoded.saturating_add(PADDING_MS) < stated
        && decoded.saturating_mul(100) < stated.saturating_mul(DECODED)
    {
        return Err(format!("only {decoded} of {stated} ms can be decoded"));
    }
    let ms = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    if stated.is_none() {
        recording.duration_ms = Some(ms(decoded));
    }
    let each = speech.channels_ms.iter().zip(&speech.with_tones_ms);
    recording.measured_ms = (0..)
        .zip(each)
        .map(|(channel, (speech, with_tones))| (channel, Measure { speech: ms(*speech), with_tones: ms(*with_tones) }))
        .collect();
    Ok(())
}

/// Looks for a program in the folders of `PATH`. Empty and relative ones are left out: a folder of recordings is no place to
/// run a program from.
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
            take(&mut recording, &speech).map(|()| (recording.duration_ms, recording.measured_ms.get(&0).copied()))
        };
        let measure = Some(Measure { speech: 700, with_tones: 900 });
        assert_eq!(taken(Some(60_000), 10_000), Err("only 10000 of 60000 ms can be decoded".to_owned()));
        assert_eq!(taken(Some(60_000), 57_000), Ok((Some(60_000), measure)));
        // Codecs fill up their last frame.
        assert_eq!(taken(Some(1500), 1000), Ok((Some(1500), measure)));
        // Headers that do not say a length: it is what was decoded.
        assert_eq!(taken(None, 10_000), Ok((Some(10_000), measure)));
    }
}
