//! The paths that `analyze`, `check` and their like take.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::output::{Console, Failure, printable};
use crate::transcript::Inputs;

/// Where result files are.
#[derive(Debug, clap::Args)]
pub(super) struct Paths {
    /// Result files, folders (searched for *.json), or `-` for a list of paths on stdin
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Paths {
    /// Walks the folders; what cannot be taken is said. `output` is left out.
    pub(super) fn find(&self, output: Option<&Path>, console: &Console) -> Result<Inputs, Failure> {
        self.find_ending(&[".json"], output, console)
    }

    /// The same for files whose names end otherwise.
    pub(super) fn find_ending(
        &self,
        endings: &[&'static str],
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
        let inputs = Inputs::find_ending(endings, &paths, output);
        for excluded in &inputs.excluded {
            console.say(&format!("{}: {}", printable(&excluded.path.to_string_lossy()), excluded.why));
        }
        Ok(inputs)
    }
}

/// A path as `find` prints it: on Unix names need not be UTF-8.
#[cfg(unix)]
fn path_of(line: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(line).into()
}

#[cfg(not(unix))]
fn path_of(line: &[u8]) -> PathBuf {
    String::from_utf8_lossy(line).into_owned().into()
}
