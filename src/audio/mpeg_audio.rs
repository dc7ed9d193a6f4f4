//! Bare MP1, MP2, MP3: frames by ISO/IEC 11172-3, 2.4.2.3 and 13818-3; the tags of Xing, LAME and Fraunhofer by their
//! makers' descriptions.
//!
//! A tag that agrees with the file's size gives the duration. Otherwise the frames are walked; if the first [`CONSTANT`]
//! frames have the same bit rate, the rest is extrapolated.

use super::frames::{self, Frame, Walked};
use super::window::Window;
use super::{Probe, rounded_ms};

/// A stream whose first frames, this many, have one bit rate is of constant rate.
const CONSTANT: u64 = 512;

/// The four bytes of a frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// 1 to 3.
    layer: u8,
    /// The half rates of MPEG-2 and the quarter rates of 2.5.
    is_low: bool,
    pub(super) rate_hz: u32,
    pub(super) channels: u16,
    kbit: u32,
    pub(super) frame: Frame,
}

impl Header {
    pub(super) fn new([sync, second, third, fourth]: [u8; 4]) -> Option<Self> {
        if sync != 0xFF || second & 0xE0 != 0xE0 {
            return None;
        }
        let slowed = match second >> 3 & 3 {
            3 => 1,
            2 => 2,
            0 => 4,
            _ => return None,
        };
        let layer = 4_u8.checked_sub(second >> 1 & 3).filter(|layer| *layer < 4)?;
        let is_low = slowed > 1;
        let rates: [u32; 14] = match (is_low, layer) {
            (false, 1) => [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
            (false, 2) => [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
            (false, _) => [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
            (true, 1) => [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
            (true, _) => [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
        };
        let kbit = *rates.get(usize::from(third >> 4).checked_sub(1)?)?;
        let rate_hz = [44_100, 48_000, 32_000].get(usize::from(third >> 2 & 3))? / slowed;
        let padding = u32::from(third >> 1 & 1);
        let samples = match (layer, is_low) {
            (1, _) => 384,
            (3, true) => 576,
            _ => 1152,
        };
        let bytes = match layer {
            1 => (12_000 * kbit / rate_hz + padding) * 4,
            _ => samples / 8 * 1000 * kbit / rate_hz + padding,
        };
        let channels = if fourth >> 6 == 3 { 1 } else { 2 };
        Some(Self { layer, is_low, rate_hz, channels, kbit, frame: Frame { bytes, samples } })
    }

    pub(super) fn codec(self) -> &'static str {
        match self.layer {
            1 => "mp1",
            2 => "mp2",
            _ => "mp3",
        }
    }
}

/// Whether a stream of MPEG audio begins at `place`.
pub(super) fn begins(window: &mut Window, place: u64) -> bool {
    let header = |bytes| Header::new(bytes).map(|header| header.frame);
    frames::follows(window, place, &header)
}

pub(super) fn probe(window: &mut Window, place: u64) -> Option<Probe> {
    let first = Header::new(window.array(place)?)?;
    let samples = match tag(window, place, first) {
        Tag::Samples(samples) => u128::from(samples),
        Tag::Useless(skipped) => walked(window, place + skipped, first)?,
    };
    Some(Probe {
        format: first.codec(),
        codec: Some(first.codec()),
        sample_rate_hz: Some(first.rate_hz),
        channels: Some(first.channels),
        duration_ms: rounded_ms(samples, 1, u128::from(first.rate_hz)),
        promised_ms: None,
        audio_tracks: 1,
    })
}

/// A tag in the first frame, about the whole stream.
enum Tag {
    /// Audible samples per channel.
    Samples(u64),
    /// Bytes from the tag to the sound.
    Useless(u64),
}

fn tag(window: &mut Window, place: u64, first: Header) -> Tag {
    let side: u64 = match (first.is_low, first.channels) {
        (false, 2) => 32,
        (true, 1) => 9,
        _ => 17,
    };
    let at = place + 4 + side;
    let number = |window: &mut Window, at| window.array(at).map_or(0, u32::from_be_bytes);
    let (frames, bytes, lame) = match window.array(at) {
        Some(name) if first.layer == 3 && (&name == b"Xing" || &name == b"Info") => {
            let flags = number(window, at + 4);
            let has = |bit: u32| u64::from(flags >> bit & 1);
            let (frames, bytes) = (has(0) * u64::from(number(window, at + 8)), at + 8 + 4 * has(0));
            let lame = bytes + 4 * has(1) + 100 * has(2) + 4 * has(3);
            (frames, has(1) * u64::from(number(window, bytes)), Some(lame))
        }
        _ if first.layer == 3 && window.array(place + 36) == Some(*b"VBRI") => {
            (u64::from(number(window, place + 50)), u64::from(number(window, place + 46)), None)
        }
        _ => return Tag::Useless(0),
    };
    // A recording that was cut off holds less than its tag states.
    if frames == 0 || place + bytes > window.length() {
        return Tag::Useless(u64::from(first.frame.bytes));
    }
    // Twelve bits each: the encoder's delay and padding.
    let around = match lame.and_then(|lame| Some((window.array::<4>(lame)?, window.array::<3>(lame + 21)?))) {
        Some(([b'L', ..], [one, two, three])) => {
            (u64::from(one) << 4 | u64::from(two >> 4)) + (u64::from(two & 15) << 8 | u64::from(three))
        }
        _ => 0,
    };
    Tag::Samples((frames * u64::from(first.frame.samples)).saturating_sub(around))
}

fn walked(window: &mut Window, place: u64, first: Header) -> Option<u128> {
    let of_this = |bytes| Header::new(bytes).filter(|one| one.layer == first.layer && one.rate_hz == first.rate_hz);
    let (mut frames, mut constant) = (0_u64, true);
    let mut kbit = None;
    let walked: Walked = frames::walk(
        window,
        place,
        |bytes| of_this(bytes).map(|header| header.frame),
        |bytes, _| {
            frames += 1;
            let this = of_this(bytes).map(|header| header.kbit);
            constant &= *kbit.get_or_insert(this) == this;
            constant && frames >= CONSTANT
        },
    );
    let has_ended = (!constant || frames < CONSTANT) && !window.is_spent();
    if has_ended {
        return Some(u128::from(walked.samples));
    }
    let length = window.length();
    // ID3v1: the last 128 bytes.
    let tail = length.checked_sub(128).filter(|tail| window.array(*tail) == Some(*b"TAG")).unwrap_or(length);
    walked.extrapolated(tail)
}
