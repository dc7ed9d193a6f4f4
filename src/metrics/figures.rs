//! Turns bursts, turns and onsets into the rows of `calls`, `participants`, `turns` and `events`, with each figure's
//! null rule.
//!
//! A null figure has one cause: the first that holds, in the order given in definitions: reason. The code tests causes
//! in that order.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::conversation::{Basis, Burst, Conversation};
use super::floor::{Floor, FloorTurn, Transfer};
use super::interval::union_length;
use super::onsets::{EventKind, Onset, onsets, onsets_of_sentences};
use super::percentile::percentile;
use super::quality;
use super::reason::{Figure, Reason, Reasons};
use super::rows::{Call, Event, Participant, Turn, Window};
use super::sweep::Sweep;
use super::texts::Texts;
use super::windows;
use super::{Settings, Wanted};
use crate::text::{Units, is_question};
use crate::transcript::{Code, Place};

/// The text of an event is cut off here, so that a burst of an hour is not repeated with each of its events.
const LONGEST_TEXT_BYTES: usize = 16_384;

/// The rows that are measured together, because their null rules depend on each other.
pub(super) struct Figures {
    pub(super) call: Call,
    pub(super) participants: Vec<Participant>,
    pub(super) turns: Vec<Turn>,
    pub(super) events: Vec<Event>,
    pub(super) windows: Vec<Window>,
}

pub(super) fn measure(
    conversation: &mut Conversation<'_>,
    sweep: &Sweep,
    floor: &Floor,
    texts: &mut Texts,
    settings: &Settings,
    wanted: Wanted,
) -> Figures {
    let duplicates = quality::duplicate_channels(conversation);
    let transfers = floor.transfers(conversation);
    let totals = ParticipantTotals::collect(conversation, floor, &transfers);
    quality::note(conversation, sweep, &totals, duplicates);
    if windows::are_left_out(conversation, sweep, settings) {
        conversation.notices.add(Code::WindowsLeftOut, Place::default(), "");
    }

    let overlap = overlap_cause(conversation, sweep, duplicates);
    let conversation = &*conversation;
    let markers = settings.markers;
    let preset = settings.preset;
    // What onsets are begins of, with the number of its sentence in place of pieces where it is a sentence.
    let sentences = if preset.is_of_sentences() { conversation.sentences_in_time() } else { Vec::new() };
    let mut spoken = |range: &std::ops::Range<u32>| match preset.is_of_sentences() {
        false => texts.text(conversation, range, markers),
        true => match conversation.sentences.get(range.start as usize) {
            Some(sentence) => (markers.shown(conversation.text(sentence)).into_owned(), sentence.units),
            None => Default::default(),
        },
    };
    let units = |burst: &Burst| spoken(&burst.pieces).1.units();
    let onsets = match overlap {
        Ok(()) if preset.is_of_sentences() => onsets_of_sentences(conversation, &sentences, settings, units),
        Ok(()) => onsets(conversation, settings, units),
        Err(_) => Vec::new(),
    };
    let events =
        events(sweep, &onsets, settings, |range| if wanted.event_texts { spoken(range).0 } else { String::new() });
    let windows = if wanted.windows { windows::cut(conversation, sweep, &totals, settings) } else { Vec::new() };
    let turns =
        if wanted.turns { turn_rows(floor, |pieces| texts.text(conversation, pieces, markers)) } else { Vec::new() };
    let context = Context { conversation, sweep, totals: &totals, onsets: &onsets, overlap, settings };
    let participants = context.participants();
    let call = context.call(floor, &transfers, &events);
    Figures { call, participants, turns, events, windows }
}

/// Sums over one participant, before any null rule.
#[derive(Debug, Default, Clone)]
pub(super) struct ParticipantTotals {
    /// Length of the union of the pieces, without closing gaps.
    union_ms: i64,
    /// Σ over sentences of the length of each one's own union.
    sentences_ms: i64,
    /// The same over the sentences with each emotion.
    emotions_ms: BTreeMap<String, i64>,
    /// Σ of the pieces' lengths. In a hostile file words overlap without limit, so the sum can exceed 64 bits.
    piece_ms: i128,
    /// The same over pieces of interpolated sentences.
    interpolated_ms: i128,
    /// Whether there are pieces by words, and by sentences.
    bases: [bool; 2],
    units: Units,
    untimed_units: i64,
    /// Has a sentence with text but without any time.
    untimed: bool,
    questions: i64,
    /// First begin and last end of the bursts.
    pub(super) reach: Option<(i64, i64)>,
    turn_lengths: Vec<i64>,
    pub(super) offsets: Vec<i64>,
    pub(super) sentences: u64,
}

