//! Recordings as people have them: voice messages, headers without sound, files that were cut off, other names.

use serde_json::{Value, json};

use crate::scene::{Scene, wav};
use crate::service::{KEY, Service};

/// A voice message of a chat app: SILK behind the extension of AMR.
const SILK: &[u8] = b"\x02#!SILK_V3\x0C\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\xFF\xFF";

/// A WAV of one second whose header promises a minute, without its last bytes.
fn cut_off(held_bytes: usize) -> Vec<u8> {
    let mut bytes = wav(1, 8000, 1);
    bytes[40..44].copy_from_slice(&960_000_u32.to_le_bytes());
    bytes.truncate(44 + held_bytes);
    bytes
}

/// An Ogg page of Opus packets (20 ms each, without sound) that ends at this granule; the first is the header page.
fn opus_page(serial: u32, number: u32, granule: u64, flags: u8, packets: &[&[u8]]) -> Vec<u8> {
    let mut page = b"OggS\0".to_vec();
    page.push(flags);
    page.extend(granule.to_le_bytes());
    page.extend(serial.to_le_bytes());
    page.extend(number.to_le_bytes());
    page.extend([0; 4]);
    page.push(packets.len() as u8);
    page.extend(packets.iter().map(|packet| packet.len() as u8));
    packets.iter().for_each(|packet| page.extend(*packet));
    // Ogg's checksum: CRC-32 with polynomial 0x04C11DB7, not reflected, from 0.
    let checksum = page.iter().fold(0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte) << 24, |sum, _| sum << 1 ^ if sum >> 31 == 1 { 0x04C1_1DB7 } else { 0 })
    });
    page[22..26].copy_from_slice(&checksum.to_le_bytes());
    page
}

/// One second of Ogg Opus: 51 packets that end at 48,312 samples, of which the first 312 are not played (RFC 7845, 4.3).
fn opus() -> Vec<u8> {
    let head = [&b"OpusHead\x01\x01"[..], &312_u16.to_le_bytes(), &16_000_u32.to_le_bytes(), &[0; 3]].concat();
    let tags = [&b"OpusTags"[..], &4_u32.to_le_bytes(), b"none", &0_u32.to_le_bytes()].concat();
    // 20 ms of CELT silence.
    let packets = [&b"\xF8\xFF\xFE"[..]; 51];
    [opus_page(7, 0, 0, 2, &[&head]), opus_page(7, 1, 0, 0, &[&tags]), opus_page(7, 2, 48_312, 4, &packets)].concat()
}

fn durations(scene: Scene, line: &str) -> Vec<Value> {
    let estimate = scene.run(&format!("cost estimate {line} --details --region intl --format json")).exits(0).json();
    let files = estimate["projects"][0]["breakdown"].as_array().unwrap();
    files.iter().map(|file| file["duration_ms"].clone()).collect()
}

#[test]
fn a_voice_message_in_silk_is_named_before_it_is_sent() {
    let service = Service::new().unasked();
    let scene = || Scene::new().write("audio/voice.amr", SILK);
    let what = "audio/voice.amr: holds SILK audio, the voice messages of chat apps, which the service does not read";
    scene().run("cost estimate audio --region intl").exits(3).says(what);
    service.serve(scene(), KEY).run("transcribe audio -o out").exits(2).says(what).prints_nothing();
    service.serve(scene(), KEY).run("flash audio/voice.amr").exits(2).says(what).prints_nothing();
}

#[test]
fn a_recording_without_sound_is_named_and_not_sent() {
    let service = Service::new().unasked();
    let scene = || Scene::new().write("audio/a.wav", cut_off(0)).write("audio/b.wav", wav(1, 8000, 0));
    let a = "audio/a.wav: holds no sound, although its header promises 1 min";
    let b = "audio/b.wav: holds no sound";
    scene().run("cost estimate audio --region intl").exits(3).says(a).says(b);
    scene().run("cost estimate audio --vad --region intl").exits(3).says(a).says(b).says_no("ffmpeg");
    service.serve(scene(), KEY).run("transcribe audio -o out").exits(2).says(a).says(b).prints_nothing();
    // What has sound is priced.
    let ran = scene().write("audio/c.wav", wav(1, 8000, 2)).run("cost estimate audio --region intl --format json");
    let summary = ran.exits(3).says(a).json()["summary"].clone();
    assert_eq!((&summary["totalSupported"], &summary["totalUnreadable"]), (&json!(1), &json!(2)));
}

#[test]
fn a_recording_that_was_cut_off_counts_with_what_it_holds() {
    let scene = Scene::new().write("audio/a.wav", cut_off(16_000));
    let ran = scene.run("cost estimate audio --details --region intl --format json").exits(0);
    let ran = ran.says("audio/a.wav: holds 1 s, although its header promises 1 min");
    assert_eq!(ran.json()["projects"][0]["breakdown"][0]["duration_ms"], json!(1000));
}

#[test]
fn opus_lasts_as_long_as_it_plays_whatever_its_name() {
    let scene = Scene::new().write("a.oga", opus()).write("b.opus", opus()).write("c.ogg", opus());
    assert_eq!(durations(scene, "a.oga b.opus c.ogg"), [1000, 1000, 1000]);
    // The service goes by the name.
    let service = Service::new().unasked();
    let ran = service.serve(Scene::new().write("a.oga", opus()), KEY).run("transcribe a.oga -o out").exits(2);
    ran.says("does not take `.oga`").says("its content is ogg: rename it to a.ogg").prints_nothing();
}
