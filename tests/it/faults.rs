//! What the service and the way to it do wrong, one at a time: no file is ever accepted twice, no result is lost.

use std::time::Instant;

use serde_json::{Value, json};
use talkmeter::emulator::{Scenario, Settings};

use crate::batch::{MODEL, wav};
use crate::scene::{Ran, csv, has};
use crate::service::{Books, Service};

const A: &str = "https://calls.example/a.wav";
const B: &str = "https://calls.example/b.wav";
const C: &str = "https://calls.example/c.wav";

/// A rule of a scenario: `submit, times = 2, do = "status", status = 429`.
fn rules(rules: &[&str]) -> String {
    rules.iter().map(|rule| format!("[[fault]]\non = {}\n", rule.replace("; ", "\n"))).collect()
}

/// Transcribes the three files; all goes well in the end.
#[track_caller]
fn all_is_well(faults: &[&str], more: &str) -> (Service, Ran, Books) {
    let service = Service::with(&rules(faults));
    let ran = service.scene().run(&format!("transcribe {A} {B} {C} -o out {MODEL} {more}")).exits(0);
    service.accepted_once(&[A, B, C]);
    let books = service.balances(&ran);
    assert_eq!(books.stored.len(), 3);
    (service, ran, books)
}

fn failures(ran: &Ran) -> Vec<Vec<String>> {
    let rows = csv(&ran.file("out/failures.csv"));
    rows.into_iter().skip(1).map(|row| row.into_iter().map(|cell| cell.0).collect()).collect()
}

#[test]
fn throttled_submits_are_retried_and_billed_once() {
    let (service, ran, books) = all_is_well(
        &[
            "\"submit\"; times = 2; do = \"status\"; status = 429",
            "\"query\"; times = 2; do = \"status\"; status = 429",
            "\"list\"; times = 2; do = \"status\"; status = 429",
            "\"result\"; do = \"status\"; status = 429",
        ],
        "",
    );
    service.was_asked("submit", 5).was_asked("result", 4);
    assert_eq!((books.count("intent"), books.count("refused")), (5, 2));
    ran.says("Throttling.RateQuota");
}

#[test]
fn retry_after_is_respected() {
    let begun = Instant::now();
    let (service, _, books) = all_is_well(
        &[
            "\"list\"; do = \"status\"; status = 429; retry_after = 1",
            "\"submit\"; do = \"status\"; status = 429; retry_after = 2",
            "\"query\"; do = \"status\"; status = 429; retry_after = 2",
        ],
        "",
    );
    assert!(begun.elapsed().as_secs_f64() > 5.0, "nobody waited");
    // Those that were on their way in the meantime came through: the lane is held for those after them.
    service.was_asked("submit", 4);
    assert_eq!(books.count("refused"), 1);
}

#[test]
fn busy_is_refused_and_an_empty_503_is_uncertain() {
    let (service, _, books) = all_is_well(
        &[
            "\"submit\"; url_contains = \"/a.wav\"; do = \"status\"; status = 503",
            "\"submit\"; url_contains = \"/b.wav\"; do = \"empty\"; status = 503",
            "\"query\"; do = \"status\"; status = 503",
            "\"query\"; do = \"empty\"; status = 503",
            "\"list\"; do = \"status\"; status = 503",
            "\"result\"; do = \"status\"; status = 500",
        ],
        "",
    );
    service.was_asked("submit", 5);
    assert_eq!((books.count("refused"), books.count("uncertain"), books.count("absent")), (1, 1, 1));
}

#[test]
fn an_unanswered_submit_is_found_in_the_task_list() {
    let (service, ran, books) = all_is_well(
        &[
            "\"submit\"; url_contains = \"/a.wav\"; do = \"reset_after\"",
            "\"submit\"; url_contains = \"/b.wav\"; do = \"truncate\"",
            "\"submit\"; url_contains = \"/c.wav\"; do = \"status\"; status = 502; accepted = true; body = \"<html>Bad Gateway</html>\"",
        ],
        "",
    );
    service.was_asked("submit", 3);
    assert_eq!((books.count("uncertain"), books.count("absent"), books.count("refused")), (3, 0, 0));
    let found: Vec<&Value> = books.lines.iter().filter_map(|line| line.get("found")).collect();
    assert_eq!(found, [&json!(true); 3]);
    ran.says("; checking whether the service accepted it")
        .says("the service had accepted https://calls.example/a.wav: it is task ");
}