impl ParticipantTotals {
    fn collect(conversation: &Conversation<'_>, floor: &Floor, transfers: &[Transfer]) -> Vec<Self> {
        let mut totals = vec![Self::default(); conversation.participants.len()];
        for sentence in &conversation.sentences {
            let Some(total) = totals.get_mut(sentence.participant as usize) else { continue };
            total.sentences += 1;
            total.sentences_ms = total.sentences_ms.saturating_add(sentence.talk_ms);
            if let Some(emotion) = conversation.sentence(sentence).emotion.as_deref() {
                match total.emotions_ms.get_mut(emotion) {
                    Some(talk) => *talk = talk.saturating_add(sentence.talk_ms),
                    None => {
                        total.emotions_ms.insert(emotion.to_owned(), sentence.talk_ms);
                    }
                }
            }
            total.units += sentence.units;
            total.untimed_units += i64::from(sentence.untimed_units);
            total.untimed |= sentence.untimed;
            total.questions += i64::from(is_question(&conversation.text(sentence)));
            match sentence.basis {
                Some(Basis::Words) => total.bases[0] = true,
                Some(_) => total.bases[1] = true,
                None => {}
            }
        }
        for pieces in conversation.pieces.chunk_by(|one, two| one.participant == two.participant) {
            let Some(total) = pieces.first().and_then(|piece| totals.get_mut(piece.participant as usize)) else {
                continue;
            };
            total.union_ms = union_length(pieces.iter().map(|piece| piece.interval));
            for piece in pieces {
                let length = piece.interval.length();
                total.piece_ms += i128::from(length);
                let sentence = conversation.sentences.get(piece.sentence as usize);
                if sentence.is_some_and(|sentence| sentence.interpolated) {
                    total.interpolated_ms += i128::from(length);
                }
            }
        }
        for burst in &conversation.bursts {
            let Some(total) = totals.get_mut(burst.participant as usize) else { continue };
            let first = total.reach.map_or(burst.interval.begin, |reach| reach.0);
            total.reach = Some((first, burst.interval.end));
        }
        for turn in &floor.turns {
            if let Some(total) = totals.get_mut(turn.participant as usize) {
                total.turn_lengths.push(turn.interval.length());
            }
        }
        for transfer in transfers {
            if let Some(total) = totals.get_mut(transfer.to as usize) {
                total.offsets.push(transfer.offset_ms);
            }
        }
        totals
    }

    /// Talk in which sentences of the participant overlap each other.
    pub(super) fn self_overlap_ms(&self) -> i64 {
        self.sentences_ms.saturating_sub(self.union_ms)
    }

    /// `name:share` of the talk in sentences with each emotion, by falling share; `None` without any.
    fn emotions(&self) -> Option<String> {
        if self.sentences_ms == 0 {
            return None;
        }
        let mut emotions: Vec<(&String, &i64)> = self.emotions_ms.iter().collect();
        emotions.sort_by_key(|(_, talk)| std::cmp::Reverse(**talk));
        let share = |(name, talk): &(&String, &i64)| format!("{name}:{}", **talk as f64 / self.sentences_ms as f64);
        let shares: Vec<String> = emotions.iter().map(share).collect();
        (!shares.is_empty()).then(|| shares.join(";"))
    }

    fn basis(&self) -> Option<Basis> {
        match self.bases {
            [true, true] => Some(Basis::Mixed),
            [true, false] => Some(Basis::Words),
            [false, true] => Some(Basis::Sentences),
            [false, false] => None,
        }
    }

    /// Fails when the participant has text but no burst: its times are null (definitions: untimed text).
    pub(super) fn timed(&self) -> Figure<()> {
        if self.reach.is_none() && self.untimed { Err(Reason::NoTimes) } else { Ok(()) }
    }

    /// Whether too many units have no time for a rate (definitions: untimed text).
    pub(super) fn mostly_untimed(&self) -> bool {
        mostly_untimed(self.units, self.untimed_units)
    }

