//! The key in whatever a service gives back: it must be printed and written nowhere.

use super::{Hostile, answer, json};
use crate::scene::{Ran, Scene, files_below};
use crate::service::KEY;

/// The key as JSON may escape it.
fn escaped() -> String {
    KEY.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect()
}

/// The same within a JSON text within a JSON string.
fn nested() -> String {
    escaped().replace('\\', r"\\")
}

/// The key as addresses may escape it.
fn encoded() -> String {
    KEY.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The key is neither printed nor in any file, however it is spelled.
#[track_caller]
fn keeps_the_key(ran: &Ran) {
    let mut texts = vec![("stdout".to_owned(), ran.out()), ("stderr".to_owned(), ran.err().to_owned())];
    if ran.path("out").exists() {
        let files = files_below(&ran.path("out"));
        texts.extend(files.into_iter().map(|(name, bytes)| (name, String::from_utf8_lossy(&bytes).into_owned())));
    }
    for (name, text) in texts {
        for spelling in [KEY, "very-secret", &escaped(), &nested(), &encoded(), &encoded().to_lowercase()] {
            assert!(!text.contains(spelling), "{spelling} in {name}:\n{text}");
        }
    }
}

#[test]
fn a_key_that_comes_back_is_masked_wherever_it_stands() {
    let service = Hostile::new(|head, base| {
        let (plain, escaped, nested) = (KEY, escaped(), nested());
        if head.starts_with("POST") && head.contains("/generation") {
            let event = format!(
                "data:{{\"output\":{{\"text\":\"{escaped} said\",\"sentence\":{{\"sentence_end\":true,\"text\":\"{escaped} said\",\
                 \"begin_time\":0,\"end_time\":900,\"words\":[]}}}},\"usage\":{{\"duration\":1,\"{escaped}\":\"{plain}\"}},\
                 \"request_id\":\"{escaped}\"}}\n\n"
            );
            return answer("200 OK", &format!("Content-Type: text/event-stream\r\nX-Request-Id: {plain}\r\n"), event);
        }
        if head.contains("/tasks?") {
            return json(format!(
                r#"{{"data":[{{"task_id":"t-1","status":"{escaped}","model_name":"{escaped}"}}],"total":1,"request_id":"{escaped}"}}"#
            ));
        }
        if head.contains("/tasks/refused") {
            let body = format!(r#"{{"code":"X","message":"{{\"code\":\"Y{nested}\",\"message\":\"no {nested}\"}}"}}"#);
            return answer("400 Bad Request", &format!("X-Request-Id: {plain}\r\n"), body);
        }
        if head.contains("/tasks/page") {
            return answer("403 Forbidden", "", format!("<p>{} {plain} &#115;{}</p>", encoded(), &plain[1..]));
        }
        json(format!(
            r#"{{"request_id":"{escaped}","output":{{"task_id":"{escaped}","task_status":"FAILED","code":"{plain}","message":"{escaped}",
            "results":[{{"file_url":"https://{plain}.example/{encoded}/a.wav","subtask_status":"{escaped}","code":"{escaped}",
            "message":"see {base}/?{plain}"}}]}},"usage":{{"duration":1,"of":"{escaped}"}}}}"#,
            encoded = encoded()
        ))
    });
    for format in ["table", "json", "jsonl", "csv"] {
        let ran = service.scene().run(&format!("task show t-1 --format {format} -vv")).exits(0).prints("[key]");
        keeps_the_key(&ran);
        keeps_the_key(&service.scene().run(&format!("task list --format {format} -vv")).exits(0).prints("[key]"));
    }
    keeps_the_key(
        &service.scene().run("task show refused -vv").exits(1).says("Y[key]: no [key]").says("request id [key]"),
    );
    keeps_the_key(&service.scene().run("task show page -vv").exits(4).says("403").says("[key]"));
    let flash = service.scene().run("flash https://calls.example/a.wav --save out -vv").exits(0).prints("[key] said");
    keeps_the_key(&flash);
    assert!(files_below(&flash.path("out")).len() > 2, "the answer, the result and the ledger were looked at");
}

