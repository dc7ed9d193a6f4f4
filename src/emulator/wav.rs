//! The header of a WAV file: tracks, rate, length.

/// Read from a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Audio {
    pub(super) channels: u32,
    pub(super) sampling_rate: u32,
    pub(super) duration_ms: u64,
}

/// Reads the start of a file of `length` bytes; `None` if it is not a WAV or its header is incomplete.
pub(super) fn read(head: &[u8], length: u64) -> Option<Audio> {
    if head.get(..4)? != b"RIFF" || head.get(8..12)? != b"WAVE" {
        return None;
    }
    let number = |at: usize| Some(u32::from_le_bytes(head.get(at..at.checked_add(4)?)?.try_into().ok()?));
    let (mut at, mut format) = (12_usize, None);
    loop {
        let size = number(at + 4)?;
        let body = at + 8;
        match head.get(at..at + 4)? {
            b"fmt " => {
                let channels = u32::from(u16::from_le_bytes(head.get(body + 2..body + 4)?.try_into().ok()?));
                format = Some((channels, number(body + 4)?, number(body + 8)?));
            }
            b"data" => {
                let (channels, sampling_rate, bytes_per_second) = format?;
                // A streamed file states 0 or the largest number.
                let there = length.saturating_sub(body as u64);
                let bytes = if size == 0 { there } else { u64::from(size).min(there) };
                let duration_ms = (bytes * 1000).checked_div(u64::from(bytes_per_second))?;
                let plausible = (1..=64).contains(&channels) && sampling_rate > 0;
                return plausible.then_some(Audio { channels, sampling_rate, duration_ms });
            }
            _ => {}
        }
        at = body.checked_add(usize::try_from(size).ok()?)?.checked_add(usize::from(size % 2 == 1))?;
    }
}

/// A header for tests: 16 bit, this many bytes of sound.
#[cfg(test)]
pub(super) fn header(channels: u16, rate: u32, bytes: u32) -> Vec<u8> {
    let mut head = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0".to_vec();
    head.extend(channels.to_le_bytes());
    head.extend(rate.to_le_bytes());
    head.extend((rate * u32::from(channels) * 2).to_le_bytes());
    head.extend((channels * 2).to_le_bytes());
    head.extend(16_u16.to_le_bytes());
    head.extend(b"data");
    head.extend(bytes.to_le_bytes());
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_and_length_are_read() {
        let head = header(2, 8000, 320_000);
        let audio = Audio { channels: 2, sampling_rate: 8000, duration_ms: 10_000 };
        assert_eq!(read(&head, 320_044), Some(audio));
        assert_eq!(read(&head, 160_044), Some(Audio { duration_ms: 5_000, ..audio }), "never longer than the file");
        assert_eq!(read(&header(1, 8000, u32::MAX), 16_044).unwrap().duration_ms, 1000);
    }

    #[test]
    fn anything_else_is_none() {
        let head = header(1, 8000, 16_000);
        for cut in 0..head.len() {
            assert_eq!(read(&head[..cut], 16_044), None);
        }
        assert_eq!(read(b"ID3 and so on, more than twelve bytes", 100), None);
        assert_eq!(read(&header(0, 8000, 16_000), 16_044), None);
    }
}
