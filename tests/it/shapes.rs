//! One conversation in the shape of every recogniser: what a shape can say is read as it was.

use proptest::prelude::*;
use serde_json::{Value, json};
use talkmeter::export;
use talkmeter::metrics::{Settings, measure};
use talkmeter::transcript::foreign::Format;
use talkmeter::transcript::{Transcript, read};

use crate::scene::{Scene, has};

/// A word: begin and end in ms, text.
type Word = (i64, i64, &'static str);

/// A speaker and what they say; the last word ends with a full stop.
type Said = (u8, Vec<Word>);

fn text(words: &[Word]) -> String {
    words.iter().map(|word| word.2).collect::<Vec<_>>().join(" ") + "."
}

fn span(words: &[Word]) -> (i64, i64) {
    (words[0].0, words[words.len() - 1].1)
}

/// The words with the full stop on the last.
fn spelt(words: &[Word]) -> impl Iterator<Item = (i64, i64, String)> {
    let last = words.len() - 1;
    words.iter().enumerate().map(move |(at, &(begin, end, text))| {
        (begin, end, if at == last { format!("{text}.") } else { text.to_owned() })
    })
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// A result of the service: one diarised track, or a track for each speaker; with or without words.
fn of_service(said: &[Said], on_tracks: bool, with_words: bool) -> Value {
    let sentence = |(speaker, words): &Said| {
        let (begin, end) = span(words);
        let word = |(begin, end, text): (i64, i64, String)| json!({"begin_time": begin, "end_time": end, "text": text, "punctuation": ""});
        let listed: Vec<Value> = spelt(words).filter(|_| with_words).map(word).collect();
        let mut sentence = json!({"begin_time": begin, "end_time": end, "text": text(words), "words": listed});
        if !on_tracks {
            sentence["speaker_id"] = json!(speaker);
        }
        sentence
    };
    let mut tracks: Vec<u8> = said.iter().map(|one| if on_tracks { one.0 } else { 0 }).collect();
    tracks.sort_unstable();
    tracks.dedup();
    let track = |id: &u8| {
        let own = said.iter().filter(|one| !on_tracks || one.0 == *id);
        json!({"channel_id": id, "sentences": own.map(sentence).collect::<Vec<_>>()})
    };
    json!({"transcripts": tracks.iter().map(track).collect::<Vec<_>>()})
}

/// Whether the shape has words here.
fn has_words(format: Format) -> bool {
    !matches!(format, Format::SegLst | Format::Stm | Format::Rttm | Format::Srt | Format::WebVtt)
}

/// The conversation as a recogniser writes it.
fn written(format: Format, said: &[Said]) -> String {
    let all = |sentence: &dyn Fn(&Said) -> Value| said.iter().map(sentence).collect::<Vec<Value>>();
    let words = |one: &Said, word: &dyn Fn(i64, i64, String) -> Value| {
        spelt(&one.1).map(|(begin, end, text)| word(begin, end, text)).collect::<Vec<Value>>()
    };
    let every = |word: &dyn Fn(u8, i64, i64, String) -> Value| {
        said.iter()
            .flat_map(|one| words(one, &|begin, end, text| word(one.0, begin, end, text)))
            .collect::<Vec<Value>>()
    };
    let lines = |line: &dyn Fn(usize, &Said) -> String| {
        said.iter().enumerate().map(|(at, one)| line(at, one)).collect::<String>()
    };
    let stamp = |ms: i64, point: char| {
        format!("{:02}:{:02}:{:02}{point}{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
    };
    let json = match format {
        Format::Whisper => json!({"text": "", "segments": all(&|one| json!({
            "start": seconds(span(&one.1).0), "end": seconds(span(&one.1).1), "text": format!(" {}", text(&one.1)),
            "speaker": format!("SPEAKER_0{}", one.0),
            "words": words(one, &|begin, end, text| json!({"word": format!(" {text}"), "start": seconds(begin), "end": seconds(end)}))}))}),
        Format::WhisperCpp => json!({"transcription": all(&|one| {
            let token = |text: String, begin: i64, end: i64| json!({"text": text, "offsets": {"from": begin, "to": end}});
            let mut tokens = vec![token("[_BEG_]".to_owned(), 0, 0)];
            tokens.extend(one.1.iter().map(|&(begin, end, text)| token(format!(" {text}"), begin, end)));
            let (begin, end) = span(&one.1);
            tokens.push(token(".".to_owned(), end, end));
            json!({"offsets": {"from": begin, "to": end}, "text": format!(" {}", text(&one.1)),
                "speaker": one.0.to_string(), "tokens": tokens})
        })}),
        Format::FunAsr => json!([{"key": "a", "text": "", "sentence_info": all(&|one| json!({
            "text": text(&one.1), "start": span(&one.1).0, "end": span(&one.1).1, "spk": one.0,
            "timestamp": one.1.iter().map(|word| json!([word.0, word.1])).collect::<Vec<_>>()}))}]),
        Format::Aws => {
            let mut items = Vec::new();
            for (speaker, words) in said {
                items.extend(words.iter().map(|&(begin, end, text)| {
                    json!({"type": "pronunciation",
                    "start_time": seconds(begin).to_string(), "end_time": seconds(end).to_string(),
                    "speaker_label": format!("spk_{speaker}"), "alternatives": [{"content": text}]})
                }));
                items.push(json!({"type": "punctuation", "alternatives": [{"content": "."}]}));
            }
            json!({"results": {"transcripts": [{"transcript": ""}], "items": items}})
        }
        Format::AwsCallAnalytics => json!({"Transcript": all(&|one| json!({
            "Content": text(&one.1), "ParticipantRole": format!("ROLE_{}", one.0),
            "BeginOffsetMillis": span(&one.1).0, "EndOffsetMillis": span(&one.1).1,
            "Items": words(one, &|begin, end, text| json!({"Type": "pronunciation", "Content": text,
                "BeginOffsetMillis": begin, "EndOffsetMillis": end}))}))}),
        Format::Google => {
            json!({"results": [{"alternatives": [{"transcript": "", "words": every(&|speaker, begin, end, text| json!({
            "word": text, "speakerLabel": format!("{}", speaker + 1),
            "startOffset": format!("{}s", seconds(begin)), "endOffset": format!("{}s", seconds(end))}))}]}]})
        }
        Format::Deepgram => {
            json!({"metadata": {}, "results": {"channels": [{"alternatives": [{"words": every(&|speaker, begin, end, text| json!({
            "word": text.trim_end_matches('.'), "punctuated_word": text, "speaker": speaker,
            "start": seconds(begin), "end": seconds(end)}))}]}]}})
        }
        Format::AssemblyAi => json!({"audio_url": "x", "words": [], "utterances": all(&|one| json!({
            "speaker": format!("S{}", one.0), "start": span(&one.1).0, "end": span(&one.1).1, "text": text(&one.1),
            "words": words(one, &|begin, end, text| json!({"text": text, "start": begin, "end": end}))}))}),
        Format::AzureBatch => json!({"recognizedPhrases": all(&|one| json!({
            "recognitionStatus": "Success", "channel": 0, "speaker": one.0 + 1,
            "offsetInTicks": span(&one.1).0 * 10_000, "durationInTicks": (span(&one.1).1 - span(&one.1).0) * 10_000,
            "nBest": [{"display": text(&one.1), "words": words(one, &|begin, end, text| json!({"word": text,
                "offsetInTicks": begin * 10_000, "durationInTicks": ((end - begin) * 10_000) as f64}))}]}))}),
        Format::AzureFast => json!({"phrases": all(&|one| json!({
            "text": text(&one.1), "speaker": one.0, "offsetMilliseconds": span(&one.1).0,
            "durationMilliseconds": span(&one.1).1 - span(&one.1).0,
            "words": words(one, &|begin, end, text| json!({"text": text, "offsetMilliseconds": begin,
                "durationMilliseconds": end - begin}))}))}),
        Format::ElevenLabs => json!({"words": every(&|speaker, begin, end, text| json!({"type": "word", "text": text,
            "start": seconds(begin), "end": seconds(end), "speaker_id": format!("speaker_{speaker}")}))}),
        Format::SegLst => Value::Array(all(&|one| {
            json!({"session_id": "a", "speaker": format!("S{}", one.0),
            "start_time": seconds(span(&one.1).0), "end_time": seconds(span(&one.1).1), "words": text(&one.1)})
        })),
        Format::Rttm => {
            return lines(&|_, one| {
                let (begin, end) = span(&one.1);
                format!("SPEAKER a 1 {} {} <NA> <NA> S{} <NA> <NA>\n", seconds(begin), seconds(end - begin), one.0)
            });
        }
        Format::Ctm => {
            return lines(&|_, one| {
                let line = |(begin, end, text)| {
                    format!("a 1 {} {} {text} 0.9 lex S{}\n", seconds(begin), seconds(end - begin), one.0)
                };
                spelt(&one.1).map(line).collect()
            });
        }
        Format::Stm => {
            return lines(&|_, one| {
                let (begin, end) = span(&one.1);
                format!("a 1 S{} {} {} {}\n", one.0, seconds(begin), seconds(end), text(&one.1))
            });
        }
        Format::Srt => {
            return lines(&|at, one| {
                let (begin, end) = span(&one.1);
                format!("{}\n{} --> {}\n[S{}]: {}\n\n", at + 1, stamp(begin, ','), stamp(end, ','), one.0, text(&one.1))
            });
        }
        Format::WebVtt => {
            return "WEBVTT\n\n".to_owned()
                + &lines(&|_, one| {
                    let (begin, end) = span(&one.1);
                    format!("{} --> {}\n<v S{}>{}\n\n", stamp(begin, '.'), stamp(end, '.'), one.0, text(&one.1))
                });
        }
        _ => panic!("a shape without a writer: {format:?}"),
    };
    json.to_string()
}

/// What a call comes down to, whatever its participants are called and however they are ordered. Without a text in the file,
/// no units.
fn figures(transcript: &Transcript<'_>, with_units: bool) -> Value {
    let measured = measure("a", transcript, &Settings::default());
    let units = |units: Option<i64>| units.filter(|_| with_units);
    let mut people: Vec<_> = measured
        .participants
        .iter()
        .map(|one| {
            json!([
                one.talk_ms,
                units(one.units),
                one.turn_count,
                one.first_begin_ms,
                one.last_end_ms,
                one.interruption_count,
                one.longest_turn_ms
            ])
        })
        .collect();
    people.sort_by_key(Value::to_string);
    let call = &measured.call;
    json!({"people": people, "speech": call.speech_ms, "silence": call.silence_ms, "dead_air": call.dead_air_ms,
        "overlap": call.overlap_ms, "turns": call.turn_count, "switches": call.switch_count, "units": units(call.units),
        "words": measured.words().count(), "sentences": call.sentence_count})
}

fn figures_of(content: &str, with_units: bool) -> Value {
    let transcript = read(content.as_bytes()).unwrap_or_else(|error| panic!("{error}: {content}"));
    figures(&transcript, with_units)
}

fn conversation() -> impl Strategy<Value = Vec<Said>> {
    let spoken = prop::sample::select(vec!["good", "morning", "yes", "well", "refund", "the", "I"]);
    let word = (0..400_i64, 1..900_i64, spoken);
    let sentence = (0..3_u8, -800..4000_i64, prop::collection::vec(word, 1..6));
    prop::collection::vec(sentence, 1..12).prop_map(|sentences| {
        let mut at = 0_i64;
        let mut said = Vec::new();
        for (speaker, pause, words) in sentences {
            at = (at + pause).max(0);
            let mut spoken = Vec::new();
            for (gap, length, text) in words {
                let begin = at + if spoken.is_empty() { 0 } else { gap };
                spoken.push((begin, begin + length, text));
                at = begin + length;
            }
            said.push((speaker, spoken));
        }
        said
    })
}

/// A place in a file, and what happens to it.
fn damaged(content: &str, place: usize, kind: u8) -> Vec<u8> {
    let mut bytes = content.as_bytes().to_vec();
    let at = place % bytes.len();
    let number = (0..bytes.len()).map(|more| (at + more) % bytes.len()).find(|&at| bytes[at].is_ascii_digit());
    match (kind % 8, number) {
        (0, _) => bytes.truncate(at),
        (1, _) => bytes[at] = 0xFF,
        (2, _) => bytes.splice(at..at, *b"\0").for_each(drop),
        (3, Some(at)) => bytes.splice(at..=at, *b"99999999999999999999999999999999").for_each(drop),
        (4, Some(at)) => bytes.splice(at..=at, *b"1e308").for_each(drop),
        (5, Some(at)) => bytes.splice(at..=at, *b"-7").for_each(drop),
        (6, Some(at)) => bytes.splice(at..=at, *b"null").for_each(drop),
        _ => {
            let line = bytes[at..].to_vec();
            bytes.extend(line);
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_shape_says_what_it_can(said in conversation()) {
        let service = |with_words| of_service(&said, false, with_words).to_string();
        for format in Format::ALL {
            let content = written(format, &said);
            prop_assert_eq!(Format::detect(content.as_bytes()), Some(format), "{}", content);
            let with_units = format != Format::Rttm;
            let expected = figures_of(&service(has_words(format)), with_units);
            prop_assert_eq!(figures_of(&content, with_units), expected, "{}: {}", format.name(), content);
        }
    }

    #[test]
    fn what_is_exported_is_read_as_it_was(said in conversation(), on_tracks in any::<bool>()) {
        let whole = of_service(&said, on_tracks, true).to_string();
        let transcript = read(whole.as_bytes()).unwrap();
        let measured = measure("a.json", &transcript, &Settings::default());
        let back = |format: export::Format| {
            let exported = format.write(&measured);
            assert_eq!(exported.left_out, 0);
            exported.content
        };
        // Words and channels, or words and speakers.
        // In the order of time, sentences of several speakers are cut into pieces.
        let uncut = |mut figures: Value| {
            figures["sentences"] = Value::Null;
            figures
        };
        prop_assert_eq!(uncut(figures_of(&back(export::Format::Ctm), true)), uncut(figures(&transcript, true)));
        let sentences = of_service(&said, on_tracks, false).to_string();
        prop_assert_eq!(figures_of(&back(export::Format::Stm), true), figures_of(&sentences, true));
        // Without channels.
        let whole = of_service(&said, false, true).to_string();
        prop_assert_eq!(figures_of(&back(export::Format::WhisperJson), true), figures_of(&whole, true));
        let sentences = of_service(&said, false, false).to_string();
        prop_assert_eq!(figures_of(&back(export::Format::SegLst), true), figures_of(&sentences, true));
        // Bursts: who talks when.
        let talk = |content: &str| {
            let transcript = read(content.as_bytes()).unwrap();
            let measured = measure("a", &transcript, &Settings::default());
            let mut talk: Vec<_> = measured.participants.iter().map(|one| (one.talk_ms, one.first_begin_ms)).collect();
            talk.sort_unstable();
            (talk, measured.call.speech_ms, measured.call.overlap_ms.is_some())
        };
        prop_assert_eq!(talk(&back(export::Format::Rttm)), talk(&whole));
    }

    #[test]
    fn damaged_files_of_any_shape_are_one_line(said in conversation(), place in any::<usize>(), kind in any::<u8>()) {
        for format in Format::ALL {
            let bytes = damaged(&written(format, &said), place, kind);
            let results = [read(&bytes), format.read(&bytes)];
            for result in results {
                match result {
                    Ok(transcript) => {
                        let measured = measure("a", &transcript, &Settings::default());
                        for format in export::Format::ALL {
                            let _ = format.write(&measured);
                        }
                    }
                    Err(error) => {
                        let error = error.to_string();
                        prop_assert!(!error.contains('\n') && error.len() < 800, "{}", error);
                    }
                }
            }
        }
    }
}

#[test]
fn one_call_in_all_shapes_has_the_same_figures_in_one_analysis() {
    let said: Vec<Said> = vec![
        (0, vec![(500, 900, "good"), (1000, 1500, "morning")]),
        (1, vec![(2000, 2400, "I"), (2400, 3000, "want"), (3600, 4100, "the"), (4100, 4900, "refund")]),
        (0, vec![(4600, 5200, "well")]),
        (1, vec![(9900, 10_400, "yes")]),
    ];
    let mut scene = Scene::new().call("service", of_service(&said, false, true));
    for format in Format::ALL {
        let ending = if written(format, &said).starts_with(['{', '[']) { "json" } else { format.name() };
        let ending = if ending == "webvtt" { "vtt" } else { ending };
        scene = scene.write(&format!("calls/{}.{ending}", format.name()), written(format, &said));
    }
    let ran = scene.run("analyze calls -o out --tables jsonl").exits(0);
    let rows = ran.table("calls");
    assert_eq!(rows.len(), 18);
    let service = rows.iter().find(|row| row["source_format"] == "model_studio").unwrap().clone();
    for row in &rows {
        let name = row["source_format"].as_str().unwrap();
        let format = Format::ALL.into_iter().find(|format| format.name() == name);
        // All shapes: who begins, who ends, how many take turns.
        let mut same =
            vec!["span_start_ms", "span_end_ms", "participant_count", "turn_count", "dead_air_count", "dead_air_ms"];
        if format != Some(Format::Rttm) {
            same.extend(["units", "sentence_count"]);
        }
        if format.is_none_or(has_words) {
            same.extend([
                "speech_ms",
                "silence_ms",
                "longest_silence_ms",
                "overlap_ms",
                "units_per_min",
                "interruption_count",
            ]);
        }
        for column in same {
            assert_eq!(row[column], service[column], "{name}: {column}");
        }
        if format.is_some() {
            has(row, json!({"billable_ms": null, "model": null}));
        }
    }
    // A sentence without words is one stretch: the pause of 600 ms inside the second is talk.
    let talk =
        |name: &str| rows.iter().find(|row| row["source_format"] == name).unwrap()["speech_ms"].as_i64().unwrap();
    assert_eq!((talk("model_studio"), talk("stm")), (4100, 4700));
}
