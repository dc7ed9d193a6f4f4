//! Finds result files among paths, and names them for the tables.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::WalkDir;

use super::remote::{OpenRemote, Remote, RemoteFolder};
use super::{OtherFiles, ParseError, SourceFormat, Transcript, read_as};
use crate::error::reason;
use crate::named_file::{FileKind, NamedFile};

/// Start of our own `report.json`, so that it is not taken for a result.
pub(crate) const REPORT_FORMAT: &str = "talkmeter report";

/// Start of the manifest of a shard.
pub(crate) const SHARD_FORMAT: &str = "talkmeter shard";

/// The name of our own `datapackage.json`, with which it begins.
pub(crate) const PACKAGE_NAME: &str = "talkmeter-tables";

/// One result file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Input {
    /// Its path; its address if it is in a remote folder.
    pub path: Box<Path>,
    /// The format that the user named; `None` = told by its structure.
    pub format: Option<SourceFormat>,
    name: Name,
    /// `None` = it is a local file.
    remote: Option<Box<Remote>>,
}

/// A name in the tables. There may be a million: a text of its own for each would double what they take.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    /// This many bytes at the end of the path.
    End(u32),
    Own(Box<str>),
}

impl Name {
    fn new(name: &str, path: &Path) -> Self {
        let is_end = path.to_str().is_some_and(|path| path.ends_with(name));
        match u32::try_from(name.len()) {
            Ok(length) if is_end => Self::End(length),
            _ => Self::Own(name.into()),
        }
    }
}

impl Input {
    /// A local file.
    #[cfg(all(test, feature = "analytics"))]
    pub(crate) fn local(file: &str, path: PathBuf) -> Self {
        Self::new(file, path, None)
    }

    fn new(name: &str, path: PathBuf, remote: Option<Box<Remote>>) -> Self {
        Self { name: Name::new(name, &path), path: path.into(), format: None, remote }
    }

    /// Its name in the tables (definitions: file name): the path below the folder that was given, `/`-separated; for a
    /// file argument the file name; both as given where two inputs would bear one name. Bytes that are no UTF-8 become
    /// U+FFFD.
    #[must_use]
    pub fn file(&self) -> &str {
        match &self.name {
            Name::Own(name) => name,
            Name::End(length) => {
                let path = self.path.as_os_str().as_encoded_bytes();
                let end = path.split_at_checked(path.len().saturating_sub(*length as usize));
                end.and_then(|(_, end)| std::str::from_utf8(end).ok()).unwrap_or_default()
            }
        }
    }

    /// Says which files are read next, so that remote ones are requested ahead.
    #[cfg(feature = "analytics")]
    pub(crate) fn expect<'i>(inputs: impl Iterator<Item = &'i Self>) {
        let mut folders: Vec<(&Arc<dyn RemoteFolder>, Vec<usize>)> = Vec::new();
        for Remote { folder, number } in inputs.filter_map(|input| input.remote.as_deref()) {
            match folders.iter_mut().find(|(known, _)| Arc::ptr_eq(known, folder)) {
                Some((_, numbers)) => numbers.push(*number),
                None => folders.push((folder, vec![*number])),
            }
        }
        folders.into_iter().for_each(|(folder, numbers)| folder.expect(numbers));
    }

    /// Its length in bytes, as far as is known: a file that cannot be opened is reported when it is read.
    #[must_use]
    pub fn size(&self) -> u64 {
        match &self.remote {
            Some(remote) => remote.size(),
            None => fs::metadata(&self.path).map_or(0, |metadata| metadata.len()),
        }
    }

    /// Replaces the content of `buffer` by that of the file.
    ///
    /// # Errors
    /// When it is missing, no regular file, larger than a result file may be (1 GB), or cannot be read.
    pub fn read_into(&self, buffer: &mut Vec<u8>) -> io::Result<()> {
        buffer.clear();
        match &self.remote {
            Some(remote) => {
                FileKind::Transcript.check_size(remote.size())?;
                remote.folder.read(remote.number, buffer)
            }
            None => NamedFile::open(&self.path, FileKind::Transcript)?.read_to_end(buffer).map(drop),
        }
    }

    /// Its content.
    ///
    /// # Errors
    /// As [`read_into`](Self::read_into).
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read_into(&mut bytes)?;
        Ok(bytes)
    }

    /// Its name in the tables without the ending of a transcript.
    #[must_use]
    pub fn stem(&self) -> &str {
        without_ending(self.file()).unwrap_or(self.file())
    }

    /// The transcript in its bytes.
    ///
    /// # Errors
    /// As [`read`](super::read), or [`SourceFormat::read`] where its format is named.
    pub fn parse<'b>(&self, bytes: &'b [u8]) -> Result<Transcript<'b>, ParseError> {
        read_as(self.format, &self.path, bytes)
    }
}

