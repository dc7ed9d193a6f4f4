//! Estimates that measure the speech: what is measured, what is reported where it cannot be, and how close it comes to what was
//! really spoken in calls of synthetic voices with known silences.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::scene::{Ran, Scene, call, files_below, wav, wav_of};

/// What flite speaks at, in hertz.
const RATE: u32 = 16_000;

const SENTENCES: [&str; 12] = [
    "Good morning and thank you for calling the billing department",
    "I would like to know why my invoice went up by twenty dollars",
    "Let me look that up for you right away",
    "My account number ends with four seven nine two",
    "I can see a charge for the new modem on the second page",
    "Nobody told me that I would have to pay for it",
    "That must have been an oversight and I am sorry about it",
    "Could you take it off the bill please",
    "I will send you a corrected invoice by the end of the week",
    "Yes",
    "That would be wonderful",
    "Is there anything else that I can do for you today",
];

/// Between one turn and the next, in milliseconds.
const GAPS: [u32; 7] = [450, 1200, 800, 3100, 650, 1700, 2400];

/// A sentence, cut where its sound begins and ends: 10 ms no quieter than 40 dB below the loudest.
fn spoken(voice: &str, text: &str) -> Vec<i16> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("said.wav");
    let ran = Command::new("flite").args(["-voice", voice, "-t", text, "-o"]).arg(&path).status().unwrap();
    assert!(ran.success(), "flite {voice}");
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(bytes.get(24..28), Some(&RATE.to_le_bytes()[..]), "{voice} speaks at another rate");
    let samples: Vec<i16> =
        bytes[44..].chunks_exact(2).map(|pair| i16::from_le_bytes(pair.try_into().unwrap())).collect();
    let power = |block: &[i16]| block.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
    let blocks: Vec<f64> = samples.chunks_exact(160).map(power).collect();
    let threshold = blocks.iter().copied().fold(0.0, f64::max) / 10_000.0;
    let first = blocks.iter().position(|block| *block >= threshold).unwrap();
    let last = blocks.iter().rposition(|block| *block >= threshold).unwrap();
    samples[first * 160..(last + 1) * 160].to_vec()
}

/// A call: who speaks when is known to the sample.
struct Spoken {
    sides: [Vec<i16>; 2],
    /// Of each side, in milliseconds.
    speech_ms: [i64; 2],
}

/// Both take turns; ringing comes first on the side of the caller.
fn conversation(voices: [&str; 2], said: &BTreeMap<(&str, usize), Vec<i16>>, ringing_s: u32) -> Spoken {
    let mut call = Spoken { sides: [Vec::new(), Vec::new()], speech_ms: [0, 0] };
    for at in 0..ringing_s * RATE {
        let (second, is_on) = (f64::from(at) / f64::from(RATE), (at / RATE) % 6 < 2);
        let tone = (second * TAU * 440.0).sin() + (second * TAU * 480.0).sin();
        call.sides[0].push(if is_on { (tone * 3000.0) as i16 } else { 0 });
        call.sides[1].push(0);
    }
    for (turn, gap) in (0..26).zip(GAPS.into_iter().cycle()) {
        let (side, sentence) = (turn % 2, turn * 5 % SENTENCES.len());
        let words = &said[&(voices[side], sentence)];
        let silence = (gap * RATE / 1000) as usize;
        call.sides[side].extend(std::iter::repeat_n(0, silence).chain(words.iter().copied()));
        call.sides[1 - side].resize(call.sides[side].len(), 0);
        call.speech_ms[side] += words.len() as i64 * 1000 / i64::from(RATE);
    }
    call
}

/// The same at 8 kHz, as a telephone has it.
fn at_8_khz(path: &Path) {
    let narrow = path.with_extension("8k.wav");
    let ran = Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(path).args(["-ar", "8000"]).arg(&narrow).status();
    assert!(ran.unwrap().success());
    std::fs::rename(narrow, path).unwrap();
}

/// A file of the fixtures.
fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio").join(name)).unwrap()
}

