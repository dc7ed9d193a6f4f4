//! A story at the level a user sees: a folder, some calls, a command, what came of it.
//!
//! A story that never looks at the exit code fails when it ends, so that no test passes by saying nothing.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use polars::prelude::{JsonFormat, JsonWriter, ParquetReader, SerReader, SerWriter};
use serde_json::{Map, Value, json};

/// A row of a table, by column.
pub(crate) type Row = Map<String, Value>;

/// Longer than any command takes, shorter than anybody's patience.
const DEADLINE: Duration = Duration::from_secs(120);

/// A folder of one's own, and what the next command gets beside its arguments.
pub(crate) struct Scene {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
    input: Vec<u8>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), environment: Vec::new(), input: Vec::new() }
    }

    pub(crate) fn path(&self, way: &str) -> PathBuf {
        self.folder.path().join(way)
    }

    /// Writes `calls/NAME.json`.
    pub(crate) fn call(self, name: &str, content: impl Content) -> Self {
        self.write(&format!("calls/{name}.json"), content)
    }

    /// Writes a file, folders on the way included.
    pub(crate) fn write(self, way: &str, content: impl Content) -> Self {
        let path = self.path(way);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content.bytes()).unwrap();
        self
    }

    /// Does something to the folder that has no words of its own.
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

    /// Runs a command line; an argument with spaces stands in `'…'`.
    pub(crate) fn run(self, line: &str) -> Ran {
        let arguments = words(line);
        self.run_with(arguments)
    }

    /// Runs a command, argument by argument.
    pub(crate) fn run_with<S: AsRef<std::ffi::OsStr>>(self, arguments: impl IntoIterator<Item = S>) -> Ran {
        self.go(arguments, &mut |_| ())
    }

    /// Runs a command line; meanwhile something happens to it, over and over.
    pub(crate) fn run_while(self, line: &str, mut happens: impl FnMut(&mut Child)) -> Ran {
        self.go(words(line), &mut happens)
    }

    fn go<S: AsRef<std::ffi::OsStr>>(
        self,
        arguments: impl IntoIterator<Item = S>,
        happens: &mut dyn FnMut(&mut Child),
    ) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_talkmeter"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let said = format!("{command:?}");
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = self.input.clone();
        // A command that does not read its input closes it, which is no concern of ours.
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
            happens(&mut child);
            if begun.elapsed() > DEADLINE {
                child.kill().unwrap();
                panic!("{said} did not end");
            }
        }
        let status = child.wait().unwrap();
        writer.join().unwrap();
        Ran {
            scene: self,
            said,
            code: status.code(),
            stdout: read_out.join().unwrap(),
            stderr: String::from_utf8(read_err.join().unwrap()).expect("stderr is UTF-8"),
            looked_at: false,
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
    said: String,
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
    looked_at: bool,
}

impl Ran {
    fn story(&self) -> String {
        format!(
            "{}\n--- exit {:?}, stdout:\n{}--- stderr:\n{}",
            self.said,
            self.code,
            String::from_utf8_lossy(&self.stdout),
            self.stderr
        )
    }

    pub(crate) fn exits(mut self, code: i32) -> Self {
        self.looked_at = true;
        assert_eq!(self.code, Some(code), "{}", self.story());
        self
    }

    /// Whether a signal ended it.
    pub(crate) fn was_killed(&mut self) -> bool {
        self.looked_at = true;
        self.code.is_none()
    }

