//! What any service must do that this crate is to work with: on the emulator always, on the real one when a key is given.
//!
//! Plain functions over a client. They keep the emulator honest: what holds there and not here is a bug of the emulator.

use std::time::Duration;

use talkmeter::ErrorKind;
use talkmeter::client::{ApiKey, Client, Filter, Hotword, PollPolicy, Recognition, TaskId, TaskStatus};
use talkmeter::emulator::{Emulator, Settings};

/// The vendor's own sample, which everybody can fetch.
const SAMPLE: &str = "https://dashscope.oss-cn-beijing.aliyuncs.com/samples/audio/paraformer/hello_world_female2.wav";
const GONE: &str = "https://calls.invalid/gone.wav";

fn fun_asr() -> Recognition {
    Recognition::new("fun-asr")
}

async fn a_recording_is_transcribed(client: &Client) {
    let submitted = client.tasks().submit(&fun_asr(), &[SAMPLE]).await.unwrap();
    assert!(submitted.request_id.is_some(), "an answer bears its request's id");
    let task = client.tasks().wait(&submitted.id, PollPolicy::default()).await.unwrap();
    assert_eq!(task.status, TaskStatus::Succeeded);
    assert!(task.usage.is_some(), "what is billed is said");
    let [outcome] = task.outcomes.as_slice() else { panic!("one file, one outcome: {task:?}") };
    assert_eq!(outcome.file_url.as_deref(), Some(SAMPLE));
    let address = outcome.transcription_url.as_deref().unwrap();
    let result = client.tasks().download(address).await.unwrap();
    let transcript = talkmeter::transcript::read(&result).unwrap();
    assert_eq!(transcript.file_url.as_deref(), Some(SAMPLE));
    assert!(transcript.channels.iter().any(|channel| !channel.sentences.is_empty()));

    // The list shows it, by the service's own clock.
    let page = client.tasks().list(&Filter::new().model("fun-asr")).await.unwrap();
    let listed = page.tasks.iter().find(|listed| listed.id == submitted.id).expect("a task is listed");
    assert_eq!(listed.status, TaskStatus::Succeeded);
    let age = client.server_time().unwrap().duration_since(listed.created.unwrap());
    assert!(age.as_secs() < 3600, "gmt_create is of the service's clock: {age}");

    // It has ended, so it cannot be cancelled.
    let error = client.tasks().cancel(&submitted.id).await.unwrap_err();
    assert_eq!(error.api().unwrap().code, "UnsupportedOperation", "{error}");
}

async fn a_file_that_cannot_be_fetched_fails_alone(client: &Client) {
    let submitted = client.tasks().submit(&fun_asr(), &[GONE]).await.unwrap();
    let task = client.tasks().wait(&submitted.id, PollPolicy::default()).await.unwrap();
    let [outcome] = task.outcomes.as_slice() else { panic!("one file, one outcome: {task:?}") };
    assert_eq!((&outcome.status, outcome.transcription_url.as_deref()), (&TaskStatus::Failed, None));
    assert!(outcome.code.as_deref().unwrap().to_lowercase().contains("download"), "{outcome:?}");
    assert!(!outcome.is_silence());
}

async fn an_unknown_task_is_a_status_and_not_an_error(client: &Client) {
    let id = TaskId::new("00000000-0000-4000-8000-000000000000").unwrap();
    let task = client.tasks().query(&id).await.unwrap();
    assert_eq!(task.status, TaskStatus::Unknown);
    assert!(task.status.is_final() && task.outcomes.is_empty());
}

async fn a_refusal_has_code_and_message(client: &Client) {
    let flash = Recognition::new("fun-asr-flash-2026-06-15");
    let error = client.tasks().submit(&flash, &[SAMPLE]).await.unwrap_err();
    assert!(error.api().unwrap().refused, "nothing was accepted: {error}");
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    let error = client.tasks().submit(&Recognition::new("fun-asr-0"), &[SAMPLE]).await.unwrap_err();
    assert!(error.api().unwrap().refused && !error.is_retryable(), "{error}");
}