/// File, track, low, expected, high and source of every line of an estimate printed as CSV.
fn lines(ran: &Ran) -> Vec<String> {
    let out = ran.out();
    let cells = |line: &str| {
        let cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        [0, 1, 6, 7, 8, 15].map(|at| cells[at].clone()).join(" ")
    };
    assert!(
        out.starts_with("file,channel_id,")
            && out.lines().next().unwrap().ends_with(",price_date,speech_source,most,cost_most")
    );
    out.lines().skip(1).map(cells).collect()
}

#[test]
fn the_speech_of_each_track_is_measured_if_it_can_be() {
    let mut half_a_tone = vec![[0_i16, 0]; 64_000];
    for (at, frame) in half_a_tone.iter_mut().enumerate().take(32_000) {
        frame[1] = ((at as f64 / 8000.0 * TAU * 425.0).sin() * 8000.0) as i16;
    }
    let scene = || {
        Scene::new()
            .write("audio/a-silent.wav", wav_of(8000, &vec![[0_i16]; 80_000]))
            .write("audio/b-ringing.wav", wav_of(8000, &half_a_tone))
            .write("audio/c-no-decoder.wma", fixture("tone.wma"))
            .write("audio/d-damaged.mp3", "this is no recording")
            .write(
                "list.csv",
                "url,duration\nhttps://calls.example/a.wav,20\nmore/a-silent.wav,\naudio/a-silent.wav,\n",
            )
            .write("more/a-silent.wav", wav_of(8000, &vec![[0_i16]; 80_000]))
    };
    let ran = scene()
        .run("cost estimate audio list.csv --vad --channel 0,1 --details --region intl --format csv")
        .exits(0)
        .says("1 recording cannot be decoded without ffmpeg; assuming the usual share of speech")
        .says("audio/d-damaged.mp3: cannot be decoded\n")
        .says("1 recording given twice is counted once")
        .says("speech measured in 4 of 12 tracks\n")
        .says(", at most 0.00");
    let measured = lines(&ran);
    // A mono file has no second track: a requested track that is missing is counted as before.
    for line in [
        "a-silent.wav 0 0 0 0 measured",
        "a-silent.wav 1 4 6 9 usual",
        "b-ringing.wav 0 0 0 0 measured",
        "c-no-decoder.wma 0 1 1 1 usual",
        "d-damaged.mp3 0    ",
        "https://calls.example/a.wav 1 7 11 16 usual",
        "more/a-silent.wav 0 0 0 0 measured",
    ] {
        assert!(measured.iter().any(|measured| measured == line), "{line}: {measured:?}");
    }
    // Four seconds of ringing are no speech, but a service may hear it as such.
    let ringing = measured.iter().find(|line| line.starts_with("b-ringing.wav 1")).unwrap();
    assert!(["b-ringing.wav 1 0 0 4 measured", "b-ringing.wav 1 0 0 5 measured"].contains(&&ringing[..]), "{ringing}");
    // What is given holds where nothing is measured.
    let ran = scene()
        .run("cost estimate audio --vad --speech-share 0.9 --details --region intl --format csv")
        .exits(0)
        .says("without ffmpeg; assuming the given share of speech");
    let given = lines(&ran);
    assert!(given.contains(&"a-silent.wav 0 0 0 0 measured".to_owned()), "{given:?}");
    assert!(given.contains(&"c-no-decoder.wma 0 1 1 1 given".to_owned()), "{given:?}");
    scene()
        .run("cost estimate audio --vad --region intl --model qwen-audio-3.1-asr-flash-filetrans")
        .exits(0)
        .says("is billed in tokens for the whole length; measured speech does not matter");
    scene().run("cost estimate https://calls.example/a.wav --vad").exits(0).says("speech measured in 0 of 1 track\n");
    // Whoever does not ask for it waits for nothing.
    let ran = scene().run("cost estimate audio --details --region intl --format csv").exits(0).says_no("measured");
    assert!(lines(&ran).contains(&"a-silent.wav 0 8 9 10 usual".to_owned()), "{}", ran.out());
}

