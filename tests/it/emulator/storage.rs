//! Uploads, their use, and result links.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::{A, Answer, Service, fun_asr};

/// The six fields of a policy, in the order of the documents.
fn fields(policy: &Value, name: &str) -> Vec<(&'static str, String)> {
    let data = |key: &str| policy["data"][key].as_str().unwrap().to_owned();
    vec![
        ("OSSAccessKeyId", data("oss_access_key_id")),
        ("Signature", data("signature")),
        ("policy", data("policy")),
        ("x-oss-object-acl", data("x_oss_object_acl")),
        ("x-oss-forbid-overwrite", data("x_oss_forbid_overwrite")),
        ("key", format!("{}/{name}", data("upload_dir"))),
        ("success_action_status", "200".to_owned()),
    ]
}

async fn policy(service: &Service, model: &str) -> Value {
    let answer = service.get(&format!("/uploads?action=getPolicy&model={model}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn upload(service: &Service, policy: &Value, fields: Vec<(&'static str, String)>, bytes: Vec<u8>) -> Answer {
    let form = fields.into_iter().fold(Form::new(), |form, (name, value)| form.text(name, value));
    let form = form.part("file", Part::bytes(bytes).file_name("call.wav"));
    let host = policy["data"]["upload_host"].as_str().unwrap();
    service.send(service.http.post(host).multipart(form)).await
}

/// Two tracks, ten seconds, 8 kHz, 16 bit.
fn stereo() -> Vec<u8> {
    let (channels, rate, bytes) = (2_u16, 8000_u32, 320_000_u32);
    let mut wav = b"RIFF".to_vec();
    wav.extend((bytes + 36).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    wav.extend(channels.to_le_bytes());
    wav.extend(rate.to_le_bytes());
    wav.extend((rate * 4).to_le_bytes());
    wav.extend(b"\x04\0\x10\0data");
    wav.extend(bytes.to_le_bytes());
    wav.resize(44 + bytes as usize, 0);
    wav
}

#[tokio::test]
async fn an_upload_can_be_transcribed_and_its_tracks_are_known() {
    let service = Service::start().await;
    let policy = policy(&service, "fun-asr").await;
    assert_eq!(policy["data"]["expire_in_seconds"], 300);
    let fields = fields(&policy, "call.wav");
    let url = format!("oss://{}", fields[5].1);
    let stored = upload(&service, &policy, fields.clone(), stereo()).await;
    assert_eq!((stored.status, stored.text.as_str()), (200, ""));
    let again = upload(&service, &policy, fields, stereo()).await;
    assert_eq!(again.status, 409, "a key is used once");

    let body = json!({"model": "fun-asr", "input": {"file_urls": [url]}, "parameters": {"channel_id": [0, 1]}});
    let resolved = async |body: &Value| {
        let request = service.submitted(body).header("X-DashScope-OssResourceResolve", "enable");
        let id = service.send(request).await.json()["output"]["task_id"].as_str().unwrap().to_owned();
        service.emulator.advance(Duration::from_secs(3));
        service.query(&id).await
    };
    let ended = resolved(&body).await;
    let link = ended["output"]["results"][0]["transcription_url"].as_str().unwrap();
    let file = service.fetch(link).await.json();
    assert_eq!(file["file_url"], *url);
    assert_eq!(file["properties"]["original_duration_in_milliseconds"], 10_000);
    assert_eq!(
        (&file["properties"]["channels"], &file["properties"]["original_sampling_rate"]),
        (&json!([0, 1]), &json!(8000))
    );
    assert_eq!(file["transcripts"].as_array().unwrap().len(), 2);

    let missing = json!({"model": "fun-asr", "input": {"file_urls": [url]}, "parameters": {"channel_id": [2]}});
    assert_eq!(resolved(&missing).await["output"]["results"][0]["code"], "NO_VALID_AUDIO_ERROR");
    let unresolved = service.ended(&body).await;
    assert_eq!(unresolved["output"]["code"], "FILE_DOWNLOAD_FAILED", "the header is needed");
    let other = json!({"model": "paraformer-v2", "input": {"file_urls": [url]}, "parameters": {}});
    assert_eq!(resolved(&other).await["output"]["code"], "FILE_DOWNLOAD_FAILED", "uploaded for another model");
    service.emulator.advance(Duration::from_secs(48 * 3600));
    assert_eq!(resolved(&body).await["output"]["code"], "FILE_DOWNLOAD_FAILED", "gone after 48 hours");
}

#[tokio::test]
async fn the_form_is_checked_against_the_policy() {
    let service = Service::start().await;
    let policy = policy(&service, "fun-asr").await;
    let good = fields(&policy, "a.wav");
    for left_out in 0..6 {
        let mut fields = good.clone();
        let (name, _) = fields.remove(left_out);
        let refused = upload(&service, &policy, fields, vec![1]).await;
        assert_eq!(refused.status, if name == "key" { 400 } else { 403 }, "without {name}");
        assert!(refused.text.starts_with("<?xml") && refused.text.contains("<Error>"), "{}", refused.text);
    }
    let mut elsewhere = good.clone();
    elsewhere[5].1 = "somewhere/else.wav".to_owned();
    assert_eq!(upload(&service, &policy, elsewhere, vec![1]).await.status, 403);
    let mut forged = good.clone();
    forged[2].1.replace_range(..4, "AAAA");
    assert!(upload(&service, &policy, forged, vec![1]).await.text.contains("SignatureDoesNotMatch"));

    // The file comes before the key.
    let mut form = good[..5].iter().fold(Form::new(), |form, (name, value)| form.text(*name, value.clone()));
    form = form.part("file", Part::bytes(vec![1])).text("key", good[5].1.clone());
    let host = policy["data"]["upload_host"].as_str().unwrap();
    assert_eq!(service.send(service.http.post(host).multipart(form)).await.status, 400);

    let mut quiet = good.clone();
    quiet.pop();
    assert_eq!(upload(&service, &policy, quiet, vec![1]).await.status, 204, "the storage's own answer");
    service.emulator.advance(Duration::from_secs(301));
    let late = upload(&service, &policy, fields(&policy, "b.wav"), vec![1]).await;
    assert_eq!(late.status, 403);
    assert!(late.text.contains("Invalid according to Policy: Policy expired."));
}

#[tokio::test]
async fn an_upload_over_the_limit_is_refused() {
    let service = Service::start().await;
    let small = policy(&service, "fun-asr-flash-2026-06-15").await;
    assert_eq!(small["data"]["max_file_size_mb"], 100);
    let refused = upload(&service, &small, fields(&small, "a.wav"), vec![0; 101 << 20]).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("EntityTooLarge"));
}

#[tokio::test]
async fn a_key_sent_to_the_storage_is_refused_and_counted() {
    let service = Service::start().await;
    let ended = service.ended(&fun_asr(&[A])).await;
    let link = ended["output"]["results"][0]["transcription_url"].as_str().unwrap();
    let leaked = service.send(service.http.get(link).bearer_auth("sk-test")).await;
    assert_eq!(leaked.status, 400);
    let host = service.http.post(service.emulator.storage_url()).bearer_auth("sk-test");
    assert_eq!(service.send(host.body(vec![0; 3 << 20])).await.status, 400);
    assert_eq!(service.emulator.hits().key_leaks, 2);
    assert_eq!(service.fetch(link).await.status, 200);
}

#[tokio::test]
async fn a_changed_link_is_refused_and_each_query_brings_a_fresh_one() {
    let service = Service::start().await;
    let ended = service.ended(&fun_asr(&[A])).await;
    let link = |ended: &Value| ended["output"]["results"][0]["transcription_url"].as_str().unwrap().to_owned();
    let first = link(&ended);
    let second = link(&service.query(ended["output"]["task_id"].as_str().unwrap()).await);
    assert_ne!(first, second);
    let expires = first.split("Expires=").nth(1).unwrap().split('&').next().unwrap();
    let longer = first.replace(expires, &(expires.parse::<u64>().unwrap() + 60).to_string());
    let other_file = first.replace("-1.json", "-2.json");
    let bare = first.split('?').next().unwrap().to_owned();
    for changed in [longer, other_file, bare] {
        let refused = service.fetch(&changed).await;
        assert_eq!(refused.status, 403, "{changed}");
        assert!(refused.text.contains("<Code>"));
    }
    assert_eq!(service.fetch(&first).await.text, service.fetch(&second).await.text);
}

#[tokio::test]
async fn another_process_can_read_the_counts() {
    let service = Service::with_scenario("[[fault]]\non = \"cancel\"\ndo = \"empty\"\n").await;
    service.ended(&fun_asr(&[A, A, "https://example.org/b.mp3"])).await;
    let hits = service.fetch(&format!("{}/emulator/hits", service.emulator.storage_url())).await.json();
    assert_eq!((&hits["submit"], &hits["query"], &hits["list"]), (&json!(1), &json!(1), &json!(0)));
    let accepted: BTreeMap<&str, u64> = [(A, 2), ("https://example.org/b.mp3", 1)].into();
    assert_eq!(hits["accepted"], json!(accepted));
    assert_eq!(hits["routes"]["GET /api/v1/tasks/{task_id}"], 1);
    assert_eq!(hits["unreached"].as_array().unwrap().len(), 1);
    let before = hits["accepted_submits"].clone();
    assert_eq!(before, 1);
    let moved = |seconds: &str| {
        let url = format!("{}/emulator/clock?advance_s={seconds}", service.emulator.storage_url());
        service.http.post(url)
    };
    assert_eq!(service.send(moved("90000")).await.status, 401, "any web page can send this");
    assert_eq!(service.send(moved("90000").bearer_auth("hello")).await.status, 401);
    assert_eq!(service.get("/tasks").await.json()["total"], 1);
    assert_eq!(service.send(moved("soon").bearer_auth("sk-test")).await.status, 400);
    assert_eq!(service.send(moved("90000").bearer_auth("sk-test")).await.status, 200);
    assert_eq!(service.get("/tasks").await.json()["total"], 0);
}