#[test]
fn a_submit_that_never_arrived_is_proved_absent_and_repeated() {
    let (service, ran, books) = all_is_well(
        &[
            "\"submit\"; url_contains = \"/a.wav\"; do = \"reset_before\"",
            "\"submit\"; url_contains = \"/b.wav\"; do = \"empty\"",
        ],
        "",
    );
    service.was_asked("submit", 5);
    assert_eq!((books.count("uncertain"), books.count("absent")), (2, 2));
    ran.says("the service had not accepted https://calls.example/a.wav: submitting again");
}

#[test]
fn a_submit_whose_answer_is_late_is_looked_up() {
    // a is accepted at once, b only after the client has gone: both are found.
    let (service, ran, books) = all_is_well(
        &[
            "\"submit\"; url_contains = \"/a.wav\"; do = \"slow\"; delay_ms = 4000",
            "\"submit\"; url_contains = \"/b.wav\"; do = \"slow_before_accept\"; delay_ms = 4000",
            "\"query\"; do = \"slow\"; delay_ms = 1500",
        ],
        "--timeout 1",
    );
    service.was_asked("submit", 3);
    assert_eq!((books.count("uncertain"), books.count("absent")), (2, 0));
    ran.says("no answer within 1 s");
}

#[test]
fn an_error_under_http_200_is_an_error_and_its_code_says_which() {
    let (service, _, books) = all_is_well(
        &[
            "\"submit\"; url_contains = \"/a.wav\"; do = \"ok_with_code\"; code = \"Throttling.RateQuota\"",
            "\"submit\"; url_contains = \"/b.wav\"; do = \"ok_with_code\"; accepted = true",
            "\"list\"; do = \"ok_with_code\"; code = \"SystemError\"",
        ],
        "",
    );
    service.was_asked("submit", 4);
    assert_eq!((books.count("refused"), books.count("uncertain"), books.count("absent")), (1, 1, 0));
    let service = Service::with(&rules(&[
        "\"submit\"; do = \"ok_with_code\"; code = \"InvalidParameter\"; message = \"no such thing\"",
    ]));
    let ran = service.scene().run(&format!("transcribe {A} {B} -o out {MODEL}")).exits(3);
    service.was_asked("submit", 2);
    assert_eq!(service.accepted().len(), 1);
    assert_eq!(failures(&ran)[0][3..5], ["InvalidParameter", "no such thing"]);
}

#[test]
fn a_truncated_result_or_expired_link_is_fetched_by_a_new_link() {
    let (service, _, books) = all_is_well(
        &[
            "\"result\"; url_contains = \"/a.wav\"; do = \"expired\"",
            "\"result\"; url_contains = \"/b.wav\"; times = 2; do = \"truncate\"",
            "\"result\"; url_contains = \"/c.wav\"; do = \"status\"; status = 200; body = \"<html>log in first</html>\"",
        ],
        "",
    );
    service.was_asked("submit", 3).was_asked("result", 3 + 1 + 2 + 1);
    assert_eq!(books.count("stored"), 3);
}

#[test]
fn a_result_that_never_comes_is_left_to_the_next_run() {
    let service = Service::with(&rules(&["\"result\"; times = 4; do = \"expired\""]));
    let run = format!("transcribe {A} -o out {MODEL}");
    let ran = service.scene().run(&run).exits(3);
    let row = failures(&ran).remove(0);
    assert_eq!((row[1].as_str(), row[3].as_str()), (A, "result_not_fetched"));
    let ran = service.then(ran).run(&run).exits(0);
    service.accepted_once(&[A]).was_asked("submit", 1).was_asked("result", 5);
    assert_eq!(failures(&ran), Vec::<Vec<String>>::new());
    assert_eq!(service.balances(&ran).stored.len(), 1);
}

