//! What holds for every invented call.

use super::*;

fn source(url: &str) -> Source {
    Source::address(url)
}

fn asked(channels: &[u32]) -> Parameters {
    Parameters { channels: channels.to_vec(), ..Parameters::default() }
}

#[test]
fn the_same_question_gets_the_same_answer_and_another_file_another() {
    let (one, two) = (source("https://example.org/a.mp3"), source("https://example.org/b.mp3"));
    let parameters = Parameters::default();
    assert_eq!(Call::new(&one, &parameters).result(), Call::new(&one, &parameters).result());
    assert_ne!(Call::new(&one, &parameters).result(), Call::new(&two, &parameters).result());
}

#[test]
fn every_call_is_sound() {
    let mut languages = std::collections::BTreeSet::new();
    for n in 0..300 {
        let url = format!("https://example.org/{n}{}.mp3", if n % 3 == 0 { "-stereo" } else { "" });
        let (source, parameters) = (source(&url), asked(if n % 2 == 0 { &[0] } else { &[0, 1] }));
        let call = Call::new(&source, &parameters);
        languages.insert(call.script.code);
        assert!((30_000..=240_000).contains(&call.duration_ms));
        assert_eq!(call.heard.len(), parameters.channels.len());
        for track in &call.heard {
            assert!(track.sentences.len() > 2, "{url}");
            let mut free = 0;
            for sentence in &track.sentences {
                assert!(free <= sentence.begin(), "{url}: sentences of a track overlap");
                for word in &sentence.words {
                    assert!(free <= word.begin && word.begin < word.end, "{url}");
                    free = word.end;
                }
            }
            assert!(free <= call.duration_ms);
        }
        assert!(call.billed_ms() > 0);
    }
    assert_eq!(languages.len(), 2);
}

#[test]
fn tracks_are_those_of_the_file_and_those_asked_for() {
    assert_eq!(source("https://x.org/a.mp3").tracks(&[0]), [0]);
    assert_eq!(source("https://x.org/a.mp3").tracks(&[1]), [0, 1]);
    assert_eq!(source("https://x.org/a-Stereo.wav?x=1").tracks(&[0]), [0, 1]);
    assert_eq!(source("https://stereo.org/a.wav").tracks(&[0]), [0]);
    let mono =
        Source::bytes("oss://a.wav", [0; 32], Some(Audio { channels: 1, sampling_rate: 8000, duration_ms: 900 }));
    assert!(mono.has(&[0]) && !mono.has(&[0, 1]));
}

#[test]
fn one_track_holds_both_parties_and_two_hold_one_each() {
    let source = source("https://example.org/call.mp3");
    let both = Parameters { diarization: true, ..Parameters::default() };
    let result = Call::new(&source, &both).result();
    let speakers: std::collections::BTreeSet<i64> = result["transcripts"][0]["sentences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sentence| sentence["speaker_id"].as_i64().unwrap())
        .collect();
    assert_eq!(speakers.into_iter().collect::<Vec<_>>(), [0, 1]);
    let call_parameters = asked(&[0, 1]);
    let apart = Call::new(&source, &call_parameters);
    assert!(apart.heard.iter().enumerate().all(|(at, track)| track.sentences.iter().all(|s| s.party == at)));
}

#[test]
fn the_shortest_recording_has_speech_that_fits() {
    for duration_ms in [1, 40, 900, 2_500] {
        let audio = Audio { channels: 2, sampling_rate: 8000, duration_ms };
        let (source, parameters) = (Source::bytes("oss://a.wav", [7; 32], Some(audio)), asked(&[0, 1]));
        let call = Call::new(&source, &parameters);
        for track in &call.heard {
            assert!(track.content_ms() > 0 && track.sentences.last().unwrap().end() <= duration_ms);
        }
    }
}
