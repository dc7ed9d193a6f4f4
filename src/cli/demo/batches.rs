//! What is transcribed: recordings that are asked for alike are a batch, with a folder of their own.

use std::path::{Path, PathBuf};

use crate::billing::{Plan, Recording};
use crate::catalog::Region;
use crate::client::Recognition;
use crate::emulator::Dialogue;

pub(super) const REGION: Region = Region::Intl;
/// Of the batches.
const MODEL: &str = "fun-asr";
/// Of the message. It streams from a minute of audio on.
pub(super) const FLASH: &str = "fun-asr-flash-2026-06-15";
/// The message on the answering machine.
pub(super) const CLIP: &str = "boiler-voicemail";
/// An address that nobody can fetch from.
pub(super) const LOST: &str = "https://archive.invalid/demo/lost-recording.wav";

/// Recordings that are asked for alike.
#[derive(Debug)]
pub(super) struct DemoBatch {
    pub(super) what: &'static str,
    /// What its folder holds.
    pub(super) holds: &'static str,
    pub(super) folder: PathBuf,
    /// Of a batch; none of the message.
    pub(super) recognition: Option<Recognition>,
    pub(super) recordings: Vec<Recording>,
    pub(super) plan: Plan,
}

/// Where a call is said to lie; nobody fetches it.
pub(super) fn url(name: &str) -> String {
    format!("https://calls.example/demo/{name}.wav")
}

pub(super) fn clip_url() -> String {
    url(CLIP)
}

/// The calls by how they are asked for, in folders below `folder`.
pub(super) fn batches(calls: &[Dialogue], folder: &Path) -> Vec<DemoBatch> {
    let known = |call: &Dialogue| Recording {
        file: url(call.name()),
        duration_ms: i64::try_from(call.duration_ms()).ok(),
        channels: u32::try_from(call.tracks()).ok(),
        ..Recording::default()
    };
    let (clip, calls): (Vec<&Dialogue>, Vec<&Dialogue>) = calls.iter().partition(|call| call.name() == CLIP);
    let (apart, mono): (Vec<&Dialogue>, Vec<&Dialogue>) = calls.into_iter().partition(|call| call.tracks() > 1);
    let all = |calls: Vec<&Dialogue>| calls.into_iter().map(known).collect::<Vec<_>>();
    let mut apart = all(apart);
    apart.push(Recording { file: LOST.to_owned(), ..Recording::default() });
    let plan = |model: &str, tracks: &[u32]| Plan {
        model: model.to_owned(),
        region: REGION,
        tracks: tracks.to_vec(),
        speech_share: None,
    };
    vec![
        DemoBatch {
            what: "calls, a track for each party",
            holds: "their batch: results/, the ledger, failures.csv",
            folder: folder.join("calls"),
            recognition: Some(Recognition::new(MODEL).channels(&[0, 1])),
            recordings: apart,
            plan: plan(MODEL, &[0, 1]),
        },
        DemoBatch {
            what: "calls, one track, speakers told apart",
            holds: "the batch of calls on one track, speakers told apart",
            folder: folder.join("mono"),
            recognition: Some(Recognition::new(MODEL).diarize(true)),
            recordings: all(mono),
            plan: plan(MODEL, &[0]),
        },
        DemoBatch {
            what: "a message, by flash",
            holds: "the message, its answer as received beside it",
            folder: folder.join("flash"),
            recognition: None,
            recordings: all(clip),
            plan: plan(FLASH, &[0]),
        },
    ]
}
