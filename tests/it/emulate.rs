//! `talkmeter emulate` as a process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn emulate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_talkmeter"));
    command.arg("emulate").args(arguments).env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn the_base_url_is_the_only_line_on_stdout() {
    let mut running = Running(emulate(&["--clock-speed", "100"]).spawn().unwrap());
    let mut stdout = BufReader::new(running.0.stdout.take().unwrap());
    let mut base = String::new();
    stdout.read_line(&mut base).unwrap();
    let address = base.trim_end().strip_prefix("http://").unwrap().strip_suffix("/api/v1").unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    let asked = format!("GET /api/v1/tasks HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(asked.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.contains("\"code\":\"InvalidApiKey\""));

    // Told to stop, it stops and says nothing more on stdout.
    let told = Command::new("kill").arg(running.0.id().to_string()).status();
    if told.is_ok_and(|status| status.success()) {
        assert!(running.0.wait().unwrap().success());
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
        let mut said = String::new();
        running.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(said.contains(&format!("DASHSCOPE_HTTP_BASE_URL={}", base.trim_end())), "{said}");
    }
}

#[test]
fn settings_that_make_no_sense_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faults.toml");
    std::fs::write(&file, "[[fault]]\non = \"submit\"\ndoes = \"empty\"\n").unwrap();
    let refused = emulate(&["--scenario", file.to_str().unwrap()]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("faults.toml: line 3: unknown field `does`"), "{said}");
    assert_eq!(emulate(&["--clock-speed", "0"]).output().unwrap().status.code(), Some(2));
    let refused = emulate(&["--dialogues", folder.path().to_str().unwrap()]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("holds no script (*.txt)"));
    assert_eq!(emulate(&["--results", folder.path().to_str().unwrap()]).output().unwrap().status.code(), Some(2));
}

#[test]
#[cfg(unix)]
fn no_link_leads_out_of_the_folders_that_it_answers_from() {
    for (flag, extension, text) in [
        ("--results", "json", "{\"transcripts\": []}"),
        ("--dialogues", "txt", "title: A\nlanguage: en\nmono: Ann\nlength: 0:02\n0:00-0:01 Ann: Hello.\n"),
    ] {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("calls");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join(format!("own.{extension}")), text).unwrap();
        let link = |target: &str| {
            let link = folder.join(format!("link.{extension}"));
            let _ = std::fs::remove_file(&link);
            std::os::unix::fs::symlink(target, link).unwrap();
            let mut running = Running(emulate(&[flag, folder.to_str().unwrap()]).spawn().unwrap());
            let mut first = String::new();
            BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut first).unwrap();
            let _ = running.0.kill();
            let mut said = String::new();
            running.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            (first, said)
        };
        let (first, said) = link(&format!("own.{extension}"));
        assert!(first.starts_with("http://127.0.0.1:"), "a link inside the folder is fine: {said}");
        std::fs::write(root.path().join("secret"), text).unwrap();
        let (first, said) = link("../secret");
        assert_eq!(first, "");
        assert!(said.contains(&format!("calls/link.{extension} is a link out of the folder")), "{said}");
    }
}