    /// On stderr.
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "does not say {text:?}\n{}", self.story());
        self
    }

    pub(crate) fn says_no(self, text: &str) -> Self {
        assert!(!self.stderr.contains(text), "says {text:?}\n{}", self.story());
        self
    }

    pub(crate) fn says_nothing(self) -> Self {
        assert!(self.stderr.is_empty(), "says something\n{}", self.story());
        self
    }

    /// On stdout.
    pub(crate) fn prints(self, text: &str) -> Self {
        assert!(self.out().contains(text), "does not print {text:?}\n{}", self.story());
        self
    }

    pub(crate) fn prints_nothing(self) -> Self {
        assert!(self.stdout.is_empty(), "prints something\n{}", self.story());
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
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{}", self.story()))
    }

    /// stdout as JSON lines.
    pub(crate) fn lines(&self) -> Vec<Row> {
        rows_of_lines(&self.out())
    }

    /// A table of the folder `out`.
    pub(crate) fn table(&self, name: &str) -> Vec<Row> {
        let found = ["jsonl", "parquet", "csv"].into_iter().find(|e| self.path(&format!("out/{name}.{e}")).is_file());
        let format = found.unwrap_or_else(|| panic!("no table {name}\n{}", self.story()));
        self.table_as(name, format)
    }

    pub(crate) fn table_as(&self, name: &str, format: &str) -> Vec<Row> {
        let way = format!("out/{name}.{format}");
        match format {
            "jsonl" => rows_of_lines(&self.file(&way)),
            "csv" => rows_of_csv(&self.file(&way), |column| kind(name, column)),
            _ => rows_of_parquet(&self.path(&way)),
        }
    }

    /// The one row of a table that has one.
    pub(crate) fn row(&self, table: &str) -> Row {
        let mut rows = self.table(table);
        assert_eq!(rows.len(), 1, "{table} has not one row: {rows:?}");
        rows.remove(0)
    }

    /// The row of a table in which `column` has this value.
    pub(crate) fn row_where(&self, table: &str, column: &str, value: impl Into<Value>) -> Row {
        let value = value.into();
        let rows = self.table(table);
        let mut found = rows.iter().filter(|row| row[column] == value);
        let row = found.next().unwrap_or_else(|| panic!("no row of {table} with {column} {value}: {rows:?}")).clone();
        assert!(found.next().is_none(), "several rows of {table} with {column} {value}");
        row
    }

    pub(crate) fn participant(&self, label: &str) -> Row {
        self.row_where("participants", "participant", label)
    }

    /// The codes of the table `warnings`, with their counts.
    pub(crate) fn warnings(&self) -> Vec<(String, i64)> {
        self.table("warnings")
            .iter()
            .map(|row| (row["code"].as_str().unwrap().to_owned(), row["count"].as_i64().unwrap()))
            .collect()
    }

    pub(crate) fn path(&self, way: &str) -> PathBuf {
        self.scene.path(way)
    }

    pub(crate) fn bytes(&self, way: &str) -> Vec<u8> {
        std::fs::read(self.path(way)).unwrap_or_else(|error| panic!("{way}: {error}\n{}", self.story()))
    }

    pub(crate) fn file(&self, way: &str) -> String {
        String::from_utf8(self.bytes(way)).unwrap()
    }

    /// Every file below a folder with its bytes, by name.
    pub(crate) fn files(&self, way: &str) -> Vec<(String, Vec<u8>)> {
        let root = self.path(way);
        let mut names: Vec<String> =
            std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names.into_iter().map(|name| (name.clone(), std::fs::read(root.join(name)).unwrap())).collect()
    }

    /// The same folder once more.
    pub(crate) fn then(mut self) -> Scene {
        assert!(self.looked_at, "nobody looked at the exit code\n{}", self.story());
        Scene { folder: std::mem::replace(&mut self.scene.folder, tempfile::tempdir().unwrap()), ..Scene::new() }
    }
}

impl Drop for Ran {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.looked_at, "nobody looked at the exit code\n{}", self.story());
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

pub(crate) fn rows_of_lines(text: &str) -> Vec<Row> {
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is not ended");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn rows_of_parquet(path: &Path) -> Vec<Row> {
    let mut frame = ParquetReader::new(std::fs::File::open(path).unwrap()).finish().unwrap();
    let mut json = Vec::new();
    JsonWriter::new(&mut json).with_json_format(JsonFormat::Json).finish(&mut frame).unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// The type of a column by the catalogue, which the schema test compares with the design.
fn kind(table: &str, column: &str) -> &'static str {
    let table = talkmeter::metrics::catalogue::Table::from_name(table);
    let column = table.and_then(|table| table.columns.iter().find(|known| known.name == column));
    column.map_or("text", |column| column.kind.name())
}

fn rows_of_csv(text: &str, kind: impl Fn(&str) -> &'static str) -> Vec<Row> {
    let mut records = csv(text).into_iter();
    let head = records.next().unwrap();
    let cell = |name: &String, (text, quoted): &(String, bool)| match kind(&name[..]) {
        _ if text.is_empty() && !quoted => Value::Null,
        "integer" => json!(text.parse::<i64>().unwrap()),
        "number" => json!(text.parse::<f64>().unwrap()),
        _ => json!(text),
    };
    records
        .map(|record| {
            assert_eq!(record.len(), head.len(), "a record of another length: {record:?}");
            head.iter().zip(&record).map(|((name, _), value)| (name.clone(), cell(name, value))).collect()
        })
        .collect()
}

