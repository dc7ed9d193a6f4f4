//! MPEG program streams (`.mpeg`, `.mpg`, `.vob`), by ISO/IEC 11172-1, 2.4 and 13818-1, 2.5.
//!
//! Read are the packets up to the first one of sound, and the last [`TAIL`] bytes: the duration is the time from the first
//! time stamp to the last, plus the frames from there to the end.

use super::mpeg_audio::Header;
use super::window::Window;
use super::{Probe, rounded_ms};

/// Bytes read from the end: some seconds of video.
const TAIL: u64 = 1024 * 1024;
/// Bytes searched for tracks of sound.
const HEAD: u64 = 1024 * 1024;
/// Ticks per second of a time stamp, and its number of bits.
const TICKS: u128 = 90_000;
const STAMP_BITS: u32 = 33;

/// A packet of sound.
#[derive(Debug, Clone, Copy)]
struct Packet {
    /// The stream; for the private one the second byte is its sub-stream.
    stream: [u8; 2],
    stamp: Option<u64>,
    /// Offsets in the file from which and to which it holds the stream.
    payload: (u64, u64),
}

pub(super) fn probe(window: &mut Window, place: u64) -> Option<Probe> {
    let mut streams: Vec<[u8; 2]> = Vec::new();
    let mut first = None;
    packets(window, place, place + HEAD, |window, packet| {
        if !streams.contains(&packet.stream) {
            streams.push(packet.stream);
        }
        first = first.or_else(|| Some(packet).filter(|packet| packet.stamp.is_some() && is_known(window, *packet)));
    });
    let first = first?;
    let header = frames(window, &[first.payload], 1).0;
    let codec = match (header, first.stream) {
        (Some(header), _) => Some(header.codec()),
        (None, [_, 0x80..=0x87]) => Some("ac3"),
        (None, [_, 0x88..=0x8F]) => Some("dts"),
        (None, [_, 0xA0..=0xA7]) => Some("pcm_dvd"),
        _ => None,
    };
    Some(Probe {
        format: "mpeg",
        codec,
        sample_rate_hz: header.map(|header| header.rate_hz),
        channels: header.map(|header| header.channels),
        duration_ms: duration_ms(window, place, first),
        promised_ms: None,
        audio_tracks: streams.len(),
    })
}

fn is_known(window: &mut Window, packet: Packet) -> bool {
    packet.stream[0] == 0xBD || frames(window, &[packet.payload], 1).0.is_some()
}

fn duration_ms(window: &mut Window, place: u64, first: Packet) -> Option<u64> {
    let length = window.length();
    let from = length.saturating_sub(TAIL).max(place);
    // A pack begins there.
    let start = (from..length).find(|at| window.array(*at) == Some(*b"\0\0\x01\xBA"))?;
    let mut last = None;
    let mut behind = Vec::new();
    packets(window, start, length, |_, packet| {
        if packet.stream == first.stream {
            if packet.stamp.is_some() {
                last = packet.stamp;
                behind.clear();
            }
            behind.push(packet.payload);
        }
    });
    // Time stamps wrap around after a day.
    let between = last?.wrapping_sub(first.stamp?) & ((1 << STAMP_BITS) - 1);
    let behind_ticks = match frames(window, &behind, usize::MAX) {
        (Some(header), samples) => u128::from(samples) * TICKS / u128::from(header.rate_hz),
        (None, _) => 0,
    };
    rounded_ms(u128::from(between) + behind_ticks, 1, TICKS)
}

/// Every packet of sound that begins between two places.
fn packets(window: &mut Window, mut at: u64, end: u64, mut take: impl FnMut(&mut Window, Packet)) {
    while at < end {
        let Some([0, 0, 1, stream]) = window.array(at) else { return };
        if stream == 0xBA {
            let Some(head) = window.array::<14>(at) else { return };
            at += match head[4] >> 6 {
                1 => 14 + u64::from(head[13] & 7),
                _ => 12,
            };
            continue;
        }
        // The end of the program.
        if stream == 0xB9 {
            at += 4;
            continue;
        }
        let Some(bytes) = window.array(at + 4).map(u16::from_be_bytes) else { return };
        let next = at + 6 + u64::from(bytes);
        if matches!(stream, 0xBD | 0xC0..=0xDF)
            && let Some(packet) = packet(window, at, next.min(window.length()), stream)
        {
            take(window, packet);
        }
        at = next;
    }
}

fn packet(window: &mut Window, place: u64, end: u64, stream: u8) -> Option<Packet> {
    let mut at = place + 6;
    let [first] = window.array(at)?;
    let (stamp_at, mut payload) = if first >> 6 == 2 {
        let [flags, length] = window.array(at + 1)?;
        (Some(at + 3).filter(|_| flags & 0x80 != 0), at + 3 + u64::from(length))
    } else {
        // MPEG-1: stuffing, a buffer's size, then the stamps or 0x0F.
        while window.array(at) == Some([0xFF]) && at < end {
            at += 1;
        }
        if window.array(at).is_some_and(|[byte]: [u8; 1]| byte >> 6 == 1) {
            at += 2;
        }
        match window.array(at)? {
            [byte] if byte >> 4 == 2 => (Some(at), at + 5),
            [byte] if byte >> 4 == 3 => (Some(at), at + 10),
            _ => (None, at + 1),
        }
    };
    let stamp = stamp_at.and_then(|at| window.array(at)).map(|[a, b, c, d, e]: [u8; 5]| {
        let [a, b, c, d, e] = [a, b, c, d, e].map(u64::from);
        (a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1
    });
    let mut sub = 0;
    if stream == 0xBD {
        [sub] = window.array(payload)?;
        // Subtitles are private streams, too.
        if !matches!(sub, 0x80..=0x8F | 0xA0..=0xA7) {
            return None;
        }
        payload += 4;
    }
    (payload <= end).then_some(Packet { stream: [stream, sub], stamp, payload: (payload, end) })
}

/// The first frame of MPEG audio in these pieces, and the samples of all whole frames from there.
fn frames(window: &mut Window, pieces: &[(u64, u64)], most: usize) -> (Option<Header>, u64) {
    let mut sound = Vec::new();
    for (from, to) in pieces {
        let piece = usize::try_from(to - from).ok().and_then(|count| window.bytes(*from, count));
        sound.extend_from_slice(piece.unwrap_or_default());
    }
    let header = |at: usize| Header::new(sound.get(at..at + 4)?.try_into().ok()?);
    let follows = |at: &usize| {
        header(*at).is_some_and(|this| {
            let next = at + this.frame.bytes as usize;
            next + 4 > sound.len() || header(next).is_some()
        })
    };
    let Some(mut at) = (0..sound.len()).find(follows) else { return (None, 0) };
    let first = header(at);
    let mut samples = 0;
    for _ in 0..most {
        let Some(this) = header(at) else { break };
        at += this.frame.bytes as usize;
        if at > sound.len() {
            break;
        }
        samples += u64::from(this.frame.samples);
    }
    (first, samples)
}