    /// As [`ParticipantTotals::timed`], and fails without a burst.
    fn spoke(&self) -> Figure<()> {
        self.timed()?;
        self.reach.map(|_| ()).ok_or(Reason::NoSpeech)
    }
}

/// Whether over 10 % of the units have no time (definitions: untimed text).
fn mostly_untimed(units: Units, untimed_units: i64) -> bool {
    untimed_units * 10 > i64::from(units.total())
}

/// A rate per minute, after the null rules that all rates share (definitions: speech rate, untimed text, reason).
fn rate(units: Units, untimed_units: i64, talk_ms: i64, denominator_ms: i64, settings: &Settings) -> Figure<f64> {
    let counted = i64::from(units.units().ok_or(Reason::ScriptNeedsDictionary)?);
    if mostly_untimed(units, untimed_units) {
        return Err(Reason::UntimedText);
    }
    if talk_ms < settings.parameters.rate_min_talk_ms && counted < settings.parameters.rate_min_units {
        return Err(Reason::TooLittleSpeech);
    }
    Ok(per_minute(counted, denominator_ms))
}

/// One division of exact integers (definitions: ratio).
pub(super) fn per_minute(count: i64, ms: i64) -> f64 {
    (count * 60_000) as f64 / ms as f64
}

fn ratio(part: i64, whole: i64, otherwise: Reason) -> Figure<f64> {
    if whole == 0 { Err(otherwise) } else { Ok(part as f64 / whole as f64) }
}

/// Fails when the call has text but no burst: its times are null (definitions: untimed text).
pub(super) fn timed(conversation: &Conversation<'_>, sweep: &Sweep) -> Figure<()> {
    let is_untimed = sweep.span.is_none() && conversation.sentences.iter().any(|sentence| sentence.untimed);
    if is_untimed { Err(Reason::NoTimes) } else { Ok(()) }
}

/// Fails with the reason when overlap cannot be measured in this call (definitions: overlap, reason).
pub(super) fn overlap_cause(conversation: &Conversation<'_>, sweep: &Sweep, duplicates: bool) -> Figure<()> {
    timed(conversation, sweep)?;
    match conversation.participants.len() {
        0 => return Err(Reason::NoSpeech),
        1 => return Err(Reason::SingleParticipant),
        _ => {}
    }
    if duplicates {
        return Err(Reason::DuplicateChannels);
    }
    // Jitter of a diariser's labels overlaps by some hundred ms per hour; people overlap for more than 1 % of the time.
    let shown = sweep.known_overlap_ms > 0 && sweep.known_overlap_ms * 100 >= sweep.speech_ms;
    if conversation.transcript.channels.len() < 2 && !shown {
        return Err(Reason::SingleChannelDiarised);
    }
    Ok(())
}

struct Context<'c, 't> {
    conversation: &'c Conversation<'t>,
    sweep: &'c Sweep,
    totals: &'c [ParticipantTotals],
    onsets: &'c [Onset<'c>],
    overlap: Figure<()>,
    settings: &'c Settings,
}

impl Context<'_, '_> {
    fn single(&self) -> Figure<()> {
        if self.conversation.participants.len() == 1 { Err(Reason::SingleParticipant) } else { Ok(()) }
    }

    fn has_participants(&self) -> Figure<()> {
        if self.conversation.participants.is_empty() { Err(Reason::NoSpeech) } else { Ok(()) }
    }

