//! `WAVEFORMATEX`: how WAV, AVI and ASF describe sound; tags by Microsoft's `mmreg.h` and RFC 2361.

/// The fields of the structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WaveFormat {
    /// As the service spells codecs; `None` for an unknown tag.
    pub(super) codec: Option<&'static str>,
    pub(super) channels: u16,
    pub(super) rate_hz: u32,
    /// On average; 0 if unknown.
    pub(super) bytes_per_second: u32,
    /// Bytes and samples per channel of the smallest unit that can be decoded; `None` if they do not follow from the
    /// header.
    pub(super) block: Option<(u64, u64)>,
}

impl WaveFormat {
    /// Reads the bytes of the structure, as many as there are; `None` for fewer than 14.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let short = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        let long = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let (channels, rate_hz, bytes_per_second, align) = (short(2)?, long(4)?, long(8)?, short(12)?);
        let bits = short(14).unwrap_or(0);
        let tag = match short(0)? {
            // WAVE_FORMAT_EXTENSIBLE: the tag begins the GUID at byte 24.
            0xFFFE => short(24)?,
            tag => tag,
        };
        let mut block = None;
        let codec = match tag {
            1 | 3 | 6 | 7 => {
                let (name, sample) = plain(tag, bits)?;
                let frame = sample * u64::from(channels);
                // 20 or 24 bits may be stored in four bytes.
                let whole = u64::from(align).checked_rem(u64::from(channels)) == Some(0) && u64::from(align) >= frame;
                block = Some((if whole { u64::from(align) } else { frame }, 1));
                Some(name)
            }
            0x02 | 0x11 | 0x31 => {
                block = short(18).filter(|samples| *samples > 0).map(|samples| (u64::from(align), u64::from(samples)));
                Some(match tag {
                    0x02 => "adpcm_ms",
                    0x11 => "adpcm_ima_wav",
                    _ => {
                        block = Some((65, 320));
                        "gsm_ms"
                    }
                })
            }
            0x0A => Some("wmavoice"),
            0x22 => Some("truespeech"),
            0x42 => Some("g723_1"),
            0x45 | 0x64 => Some("adpcm_g726"),
            0x65 | 0x028F => Some("adpcm_g722"),
            0x83 => Some("g729"),
            0x50 => Some("mp2"),
            0x55 => Some("mp3"),
            0xFF | 0x1600 | 0x1610 => Some("aac"),
            0x160 => Some("wmav1"),
            0x161 => Some("wmav2"),
            0x162 => Some("wmapro"),
            0x163 => Some("wmalossless"),
            0x2000 => Some("ac3"),
            0x2001 => Some("dts"),
            _ => None,
        };
        Some(Self { codec, channels, rate_hz, bytes_per_second, block })
    }
}

/// Name and bytes of a sample.
fn plain(tag: u16, bits: u16) -> Option<(&'static str, u64)> {
    Some(match (tag, bits.div_ceil(8)) {
        (1, 1) => ("pcm_u8", 1),
        (1, 2) => ("pcm_s16le", 2),
        (1, 3) => ("pcm_s24le", 3),
        (1, 4) => ("pcm_s32le", 4),
        (3, 4) => ("pcm_f32le", 4),
        (3, 8) => ("pcm_f64le", 8),
        (6, _) => ("pcm_alaw", 1),
        (7, _) => ("pcm_mulaw", 1),
        _ => return None,
    })
}