/// Endings of transcripts. Those that are not JSON are read in any case.
const ENDINGS: [&str; 8] = ["json", "whisper.json", "seglst.json", "ctm", "rttm", "srt", "stm", "vtt"];

/// The name of a transcript without its ending.
fn without_ending(name: &str) -> Option<&str> {
    let has = |ending: &'static str| {
        let (stem, found) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
        let is_same = if ending.ends_with("json") { found == ending } else { found.eq_ignore_ascii_case(ending) };
        let stem = stem.strip_suffix('.').filter(|_| is_same)?;
        (!stem.is_empty() && !stem.ends_with('/')).then_some(stem)
    };
    // `call.whisper.json` ends in two of them.
    ENDINGS.into_iter().filter_map(has).min_by_key(|stem| stem.len())
}

/// Whether a walk takes the file for a transcript. Beside `call.json`, a `call.srt` is of the same call.
pub(crate) fn is_transcript(path: &Path, is_file: IsFile<'_>) -> bool {
    let Some(name) = path.file_name() else { return false };
    let name = name.to_string_lossy();
    name.ends_with(".json") || without_ending(&name).is_some() && !is_file(&path.with_extension("json"))
}

/// Whether there is a file at a path, beside the one in question.
pub type IsFile<'a> = &'a dyn Fn(&Path) -> bool;

/// Whether a walk over a folder takes a file.
pub type Wanted = fn(&Path, IsFile<'_>) -> bool;

/// A path that is skipped without being opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Excluded {
    /// The path, as given or found.
    pub path: PathBuf,
    /// Why, in one lowercase clause.
    pub why: String,
}

/// The result files found among some paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inputs {
    /// Sorted by the bytes of `file`; each real path once.
    pub files: Vec<Input>,
    /// Missing paths, broken links, pipes and such.
    pub excluded: Vec<Excluded>,
    /// Files in the folders with other endings.
    pub others: OtherFiles,
}

impl Inputs {
    /// Finds the files among paths: files as given, and transcripts below folders, by their endings (definitions: result
    /// file, file name).
    ///
    /// A folder with a `ledger.jsonl` is read as its `results/`. Links to folders are not followed; the folder `output` and
    /// a `report.json` and a `datapackage.json` of our own are skipped.
    #[must_use]
    pub fn find<P: AsRef<Path>>(paths: &[P], output: Option<&Path>) -> Self {
        Self::find_where(is_transcript, paths, output, &|_| None)
    }

    /// The same for the files below folders that `wanted` accepts, in local folders and those that `remote` opens.
    #[must_use]
    pub fn find_where<P: AsRef<Path>>(
        wanted: Wanted,
        paths: &[P],
        output: Option<&Path>,
        remote: OpenRemote<'_>,
    ) -> Self {
        let real_output = output.and_then(|path| fs::canonicalize(path).ok());
        let mut search = Search {
            wanted,
            output: real_output,
            found: Vec::new(),
            excluded: Vec::new(),
            others: OtherFiles::default(),
        };
        for path in paths.iter().map(AsRef::as_ref) {
            match remote(path) {
                None => search.argument(path),
                Some(Ok(folder)) => search.remote(&folder, output),
                Some(Err(error)) => search.exclude(path, &reason(&error)),
            }
        }
        search.finish()
    }

    /// Says which form all files have.
    #[must_use]
    pub fn in_format(mut self, format: Option<SourceFormat>) -> Self {
        self.files.iter_mut().for_each(|input| input.format = format);
        self
    }
}

struct Search {
    wanted: Wanted,
    /// The real path of the output folder.
    output: Option<PathBuf>,
    /// With the hash of the real path: all paths together are large. The name is the path below the root argument, or the
    /// file's own; the path is the argument as given, joined with it.
    found: Vec<([u8; 16], Input)>,
    excluded: Vec<Excluded>,
    others: OtherFiles,
}

impl Search {
    fn argument(&mut self, path: &Path) {
        match fs::metadata(path) {
            Err(error) => self.exclude(path, &reason(&error)),
            Ok(metadata) if metadata.is_dir() => {
                if path.join("ledger.jsonl").is_file() {
                    self.folder(&path.join("results"));
                } else {
                    self.folder(path);
                }
            }
            Ok(metadata) if metadata.is_file() => {
                let name = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
                self.local(path, &name, fs::canonicalize(path));
            }
            Ok(_) => self.exclude(path, "not a regular file"),
        }
    }