    fn call(&self, floor: &Floor, transfers: &[Transfer], events: &[Event]) -> Call {
        let (conversation, sweep) = (self.conversation, self.sweep);
        let transcript = conversation.transcript;
        let mut reasons = Reasons::default();
        let timed = timed(conversation, sweep);
        let span = timed.and_then(|()| sweep.span.ok_or(Reason::NoSpeech));
        let units: Units = self.totals.iter().map(|total| total.units).sum();
        let untimed = self.totals.iter().map(|total| total.untimed_units).sum();
        let talk: i64 = sweep.talk_ms.iter().sum();
        let silence = span.map(|span| span.length() - sweep.speech_ms);
        let dead_air = || events.iter().filter(|event| event.kind == EventKind::DeadAir);
        let tail = span.and_then(|span| {
            let stated = conversation.duration_ms.filter(|_| conversation.duration_stated);
            stated.map(|duration| duration - span.end).ok_or(Reason::DurationUnknown)
        });
        let onsets = |kinds: &[EventKind]| {
            self.overlap.map(|()| self.counted().filter(|onset| kinds.contains(&onset.kind)).count() as i64)
        };
        let switching = timed.and_then(|()| self.has_participants()).and_then(|()| self.single());
        let switches = transfers.len() as i64;
        let longest = sweep.gaps.iter().map(|gap| gap.interval.length()).max().unwrap_or(0);
        let mut keep = |figure: Figure<i64>| reasons.take(figure);
        let mut call = Call {
            file_url: transcript.file_url.as_deref().map(str::to_owned),
            source_format: Some(transcript.source_format().name()),
            model: self.settings.model.clone(),
            audio_format: transcript.audio_format.as_deref().map(str::to_owned),
            sampling_rate_hz: transcript.sampling_rate_hz,
            duration_ms: keep(conversation.duration_ms.ok_or(Reason::DurationUnknown)),
            duration_source: conversation
                .duration_ms
                .map(|_| if conversation.duration_stated { "properties" } else { "last_end" }),
            span_start_ms: keep(span.map(|span| span.begin)),
            span_end_ms: keep(span.map(|span| span.end)),
            span_ms: keep(span.map(|span| span.length())),
            lead_silence_ms: keep(span.map(|span| span.begin)),
            tail_silence_ms: keep(tail),
            speech_ms: keep(timed.map(|()| sweep.speech_ms)),
            silence_ms: keep(silence),
            longest_silence_ms: keep(span.map(|_| longest)),
            dead_air_count: keep(timed.map(|()| dead_air().count() as i64)),
            dead_air_ms: keep(timed.map(|()| dead_air().map(|event| event.end_ms - event.begin_ms).sum())),
            overlap_ms: keep(self.overlap.map(|()| sweep.overlap_ms)),
            participant_count: conversation.participants.len() as i64,
            channel_count: transcript.channels.len() as i64,
            sentence_count: conversation.sentences.len() as i64,
            turn_count: keep(timed.map(|()| floor.turns.len() as i64)),
            switch_count: keep(switching.map(|()| switches)),
            onset_count: keep(onsets(&EventKind::ALL)),
            interruption_count: keep(onsets(&[EventKind::Interruption])),
            backchannel_count: keep(onsets(&[EventKind::Backchannel])),
            units: keep(units.units().map(i64::from).ok_or(Reason::ScriptNeedsDictionary)),
            words: keep(units.words().map(i64::from).ok_or(Reason::ScriptNeedsDictionary)),
            han_chars: i64::from(units.han_chars),
            ..Call::default()
        };
        let mut keep = |figure: Figure<f64>| reasons.take(figure);
        call.silence_ratio =
            keep(span.and_then(|span| ratio(span.length() - sweep.speech_ms, span.length(), Reason::NoSpeech)));
        call.overlap_ratio =
            keep(self.overlap.and_then(|()| ratio(sweep.overlap_ms, sweep.speech_ms, Reason::NoSpeech)));
        call.switches_per_min =
            keep(switching.and(span).map(|span| switches as f64 / (span.length() as f64 / 60_000.0)));
        call.units_per_min = keep(span.and_then(|_| rate(units, untimed, talk, talk, self.settings)));
        call.reasons = reasons;
        call
    }

