//! Worked examples of whole calls, by hand.

use serde_json::{Value, json};

use super::*;
use crate::metrics::{Settings, measure};

/// A word `(text, begin, end)`, punctuation included.
type W<'a> = (&'a str, i64, i64);

fn sentence(words: &[W<'_>], joint: &str) -> Value {
    let text: Vec<&str> = words.iter().map(|word| word.0).collect();
    let listed: Vec<Value> = words
        .iter()
        .map(|(text, begin, end)| json!({"begin_time": begin, "end_time": end, "text": text, "punctuation": ""}))
        .collect();
    json!({"text": text.join(joint), "words": listed,
        "begin_time": words.first().map(|word| word.1), "end_time": words.last().map(|word| word.2)})
}

fn told(begin: i64, end: i64, text: &str) -> Value {
    json!({"begin_time": begin, "end_time": end, "text": text})
}

fn captions(channels: &[Vec<Value>], limits: &Limits) -> Captions {
    let transcripts: Vec<Value> =
        channels.iter().enumerate().map(|(id, sentences)| json!({"channel_id": id, "sentences": sentences})).collect();
    let json = json!({"transcripts": transcripts}).to_string();
    let transcript = crate::transcript::read(json.as_bytes()).unwrap();
    Captions::new(&measure("a.json", &transcript, &Settings::default()), limits)
}

/// Begin, end, voice: lines.
fn shown(captions: &Captions, format: Format) -> Vec<(i64, i64, String)> {
    let text = |cue: &Cue| cue.voice.iter().cloned().chain([cue.lines.join("|")]).collect::<Vec<_>>().join(": ");
    captions.cues(format).iter().map(|cue| (cue.begin_ms, cue.end_ms, text(cue))).collect()
}

fn vtt(channels: &[Vec<Value>]) -> Vec<(i64, i64, String)> {
    shown(&captions(channels, &Limits::default()), Format::WebVtt)
}

fn srt(channels: &[Vec<Value>]) -> Vec<(i64, i64, String)> {
    shown(&captions(channels, &Limits::default()), Format::Srt)
}

fn texts(cues: Vec<(i64, i64, String)>) -> Vec<String> {
    cues.into_iter().map(|cue| cue.2).collect()
}

#[test]
fn a_cue_stays_until_it_is_read_but_not_into_the_next_of_anybody() {
    // 24 characters want 1200 ms; with the name (`- ch0: `) 31 want 1550.
    let quick = told(1000, 1500, "I would like it in green");
    assert_eq!(vtt(&[vec![quick.clone()]]), [(1000, 2550, "ch0: I would like it in green".to_owned())]);
    let next = |begin| vec![told(begin, begin + 2000, "Of course.")];
    assert_eq!(vtt(&[vec![quick.clone()], next(2400)])[0].1, 2400 - 83);
    // Never more than 1500 ms behind the last word.
    assert_eq!(vtt(&[vec![told(0, 100, "Readable in three seconds, if at all, by those who read")]])[0].1, 1600);
    // What is said for long is shown for seven seconds.
    assert_eq!(vtt(&[vec![told(0, 20_000, "Well")]])[0].1, 7000);
}

#[test]
fn a_sentence_too_long_for_a_cue_is_cut_behind_a_clause() {
    let text = "Thank you for calling Hartwell Home today, you are through to Priya from returns, and I have your order here in front of me now.";
    assert_eq!(
        texts(vtt(&[vec![told(0, 8000, text)]])),
        [
            "ch0: Thank you for calling Hartwell Home today,",
            // 46 columns behind the comma do not fit.
            "ch0: you are through to Priya from returns, and|I have your order here in front of me now.",
        ]
    );
}

#[test]
fn a_cue_ends_behind_a_sentence_before_anything_else() {
    let words: Vec<W<'_>> = vec![
        ("I", 0, 100),
        ("see.", 100, 900),
        ("Then", 900, 1200),
        ("I", 1200, 1300),
        ("will", 1300, 1500),
        ("send,", 1500, 2000),
        ("today,", 2000, 2500),
        ("the", 2500, 2600),
        ("other", 2600, 3000),
        ("one", 3000, 3300),
        ("to", 3300, 3500),
        ("your", 3500, 3700),
        ("old", 3700, 4100),
        ("address.", 4100, 5000),
    ];
    assert_eq!(
        vtt(&[vec![sentence(&words, " ")]]),
        [
            // Too short for 13 characters with the name, less the gap in front of the next.
            (0, 817, "ch0: I see.".to_owned()),
            (900, 5000, "ch0: Then I will send, today,|the other one to your old address.".to_owned()),
        ]
    );
}

