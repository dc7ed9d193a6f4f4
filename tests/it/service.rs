//! A running emulator for a story: what goes wrong when, what it was asked, what it answered.
//!
//! A story whose service received no request, or whose faults did not all occur, fails when it ends.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use talkmeter::client::{ApiKey, Client};
use talkmeter::emulator::{Emulator, Hits, Scenario, Settings};
use tokio::runtime::Runtime;

use crate::scene::{Ran, Row, Scene, rows_of_lines};

/// Must never appear in anything that is written or printed.
pub(crate) const KEY: &str = "sk-very-secret-9f31c07a";

/// A running emulator.
pub(crate) struct Service {
    // Dropped first: it serves in the runtime.
    emulator: Emulator,
    runtime: Runtime,
    region: &'static str,
    asked: bool,
    /// Rules of the scenario that need not occur.
    optional: Option<&'static str>,
    /// Results that stories fetched themselves.
    fetched: AtomicU64,
}

impl Service {
    /// A service without faults.
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// A service with the faults of a scenario, whose clock runs five times as fast.
    pub(crate) fn with(scenario: &str) -> Self {
        let scenario = Scenario::parse(scenario).unwrap();
        Self::start(Settings { scenario, clock_speed: Some(5.0), ..Settings::default() })
    }

    pub(crate) fn start(settings: Settings) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let emulator = runtime.block_on(Emulator::start(settings)).unwrap();
        Self { emulator, runtime, region: "cn", asked: true, optional: None, fetched: AtomicU64::new(0) }
    }

    /// The region that commands are told, `cn` unless set.
    pub(crate) fn in_region(mut self, region: &'static str) -> Self {
        self.region = region;
        self
    }

    /// Rules whose description contains this need not occur.
    pub(crate) fn optional(mut self, rules: &'static str) -> Self {
        self.optional = Some(rules);
        self
    }

    /// It must receive no request.
    pub(crate) fn unasked(mut self) -> Self {
        self.asked = false;
        self
    }

    /// Runs a future that needs the network.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(crate) fn base_url(&self) -> String {
        self.emulator.base_url()
    }

    pub(crate) fn storage_url(&self) -> &str {
        self.emulator.storage_url()
    }

    /// A new folder; the next command is told this service and a good key.
    pub(crate) fn scene(&self) -> Scene {
        self.serve(Scene::new(), KEY)
    }

    /// The same folder, for another command.
    pub(crate) fn then(&self, ran: Ran) -> Scene {
        self.serve(ran.then(), KEY)
    }

    /// Tells the next command this service, and a key.
    pub(crate) fn serve(&self, scene: Scene, key: &str) -> Scene {
        scene
            .environment("DASHSCOPE_API_KEY", key)
            .environment("DASHSCOPE_HTTP_BASE_URL", &self.base_url())
            .environment("DASHSCOPE_REGION", self.region)
            .environment("NO_PROXY", "127.0.0.1")
    }

    /// The library's client of this service.
    pub(crate) fn client(&self) -> Client {
        Client::builder().base_url(self.base_url()).api_key(ApiKey::new(KEY).unwrap()).build().unwrap()
    }

    pub(crate) fn hits(&self) -> Hits {
        self.emulator.hits()
    }

    /// Requests of all kinds.
    pub(crate) fn requests(&self) -> u64 {
        self.hits().routes.values().sum::<u64>() - 2 * self.fetched.load(Ordering::Relaxed)
    }

    /// How many requests of a kind came.
    pub(crate) fn of_kind(&self, operation: &str) -> u64 {
        let own = if matches!(operation, "query" | "result") { self.fetched.load(Ordering::Relaxed) } else { 0 };
        self.hits().of(operation) - own
    }

    /// How often each address was accepted.
    pub(crate) fn accepted(&self) -> BTreeMap<String, u64> {
        self.emulator.accepted()
    }

    /// Every one of these was accepted once, and nothing else.
    #[track_caller]
    pub(crate) fn accepted_once<S: AsRef<str>>(&self, urls: &[S]) -> &Self {
        let once: BTreeMap<String, u64> = urls.iter().map(|url| (url.as_ref().to_owned(), 1)).collect();
        let accepted = self.accepted();
        let differ = |one: &BTreeMap<String, u64>, two: &BTreeMap<String, u64>| {
            one.iter().filter(|(url, times)| two.get(*url) != Some(times)).map(|pair| format!("{pair:?}")).collect()
        };
        let (wrong, missing): (Vec<String>, Vec<String>) = (differ(&accepted, &once), differ(&once, &accepted));
        assert!(wrong.is_empty() && missing.is_empty(), "accepted {wrong:?} instead of {missing:?}");
        self
    }

    /// This many requests of a kind came.
    #[track_caller]
    pub(crate) fn was_asked(&self, operation: &str, times: u64) -> &Self {
        assert_eq!(self.of_kind(operation), times, "{operation}: {:?}", self.hits());
        self
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.emulator.advance(by);
    }

    /// The bytes of the result of a file of a task, fetched without the client.
    pub(crate) fn served(&self, task: &str, file_url: &str) -> Vec<u8> {
        self.fetched.fetch_add(1, Ordering::Relaxed);
        self.block_on(async {
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let query = || http.get(format!("{}/tasks/{task}", self.base_url())).bearer_auth(KEY).send();
            let answer: Value = loop {
                let answer = serde_json::from_slice(&query().await.unwrap().bytes().await.unwrap()).unwrap();
                // The client may have used up what the account may ask in this second.
                if Value::pointer(&answer, "/code").is_none_or(|code| code != "Throttling.RateQuota") {
                    break answer;
                }
                self.fetched.fetch_add(1, Ordering::Relaxed);
                self.advance(Duration::from_secs(1));
            };
            let results = answer["output"]["results"].as_array().cloned();
            let results = results.unwrap_or_else(|| vec![answer["output"]["result"].clone()]);
            let named = |one: &&Value| one["file_url"] == file_url || one["file_url"].is_null();
            let link = results.iter().find(named).unwrap_or_else(|| panic!("no {file_url} in {answer}"));
            let link = link["transcription_url"].as_str().unwrap_or_else(|| panic!("no result in {answer}"));
            let answer = http.get(link).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.bytes().await.unwrap().to_vec()
        })
    }

    /// The ledger of the batch in `out` is consistent (see [`Books::balance`]), and every result is what the service served.
    #[track_caller]
    pub(crate) fn balances(&self, ran: &Ran) -> Books {
        let books = Books::balance(ran);
        for (n, task, file) in &books.stored {
            let url = &books.sent[n];
            assert!(ran.bytes(&format!("out/{file}")) == self.served(task, url), "{file} is not what was served");
        }
        books
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let mut unreached = self.emulator.unreached();
        unreached.retain(|rule| !self.optional.is_some_and(|optional| rule.contains(optional)));
        assert_eq!(unreached, Vec::<String>::new(), "faults that did not occur");
        let requests = self.requests();
        assert_eq!(requests > 0, self.asked, "asked {requests} times: {:?}", self.hits());
        assert_eq!(self.hits().key_leaks, 0, "the key went to the storage");
    }
}

