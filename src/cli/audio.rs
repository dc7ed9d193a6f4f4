//! `--audio`: where a report page finds the recordings.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use url::Url;

use super::output::Failure;
use super::page::address_of;
use crate::redact::without_query;
use crate::report::CallView;
use crate::stores::StoreUrl;

/// The recordings of a report: a folder beside it, or addresses.
#[derive(Debug)]
pub(super) enum Audio {
    /// What every address begins with.
    Prefix(String),
    /// Addresses relative to the report, by path below the folder, name, and each without extension.
    Folder(HashMap<String, String>),
}

impl Audio {
    /// `given` is a folder or the beginning of an address; `beside` the folder of the report.
    pub(super) fn new(given: &str, beside: &Path) -> Result<Self, Failure> {
        let usage = |why: String| Failure::Usage(format!("--audio {}: {why}", without_query(given)));
        if given.contains("://") {
            let url = Url::parse(given).map_err(|error| usage(error.to_string()))?;
            if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
                return Err(usage("an address must begin with http:// or https://, without a password".to_owned()));
            }
            let end = if given.ends_with(['/', '=']) { "" } else { "/" };
            return Ok(Self::Prefix(format!("{given}{end}")));
        }
        if beside.to_str().is_some_and(StoreUrl::is_meant) {
            return Err(usage("a page in an object store needs the address of the recordings".to_owned()));
        }
        let folder = Path::new(given);
        let base = relative(beside, folder).map_err(|error| usage(error.to_string()))?;
        let mut files = HashMap::new();
        for entry in walkdir::WalkDir::new(folder).follow_links(true).sort_by_file_name() {
            let entry = entry.map_err(|error| usage(error.to_string()))?;
            let Ok(path) = entry.path().strip_prefix(folder) else { continue };
            if !entry.file_type().is_file() {
                continue;
            }
            let path = path.to_string_lossy().replace('\\', "/");
            let address = address_of(&format!("{base}{path}"));
            for name in names(&path) {
                files.entry(name.to_owned()).or_insert_with(|| address.clone());
            }
        }
        if files.is_empty() {
            return Err(usage("no file in this folder".to_owned()));
        }
        Ok(Self::Folder(files))
    }

    /// The address of the recording of a call: named by its address, else like its result file. `up` leads to the folder of
    /// the report.
    pub(super) fn of(&self, view: &CallView, up: &str) -> Option<String> {
        let recording = view.file_url.as_deref().map(|url| {
            let path = url.split(['?', '#']).next().unwrap_or_default();
            let name = path.rsplit('/').next().unwrap_or_default();
            percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned()
        });
        let recording = recording.filter(|name| !name.is_empty());
        let file = view.file.strip_suffix(".json").unwrap_or(&view.file);
        match self {
            Self::Prefix(prefix) => Some(format!("{prefix}{}", address_of(recording.as_deref().unwrap_or(file)))),
            Self::Folder(files) => {
                // A batch puts a number in front of the names of its results.
                let last = file.rsplit('/').next().unwrap_or(file);
                let unnumbered =
                    last.split_once('-').filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
                let wanted = [recording.as_deref(), Some(file), Some(last), unnumbered.map(|(_, name)| name)];
                wanted
                    .into_iter()
                    .flatten()
                    .flat_map(names)
                    .find_map(|name| files.get(name))
                    .map(|file| format!("{up}{file}"))
            }
        }
    }

    /// Where recordings are loaded from, as a source of a content security policy.
    pub(super) fn source(&self) -> String {
        match self {
            Self::Prefix(prefix) => {
                Url::parse(prefix).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
            }
            // A page that was opened as a file has no origin of its own.
            Self::Folder(_) => "'self' file:".to_owned(),
        }
    }
}

/// A path, its end, and both without extension.
fn names(path: &str) -> impl Iterator<Item = &str> {
    let last = path.rsplit('/').next().unwrap_or(path);
    let stem = |name: &'_ str| name.rfind('.').filter(|at| *at > 0).unwrap_or(name.len());
    [path, path.get(..stem(path)).unwrap_or(path), last, last.get(..stem(last)).unwrap_or(last)].into_iter()
}

/// The way from one folder to another, with `/` at its end.
fn relative(from: &Path, to: &Path) -> std::io::Result<String> {
    let from = if from.as_os_str().is_empty() { Path::new(".") } else { from };
    let (from, to): (PathBuf, PathBuf) = (from.canonicalize()?, to.canonicalize()?);
    let shared = from.components().zip(to.components()).take_while(|(one, two)| one == two).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let parts = up.chain(to.components().skip(shared)).map(|part| part.as_os_str().to_string_lossy().into_owned());
    Ok(parts.flat_map(|part| [part, "/".to_owned()]).collect())
}
