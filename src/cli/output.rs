//! Data goes to stdout, messages to stderr. Nothing else in the crate prints.

use std::error::Error as _;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::{Exit, advice};
use crate::error::{Error, ErrorKind};
use crate::report::{TextTable, hanging};
use crate::text::markdown::escaped;

/// Longer lines on stderr are cut, in characters.
const MAX_LINE: usize = 2_000;

/// Format of the data on stdout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Aligned text for people
    #[default]
    Table,
    /// One JSON value
    Json,
    /// One JSON object per line
    Jsonl,
    /// CSV with a header line
    Csv,
    /// A Markdown table
    Md,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Why a command stopped early.
#[derive(Debug)]
pub(super) enum Failure {
    Error(Error),
    /// The command line is invalid.
    Usage(String),
    /// Already reported; exit with this code.
    Reported(Exit),
    /// stdout is closed: exit quietly.
    BrokenPipe,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Failure {
    /// A flag's value that the library refuses.
    pub(super) fn refused(error: Error) -> Self {
        Self::Usage(error.to_string())
    }
}

/// Where a command prints.
#[derive(Debug)]
pub(super) struct Console {
    pub(super) quiet: bool,
    verbose: u8,
    progress: bool,
    /// Folders that are copies, and what they are copies of.
    copies: Mutex<Vec<(String, String)>>,
}

impl Console {
    pub(super) fn new(quiet: bool, verbose: u8, color: Color, no_progress: bool) -> Self {
        let choice = match color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        Self {
            quiet,
            verbose,
            progress: !quiet && !no_progress && io::stderr().is_terminal(),
            copies: Mutex::default(),
        }
    }

    /// Names a folder that is a copy after what it is a copy of, in errors.
    pub(super) fn is_copy(&self, folder: &Path, of: &str) {
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        copies.push((folder.display().to_string(), of.trim_end_matches('/').to_owned()));
    }

    fn with_originals(&self, line: String) -> String {
        let copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        copies.iter().fold(line, |line, (copy, of)| line.replace(copy, of))
    }

    /// The columns of the terminal that data goes to; `None` for a file or pipe, unless `COLUMNS` says how wide it is shown.
    #[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
    pub(super) fn width(&self) -> Option<usize> {
        let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
        let of_terminal = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
        let width = if io::stdout().is_terminal() { of_terminal().or_else(columns).or(Some(80)) } else { columns() };
        width.filter(|width| *width > 0)
    }

    /// A line of prose for stdout, wrapped to the terminal with further lines indented; with its line break.
    pub(super) fn prose(&self, line: &str) -> String {
        hanging(line, self.width(), 2) + "\n"
    }

    /// Whether `-v` was given.
    pub(super) fn verbose(&self) -> bool {
        self.verbose > 0
    }

    /// Prints the library's traces: with `-v` its steps, with `-vv` every request.
    pub(super) fn listen(&self) {
        use tracing_subscriber::layer::SubscriberExt as _;
        use tracing_subscriber::util::SubscriberInitExt as _;
        let level = match self.verbose {
            0 => return,
            1 => tracing::Level::INFO,
            _ => tracing::Level::DEBUG,
        };
        // Our crate only: dependencies would log signed URLs.
        let ours = tracing_subscriber::filter::Targets::new().with_target("talkmeter", level);
        let lines = tracing_subscriber::fmt::layer().with_writer(|| Traces).with_ansi(false).with_target(false);
        tracing_subscriber::registry().with(ours).with(lines).init();
    }

