//! Decodes a file block by block.

use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use ropus::{Channels, DecodeMode, Decoder as OpusDecoder};
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::Packet;

use super::headers::Headers;
use super::magic::{self, Container};
use super::window::Window;
use super::{MOST_CHANNELS, demux, pcm, wav};
use crate::error::{Error, Result};

/// Rate that Opus is decoded at, in hertz: one of its own.
const OPUS_RATE_HZ: u32 = 16_000;
/// Samples per channel of the longest Opus packet (120 ms) at that rate.
const LONGEST_OPUS: usize = 1920;
/// Undecodable packets in a row after which decoding is given up.
const MOST_BROKEN: usize = 50;
/// Most bytes read to recognise the container.
const MOST_READ: u64 = 1024 * 1024;

/// Takes the rate in hertz and the same number of samples, -1 to 1, of each channel.
pub(super) type Take<'a> = dyn FnMut(u32, &[Vec<f32>]) -> ControlFlow<()> + 'a;

/// Decodes the audio track that players choose, until `take` breaks off; `false` if it cannot be decoded here, even if
/// `take` has received some of it.
pub(super) fn decode(path: &Path, take: &mut Take<'_>) -> Result<bool> {
    let failed = |error| Error::io("read", path, error);
    let length = fs::metadata(path).map_err(failed)?.len();
    let file = File::open(path).map_err(failed)?;
    let failure = Arc::new(OnceLock::new());
    // As when probing: a damaged file must not end the run.
    let work = AssertUnwindSafe(|| decoded(file, length, &failure, take));
    let is_decoded = panic::catch_unwind(work).unwrap_or(Ok(false)).map_err(failed)?;
    match Arc::into_inner(failure).and_then(OnceLock::into_inner) {
        Some(error) => Err(failed(error)),
        None => Ok(is_decoded),
    }
}

/// What the first bytes show.
pub(super) fn container(path: &Path) -> Result<Option<Container>> {
    let failed = |error| Error::io("read", path, error);
    let length = fs::metadata(path).map_err(failed)?.len();
    let mut window = Window::new(File::open(path).map_err(failed)?, length, MOST_READ);
    Ok(magic::container(&mut window).map(|(container, _)| container))
}

fn decoded(mut file: File, length: u64, failure: &Arc<OnceLock<io::Error>>, take: &mut Take<'_>) -> io::Result<bool> {
    let mut window = Window::new(file.try_clone()?, length, MOST_READ);
    let Some((container, place)) = magic::container(&mut window) else { return Ok(false) };
    if container == Container::Wav
        && let Some(data) = wav::data(&mut window, place).filter(|data| pcm::is_known(*data))
    {
        return pcm::decode(file, data, take);
    }
    io::Seek::rewind(&mut file)?;
    let headers = Headers::new(file, length, Arc::clone(failure));
    headers.allowance().raise(u64::MAX);
    Ok(samples(container, place, headers, take).unwrap_or(false))
}

fn samples(container: Container, place: u64, headers: Headers, take: &mut Take<'_>) -> Option<bool> {
    let mut reader = demux::open(container, place, headers)?;
    let track = demux::track(&*reader)?.clone();
    let Some(CodecParameters::Audio(parameters)) = &track.codec_params else { return None };
    let mut decoder = if parameters.codec == CODEC_ID_OPUS {
        // More channels are several streams, which this decoder does not handle.
        let (count, channels) = match parameters.channels.as_ref()?.count() {
            1 => (1, Channels::Mono),
            2 => (2, Channels::Stereo),
            _ => return None,
        };
        Decoder::Opus(Box::new(OpusDecoder::new(OPUS_RATE_HZ, channels).ok()?), count)
    } else {
        let options = AudioDecoderOptions::default();
        Decoder::Symphonia(symphonia::default::get_codecs().make_audio_decoder(parameters, &options).ok()?)
    };
    let mut planes = Vec::new();
    let (mut broken, mut any) = (0, false);
    // A file that was cut off ends with an error.
    while let Ok(Some(packet)) = reader.next_packet() {
        if packet.track_id != track.id {
            continue;
        }
        match decoder.decode(&packet, &mut planes) {
            Some(rate) if !planes.is_empty() && planes.len() <= usize::from(MOST_CHANNELS) && rate > 0 => {
                (broken, any) = (0, true);
                if take(rate, &planes).is_break() {
                    return Some(true);
                }
            }
            _ => broken += 1,
        }
        if broken > MOST_BROKEN {
            return Some(false);
        }
    }
    Some(any)
}

enum Decoder {
    Symphonia(Box<dyn AudioDecoder>),
    /// A decoder and its channels.
    Opus(Box<OpusDecoder>, usize),
}

impl Decoder {
    /// Decodes into one vector per channel; returns the rate in hertz.
    fn decode(&mut self, packet: &Packet, planes: &mut Vec<Vec<f32>>) -> Option<u32> {
        match self {
            Self::Symphonia(decoder) => {
                let buffer = decoder.decode(packet).ok()?;
                buffer.copy_to_vecs_planar(planes);
                Some(buffer.spec().rate())
            }
            Self::Opus(decoder, channels) => {
                let mut woven = vec![0.0_f32; LONGEST_OPUS * *channels];
                let frames = decoder.decode_float(&packet.data, &mut woven, DecodeMode::Normal).ok()?;
                planes.resize_with(*channels, Vec::new);
                for (at, plane) in planes.iter_mut().enumerate() {
                    plane.clear();
                    plane.extend(woven.iter().skip(at).step_by(*channels).take(frames));
                }
                Some(OPUS_RATE_HZ)
            }
        }
    }
}
