//! What is fuzzed: functions over the public interface of the library that say whether their input was accepted. Each fails
//! by a panic: of the library, or of an assertion about what came out.
//!
//! `tests/it/fuzz.rs` runs them on stable Rust, cargo-fuzz with coverage; see `fuzz/README.md`.

use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use talkmeter::batch::{Batch, BatchRequest, LedgerReport, ManifestBuilder};
use talkmeter::billing::{Meter, PriceBook, Prices, Statement};
use talkmeter::captions::{self, Captions, Format, Limits};
use talkmeter::catalog::{Catalog, Region};
use talkmeter::client::{ApiKey, Client, Recognition, sse};
use talkmeter::emulator::{Dialogue, Scenario};
use talkmeter::metrics::keywords::Keywords;
use talkmeter::metrics::{self, Measured};
use talkmeter::time::Clock;
use talkmeter::transcript;

/// A target, and the folders of its corpus from the root of the repository.
pub struct Target {
    /// Also the name of its own folder in `fuzz/corpus`.
    pub name: &'static str,
    pub run: fn(&[u8]) -> bool,
    pub corpora: &'static [&'static str],
}

/// Every target.
pub const TARGETS: [Target; 8] = [
    Target { name: "result", run: result, corpora: &["fuzz/corpus/result", "fuzz/corpus/foreign"] },
    Target { name: "sse", run: sse, corpora: &["fuzz/corpus/sse"] },
    Target { name: "captions", run: captions, corpora: &["fuzz/corpus/captions"] },
    Target { name: "ledger", run: ledger, corpora: &["fuzz/corpus/ledger", "tests/fixtures/batch-of-version-before"] },
    Target { name: "lists", run: lists, corpora: &["fuzz/corpus/lists"] },
    Target { name: "prices", run: prices, corpora: &["fuzz/corpus/prices"] },
    Target { name: "scripts", run: scripts, corpora: &["fuzz/corpus/scripts", "src/emulator/speech/calls"] },
    Target { name: "probe", run: probe, corpora: &["fuzz/corpus/probe", "tests/fixtures/audio"] },
];

/// A result file, or the transcript of another recogniser: read, measured, captioned.
pub fn result(bytes: &[u8]) -> bool {
    let Ok(transcript) = transcript::read(bytes) else { return false };
    let settings = metrics::Settings::default();
    let owned = transcript.clone().into_owned();
    let measured = metrics::measure("call.json", &transcript, &settings);
    possible(&measured);
    let again = metrics::measure("call.json", &owned, &settings);
    assert_eq!(measured.call, again.call, "borrowed and owned transcripts differ");
    assert_eq!(measured.participants, again.participants);
    let cut = Captions::new(&measured, &Limits::default());
    for format in Format::ALL {
        let cues = cut.cues(format);
        for cue in &cues {
            assert!(cue.begin_ms < cue.end_ms, "{cue:?}");
        }
        let read = format.read(format.write(&cues).as_bytes()).unwrap_or_default();
        assert_eq!(read.len(), cues.len(), "{format:?} that we wrote is read otherwise");
    }
    true
}

/// Whether figures are of their kind: lengths and counts from 0, shares from 0 to 1, events in their places.
fn possible(measured: &Measured<'_>) {
    let rows = measured.participants.iter().map(serde_json::to_value);
    for row in rows.chain([serde_json::to_value(&measured.call)]) {
        let row = row.unwrap_or_default();
        for (name, value) in row.as_object().into_iter().flatten() {
            let Some(value) = value.as_f64() else { continue };
            // An answer may begin before the question has ended; times are as received.
            let signed = name.starts_with("response_ms")
                || ["span_start_ms", "span_end_ms", "first_begin_ms", "speaker_id", "sampling_rate_hz"]
                    .contains(&name.as_str());
            let share = name.ends_with("_ratio") && name != "talk_listen_ratio" || name == "talk_share";
            assert!(value.is_finite(), "{name} is {value}");
            assert!(value >= 0.0 || signed, "{name} is {value}");
            assert!(!share || value <= 1.0, "{name} is {value}");
        }
    }
    for event in &measured.events {
        assert!(event.begin_ms <= event.end_ms, "{event:?}");
    }
    for turn in &measured.turns {
        assert!(turn.begin_ms <= turn.end_ms && turn.talk_ms >= 0, "{turn:?}");
    }
}

