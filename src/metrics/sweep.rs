//! Span, speech, silence and overlap in one sweep over the bursts (definitions: span, silence, overlap).

use super::conversation::Conversation;
use super::interval::Interval;

/// A stretch of mutual silence between two bursts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) interval: Interval,
    /// Who spoke before it: of the bursts that end where the gap begins, the first in participant order (definitions:
    /// event).
    pub(crate) before: u32,
    pub(crate) after: u32,
}

/// Lengths of talk and silence in ms.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    /// First begin to last end; `None` without a burst.
    pub(crate) span: Option<Interval>,
    /// Time in which at least one participant talks.
    pub(crate) speech_ms: i64,
    /// Time in which two or more talk.
    pub(crate) overlap_ms: i64,
    /// Time in which two or more known participants talk (definitions: overlap).
    pub(crate) known_overlap_ms: i64,
    /// Talk of each participant.
    pub(crate) talk_ms: Vec<i64>,
    /// Time in which each participant talks alone.
    pub(crate) alone_ms: Vec<i64>,
    /// Mutual silences inside the span.
    pub(crate) gaps: Vec<Gap>,
}

impl Sweep {
    pub(crate) fn new(conversation: &Conversation<'_>) -> Self {
        let participants = &conversation.participants;
        let mut sweep =
            Self { talk_ms: vec![0; participants.len()], alone_ms: vec![0; participants.len()], ..Self::default() };
        let mut edges = Vec::with_capacity(2 * conversation.bursts.len());
        for burst in &conversation.bursts {
            if let Some(talk) = sweep.talk_ms.get_mut(burst.participant as usize) {
                *talk += burst.interval.length();
            }
            edges.push((burst.interval.begin, 1_i64, burst.participant));
            edges.push((burst.interval.end, -1, burst.participant));
        }
        // Ends sort before begins in the same ms: half-open intervals that abut neither overlap nor leave a gap.
        // A sorted run for each participant, which a stable sort merges.
        edges.sort();
        sweep.cross(conversation, &edges);
        sweep
    }

    fn cross(&mut self, conversation: &Conversation<'_>, edges: &[(i64, i64, u32)]) {
        let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return };
        self.span = Some(Interval { begin: first.0, end: last.0 });
        // While one participant is active, the sum of the active indices is its index.
        let (mut active, mut active_known, mut sum, mut since) = (0, 0, 0_i64, first.0);
        // When the latest burst ended, and whose it was.
        let (mut ended, mut ended_by) = (i64::MIN, 0);
        for &(at, step, participant) in edges {
            let length = at - since;
            match active {
                0 if length > 0 => {
                    let after = first_to_begin(edges, at).unwrap_or(participant);
                    self.gaps.push(Gap { interval: Interval { begin: since, end: at }, before: ended_by, after });
                }
                1 => {
                    if let Some(alone) = self.alone_ms.get_mut(sum as usize) {
                        *alone += length;
                    }
                    self.speech_ms += length;
                }
                2.. => {
                    self.speech_ms += length;
                    self.overlap_ms += length;
                    if active_known > 1 {
                        self.known_overlap_ms += length;
                    }
                }
                _ => {}
            }
            active += step;
            active_known += if conversation.is_known(participant) { step } else { 0 };
            sum += step * i64::from(participant);
            since = at;
            if step < 0 {
                ended_by = if ended == at { ended_by.min(participant) } else { participant };
                ended = at;
            }
        }
    }
}

/// The first in participant order of those who begin at `at`.
fn first_to_begin(edges: &[(i64, i64, u32)], at: i64) -> Option<u32> {
    let begins = edges.partition_point(|edge| (edge.0, edge.1) < (at, 1));
    edges.get(begins).map(|edge| edge.2)
}
