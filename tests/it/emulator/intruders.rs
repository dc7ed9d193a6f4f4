//! What other programs and web pages of the machine get from the emulator: nothing without its host and a key.

use std::time::{Duration, Instant};

use reqwest::multipart::{Form, Part};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Service;

/// Sends bytes to a port, as they are, and returns the first line of the answer; empty when nothing came in time.
async fn raw(url: &str, request: &[u8]) -> String {
    let address = url.trim_start_matches("http://").split('/').next().unwrap();
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(10), socket.read(&mut answer)).await;
    let read = read.map_or(0, |read| read.unwrap_or(0));
    String::from_utf8_lossy(&answer[..read]).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn requests_for_another_host_are_refused_on_both_ports() {
    let service = Service::start().await;
    let (base, storage) = (service.emulator.base_url(), service.emulator.storage_url().to_owned());
    for (url, path) in [(base.as_str(), "/api/v1/tasks"), (storage.as_str(), "/emulator/hits")] {
        let port = url.rsplit(':').next().unwrap().split('/').next().unwrap();
        let asked = async |target: &str, hosts: &[&str]| {
            let hosts: String = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
            let head = format!("GET {target} HTTP/1.1\r\n{hosts}Authorization: Bearer sk-test\r\n\r\n");
            raw(url, head.as_bytes()).await
        };
        for good in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("LocalHost:{port}")] {
            assert_eq!(asked(path, &[&good]).await, "HTTP/1.1 200 OK", "{good}");
        }
        let own = format!("127.0.0.1:{port}");
        let wrong = [
            format!("rebound.example:{port}"),
            format!("127.0.0.1.rebound.example:{port}"),
            format!("x@127.0.0.1:{port}"),
            "127.0.0.1".to_owned(),
            "127.0.0.1:1".to_owned(),
            String::new(),
        ];
        for wrong in wrong {
            assert_eq!(asked(path, &[&wrong]).await, "HTTP/1.1 421 Misdirected Request", "{wrong}");
        }
        assert_eq!(
            asked(&format!("http://rebound.example:{port}{path}"), &[&own]).await,
            "HTTP/1.1 421 Misdirected Request"
        );
        assert_eq!(asked(path, &[]).await, "HTTP/1.1 400 Bad Request");
        assert_eq!(asked(path, &[&own, "rebound.example"]).await, "HTTP/1.1 400 Bad Request");
    }
    assert_eq!(service.emulator.hits().of("list"), 3, "the others reached nothing");
}

#[tokio::test]
async fn a_body_is_not_read_when_the_key_is_wrong() {
    let service = Service::start().await;
    let base = service.emulator.base_url();
    let host = base.trim_start_matches("http://").trim_end_matches("/api/v1");
    for (route, line) in [
        ("/api/v1/services/audio/asr/transcription", "HTTP/1.1 401 Unauthorized"),
        ("/compatible-mode/v1/chat/completions", "HTTP/1.1 401 Unauthorized"),
        ("/api/v1/nothing", "HTTP/1.1 404 Not Found"),
    ] {
        // The answer comes although the announced body never does.
        let head = format!("POST {route} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer x\r\n");
        for length in ["Content-Length: 1000000000", "Transfer-Encoding: chunked"] {
            assert_eq!(raw(&base, format!("{head}{length}\r\n\r\n").as_bytes()).await, line, "{route} {length}");
        }
        // One who sends it all sees the same answer, and does not reuse the connection.
        let url = format!("http://{host}{route}");
        let answer = service.send(service.http.post(url).bearer_auth("x").body(vec![0; 30 << 20])).await;
        assert_eq!((&line[9..12], answer.header("connection")), (answer.status.to_string().as_str(), Some("close")));
    }
    // With a good key, what is too long is refused by its announced length.
    let head = format!("POST /api/v1/services/audio/asr/transcription HTTP/1.1\r\nHost: {host}\r\n");
    let long = format!("{head}Authorization: Bearer sk-test\r\nContent-Length: 1000000000\r\n\r\n");
    assert_eq!(raw(&base, long.as_bytes()).await, "HTTP/1.1 400 Bad Request");
}

#[tokio::test]
async fn an_upload_without_a_signature_is_refused_before_its_file() {
    let service = Service::start().await;
    let start = Instant::now();
    let endless = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0_u8; 1 << 16]));
    let form = Form::new().text("key", "a/b.wav").text("policy", "e30=").text("Signature", "AAAA");
    let form = form.text("OSSAccessKeyId", "LTAIemulator");
    let form = form.part("file", Part::stream(reqwest::Body::wrap_stream(endless)));
    let answer = service.send(service.http.post(service.emulator.storage_url()).multipart(form)).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text.contains("SignatureDoesNotMatch"), "{}", answer.text);
    let many = (0..5000).fold(Form::new(), |form, n| form.text(format!("field-with-a-long-name-{n}"), ""));
    let answer = service.send(service.http.post(service.emulator.storage_url()).multipart(many)).await;
    assert!(answer.text.contains("The fields are too large."), "{}", answer.text);
    assert!(start.elapsed() < Duration::from_secs(60));
}