/// An event stream, whose events do not depend on where it is cut. The first byte says where that is.
pub fn sse(bytes: &[u8]) -> bool {
    let Some((first, body)) = bytes.split_first() else { return false };
    let decoded = |size: usize| {
        let chunks: Vec<_> = body.chunks(size).map(|chunk| Ok(bytes::Bytes::copy_from_slice(chunk))).collect();
        let events = sse::events(Box::pin(futures_util::stream::iter(chunks)));
        let events = futures_util::StreamExt::collect::<Vec<_>>(events);
        futures_util::FutureExt::now_or_never(events).unwrap_or_else(|| panic!("a stream in memory waits for nothing"))
    };
    let (whole, cut) = (decoded(body.len().max(1)), decoded(usize::from(*first).max(1)));
    let plain = |events: &[talkmeter::Result<sse::Event>]| -> Vec<_> {
        events.iter().map(|event| event.as_ref().map_err(ToString::to_string).cloned()).collect()
    };
    assert_eq!(plain(&whole), plain(&cut));
    // Every event is read, also those behind one that is no JSON.
    let values: Vec<_> = whole.into_iter().map(|event| event.and_then(|event| event.values())).collect();
    values.iter().all(Result::is_ok)
}

/// Captions: what was read is written so that it reads the same, and checked.
pub fn captions(bytes: &[u8]) -> bool {
    let _ = (Format::detect(bytes), Format::guessed_encoding(bytes));
    let mut accepted = false;
    for format in Format::ALL {
        let Ok(cues) = format.read(bytes) else { continue };
        let written = format.write(&cues);
        let again = format.read(written.as_bytes()).unwrap_or_default();
        assert_eq!(format.write(&again), written, "{format:?}");
        let _ = captions::check(&cues, format, &Limits::default());
        accepted = true;
    }
    accepted
}

/// A clock that shows one moment.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
}

/// A client of a service that is not there.
fn client() -> Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    let build = || {
        let client = Client::builder().region(Region::Cn).base_url("http://127.0.0.1:9/api/v1");
        ApiKey::new("sk-fuzz").and_then(|key| client.api_key(key).build()).unwrap_or_else(|error| panic!("{error}"))
    };
    CLIENT.get_or_init(build).clone()
}

/// A ledger: read for the bill, then opened as the batch that it belongs to. Whole lines that were accepted stay.
pub fn ledger(bytes: &[u8]) -> bool {
    let scratch = scratch();
    let folder = scratch.path().join("batch");
    let created = std::fs::create_dir(&folder);
    created.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let path = folder.join("ledger.jsonl");
    write(&path, bytes);
    let report = LedgerReport::read(&folder);
    if let Ok(Some(report)) = &report {
        let _ = (report.origins(), report.receipts(), report.reported_usage().count());
    }
    assert_eq!(std::fs::read(&path).unwrap_or_default(), bytes, "reading changes nothing");
    let request = BatchRequest::new(Recognition::new("paraformer-v2"), Vec::new());
    let opened = Batch::open_at(&folder, client(), request, Arc::new(Still));
    let left = std::fs::read(&path).unwrap_or_default();
    let kept = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    assert!(left.starts_with(&bytes[..kept]), "lines are only ever added: {:?}", opened.map(|batch| batch.counts()));
    if let Ok(batch) = &opened {
        let _ = (batch.counts(), batch.waiting(), batch.notes());
    }
    let entries = |folder: &Path| -> Vec<_> { std::fs::read_dir(folder).into_iter().flatten().flatten().collect() };
    assert_eq!(entries(scratch.path()).len(), 1, "something was written outside of the batch");
    let ours = ["ledger.jsonl", "ledger.lock", "results", "failures.csv"];
    let others =
        entries(&folder).into_iter().map(|entry| entry.file_name()).filter(|name| !ours.iter().any(|one| name == one));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<std::ffi::OsString>::new());
    opened.is_ok()
}