    fn folder(&mut self, root: &Path) {
        let real_root = match fs::canonicalize(root) {
            Ok(real) => real,
            Err(error) => return self.exclude(root, &reason(&error)),
        };
        // Links to folders are not followed, so an entry's real path is the root's plus the relative path.
        let real = |path: &Path| path.strip_prefix(root).map_or_else(|_| path.to_owned(), |way| real_root.join(way));
        let output = self.output.clone();
        let walk = WalkDir::new(root).into_iter().filter_entry(|entry| {
            entry.depth() == 0
                || !entry.file_type().is_dir()
                || output.as_ref().is_none_or(|output| real(entry.path()) != *output)
        });
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    let why = error.io_error().map_or_else(|| error.to_string(), reason);
                    self.exclude(&path, &why);
                    continue;
                }
            };
            let path = entry.path();
            if entry.file_type().is_dir() {
                continue;
            }
            if !(self.wanted)(path, &Path::is_file) {
                // In a folder that is both read and written to, other files may be from an earlier run.
                if output.as_ref() != Some(&real_root) {
                    self.others.add(path);
                }
                continue;
            }
            let real_path = if entry.path_is_symlink() {
                match fs::metadata(path) {
                    Err(error) => {
                        self.exclude(path, &reason(&error));
                        continue;
                    }
                    Ok(metadata) if metadata.is_dir() => continue,
                    Ok(metadata) if !metadata.is_file() => {
                        self.exclude(path, "not a regular file");
                        continue;
                    }
                    Ok(_) => fs::canonicalize(path),
                }
            } else if entry.file_type().is_file() {
                Ok(real(path))
            } else {
                self.exclude(path, "not a regular file");
                continue;
            };
            if is_own(path, || fs::File::open(path)) {
                continue;
            }
            let way = path.strip_prefix(root).unwrap_or(path);
            let relative =
                way.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
            self.local(path, &relative, real_path);
        }
    }

    /// The files of a remote folder, as those of a local one.
    fn remote(&mut self, folder: &Arc<dyn RemoteFolder>, output: Option<&Path>) {
        let (root, files) = (folder.root(), folder.files());
        let holds = |name: &str| files.binary_search_by(|file| file.name.as_str().cmp(name)).is_ok();
        let is_file = |path: &Path| path.strip_prefix(root).is_ok_and(|way| way.to_str().is_some_and(holds));
        let results = if holds("ledger.jsonl") { "results/" } else { "" };
        let is_output = output == Some(root);
        let mut taken = Vec::new();
        for (number, file) in files.iter().enumerate() {
            let Some(relative) = file.name.strip_prefix(results) else { continue };
            let path = root.join(&file.name);
            if !is_output && output.is_some_and(|output| path.starts_with(output)) {
                continue;
            }
            if !folder.is_single() && !(self.wanted)(&path, &is_file) {
                // As above; an empty object may stand for a folder.
                if !is_output && file.size > 0 {
                    self.others.add(&path);
                }
                continue;
            }
            let content = || {
                let mut head = Vec::new();
                FileKind::Report.check_size(file.size)?;
                folder.read(number, &mut head).map(|()| io::Cursor::new(head))
            };
            if !folder.is_single() && is_own(&path, content) {
                continue;
            }
            taken.push(number);
            let remote = Some(Box::new(Remote { folder: Arc::clone(folder), number }));
            self.add(Input::new(relative, path.clone(), remote), &path);
        }
        if files.is_empty() {
            self.exclude(root, "nothing has this name or prefix");
        }
        folder.expect(taken);
    }

    fn local(&mut self, given: &Path, name: &str, real: io::Result<PathBuf>) {
        match real {
            Ok(real) => self.add(Input::new(name, given.to_owned(), None), &real),
            Err(error) => self.exclude(given, &reason(&error)),
        }
    }

    fn add(&mut self, input: Input, real: &Path) {
        let hash = *blake3::hash(real.as_os_str().as_encoded_bytes()).as_bytes();
        self.found.push((std::array::from_fn(|at| hash[at]), input));
    }

    fn exclude(&mut self, path: &Path, why: &str) {
        self.excluded.push(Excluded { path: path.to_owned(), why: why.to_owned() });
    }

    fn finish(self) -> Inputs {
        let name = |one: &Input, two: &Input| (one.file(), &one.path).cmp(&(two.file(), &two.path));
        let mut found = self.found;
        found.sort_unstable_by(|one, two| one.0.cmp(&two.0).then_with(|| name(&one.1, &two.1)));
        found.dedup_by(|one, two| one.0 == two.0);
        let mut files: Vec<Input> = found.into_iter().map(|(_, input)| input).collect();
        // The list takes over the room of the hashes.
        files.shrink_to_fit();
        files.sort_unstable_by(name);
        for same in files.chunk_by_mut(|one, two| one.file() == two.file()).filter(|same| same.len() > 1) {
            for input in same {
                input.name = Name::new(&input.path.to_string_lossy(), &input.path);
            }
        }
        files.sort_unstable_by(name);
        let mut excluded = self.excluded;
        excluded.sort_unstable_by(|one, two| one.path.cmp(&two.path));
        excluded.dedup();
        Inputs { files, excluded, others: self.others }
    }
}

