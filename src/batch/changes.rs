//! How the recordings of a request differ from what a batch has of them, and what is said about it.

use super::Recording;
use super::event::Event;
use super::identity::Match;
use super::source::Source;
use super::state::{Phase, RecordingState};

/// How many are named of each kind.
const NAMED: usize = 5;

/// The differences, counted for the notes.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Known under another address, and nothing is to be submitted.
    done: usize,
    /// The same, but not done: the fresh address is taken.
    readdressed: usize,
    /// Of both: not only the signature differs, the id tells that it is the same.
    elsewhere: usize,
    moved: usize,
    replaced: Vec<String>,
    retried: Vec<String>,
    several: Vec<String>,
}

impl Changes {
    /// The events for a recording that the batch has; `changed`: its file has another content.
    pub(super) fn known(
        &mut self,
        known: &RecordingState,
        recording: &Recording,
        changed: bool,
    ) -> Vec<Event<'static>> {
        let is_file = matches!(recording.source, Source::File(_));
        let is_elsewhere = match (known.path(), recording.path()) {
            (Some(before), Some(now)) => *before != now,
            (None, None) => known.source.sent() != recording.source.sent(),
            _ => true,
        };
        let described = recording.columns.clone().filter(|columns| known.columns.as_ref() != Some(columns));
        let mut events: Vec<Event<'static>> =
            described.map(|columns| Event::Described { n: known.n, columns }).into_iter().collect();
        if !is_elsewhere && known.stamp() == recording.stamp && !changed {
            return events;
        }
        let needs_address = matches!(known.phase, Phase::Waiting | Phase::Failed(_) | Phase::Attempted(_));
        if is_file {
            self.moved += usize::from(is_elsewhere);
        } else {
            let is_fresh = known.key() == super::identity::key(known.id.as_deref(), &recording.location);
            let same_address = crate::recording_id::address_id(&recording.location)
                == known.source.sent().map(crate::recording_id::address_id).unwrap_or_default();
            self.elsewhere += usize::from(!(is_fresh && same_address));
            *(if needs_address { &mut self.readdressed } else { &mut self.done }) += 1;
        }
        if is_file || needs_address {
            events.push(Event::Readdressed {
                n: known.n,
                url: recording.source.given().into_owned().into(),
                key: recording.location.to_string().into(),
                stamp: recording.stamp,
            });
        }
        if changed && matches!(known.phase, Phase::Failed(_)) {
            self.retried.push(recording.source.printable());
            events.push(Event::Reopened { n: known.n, why: "its file was replaced".into() });
        }
        events
    }

    /// Whether a recording that is not known for certain is not added either.
    pub(super) fn is_left_alone(&mut self, found: &Match, recording: &Recording) -> bool {
        match found {
            Match::Replaced => self.replaced.push(recording.source.printable()),
            Match::Several(_) => self.several.push(recording.source.printable()),
            Match::New | Match::Known { .. } => {}
        }
        matches!(found, Match::Several(_))
    }

    /// One line for each kind of difference.
    pub(super) fn notes(self) -> Vec<String> {
        let Self { done, readdressed, elsewhere, moved, replaced, retried, several } = self;
        let recordings =
            |count: usize| if count == 1 { "1 recording".to_owned() } else { format!("{count} recordings") };
        let mut notes = Vec::new();
        if done + readdressed > 0 {
            let told = match elsewhere {
                0 => "known under another signature".to_owned(),
                some if some == done + readdressed => "known by their id under another address".to_owned(),
                some => format!("known under another signature, {some} of them by their id under another address"),
            };
            let what = match (done, readdressed) {
                (_, 0) => "not submitted again".to_owned(),
                (0, _) => "not done yet, the fresh address is used".to_owned(),
                _ => format!("{done} not submitted again, {readdressed} not done yet, which use the fresh address"),
            };
            notes.push(format!("{} {told}: {what}", recordings(done + readdressed)));
        }
        if moved > 0 {
            notes.push(format!("{} moved or renamed, with the same content: not submitted again", recordings(moved)));
        }
        named(&mut notes, &replaced, "the file was replaced since it was submitted: a new recording");
        named(&mut notes, &retried, "the file was replaced since it failed: submitted again");
        named(
            &mut notes,
            &several,
            "the batch has this recording more than once, from before signatures were told apart: left as it is, not submitted \
             again",
        );
        notes
    }
}

fn named(notes: &mut Vec<String>, recordings: &[String], what: &str) {
    notes.extend(recordings.iter().take(NAMED).map(|recording| format!("{recording}: {what}")));
    if recordings.len() > NAMED {
        notes.push(format!("and {} more: {what}", recordings.len() - NAMED));
    }
}
