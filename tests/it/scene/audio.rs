//! Audio files, byte by byte.

/// A WAV file of 16 bit samples: a tone of this many seconds in every channel.
pub(crate) fn wav(channels: u16, rate_hz: u32, seconds: u32) -> Vec<u8> {
    let sample = |frame: u32| {
        let turn = f64::from(frame) * 440.0 / f64::from(rate_hz) * std::f64::consts::TAU;
        (turn.sin() * 8000.0) as i16
    };
    let frames = (0..rate_hz * seconds).map(|frame| vec![sample(frame); usize::from(channels)]);
    wav_of(rate_hz, &frames.collect::<Vec<_>>())
}

/// A WAV file of these samples of every channel.
pub(crate) fn wav_of<F: AsRef<[i16]>>(rate_hz: u32, frames: &[F]) -> Vec<u8> {
    let channels = frames.first().map_or(1, |frame| frame.as_ref().len()) as u16;
    let length = frames.len() as u32 * u32::from(channels) * 2;
    let mut bytes = Vec::with_capacity(44 + length as usize);
    bytes.extend(b"RIFF");
    bytes.extend((36 + length).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate_hz.to_le_bytes());
    bytes.extend((rate_hz * u32::from(channels) * 2).to_le_bytes());
    bytes.extend((channels * 2).to_le_bytes());
    bytes.extend(b"\x10\0data");
    bytes.extend(length.to_le_bytes());
    frames.iter().for_each(|frame| frame.as_ref().iter().for_each(|sample| bytes.extend(sample.to_le_bytes())));
    bytes
}
