//! What holds for every call (definitions: invariants): generated conversations against a second, brute-force reading
//! of the definitions, and documents of any shape that must neither panic nor break the identities.

use proptest::prelude::*;
use serde_json::{Value, json};
use talkmeter::metrics::catalogue::{CALLS, Column, PARTICIPANTS, TABLES, Table};
use talkmeter::metrics::keywords::Keywords;
use talkmeter::metrics::{self, Event, EventKind, Parameters, Participant, Settings, Turn, Window, measure};
use talkmeter::tables::frame;
use talkmeter::transcript::read;

use crate::scene::{Call, Content, Row};

/// Conversations are made of slots of this length, so that brute force stays cheap.
const SLOT_MS: i64 = 10;

/// This many cases, or as many as `PROPTEST_CASES` says.
fn config(cases: u32) -> ProptestConfig {
    let asked = ProptestConfig::default().cases;
    let cases = if asked == 256 { cases } else { asked };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

// --- conversations -----------------------------------------------------------------------------------------------------

/// One sentence: words `(begin, end, text)` in slots.
#[derive(Debug, Clone)]
struct Sentence {
    channel: u32,
    words: Vec<(i64, i64, String)>,
}

#[derive(Debug, Clone)]
struct Conversation {
    channels: u32,
    sentences: Vec<Sentence>,
}

/// One to three channels. With a `grid` of 3 no begin or end of one channel meets one of another.
fn conversation(channels: std::ops::RangeInclusive<u32>, grid: i64) -> impl Strategy<Value = Conversation> {
    let text =
        prop_oneof![Just("yes"), Just("no way"), Just("你好"), Just("ok?"), Just(""), Just("one two three four")];
    let words = prop::collection::vec((0_i64..60, 1_i64..120, text), 1..4);
    let one = (0_u32..3, 0_i64..1600, words);
    (channels, prop::collection::vec(one, 0..14)).prop_map(move |(channels, all)| {
        let sentences = all.into_iter().map(|(channel, begin, words)| {
            let channel = channel % channels;
            let mut at = (begin / grid) * grid + if grid > 1 { i64::from(channel) } else { 0 };
            let mut spoken = Vec::new();
            for (gap, length, text) in words {
                at += gap / grid * grid;
                let end = at + (length / grid + 1) * grid;
                // The channel's own words, so that no two channels are copies of each other.
                let text = if text.is_empty() { String::new() } else { format!("{text} c{channel}") };
                spoken.push((at, end, text));
                at = end;
            }
            Sentence { channel, words: spoken }
        });
        Conversation { channels, sentences: sentences.collect() }
    })
}

impl Conversation {
    fn call(&self) -> Call {
        self.shifted(0)
    }

    fn shifted(&self, slots: i64) -> Call {
        let mut call = (0..self.channels).fold(Call::default(), Call::silent);
        for sentence in &self.sentences {
            let words: Vec<(i64, i64, &str)> = sentence
                .words
                .iter()
                .map(|(begin, end, text)| ((begin + slots) * SLOT_MS, (end + slots) * SLOT_MS, &**text))
                .collect();
            call = call.say(sentence.channel, &words);
        }
        call.lasting(40_000 + slots * SLOT_MS)
    }

    /// For each channel and slot whether someone talks, with gaps up to `join_gap_ms` closed.
    fn slots(&self, join_gap_ms: i64) -> Vec<Vec<bool>> {
        let mut talk = vec![vec![false; 4000]; self.channels as usize];
        for sentence in &self.sentences {
            for (begin, end, _) in &sentence.words {
                talk[sentence.channel as usize][*begin as usize..*end as usize].fill(true);
            }
        }
        for slots in &mut talk {
            let mut silent_since = None;
            for at in 0..slots.len() {
                if !slots[at] {
                    continue;
                }
                if let Some(since) = silent_since
                    && (at - since) as i64 * SLOT_MS <= join_gap_ms
                {
                    slots[since..at].fill(true);
                }
                silent_since = Some(at + 1);
            }
        }
        talk
    }
}

/// `(channel, begin, end)` in ms, by begin, end, channel.
fn bursts(slots: &[Vec<bool>]) -> Vec<(usize, i64, i64)> {
    let mut bursts = Vec::new();
    for (channel, slots) in slots.iter().enumerate() {
        let mut begin = None;
        for (at, &talks) in slots.iter().chain([&false]).enumerate() {
            match begin {
                None if talks => begin = Some(at),
                Some(from) if !talks => {
                    bursts.push((channel, from as i64 * SLOT_MS, at as i64 * SLOT_MS));
                    begin = None;
                }
                _ => {}
            }
        }
    }
    bursts.sort_by_key(|&(channel, begin, end)| (begin, end, channel));
    bursts
}

/// Everything measured of one call, on its own.
#[derive(Debug, Clone, PartialEq)]
struct Measured {
    call: metrics::Call,
    participants: Vec<Participant>,
    turns: Vec<Turn>,
    events: Vec<Event>,
    windows: Vec<Window>,
    /// Participant and units of each sentence.
    sentences: Vec<(usize, Option<i64>)>,
}

fn measured_by(call: &impl Content, settings: &Settings) -> Measured {
    let bytes = call.bytes();
    let transcript = read(&bytes).unwrap();
    let measured = measure("a.json", &transcript, settings);
    let sentences = measured.sentences().map(|row| (row.participant, row.units)).collect();
    Measured {
        sentences,
        call: measured.call,
        participants: measured.participants,
        turns: measured.turns,
        events: measured.events,
        windows: measured.windows,
    }
}

fn measured(call: &impl Content) -> Measured {
    measured_by(call, &Settings::default())
}

fn settings(set: impl FnOnce(&mut Parameters)) -> Settings {
    let mut settings = Settings::default();
    set(&mut settings.parameters);
    settings
}

/// Without texts and what is noticed about the file, on which no time metric depends.
fn only_times(mut measured: Measured) -> Measured {
    measured.call.warning_count = 0;
    measured.call.sentence_count = 0;
    measured.call.billable_ms = None;
    measured.turns.iter_mut().for_each(|turn| turn.text.clear());
    measured.events.iter_mut().for_each(|event| event.text = event.text.take().map(|_| "".into()));
    measured.sentences.clear();
    measured
}

/// Whether `found` is the percentile of these values: with the values as corners of a line over ranks 0 to n − 1, the whole
/// number nearest to the line at `q` per cent of its length, an even one where two are equally near.
fn is_percentile(found: Option<i64>, values: &[i64], q: usize) -> bool {
    let Some(found) = found else { return values.is_empty() };
    let mut corners = values.to_vec();
    corners.sort_unstable();
    // Per rank 100 steps; the height of the line is walked up step by step, in hundredths.
    let mut hundredths = 100 * corners[0];
    for step in 0..q * (corners.len() - 1) {
        hundredths += corners[step / 100 + 1] - corners[step / 100];
    }
    let distance = (100 * found - hundredths).abs();
    distance < 50 || (distance == 50 && found % 2 == 0)
}

fn classes(row: &Participant) -> Option<i64> {
    Some(
        row.interruption_count?
            + row.backchannel_count?
            + row.side_speech_count?
            + row.terminal_overlap_count?
            + row.simultaneous_start_count?,
    )
}

proptest! {
    #![proptest_config(config(96))]

    #[test]
    fn speech_silence_and_overlap_match_a_count_of_slots(conversation in conversation(2..=3, 1)) {
        let slots = conversation.slots(250);
        let mut exactly = [0_i64; 4];
        for at in 0..4000 {
            exactly[slots.iter().filter(|slots| slots[at]).count()] += SLOT_MS;
        }
        let all = bursts(&slots);
        let measured = measured(&conversation.call());
        let call = &measured.call;
        let talked: i64 = measured.participants.iter().map(|row| row.talk_ms.unwrap()).sum();
        prop_assert_eq!(talked, exactly[1] + 2 * exactly[2] + 3 * exactly[3]);
        prop_assert_eq!(call.speech_ms, Some(exactly[1] + exactly[2] + exactly[3]));
        prop_assert_eq!(call.overlap_ms, Some(exactly[2] + exactly[3]));
        let begin = all.iter().map(|burst| burst.1).min();
        let end = all.iter().map(|burst| burst.2).max();
        prop_assert_eq!((call.span_start_ms, call.span_end_ms), (begin, end));
        if let (Some(begin), Some(end)) = (begin, end) {
            prop_assert_eq!(call.silence_ms, Some(end - begin - call.speech_ms.unwrap()));
            prop_assert_eq!((call.lead_silence_ms, call.tail_silence_ms), (Some(begin), Some(40_000 - end)));
        }
        for (row, slots) in measured.participants.iter().zip(&slots) {
            let own = slots.iter().filter(|talks| **talks).count() as i64 * SLOT_MS;
            prop_assert_eq!(row.talk_ms, Some(own));
            prop_assert!(call.span_ms.is_none_or(|span| own <= span));
        }
    }

    #[test]
    fn onsets_match_a_look_at_every_pair(conversation in conversation(2..=3, 1)) {
        let all = bursts(&conversation.slots(250));
        // Kinds by begin, participant and incumbent; who stays inside is one kind here, as units decide between two.
        let mut expected = Vec::new();
        for &(channel, begin, end) in &all {
            let over: Vec<_> = all.iter().filter(|a| a.0 != channel && a.1 < begin && begin < a.2).collect();
            if let Some(incumbent) = over.iter().min_by_key(|a| (a.1, a.0)) {
                let overlap = end.min(over.iter().map(|a| a.2).max().unwrap()) - begin;
                let held = begin - incumbent.1;
                let kind = match () {
                    () if end <= incumbent.2 => "inside",
                    () if overlap < 1000 => "terminal_overlap",
                    () if held < 1000 => "simultaneous_start",
                    () => "interruption",
                };
                expected.push((begin, end, kind, channel, incumbent.0, overlap, held));
            }
        }
        let onsets = expected.len() as i64;
        for (index, one) in all.iter().enumerate() {
            let first = all.iter().filter(|two| two.1 == one.1).map(|two| two.0).min() == Some(one.0);
            for (_, two) in all.iter().enumerate().filter(|(other, two)| first && *other != index && two.1 == one.1) {
                expected.push((one.1, one.2, "simultaneous_start", one.0, two.0, one.2.min(two.2) - one.1, 0));
            }
        }
        expected.sort_unstable();
        let measured = measured(&conversation.call());
        let mut found: Vec<_> = measured
            .events
            .iter()
            .filter(|event| event.kind != EventKind::DeadAir)
            .map(|event| {
                let inside = matches!(event.kind, EventKind::Backchannel | EventKind::SideSpeech);
                let kind = if inside { "inside" } else { event.kind.name() };
                (event.begin_ms, event.end_ms, kind, event.participant, event.other, event.overlap_ms.unwrap(), event.held_ms.unwrap())
            })
            .collect();
        found.sort_unstable();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(measured.call.onset_count, Some(onsets));
        // The five classes sum to the onsets, of the call and over participants.
        let sum: i64 = measured.participants.iter().map(|row| classes(row).unwrap()).sum();
        prop_assert_eq!(sum, onsets);
        let interrupted: i64 = measured.participants.iter().map(|row| row.interrupted_count.unwrap()).sum();
        prop_assert_eq!(Some(interrupted), measured.call.interruption_count);
    }

    #[test]
    fn turns_are_runs_of_the_bursts_that_outlast_all_before_them(conversation in conversation(2..=3, 1)) {
        let all = bursts(&conversation.slots(250));
        let outlasts = |at: usize| all[..at].iter().all(|before| before.2 < all[at].2);
        let on_the_floor: Vec<_> = (0..all.len()).filter(|at| outlasts(*at)).map(|at| all[at]).collect();
        let together = |one: &(usize, i64, i64), two: &(usize, i64, i64)| one.0 == two.0 && two.1 - one.2 < 3000;
        let turns: Vec<(usize, i64, i64)> =
            on_the_floor.chunk_by(together).map(|run| (run[0].0, run[0].1, run[run.len() - 1].2)).collect();
        let measured = measured(&conversation.call());
        let found: Vec<_> = measured.turns.iter().map(|turn| (turn.participant, turn.begin_ms, turn.end_ms)).collect();
        prop_assert_eq!(&found, &turns);
        let offsets: Vec<(usize, i64)> =
            turns.windows(2).filter(|pair| pair[0].0 != pair[1].0).map(|pair| (pair[1].0, pair[1].1 - pair[0].2)).collect();
        prop_assert_eq!(measured.call.switch_count, Some(offsets.len() as i64));
        for (index, row) in measured.participants.iter().enumerate() {
            let own: Vec<i64> = offsets.iter().filter(|offset| offset.0 == index).map(|offset| offset.1).collect();
            prop_assert_eq!(row.response_n, Some(own.len() as i64));
            prop_assert!(is_percentile(row.response_ms_p50, &own, 50), "{:?} of {:?}", row.response_ms_p50, own);
            prop_assert!(is_percentile(row.response_ms_p90, &own, 90), "{:?} of {:?}", row.response_ms_p90, own);
            prop_assert_eq!(row.slow_response_count, Some(own.iter().filter(|offset| **offset >= 3000).count() as i64));
            let lengths: Vec<i64> = turns.iter().filter(|turn| turn.0 == index).map(|turn| turn.2 - turn.1).collect();
            prop_assert_eq!(row.longest_turn_ms, lengths.iter().max().copied());
            prop_assert!(is_percentile(row.turn_ms_p50, &lengths, 50), "{:?} of {:?}", row.turn_ms_p50, lengths);
        }
    }

    #[test]
    fn percentiles_are_the_nearest_whole_ms_on_the_line_between_ranks(
        values in prop::collection::vec(-5000_i64..5000, 0..12), q in 0_usize..=100,
    ) {
        let found = metrics::percentile(&mut values.clone(), q);
        prop_assert!(is_percentile(found, &values, q), "{:?} is not percentile {} of {:?}", found, q, values);
    }

    #[test]
    fn dead_air_is_every_gap_from_three_seconds_on(conversation in conversation(1..=3, 1)) {
        let slots = conversation.slots(250);
        let all = bursts(&slots);
        let mut gaps = Vec::new();
        let mut reached: Option<i64> = None;
        for &(_, begin, end) in &all {
            if let Some(before) = reached.filter(|before| begin - before >= 3000) {
                gaps.push((before, begin));
            }
            reached = reached.max(Some(end));
        }
        let measured = measured(&conversation.call());
        let dead: Vec<_> = measured.events.iter().filter(|event| event.kind == EventKind::DeadAir).collect();
        let found: Vec<_> = dead.iter().map(|event| (event.begin_ms, event.end_ms)).collect();
        prop_assert_eq!(&found, &gaps);
        for event in dead {
            let before = all.iter().filter(|burst| burst.2 == event.begin_ms).map(|burst| burst.0).min();
            let after = all.iter().filter(|burst| burst.1 == event.end_ms).map(|burst| burst.0).min();
            prop_assert_eq!((Some(event.participant), Some(event.other)), (before, after));
        }
        prop_assert_eq!(measured.call.dead_air_ms, Some(gaps.iter().map(|gap| gap.1 - gap.0).sum()));
    }

    #[test]
    fn a_burst_inside_another_of_the_same_participant_changes_nothing(conversation in conversation(2..=3, 1), which in any::<prop::sample::Index>(), cut in 0_i64..100, length in 1_i64..100) {
        prop_assume!(!conversation.sentences.is_empty());
        let host = which.get(&conversation.sentences).clone();
        let (begin, end, _) = host.words[0];
        let from = begin + cut.min(end - begin - 1);
        let mut more = conversation.clone();
        more.sentences.push(Sentence { channel: host.channel, words: vec![(from, (from + length).min(end), String::new())] });
        prop_assert_eq!(only_times(measured(&conversation.call())), only_times(measured(&more.call())));
    }

    #[test]
    fn shifting_all_times_changes_only_positions(conversation in conversation(1..=3, 1), slots in 0_i64..1000) {
        let shift = slots * SLOT_MS;
        let mut later = measured(&conversation.shifted(slots));
        let back = |time: &mut Option<i64>| *time = time.map(|time| time - shift);
        let call = &mut later.call;
        for time in [&mut call.duration_ms, &mut call.span_start_ms, &mut call.span_end_ms, &mut call.lead_silence_ms] {
            back(time);
        }
        for row in &mut later.participants {
            back(&mut row.first_begin_ms);
            back(&mut row.last_end_ms);
        }
        let positions = later.turns.iter_mut().map(|row| (&mut row.begin_ms, &mut row.end_ms));
        let positions = positions.chain(later.events.iter_mut().map(|row| (&mut row.begin_ms, &mut row.end_ms)));
        for (begin, end) in positions.chain(later.windows.iter_mut().map(|row| (&mut row.begin_ms, &mut row.end_ms))) {
            *begin -= shift;
            *end -= shift;
        }
        prop_assert_eq!(measured(&conversation.call()), later);
    }

    #[test]
    fn renaming_participants_permutes_rows(conversation in conversation(1..=3, 3)) {
        let last = conversation.channels as usize - 1;
        let mut renamed = conversation.clone();
        for sentence in &mut renamed.sentences {
            sentence.channel = last as u32 - sentence.channel;
        }
        let one = measured(&conversation.call());
        let mut two = measured(&renamed.call());
        two.participants.reverse();
        for (row, original) in two.participants.iter_mut().zip(&one.participants) {
            row.participant.clone_from(&original.participant);
            row.channel_id = original.channel_id;
        }
        two.turns.iter_mut().for_each(|turn| turn.participant = last - turn.participant);
        for event in &mut two.events {
            (event.participant, event.other) = (last - event.participant, last - event.other);
        }
        two.windows.iter_mut().for_each(|window| window.participant = last - window.participant);
        two.windows.sort_by_key(|window| (window.participant, window.window_index));
        let sentences = |measured: &Measured| measured.sentences.iter().filter_map(|row| row.1).sum::<i64>();
        prop_assert_eq!(sentences(&one), sentences(&two));
        two.sentences.clone_from(&one.sentences);
        prop_assert_eq!(one, two);
    }

    #[test]
    fn splitting_a_word_changes_no_time(conversation in conversation(1..=3, 1), which in any::<prop::sample::Index>(), at in 1_i64..120) {
        prop_assume!(!conversation.sentences.is_empty());
        let mut split = conversation.clone();
        let sentence = which.index(split.sentences.len());
        let words = &mut split.sentences[sentence].words;
        let (begin, end, text) = words.remove(0);
        let middle = begin + at.min(end - begin);
        // The first half keeps the text, so that the sentence still spells the same.
        words.insert(0, (middle, end, String::new()));
        words.insert(0, (begin, middle, text));
        prop_assert_eq!(only_times(measured(&conversation.call())), only_times(measured(&split.call())));
    }

    #[test]
    fn the_order_of_sentences_changes_no_figure(conversation in conversation(1..=3, 1), seed in any::<u64>()) {
        let mut shuffled = conversation.clone();
        let mut state = seed;
        for index in (1..shuffled.sentences.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.sentences.swap(index, (state >> 33) as usize % (index + 1));
        }
        prop_assert_eq!(only_times(measured(&conversation.call())), only_times(measured(&shuffled.call())));
    }

    #[test]
    fn a_longer_join_gap_never_gives_less_talk(conversation in conversation(1..=3, 1), gap in 0_i64..2000, more in 0_i64..2000) {
        let talked = |gap| {
            let by_gap = measured_by(&conversation.call(), &settings(|parameters| parameters.join_gap_ms = gap));
            by_gap.participants.iter().map(|row| row.talk_ms.unwrap()).collect::<Vec<_>>()
        };
        let (short, long) = (talked(gap), talked(gap + more));
        prop_assert!(short.iter().zip(&long).all(|(short, long)| short <= long));
        // And the slots say the same for any gap.
        let slots: Vec<i64> = conversation.slots(gap).iter().map(|slots| slots.iter().filter(|talks| **talks).count() as i64 * SLOT_MS).collect();
        prop_assert_eq!(short, slots);
    }

    #[test]
    fn windows_of_any_length_add_up(conversation in conversation(1..=3, 1), length in 1_i64..30_000) {
        let mut settings = Settings::default();
        settings.window_ms = length.max(50);
        let measured = measured_by(&conversation.call(), &settings);
        prop_assert!(add_up(&measured).is_ok());
        for (index, row) in measured.participants.iter().enumerate() {
            let own: Vec<_> = measured.windows.iter().filter(|window| window.participant == index).collect();
            prop_assert_eq!(own.iter().map(|window| window.talk_ms.unwrap()).sum::<i64>(), row.talk_ms.unwrap());
            // Every sentence has a time here, so no unit is left out.
            if !own.is_empty() {
                prop_assert_eq!(own.iter().map(|window| window.units.unwrap()).sum::<i64>(), row.units.unwrap());
            }
            let tiles = own.windows(2).all(|pair| pair[0].end_ms == pair[1].begin_ms);
            prop_assert!(tiles);
        }
    }

    #[test]
    fn the_identities_hold_for_every_conversation(conversation in conversation(1..=3, 1)) {
        let measured = measured(&conversation.call());
        prop_assert_eq!(add_up(&measured), Ok(()));
        excused(&conversation.call().bytes())?;
        // Not so where words do not spell their sentence, or cut a number in two: then a cut sentence counts by words.
        for (index, row) in measured.participants.iter().enumerate() {
            let turns: i64 = measured.turns.iter().filter(|turn| turn.participant == index).filter_map(|turn| turn.units).sum();
            prop_assert!(turns <= row.units.unwrap());
        }
    }
}

// --- identities of any file ----------------------------------------------------------------------------------------------

/// The identities that hold whatever the file looks like.
fn add_up(measured: &Measured) -> Result<(), String> {
    let call = &measured.call;
    let ensure = |holds: bool, what: &str| if holds { Ok(()) } else { Err(format!("{what}: {measured:?}")) };
    if let (Some(span), Some(speech), Some(silence)) = (call.span_ms, call.speech_ms, call.silence_ms) {
        ensure(speech + silence == span, "speech and silence make the span")?;
        ensure((0..=silence).contains(&call.longest_silence_ms.unwrap_or(-1)), "the longest silence is one")?;
        for row in &measured.participants {
            ensure(row.talk_ms.unwrap_or(0) <= span, "no one talks longer than the span")?;
        }
    }
    ensure(call.span_ms.is_some() == call.silence_ms.is_some(), "a span has a silence")?;
    let talks: i64 = measured.participants.iter().filter_map(|row| row.talk_ms).sum();
    ensure(call.speech_ms.unwrap_or(0) <= talks, "speech is no more than all talk")?;
    let shares: Vec<f64> = measured.participants.iter().filter_map(|row| row.talk_share).collect();
    ensure(shares.is_empty() || (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "shares sum to 1")?;
    if let Some(onsets) = call.onset_count {
        let sum: i64 = measured.participants.iter().filter_map(classes).sum();
        ensure(sum == onsets, "the five classes sum to the onsets")?;
        let backchannels: i64 = measured.participants.iter().filter_map(|row| row.backchannel_count).sum();
        ensure(Some(backchannels) == call.backchannel_count, "backchannels of participants are the call's")?;
        let events = measured.events.iter().filter(|event| event.held_ms.is_some_and(|held| held > 0)).count();
        ensure(events as i64 == onsets, "every onset is an event")?;
    } else {
        ensure(
            measured.events.iter().all(|event| event.kind == EventKind::DeadAir),
            "no onset where none can be measured",
        )?;
    }
    if let (Some(overlap), Some(speech)) = (call.overlap_ms, call.speech_ms) {
        ensure((0..=speech).contains(&overlap), "overlap is part of the speech")?;
        if measured.participants.len() == 2 {
            ensure(talks == speech + overlap, "of two participants all talk is speech and overlap")?;
        }
    }
    if let Some(count) = call.turn_count {
        ensure(count == measured.turns.len() as i64, "turns are counted")?;
        ensure(call.switch_count.unwrap_or(0) <= (count - 1).max(0), "fewer switches than turns")?;
    }
    for (index, row) in measured.participants.iter().enumerate() {
        let own = measured.turns.iter().filter(|turn| turn.participant == index);
        let sentences = measured.sentences.iter().filter(|row| row.0 == index).map(|row| row.1);
        ensure(row.units == sentences.sum::<Option<i64>>(), "sentences hold the units of their participant")?;
        if let Some(units) = row.units {
            ensure(
                row.words.is_some_and(|words| words + row.han_chars == units),
                "words and characters are the units",
            )?;
            let windows: i64 = measured.windows.iter().filter(|w| w.participant == index).filter_map(|w| w.units).sum();
            ensure(windows <= units, "windows hold no more units than their participant")?;
        }
        let talked: i64 = own.map(|turn| turn.talk_ms).sum();
        ensure(talked <= row.talk_ms.unwrap_or(0), "turns hold no more talk than their participant")?;
        let own: Vec<_> = measured.windows.iter().filter(|window| window.participant == index).collect();
        if let (Some(talk), false) = (row.talk_ms, own.is_empty()) {
            let sum: i64 = own.iter().filter_map(|window| window.talk_ms).sum();
            ensure(sum == talk, "windows hold the talk of their participant")?;
        }
        ensure(
            row.overlap_ms.is_none_or(|overlap| overlap <= row.talk_ms.unwrap_or(0)),
            "overlap is part of the talk",
        )?;
        let reach = row.first_begin_ms.zip(row.last_end_ms);
        ensure(reach.is_none_or(|(first, last)| first < last), "who speaks begins before the end")?;
    }
    ensure(
        call.units == measured.participants.iter().map(|row| row.units).sum(),
        "units of participants are the call's",
    )?;
    let order = |event: &Event| (event.begin_ms, event.end_ms, event.kind, event.participant, event.other);
    ensure(measured.events.is_sorted_by_key(order), "events are in order")?;
    ensure(
        measured.turns.is_sorted_by_key(|turn| (turn.begin_ms, turn.end_ms, turn.participant)),
        "turns are in order",
    )?;
    Ok(())
}

/// Columns that may be null without a reason (definitions: reason).
const EXCUSED: [&str; 12] = [
    "file_url",
    "model",
    "audio_format",
    "sampling_rate_hz",
    "role",
    "channel_id",
    "speaker_id",
    "duration_source",
    "billable_source",
    "keyword_hit_count",
    "emotions",
    "reason",
];

/// The codes in their order (definitions: reason).
const CODES: [&str; 16] = [
    "no_speech",
    "no_times",
    "duration_unknown",
    "single_participant",
    "single_channel_diarised",
    "duplicate_channels",
    "unknown_participant",
    "no_other_speech",
    "no_turns",
    "no_responses",
    "no_word_times",
    "interpolated_words",
    "script_needs_dictionary",
    "untimed_text",
    "too_little_speech",
    "foreign_result",
];

/// Builds all tables and looks at every null: each has a cause in `reason`, and each cause a null.
fn excused(bytes: &[u8]) -> Result<(), TestCaseError> {
    let Ok(transcript) = read(bytes) else { return Ok(()) };
    let keywords = Keywords::new(["yes", "好", "/[0-9]+/ ! 12"]).unwrap();
    let mut with_keywords = Settings::default();
    with_keywords.keywords = Some(keywords);
    let measured = measure("a.json", &transcript, &with_keywords);
    for table in TABLES {
        let frame = frame(table, [&measured]).unwrap();
        prop_assert_eq!(frame.width(), table.columns.len());
    }
    for hit in &measured.hits {
        prop_assert!(hit.text.contains(&hit.matched) && !hit.matched.is_empty());
        prop_assert_eq!(hit.begin_ms.is_none(), hit.time_basis.name() == "none");
    }
    prop_assert!(measured.warnings.is_sorted_by(|one, two| one.code < two.code));
    prop_assert!(measured.warnings.iter().all(|warning| warning.count > 0));
    for table in [&CALLS, &PARTICIPANTS] {
        for row in rows(table, &measured) {
            let reason = row["reason"].as_str().unwrap_or_default();
            let codes: Vec<&str> = reason.split(';').filter(|code| !code.is_empty()).collect();
            let places: Vec<Option<usize>> =
                codes.iter().map(|code| CODES.iter().position(|known| known == code)).collect();
            prop_assert!(places.iter().all(Option::is_some) && places.is_sorted_by(|one, two| one < two), "{}", reason);
            let nulls: Vec<&Column> = table
                .columns
                .iter()
                .filter(|column| row[column.name].is_null() && !EXCUSED.contains(&column.name))
                .collect();
            for column in &nulls {
                let named = codes.iter().any(|code| column.null.iter().any(|reason| reason.name() == *code));
                prop_assert!(named, "{} is null and {:?} does not say why", column.name, codes);
            }
            for code in &codes {
                let named = nulls.iter().any(|column| column.null.iter().any(|reason| reason.name() == *code));
                prop_assert!(named, "{} names no null of {:?}", code, nulls);
            }
        }
    }
    Ok(())
}

fn rows(table: &'static Table, measured: &metrics::Measured<'_>) -> Vec<Row> {
    use polars::prelude::{JsonFormat, JsonWriter, SerWriter};
    let mut json = Vec::new();
    let mut frame = frame(table, [measured]).unwrap();
    JsonWriter::new(&mut json).with_json_format(JsonFormat::Json).finish(&mut frame).unwrap();
    serde_json::from_slice(&json).unwrap()
}

// --- documents of any shape ----------------------------------------------------------------------------------------------

fn odd() -> BoxedStrategy<Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3_i64..300).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec!["", " ", "12", "-3.5", "Ann", "สวัสดี", "\u{7}", "1e9", "[PII]"]).prop_map(Value::from),
        Just(json!([1, [2]])),
        Just(json!({"text": {}})),
    ]
    .boxed()
}

