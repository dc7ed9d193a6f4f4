//! Whether a file can be fetched, and the outcome of its recognition.

use url::Url;

use super::models::Model;
use super::parameters::Parameters;
use super::speech::Source;
use super::state::State;
use super::tasks::Outcome;

const DOWNLOAD_FAILED: &str = "FILE_DOWNLOAD_FAILED";
/// Twelve hours.
const LONGEST_MS: u64 = 12 * 3_600_000;

fn failed(code: &str) -> Outcome {
    Outcome::Failed { code: code.to_owned(), message: code.to_owned() }
}

/// The outcome for a file of an asynchronous task. `resolves`: the submit allowed `oss://` addresses.
pub(super) fn outcome(state: &State, model: &Model, url: &str, resolves: bool, parameters: &Parameters) -> Outcome {
    let source = match source(state, model, url, resolves) {
        Ok(source) => source,
        Err((code, message)) => return Outcome::Failed { code: code.to_owned(), message: message.to_owned() },
    };
    match source.duration_ms() {
        _ if source.silent() => return failed("SUCCESS_WITH_NO_VALID_FRAGMENT"),
        0 => return failed("SUCCESS_WITH_NO_VALID_FRAGMENT"),
        ms if ms > LONGEST_MS => return failed("AUDIO_DURATION_TOO_LONG"),
        _ => {}
    }
    if let Some(recorded) = state.recordings.of(url) {
        return Outcome::Recorded(recorded);
    }
    // The service's answer to a missing track is undocumented.
    if source.has(&parameters.channels) { Outcome::Speech(source) } else { failed("NO_VALID_AUDIO_ERROR") }
}

/// Fetches a file, or returns the code and message of the failure.
pub(super) fn source(
    state: &State,
    model: &Model,
    url: &str,
    resolves: bool,
) -> Result<Source, (&'static str, &'static str)> {
    const INVALID: (&str, &str) = ("REQUEST_INVALID_FILE_URL_VALUE", "REQUEST_INVALID_FILE_URL_VALUE");
    const UNREACHABLE: (&str, &str) = (DOWNLOAD_FAILED, DOWNLOAD_FAILED);
    let (scheme, rest) = url.split_once("://").ok_or(INVALID)?;
    match scheme.to_ascii_lowercase().as_str() {
        "oss" => {
            let object = state.uploads.object(rest, model, state.clock.now());
            match object.filter(|_| resolves) {
                Some(object) if object.length == 0 => Err(("DECODE_ERROR", "DECODE_ERROR")),
                Some(object) => Ok(Source::bytes(url, object.hash, object.audio)),
                None => Err(UNREACHABLE),
            }
        }
        "http" | "https" => {
            if !percent_encoded_once(rest) {
                return Err(("InvalidFile.DownloadFailed", "The audio file cannot be downloaded."));
            }
            let parsed = Url::parse(url).map_err(|_| INVALID)?;
            let host = parsed.host_str().ok_or(INVALID)?.trim_end_matches('.').to_ascii_lowercase();
            if host == "invalid" || host.ends_with(".invalid") {
                return Err(UNREACHABLE);
            }
            Ok(Source::address(url).with_dialogue(state.dialogues.of(url)))
        }
        _ => Err(INVALID),
    }
}

/// The path of an address must be percent-encoded exactly once.
fn percent_encoded_once(rest: &str) -> bool {
    let path = rest.split(['?', '#']).next().unwrap_or(rest).split_once('/').map_or("", |(_, path)| path);
    let hex = |at: usize| path.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
    path.bytes().enumerate().all(|(at, byte)| match byte {
        b'%' => {
            let again = path.get(at..at + 3) == Some("%25") && hex(at + 3) && hex(at + 4);
            hex(at + 1) && hex(at + 2) && !again
        }
        b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => false,
        _ => byte.is_ascii_graphic(),
    })
}

#[cfg(test)]
mod tests {
    use super::percent_encoded_once;

    #[test]
    fn a_path_is_encoded_once() {
        for good in ["x.org", "x.org/a%20b.mp3?c=d e", "x.org/%E4%BC%9A.wav", "x.org/100%25.wav", "x.org/a~b(c)'.mp3"] {
            assert!(percent_encoded_once(good), "{good}");
        }
        for bad in ["x.org/a b.mp3", "x.org/会.wav", "x.org/a%2520b.mp3", "x.org/100%.wav", "x.org/a%2"] {
            assert!(!percent_encoded_once(bad), "{bad}");
        }
    }
}