#[test]
fn if_the_task_list_is_refused_uncertain_submits_wait_for_a_decision() {
    let denied = "\"list\"; skip = 1; times = 0; do = \"status\"; status = 403";
    let service = Service::with(&rules(&["\"submit\"; url_contains = \"/a.wav\"; do = \"reset_after\"", denied]));
    let run = format!("transcribe {A} {B} -o out {MODEL}");
    let ran = service.scene().run(&format!("{run} --format json")).exits(3);
    has(ran.json()[0].as_object().unwrap(), json!({"transcribed": 1, "uncertain": 1, "failed": 0}));
    let ran =
        ran.says("; uncertain submits stay open").says("; --resubmit-uncertain submits it again, and may bill twice");
    let row = failures(&ran).remove(0);
    assert_eq!((row[1].as_str(), row[3].as_str()), (A, "submit_uncertain"));
    assert!(row[4].contains("cannot list tasks"), "{row:?}");
    // However often it runs: nothing is submitted, nothing is forgotten.
    let ran = service.then(ran).run(&run).exits(3);
    assert_eq!(failures(&ran)[0][..4], row[..4]);
    service.accepted_once(&[A, B]).was_asked("submit", 2);
    let ran = service.then(ran).run(&format!("{run} --resubmit-uncertain")).exits(0).says("this may bill twice");
    assert_eq!((service.accepted()[A], service.accepted()[B]), (2, 1));
    let books = service.balances(&ran);
    assert_eq!((books.count("given_up"), books.stored.len()), (1, 2));
    assert_eq!(failures(&ran), Vec::<Vec<String>>::new());
}

#[test]
fn arrears_halt_the_run_and_accepted_tasks_are_collected() {
    let service = Service::with(&rules(&[
        "\"submit\"; skip = 2; do = \"status\"; status = 400; code = \"Arrearage\"; message = \"Access denied, please make sure your account is in good standing.\"",
    ]));
    let run = format!("transcribe {A} {B} {C} -o out {MODEL}");
    let ran = service.scene().run(&run).exits(4).says("Arrearage").says("hint: settle the account");
    let ran = ran.says("run the same command to resume");
    assert_eq!(service.accepted().len(), 2);
    assert_eq!(service.balances(&ran).stored.len(), 2);
    let ran = service.then(ran).run(&run).exits(0);
    service.accepted_once(&[A, B, C]);
    assert_eq!(service.balances(&ran).stored.len(), 3);
}

#[test]
fn an_unknown_task_is_queried_again_and_never_resubmitted() {
    let (service, ..) = all_is_well(&["\"query\"; times = 2; do = \"unknown\""], "");
    service.was_asked("submit", 3);
    let service = Service::with(&rules(&["\"query\"; times = 4; do = \"unknown\""]));
    let run = format!("transcribe {A} -o out {MODEL}");
    let ran = service.scene().run(&run).exits(3);
    let row = failures(&ran).remove(0);
    assert_eq!(row[3], "task_unknown");
    assert!(row[6].contains("belongs to another key or region"), "{row:?}");
    let ran = service.then(ran).run(&run).exits(0);
    service.accepted_once(&[A]).was_asked("submit", 1);
    assert_eq!(service.balances(&ran).stored.len(), 1);
}

#[test]
fn the_state_of_each_file_counts_whatever_the_task_is_called() {
    let failed = "do = \"succeeded_with_failed\"; code = \"FILE_DOWNLOAD_FAILED\"";
    let all = "do = \"all_failed\"; code = \"DECODE_ERROR\"";
    for (odd, code) in [(failed, "FILE_DOWNLOAD_FAILED"), (all, "DECODE_ERROR")] {
        let service = Service::with(&rules(&[&format!("\"recognition\"; {odd}")]));
        let run = format!("transcribe {A} {B} -o out {MODEL} --files-per-task 2");
        let ran = service.scene().run(&format!("{run} --format json")).exits(3);
        has(ran.json()[0].as_object().unwrap(), json!({"files": 2, "failed": 2, "transcribed": 0}));
        let rows = failures(&ran);
        assert_eq!((rows.len(), rows[0][3].as_str(), rows[1][3].as_str()), (2, code, code));
        assert_eq!(Books::balance(&ran).stored, []);
        service.accepted_once(&[A, B]).was_asked("result", 0);
        // Nothing is requested a second time.
        let before = service.requests();
        service.then(ran).run(&run).exits(3);
        assert_eq!(service.requests(), before);
    }
}

