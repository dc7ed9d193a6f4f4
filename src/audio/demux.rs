//! Containers read by symphonia's demuxers: FLAC, Ogg, Matroska, MP4, AIFF.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::sync::{Arc, OnceLock};

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::formats::probe::ProbeableFormat;
use symphonia::core::formats::{FormatOptions, FormatReader, MediaInfo, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::units::{Duration, TimeBase};
use symphonia::default::formats;

use super::codec::codec;
use super::headers::{Allowance, Headers};
use super::magic::Container;
use super::window::Window;
use super::{Probe, flac_frames, mkv_blocks, mp4_fragments, rounded_ms};

/// Most boxes of an MP4 whose sizes are checked.
const MOST_BOXES: usize = 1000;
/// Nanoseconds per second.
pub(super) const NANOSECONDS: u128 = 1_000_000_000;
const NANOSECONDS_PER_MS: u128 = 1_000_000;

/// The demuxer of a container, with its headers read; `None` if there is none or they cannot be read.
pub(super) fn open(container: Container, place: u64, headers: Headers) -> Option<Box<dyn FormatReader>> {
    let mut stream = MediaSourceStream::new(Box::new(headers), MediaSourceStreamOptions::default());
    if place > 0 {
        stream.seek(SeekFrom::Start(place)).ok()?;
    }
    let options = FormatOptions::default();
    match container {
        Container::Adts => formats::AdtsReader::try_probe_new(stream, options),
        Container::Aiff => formats::AiffReader::try_probe_new(stream, options),
        Container::Flac => formats::FlacReader::try_probe_new(stream, options),
        Container::Mkv => formats::MkvReader::try_probe_new(stream, options),
        Container::Mp4 => formats::IsoMp4Reader::try_probe_new(stream, options),
        Container::MpegAudio => formats::MpaReader::try_probe_new(stream, options),
        Container::Ogg => formats::OggReader::try_probe_new(stream, options),
        Container::Wav => formats::WavReader::try_probe_new(stream, options),
        Container::Amr | Container::Asf | Container::Avi | Container::Flv | Container::MpegPs | Container::Silk => {
            return None;
        }
    }
    .ok()
}

/// The audio track that players choose: the default one, or the first.
pub(super) fn track(reader: &dyn FormatReader) -> Option<&Track> {
    reader.default_track(TrackType::Audio).or_else(|| reader.first_track(TrackType::Audio))
}

pub(super) fn probe(
    container: Container,
    place: u64,
    window: &mut Window,
    mut file: File,
    walk: u64,
) -> io::Result<Option<Probe>> {
    // The first bytes were read through the same cursor.
    file.rewind()?;
    let failure = Arc::new(OnceLock::new());
    let headers = Headers::new(file, window.length(), Arc::clone(&failure));
    let probed = read(container, place, window, headers, walk);
    match Arc::into_inner(failure).and_then(OnceLock::into_inner) {
        Some(error) => Err(error),
        None => Ok(probed),
    }
}

fn read(container: Container, place: u64, window: &mut Window, headers: Headers, walk: u64) -> Option<Probe> {
    let allowance = headers.allowance();
    let mut reader = open(container, place, headers)?;
    let format = match container {
        Container::Aiff => "aiff",
        Container::Flac => "flac",
        Container::Mkv => "mkv",
        Container::Mp4 => "mp4",
        Container::Ogg => "ogg",
        _ => return None,
    };
    let audio_tracks = reader.tracks().iter().filter(|track| track.track_type() == Some(TrackType::Audio)).count();
    let track = track(&*reader)?.clone();
    let media = *reader.media_info();
    let Some(CodecParameters::Audio(parameters)) = &track.codec_params else { return None };
    let channels = parameters.channels.as_ref().map(symphonia::core::audio::Channels::count);
    let skipped = if container == Container::Ogg { pre_skip(parameters) } else { 0 };
    let mut probe = Probe {
        format,
        codec: codec(parameters.codec),
        sample_rate_hz: parameters.sample_rate,
        channels: channels.map(u16::try_from).transpose().ok()?,
        duration_ms: stated_ms(&track, &media, parameters, skipped),
        promised_ms: None,
        audio_tracks,
    };
    if container == Container::Mp4 && mp4_fragments::is_fragmented(window, place) {
        let ticks = mp4_fragments::ticks(window, place, track.id);
        probe.duration_ms = ticks.and_then(|ticks| in_ms(track.time_base, Some(Duration::new(ticks))));
    } else if probe.duration_ms.is_none_or(|ms| ms == 0) {
        allowance.raise(walk);
        let walked = match container {
            Container::Mkv => mkv_blocks::duration_ms(window, place, u64::from(track.id)),
            _ => walked_ms(&mut *reader, &track, &allowance, skipped),
        };
        probe.duration_ms = walked.or(probe.duration_ms);
    } else if is_cut_off(container, window, place) {
        allowance.raise(walk);
        let walked = match container {
            Container::Mkv => mkv_blocks::duration_ms(window, place, u64::from(track.id)),
            _ => walked_ms(&mut *reader, &track, &allowance, 0),
        };
        probe.promised_ms = probe.duration_ms.filter(|promised| Some(*promised) > walked);
        probe.duration_ms = if allowance.is_spent() || window.is_spent() { None } else { walked.or(Some(0)) };
    } else if container == Container::Flac
        && let (Some(promised), Some(rate)) = (track.num_frames, parameters.sample_rate)
        && let Some(held) = flac_frames::held_samples(window, place).filter(|held| *held < promised)
    {
        probe.promised_ms = probe.duration_ms;
        probe.duration_ms = rounded_ms(held.into(), 1, rate.into());
    } else if container == Container::Mkv
        && let Some(delay) = mkv_blocks::codec_delay_ns(window, place, u64::from(track.id))
        && let Some(ms) = probe.duration_ms
    {
        let played = (u128::from(ms) * NANOSECONDS_PER_MS).saturating_sub(delay.into());
        probe.duration_ms = rounded_ms(played, 1, NANOSECONDS);
    }
    Some(probe)
}

/// Whether a part of the file extends beyond its end: the form of an AIFF, a box of an MP4, the segment of a Matroska file.
fn is_cut_off(container: Container, window: &mut Window, place: u64) -> bool {
    let length = window.length();
    match container {
        Container::Aiff => window.array(place + 4).map(u32::from_be_bytes).is_some_and(|size| {
            let end = place + 8 + u64::from(size);
            // Recorders that stream state about 2³¹ or 2³²-1 bytes.
            end > length && size < 0x7FFF_0000
        }),
        Container::Mp4 => {
            let mut at = place;
            for _ in 0..MOST_BOXES {
                let Some(size) = window.array(at).map(u32::from_be_bytes) else { break };
                let size = match size {
                    // To the end of the file.
                    0 => break,
                    1 => window.array(at + 8).map_or(0, u64::from_be_bytes),
                    size => u64::from(size),
                };
                let Some(end) = at.checked_add(size).filter(|_| size >= 8) else { break };
                if end > length {
                    return true;
                }
                at = end;
            }
            false
        }
        Container::Mkv => mkv_blocks::is_cut_off(window, place),
        _ => false,
    }
}

/// Samples at the start of an Ogg Opus stream that are not played (RFC 7845, 4.2); 0 for other codecs.
fn pre_skip(parameters: &AudioCodecParameters) -> u64 {
    match (codec(parameters.codec), parameters.extra_data.as_deref()) {
        (Some("opus"), Some([b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', _, _, low, high, ..])) => {
            u64::from(u16::from_le_bytes([*low, *high]))
        }
        _ => 0,
    }
}

/// The duration that the container states for the track, else for the file.
fn stated_ms(track: &Track, media: &MediaInfo, parameters: &AudioCodecParameters, skipped: u64) -> Option<u64> {
    let played = |samples: u64| samples.saturating_sub(skipped);
    in_ms(track.time_base, track.duration.map(|duration| Duration::new(played(duration.get()))))
        .or_else(|| rounded_ms(u128::from(played(track.num_frames?)), 1, u128::from(parameters.sample_rate?)))
        .or_else(|| in_ms(media.time_base, media.duration))
}

fn in_ms(base: Option<TimeBase>, duration: Option<Duration>) -> Option<u64> {
    let base = base?;
    rounded_ms(u128::from(duration?.get()), u128::from(base.numer.get()), u128::from(base.denom.get()))
}

/// From the first packet of the track to the end of its last; reads them all. `None` if the bound ends the walk.
/// The first `skipped` samples are not played.
fn walked_ms(reader: &mut dyn FormatReader, track: &Track, allowance: &Allowance, skipped: u64) -> Option<u64> {
    let (mut begin, mut end) = (None, None);
    // Some demuxers end with an error, and so does a file that was cut off.
    while let Ok(Some(packet)) = reader.next_packet() {
        if packet.track_id == track.id {
            begin.get_or_insert(packet.pts);
            end = Some((packet.pts, packet.dur));
        }
    }
    if allowance.is_spent() {
        return None;
    }
    let (last, duration) = end?;
    let ticks = u64::try_from(last.get().checked_sub(begin?.get())?).ok()?.checked_add(duration.get())?;
    in_ms(track.time_base, Some(Duration::new(ticks.saturating_sub(skipped))))
}
