//! A story at the level a user sees: a folder, some calls, a command, and what came out.
//!
//! A story that never checks the exit code fails when it ends, so that no test passes by checking nothing.

mod audio;
mod call;
mod measured;
mod tables;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) use audio::{wav, wav_of};
pub(crate) use call::{Call, Content, call, diarised, sentence};
pub(crate) use measured::{measured, measured_with};
pub(crate) use tables::{Row, column, csv, has, row_where, rows_of_lines, rows_of_parquet};

use tables::{kind, only, rows_of_csv, warnings};

/// Longer than any command takes.
const DEADLINE: Duration = Duration::from_secs(180);

/// A temporary folder, and the environment and input of the next command.
pub(crate) struct Scene {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
    input: Vec<u8>,
    /// Program and arguments that run the next command.
    under: Vec<String>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), environment: Vec::new(), input: Vec::new(), under: Vec::new() }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes `calls/NAME.json`.
    pub(crate) fn call(self, name: &str, content: impl Content) -> Self {
        self.write(&format!("calls/{name}.json"), content)
    }

    /// Writes a file and the folders it is in.
    pub(crate) fn write(self, path: &str, content: impl Content) -> Self {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content.bytes()).unwrap();
        self
    }

    /// Changes the folder in any other way.
    pub(crate) fn with(self, act: impl FnOnce(&Path)) -> Self {
        act(self.folder.path());
        self
    }

    /// The environment of the next command is otherwise empty.
    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What the next command reads from stdin.
    pub(crate) fn input(mut self, input: impl Content) -> Self {
        self.input = input.bytes();
        self
    }

    /// Another program runs the next command: a tracer, for example.
    pub(crate) fn under(mut self, program: &[&str]) -> Self {
        self.under = program.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Runs a command line; put an argument with spaces in `'…'`.
    pub(crate) fn run(self, line: &str) -> Ran {
        let arguments = words(line);
        self.run_with(arguments)
    }

    /// Runs a command, argument by argument.
    pub(crate) fn run_with<S: AsRef<std::ffi::OsStr>>(self, arguments: impl IntoIterator<Item = S>) -> Ran {
        self.spawn(arguments, &mut |_| ())
    }

    /// Runs a command line; `meanwhile` is called every few milliseconds until it ends.
    pub(crate) fn run_while(self, line: &str, mut meanwhile: impl FnMut(&mut Child)) -> Ran {
        self.spawn(words(line), &mut meanwhile)
    }

    fn spawn<S: AsRef<std::ffi::OsStr>>(
        self,
        arguments: impl IntoIterator<Item = S>,
        meanwhile: &mut dyn FnMut(&mut Child),
    ) -> Ran {
        let mut under = self.under.iter().map(String::as_str).chain([env!("CARGO_BIN_EXE_talkmeter")]);
        let mut command = Command::new(under.next().unwrap_or_default());
        command.args(under).args(arguments).current_dir(self.folder.path()).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let shown = format!("{command:?}");
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = self.input.clone();
        // A command that does not read its input closes it, which is fine.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (ended, end) = std::sync::mpsc::channel();
        let read_out = std::thread::spawn(move || all(&mut out));
        let read_err = std::thread::spawn(move || {
            let bytes = all(&mut err);
            ended.send(()).unwrap();
            bytes
        });
        let begun = Instant::now();
        while end.recv_timeout(Duration::from_millis(2)).is_err() {
            meanwhile(&mut child);
            if begun.elapsed() > DEADLINE {
                child.kill().unwrap();
                panic!("{shown} did not end");
            }
        }
        let status = child.wait().unwrap();
        writer.join().unwrap();
        Ran {
            scene: self,
            shown,
            code: status.code(),
            stdout: read_out.join().unwrap(),
            stderr: String::from_utf8(read_err.join().unwrap()).expect("stderr is UTF-8"),
            checked: false,
        }
    }
}