#[test]
fn a_task_that_failed_as_a_whole_fails_each_of_its_files() {
    let answer = "{\\\"output\\\":{\\\"task_id\\\":\\\"x\\\",\\\"task_status\\\":\\\"FAILED\\\",\\\"code\\\":\\\"InternalError.Timeout\\\",\
                  \\\"message\\\":\\\"too slow\\\"}}";
    let service = Service::with(&rules(&[&format!("\"query\"; do = \"status\"; status = 200; body = \"{answer}\"")]));
    let ran = service.scene().run(&format!("transcribe {A} {B} -o out {MODEL} --files-per-task 2")).exits(3);
    let rows = failures(&ran);
    let said: Vec<&[String]> = rows.iter().map(|row| &row[3..5]).collect();
    assert_eq!(said, [["InternalError.Timeout", "too slow"]; 2]);
    assert_eq!(Books::balance(&ran).count("failed"), 2);
}

#[test]
fn a_failed_upload_is_restarted_after_a_pause() {
    let service = Service::with(&rules(&["\"upload\"; times = 6; do = \"status\"; status = 503"]));
    let begun = Instant::now();
    let scene = service.scene().write("a.wav", wav(1, 16_000, 1));
    let ran = scene.run(&format!("transcribe a.wav -o out {MODEL}")).exits(0);
    assert!(begun.elapsed().as_secs_f64() > 1.0, "nobody paused");
    service.was_asked("upload", 7).was_asked("submit", 1);
    assert_eq!(service.balances(&ran).count("uploaded"), 1);
}

#[test]
fn the_file_of_a_lost_task_is_named_by_its_result_alone() {
    // Qwen3: neither the list nor the task names the file.
    let scenario =
        Scenario::parse(&rules(&["\"submit\"; do = \"reset_after\"", "\"result\"; do = \"expired\""])).unwrap();
    let service = Service::start(Settings { scenario, clock_speed: Some(5.0), ..Settings::default() });
    let ran = service.scene().run(&format!("transcribe {A} -o out --model qwen3-asr-flash-filetrans")).exits(0);
    service.accepted_once(&[A]).was_asked("submit", 1);
    let books = service.balances(&ran);
    assert_eq!((books.stored.len(), books.count("absent")), (1, 0));
}

#[test]
fn a_refused_query_proves_nothing() {
    let service = Service::with(&rules(&[
        "\"submit\"; do = \"reset_after\"",
        "\"query\"; do = \"status\"; status = 400; code = \"Arrearage\"; message = \"overdue\"",
    ]));
    let run = format!("transcribe {A} -o out {MODEL}");
    let ran = service.scene().run(&run).exits(4).says("overdue");
    assert_eq!(Books::balance(&ran).count("absent"), 0);
    let ran = service.then(ran).run(&run).exits(0);
    service.accepted_once(&[A]).was_asked("submit", 1);
    assert_eq!(service.balances(&ran).stored.len(), 1);
}

#[test]
fn two_unanswered_submits_of_the_same_content_are_two_tasks() {
    let service = Service::with(&rules(&["\"submit\"; times = 2; do = \"reset_after\""]));
    let scene = service.scene().write("a.wav", wav(1, 16_000, 1)).write("b.wav", wav(1, 16_000, 1));
    let ran = scene.run(&format!("transcribe a.wav b.wav -o out {MODEL}")).exits(0);
    assert_eq!(service.accepted().into_values().collect::<Vec<_>>(), [2]);
    service.was_asked("upload", 1).was_asked("submit", 2);
    let books = service.balances(&ran);
    assert_eq!((books.stored.len(), books.count("uncertain"), books.count("absent")), (2, 2, 0));
    let tasks: std::collections::BTreeSet<&String> = books.stored.iter().map(|(_, task, _)| task).collect();
    assert_eq!(tasks.len(), 2, "one task for two files that were billed");
}

#[test]
fn a_lost_task_of_three_files_is_found_with_all_of_them() {
    let (service, _, books) = all_is_well(&["\"submit\"; do = \"reset_after\""], "--files-per-task 3");
    service.was_asked("submit", 1);
    assert_eq!((books.count("accepted"), books.count("uncertain")), (1, 1));
}

