//! What the demo transcribes: recordings with the same request form a batch, each in its own folder.

use std::path::{Path, PathBuf};

use crate::billing::{Plan, Recording};
use crate::catalog::Region;
use crate::client::Recognition;
use crate::emulator::Dialogue;

pub(super) const REGION: Region = Region::Intl;
/// Model of the batches.
const MODEL: &str = "fun-asr";
/// Model of the message.
pub(super) const FLASH: &str = "fun-asr-flash-2026-06-15";
/// The message on the answering machine.
pub(super) const CLIP: &str = "boiler-voicemail";
/// A recording that cannot be fetched, to show a failure.
pub(super) const LOST: &str = "https://archive.invalid/demo/lost-recording.wav";

/// Recordings with the same request.
#[derive(Debug)]
pub(super) struct DemoBatch {
    pub(super) what: &'static str,
    /// What its folder contains.
    pub(super) contents: &'static str,
    pub(super) folder: PathBuf,
    /// `None` for the message, which is transcribed with flash.
    pub(super) recognition: Option<Recognition>,
    pub(super) recordings: Vec<Recording>,
    pub(super) plan: Plan,
}

/// The URL given for a call; nothing is fetched from it.
pub(super) fn url(name: &str) -> String {
    format!("https://calls.example/demo/{name}.wav")
}

pub(super) fn clip_url() -> String {
    url(CLIP)
}

/// The calls grouped by request, in folders below `folder`.
pub(super) fn batches(calls: &[Dialogue], folder: &Path) -> Vec<DemoBatch> {
    let recording = |call: &Dialogue| Recording {
        file: url(call.name()),
        duration_ms: i64::try_from(call.duration_ms()).ok(),
        channels: u32::try_from(call.tracks()).ok(),
        ..Recording::default()
    };
    let (clip, calls): (Vec<&Dialogue>, Vec<&Dialogue>) = calls.iter().partition(|call| call.name() == CLIP);
    let (stereo, mono): (Vec<&Dialogue>, Vec<&Dialogue>) = calls.into_iter().partition(|call| call.tracks() > 1);
    let recordings = |calls: Vec<&Dialogue>| calls.into_iter().map(recording).collect::<Vec<_>>();
    let mut stereo = recordings(stereo);
    stereo.push(Recording { file: LOST.to_owned(), ..Recording::default() });
    let plan = |model: &str, tracks: &[u32]| Plan::new(model, REGION, tracks);
    vec![
        DemoBatch {
            what: "calls with one track per speaker",
            contents: "their batch: results/, the ledger, failures.csv",
            folder: folder.join("calls"),
            recognition: Some(Recognition::new(MODEL).channels(&[0, 1])),
            recordings: stereo,
            plan: plan(MODEL, &[0, 1]),
        },
        DemoBatch {
            what: "calls on one track, diarised",
            contents: "the batch of calls on one track, diarised",
            folder: folder.join("mono"),
            recognition: Some(Recognition::new(MODEL).diarize(true)),
            recordings: recordings(mono),
            plan: plan(MODEL, &[0]),
        },
        DemoBatch {
            what: "a message, with flash",
            contents: "the message, with the answer as received",
            folder: folder.join("flash"),
            recognition: None,
            recordings: recordings(clip),
            plan: plan(FLASH, &[0]),
        },
    ]
}
