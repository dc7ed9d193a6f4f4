//! What the person at the command line can do about a failure: the only place that knows flags and commands for errors that
//! arise in the library.

use std::collections::BTreeSet;
use std::path::Path;

use super::parameters::flag_of;
use crate::batch;
use crate::client::Warning;
use crate::error::{Check, Error, ErrorKind};
use crate::tables::Analysis;
use crate::transcript::{Code, ParseErrorKind};

/// A hint for a request that the service refused; `None` where the error says it all.
pub(super) fn for_error(error: &Error) -> Option<&'static str> {
    let api = error.api()?;
    for_code(&api.code, &api.message).or(match error.kind() {
        ErrorKind::Auth => Some(KEY),
        ErrorKind::Quota => Some(ACCOUNT),
        ErrorKind::NotFound if api.endpoint.ends_with("/customization") => Some(LIST),
        ErrorKind::Unavailable if api.status.is_none() => {
            Some("check the network, a proxy (HTTPS_PROXY) and --region or --base-url")
        }
        _ => None,
    })
}

/// The `hint` of a row of `failures.csv`.
pub(super) fn for_failure(failure: &batch::Failure) -> Option<String> {
    for_code(&failure.code, &failure.message).map(str::to_owned)
}

/// The message of an error of the library, with the flag or command it is about.
pub(super) fn line(message: &str, check: Option<Check>) -> String {
    let Some(check) = check else { return message.to_owned() };
    match check {
        // A guess is better advice than a list.
        Check::UnknownModel if message.ends_with('?') => message.to_owned(),
        Check::UnknownModel => format!("{message}; `talkmeter models` lists the known ones"),
        Check::FlashModel => format!("{message}: use `talkmeter flash` or --model fun-asr"),
        Check::TaskModel => format!("{message}: use `talkmeter transcribe` or a flash model"),
        Check::DataUri => format!("{message} or use `talkmeter flash`"),
        Check::Region(region) => format!("{message} (--region {region})"),
        Check::Parameter(key) => flag_of(key).map_or_else(|| message.to_owned(), |flag| format!("{message} ({flag})")),
        Check::Context => format!("{message} (--context)"),
        Check::Dialogue => format!("{message} (--dialog)"),
        Check::Prompt => format!("{message} (--prompt)"),
        Check::Compatible => format!("{message} (--compatible)"),
        Check::FilesPerTask => format!("{message} (--files-per-task)"),
        Check::Workspace => format!("{message} (--workspace)"),
        Check::Header => format!("{message} (--header)"),
        Check::Proxy => format!("{message}; use https, or name the host in NO_PROXY"),
        Check::Prefix => format!("{message} (--prefix)"),
        Check::ResultSize => format!("{message} (--max-result)"),
        Check::Price => format!("{message}; give its price with --prices FILE"),
        Check::TimeFormat => format!("{message}; say how times are written with --time-format '%d.%m.%Y %H:%M'"),
        Check::Shards => {
            format!("{message}; run the same `talkmeter analyze … --shard I/N` for each shard that is to be made anew")
        }
        Check::ColumnOfCalls => format!("{message}; `talkmeter metrics calls` lists the columns"),
        Check::NoTables => format!("{message}: `talkmeter analyze … -o DIR` writes them"),
    }
}

/// A warning for stderr.
pub(super) fn warning(warning: &Warning) -> String {
    format!("warning: {}", line(&warning.message, warning.check))
}

const KEY: &str = "a key belongs to one region and one kind of host: check --region, --workspace and the key";
const ACCOUNT: &str = "settle the account in the service's console; no request is accepted until then";
const LIST: &str = "no such hotword list here: see `talkmeter vocab list`; a list belongs to one model and one region";