/// Mostly what it should be.
fn mostly(usual: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<Value>> {
    prop_oneof![12 => usual.prop_map(Some), 1 => odd().prop_map(Some), 1 => Just(None)].boxed()
}

fn time() -> BoxedStrategy<Value> {
    prop_oneof![
        20 => (0_i64..20_000).prop_map(Value::from),
        1 => (-2000_i64..0).prop_map(Value::from),
        1 => (0.0..20_000.0).prop_map(Value::from),
        1 => prop::sample::select(vec![1_000_000_000_000, 1_000_000_000_001, -1_000_000_000_000_i64]).prop_map(Value::from),
    ].boxed()
}

fn text() -> BoxedStrategy<Value> {
    prop_oneof![
        prop::sample::select(vec!["yes", "你好", " no way ", "ok?", "", "12:30", "สวัสดี", "<unk> a"])
            .prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ]
    .boxed()
}

fn object(fields: Vec<(&'static str, Option<Value>)>) -> Value {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Row>().into()
}

fn word() -> BoxedStrategy<Value> {
    (mostly(time()), mostly(time()), mostly(text()), mostly(text()))
        .prop_map(|(begin, end, text, punctuation)| {
            object(vec![("begin_time", begin), ("end_time", end), ("text", text), ("punctuation", punctuation)])
        })
        .boxed()
}

fn list(of: impl Strategy<Value = Value> + 'static, most: usize) -> BoxedStrategy<Value> {
    prop::collection::vec(prop_oneof![15 => of, 1 => odd()], 0..most).prop_map(Value::from).boxed()
}

fn spoken() -> BoxedStrategy<Value> {
    let speaker = prop::option::of(prop_oneof![4 => (0_i64..3).prop_map(Value::from), 1 => odd()]);
    (mostly(time()), mostly(time()), mostly(text()), mostly(list(word(), 7)), speaker, prop::option::of(odd()))
        .prop_map(|(begin, end, text, words, speaker, id)| {
            object(vec![
                ("begin_time", begin),
                ("end_time", end),
                ("text", text),
                ("words", words),
                ("speaker_id", speaker),
                ("sentence_id", id),
            ])
        })
        .boxed()
}

fn document() -> BoxedStrategy<Value> {
    let id = mostly((0_i64..3).prop_map(Value::from));
    let content = prop::option::of(mostly((0_i64..20_000).prop_map(Value::from)));
    let entry = (id, mostly(list(spoken(), 8)), content, prop::option::of(text()), prop::option::of(odd())).prop_map(
        |(id, sentences, content, text, short)| {
            object(vec![
                ("channel_id", id),
                ("sentences", sentences),
                ("content_duration_in_milliseconds", content.flatten()),
                ("text", text),
                ("content_duration", short),
            ])
        },
    );
    let properties = (prop::option::of(mostly((1_i64..25_000).prop_map(Value::from))), prop::option::of(odd()))
        .prop_map(|(duration, channels)| {
            object(vec![("original_duration_in_milliseconds", duration.flatten()), ("channels", channels)])
        });
    (list(entry, 4), mostly(properties), prop::option::of(odd()))
        .prop_map(|(transcripts, properties, url)| {
            object(vec![("transcripts", Some(transcripts)), ("properties", properties), ("file_url", url)])
        })
        .boxed()
}

/// What may happen to a document on its way.
#[derive(Debug, Clone)]
enum Damage {
    Cut(prop::sample::Index),
    Drop(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Rename(&'static str, &'static str),
}

fn damage() -> BoxedStrategy<Damage> {
    let keys = [
        "begin_time",
        "end_time",
        "text",
        "words",
        "sentences",
        "channel_id",
        "transcripts",
        "properties",
        "speaker_id",
    ];
    let key = || prop::sample::select(keys.to_vec());
    prop_oneof![
        any::<prop::sample::Index>().prop_map(Damage::Cut),
        (any::<prop::sample::Index>(), 1_usize..20).prop_map(|(at, length)| Damage::Drop(at, length)),
        (
            any::<prop::sample::Index>(),
            prop_oneof![
                prop::collection::vec(any::<u8>(), 1..6),
                prop::sample::select(vec![
                    &b"\""[..],
                    b"{",
                    b"[",
                    b"null,",
                    b"1e999",
                    b"-",
                    b"\\ud800",
                    b"\0",
                    b"\xEF\xBB\xBF",
                    b"NaN"
                ])
                .prop_map(<[u8]>::to_vec),
            ]
        )
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (key(), key()).prop_map(|(one, two)| Damage::Rename(one, two)),
    ]
    .boxed()
}

impl Damage {
    fn to(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        if bytes.is_empty() {
            return bytes;
        }
        match self {
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Drop(at, length) => {
                let from = at.index(bytes.len());
                bytes.drain(from..(from + length).min(bytes.len()));
            }
            Self::Insert(at, more) => {
                let from = at.index(bytes.len());
                bytes.splice(from..from, more.iter().copied());
            }
            // Two of these make a repeated key.
            Self::Rename(one, two) => {
                if let Ok(text) = String::from_utf8(bytes.clone()) {
                    bytes = text.replacen(&format!("\"{one}\""), &format!("\"{two}\""), 2).into_bytes();
                }
            }
        }
        bytes
    }
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Err(refused) = read(&bytes) {
            prop_assert!(!refused.to_string().is_empty());
        }
    }

    #[test]
    fn documents_of_any_shape_keep_the_identities(document in document()) {
        let bytes = document.bytes();
        if read(&bytes).is_ok() {
            prop_assert_eq!(add_up(&measured(&document)), Ok(()));
            excused(&bytes)?;
        }
    }

    #[test]
    fn damaged_documents_are_refused_or_keep_the_identities(document in document(), damages in prop::collection::vec(damage(), 1..4)) {
        let bytes = damages.iter().fold(document.bytes(), |bytes, damage| damage.to(bytes));
        if read(&bytes).is_ok() {
            prop_assert_eq!(add_up(&measured(&bytes)), Ok(()));
            excused(&bytes)?;
        }
    }

    #[test]
    fn parameters_of_any_size_keep_the_identities(
        document in document(),
        values in prop::collection::vec(prop::sample::select(vec![0, 1, 250, 1000, 31_536_000_000_i64]), Parameters::LIST.len()),
    ) {
        let parameters = settings(|parameters| {
            for (parameter, value) in Parameters::LIST.iter().zip(&values) {
                assert!(parameters.set(parameter.name, *value));
            }
        });
        prop_assert_eq!(add_up(&measured_by(&document, &parameters)), Ok(()));
    }
}