    /// The onsets that counts include: equal starts are events only (definitions: equal start).
    fn counted(&self) -> impl Iterator<Item = &Onset<'_>> {
        self.onsets.iter().filter(|onset| onset.held_ms > 0)
    }

    fn participants(&self) -> Vec<Participant> {
        let mut started = vec![[0_i64; EventKind::ALL.len()]; self.totals.len()];
        let mut interrupted = vec![0_i64; self.totals.len()];
        for onset in self.counted() {
            if let Some(count) =
                started.get_mut(onset.burst.participant as usize).and_then(|kinds| kinds.get_mut(onset.kind as usize))
            {
                *count += 1;
            }
            if onset.kind == EventKind::Interruption
                && let Some(count) = interrupted.get_mut(onset.other as usize)
            {
                *count += 1;
            }
        }
        let all_talk: i64 = self.sweep.talk_ms.iter().sum();
        let participants =
            self.conversation.participants.iter().zip(self.totals).zip(started).zip(interrupted).enumerate();
        participants
            .map(|(index, (((participant, total), started), interrupted))| {
                let mut row = Participant {
                    participant: participant.label.clone(),
                    role: participant.role.clone(),
                    channel_id: participant.channel_id,
                    speaker_id: participant.speaker_id,
                    ..Participant::default()
                };
                let talk = self.sweep.talk_ms.get(index).copied().unwrap_or(0);
                let alone = self.sweep.alone_ms.get(index).copied().unwrap_or(0);
                self.talk(&mut row, total, talk, all_talk);
                self.responses(&mut row, total, participant.known);
                let overlap = total.timed().and(self.overlap);
                row.overlap_ms = row.reasons.take(overlap.map(|()| talk - alone));
                let known = if participant.known { Ok(()) } else { Err(Reason::UnknownParticipant) };
                let mut count = |count: i64| row.reasons.take(overlap.and(known).map(|()| count));
                let of = |kind: EventKind| started.get(kind as usize).copied().unwrap_or(0);
                row.interruption_count = count(of(EventKind::Interruption));
                row.interrupted_count = count(interrupted);
                row.backchannel_count = count(of(EventKind::Backchannel));
                row.side_speech_count = count(of(EventKind::SideSpeech));
                row.terminal_overlap_count = count(of(EventKind::TerminalOverlap));
                row.simultaneous_start_count = count(of(EventKind::SimultaneousStart));
                row
            })
            .collect()
    }

    /// Sets the columns of talk, turns, units and rates.
    fn talk(&self, row: &mut Participant, total: &ParticipantTotals, talk: i64, all_talk: i64) {
        let reasons = &mut row.reasons;
        let (timed, spoke) = (total.timed(), total.spoke());
        let basis = spoke.and_then(|()| total.basis().ok_or(Reason::NoSpeech));
        let shared = timed.and_then(|()| self.single());
        let someone_spoke = shared.and(if all_talk > 0 { Ok(()) } else { Err(Reason::NoSpeech) });
        let mut turns = total.turn_lengths.clone();
        let turn_figure = |value: Option<i64>| spoke.and_then(|()| value.ok_or(Reason::NoTurns));
        let monologue = self.settings.parameters.monologue_ms;
        row.basis = reasons.take(basis);
        row.talk_ms = reasons.take(timed.map(|()| talk));
        row.talk_share = reasons.take(someone_spoke.and_then(|()| ratio(talk, all_talk, Reason::NoSpeech)));
        let span = timed.and_then(|()| self.sweep.span.ok_or(Reason::NoSpeech));
        row.talk_per_span = reasons.take(span.and_then(|span| ratio(talk, span.length(), Reason::NoSpeech)));
        row.talk_listen_ratio =
            reasons.take(someone_spoke.and_then(|()| ratio(talk, all_talk - talk, Reason::NoOtherSpeech)));
        row.turn_count = reasons.take(timed.map(|()| turns.len() as i64));
        row.turn_ms_p50 = reasons.take(turn_figure(percentile(&mut turns, 50)));
        row.longest_turn_ms = reasons.take(turn_figure(turns.last().copied()));
        row.monologue_count =
            reasons.take(timed.map(|()| turns.iter().filter(|&&length| length >= monologue).count() as i64));
        row.units = reasons.take(total.units.units().map(i64::from).ok_or(Reason::ScriptNeedsDictionary));
        row.words = reasons.take(total.units.words().map(i64::from).ok_or(Reason::ScriptNeedsDictionary));
        row.han_chars = i64::from(total.units.han_chars);
        let rate = |denominator| rate(total.units, total.untimed_units, talk, denominator, self.settings);
        row.units_per_min = reasons.take(spoke.and_then(|()| rate(talk)));
        let articulated = spoke.and_then(|()| match basis {
            Ok(Basis::Words) if total.interpolated_ms * 2 > total.piece_ms => Err(Reason::InterpolatedWords),
            Ok(Basis::Words) => Ok(()),
            _ => Err(Reason::NoWordTimes),
        });
        row.articulation_units_per_min = reasons.take(articulated.and_then(|()| rate(total.union_ms)));
        row.question_count = total.questions;
        row.emotions = total.emotions();
        row.first_begin_ms = reasons.take(spoke.map(|()| total.reach.map_or(0, |reach| reach.0)));
        row.last_end_ms = reasons.take(spoke.map(|()| total.reach.map_or(0, |reach| reach.1)));
    }

    fn responses(&self, row: &mut Participant, total: &ParticipantTotals, known: bool) {
        let reasons = &mut row.reasons;
        let known = if known { Ok(()) } else { Err(Reason::UnknownParticipant) };
        let counted = total.timed().and_then(|()| self.single()).and(known);
        let mut offsets = total.offsets.clone();
        let figure = |value: Option<i64>| counted.and(total.spoke()).and_then(|()| value.ok_or(Reason::NoResponses));
        let slow = self.settings.parameters.dead_air_ms;
        let early = offsets.iter().filter(|&&offset| offset < 0).count() as i64;
        // On one diarised track offsets are cut off at 0 from below: only those above 0 are known (definitions: response).
        let is_cut_off = self.overlap == Err(Reason::SingleChannelDiarised);
        let known =
            |offset: i64| if is_cut_off && offset <= 0 { Err(Reason::SingleChannelDiarised) } else { Ok(offset) };
        row.response_ms_p50 = reasons.take(figure(percentile(&mut offsets, 50)).and_then(known));
        row.response_ms_p90 = reasons.take(figure(percentile(&mut offsets, 90)).and_then(known));
        let share = figure(Some(early)).and_then(|early| ratio(early, offsets.len() as i64, Reason::NoResponses));
        let share = share.and_then(|share| if is_cut_off { Err(Reason::SingleChannelDiarised) } else { Ok(share) });
        row.response_early_ratio = reasons.take(share);
        row.response_n = reasons.take(counted.map(|()| offsets.len() as i64));
        row.slow_response_count =
            reasons.take(counted.map(|()| offsets.iter().filter(|&&offset| offset >= slow).count() as i64));
    }
}

