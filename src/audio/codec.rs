//! Names of codecs.

use symphonia::core::codecs::audio::{AudioCodecId, well_known as known};

/// The codec's name as in the service's `properties.audio_format`.
pub(super) fn codec(id: AudioCodecId) -> Option<&'static str> {
    Some(match id {
        known::CODEC_ID_PCM_ALAW => "pcm_alaw",
        known::CODEC_ID_PCM_MULAW => "pcm_mulaw",
        known::CODEC_ID_PCM_S8 => "pcm_s8",
        known::CODEC_ID_PCM_U8 => "pcm_u8",
        known::CODEC_ID_PCM_S16BE => "pcm_s16be",
        known::CODEC_ID_PCM_S16LE => "pcm_s16le",
        known::CODEC_ID_PCM_S24BE => "pcm_s24be",
        known::CODEC_ID_PCM_S24LE => "pcm_s24le",
        known::CODEC_ID_PCM_S32BE => "pcm_s32be",
        known::CODEC_ID_PCM_S32LE => "pcm_s32le",
        known::CODEC_ID_PCM_F32BE => "pcm_f32be",
        known::CODEC_ID_PCM_F32LE => "pcm_f32le",
        known::CODEC_ID_PCM_F64BE => "pcm_f64be",
        known::CODEC_ID_PCM_F64LE => "pcm_f64le",
        known::CODEC_ID_ADPCM_G722 => "adpcm_g722",
        known::CODEC_ID_ADPCM_G726 => "adpcm_g726",
        known::CODEC_ID_ADPCM_IMA_QT => "adpcm_ima_qt",
        known::CODEC_ID_ADPCM_IMA_WAV => "adpcm_ima_wav",
        known::CODEC_ID_ADPCM_MS => "adpcm_ms",
        known::CODEC_ID_AAC => "aac",
        known::CODEC_ID_AC3 => "ac3",
        known::CODEC_ID_EAC3 => "eac3",
        known::CODEC_ID_ALAC => "alac",
        known::CODEC_ID_FLAC => "flac",
        known::CODEC_ID_MP1 => "mp1",
        known::CODEC_ID_MP2 => "mp2",
        known::CODEC_ID_MP3 => "mp3",
        known::CODEC_ID_OPUS => "opus",
        known::CODEC_ID_SPEEX => "speex",
        known::CODEC_ID_VORBIS => "vorbis",
        _ => return None,
    })
}