#[cfg(unix)]
#[test]
fn file_names_are_not_options_of_ffmpeg() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = |path: &str| {
        Scene::new()
            .write("-y.wma", fixture("tone.wma"))
            .write("pipe:0.wma", fixture("tone.wma"))
            // Several are asked at once: each writes down for itself what it was asked.
            .write("bin/ffmpeg", "#!/bin/sh\nfor word in \"$@\"; do echo \"$word\"; done > \"asked-$$\"\nexit 1\n")
            .with(|folder| {
                let program = folder.join("bin/ffmpeg");
                std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).unwrap();
            })
            .environment("PATH", path)
    };
    let asked = |ran: &Ran| -> Vec<String> {
        let files = files_below(&ran.path("")).into_iter();
        files.filter(|(path, _)| path.contains("/asked-")).map(|(_, bytes)| String::from_utf8(bytes).unwrap()).collect()
    };
    let words = ["cost", "estimate", "--vad", "--", "-y.wma", "pipe:0.wma"];
    // No program is run from a relative folder.
    let ran = scene("bin:").run_with(words).exits(0).says("2 recordings cannot be decoded without ffmpeg");
    assert_eq!(asked(&ran), Vec::<String>::new());
    let stands = scene("");
    let bin = stands.path("bin").to_str().unwrap().to_owned();
    let ran = stands
        .environment("PATH", &bin)
        .run_with(words)
        .exits(0)
        .says("-y.wma: cannot be decoded: assuming the usual share of speech")
        .says("pipe:0.wma: cannot be decoded: assuming the usual share of speech");
    let asked = asked(&ran);
    for name in ["-y.wma", "pipe:0.wma"] {
        let order = format!("-f\nasf\n-format_whitelist\nasf\n-protocol_whitelist\nfile\n-i\nfile:{name}\n");
        assert!(asked.iter().any(|asked| asked.contains(&order)), "{asked:?}");
    }
}

#[test]
#[ignore = "needs ffmpeg"]
fn a_list_of_files_is_no_recording() {
    let path = std::env::var_os("PATH").unwrap();
    let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.wav\n";
    let ran = Scene::new()
        .write("live.avi", playlist)
        .write("list.wma", "ffconcat version 1.0\nfile other.wav\n")
        .write("other.wav", wav(1, 16_000, 1))
        .environment("PATH", path.to_str().unwrap())
        .run("cost estimate live.avi list.wma other.wav --vad --region intl")
        .exits(0);
    let ran = ran.says("live.avi: cannot be decoded").says("list.wma: cannot be decoded");
    ran.says("speech measured in 1 of 3 tracks");
}

#[test]
#[ignore = "needs ffmpeg"]
fn what_is_not_decoded_here_is_decoded_by_ffmpeg() {
    let mut scene = Scene::new().write("source.wav", wav(2, 16_000, 5));
    let source = scene.path("source.wav");
    for name in ["a.avi", "b.flv", "c.mpeg", "d.wma", "-e.wmv"] {
        let rate = if name == "b.flv" || name == "c.mpeg" { "44100" } else { "16000" };
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-i"]).arg(&source).args(["-ar", rate]).arg(scene.path(name));
        assert!(command.status().unwrap().success(), "{name}");
    }
    scene = scene.write("f.amr", fixture("tone.amr"));
    let path = std::env::var_os("PATH").unwrap();
    let ran = scene
        .environment("PATH", path.to_str().unwrap())
        .run("cost estimate --vad --details --region intl --format csv --channel 1 -- a.avi b.flv c.mpeg d.wma -e.wmv")
        .exits(0)
        .says("speech measured in 5 of 5 tracks");
    // A tone all through: no speech in it.
    assert!(lines(&ran).iter().all(|line| line.ends_with("measured") && line.contains(" 1 0 0 ")), "{:?}", lines(&ran));
    let path = std::env::var_os("PATH").unwrap();
    ran.then()
        .environment("PATH", path.to_str().unwrap())
        .run("cost estimate --vad --region intl f.amr")
        .exits(0)
        .says("speech measured in 1 of 1 track");
}

/// Low, expected and high of each file, in seconds of all tracks; every line must be measured.
fn estimated(ran: &Ran) -> BTreeMap<String, [i64; 3]> {
    let report = ran.json();
    let files = report["projects"][0]["breakdown"].as_array().unwrap().clone();
    let sum = |file: &Value, which: &str| {
        let meters = file["meters"].as_array().unwrap();
        assert!(meters.iter().all(|meter| meter["speech_source"] == "measured"), "{file:#}");
        meters.iter().map(|meter| meter["quantity"][which].as_i64().unwrap()).sum()
    };
    files
        .iter()
        .map(|file| {
            (file["file"].as_str().unwrap().to_owned(), ["low", "expected", "high"].map(|name| sum(file, name)))
        })
        .collect()
}