fn turn_rows(floor: &Floor, mut text: impl FnMut(&std::ops::Range<u32>) -> (String, Units)) -> Vec<Turn> {
    let row = |(turn_index, turn): (i64, &FloorTurn)| {
        let (text, units) = text(&turn.pieces);
        Turn {
            turn_index,
            participant: turn.participant as usize,
            begin_ms: turn.interval.begin,
            end_ms: turn.interval.end,
            talk_ms: turn.talk_ms,
            units: units.units().map(i64::from),
            text,
        }
    };
    (0..).zip(&floor.turns).map(row).collect()
}

/// Dead air, onsets and equal starts in order (definitions: event).
fn events(
    sweep: &Sweep,
    onsets: &[Onset<'_>],
    settings: &Settings,
    mut text: impl FnMut(&std::ops::Range<u32>) -> String,
) -> Vec<Event> {
    let dead_air = sweep.gaps.iter().filter(|gap| gap.interval.length() >= settings.parameters.dead_air_ms);
    let mut events: Vec<Event> = dead_air
        .map(|gap| Event {
            event_index: 0,
            kind: EventKind::DeadAir,
            participant: gap.before as usize,
            other: gap.after as usize,
            begin_ms: gap.interval.begin,
            end_ms: gap.interval.end,
            overlap_ms: None,
            held_ms: None,
            text: None,
        })
        .collect();
    // A burst that starts together with many others is the text of many events: share it.
    let mut said: Option<(u32, Arc<str>)> = None;
    events.extend(onsets.iter().map(|onset| {
        let burst = onset.burst.pieces.start;
        let text = match &said {
            Some((known, text)) if *known == burst => Arc::clone(text),
            _ => {
                let text = text(&onset.burst.pieces);
                Arc::from(text.get(..text.floor_char_boundary(LONGEST_TEXT_BYTES)).unwrap_or(&text))
            }
        };
        said = Some((burst, Arc::clone(&text)));
        Event {
            event_index: 0,
            kind: onset.kind,
            participant: onset.burst.participant as usize,
            other: onset.other as usize,
            begin_ms: onset.burst.interval.begin,
            end_ms: onset.burst.interval.end,
            overlap_ms: Some(onset.overlap_ms),
            held_ms: Some(onset.held_ms),
            text: Some(text),
        }
    }));
    events.sort_by_key(|event| (event.begin_ms, event.end_ms, event.kind, event.participant, event.other));
    for (index, event) in (0..).zip(&mut events) {
        event.event_index = index;
    }
    events
}
