//! The 17 formats that the service takes, as ffmpeg writes them: what the probe says of each is what ffprobe says.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use talkmeter::audio::probe;

/// Length of what goes in, in milliseconds.
const LENGTH_MS: u64 = 3210;

/// Name, format as the probe calls it, rate in hertz, channels, samples of a frame of its codec, how ffmpeg makes it.
type Made = (&'static str, &'static str, u32, u16, u64, &'static [&'static str]);

const VIDEO: [&str; 6] = ["-f", "lavfi", "-i", "testsrc=duration=3.2:size=64x48:rate=5", "-c:v", "mpeg4"];

const FORMATS: [Made; 24] = [
    ("a.aac", "aac", 16_000, 1, 1024, &["-c:a", "aac"]),
    ("a.avi", "avi", 16_000, 1, 576, &["-c:a", "libmp3lame"]),
    ("video.avi", "avi", 44_100, 2, 1152, &["-c:a", "libmp3lame", "+video"]),
    ("a.flac", "flac", 8000, 2, 1, &[]),
    ("a.flv", "flv", 44_100, 2, 1152, &["-c:a", "libmp3lame"]),
    ("video.flv", "flv", 44_100, 2, 1024, &["-c:a", "aac", "-c:v", "flv1", "+video"]),
    ("a.m4a", "mp4", 48_000, 2, 1024, &["-c:a", "aac"]),
    ("a.mkv", "mkv", 48_000, 1, 960, &["-c:a", "libopus"]),
    ("video.mkv", "mkv", 48_000, 2, 1024, &["-c:a", "aac", "+video"]),
    ("a.mov", "mp4", 8000, 1, 1, &["-c:a", "pcm_s16le"]),
    ("video.mov", "mp4", 44_100, 2, 1024, &["-c:a", "aac", "+video"]),
    ("a.mp3", "mp3", 16_000, 1, 576, &["-c:a", "libmp3lame"]),
    ("stereo.mp3", "mp3", 44_100, 2, 1152, &["-c:a", "libmp3lame", "-q:a", "4"]),
    ("a.mp4", "mp4", 16_000, 1, 1024, &["-c:a", "aac"]),
    ("video.mp4", "mp4", 44_100, 2, 1024, &["-c:a", "aac", "+video"]),
    ("a.mpeg", "mpeg", 44_100, 2, 1152, &["-c:a", "mp2", "-f", "mpeg"]),
    ("a.ogg", "ogg", 16_000, 2, 1024, &["-c:a", "libvorbis"]),
    ("a.opus", "ogg", 48_000, 1, 960, &["-c:a", "libopus"]),
    ("a.wav", "wav", 8000, 2, 1, &["-c:a", "pcm_s16le"]),
    ("alaw.wav", "wav", 8000, 1, 1, &["-c:a", "pcm_alaw"]),
    ("a.webm", "mkv", 48_000, 2, 960, &["-c:a", "libopus"]),
    ("a.wma", "asf", 16_000, 1, 1024, &["-c:a", "wmav2"]),
    ("a.wmv", "asf", 44_100, 2, 2048, &["-c:a", "wmav2"]),
    ("video.wmv", "asf", 44_100, 2, 2048, &["-c:a", "wmav2", "-c:v", "wmv2", "+video"]),
];

fn make(path: &Path, (name, _, rate, channels, _, more): Made) {
    let sine = format!("sine=frequency=440:duration={}:sample_rate={rate}", LENGTH_MS as f64 / 1000.0);
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-f", "lavfi", "-i", &sine]);
    if more.contains(&"+video") {
        command.args(&VIDEO[..4]);
        if !more.contains(&"-c:v") {
            command.args(&VIDEO[4..]);
        }
    }
    let more = more.iter().filter(|word| **word != "+video");
    let ran = command.args(more).args(["-ar", &rate.to_string(), "-ac", &channels.to_string()]).arg(path).status();
    assert!(ran.unwrap().success(), "{name}");
}

/// Rate, channels, length in ms and packets, as ffprobe says.
fn by_ffprobe(path: &Path) -> (u32, u16, f64, f64) {
    let entries = "stream=sample_rate,channels,duration,nb_read_packets:format=duration";
    let ran = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "a:0", "-count_packets", "-show_entries", entries, "-of", "json"])
        .arg(path)
        .output()
        .unwrap();
    let said: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let stream = &said["streams"][0];
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<f64>().ok());
    let seconds = number(&stream["duration"]).or_else(|| number(&said["format"]["duration"])).unwrap();
    let rate = number(&stream["sample_rate"]).unwrap() as u32;
    let packets = number(&stream["nb_read_packets"]).unwrap();
    (rate, stream["channels"].as_u64().unwrap() as u16, seconds * 1000.0, packets)
}

#[test]
#[ignore = "needs ffmpeg"]
fn ffmpeg_writes_what_the_probe_reads() {
    let folder = tempfile::tempdir().unwrap();
    println!("{:12} {:>8} {:>8} {:>8}", "file", "probe ms", "ffprobe", "a frame");
    // No free encoder of AMR comes with ffmpeg.
    let fixtures = [("tone.amr", "amr", 8000, 1, 160, &[][..]), ("wide.amr", "amr", 16_000, 1, 320, &[])];
    for made in FORMATS.into_iter().chain(fixtures) {
        let (name, format, rate, channels, frame, _) = made;
        let mut path = folder.path().join(name);
        if format == "amr" {
            path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio").join(name);
        } else {
            make(&path, made);
        }
        let said = probe(&path).unwrap().unwrap_or_else(|| panic!("{name}: not probed"));
        assert_eq!((said.format, said.sample_rate_hz, said.channels), (format, Some(rate), Some(channels)), "{name}");
        assert!(!said.is_misnamed(&path), "{name}");
        let (their_rate, their_channels, their_ms, packets) = by_ffprobe(&path);
        assert_eq!((their_rate, their_channels), (rate, channels), "{name}");
        let (ours_ms, frame_ms) = (said.duration_ms.unwrap() as f64, frame as f64 * 1000.0 / f64::from(rate));
        println!("{name:12} {ours_ms:8} {their_ms:8.1} {frame_ms:8.1}");
        let wanted_ms = match format {
            // ffprobe counts what an MP3 is filled up with; its header says how much of it is sound.
            "mp3" => LENGTH_MS as f64,
            // Bare streams say no length: ffprobe guesses one by their rate of bits.
            "aac" | "amr" => packets * frame_ms,
            _ => their_ms,
        };
        assert!((ours_ms - wanted_ms).abs() <= frame_ms + 0.5, "{name}: {ours_ms} ms, not {wanted_ms}");
        // Under another name it is the same, and found out.
        let other = folder.path().join(if format == "wav" { "other.mp3" } else { "other.wav" });
        std::fs::copy(&path, &other).unwrap();
        let renamed = probe(&other).unwrap();
        assert_eq!(renamed.as_ref(), Some(&said), "{name}");
        assert!(renamed.unwrap().is_misnamed(&other), "{name}");
    }
    let seen: Vec<&str> = FORMATS.iter().filter_map(|made| made.0.split('.').nth(1)).chain(["amr"]).collect();
    assert!(talkmeter::batch::AUDIO_EXTENSIONS.iter().all(|known| seen.contains(known)), "{seen:?}");
}
