//! What an audio file says about itself: container, codec, rate, channels, duration.
//!
//! Only headers are read (and, where a format puts its length there, the last page), never the whole file, and nothing
//! is decoded. What is not said is `None`; nothing is guessed.

mod codec;
mod headers;

use std::fs::{self, File};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::{Arc, LazyLock, OnceLock};

use symphonia::core::codecs::CodecParameters;
use symphonia::core::common::Limit;
use symphonia::core::formats::probe::{Hint, Probe as Formats, ProbeOptions};
use symphonia::core::formats::{FormatOptions, MediaInfo, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions, ReadBytes};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::units::{Duration, TimeBase};

use crate::error::{Error, Result};
use headers::Headers;

/// Above this a sample rate is a damaged header.
const HIGHEST_RATE_HZ: u32 = 768_000;

/// Above this a number of channels is a damaged header.
const MOST_CHANNELS: u16 = 64;

/// A format begins where its file does, after an ID3 tag at most. In the middle of other data two bytes of an MP3
/// header turn up sooner or later.
static FORMATS: LazyLock<Formats> = LazyLock::new(|| {
    let mut formats = Formats::new_with_options(&ProbeOptions { max_probe_depth: 16, ..ProbeOptions::default() });
    symphonia::default::register_enabled_formats(&mut formats);
    formats
});

/// What the headers of one file say.
///
/// Rate, channels and codec are those of its default audio track, or of the first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// The container: `wav`, `aiff`, `flac`, `ogg`, `mkv` (and webm), `mp4` (and m4a, mov), `mp1`, `mp2`, `mp3`,
    /// `aac` (a bare stream).
    pub format: &'static str,
    /// As the service spells codecs: `pcm_s16le`, `pcm_mulaw`, `opus`, `aac`, `mp3`, …
    pub codec: Option<&'static str>,
    /// In hertz, 1 to 768,000.
    pub sample_rate_hz: Option<u32>,
    /// Of that one track, 1 to 64.
    pub channels: Option<u16>,
    /// In whole milliseconds, rounded. Of PCM in WAV no more than the file holds, whatever its header says; of bare MP3
    /// and AAC streams without a length the reckoning from frame sizes and the file's size.
    pub duration_ms: Option<u64>,
    /// Audio tracks of the container, each with channels of its own; nearly always 1.
    pub audio_tracks: usize,
}

/// Reads the headers of `path`; `None` where they cannot be told: a format that is not known here (AMR, AVI, FLV, WMA),
/// no audio, damaged.
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
    let failure = Arc::new(OnceLock::new());
    let headers = Headers::new(File::open(path).map_err(failed)?, metadata.len(), Arc::clone(&failure));
    // A demuxer that stumbles over a damaged header must not take the batch with it.
    let probed = panic::catch_unwind(AssertUnwindSafe(|| examine(headers, metadata.len()))).ok().flatten();
    match Arc::into_inner(failure).and_then(OnceLock::into_inner) {
        Some(error) => Err(failed(error)),
        None => Ok(probed),
    }
}

fn examine(headers: Headers, length: u64) -> Option<Probe> {
    let stream = MediaSourceStream::new(Box::new(headers), MediaSourceStreamOptions::default());
    // Cover pictures are no headers.
    let metadata = MetadataOptions::default().limit_visual_bytes(Limit::Maximum(0));
    let reader = FORMATS.probe(&Hint::new(), stream, FormatOptions::default(), metadata).ok()?;
    let format = match reader.format_info().short_name {
        "wave" => "wav",
        "matroska" => "mkv",
        "isomp4" => "mp4",
        name => name,
    };
    let audio_tracks = reader.tracks().iter().filter(|track| track.track_type() == Some(TrackType::Audio)).count();
    let track = reader.default_track(TrackType::Audio).or_else(|| reader.first_track(TrackType::Audio))?.clone();
    let media = *reader.media_info();
    let Some(CodecParameters::Audio(codec)) = &track.codec_params else { return None };
    let channels = codec.channels.as_ref().map(symphonia::core::audio::Channels::count);
    let (name, sample_bytes) = codec::codec(codec.codec).unzip();
    let mut probe = Probe {
        format,
        codec: name,
        sample_rate_hz: codec.sample_rate,
        channels: channels.map(u16::try_from).transpose().ok()?,
        duration_ms: None,
        audio_tracks,
    };
    let is_damaged = probe.sample_rate_hz.is_some_and(|rate| !(1..=HIGHEST_RATE_HZ).contains(&rate))
        || probe.channels.is_some_and(|count| !(1..=MOST_CHANNELS).contains(&count));
    if is_damaged {
        return None;
    }
    probe.duration_ms = match sample_bytes.flatten() {
        // After the headers of a WAV the reader stands where its samples begin.
        Some(bytes) if format == "wav" => {
            wav_ms(&track, &probe, bytes, length.saturating_sub(reader.into_inner().pos()))
        }
        _ => stated_ms(&track, &media, &probe),
    };
    // A bare stream is known by its frames following each other, and then the reckoning succeeds.
    let is_bare = matches!(format, "mp1" | "mp2" | "mp3" | "aac");
    (!is_bare || probe.duration_ms.is_some()).then_some(probe)
}