/// RFC 4180 with LF, strictly; whether a field was quoted is kept.
pub(crate) fn csv(text: &str) -> Vec<Vec<(String, bool)>> {
    let mut chars = text.chars().peekable();
    let mut records = Vec::new();
    let mut record = Vec::new();
    while chars.peek().is_some() {
        let quoted = chars.next_if_eq(&'"').is_some();
        let mut field = String::new();
        if quoted {
            loop {
                match chars.next().unwrap_or_else(|| panic!("a quoted field without an end: {field}")) {
                    '"' if chars.next_if_eq(&'"').is_none() => break,
                    c => field.push(c),
                }
            }
        }
        while let Some(c) = chars.next_if(|c| !quoted && !matches!(c, ',' | '\n')) {
            assert!(!matches!(c, '"' | '\r'), "{c:?} inside a field that is not quoted: {field}");
            field.push(c);
        }
        record.push((field, quoted));
        match chars.next() {
            Some(',') if chars.peek().is_some() => {}
            Some('\n') => records.push(std::mem::take(&mut record)),
            other => panic!("{other:?} behind a field"),
        }
    }
    records
}

/// Asserts that a row has these values; floats to twelve digits.
#[track_caller]
pub(crate) fn has(row: &Row, expected: Value) {
    let same = |one: &Value, two: &Value| match (one.as_i64(), two.as_i64(), one.as_f64(), two.as_f64()) {
        (Some(one), Some(two), ..) => one == two,
        (.., Some(one), Some(two)) => (one - two).abs() <= 1e-12 * one.abs().max(1.0),
        _ => one == two,
    };
    let differs = |(name, value): (&String, &Value)| {
        let found = row.get(name).unwrap_or_else(|| panic!("no column {name}"));
        (!same(found, value)).then(|| format!("{name}: {found} instead of {value}"))
    };
    let wrong: Vec<String> = expected.as_object().unwrap().iter().filter_map(differs).collect();
    assert!(wrong.is_empty(), "{}\nin {}", wrong.join("\n"), Value::Object(row.clone()));
}

/// One column of some rows.
pub(crate) fn column(rows: &[Row], name: &str) -> Vec<Value> {
    rows.iter().map(|row| row[name].clone()).collect()
}

/// What a file is made of.
pub(crate) trait Content {
    fn bytes(&self) -> Vec<u8>;
}

impl Content for &str {
    fn bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

impl Content for String {
    fn bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

impl Content for &[u8] {
    fn bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
}

impl Content for Vec<u8> {
    fn bytes(&self) -> Vec<u8> {
        self.clone()
    }
}

impl Content for Value {
    fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap()
    }
}

impl Content for Call {
    fn bytes(&self) -> Vec<u8> {
        self.json().bytes()
    }
}

/// A result file, sentence by sentence; channels appear as they are met.
#[derive(Clone, Default)]
pub(crate) struct Call {
    duration: Option<i64>,
    file_url: Option<String>,
    channels: std::collections::BTreeMap<u32, Vec<Value>>,
    content: std::collections::BTreeMap<u32, Value>,
}

/// `(channel, begin, end, text)`: each a sentence of one word that has the same times.
pub(crate) fn call(rows: &[(u32, i64, i64, &str)]) -> Call {
    rows.iter().fold(Call::default(), |call, row| call.say(row.0, &[(row.1, row.2, row.3)]))
}

/// `(speaker, begin, end, text)` on channel 0.
pub(crate) fn diarised(rows: &[(Option<i64>, i64, i64, &str)]) -> Call {
    rows.iter().fold(Call::default(), |call, &(speaker, begin, end, text)| {
        let mut sentence = sentence(&[(begin, end, text)]);
        sentence["speaker_id"] = json!(speaker);
        call.sentence(0, sentence)
    })
}

/// A sentence of words `(begin, end, text)`.
pub(crate) fn sentence(words: &[(i64, i64, &str)]) -> Value {
    let text: Vec<&str> = words.iter().map(|word| word.2).collect();
    let listed: Vec<Value> = words
        .iter()
        .map(|(begin, end, text)| json!({"begin_time": begin, "end_time": end, "text": text, "punctuation": ""}))
        .collect();
    json!({
        "begin_time": words.first().map(|word| word.0), "end_time": words.last().map(|word| word.1),
        "text": text.join(" "), "words": listed,
    })
}

impl Call {
    /// A sentence of timed words.
    pub(crate) fn say(self, channel: u32, words: &[(i64, i64, &str)]) -> Self {
        self.sentence(channel, sentence(words))
    }

    /// A sentence without word times.
    pub(crate) fn tell(self, channel: u32, begin: i64, end: i64, text: &str) -> Self {
        self.sentence(channel, json!({"begin_time": begin, "end_time": end, "text": text}))
    }