/// Whether a file is written by an analysis: what its tables hold, its report, or the manifest of a shard.
pub(crate) fn is_own<R: Read>(path: &Path, open: impl FnOnce() -> io::Result<R>) -> bool {
    let mark = match path.file_name().and_then(|name| name.to_str()) {
        Some("report.json") => REPORT_FORMAT,
        Some("datapackage.json") => PACKAGE_NAME,
        _ if path.parent().is_some_and(|folder| folder.ends_with("shards")) => SHARD_FORMAT,
        _ => return false,
    };
    let mut head = Vec::new();
    let read = open().and_then(|content| content.take(64).read_to_end(&mut head));
    read.is_ok() && String::from_utf8_lossy(&head).contains(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(inputs: &Inputs) -> Vec<&str> {
        inputs.files.iter().map(Input::file).collect()
    }

    #[test]
    fn a_folder_names_its_files_from_itself_and_a_file_is_its_name() {
        let scene = tempfile::tempdir().unwrap();
        let at = |way: &str| scene.path().join(way);
        fs::create_dir_all(at("calls/may")).unwrap();
        for way in ["calls/may/b.json", "calls/a.json", "calls/.hidden.json", "calls/notes.txt", "calls/UPPER.JSON"] {
            fs::write(at(way), "{}").unwrap();
        }
        assert_eq!(names(&Inputs::find(&[at("calls")], None)), [".hidden.json", "a.json", "may/b.json"]);
        assert_eq!(
            names(&Inputs::find(&[at("calls/may/b.json"), at("calls/notes.txt")], None)),
            ["b.json", "notes.txt"]
        );
        // The same real path once, under the smallest name.
        assert_eq!(names(&Inputs::find(&[at("calls"), at("calls/may")], None)), [".hidden.json", "a.json", "b.json"]);
    }

    #[test]
    fn two_files_of_one_name_keep_the_paths_they_were_given_by() {
        let scene = tempfile::tempdir().unwrap();
        for folder in ["one", "two"] {
            fs::create_dir(scene.path().join(folder)).unwrap();
            fs::write(scene.path().join(folder).join("call.json"), "{}").unwrap();
        }
        fs::write(scene.path().join("two/other.json"), "{}").unwrap();
        let (one, two) = (scene.path().join("one"), scene.path().join("two"));
        let inputs = Inputs::find(&[&two, &one], None);
        let given = |folder: &Path| folder.join("call.json").to_string_lossy().into_owned();
        assert_eq!(names(&inputs), [&*given(&one), &*given(&two), "other.json"]);
    }

    #[test]
    fn the_output_folder_and_our_own_report_are_left_out() {
        let scene = tempfile::tempdir().unwrap();
        let at = |way: &str| scene.path().join(way);
        fs::create_dir_all(at("out")).unwrap();
        fs::write(at("call.json"), "{}").unwrap();
        fs::write(at("out/other.json"), "{}").unwrap();
        fs::write(at("report.json"), format!("{{\n  \"format\": \"{REPORT_FORMAT}\"\n}}")).unwrap();
        assert_eq!(names(&Inputs::find(&[scene.path()], Some(&at("out")))), ["call.json"]);
    }

    #[test]
    fn a_transcribe_folder_is_read_as_its_results() {
        let scene = tempfile::tempdir().unwrap();
        fs::create_dir(scene.path().join("results")).unwrap();
        fs::write(scene.path().join("ledger.jsonl"), "").unwrap();
        fs::write(scene.path().join("other.json"), "{}").unwrap();
        fs::write(scene.path().join("results/1-a.json"), "{}").unwrap();
        assert_eq!(names(&Inputs::find(&[scene.path()], None)), ["1-a.json"]);
    }
}
