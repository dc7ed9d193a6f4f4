//! FLV, by Adobe's "Video file format specification", version 10.1, annex E. The tags up to the first two of sound are
//! read, and the last ones from the end of the file; if it was cut off, the headers of all tags.

use super::mpeg_audio::Header;
use super::window::Window;
use super::{Probe, adts, rounded_ms};

/// Most tags before the first of sound, and after the last.
const MOST_TAGS: usize = 10_000;
const HEAD: u64 = 11;

/// A tag: its kind, where its body is, and its time.
#[derive(Debug, Clone, Copy)]
struct Tag {
    kind: u8,
    body: u64,
    bytes: u64,
    ms: u32,
}

impl Tag {
    fn at(window: &mut Window, place: u64) -> Option<Self> {
        let [kind, a, b, c, t1, t2, t3, t0, stream @ ..] = window.array::<11>(place)?;
        let bytes = u64::from(u32::from_be_bytes([0, a, b, c]));
        let is_tag = matches!(kind, 8 | 9 | 18) && stream == [0; 3];
        let ms = u32::from_be_bytes([t0, t1, t2, t3]);
        (is_tag && place + HEAD + bytes <= window.length()).then_some(Self { kind, body: place + HEAD, bytes, ms })
    }

    /// Where the next tag begins: after the length of this one.
    fn next(self) -> u64 {
        self.body + self.bytes + 4
    }

    /// Whether it holds sound and not only its description.
    fn is_sound(self, window: &mut Window) -> bool {
        self.kind == 8 && !is_description(window, self)
    }
}

/// First byte of the description of an AAC stream.
fn is_description(window: &mut Window, tag: Tag) -> bool {
    window.array(tag.body).is_some_and(|[format, packet]| format >> 4 == 10 && packet == 0)
}

pub(super) fn probe(window: &mut Window, place: u64) -> Option<Probe> {
    let begin = place + u64::from(u32::from_be_bytes(window.array(place + 5)?)) + 4;
    let (mut at, mut said) = (begin, None);
    let mut first = None;
    for _ in 0..MOST_TAGS {
        let Some(tag) = Tag::at(window, at) else { break };
        if tag.kind == 8 {
            said.get_or_insert(format(window, tag)?);
            if !is_description(window, tag) {
                first = Some(tag);
                break;
            }
        }
        at = tag.next();
    }
    let (codec, rate, channels, samples) = said?;
    let last = first.and_then(|first| last_by_lengths(window, begin).or_else(|| last_by_walk(window, first)));
    // The last tag holds one frame.
    let duration_ms = first.zip(last).and_then(|(first, last)| {
        let frame = rounded_ms(u128::from(samples), 1, u128::from(rate?))?;
        Some(u64::from(last.ms.checked_sub(first.ms)?) + frame)
    });
    Some(Probe {
        format: "flv",
        codec,
        sample_rate_hz: rate,
        channels,
        duration_ms,
        promised_ms: None,
        audio_tracks: 1,
    })
}

/// Walks backwards from the end: each tag is followed by its length.
fn last_by_lengths(window: &mut Window, begin: u64) -> Option<Tag> {
    let mut end = window.length();
    for _ in 0..MOST_TAGS {
        let length = u64::from(u32::from_be_bytes(window.array(end.checked_sub(4)?)?));
        let place = end.checked_sub(4)?.checked_sub(length).filter(|place| *place >= begin)?;
        let tag = Tag::at(window, place).filter(|tag| HEAD + tag.bytes == length)?;
        if tag.is_sound(window) {
            return Some(tag);
        }
        end = place;
    }
    None
}

/// The last whole tag; `None` if the bound ends the walk.
fn last_by_walk(window: &mut Window, first: Tag) -> Option<Tag> {
    let (mut last, mut at) = (first, first.next());
    while let Some(tag) = Tag::at(window, at) {
        if tag.is_sound(window) {
            last = tag;
        }
        at = tag.next();
    }
    Some(last).filter(|_| !window.is_spent())
}

/// Codec, rate in hertz, channels, and samples per channel of a frame (0 if unknown).
type Format = (Option<&'static str>, Option<u32>, Option<u16>, u32);

/// Reads the first byte of a tag of sound, and for AAC and MP3 the next ones.
fn format(window: &mut Window, tag: Tag) -> Option<Format> {
    let [flags] = window.array(tag.body)?;
    let rate = [5512, 11_025, 22_050, 44_100].get(usize::from(flags >> 2 & 3)).copied();
    let channels = Some(u16::from(flags & 1) + 1);
    Some(match flags >> 4 {
        1 => (Some("adpcm_swf"), rate, channels, 0),
        0 | 3 if flags & 2 == 0 => (Some("pcm_u8"), rate, channels, 0),
        0 | 3 => (Some("pcm_s16le"), rate, channels, 0),
        2 | 14 => match window.array(tag.body + 1).and_then(Header::new) {
            Some(header) => (Some("mp3"), Some(header.rate_hz), Some(header.channels), header.frame.samples),
            None => (Some("mp3"), None, None, 0),
        },
        4 => (Some("nellymoser"), Some(16_000), Some(1), 0),
        5 => (Some("nellymoser"), Some(8000), Some(1), 0),
        6 => (Some("nellymoser"), rate, channels, 0),
        7 => (Some("pcm_alaw"), Some(8000), channels, 0),
        8 => (Some("pcm_mulaw"), Some(8000), channels, 0),
        // AudioSpecificConfig, ISO/IEC 14496-3, 1.6.2.1: 5 bits of type, 4 of rate, 4 of channels.
        10 if is_description(window, tag) => match window.array(tag.body + 2) {
            Some([one, two]) => {
                let rate = adts::rate((one & 7) << 1 | two >> 7);
                (Some("aac"), rate, adts::channels(two >> 3 & 15), 1024)
            }
            None => (Some("aac"), None, None, 1024),
        },
        10 => (Some("aac"), None, None, 1024),
        11 => (Some("speex"), Some(16_000), Some(1), 320),
        _ => (None, None, None, 0),
    })
}