    pub(crate) fn sentence(mut self, channel: u32, sentence: Value) -> Self {
        self.channels.entry(channel).or_default().push(sentence);
        self
    }

    pub(crate) fn silent(mut self, channel: u32) -> Self {
        self.channels.entry(channel).or_default();
        self
    }

    pub(crate) fn lasting(mut self, ms: i64) -> Self {
        self.duration = Some(ms);
        self
    }

    pub(crate) fn url(mut self, url: &str) -> Self {
        self.file_url = Some(url.to_owned());
        self
    }

    /// `content_duration_in_milliseconds` of a channel.
    pub(crate) fn content(mut self, channel: u32, value: impl Into<Value>) -> Self {
        self.content.insert(channel, value.into());
        self
    }

    pub(crate) fn json(&self) -> Value {
        let transcripts: Vec<Value> = self
            .channels
            .iter()
            .map(|(id, sentences)| {
                let mut entry = json!({"channel_id": id, "sentences": sentences});
                if let Some(content) = self.content.get(id) {
                    entry["content_duration_in_milliseconds"] = content.clone();
                }
                entry
            })
            .collect();
        let ids: Vec<&u32> = self.channels.keys().collect();
        let mut call = json!({"properties": {"channels": ids}, "transcripts": transcripts});
        if let Some(duration) = self.duration {
            call["properties"]["original_duration_in_milliseconds"] = json!(duration);
        }
        if let Some(url) = &self.file_url {
            call["file_url"] = json!(url);
        }
        call
    }
}

/// One call analysed, all tables as JSON lines.
pub(crate) fn analysed(call: impl Content) -> Ran {
    analysed_with(call, "")
}

/// With more arguments.
pub(crate) fn analysed_with(call: impl Content, more: &str) -> Ran {
    Scene::new().call("a", call).run(&format!("analyze calls -o out --tables jsonl {more}")).exits(0)
}

/// Why a story fails, which it must.
pub(crate) fn fails(story: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(story).expect_err("the story did not fail");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

mod tests {
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
    fn a_story_that_looks_at_no_exit_code_fails() {
        let untold = || drop(Scene::new().run("--version"));
        assert!(fails(untold).contains("nobody looked at the exit code"));
    }

    #[test]
    fn a_command_line_is_cut_at_spaces_outside_quotes() {
        assert_eq!(words("analyze  calls --keyword 'my refund'"), ["analyze", "calls", "--keyword", "my refund"]);
    }

    #[test]
    fn csv_is_read_by_the_book() {
        let (plain, quoted) = (|text: &str| (text.to_owned(), false), |text: &str| (text.to_owned(), true));
        assert_eq!(
            csv("a,b,\n,\"\",\"x\"\"y,\nz\"\n"),
            [vec![plain("a"), plain("b"), plain("")], vec![plain(""), quoted(""), quoted("x\"y,\nz")]]
        );
        assert!(fails(|| drop(csv("a\"b\n"))).contains("inside a field that is not quoted"));
        assert!(fails(|| drop(csv("\"a\n"))).contains("without an end"));
        assert!(fails(|| drop(csv("a"))).contains("behind a field"));
    }
}

/// A WAV file of 16 bit samples: a tone of so many seconds in every channel.
pub(crate) fn wav(channels: u16, rate_hz: u32, seconds: u32) -> Vec<u8> {
    let sample = |frame: u32| {
        let turn = f64::from(frame) * 440.0 / f64::from(rate_hz) * std::f64::consts::TAU;
        (turn.sin() * 8000.0) as i16
    };
    let frames = (0..rate_hz * seconds).map(|frame| vec![sample(frame); usize::from(channels)]);
    wav_of(rate_hz, &frames.collect::<Vec<_>>())
}

/// A WAV file of these samples of every channel.
pub(crate) fn wav_of<F: AsRef<[i16]>>(rate_hz: u32, frames: &[F]) -> Vec<u8> {
    let channels = frames.first().map_or(1, |frame| frame.as_ref().len()) as u16;
    let length = frames.len() as u32 * u32::from(channels) * 2;
    let mut bytes = Vec::with_capacity(44 + length as usize);
    bytes.extend(b"RIFF");
    bytes.extend((36 + length).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate_hz.to_le_bytes());
    bytes.extend((rate_hz * u32::from(channels) * 2).to_le_bytes());
    bytes.extend((channels * 2).to_le_bytes());
    bytes.extend(b"\x10\0data");
    bytes.extend(length.to_le_bytes());
    frames.iter().for_each(|frame| frame.as_ref().iter().for_each(|sample| bytes.extend(sample.to_le_bytes())));
    bytes
}
