//! Which service, with which key: names of hosts, variables of the SDKs, headers, and a free call that checks them.

use std::io::{Read as _, Write as _};

use crate::scene::Scene;
use crate::service::{KEY, Service};

#[test]
fn variables_of_the_sdks_are_read_after_our_own() {
    let service = Service::new();
    let scene = Scene::new().write("key", format!("{KEY}\n"));
    let key = scene.path("key").display().to_string();
    let scene = scene
        .environment("DASHSCOPE_API_KEY_FILE_PATH", &key)
        .environment("DASHSCOPE_BASE_URL", &service.base_url())
        .environment("DASHSCOPE_API_REGION", "cn-beijing")
        .environment("DASHSCOPE_WORKSPACE_ID", "ws-1")
        .environment("NO_PROXY", "127.0.0.1");
    let ran =
        scene.run("models --live").exits(0).says("(region cn) accepts the key: 28 models").prints("paraformer-v2");
    // A flag comes first, then our own variable.
    let scene = service.then(ran).environment("DASHSCOPE_BASE_URL", "http://127.0.0.1:9");
    scene.run("models --live --region intl").exits(0).says("(region intl)");
}

#[test]
fn a_platform_is_a_region_with_a_host_of_its_own() {
    let asked = |name: &str, host: &str| {
        // No proxy listens there: the error names the host that would have been called.
        let scene = Scene::new().environment("DASHSCOPE_API_KEY", KEY).environment("HTTPS_PROXY", "http://127.0.0.1:9");
        scene.run(&format!("token --region {name} --timeout 1")).exits(1).says(&format!("no connection to {host}"));
    };
    std::thread::scope(|scope| {
        scope.spawn(|| asked("qwencloud", "maas.qwencloudapi.com"));
        scope.spawn(|| asked("qianwen", "maas.qianwenaiapi.com"));
        scope.spawn(|| asked("trial-hk", "trial.cn-hongkong.maas.aliyuncs.com"));
    });
    let scene = || Scene::new().environment("DASHSCOPE_API_KEY", KEY);
    scene().run("token --region frankfurt").exits(2).says("workspace hosts only").says("(--workspace)");
    scene()
        .run("token --region mars")
        .exits(2)
        .says("the regions are intl, cn, us, hk, eu, jp; or a platform: qwencloud");
}

#[test]
fn a_key_that_does_not_fit_is_found_by_a_free_call() {
    let service = Service::new();
    let ran = service.serve(Scene::new(), "wrong-key").run("models --live").exits(4).prints_nothing();
    ran.says("InvalidApiKey").says("hint: a key belongs to one region");
    assert_eq!(service.requests(), 1);
    // A host without a list of models answers a list of tasks.
    let fault = "[[fault]]\non = \"models\"\ndo = \"status\"\nstatus = 404\ncode = \"NotFound\"\n";
    let service = Service::with(fault);
    service.scene().run("models --live").exits(0).prints_nothing().says("accepts the key, but has no list of models");
}

#[test]
fn headers_of_a_gateway_go_to_the_service_and_never_replace_ours() {
    let service = Service::new().unasked();
    let gateway = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/api/v1", gateway.local_addr().unwrap());
    let head = std::thread::spawn(move || {
        let (mut connection, _) = gateway.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            connection.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        connection.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        String::from_utf8(head).unwrap().to_lowercase()
    });
    let line = ["task", "list", "--base-url", &url, "--header", "X-Team: calls", "--header", "X-Cost-Center: 7"];
    service.scene().run_with(line).exits(4);
    let head = head.join().unwrap();
    assert!(head.contains("x-team: calls\r\n") && head.contains("x-cost-center: 7\r\n"), "{head}");
    for (header, said) in [
        ("Authorization: Bearer sk-other", "header `Authorization` is set by the client itself (--header)"),
        ("x-dashscope-async: enable", "is set by the client itself"),
        ("no name", "must be NAME: VALUE"),
        ("b\u{e4}d: 1", "is not a header name"),
    ] {
        service.scene().run_with(["task", "list", "--header", header]).exits(2).says(said).says_no("sk-other");
    }
}

#[test]
fn a_hotword_list_for_another_model_is_refused_before_anything_is_submitted() {
    let service = Service::new();
    let scene = service.scene().write("words.txt", "metformin\n");
    let ran = scene.run("vocab create words.txt --model fun-asr --prefix clinic").exits(0);
    let id = ran.out().trim().to_owned();
    let call = "transcribe https://calls.example/1.wav -o out --model";
    let ran = service.then(ran).run(&format!("{call} paraformer-v2 --vocabulary {id}")).exits(2);
    let ran = ran.says(&format!("hotword list {id} is for fun-asr and has no effect with paraformer-v2"));
    let ran = service.then(ran).run(&format!("{call} fun-asr --vocabulary vocab-none-1")).exits(1);
    let ran = ran.says("cannot show hotword list vocab-none-1").says("`talkmeter vocab list`");
    assert_eq!(service.of_kind("submit"), 0);
    let ran = service.then(ran).run(&format!("{call} fun-asr --vocabulary {id}")).exits(0);
    assert_eq!(service.balances(&ran).stored.len(), 1);
}

#[test]
fn parameters_of_old_and_new_models_are_typed() {
    let service = Service::new();
    let ran = service
        .scene()
        .run("transcribe https://calls.example/1.wav -o out --model paraformer-v1 --phrases phrase-7 --audio-events")
        .exits(0);
    assert_eq!(service.balances(&ran).stored.len(), 1);
    let filter = r#"special_word_filter={"system_reserved_filter": false}"#;
    let line =
        ["transcribe", "https://calls.example/1.wav", "-o", "out2", "--model", "paraformer-v2", "--param", filter];
    service.scene().run_with(line).exits(0);
    let run = |line: &str| {
        Service::new().unasked().scene().run(&format!("transcribe https://calls.example/1.wav -o out {line}"))
    };
    run("--model fun-asr --phrases p").exits(2).says("does not take phrase_id").says("(--phrases)");
    run("--model qwen-audio-3.1-asr-flash-message").exits(2).says("over WebSocket");
    run("--model sensevoice-v1").exits(2).says("is being retired");
}