fn all(from: &mut impl std::io::Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Splits at spaces outside `'…'`.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A command that has ended.
pub(crate) struct Ran {
    scene: Scene,
    shown: String,
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
    checked: bool,
}

impl Ran {
    fn transcript(&self) -> String {
        format!(
            "{}\n--- exit {:?}, stdout:\n{}--- stderr:\n{}",
            self.shown,
            self.code,
            String::from_utf8_lossy(&self.stdout),
            self.stderr
        )
    }

    pub(crate) fn exits(mut self, code: i32) -> Self {
        self.checked = true;
        assert_eq!(self.code, Some(code), "{}", self.transcript());
        self
    }

    /// Whether a signal ended it.
    pub(crate) fn was_killed(&mut self) -> bool {
        self.checked = true;
        self.code.is_none()
    }

    /// On stderr.
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "does not say {text:?}\n{}", self.transcript());
        self
    }

    pub(crate) fn says_no(self, text: &str) -> Self {
        assert!(!self.stderr.contains(text), "says {text:?}\n{}", self.transcript());
        self
    }

    pub(crate) fn says_nothing(self) -> Self {
        assert!(self.stderr.is_empty(), "says something\n{}", self.transcript());
        self
    }

    /// On stdout.
    pub(crate) fn prints(self, text: &str) -> Self {
        assert!(self.out().contains(text), "does not print {text:?}\n{}", self.transcript());
        self
    }

    pub(crate) fn prints_nothing(self) -> Self {
        assert!(self.stdout.is_empty(), "prints something\n{}", self.transcript());
        self
    }

    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("stdout is UTF-8")
    }

    pub(crate) fn err(&self) -> &str {
        &self.stderr
    }

    /// stdout as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{}", self.transcript()))
    }

    /// stdout as JSON lines.
    pub(crate) fn lines(&self) -> Vec<Row> {
        rows_of_lines(&self.out())
    }

    /// A table of the folder `out`.
    pub(crate) fn table(&self, name: &str) -> Vec<Row> {
        let found = ["jsonl", "parquet", "csv"].into_iter().find(|e| self.path(&format!("out/{name}.{e}")).is_file());
        let format = found.unwrap_or_else(|| panic!("no table {name}\n{}", self.transcript()));
        self.table_as(name, format)
    }

    pub(crate) fn table_as(&self, name: &str, format: &str) -> Vec<Row> {
        let path = format!("out/{name}.{format}");
        match format {
            "jsonl" => rows_of_lines(&self.file(&path)),
            "csv" => rows_of_csv(&self.file(&path), |column| kind(name, column)),
            _ => rows_of_parquet(&self.path(&path)),
        }
    }

    /// The one row of a table that has one.
    pub(crate) fn row(&self, table: &str) -> Row {
        only(table, self.table(table))
    }

    /// The row of a table in which `column` has this value.
    pub(crate) fn row_where(&self, table: &str, column: &str, value: impl Into<Value>) -> Row {
        row_where(&self.table(table), column, value)
    }

    pub(crate) fn participant(&self, label: &str) -> Row {
        self.row_where("participants", "participant", label)
    }

    /// The codes of the table `warnings`, with their counts.
    pub(crate) fn warnings(&self) -> Vec<(String, i64)> {
        warnings(&self.table("warnings"))
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.scene.path(path)
    }

    pub(crate) fn bytes(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}\n{}", self.transcript()))
    }

    pub(crate) fn file(&self, path: &str) -> String {
        String::from_utf8(self.bytes(path)).unwrap()
    }

    /// Every file below a folder with its bytes, by name.
    pub(crate) fn files(&self, path: &str) -> Vec<(String, Vec<u8>)> {
        let root = self.path(path);
        let mut names: Vec<String> =
            std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names.into_iter().map(|name| (name.clone(), std::fs::read(root.join(name)).unwrap())).collect()
    }

    /// The same folder, for another command.
    pub(crate) fn then(mut self) -> Scene {
        assert!(self.checked, "the exit code was not checked\n{}", self.transcript());
        Scene { folder: std::mem::replace(&mut self.scene.folder, tempfile::tempdir().unwrap()), ..Scene::new() }
    }
}

impl Drop for Ran {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.checked, "the exit code was not checked\n{}", self.transcript());
        }
    }
}

/// Every file below a folder with its bytes.
pub(crate) fn files_below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(path).unwrap()));
        }
    }
    found
}

/// One call analysed, all tables as JSON lines.
pub(crate) fn analysed(call: impl Content) -> Ran {
    analysed_with(call, "")
}

/// With more arguments.
pub(crate) fn analysed_with(call: impl Content, more: &str) -> Ran {
    Scene::new().call("a", call).run(&format!("analyze calls -o out --tables jsonl {more}")).exits(0)
}

/// The message a story fails with, which it must.
pub(crate) fn fails(story: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(story).expect_err("the story did not fail");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_story_fails_when_what_it_expects_does_not_come() {
        let run = || Scene::new().call("a", call(&[(0, 0, 900, "hello")])).run("analyze calls -o out");
        assert!(fails(move || drop(run().exits(3))).contains("exit Some(0)"));
        assert!(fails(move || drop(run().exits(0).says("nobody says this"))).contains("does not say"));
        assert!(fails(move || drop(run().exits(0).prints("nobody prints this"))).contains("does not print"));
        assert!(fails(move || drop(run().exits(0).prints_nothing())).contains("prints something"));
        assert!(fails(move || drop(run().exits(0).says_nothing())).contains("says something"));
        assert!(fails(move || drop(run().exits(0).row_where("calls", "file", "b.json"))).contains("no row"));
        assert!(
            fails(move || has(&run().exits(0).row("calls"), json!({"speech_ms": 901}))).contains("900 instead of 901")
        );
        assert!(fails(move || has(&run().exits(0).row("calls"), json!({"speech": 900}))).contains("no column"));
        has(&run().exits(0).row("calls"), json!({"speech_ms": 900, "silence_ratio": 0}));
    }

    #[test]
    fn a_story_that_checks_no_exit_code_fails() {
        let untold = || drop(Scene::new().run("--version"));
        assert!(fails(untold).contains("the exit code was not checked"));
    }

    #[test]
    fn a_command_line_is_cut_at_spaces_outside_quotes() {
        assert_eq!(words("analyze  calls --keyword 'my refund'"), ["analyze", "calls", "--keyword", "my refund"]);
    }
}