#[test]
fn a_silence_and_a_conjunction_are_better_than_any_word() {
    let line = |pause: i64| {
        let words: Vec<String> = (0..12).map(|number| format!("wordy{number:02}")).collect();
        let spoken: Vec<W<'_>> = words
            .iter()
            .zip(0..)
            .map(|(word, number)| {
                let late = if number >= 4 { pause } else { 0 };
                (&**word, number * 600 + late, number * 600 + 600 + late)
            })
            .collect();
        vtt(&[vec![sentence(&spoken, " ")]])
    };
    let begins = |cues: Vec<(i64, i64, String)>| cues.iter().map(|cue| cue.0).collect::<Vec<_>>();
    // Twelve words of 8 columns are two cues of like lengths; but a silence behind the fourth wins.
    assert_eq!(begins(line(249)), [0, 6 * 600 + 249]);
    assert_eq!(begins(line(250)), [0, 4 * 600 + 250]);
}

#[test]
fn short_sentences_share_a_cue_only_to_be_readable() {
    let yes = sentence(&[("Yes.", 0, 250)], "");
    let more = |begin: i64| sentence(&[("I", begin, begin + 100), ("would.", begin + 100, begin + 900)], " ");
    assert_eq!(texts(vtt(&[vec![yes.clone(), more(300)]])), ["ch0: Yes. I would."]);
    assert_eq!(texts(vtt(&[vec![yes.clone(), more(1400)]])), ["ch0: Yes.", "ch0: I would."]);
    // Never across somebody else's beginning.
    assert_eq!(
        texts(vtt(&[vec![yes, more(300)], vec![sentence(&[("Mm-hm.", 280, 600)], "")]])),
        ["ch0: Yes.", "ch1: Mm-hm.", "ch0: I would."]
    );
}

#[test]
fn a_cue_bridges_no_long_silence() {
    let words = |gap: i64| sentence(&[("well", 0, 400), ("then", 400 + gap, 900 + gap)], " ");
    assert_eq!(vtt(&[vec![words(1500)]]).len(), 1);
    assert_eq!(vtt(&[vec![words(1501)]]).len(), 2);
}

#[test]
fn chinese_is_cut_by_its_own_limits() {
    let text = "您好，欢迎致电云帆家电，我是客服林悦，请问有什么可以帮您？我想问一下因为我的吸尘器坏了所以想退货（上周买的）。";
    let cues = vtt(&[vec![told(0, 12_000, text)]]);
    assert_eq!(
        texts(cues.clone()),
        [
            // 17 characters are too many for a line.
            "ch0: 您好，欢迎致电云帆家电，",
            "ch0: 我是客服林悦，|请问有什么可以帮您？",
            "ch0: 我想问一下因为我的吸尘器坏了|所以想退货（上周买的）。",
        ]
    );
    assert_eq!((cues[0].0, cues[2].1), (0, 12_000));
}

#[test]
fn japanese_and_korean_are_cut_by_theirs() {
    let text = "お電話ありがとうございます、サポートの田中です。ご注文の番号をお願いできますでしょうか。";
    let cues = texts(vtt(&[vec![told(0, 9000, text)]]));
    assert!(cues.iter().all(|cue| cue["ch0: ".len()..].split('|').all(|line| line.chars().count() <= 13)), "{cues:?}");
    assert_eq!(cues.last().unwrap(), "ch0: ご注文の番号をお願い|できますでしょうか。");
    let text = "네 안녕하세요 고객센터 상담원 김민수입니다, 무엇을 도와드릴까요 그리고 성함이 어떻게 되세요?";
    let cues = texts(vtt(&[vec![told(0, 9000, text)]]));
    assert_eq!(
        cues,
        ["ch0: 네 안녕하세요 고객센터|상담원 김민수입니다,", "ch0: 무엇을 도와드릴까요|그리고 성함이 어떻게 되세요?"]
    );
}

