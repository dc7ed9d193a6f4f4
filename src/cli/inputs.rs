//! Path arguments of `analyze`, `check` and other commands that read files.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::output::{Console, Failure, printable};
use super::stores;
use crate::error::{Error, Result};
use crate::named_file::FileKind;
use crate::sheet::text::{self, Decoder, has_mark};
use crate::transcript::{Inputs, SourceFormat, Wanted, is_transcript};

/// The form of files to read.
#[derive(Debug, clap::Args)]
pub(super) struct FromFlag {
    /// Read all files as this format, whatever their structure says: whisper, aws, srt, …
    #[arg(long, value_name = "FORMAT", value_parser = from_format)]
    pub(super) from: Option<SourceFormat>,
}

fn from_format(name: &str) -> Result<SourceFormat, String> {
    name.parse().map_err(|error: Error| error.to_string())
}

/// Files to read.
#[derive(Debug, clap::Args)]
pub(super) struct Paths {
    /// Transcripts, folders of them (or s3://, gs://, az://, oss://), or `-` for a list on stdin
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    from: FromFlag,
}

impl Paths {
    /// Finds the files, walking folders except `output`; prints each path that was excluded and why.
    pub(super) fn find(&self, output: Option<&Path>, console: &Console) -> Result<Inputs, Failure> {
        self.find_where(is_transcript, output, console)
    }

    /// Like [`find`](Self::find), for files below folders that `wanted` accepts.
    pub(super) fn find_where(
        &self,
        wanted: Wanted,
        output: Option<&Path>,
        console: &Console,
    ) -> Result<Inputs, Failure> {
        let inputs = Inputs::find_where(wanted, &self.listed()?, output, &stores::open);
        Ok(reported(inputs, console).in_format(self.from.from))
    }

    fn listed(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut paths = Vec::with_capacity(self.paths.len());
        for path in &self.paths {
            if path.as_os_str() == "-" {
                listed(std::io::stdin().lock(), &mut paths)?;
            } else {
                paths.push(path.clone());
            }
        }
        Ok(paths)
    }
}

/// Prints each path that was excluded and why.
pub(super) fn reported(inputs: Inputs, console: &Console) -> Inputs {
    for excluded in &inputs.excluded {
        console.say(&format!("{}: {}", printable(&excluded.path.to_string_lossy()), excluded.why));
        if let Some(hint) = stores::hint(&excluded.path, &excluded.why) {
            console.say(&format!("hint: {hint}"));
        }
    }
    if !inputs.others.is_empty() {
        console.note(&format!("not read: {}", inputs.others));
    }
    inputs
}

/// Reads a text file in any encoding; `note` gets a line about one that had to be guessed.
pub(super) fn read_text(path: &Path, kind: FileKind, note: &dyn Fn(&str)) -> Result<String> {
    let (text, encoding) = text::read(path, kind)?;
    if let Some(encoding) = encoding.detected() {
        note(&format!("{}: not UTF-8, read as {encoding}", path.display()));
    }
    Ok(text)
}

/// Adds the paths of a list, one per line. Lines are bytes, as `find` prints them; a byte order mark says otherwise.
fn listed(mut reader: impl BufRead, paths: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |error| Error::io("read", Path::new("stdin"), error);
    let begin = reader.fill_buf().map_err(failed)?;
    let first = begin.trim_ascii_start().first().copied();
    if has_mark(begin) {
        return listed_lines(BufReader::new(Decoder::new(reader)), paths);
    }
    if matches!(first, Some(b'{' | b'[')) {
        let mut lines = Vec::new();
        listed_lines(reader, &mut lines)?;
        if lines.first().is_some_and(|path| !path.exists()) {
            return Err(Failure::Usage(
                "stdin holds JSON, not a list of paths: give the name of the result file instead of `-`".to_owned(),
            ));
        }
        paths.append(&mut lines);
        return Ok(());
    }
    listed_lines(reader, paths)
}

fn listed_lines(reader: impl BufRead, paths: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for line in reader.split(b'\n') {
        let line = line.map_err(|error| Error::io("read", Path::new("stdin"), error))?;
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        if !line.trim_ascii().is_empty() {
            paths.push(path_of(line));
        }
    }
    Ok(())
}

/// A line of `find` output as a path: on Unix, names need not be UTF-8.
#[cfg(unix)]
fn path_of(line: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(line).into()
}

#[cfg(not(unix))]
fn path_of(line: &[u8]) -> PathBuf {
    String::from_utf8_lossy(line).into_owned().into()
}