async fn a_wrong_key_is_refused_everywhere(client: &Client) {
    let stranger = Client::builder().base_url(client.base_url()).api_key(ApiKey::new("not-a-key").unwrap());
    let error = stranger.build().unwrap().tasks().list(&Filter::new()).await.unwrap_err();
    assert_eq!((error.kind(), error.api().unwrap().status), (ErrorKind::Auth, Some(401)), "{error}");
    assert_eq!(error.api().unwrap().code, "InvalidApiKey");
    assert!(!error.to_string().contains("not-a-key"), "{error}");
}

async fn a_temporary_key_works_like_a_permanent_one(client: &Client) {
    let token = client.tokens().create(Duration::from_secs(60)).await.unwrap();
    let temporary = Client::builder().base_url(client.base_url()).api_key(token.into_key()).build().unwrap();
    temporary.tasks().list(&Filter::new().size(1)).await.unwrap();
}

async fn an_uploaded_file_is_transcribed(client: &Client) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tone.wav");
    std::fs::write(&path, super::scene::wav(1, 16_000, 2)).unwrap();
    let stored = client.uploads().upload("fun-asr", &path).await.unwrap();
    assert!(stored.url.starts_with("oss://"));
    let submitted = client.tasks().submit(&fun_asr(), &[&stored.url]).await.unwrap();
    let task = client.tasks().wait(&submitted.id, PollPolicy::default()).await.unwrap();
    // A tone has no words: where that is noticed, it is silence and no failure to read the file.
    let outcome = task.outcomes.first().unwrap();
    assert!(outcome.transcription_url.is_some() || outcome.is_silence(), "{outcome:?}");
}

async fn a_hotword_list_is_kept_as_it_was_made(client: &Client) {
    let words = [Hotword::new("metformin").weight(5).lang("en"), Hotword::new("blood sugar")];
    let id = client.vocabularies().create("fun-asr", "conform", &words).await.unwrap();
    assert!(id.as_str().starts_with("vocab-conform-"), "{id}");
    let page = client.vocabularies().list(Some("conform"), 0).await.unwrap();
    assert!(page.vocabularies.iter().any(|listed| listed.id == id), "{page:?}");
    let shown = client.vocabularies().show(&id).await.unwrap();
    assert_eq!((shown.target_model.as_deref(), &shown.words[..]), (Some("fun-asr"), &words[..]));
    client.vocabularies().delete(&id).await.unwrap();
    let error = client.vocabularies().show(&id).await.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
}

async fn everything(client: &Client) {
    a_recording_is_transcribed(client).await;
    a_file_that_cannot_be_fetched_fails_alone(client).await;
    an_unknown_task_is_a_status_and_not_an_error(client).await;
    a_refusal_has_code_and_message(client).await;
    a_wrong_key_is_refused_everywhere(client).await;
    a_temporary_key_works_like_a_permanent_one(client).await;
    an_uploaded_file_is_transcribed(client).await;
    a_hotword_list_is_kept_as_it_was_made(client).await;
}

#[tokio::test]
async fn the_emulator_conforms() {
    let emulator = Emulator::start(Settings { clock_speed: Some(10.0), ..Settings::default() }).await.unwrap();
    let key = ApiKey::new("sk-conformance").unwrap();
    everything(&Client::builder().base_url(emulator.base_url()).api_key(key).build().unwrap()).await;
}

#[tokio::test]
#[ignore = "needs a key"]
#[expect(clippy::disallowed_methods, reason = "a key is given by the environment")]
async fn the_service_conforms() {
    let key = ApiKey::new(std::env::var("DASHSCOPE_API_KEY").unwrap()).unwrap();
    let mut builder = Client::builder().api_key(key);
    if let Ok(url) = std::env::var("DASHSCOPE_HTTP_BASE_URL") {
        builder = builder.base_url(url);
    }
    everything(&builder.build().unwrap()).await;
}