#[test]
#[ignore = "needs flite and ffmpeg"]
fn generated_calls_measured_estimates_hold() {
    let voices = ["rms", "slt", "awb"];
    let said: BTreeMap<(&str, usize), Vec<i16>> = voices
        .into_iter()
        .flat_map(|voice| (0..SENTENCES.len()).map(move |at| ((voice, at), spoken(voice, SENTENCES[at]))))
        .collect();
    let mut scene = Scene::new();
    let mut known = BTreeMap::new();
    for (pair, ringing_s) in [([0, 1], 0), ([1, 2], 0), ([2, 0], 0), ([0, 2], 14)] {
        let call_of = conversation(pair.map(|at: usize| voices[at]), &said, ringing_s);
        let frames: Vec<[i16; 2]> = call_of.sides[0].iter().zip(&call_of.sides[1]).map(|(l, r)| [*l, *r]).collect();
        for rate in [8000, RATE] {
            let ringing = if ringing_s > 0 { "-ringing" } else { "" };
            let name = format!("{}-{}{ringing}-{rate}", voices[pair[0]], voices[pair[1]]);
            scene = scene.write(&format!("audio/{name}.wav"), wav_of(RATE, &frames));
            if rate == 8000 {
                at_8_khz(&scene.path(&format!("audio/{name}.wav")));
            }
            let [left, right] = call_of.speech_ms;
            let result = call(&[(0, 0, left, "one"), (1, 0, right, "two")]).content(0, left).content(1, right);
            scene = scene.call(&name, result);
            let duration_s = frames.len() as f64 / f64::from(RATE);
            known.insert(format!("{name}.wav"), (duration_s, (left + right) as f64 / 1000.0));
        }
    }
    let path = std::env::var_os("PATH").unwrap();
    let ran = scene
        .environment("PATH", path.to_str().unwrap())
        .run("cost estimate audio --vad --channel 0,1 --details --region intl --format json")
        .exits(0)
        .says("speech measured in 16 of 16 tracks");
    let estimates = estimated(&ran);
    let total = |report: &Value| report["totals"][0]["cost"].clone();
    let estimate = total(&ran.json());
    let ran = ran.then().run("cost actual calls --model fun-asr --region intl --details --format json").exits(0);
    let bill = ran.json();
    println!(
        "{:24} {:>8} {:>8} {:>4} {:>8} {:>4} {:>6} {:>6}",
        "call", "length", "speech", "low", "expected", "high", "billed", "off"
    );
    assert_eq!(estimates.len(), 8);
    for (file, [low, expected, high]) in &estimates {
        let (duration, speech) = known[file];
        let entries = bill["projects"][0]["breakdown"].as_array().unwrap();
        let entry = entries
            .iter()
            .find(|entry| entry["file"].as_str().unwrap().trim_end_matches("json") == file.trim_end_matches("wav"));
        let meters = entry.unwrap()["meters"].as_array().unwrap();
        let billed: i64 = meters.iter().map(|meter| meter["quantity"].as_i64().unwrap()).sum();
        let off = (*expected as f64 / billed as f64 - 1.0) * 100.0;
        println!("{file:24} {duration:8.1} {speech:8.2} {low:4} {expected:8} {high:4} {billed:6} {off:5.1}%");
        assert!(off.abs() <= 5.0, "{file}: {expected} s are expected, {billed} s are billed");
        assert!((low..=high).contains(&&billed), "{file}: {billed} s are billed, not {low} to {high} s");
        // The usual share would not have come so close: these calls are half silence.
        assert!(billed * 10 < (duration * 8.6) as i64);
    }
    let amount = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let billed = amount(&total(&bill));
    assert!((amount(&estimate["expected"]) / billed - 1.0).abs() <= 0.05, "{estimate} {billed}");
    println!("{estimate} USD, billed {billed} USD");
}
