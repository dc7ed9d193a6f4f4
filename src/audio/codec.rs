//! The names of codecs.

use symphonia::core::codecs::audio::{AudioCodecId, well_known as known};

/// Its name, spelt as in the service's `properties.audio_format`; of uncompressed samples also the bytes of one.
pub(super) fn codec(id: AudioCodecId) -> Option<(&'static str, Option<u64>)> {
    Some(match id {
        known::CODEC_ID_PCM_ALAW => ("pcm_alaw", Some(1)),
        known::CODEC_ID_PCM_MULAW => ("pcm_mulaw", Some(1)),
        known::CODEC_ID_PCM_S8 => ("pcm_s8", Some(1)),
        known::CODEC_ID_PCM_U8 => ("pcm_u8", Some(1)),
        known::CODEC_ID_PCM_S16BE => ("pcm_s16be", Some(2)),
        known::CODEC_ID_PCM_S16LE => ("pcm_s16le", Some(2)),
        known::CODEC_ID_PCM_S24BE => ("pcm_s24be", Some(3)),
        known::CODEC_ID_PCM_S24LE => ("pcm_s24le", Some(3)),
        known::CODEC_ID_PCM_S32BE => ("pcm_s32be", Some(4)),
        known::CODEC_ID_PCM_S32LE => ("pcm_s32le", Some(4)),
        known::CODEC_ID_PCM_F32BE => ("pcm_f32be", Some(4)),
        known::CODEC_ID_PCM_F32LE => ("pcm_f32le", Some(4)),
        known::CODEC_ID_PCM_F64BE => ("pcm_f64be", Some(8)),
        known::CODEC_ID_PCM_F64LE => ("pcm_f64le", Some(8)),
        known::CODEC_ID_ADPCM_G722 => ("adpcm_g722", None),
        known::CODEC_ID_ADPCM_G726 => ("adpcm_g726", None),
        known::CODEC_ID_ADPCM_IMA_QT => ("adpcm_ima_qt", None),
        known::CODEC_ID_ADPCM_IMA_WAV => ("adpcm_ima_wav", None),
        known::CODEC_ID_ADPCM_MS => ("adpcm_ms", None),
        known::CODEC_ID_AAC => ("aac", None),
        known::CODEC_ID_AC3 => ("ac3", None),
        known::CODEC_ID_EAC3 => ("eac3", None),
        known::CODEC_ID_ALAC => ("alac", None),
        known::CODEC_ID_FLAC => ("flac", None),
        known::CODEC_ID_MP1 => ("mp1", None),
        known::CODEC_ID_MP2 => ("mp2", None),
        known::CODEC_ID_MP3 => ("mp3", None),
        known::CODEC_ID_OPUS => ("opus", None),
        known::CODEC_ID_SPEEX => ("speex", None),
        known::CODEC_ID_VORBIS => ("vorbis", None),
        _ => return None,
    })
}
