//! Facts about audio files: container, codec, rate, channels, duration; how much of each channel is speech.
//!
//! [`probe`] reads headers only (and the last page of formats that state their length there), never the whole file, and
//! decodes nothing. What the headers do not state is `None`; nothing is guessed.

mod adts;
mod amr;
mod asf;
mod avi;
mod codec;
mod decode;
mod demux;
mod ffmpeg;
mod flac_frames;
mod flv;
mod frames;
mod headers;
mod magic;
mod mkv_blocks;
mod mp4_fragments;
mod mpeg_audio;
mod mpeg_ps;
mod pcm;
mod problem;
mod resample;
mod silk;
mod speech;
mod tone;
mod tracks;
mod wav;
mod wave_format;
mod window;

use std::fs::{self, File};
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use crate::error::{Error, Result};
use magic::Container;
pub use speech::{Speech, speech};
#[cfg(feature = "client")]
pub(crate) use tracks::compare;
pub use tracks::{Tracks, tracks};
use window::Window;

/// Higher sample rates come from damaged headers.
const HIGHEST_RATE_HZ: u32 = 768_000;

/// More channels come from damaged headers.
const MOST_CHANNELS: u16 = 64;

/// Most bytes read where only a walk over the frames gives the duration: 4 hours of AAC at 128 kbit/s.
const MOST_WALKED: u64 = 256 * 1024 * 1024;

/// Facts from the headers of one file.
///
/// Rate, channels and codec are those of its default audio track, else of the first.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Probe {
    /// The container: `wav`, `aiff`, `flac`, `ogg` (and opus), `mkv` (and webm), `mp4` (and m4a, mov, 3gp), `avi`,
    /// `flv`, `asf` (wma, wmv), `mpeg` (a program stream), `amr`, `silk`; of bare streams `mp1`, `mp2`, `mp3`, `aac`.
    pub format: &'static str,
    /// As the service spells codecs: `pcm_s16le`, `pcm_mulaw`, `opus`, `aac`, `mp3`, …; `None` if unknown.
    pub codec: Option<&'static str>,
    /// In hertz, 1 to 768,000; `None` if the headers do not state it.
    pub sample_rate_hz: Option<u32>,
    /// Channels of that track, 1 to 64; `None` if the headers do not state them.
    pub channels: Option<u16>,
    /// In whole milliseconds, rounded; `None` if unknown. Never more than a WAV file holds, whatever its header states;
    /// `None` for an AVI or ASF that was cut off, whose headers state the planned length.
    pub duration_ms: Option<u64>,
    /// What the header states, in milliseconds, if it is more than the file holds: of WAV, AIFF,
    /// FLAC, MKV and MP4 files that were cut off.
    pub promised_ms: Option<u64>,
    /// Audio tracks of the container, each with its own channels; nearly always 1.
    pub audio_tracks: usize,
}

impl Probe {
    /// Whether the extension of `path` belongs to another format; `false` for an unknown or missing extension.
    #[must_use]
    pub fn is_misnamed(&self, path: &Path) -> bool {
        let Some(extension) = path.extension().and_then(|extension| extension.to_str()) else { return false };
        let formats: &[&str] = match extension.to_ascii_lowercase().as_str() {
            "aac" => &["aac"],
            "aif" | "aiff" => &["aiff"],
            "amr" => &["amr"],
            "avi" => &["avi"],
            "flac" => &["flac"],
            "flv" => &["flv"],
            "mka" | "mkv" | "webm" => &["mkv"],
            "3gp" | "m4a" | "mov" | "mp4" => &["mp4"],
            "mp3" => &["mp1", "mp2", "mp3"],
            "mpeg" | "mpg" => &["mpeg", "mp1", "mp2", "mp3"],
            "oga" | "ogg" | "opus" => &["ogg"],
            "silk" | "slk" => &["silk"],
            "wav" => &["wav"],
            "asf" | "wma" | "wmv" => &["asf"],
            _ => return false,
        };
        !formats.contains(&self.format)
    }
}

