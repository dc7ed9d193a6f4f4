//! The emulator from outside: requests and answers written by hand from the vendor's documents, over real sockets.

mod compatible;
mod faults;
mod flash;
mod intruders;
mod refusals;
mod storage;
mod streams;
mod tasks;
mod vocabularies;

use std::time::Duration;

use serde_json::{Value, json};
use talkmeter::emulator::{Emulator, HostStyle, Scenario, Settings};

/// An emulator and its caller, with a good key unless told otherwise.
struct Service {
    emulator: Emulator,
    http: reqwest::Client,
}

/// An answer, read to its end.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Status, code and message of an error.
    #[track_caller]
    fn refused(&self) -> (u16, String, String) {
        let body = self.json();
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"), "every error names its request");
        (self.status, body["code"].as_str().unwrap().to_owned(), body["message"].as_str().unwrap().to_owned())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Service {
    async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(settings: Settings) -> Self {
        Self { emulator: Emulator::start(settings).await.unwrap(), http: reqwest::Client::new() }
    }

    async fn with_scenario(scenario: &str) -> Self {
        Self::with(Settings { scenario: Scenario::parse(scenario).unwrap(), ..Settings::default() }).await
    }

    async fn workspace() -> Self {
        Self::with(Settings { host_style: HostStyle::Workspace, ..Settings::default() }).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.emulator.base_url())
    }

    async fn try_send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, text: response.text().await? })
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_send(request).await.unwrap()
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(self.url(path)).bearer_auth("sk-test")).await
    }

    fn posted(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let request = self.http.post(self.url(path)).bearer_auth("sk-test");
        request.header("Content-Type", "application/json").body(body.to_string())
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.posted(path, body)).await
    }

    fn submitted(&self, body: &Value) -> reqwest::RequestBuilder {
        self.posted("/services/audio/asr/transcription", body).header("X-DashScope-Async", "enable")
    }

    async fn submit(&self, body: &Value) -> Answer {
        self.send(self.submitted(body)).await
    }

    /// Submits, and says the id.
    async fn accepted(&self, body: &Value) -> String {
        let answer = self.submit(body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["output"]["task_id"].as_str().unwrap().to_owned()
    }

    async fn query(&self, id: &str) -> Value {
        let answer = self.get(&format!("/tasks/{id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// Submits, lets three seconds pass, and asks what came of it.
    async fn ended(&self, body: &Value) -> Value {
        let id = self.accepted(body).await;
        self.emulator.advance(Duration::from_secs(3));
        self.query(&id).await
    }

    /// Fetches a link, without a key.
    async fn fetch(&self, link: &str) -> Answer {
        self.send(self.http.get(link)).await
    }
}

/// A submit of Fun-ASR.
fn fun_asr(urls: &[&str]) -> Value {
    json!({"model": "fun-asr", "input": {"file_urls": urls}, "parameters": {}})
}

/// What refills every rate limit.
const SECOND: Duration = Duration::from_secs(1);

const A: &str = "https://example.org/a.mp3";
