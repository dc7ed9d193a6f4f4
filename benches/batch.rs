//! A batch of one-file tasks against the emulator with the real limits: how much of the submit ceiling is used, with how
//! many queries per task and how much memory. `cargo bench --bench batch -- [FILES]`; a thousand files take 100 s at the ceiling.
//!
//! Recognition alone is sped up; rate limits run in real time.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Submits per second that the service allows for `fun-asr`.
const CEILING: f64 = 10.0;

#[expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement for the terminal")]
fn main() {
    let files = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1000_usize);
    let scene = tempfile::tempdir().unwrap();
    let talkmeter = env!("CARGO_BIN_EXE_talkmeter");
    let mut emulator = Command::new(talkmeter)
        .args(["emulate", "--clock-speed", "20"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map(Stopped)
        .unwrap();
    let line = |pipe: &mut dyn std::io::Read| {
        let mut line = String::new();
        BufReader::with_capacity(1, pipe).read_line(&mut line).unwrap();
        line.trim().to_owned()
    };
    let base_url = line(emulator.0.stdout.as_mut().unwrap());
    let storage = line(emulator.0.stderr.as_mut().unwrap());
    let storage = storage.split("http://").nth(1).unwrap().to_owned();

    let list: String = (0..files).map(|n| format!("https://calls.example/{n}.wav\n")).collect();
    std::fs::write(scene.path().join("list.txt"), list).unwrap();
    let begun = Instant::now();
    let mut batch = Command::new(talkmeter)
        .args(["transcribe", "--files-from", "list.txt", "-o", "out", "-q"])
        .current_dir(scene.path())
        .env("DASHSCOPE_HTTP_BASE_URL", base_url)
        .env("DASHSCOPE_API_KEY", "sk-bench")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut resident = Vec::new();
    let status = loop {
        if let Some(status) = batch.try_wait().unwrap() {
            break status;
        }
        resident.extend(resident_kib(batch.id()));
        pause(Duration::from_millis(200));
    };
    let seconds = begun.elapsed().as_secs_f64();
    assert!(status.success(), "{status}");

    let hits = hits(&storage);
    let number = |name: &str| hits.get(name).and_then(serde_json::Value::as_u64).unwrap();
    let accepted: Vec<u64> =
        hits["accepted"].as_object().unwrap().values().map(|times| times.as_u64().unwrap()).collect();
    assert_eq!((accepted.len(), accepted.iter().max()), (files, Some(&1)), "each file once");
    let at = |share: f64| resident.get(((resident.len() as f64 - 1.0) * share) as usize).copied().unwrap_or_default();
    println!("{files} files in {seconds:.1} s");
    println!("submit ceiling used, end to end: {:.1} %", files as f64 / seconds / CEILING * 100.0);
    println!("task queries per task: {:.2}, lists: {}", number("query") as f64 / files as f64, number("list"));
    println!("answers 429: {}", number("throttled"));
    println!("resident KiB at 25, 50, 75, 100 %: {}, {}, {}, {}", at(0.25), at(0.5), at(0.75), at(1.0));
}

/// Ended together with the measurement.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "a measurement looks now and then")]
fn pause(pause: Duration) {
    std::thread::sleep(pause);
}

fn resident_kib(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[expect(clippy::unwrap_used, reason = "a measurement")]
fn hits(storage: &str) -> serde_json::Value {
    let mut stream = TcpStream::connect(storage).unwrap();
    write!(stream, "GET /emulator/hits HTTP/1.1\r\nHost: {storage}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (from, to) = (answer.find('{').unwrap(), answer.rfind('}').unwrap());
    serde_json::from_str(&answer[from..=to]).unwrap()
}
