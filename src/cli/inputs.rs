//! Path arguments of `analyze`, `check` and other commands that read files.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::output::{Console, Failure, printable};
use crate::transcript::Inputs;

/// Files to read.
#[derive(Debug, clap::Args)]
pub(super) struct Paths {
    /// Result files, folders to search for *.json, or `-` to read a list of paths from stdin
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Paths {
    /// Finds the files, walking folders except `output`; prints each path that was excluded and why.
    pub(super) fn find(&self, output: Option<&Path>, console: &Console) -> Result<Inputs, Failure> {
        self.find_named(|name| name.ends_with(b".json"), output, console)
    }

    /// Like [`find`](Self::find), for files below folders whose names `wanted` accepts.
    pub(super) fn find_named(
        &self,
        wanted: fn(&[u8]) -> bool,
        output: Option<&Path>,
        console: &Console,
    ) -> Result<Inputs, Failure> {
        let mut paths = Vec::with_capacity(self.paths.len());
        for path in &self.paths {
            if path.as_os_str() == "-" {
                for line in std::io::stdin().lock().split(b'\n') {
                    let line = line.map_err(|error| crate::Error::io("read", Path::new("stdin"), error))?;
                    let line = line.strip_suffix(b"\r").unwrap_or(&line);
                    if !line.trim_ascii().is_empty() {
                        paths.push(path_of(line));
                    }
                }
            } else {
                paths.push(path.clone());
            }
        }
        let inputs = Inputs::find_named(wanted, &paths, output);
        for excluded in &inputs.excluded {
            console.say(&format!("{}: {}", printable(&excluded.path.to_string_lossy()), excluded.why));
        }
        Ok(inputs)
    }
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
