//! The container of a file by its first bytes, not by its name: a recorder's `.wav` may be an MP3.

use super::window::Window;
use super::{adts, mpeg_audio, silk};

/// Most tags before the sound: usually one ID3 tag, rarely two.
const MOST_TAGS: usize = 4;
/// Most zero bytes that some writers leave after a tag.
const MOST_PADDING: u64 = 4096;
/// The GUID of the header object of ASF.
const ASF: [u8; 16] = *b"\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\x00\xAA\x00\x62\xCE\x6C";

/// A container or a bare stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Adts,
    Aiff,
    Amr,
    Asf,
    Avi,
    Flac,
    Flv,
    Mkv,
    Mp4,
    MpegAudio,
    MpegPs,
    Ogg,
    Silk,
    Wav,
}

impl Container {
    /// The only demuxer of ffmpeg that may read it: others take lists of files and addresses for recordings.
    pub(super) fn demuxer_of_ffmpeg(self) -> Option<&'static str> {
        Some(match self {
            Self::Adts => "aac",
            Self::Aiff => "aiff",
            Self::Amr => "amr",
            Self::Asf => "asf",
            Self::Avi => "avi",
            Self::Flac => "flac",
            Self::Flv => "flv",
            Self::Mkv => "matroska",
            Self::Mp4 => "mov",
            Self::MpegAudio => "mp3",
            Self::MpegPs => "mpeg",
            Self::Ogg => "ogg",
            Self::Silk => return None,
            Self::Wav => "wav",
        })
    }
}

/// The container at the start of the file or after its tags, and its offset in bytes.
pub(super) fn container(window: &mut Window) -> Option<(Container, u64)> {
    let mut place = 0;
    for _ in 0..MOST_TAGS {
        match window.array::<10>(place) {
            // ID3v2, section 3.1: the size has seven bits per byte and does not count these ten bytes.
            Some([b'I', b'D', b'3', _, _, flags, size @ ..]) if size.iter().all(|byte| *byte < 0x80) => {
                let size = size.iter().fold(0, |size, byte| size << 7 | u64::from(*byte));
                place += 10 + size + if flags & 0x10 == 0 { 0 } else { 10 };
            }
            _ => break,
        }
    }
    if place > 0 {
        let bare = place + MOST_PADDING;
        while place < bare && window.array(place) == Some([0]) {
            place += 1;
        }
    }
    Some((named(window, place)?, place))
}

fn named(window: &mut Window, place: u64) -> Option<Container> {
    let four = window.array::<4>(place)?;
    let kind = window.array::<4>(place + 8);
    Some(match &four {
        b"RIFF" | b"RF64" | b"BW64" if kind.as_ref() == Some(b"WAVE") => Container::Wav,
        b"RIFF" if kind.as_ref() == Some(b"AVI ") => Container::Avi,
        b"FORM" if matches!(kind.as_ref(), Some(b"AIFF" | b"AIFC")) => Container::Aiff,
        b"fLaC" => Container::Flac,
        b"OggS" => Container::Ogg,
        b"\x1A\x45\xDF\xA3" => Container::Mkv,
        b"#!AM" if window.array(place + 4) == Some(*b"R") => Container::Amr,
        b"#!SI" | b"\x02#!S" if silk::begins(window, place) => Container::Silk,
        b"FLV\x01" => Container::Flv,
        b"\0\0\x01\xBA" => Container::MpegPs,
        b"\x30\x26\xB2\x75" if window.array(place) == Some(ASF) => Container::Asf,
        _ => match window.array::<4>(place + 4).as_ref() {
            Some(b"ftyp" | b"moov" | b"mdat" | b"free" | b"skip" | b"wide" | b"pnot" | b"styp") => Container::Mp4,
            _ if adts::begins(window, place) => Container::Adts,
            _ if mpeg_audio::begins(window, place) => Container::MpegAudio,
            _ => return None,
        },
    })
}