/// Reads the headers of `path`; `None` if it is no audio file, of an unknown format, or damaged.
///
/// The first bytes decide, not the name. Of most files a few KB are read, at most 32 MB (the index of a long MP4). Bare
/// AAC and AMR, bare MP3 of variable rate without a tag, fragmented MP4, and Ogg, FLAC, MKV and `WebM` without a stated
/// length are walked frame by frame, at most 256 MiB: beyond that the duration of bare streams is extrapolated and that of
/// the others is `None`.
///
/// ```
/// let scene = tempfile::tempdir().map_err(|error| error.to_string())?;
/// let path = scene.path().join("call.wav");
/// let mut wav = b"RIFF\xA4\x3E\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x40\x1F\0\0\0\x7D\0\0\x04\0\x10\0data\x80\x3E\0\0".to_vec();
/// wav.resize(44 + 16_000, 0); // half a second of silence, two channels
/// std::fs::write(&path, wav).map_err(|error| error.to_string())?;
/// let probe = talkmeter::audio::probe(&path).map_err(|error| error.to_string())?.ok_or("no WAV")?;
/// assert_eq!((probe.format, probe.codec, probe.channels), ("wav", Some("pcm_s16le"), Some(2)));
/// assert_eq!((probe.sample_rate_hz, probe.duration_ms), (Some(8000), Some(500)));
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
///
/// The file is missing, not regular, or cannot be read.
pub fn probe(path: &Path) -> Result<Option<Probe>> {
    let failed = |error| Error::io("read", path, error);
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(Error::invalid(format!("{}: not a regular file", path.display())));
    }
    let file = File::open(path).map_err(failed)?;
    // A demuxer that panics on a damaged header must not end the run.
    let probed = panic::catch_unwind(AssertUnwindSafe(|| examine(file, metadata.len(), MOST_WALKED)));
    probed.unwrap_or(Ok(None)).map_err(failed)
}

/// `length` of the file and bound of the walk, in bytes.
fn examine(file: File, length: u64, walk: u64) -> io::Result<Option<Probe>> {
    let mut window = Window::new(file.try_clone()?, length, walk);
    let probed = magic::container(&mut window).map(|(container, place)| match container {
        Container::Adts => Ok(adts::probe(&mut window, place)),
        Container::Amr => Ok(amr::probe(&mut window, place)),
        Container::Asf => Ok(asf::probe(&mut window, place)),
        Container::Avi => Ok(avi::probe(&mut window, place)),
        Container::Flv => Ok(flv::probe(&mut window, place)),
        Container::MpegAudio => Ok(mpeg_audio::probe(&mut window, place)),
        Container::MpegPs => Ok(mpeg_ps::probe(&mut window, place)),
        Container::Silk => Ok(Some(silk::probe())),
        Container::Wav => Ok(wav::probe(&mut window, place)),
        Container::Aiff | Container::Flac | Container::Mkv | Container::Mp4 | Container::Ogg => {
            demux::probe(container, place, &mut window, file, walk)
        }
    });
    match window.failure() {
        Some(error) => Err(error),
        None => Ok(probed.transpose()?.flatten().filter(is_possible)),
    }
}

/// Whether rate and channels are plausible.
fn is_possible(probe: &Probe) -> bool {
    probe.sample_rate_hz.is_none_or(|rate| (1..=HIGHEST_RATE_HZ).contains(&rate))
        && probe.channels.is_none_or(|count| (1..=MOST_CHANNELS).contains(&count))
}