/// Parts of codes and messages of the service, or codes of our own, with a hint; the first match counts.
const HINTS: &[(&[&str], &str)] = &[
    (
        &["url error, please check url", "does not support asynchronous", "does not support synchronous"],
        "the model needs another kind of call: `talkmeter models` says which take batches and which flash calls",
    ),
    (
        &[
            "DownloadFailed",
            "FILE_DOWNLOAD_FAILED",
            "FILE_404",
            "FILE_403",
            "FILE_SERVER_ERROR",
            "DataInspection process",
        ],
        "the service could not fetch the URL: it is inaccessible or has expired; test it with curl from outside, \
         and keep recordings on OSS, a web server or a CDN",
    ),
    (
        &["FILE_TOO_LARGE", "AUDIO_DURATION_TOO_LONG", "TooLarge", "AudioLengthError", "CONTENT_LENGTH_CHECK_FAILED"],
        "split or compress the recording first: at most 2 GB and 12 hours per file, 5 minutes for flash",
    ),
    (
        &[
            "DECODE_ERROR",
            "FILE_NORMALIZE_FAILED",
            "FILE_PARSE_FAILED",
            "MKV_PARSE_FAILED",
            "NO_VALID_AUDIO",
            "FILE_CHECK_FAILED",
            "UnsupportedFileFormat",
        ],
        "not every variant of a format is supported: convert one file to 16 kHz WAV and try it alone",
    ),
    (
        &["SUCCESS_WITH_NO_VALID_FRAGMENT", "ASR_RESPONSE_HAVE_NO_WORDS"],
        "nothing was recognised: check the recording with `talkmeter cost estimate FILE` or ffprobe (format, sample rate, \
         speech), then --language and --vocabulary",
    ),
    (
        &["does not support http call"],
        "the model is reached over WebSocket only: `talkmeter models` lists those that work over HTTP",
    ),
    (&["Model not exist", "ModelNotFound", "model_not_found"], "`talkmeter models` lists the models and their regions"),
    (&["ResourceNotExist"], LIST),
    (&["over_limit"], "to send it, run again with a higher --max-cost, or split the recording"),
    (&["over_budget"], "to send it, run again with a higher limit in the budget, or split the recording"),
    (&["missing status name"], "a parameter is misspelt or unknown to the model: check --param"),
    (&["Failed to cancel"], "only a task that is still PENDING can be cancelled"),
    (&["FILE_TRANS_TASK_EXPIRED"], "the task waited too long at the service: submit the file again"),
    (&["Arrearage", "BillOverdue", "CommodityNotPurchased", "Unpurchased"], ACCOUNT),
    (
        &["FreeTierOnly"],
        "the free quota is used up and the account is set to \"free only\": change that in the service's console",
    ),
    (&["InvalidApiKey"], KEY),
    (
        &["Free allocated quota exceeded"],
        "an account has ten hotword lists: `talkmeter vocab list` shows them, `talkmeter vocab delete` makes room",
    ),
    (&["Throttling.AllocationQuota"], "the quota per minute recovers within the minute: run the same command later"),
    (
        &["Throttling", "LimitRequests", "Requests rate limit exceeded"],
        "too many requests for the account: run the same command later, or set a lower pace with --rate",
    ),
    (
        &["task_unknown"],
        "the task ended over 24 hours ago, or belongs to another key or region: run again with that key, or resubmit with \
         --retry-failed (billed again)",
    ),
    (&["submit_uncertain"], "--resubmit-uncertain submits it again, and may bill twice"),
    (
        &["result_not_stored"],
        "free its place on the disk, then run the same command again; the service keeps results for 24 hours",
    ),
    (
        &["result_too_large"],
        "the same command with a higher --max-result fetches it; the service keeps results for 24 hours",
    ),
    (&["result_not_fetched"], "the same command fetches it again; the service keeps results for 24 hours"),
];

/// About a task that the service does not know.
pub(super) const UNKNOWN_TASK: &str =
    "the service does not know this task: it ended over 24 hours ago, or belongs to another key or region";

/// A hint for a code and message of the service, of a whole request or of one file.
pub(super) fn for_code(code: &str, message: &str) -> Option<&'static str> {
    let either = |part: &&str| code.contains(part) || message.contains(part);
    HINTS.iter().find(|(parts, _)| parts.iter().any(either)).map(|(_, hint)| *hint)
}

/// Parts of the refusals of object stores, with a hint; the first match counts.
const STORES: &[(&[&str], &str)] = &[
    (&["NoSuchBucket", "ContainerNotFound", "NoSuchHost", "InvalidBucketName"], "check the name of the bucket"),
    (
        &["PermanentRedirect", "AuthorizationHeaderMalformed", "redirect", "IncorrectEndpoint"],
        "the bucket is in another region: set AWS_REGION (OSS_REGION for oss://)",
    ),
    (
        &["169.254.169.254", "metadata.google.internal", "is not set", "credentials", "Account must be specified"],
        "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, GOOGLE_SERVICE_ACCOUNT, AZURE_STORAGE_ACCOUNT_NAME \
         and AZURE_STORAGE_ACCOUNT_KEY, or OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and OSS_REGION",
    ),
    (
        &["SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken", "InvalidToken", "AuthenticationFailed"],
        "the key, its secret or its session token is wrong or has expired",
    ),
    (
        &["AccessDenied", "access denied", "HTTP 403", "AuthorizationPermissionMismatch"],
        "the key needs permission to list the bucket and to read its objects, and to write and delete them for -o and --stage",
    ),
    (&["URL scheme is not allowed", "allow_http"], "an endpoint without TLS needs AWS_ALLOW_HTTP=true"),
];