/// How long a WAV of plain samples plays: what its header says, or the `held` bytes if they are fewer.
///
/// A recorder that was cut off leaves a header of what was planned; one that streams says 2³²-1 (unknown) or 0, and a 0
/// before sound says nothing.
fn wav_ms(track: &Track, probe: &Probe, sample_bytes: u64, held: u64) -> Option<u64> {
    let frame_bytes = sample_bytes * u64::from(probe.channels?);
    let held = held.checked_div(frame_bytes)?;
    let frames = match track.num_frames {
        Some(0) if held > 0 => return None,
        Some(stated) => stated.min(held),
        None => held,
    };
    rounded_ms(u128::from(frames), 1, u128::from(probe.sample_rate_hz?))
}

/// What the container says of the track, else of the whole.
fn stated_ms(track: &Track, media: &MediaInfo, probe: &Probe) -> Option<u64> {
    let in_ticks = |base: Option<TimeBase>, duration: Option<Duration>| {
        let base = base?;
        rounded_ms(u128::from(duration?.get()), u128::from(base.numer.get()), u128::from(base.denom.get()))
    };
    in_ticks(track.time_base, track.duration)
        .or_else(|| rounded_ms(u128::from(track.num_frames?), 1, u128::from(probe.sample_rate_hz?)))
        .or_else(|| in_ticks(media.time_base, media.duration))
}

/// `count` times `numer / denom` seconds in whole milliseconds, half up; `None` where these are no number.
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

    /// Without the net that catches panics.
    fn probed(bytes: &[u8]) -> Option<Probe> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        let length = u64::try_from(bytes.len()).unwrap();
        let failure = Arc::new(OnceLock::new());
        let probed = examine(Headers::new(file, length, Arc::clone(&failure)), length);
        assert!(failure.get().is_none(), "{failure:?}");
        probed
    }

    /// A WAV of 16-bit samples whose headers say what they are told to.
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
            ("tone.aiff", "aiff", "pcm_s16be", 8000, 1, 100),
            ("tone.flac", "flac", "flac", 8000, 2, 200),
            // Opus plays at 48 kHz, whatever went in, and begins with a few ms to be skipped.
            ("tone.opus", "ogg", "opus", 48_000, 1, 507),
            ("tone.mka", "mkv", "opus", 16_000, 2, 508),
            ("tone.webm", "mkv", "opus", 16_000, 1, 508),
            ("tone.m4a", "mp4", "aac", 16_000, 1, 564),
            ("tone.mov", "mp4", "aac", 16_000, 2, 564),
            ("tone.mp3", "mp3", "mp3", 16_000, 1, 500),
            ("tone.aac", "aac", "aac", 16_000, 2, 576),
        ] {
            let said = probe(&tone(name)).unwrap().unwrap();
            assert_eq!((said.format, said.codec, said.audio_tracks), (format, Some(codec), 1), "{name}");
            assert_eq!((said.sample_rate_hz, said.channels), (Some(rate), Some(channels)), "{name}");
            assert_eq!(said.duration_ms, Some(duration_ms), "{name}");
        }
        assert_eq!(probe(&tone("two.mka")).unwrap().unwrap().audio_tracks, 2);
    }

    #[test]
    fn what_cannot_be_told_is_none() {
        for name in ["tone.avi", "tone.flv", "README.md"] {
            assert_eq!(probe(&tone(name)).unwrap(), None, "{name}");
        }
        assert_eq!(probed(b""), None);
        assert_eq!(probed(b"#!AMR\n\x3c\xff\xfb\x90\x00"), None);
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
        // The recorder was cut off.
        assert_eq!(said(320_000_000, 32_000), Some(1000));
        // It wrote to a pipe.
        assert_eq!(said(u32::MAX, 32_000), Some(1000));
        // It never came back to its header.
        assert_eq!(said(0, 32_000), None);
        assert_eq!(said(0, 0), Some(0));
        assert_eq!(said(3, 3), Some(0));
    }

    #[test]
    fn damaged_headers_are_no_figures() {
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
        for name in ["tone.m4a", "tone.mka", "tone.opus", "tone.mp3", "tone.aac", "tone.flac", "tone.aiff"] {
            let whole = std::fs::read(tone(name)).unwrap();
            for end in 0..whole.len() {
                probed(&whole[..end]);
            }
        }
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

        // 2 GB in which no page of an Ogg stream is to be found.
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
            name in proptest::sample::select(vec!["stereo.wav", "mulaw.wav", "tone.aiff", "tone.opus", "tone.mka", "tone.m4a", "tone.mp3", "tone.aac"]),
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