/// `count` times `numer / denom` seconds in whole milliseconds, rounded half up; `None` on overflow or division by 0.
fn rounded_ms(count: u128, numer: u128, denom: u128) -> Option<u64> {
    let ms = count.checked_mul(numer)?.checked_mul(2000)?.checked_add(denom)?.checked_div(denom.checked_mul(2)?)?;
    u64::try_from(ms).ok()
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};

    use super::*;

    /// The tone of that name, made for these tests.
    fn tone(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio").join(name)
    }

    /// One file of every format.
    const NAMES: [&str; 19] = [
        "bare.mp3",
        "fragments.mp4",
        "gsm.wav",
        "live.webm",
        "rf64.wav",
        "tone.aac",
        "tone.aiff",
        "tone.amr",
        "tone.avi",
        "tone.flac",
        "tone.flv",
        "tone.m4a",
        "tone.mka",
        "tone.mov",
        "tone.mp3",
        "tone.mpeg",
        "tone.opus",
        "tone.wma",
        "wide.amr",
    ];

    /// Probes bytes, without catching panics.
    fn probed(bytes: &[u8]) -> Option<Probe> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        examine(file, bytes.len() as u64, MOST_WALKED).unwrap()
    }

    /// A WAV of 16-bit samples with these header fields.
    fn wav(channels: u16, rate: u32, data_length: u32, held: usize) -> Vec<u8> {
        let mut wav = b"RIFF\xFF\xFF\xFF\xFFWAVEfmt \x10\0\0\0\x01\0".to_vec();
        wav.extend(channels.to_le_bytes());
        wav.extend(rate.to_le_bytes());
        wav.extend(rate.wrapping_mul(u32::from(channels)).wrapping_mul(2).to_le_bytes());
        wav.extend(channels.wrapping_mul(2).to_le_bytes());
        wav.extend(b"\x10\0data");
        wav.extend(data_length.to_le_bytes());
        wav.resize(wav.len() + held, 0);
        wav
    }

    #[test]
    fn headers_say_what_a_file_is() {
        for (name, format, codec, rate, channels, duration_ms) in [
            ("stereo.wav", "wav", "pcm_s16le", 8000, 2, 100),
            ("mulaw.wav", "wav", "pcm_mulaw", 8000, 1, 250),
            // The last block of 320 samples is padded.
            ("gsm.wav", "wav", "gsm_ms", 8000, 1, 520),
            ("rf64.wav", "wav", "pcm_alaw", 8000, 1, 500),
            ("tone.aiff", "aiff", "pcm_s16be", 8000, 1, 100),
            ("tone.flac", "flac", "flac", 8000, 2, 200),
            // Opus plays at 48 kHz, whatever went in; the samples at its start that are skipped do not count.
            ("tone.opus", "ogg", "opus", 48_000, 1, 500),
            ("tone.mka", "mkv", "opus", 16_000, 2, 502),
            ("tone.webm", "mkv", "opus", 16_000, 1, 502),
            ("live.webm", "mkv", "opus", 16_000, 1, 505),
            ("tone.m4a", "mp4", "aac", 16_000, 1, 564),
            ("tone.mov", "mp4", "aac", 16_000, 2, 564),
            ("fragments.mp4", "mp4", "aac", 16_000, 1, 564),
            ("tone.mp3", "mp3", "mp3", 16_000, 1, 500),
            ("bare.mp3", "mp3", "mp3", 16_000, 1, 576),
            ("tone.aac", "aac", "aac", 16_000, 2, 576),
            ("tone.amr", "amr", "amr_nb", 8000, 1, 500),
            ("wide.amr", "amr", "amr_wb", 16_000, 1, 500),
            ("tone.avi", "avi", "mp3", 16_000, 1, 576),
            ("tone.flv", "flv", "mp3", 44_100, 1, 339),
            ("tone.wma", "asf", "wmav2", 16_000, 1, 512),
            ("tone.mpeg", "mpeg", "mp2", 32_000, 2, 504),
        ] {
            let said = probe(&tone(name)).unwrap().unwrap();
            assert_eq!((said.format, said.codec, said.audio_tracks), (format, Some(codec), 1), "{name}");
            assert_eq!((said.sample_rate_hz, said.channels), (Some(rate), Some(channels)), "{name}");
            assert_eq!(said.duration_ms, Some(duration_ms), "{name}");
        }
        assert_eq!(probe(&tone("two.mka")).unwrap().unwrap().audio_tracks, 2);
    }

    #[test]
    fn a_wrong_extension_is_noticed() {
        let said = probe(&tone("tone.mp3")).unwrap().unwrap();
        assert!(said.is_misnamed(Path::new("call.WAV")));
        for name in ["call.mp3", "call.MP3", "call", "call.bak", "mp3"] {
            assert!(!said.is_misnamed(Path::new(name)), "{name}");
        }
        assert!(NAMES.iter().all(|name| !probe(&tone(name)).unwrap().unwrap().is_misnamed(&tone(name))));
    }

    #[test]
    fn what_cannot_be_told_is_none() {
        assert_eq!(probe(&tone("README.md")).unwrap(), None);
        assert_eq!(probed(b""), None);
        assert_eq!(probed(b"BM"), None);
        // Two bytes of an MP3 header in other data make no MP3.
        assert_eq!(probed(&[&b"BM"[..], &[0; 100], b"\xff\xfb\x90\x00", &[7; 5000]].concat()), None);
        let missing = probe(Path::new("/no/such/call.wav")).unwrap_err();
        assert_eq!(missing.to_string(), "cannot read /no/such/call.wav");
        assert_eq!(probe(Path::new("/")).unwrap_err().to_string(), "/: not a regular file");
    }

    #[test]
    fn a_wav_plays_no_longer_than_its_samples() {
        let said = |data_length, held| probed(&wav(2, 8000, data_length, held)).unwrap().duration_ms;
        assert_eq!(said(32_000, 32_000), Some(1000));
        // Other chunks may follow.
        assert_eq!(said(32_000, 40_000), Some(1000));
        // A recorder that was cut off.
        assert_eq!(said(320_000_000, 32_000), Some(1000));
        // A recorder that wrote to a pipe.
        assert_eq!(said(u32::MAX, 32_000), Some(1000));
        // A recorder that never completed its header.
        assert_eq!(said(0, 32_000), None);
        assert_eq!(said(0, 0), Some(0));
        assert_eq!(said(3, 3), Some(0));
    }

    #[test]
    fn a_header_that_promises_more_than_the_file_holds_is_noticed() {
        let of = |data_length, held| probed(&wav(1, 8000, data_length, held)).unwrap();
        let facts = |probe: Probe| (probe.duration_ms, probe.promised_ms, probe.problem(), probe.shortfall());
        let promises = |what: &str| Some(format!("holds {what}, although its header promises 1 min"));
        assert_eq!(facts(of(960_000, 0)), (Some(0), Some(60_000), promises("no sound"), None));
        assert_eq!(facts(of(960_000, 160_000)), (Some(10_000), Some(60_000), None, promises("10 s")));
        assert_eq!(facts(of(0, 0)), (Some(0), None, Some("holds no sound".to_owned()), None));
        // A second more or less is no promise, and neither is the number that a streaming recorder leaves.
        assert_eq!(facts(of(175_000, 160_000)).3, None);
        assert_eq!(facts(of(0x7FFF_F024, 160_000)), (Some(10_000), None, None, None));
        assert_eq!(facts(of(u32::MAX, 160_000)), (Some(10_000), None, None, None));
        for (name, whole_ms) in
            [("tone.m4a", 564), ("tone.mov", 564), ("tone.aiff", 100), ("tone.flac", 200), ("tone.mka", 508)]
        {
            let whole = std::fs::read(tone(name)).unwrap();
            let cut = probed(&whole[..whole.len() * 4 / 5]);
            let Some(cut) = cut else { continue };
            assert_eq!(cut.promised_ms, Some(whole_ms), "{name}");
            assert!(cut.duration_ms < Some(whole_ms) && cut.duration_ms > Some(0), "{name}: {cut:?}");
        }
    }

    #[test]
    fn voice_messages_of_chat_apps_are_named() {
        for header in [&b"\x02#!SILK_V3"[..], b"#!SILK_V3"] {
            let probe = probed(&[header, &[12, 0, 1, 2, 3, 0xFF, 0xFF]].concat()).unwrap();
            assert_eq!((probe.format, probe.codec, probe.duration_ms), ("silk", Some("silk"), None));
            assert!(probe.is_misnamed(Path::new("voice.amr")) && probe.problem().unwrap().contains("SILK"));
        }
        assert_eq!(probed(b"#!SILK_V2 and more"), None);
    }

    #[test]
    fn damaged_headers_give_no_probe() {
        assert_eq!(probed(&wav(0, 8000, 100, 100)), None);
        assert_eq!(probed(&wav(u16::MAX, 8000, 100, 100)), None);
        assert_eq!(probed(&wav(65, 8000, 1300, 1300)), None);
        assert_eq!(probed(&wav(1, 0, 100, 100)), None);
        assert_eq!(probed(&wav(1, 4_000_000_000, 100, 100)), None);
        let widest = probed(&wav(8, HIGHEST_RATE_HZ, 128, 128)).unwrap();
        assert_eq!((widest.channels, widest.sample_rate_hz), (Some(8), Some(HIGHEST_RATE_HZ)));
    }

    #[test]
    fn no_file_is_cut_short_enough_to_panic() {
        let whole = std::fs::read(tone("stereo.wav")).unwrap();
        for end in 0..whole.len() {
            let said = probed(&whole[..end]);
            assert!(said.is_none_or(|said| said.duration_ms <= Some(100)), "{end}");
        }
        for name in NAMES {
            let whole = std::fs::read(tone(name)).unwrap();
            let longest = probed(&whole).and_then(|said| said.duration_ms).map(|ms| ms + 600);
            for end in 0..whole.len() {
                let said = probed(&whole[..end]).and_then(|said| said.duration_ms);
                assert!(said <= longest, "{name} up to {end}: {said:?}");
            }
        }
    }

    #[test]
    fn beyond_the_bound_the_length_is_extrapolated_or_unknown() {
        let walked = |name, times, bound| {
            let bytes = std::fs::read(tone(name)).unwrap();
            let mut file = tempfile::tempfile().unwrap();
            (0..times).for_each(|_| file.write_all(&bytes).unwrap());
            examine(file, (bytes.len() * times) as u64, bound).unwrap().unwrap().duration_ms
        };
        assert_eq!(walked("tone.aac", 1000, u64::MAX), Some(576_000));
        let extrapolated = walked("tone.aac", 1000, 300_000).unwrap();
        assert!(extrapolated.abs_diff(576_000) < 1000, "{extrapolated}");
        assert_eq!(walked("live.webm", 1, 600), None);
        assert_eq!(walked("fragments.mp4", 1, 2000), None);
    }

    #[test]
    fn a_large_file_is_not_read_whole() {
        // 3 GB of nothing between the head and the index of an MP4.
        let whole = std::fs::read(tone("tone.m4a")).unwrap();
        let at = whole.windows(4).position(|name| name == b"mdat").unwrap() - 4;
        let length = u32::from_be_bytes(whole[at..at + 4].try_into().unwrap());
        let end = at + usize::try_from(length).unwrap();
        let gap: i64 = 3 << 30;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&whole[..at]).unwrap();
        file.write_all(b"\0\0\0\x01mdat").unwrap();
        file.write_all(&(i64::from(length) + 8 + gap).to_be_bytes()).unwrap();
        file.write_all(&whole[at + 8..end]).unwrap();
        file.seek(SeekFrom::Current(gap)).unwrap();
        file.write_all(&whole[end..]).unwrap();
        assert_eq!(probe(file.path()).unwrap(), probe(&tone("tone.m4a")).unwrap());

        // 2 GB without a page of an Ogg stream.
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&std::fs::read(tone("tone.opus")).unwrap()).unwrap();
        file.as_file().set_len(2 << 30).unwrap();
        let began = std::time::Instant::now();
        probe(file.path()).unwrap();
        assert!(began.elapsed().as_secs() < 5);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_can_be_probed(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            probed(&bytes);
        }

        #[test]
        fn no_damage_makes_an_impossible_figure(
            name in proptest::sample::select(NAMES.to_vec()),
            damage in proptest::collection::vec((0_usize..700, proptest::num::u8::ANY), 1..8),
        ) {
            let mut bytes = std::fs::read(tone(name)).unwrap();
            for (at, byte) in damage {
                if let Some(hit) = bytes.get_mut(at) {
                    *hit = byte;
                }
            }
            if let Some(said) = probed(&bytes) {
                proptest::prop_assert!(said.channels.is_none_or(|count| (1..=MOST_CHANNELS).contains(&count)));
                proptest::prop_assert!(said.sample_rate_hz.is_none_or(|rate| (1..=HIGHEST_RATE_HZ).contains(&rate)));
                proptest::prop_assert!(said.audio_tracks > 0);
            }
        }
    }
}