#[test]
fn srt_says_who_speaks_where_the_speaker_changes() {
    let one = vec![told(0, 2000, "Hello there."), told(2500, 4000, "How are you today?")];
    let two = vec![told(4500, 6000, "Fine, and you?")];
    assert_eq!(texts(srt(&[one, two])), ["ch0: Hello there.", "How are you today?", "ch1: Fine, and you?"]);
}

#[test]
fn srt_shows_two_who_speak_at_once_in_one_cue() {
    let long = told(0, 5000, "I have had it for three weeks and now it does not even start");
    let short = told(2000, 2600, "Mm-hm.");
    assert_eq!(
        vtt(&[vec![long.clone()], vec![short.clone()]]),
        [
            (0, 5000, "ch0: I have had it for three weeks|and now it does not even start".to_owned()),
            (2000, 2833, "ch1: Mm-hm.".to_owned()),
        ]
    );
    let after = told(6000, 7000, "Oh dear.");
    assert_eq!(
        srt(&[vec![long, after], vec![short]]),
        [
            (0, 5000, "- ch0: I have had it for three weeks|and now it does not even start|- ch1: Mm-hm.".to_owned()),
            (6000, 7000, "ch0: Oh dear.".to_owned()),
        ]
    );
    // Read by then, and gone 420 ms before its last word: it gives way.
    let early = srt(&[vec![told(0, 2337, "All right then.")], vec![told(2000, 4000, "So I send it back.")]]);
    assert_eq!(early[0], (0, 1917, "ch0: All right then.".to_owned()));
    assert_eq!(early[1], (2000, 4000, "ch1: So I send it back.".to_owned()));
}

