//! Sets of reasons that several columns share, each in the order in which causes are tried: the first that holds is
//! the column's reason.

use super::super::Reason::{self, *};

/// Never null, or null for a reason that the row does not name.
pub(super) const NEVER: &[Reason] = &[];
pub(super) const TIMED: &[Reason] = &[NoTimes];
pub(super) const BILLED: &[Reason] = &[NoTimes, DurationUnknown, ForeignResult];
pub(super) const SPAN: &[Reason] = &[NoSpeech, NoTimes];
pub(super) const DURATION: &[Reason] = &[DurationUnknown];
pub(super) const TAIL: &[Reason] = &[NoSpeech, NoTimes, DurationUnknown];
pub(super) const SWITCHES: &[Reason] = &[NoTimes, NoSpeech, SingleParticipant];
pub(super) const OVERLAP: &[Reason] = &[NoTimes, NoSpeech, SingleParticipant, DuplicateChannels, SingleChannelDiarised];
pub(super) const ONSETS: &[Reason] =
    &[NoTimes, NoSpeech, SingleParticipant, DuplicateChannels, SingleChannelDiarised, UnknownParticipant];
pub(super) const COUNTABLE: &[Reason] = &[ScriptNeedsDictionary];
pub(super) const COUNTABLE_IN_TIME: &[Reason] = &[ScriptNeedsDictionary, NoTimes];
pub(super) const RATE: &[Reason] = &[NoSpeech, NoTimes, ScriptNeedsDictionary, UntimedText, TooLittleSpeech];
pub(super) const RATE_IN_WINDOW: &[Reason] = &[ScriptNeedsDictionary, NoTimes, UntimedText, TooLittleSpeech];
pub(super) const ARTICULATION: &[Reason] =
    &[NoSpeech, NoTimes, NoWordTimes, InterpolatedWords, ScriptNeedsDictionary, UntimedText, TooLittleSpeech];
pub(super) const SHARE: &[Reason] = &[NoTimes, SingleParticipant, NoSpeech];
pub(super) const TALK_LISTEN: &[Reason] = &[NoTimes, SingleParticipant, NoSpeech, NoOtherSpeech];
pub(super) const TURNS: &[Reason] = &[NoSpeech, NoTimes, NoTurns];
pub(super) const RESPONSE_COUNT: &[Reason] = &[NoTimes, SingleParticipant, UnknownParticipant];
pub(super) const RESPONSE: &[Reason] =
    &[NoTimes, SingleParticipant, UnknownParticipant, NoSpeech, NoResponses, SingleChannelDiarised];