    /// Writes data to stdout.
    pub(super) fn data(&self, bytes: &[u8]) -> Result<Exit, Failure> {
        let mut stdout = anstream::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(Exit::Done),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::BrokenPipe),
            Err(error) => Err(Error::io("write to", std::path::Path::new("stdout"), error).into()),
        }
    }

    /// Prints an informational line on stderr; silent with `-q`.
    pub(super) fn note(&self, line: &str) {
        if !self.quiet {
            self.say(line);
        }
    }

    /// [`Self::note`] for callbacks that outlive the borrow of the console.
    pub(super) fn detached_note(&self) -> impl Fn(&str) + Send + Sync + 'static {
        let quiet = self.quiet;
        move |line| {
            if !quiet {
                let _ = writeln!(anstream::stderr(), "{}", printable(line));
            }
        }
    }

    /// Prints a line on stderr, even with `-q`.
    pub(super) fn say(&self, line: &str) {
        // If stderr is closed there is nowhere left to report it.
        let _ = writeln!(anstream::stderr(), "{}", printable(line));
    }

    /// Prints `error: …` on stderr.
    pub(super) fn error(&self, what: &str) {
        const RED: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();
        let line = printable(&format!("error: {what}"));
        let _ = writeln!(anstream::stderr(), "{RED}error:{RED:#}{}", line.strip_prefix("error:").unwrap_or(&line));
    }

    /// Prints a command line that was refused, or a help text; returns its exit code.
    pub(super) fn refused(&self, error: &clap::Error) -> Exit {
        let text = error.render().to_string();
        // Values are quoted as given.
        if error.use_stderr() && text.lines().any(|line| line != printable(line)) {
            text.lines().for_each(|line| self.say(line));
        } else {
            // If it cannot be printed there is nowhere left to report it.
            let _ = error.print();
        }
        if error.use_stderr() { Exit::Usage } else { Exit::Done }
    }

    /// Prints a failure with its causes; returns its exit code.
    pub(super) fn failed(&self, failure: &Failure) -> Exit {
        match failure {
            Failure::BrokenPipe => Exit::Done,
            Failure::Reported(exit) => *exit,
            Failure::Usage(what) => {
                self.error(what);
                Exit::Usage
            }
            Failure::Error(error) => {
                self.error(&self.with_originals(chain(error)));
                if let Some(hint) = advice::for_error(error) {
                    self.say(&format!("hint: {hint}"));
                }
                match error.kind() {
                    ErrorKind::InvalidInput if error.api().is_none() => Exit::Usage,
                    ErrorKind::Auth | ErrorKind::Quota => Exit::Denied,
                    _ => Exit::Failed,
                }
            }
        }
    }

    /// A line that is rewritten in place on a terminal; hidden elsewhere.
    pub(super) fn growing(&self) -> ProgressBar {
        let target = if self.progress { ProgressDrawTarget::stderr_with_hz(20) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.with_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()))
    }

    /// A progress bar over files on a terminal; hidden elsewhere.
    pub(super) fn progress(&self, files: usize) -> ProgressBar {
        self.bar(files as u64, "{human_pos}/{human_len} files  {rate}  {eta} left")
    }

    /// A progress bar over tasks, without a time left: their pace is the service's.
    pub(super) fn progress_of_tasks(&self, tasks: usize) -> ProgressBar {
        self.bar(tasks as u64, "{human_pos}/{human_len} tasks  {elapsed}")
    }

    /// A progress bar over bytes.
    pub(super) fn progress_of_bytes(&self, bytes: u64) -> ProgressBar {
        self.bar(bytes, "{binary_bytes}/{binary_total_bytes}  {binary_bytes_per_sec}  {eta} left")
    }

    fn bar(&self, length: u64, figures: &str) -> ProgressBar {
        let target = if self.progress { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(length), target);
        let style = ProgressStyle::with_template(&format!("{{bar:30}} {figures}  {{wide_msg}}"));
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let rate = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            let _ = text.write_str(&per_second(state.per_sec()));
        };
        bar.with_style(style.with_key("rate", rate))
    }
}

/// A rate for people: `2.4/s`, `40/s`, `1.6 k/s`.
fn per_second(rate: f64) -> String {
    match rate {
        ..9.95 => format!("{rate:.1}/s"),
        ..999.5 => format!("{rate:.0}/s"),
        _ => format!("{:.1} k/s", rate / 1000.0),
    }
}

/// Traces on stderr. Each is written at once, and quotes what a server sent.
struct Traces;

impl Write for Traces {
    fn write(&mut self, trace: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(trace);
        writeln!(anstream::stderr(), "{}", printable(line.trim_end_matches('\n')))?;
        Ok(trace.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An error with its causes, on one line.
pub(super) fn chain(error: &Error) -> String {
    let mut line = advice::line(&error.to_string(), error.check());
    let mut cause = error.source();
    while let Some(source) = cause {
        line += &format!(": {source}");
        cause = source.source();
    }
    line
}

/// Text from outside on one line of a terminal: control characters escaped, cut to a length.
pub(super) fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}') {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    if line.chars().nth(MAX_LINE).is_some() {
        line = line.chars().take(MAX_LINE - 1).chain(['…']).collect();
    }
    line
}