#[test]
fn an_address_with_the_key_in_it_is_not_requested() {
    let service = Hostile::new(|head, base| match head {
        _ if head.contains("/result/") => json(r#"{"transcripts":[]}"#),
        _ if head.contains("/uploads") => json(format!(
            r#"{{"data":{{"upload_host":"{base}/result/{}","oss_access_key_id":"i","signature":"s","policy":"p","x_oss_object_acl":"private",
            "x_oss_forbid_overwrite":"true","upload_dir":"d"}}}}"#,
            encoded()
        )),
        _ => json(format!(
            r#"{{"output":{{"task_id":"t-1","task_status":"SUCCEEDED","results":[
            {{"subtask_status":"SUCCEEDED","file_url":"https://calls.example/1.wav","transcription_url":"{base}/result/1?k={KEY}"}},
            {{"subtask_status":"SUCCEEDED","file_url":"https://calls.example/2.wav","transcription_url":"{base}/result/{}"}},
            {{"subtask_status":"SUCCEEDED","file_url":"https://calls.example/3.wav","transcription_url":"{base}/result/3"}}]}}}}"#,
            encoded()
        )),
    });
    let ran = service.scene().run("task download t-1 -o out -vv").exits(3).says("has the API key in it");
    assert_eq!(ran.files("out").len(), 1, "the address without the key");
    keeps_the_key(&ran);
    let upload =
        service.serve(ran.then()).write("a.wav", crate::scene::wav(1, 8000, 1)).run("upload a.wav -vv").exits(1);
    keeps_the_key(&upload.says("has the API key in it"));
    assert_eq!(service.heads().iter().filter(|head| head.contains("/result/")).count(), 1, "{:?}", service.heads());
}

#[test]
fn what_a_server_says_moves_no_cursor_and_floods_no_terminal() {
    let service = Hostile::new(|head, _| {
        let long = "x".repeat(5000);
        if head.contains("/tasks/long") {
            return answer(
                "400 Bad Request",
                "",
                format!(r#"{{"code":"C","message":"{long}","request_id":"{long}"}}"#),
            );
        }
        let wild = r"\u001b[2J\u009b31m\r\n\u202etxt\u0007";
        answer("400 Bad Request", "", format!(r#"{{"code":"C{wild}","message":"M{wild}","request_id":"R{wild}"}}"#))
    });
    let said = |line: &str| {
        let ran = service.scene().run(line);
        let lines: Vec<String> = ran.err().lines().map(str::to_owned).collect();
        for line in &lines {
            assert!(line.chars().count() <= 2000, "{} characters: {line}", line.chars().count());
            assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
        }
        (ran, lines)
    };
    let (ran, lines) = said("task show t-1 -vv");
    ran.exits(1).says(r"C\u{1b}[2J").says(r"R\u{1b}");
    assert!(lines.len() >= 2, "a trace and an error: {lines:?}");
    let (ran, _) = said("task show long -vv");
    ran.exits(1).says("C: xxx");
    let (ran, lines) = said(&format!("task list --status {}\u{1b}[2J", "y".repeat(5000)));
    ran.exits(2);
    assert!(lines[0].starts_with("error: ") && lines[0].ends_with('…'), "{lines:?}");
    let (ran, _) = said(&format!("analyze {} --nonsense", "z".repeat(5000)));
    ran.exits(2);
}

#[test]
fn a_proxy_that_would_read_the_key_is_named() {
    let proxy = Hostile::new(|_, _| json(r#"{"data":[],"total":0}"#));
    let list = |scene: Scene, base: &str| {
        let scene = scene.environment("DASHSCOPE_API_KEY", KEY).environment("HTTP_PROXY", proxy.address());
        scene.run(&format!("task list --base-url {base} --timeout 1"))
    };
    let ran = list(Scene::new(), "http://gateway.example/api/v1").exits(0);
    ran.says(&format!("the proxy {} reads the API key", proxy.address().trim_start_matches("http://")))
        .says("NO_PROXY");
    let ran = list(Scene::new().environment("NO_PROXY", "gateway.invalid"), "http://gateway.invalid/api/v1");
    ran.exits(1).says_no("reads the API key");
    // Through a tunnel the proxy sees the name of the host, no more.
    let scene = Scene::new().environment("HTTPS_PROXY", proxy.address());
    list(scene, "https://gateway.example/api/v1").exits(1).says_no("reads the API key");
    let seen: Vec<String> = proxy.heads();
    assert!(seen.iter().any(|head| head.starts_with("CONNECT gateway.example:443") && !head.contains(KEY)), "{seen:?}");
    list(Scene::new(), "http://dashscope.aliyuncs.com/api/v1").exits(2).says("the API key would travel unencrypted");
    assert!(!proxy.heads().iter().any(|head| head.contains("dashscope")));
}