/// A ledger, read by nothing but the definition of its lines.
#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) lines: Vec<Row>,
    /// Item, task, file: results that the service wrote.
    pub(crate) stored: Vec<(u64, String, String)>,
    /// Item, file: results without speech.
    pub(crate) silent: Vec<(u64, String)>,
    /// Item → what was sent for it last.
    pub(crate) sent: BTreeMap<u64, String>,
}

impl Books {
    /// Reads `out/ledger.jsonl` and asserts what holds after every run: each line is a JSON object with its checksum, each
    /// attempt has one end at most and ends before its files are attempted again, each stored result lies there in its length, nothing
    /// is half-written.
    #[track_caller]
    pub(crate) fn balance(ran: &Ran) -> Self {
        Self::of(&ran.file("out/ledger.jsonl"), &ran.path("out"))
    }

    #[track_caller]
    pub(crate) fn of(ledger: &str, out: &std::path::Path) -> Self {
        let lines = rows_of_lines(ledger);
        match lines[0]["talkmeter_ledger"].as_u64() {
            Some(1) => assert!(lines.iter().all(|line| !line.contains_key("check"))),
            Some(2) => checked(ledger),
            format => panic!("format {format:?}"),
        }
        let mut books = Self { lines, stored: Vec::new(), silent: Vec::new(), sent: BTreeMap::new() };
        let mut open: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for line in books.lines.iter().skip(1) {
            let number = |key: &str| line[key].as_u64().unwrap_or_else(|| panic!("no {key} in {line:?}"));
            match line["event"].as_str().unwrap() {
                "intent" => {
                    let items: Vec<u64> =
                        line["items"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
                    for (n, url) in items.iter().zip(line["urls"].as_array().unwrap()) {
                        assert!(!open.values().flatten().any(|held| held == n), "item {n} is sent while it is open");
                        books.sent.insert(*n, url.as_str().unwrap().to_owned());
                    }
                    assert!(open.insert(number("attempt"), items).is_none());
                }
                "accepted" | "refused" | "absent" | "given_up" => {
                    assert!(open.remove(&number("attempt")).is_some(), "ended twice: {line:?}");
                }
                "stored" => {
                    let (n, file) = (number("n"), line["file"].as_str().unwrap().to_owned());
                    let bytes = std::fs::metadata(out.join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
                    assert_eq!(bytes.len(), number("bytes"), "{file}");
                    if line.get("silent").is_some() {
                        books.silent.push((n, file));
                    } else {
                        books.stored.push((n, line["task_id"].as_str().unwrap().to_owned(), file));
                    }
                }
                _ => {}
            }
        }
        for folder in [out.to_owned(), out.join("results")] {
            for entry in std::fs::read_dir(folder).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                assert!(!name.ends_with(".tmp") && !name.starts_with('.'), "{name} is left behind");
            }
        }
        books
    }

    /// How many lines of a kind there are.
    pub(crate) fn count(&self, event: &str) -> usize {
        self.lines.iter().filter(|line| line.get("event").is_some_and(|found| found == event)).count()
    }
}

/// Each line ends with the first 8 bytes of the BLAKE3 of those before it and of the line itself.
#[track_caller]
fn checked(ledger: &str) {
    let mut before = vec![0; 8];
    for line in ledger.lines() {
        let (text, check) = line.rsplit_once(",\"check\":\"").unwrap_or_else(|| panic!("no checksum: {line}"));
        let hash = blake3::hash(&[&before, text.as_bytes()].concat());
        assert_eq!(check, format!("{}\"}}", &hash.to_hex()[..16]), "{line}");
        before = hash.as_bytes()[..8].to_vec();
    }
}

mod tests {
    use super::Service;
    use crate::scene::fails;

    const NEVER: &str = "[[fault]]\non = \"cancel\"\ndo = \"reset_before\"\n";
    const ONE: &str = "transcribe https://calls.example/a.wav -o out --model paraformer-v2";

    #[test]
    fn a_story_fails_when_its_service_is_not_used_as_declared() {
        assert!(fails(|| drop(Service::new())).contains("asked 0 times"));
        let asked = |service: Service| drop(service.scene().run(ONE).exits(0));
        assert!(fails(move || asked(Service::with(NEVER))).contains("faults that did not occur"));
        assert!(
            fails(move || {
                let service = Service::new().unasked();
                drop(service.scene().run("models -q").exits(0));
                asked(service);
            })
            .contains("asked")
        );
        let _ = fails(|| {
            let service = Service::new();
            drop(service.scene().run(ONE).exits(0));
            service.accepted_once(&["https://calls.example/b.wav"]);
        });
    }
}