/// Rows for people or machines: text columns and their rows.
pub(super) struct Listing<N = &'static str> {
    pub(super) head: Vec<N>,
    pub(super) rows: Vec<Vec<serde_json::Value>>,
}

impl<N: AsRef<str>> Listing<N> {
    /// In the format asked for.
    pub(super) fn print(&self, format: Format, console: &Console) -> Result<Exit, Failure> {
        let text = match format {
            Format::Table => self.table(console),
            Format::Json => self.json("[\n  ", ",\n  ", "\n]\n"),
            Format::Jsonl => self.json("", "\n", "\n"),
            Format::Csv => self.csv(),
            Format::Md => self.markdown(),
        };
        console.data(text.as_bytes())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.head.iter().map(AsRef::as_ref)
    }

    /// A part of the rows of one listing; the first with the header, a table each.
    pub(super) fn print_part(&self, format: Format, is_first: bool, console: &Console) -> Result<Exit, Failure> {
        let (text, header) = match format {
            Format::Csv => (self.csv(), 1),
            Format::Md => (self.markdown(), 2),
            Format::Table => (self.table(console), 0),
            Format::Json | Format::Jsonl => (self.json("", "\n", "\n"), 0),
        };
        let rows = text.split_inclusive('\n').skip(if is_first { 0 } else { header });
        console.data(rows.collect::<String>().as_bytes())
    }

    pub(super) fn table(&self, console: &Console) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut table = TextTable::new(self.names().map(printable));
        for row in &self.rows {
            table.row(row.iter().map(|cell| printable(&plain(cell))));
        }
        table.render(console.width()) + "\n"
    }

    fn json(&self, open: &str, between: &str, close: &str) -> String {
        let object = |row: &Vec<serde_json::Value>| {
            let pairs = self.names().zip(row).map(|(name, cell)| format!("{}: {cell}", serde_json::Value::from(name)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        };
        if self.rows.is_empty() {
            return if open.is_empty() { String::new() } else { "[]\n".to_owned() };
        }
        format!("{open}{}{close}", self.rows.iter().map(object).collect::<Vec<_>>().join(between))
    }

    pub(super) fn markdown(&self) -> String {
        let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let cell = |cell: &serde_json::Value| escaped(&printable(&plain(cell)));
        let mut text = row(self.names().map(|name| cell(&name.into())).collect());
        text += &row(vec!["---".to_owned(); self.head.len()]);
        text.extend(self.rows.iter().map(|cells| row(cells.iter().map(cell).collect())));
        text
    }

    fn csv(&self) -> String {
        let quoted = |cell: &str| {
            if cell.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.to_owned()
            }
        };
        let mut text = self.names().map(quoted).collect::<Vec<_>>().join(",") + "\n";
        for row in &self.rows {
            text += &row.iter().map(|cell| quoted(&plain(cell))).collect::<Vec<_>>().join(",");
            text.push('\n');
        }
        text
    }
}

/// A number as a cell: a whole one without a fraction.
pub(super) fn number(value: f64) -> serde_json::Value {
    let whole = value as i64;
    if whole as f64 == value { whole.into() } else { value.into() }
}

/// A cell without JSON's quotes; null is empty.
fn plain(cell: &serde_json::Value) -> String {
    match cell {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{per_second, printable};

    #[test]
    fn a_rate_is_short() {
        let rates = [0.0, 2.44, 40.3828, 1600.0].map(per_second);
        assert_eq!(rates, ["0.0/s", "2.4/s", "40/s", "1.6 k/s"]);
    }

    #[test]
    fn a_line_from_outside_stays_one_line_and_moves_no_cursor() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{9b}d\u{202e}e"), r"a\u{1b}[2Jb\nc\u{9b}d\u{202e}e");
        assert_eq!(printable(&"x".repeat(5000)).chars().count(), 2000);
    }
}
