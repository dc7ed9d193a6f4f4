//! Turns, and how the floor passes from one participant to the next: signed response offsets (definitions: turn,
//! response).

use std::ops::Range;

use super::conversation::Conversation;
use super::interval::Interval;

/// A stretch in which one participant holds the floor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FloorTurn {
    pub(crate) participant: u32,
    pub(crate) interval: Interval,
    /// Sum of its bursts: pauses above the join gap are left out.
    pub(crate) talk_ms: i64,
    /// A range of the conversation's pieces.
    pub(crate) pieces: Range<u32>,
}

#[derive(Debug, Default)]
pub(crate) struct Floor {
    /// By time.
    pub(crate) turns: Vec<FloorTurn>,
    /// Pieces of the bursts that lie inside another participant's turn and belong to no turn.
    pub(crate) contained: Vec<Range<u32>>,
}

/// A change of turn between two known participants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Transfer {
    /// The participant who takes the floor.
    pub(crate) to: u32,
    /// Begin of the new turn − end of the old one: negative when they overlap.
    pub(crate) offset_ms: i64,
}

impl Floor {
    /// Assigns the bursts to turns, by begin, end, participant (definitions: turn).
    pub(crate) fn new(conversation: &Conversation<'_>, turn_pause_ms: i64) -> Self {
        let mut floor = Self::default();
        let mut floor_end = i64::MIN;
        for burst in conversation.bursts_in_time() {
            let interval = burst.interval;
            match floor.turns.last_mut() {
                Some(turn) if turn.participant != burst.participant && interval.end <= floor_end => {
                    floor.contained.push(burst.pieces.clone());
                    continue;
                }
                Some(turn)
                    if turn.participant == burst.participant && interval.begin - turn.interval.end < turn_pause_ms =>
                {
                    // Within a turn the participant's bursts are adjacent, and so are their pieces.
                    turn.interval.end = turn.interval.end.max(interval.end);
                    turn.talk_ms += interval.length();
                    turn.pieces.end = burst.pieces.end;
                }
                _ => floor.turns.push(FloorTurn {
                    participant: burst.participant,
                    interval,
                    talk_ms: interval.length(),
                    pieces: burst.pieces.clone(),
                }),
            }
            floor_end = floor_end.max(interval.end);
        }
        floor
    }

    /// Pairs of adjacent turns of different participants, neither of them `unknown` (definitions: turn).
    pub(crate) fn transfers(&self, conversation: &Conversation<'_>) -> Vec<Transfer> {
        self.turns
            .array_windows()
            .filter(|[from, to]| {
                from.participant != to.participant
                    && conversation.is_known(from.participant)
                    && conversation.is_known(to.participant)
            })
            .map(|[from, to]| Transfer { to: to.participant, offset_ms: to.interval.begin - from.interval.end })
            .collect()
    }
}