/// Tables and lists that people write: keywords, recordings, a statement.
pub fn lists(bytes: &[u8]) -> bool {
    let mut accepted = false;
    if let Some(keywords) = std::str::from_utf8(bytes).ok().and_then(|text| Keywords::from_file_text(text).ok()) {
        let text = String::from_utf8_lossy(bytes);
        for found in keywords.find(&text) {
            assert!(found.start < found.end && text.is_char_boundary(found.start) && text.is_char_boundary(found.end));
        }
        accepted = true;
    }
    // A folder in a list is walked: not those of the machine that this runs on.
    let cells = bytes.split(|byte| b",;\t\r\n\"\0".contains(byte)).map(<[u8]>::trim_ascii);
    if cells.into_iter().any(|cell| matches!(cell.first(), Some(b'/' | b'.' | b'\\'))) {
        return accepted;
    }
    // What the first line decides, and what an extension does.
    let extensions = ["list.csv", "list.jsonl", "list.txt"];
    for name in ["list", extensions.get(bytes.len() % 3).unwrap_or(&"list")] {
        let mut builder = ManifestBuilder::default();
        builder.list(name, bytes);
        match builder.finish() {
            Ok(_) => accepted = true,
            Err(problems) => assert!(!problems.list().is_empty(), "refused without a reason"),
        }
        accepted |= Statement::read(name, bytes).is_ok();
    }
    accepted
}

/// A price file, and the cost of every quantity by it.
pub fn prices(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut book = PriceBook::from_catalog(Catalog::builtin());
    if book.replace(text).is_err() {
        return false;
    }
    let prices = Prices::new(book, None, None);
    let models = Catalog::builtin().models().iter().map(|model| model.name.as_str());
    for model in models {
        for region in [Region::Cn, Region::Intl] {
            for meter in [Meter::Speech, Meter::TokensIn, Meter::TokensOut] {
                if let Some(unit) = prices.unit(model, region, meter) {
                    for quantity in [0, 1, 3_600, 1_000 * 3_600 * 1_000] {
                        assert!(
                            unit.cost(quantity).is_some_and(|cost| quantity == 0 || cost.is_sign_positive()),
                            "{model}: {unit:?}"
                        );
                    }
                }
            }
        }
    }
    true
}

/// Scripts of the emulator: faults and dialogues.
pub fn scripts(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let (scenario, dialogue) = (Scenario::parse(text), Dialogue::parse("call", text));
    if let Ok(scenario) = &scenario {
        let _ = scenario.unreached();
    }
    if let Ok(dialogue) = &dialogue {
        assert!(dialogue.tracks() >= 1 && !dialogue.people().is_empty());
    }
    scenario.is_ok() || dialogue.is_ok()
}

/// An audio file: its headers, and which of its tracks differ.
pub fn probe(bytes: &[u8]) -> bool {
    let folder = scratch();
    let path = folder.path().join("call");
    write(&path, bytes);
    let Ok(Some(probe)) = talkmeter::audio::probe(&path) else { return false };
    assert!(probe.channels.is_none_or(|count| (1..=64).contains(&count)), "{probe:?}");
    assert!(probe.sample_rate_hz.is_none_or(|rate| (1..=768_000).contains(&rate)), "{probe:?}");
    assert!(probe.format != "wav" || probe.duration_ms.is_none_or(|ms| ms <= bytes.len() as u64 * 8000), "{probe:?}");
    if let Ok(Some(tracks)) = talkmeter::audio::tracks(&path) {
        assert!(!tracks.distinct.is_empty() && tracks.distinct.iter().all(|track| *track < tracks.channels));
    }
    true
}

/// A folder in memory, where there is one.
fn scratch() -> tempfile::TempDir {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    folder.unwrap_or_else(|error| panic!("no temporary folder: {error}"))
}

fn write(path: &Path, bytes: &[u8]) {
    let written = std::fs::File::create(path).and_then(|mut file| file.write_all(bytes));
    written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
