//! SILK version 3, as chat apps record voice messages, mostly under the extension of AMR. The variant of WeChat and QQ puts one
//! byte before the header of the SDK. The service does not read it; it is recognised so that this can be said.

use super::Probe;
use super::window::Window;

/// Whether a SILK file begins at `place`.
pub(super) fn begins(window: &mut Window, place: u64) -> bool {
    let header = if window.array(place) == Some([2]) { place + 1 } else { place };
    window.array(header) == Some(*b"#!SILK_V3")
}

pub(super) fn probe() -> Probe {
    Probe {
        format: "silk",
        codec: Some("silk"),
        sample_rate_hz: None,
        channels: Some(1),
        duration_ms: None,
        promised_ms: None,
        audio_tracks: 1,
    }
}