#[test]
fn sentences_without_times_are_counted_and_left_out() {
    let call =
        [vec![json!({"text": "no times"}), told(0, 1000, "timed"), told(500, 500, "no length"), json!({"text": " "})]];
    let captions = captions(&call, &Limits::default());
    assert_eq!((captions.untimed_sentences(), captions.cues(Format::Srt).len()), (2, 1));
    let silence = super::Captions::new(
        &measure("", &crate::transcript::read(br#"{"transcripts": []}"#).unwrap(), &Settings::default()),
        &Limits::default(),
    );
    assert_eq!(Format::WebVtt.write(&silence.cues(Format::WebVtt)), "WEBVTT\n");
    assert_eq!(Format::Srt.write(&silence.cues(Format::Srt)), "");
}

#[test]
fn nothing_in_a_text_or_a_name_is_taken_for_mark_up() {
    let text = "a --> b <1>&amp; {\\an8}\u{1b}[2J\r\n\r\nc\u{0}";
    let json = json!({"transcripts": [{"channel_id": 0, "sentences": [
        {"begin_time": 0, "end_time": 3000, "text": text, "speaker_id": "A>&\n\nB"}]}]})
    .to_string();
    let transcript = crate::transcript::read(json.as_bytes()).unwrap();
    let captions = Captions::new(&measure("", &transcript, &Settings::default()), &Limits::default());
    let vtt = Format::WebVtt.write(&captions.cues(Format::WebVtt));
    assert_eq!(
        vtt,
        "WEBVTT\n\n00:00:00.000 --> 00:00:03.000\n<v spkA›＆ B>a --&gt; b &lt;1&gt;&amp;amp; {\\an8}\\u{1b}[2J c\\u{0}\n"
    );
    let srt = Format::Srt.write(&captions.cues(Format::Srt));
    assert_eq!(srt, "1\n00:00:00,000 --> 00:00:03,000\nspkA›＆ B: a --› b ‹1›&amp;\n｛\\an8}\\u{1b}[2J c\\u{0}\n");
    assert_eq!(display_name(&"x".repeat(90)).chars().count(), 60);
}

#[test]
fn times_of_a_whole_day_have_their_hours() {
    assert_eq!(time(359_999_999, '.'), "99:59:59.999");
    assert_eq!(time(360_000_000, ','), "100:00:00,000");
}

mod laws {
    use proptest::prelude::*;

    use super::super::tokens::tokens;
    use super::*;

    /// `(pause before, length, parts)`: a sentence with or without word times.
    type Sentence = (i64, i64, Vec<String>, bool);

    fn latin() -> impl Strategy<Value = Vec<String>> {
        let word = "[a-zA-Z]{1,12}[,.?]?|[0-9]{1,4}(\\.[0-9]{1,2})?%?|<[0-9]{1,3}>|&amp;|-->|don't|\\$[0-9]{1,3}|\\([a-z]{1,5}\\)|and";
        proptest::collection::vec(word, 1..30)
    }

    fn chinese() -> impl Strategy<Value = Vec<String>> {
        let word = "[你好我们请问设备网络的了]{1,4}[，。！？、]?|“[你好]{1,3}”|（[我们]{1,2}）|《[设备]》|WiFi|[0-9]{1,3}|因为|但是";
        proptest::collection::vec(word, 1..40)
    }

    fn sentences(parts: impl Strategy<Value = Vec<String>>) -> impl Strategy<Value = Vec<Sentence>> {
        proptest::collection::vec(
            (prop_oneof![Just(0_i64), 0..400_i64, 0..9000_i64], 1..12_000_i64, parts, any::<bool>()),
            0..8,
        )
    }

    /// Sentences one after the other, those of the law's own speaker never at once.
    fn channel(sentences: &[Sentence], joint: &str) -> Vec<Value> {
        let mut now = 0;
        let sentence = |(pause, length, parts, timed): &Sentence| {
            let begin = now + pause;
            now = begin + length;
            if !timed {
                return told(begin, now, &parts.join(joint));
            }
            let at = |number: usize| begin + length * number as i64 / parts.len() as i64;
            let words: Vec<W<'_>> =
                parts.iter().enumerate().map(|(number, part)| (&**part, at(number), at(number + 1))).collect();
            super::sentence(&words, joint)
        };
        sentences.iter().map(sentence).collect()
    }

    fn bare(text: &str) -> String {
        text.chars().filter(|c| !c.is_whitespace()).collect()
    }

    /// Laws of all captions. `joint` separates words.
    fn hold(channels: &[Vec<Sentence>], joint: &str) {
        let limits = Limits::default();
        let calls: Vec<Vec<Value>> = channels.iter().map(|sentences| channel(sentences, joint)).collect();
        let captions = captions(&calls, &limits);
        assert_eq!(captions.untimed_sentences(), 0);
        let vtt = captions.cues(Format::WebVtt);
        for (id, sentences) in channels.iter().enumerate() {
            let voice = format!("ch{id}");
            let own: Vec<&Cue> = vtt.iter().filter(|cue| cue.voice.as_deref() == Some(&*voice)).collect();
            // All text, once, in order; words are whole, so splitting at spaces gives the same pieces.
            let lines: Vec<&str> = own.iter().flat_map(|cue| &cue.lines).map(|line| &**line).collect();
            let texts: Vec<String> = sentences.iter().map(|sentence| sentence.2.join(joint)).collect();
            assert_eq!(bare(&lines.concat()), bare(&texts.concat()));
            if joint == " " {
                let words = |all: &str| all.split(' ').map(str::to_owned).collect::<Vec<_>>();
                assert_eq!(words(&lines.join(" ")), if texts.is_empty() { words("") } else { words(&texts.join(" ")) });
            }
            for pair in own.windows(2) {
                assert!(pair[1].begin_ms - pair[0].end_ms >= limits.gap_ms, "{pair:?}");
            }
        }
        assert!(vtt.is_sorted_by_key(|cue| cue.begin_ms));
        for (cut, cue) in captions.drafts.iter().zip(&vtt) {
            assert!(cue.end_ms > cue.begin_ms && cue.end_ms - cue.begin_ms <= limits.max_duration_ms, "{cue:?}");
            assert!(cue.end_ms <= cut.speech_end.max(cut.begin) + limits.run_on_ms + 1, "{cue:?}");
            assert!(cue.lines.len() <= 2, "{cue:?}");
            for line in &cue.lines {
                let limit = limits.line_columns(cut.script);
                assert!(
                    cut.script.columns(line) <= limit || !cut.tokens.iter().all(|token| token.columns <= limit),
                    "{line}"
                );
                assert!(!line.starts_with(['，', '。', '！', '？', '、', '”', '）', '》', ' ']), "{line}");
                assert!(!line.ends_with(['“', '（', '《', ' ']), "{line}");
            }
        }
        let srt = captions.cues(Format::Srt);
        for pair in srt.windows(2) {
            assert!(
                pair[1].begin_ms - pair[0].end_ms >= limits.gap_ms && pair[0].end_ms > pair[0].begin_ms,
                "{pair:?}"
            );
        }
        assert_eq!(
            srt.iter().flat_map(|cue| &cue.lines).map(|line| line.matches("- ch").count()).sum::<usize>() > 0,
            srt.len() < vtt.len()
        );
        // What is written is read again.
        assert_eq!(Format::WebVtt.read(Format::WebVtt.write(&vtt).as_bytes()).unwrap(), vtt);
        let mut read = Format::Srt.read(Format::Srt.write(&srt).as_bytes()).unwrap();
        for line in read.iter_mut().flat_map(|cue| &mut cue.lines) {
            *line = line.replace('‹', "<").replace('›', ">");
        }
        assert_eq!(read, srt);
        // The same input, the same bytes.
        assert_eq!(Format::Srt.write(&super::captions(&calls, &limits).cues(Format::Srt)), Format::Srt.write(&srt));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn latin_captions(channels in proptest::collection::vec(sentences(latin()), 1..4)) {
            hold(&channels, " ");
        }

        #[test]
        fn chinese_captions(channels in proptest::collection::vec(sentences(chinese()), 1..4)) {
            hold(&channels, "");
        }

        #[test]
        fn any_text_and_any_times_give_captions(
            texts in proptest::collection::vec(("(\\PC|[ \n\t，。“a1]){0,40}", -5000..100_000_i64, -5000..100_000_i64, 0..3_u32), 0..6),
            lines in 1..4_u32, length in 1..60_u32,
        ) {
            let sentences: Vec<Value> = texts.iter().map(|(text, begin, end, speaker)| {
                let words: Vec<Value> = text.split_inclusive(' ').enumerate()
                    .map(|(at, word)| json!({"text": word, "begin_time": begin + 100 * (at as i64 % 7), "end_time": begin + 50 * at as i64}))
                    .collect();
                json!({"text": text, "begin_time": begin, "end_time": end, "speaker_id": speaker, "words": words})
            }).collect();
            let limits = Limits { lines, line_length: Some(length), ..Limits::default() };
            let captions = captions(&[sentences], &limits);
            for format in Format::ALL {
                let cues = captions.cues(format);
                prop_assert!(cues.iter().all(|cue| cue.end_ms > cue.begin_ms));
                prop_assert_eq!(format.read(format.write(&cues).as_bytes()).unwrap().len(), cues.len());
                let _ = check(&cues, format, &limits);
            }
        }

        #[test]
        fn tokens_are_the_text(text in "(\\PC|[ ，。“（a1：]){0,60}") {
            let text = single_line(&text);
            let script = Script::from_text(&text, false);
            if let Some(times) = char_times::char_times(&text, &[], Some(crate::metrics::Interval { begin: 0, end: 5000 })) {
                let tokens = tokens(&text, &times, script, 250);
                prop_assert_eq!(wrap::joined(&tokens), text);
                prop_assert!(tokens.is_sorted_by_key(|token| token.begin));
            }
        }
    }
}