/// What to do about the refusal of an object store.
pub(super) fn for_store(why: &str) -> Option<&'static str> {
    STORES.iter().find(|(parts, _)| parts.iter().any(|part| why.contains(part))).map(|(_, hint)| *hint)
}

/// Findings in result files, with what to do about them at the next transcription.
const FINDINGS: &[(&[Code], &str)] = &[
    (
        &[
            Code::WordOutsideSentence,
            Code::NegativeInterval,
            Code::EndAfterDuration,
            Code::InterpolatedWords,
            Code::WordsWithoutLength,
            Code::SentenceLongerThanWords,
        ],
        "times are off: Paraformer models align them to the audio with `talkmeter transcribe --align-timestamps`",
    ),
    (
        &[Code::NothingToMeasure, Code::BlankSentence],
        "nothing was recognised in some files: check that the recording has speech and a sample rate that the model takes \
         (`talkmeter cost estimate FILE --vad`, `talkmeter models`), then --language, --hotword and --vocabulary",
    ),
    (
        &[Code::MissingChannel],
        "tracks are missing: `talkmeter transcribe --channel 0,1` requests two, each of which is billed",
    ),
    (
        &[Code::UnknownSpeaker],
        "speakers are told apart best in recordings under 2 h, with their number given: `talkmeter transcribe --diarize --speakers N`",
    ),
    (&[Code::MaskedWords], "`talkmeter transcribe --no-system-filter` leaves words unmasked"),
];

/// What to do about findings with these codes, one line each; nothing if no file is from the service.
pub(super) fn for_findings(codes: &BTreeSet<Code>, analysis: &Analysis) -> impl Iterator<Item = &'static str> {
    let of_service = analysis.has_results_of_service();
    FINDINGS
        .iter()
        .filter(move |_| of_service)
        .filter(|(about, _)| about.iter().any(|code| codes.contains(code)))
        .map(|(_, hint)| *hint)
}

/// How to convert a file to UTF-8.
pub(super) fn convert(encoding: &str) -> String {
    format!("convert it: iconv -f {encoding} -t UTF-8")
}

/// What to do about a file that is not a result file.
pub(super) fn for_parse_error(path: &Path, kind: ParseErrorKind) -> Option<&'static str> {
    // Results of the service are JSON.
    let is_json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    match kind {
        ParseErrorKind::Empty | ParseErrorKind::Incomplete | ParseErrorKind::Html | ParseErrorKind::NotUtf8 => {
            is_json.then_some("download the result again: its link is good for 24 h")
        }
        ParseErrorKind::Gzip => Some("unpack it first: gunzip"),
        ParseErrorKind::Utf16 => Some("convert it: iconv -f UTF-16 -t UTF-8"),
        ParseErrorKind::SeveralValues => Some("a file holds one result: split JSON lines first"),
        ParseErrorKind::TaskAnswer => Some("download the file that its transcription_url names"),
        ParseErrorKind::FlashAnswer => Some("`talkmeter flash --save` keeps answers as result files"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::PARAMETERS;

    #[test]
    fn a_refusal_names_the_flag_that_mends_it() {
        let refused = Error::invalid("fun-asr does not take keep_dialect: leave it out");
        let error = refused.with_check(Check::Parameter("keep_dialect"));
        let said = line(&error.to_string(), error.check());
        assert_eq!(said, "fun-asr does not take keep_dialect: leave it out (--keep-dialect)");
        assert_eq!(line("no such key", Some(Check::Parameter("brand_new"))), "no such key");
    }

    #[test]
    fn every_parameter_has_a_flag_or_is_set_by_the_program() {
        let own = ["format", "sample_rate", "incremental_output", "vad_enabled"];
        let bare: Vec<&str> = PARAMETERS.iter().map(|row| row.key).filter(|key| flag_of(key).is_none()).collect();
        assert_eq!(bare, own);
    }
}