#[test]
fn an_unanswered_detached_submit_is_found_by_the_collecting_run() {
    let service = Service::with(&rules(&["\"submit\"; do = \"reset_after\""]));
    let run = format!("transcribe {A} {B} -o out {MODEL}");
    let ran = service.scene().run(&format!("{run} --detach --format json")).exits(0);
    has(ran.json()[0].as_object().unwrap(), json!({"at_service": 1, "uncertain": 1}));
    let ran = service.then(ran).run(&run).exits(0);
    service.accepted_once(&[A, B]).was_asked("submit", 2);
    assert_eq!(service.balances(&ran).stored.len(), 2);
}

#[test]
fn an_unreachable_service_ends_the_run_and_loses_nothing() {
    let service = Service::new();
    let run = format!("transcribe {A} {B} -o out {MODEL}");
    let ran = service.scene().run(&format!("{run} --detach")).exits(0);
    // Nothing listens there: the first call reports it.
    let nowhere = "http://127.0.0.1:9/api/v1";
    let ran = ran.then().environment("DASHSCOPE_API_KEY", "sk-x").environment("NO_PROXY", "127.0.0.1");
    let ran = ran.run(&format!("transcribe {A} -o elsewhere {MODEL} --region cn --base-url {nowhere}")).exits(1);
    let ran = ran.says("no connection to 127.0.0.1").says("hint: check the network, a proxy (HTTPS_PROXY)");
    assert!(ran.file("elsewhere/ledger.jsonl").lines().all(|line| !line.contains("intent")));
    let ran = service.then(ran).run(&run).exits(0);
    service.accepted_once(&[A, B]);
    assert_eq!(service.balances(&ran).stored.len(), 2);
}

#[test]
fn a_submit_is_accepted_long_after_its_sender_gave_up() {
    let service = Service::with(&rules(&["\"submit\"; do = \"slow_before_accept\"; delay_ms = 7000"]));
    let ran = service.scene().run(&format!("transcribe {A} -o out {MODEL} --timeout 1")).exits(0);
    service.accepted_once(&[A]).was_asked("submit", 1);
    assert!(service.of_kind("list") > 2, "looked up too late to see nothing");
    let books = service.balances(&ran);
    assert_eq!((books.stored.len(), books.count("absent")), (1, 0));
}

#[test]
fn one_odd_answer_on_a_lost_task_proves_nothing() {
    for odd in [
        "do = \"unknown\"",
        "do = \"status\"; status = 404; code = \"NotFound\"; message = \"Not found!\"",
        "do = \"status\"; status = 403; code = \"AccessDenied\"; message = \"Access denied.\"",
        "do = \"status\"; status = 500; code = \"InternalError\"; message = \"try again\"",
    ] {
        let service = Service::with(&rules(&["\"submit\"; do = \"reset_after\"", &format!("\"query\"; {odd}")]));
        let ran = service.scene().run(&format!("transcribe {A} -o out {MODEL}")).exits(0);
        service.accepted_once(&[A]).was_asked("submit", 1);
        let books = service.balances(&ran);
        assert_eq!((books.count("absent"), books.stored.len()), (0, 1), "{odd}");
    }
}

#[test]
fn a_submit_that_is_lost_twice_waits_for_a_person() {
    let service = Service::with(&rules(&["\"submit\"; url_contains = \"/a.wav\"; times = 2; do = \"reset_before\""]));
    let run = format!("transcribe {A} {B} -o out {MODEL}");
    let ran = service.scene().run(&run).exits(3);
    let row = failures(&ran).remove(0);
    assert_eq!((row[1].as_str(), row[3].as_str()), (A, "submit_uncertain"));
    assert!(row[4].contains("its submit was lost before, and is repeated only once"), "{row:?}");
    let books = service.balances(&ran);
    assert_eq!((books.count("uncertain"), books.count("absent")), (2, 1));
    // However often it is run.
    let ran = service.then(ran).run(&run).exits(3);
    service.accepted_once(&[B]).was_asked("submit", 3);
    service.then(ran).run(&format!("{run} --resubmit-uncertain")).exits(0);
    service.accepted_once(&[A, B]);
}
