//! Arguments and lists → recordings to transcribe, each recording once. Nothing is sent or uploaded here, and
//! a request with anything wrong in it is refused as a whole.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::Url;
use walkdir::WalkDir;

use super::columns::Columns;
use super::identity::{self, FileStamp, Identities};
use super::problems::Problems;
use super::source::Source;
use crate::error::reason;
use crate::named_file::{FileKind, NamedFile};
use crate::sheet::{Cells, ID, LIST, RECORDING, Row, Sheet};
use crate::transcript::OtherFiles;

/// Extensions of recordings in a folder, in any case: those that the service lists.
pub const AUDIO_EXTENSIONS: [&str; 17] = [
    "aac", "amr", "avi", "flac", "flv", "m4a", "mkv", "mov", "mp3", "mp4", "mpeg", "ogg", "opus", "wav", "webm", "wma",
    "wmv",
];

/// How many recordings that were given more than once are named.
const SHOWN_TWICE: usize = 10;
/// How many cells of a list that are no lengths are named.
const UNCLEAR_SHOWN: u64 = 5;

/// One recording to be transcribed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recording {
    /// Where it is.
    pub source: Source,
    /// Identifies it in this run and the next: the id that its list gives it, else its address without the parameters
    /// of a signature, or the real path of a file. No two recordings of a manifest share it. Not to be printed.
    pub key: Arc<str>,
    /// The id that its list gives it.
    pub id: Option<Arc<str>>,
    /// The other columns of its row in the list.
    pub(super) columns: Option<Columns>,
    /// The address as sent, or the real path of a file as a `file://` URL.
    pub(super) location: Arc<str>,
    /// Shows whether a file is unchanged.
    pub(super) stamp: Option<FileStamp>,
    /// For its result file, `<n>-<name>.json`: at most 80 bytes of letters, marks, digits, `.`, `_`, `-`. Two recordings
    /// may share it.
    pub name: String,
    /// The tracks to request, from 0, each of which is billed; `None` = those of the batch. A recording that the batch already has
    /// keeps its tracks.
    pub channels: Option<Vec<u32>>,
    /// Tracks that sound the same as a requested one; they do not count as left out.
    pub repeated: Vec<u32>,
    /// Length in ms, of a local file by its headers, else as its list says; `None` = not known.
    pub duration_ms: Option<u64>,
    /// Sample rate of a local file; `None` = not known.
    pub sample_rate_hz: Option<u32>,
    /// Extension by which the service knows the content of a local file; `None` = not known.
    pub extension: Option<&'static str>,
    /// Why a local file cannot be transcribed, in one clause.
    pub problem: Option<String>,
    /// How much less a local file holds than its header promises, in one clause.
    pub shortfall: Option<String>,
}

impl Recording {
    /// The real path of a local file.
    pub(super) fn path(&self) -> Option<PathBuf> {
        match self.source {
            Source::File(_) => Url::parse(&self.location).ok()?.to_file_path().ok(),
            Source::Url(_) | Source::Oss(_) => None,
        }
    }
}

/// The recordings to transcribe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// In the order given, a folder's files in byte order of their paths, each recording once and at least one.
    pub recordings: Vec<Recording>,
    /// Lines for people: what a folder holds, what was given twice. They contain no query of a signed URL; control
    /// characters are as received.
    pub notes: Vec<String>,
}

/// Builds a manifest; collects what is wrong until [`ManifestBuilder::finish`].
///
/// ```
/// use talkmeter::batch::ManifestBuilder;
///
/// let list = "id,url\n1,https://calls.example/a.wav\n2,https://calls.example/b%20c.wav\n3,https://calls.example/a.wav\n";
/// let mut builder = ManifestBuilder::default();
/// builder.list("calls.csv", list.as_bytes());
/// let manifest = builder.finish()?;
/// let names: Vec<&str> = manifest.recordings.iter().map(|recording| &*recording.name).collect();
/// assert_eq!(names, ["a", "b_c"]);
/// assert_eq!(manifest.notes, ["given twice: https://calls.example/a.wav"]);
///
/// let mut builder = ManifestBuilder::default();
/// builder.list("-", &b"https://calls.example/a.wav\nftp://calls.example/b.wav\n"[..]);
/// let problems = builder.finish().unwrap_err();
/// assert!(problems.list()[0].message.starts_with("stdin line 2: ftp://calls.example/b.wav: "));
/// # Ok::<(), talkmeter::batch::Problems>(())
/// ```
#[derive(Debug, Default)]
pub struct ManifestBuilder {
    recordings: Vec<Recording>,
    /// How often each recording was given.
    times: Vec<u64>,
    identities: Identities,
    notes: Vec<String>,
    problems: Problems,
}

/// The line of a list that names something; an argument has none.
#[derive(Clone, Copy)]
struct Line<'a> {
    list: &'a str,
    number: u64,
    id: Option<&'a str>,
    cells: Option<&'a Cells>,
    duration_ms: Option<u64>,
}

impl ManifestBuilder {
    /// An argument of the command line: a URL, a file, or a folder that is walked.
    ///
    /// A folder's recordings are its files with one of [`AUDIO_EXTENSIONS`], at any depth, without `._…` (macOS writes such
    /// shadows of files); links to folders are not followed.
    pub fn argument(&mut self, given: &OsStr) {
        match given.to_str() {
            Some(text) => self.text(None, text),
            None => self.path(None, PathBuf::from(given)),
        }
    }

    /// A list in a file, named by its path in messages. See [`ManifestBuilder::list`].
    pub fn list_file(&mut self, path: &Path) {
        let name = path.to_string_lossy();
        match NamedFile::open(path, FileKind::List) {
            Ok(file) => self.list(&name, file),
            Err(error) => self.problems.add(|| format!("{name}: {}", reason(&error))),
        }
    }

    /// A list: plain text (one entry per line; blank lines and lines that begin with `#` are skipped), CSV with a column `url`,
    /// `file_url` or `file` (separated by commas, semicolons or tabs; other columns are kept as metadata of the recording), or JSON
    /// lines (strings, or objects with one of these). UTF-8, UTF-16 with a byte order mark, or the encoding that a
    /// detector finds, which is noted.
    ///
    /// The extension of `name` decides which (`.txt`, `.csv`, `.tsv`, `.jsonl`, `.ndjson`), else the first line.
    /// `-` is called stdin. Relative paths in a list are relative to the current directory, wherever the list is. Reading ends
    /// at lines and records over 64 KiB, NUL bytes and invalid text.
    pub fn list(&mut self, name: &str, reader: impl Read) {
        let shown = if name == "-" { "stdin" } else { name };
        let mut is_empty = true;
        let mut unclear = 0;
        let mut sheet = Sheet::new(name, reader, &LIST);
        while let Some(row) = sheet.next_row() {
            is_empty = false;
            let line = |number| Line { list: shown, number, id: None, cells: None, duration_ms: None };
            match row {
                Ok((number, Row::Entry(entry))) => self.text(Some(line(number)), &entry),
                Ok((number, Row::Cells(cells))) => match cells.require(&RECORDING) {
                    Ok(recording) => {
                        let duration_ms = cells.length_ms().unwrap_or_else(|why| {
                            unclear += 1;
                            if unclear <= UNCLEAR_SHOWN {
                                self.notes.push(format!("{shown} line {number}: {why}"));
                            }
                            None
                        });
                        let duration_ms = duration_ms.and_then(|ms| u64::try_from(ms).ok());
                        let line = Line { id: cells.get(&ID), cells: Some(&cells), duration_ms, ..line(number) };
                        self.text(Some(line), recording);
                    }
                    Err(why) => self.refuse(Some(line(number)), &why),
                },
                Err(fault) => self.refuse(Some(line(fault.line)), &fault.why),
            }
        }
        if is_empty {
            self.notes.push(format!("{shown}: names no recording"));
        }
        if unclear > UNCLEAR_SHOWN {
            self.notes.push(format!("{shown}: and {} more that are not lengths", unclear - UNCLEAR_SHOWN));
        }
        self.notes.extend(sheet.notes().into_iter().map(|note| format!("{shown}: {note}")));
    }

    /// The manifest, if nothing is wrong.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, one line each; also if nothing was named.
    pub fn finish(self) -> Result<Manifest, Problems> {
        let Self { recordings, times, mut notes, mut problems, .. } = self;
        if problems.is_empty() && recordings.is_empty() {
            problems.add(|| match notes.first() {
                Some(note) => format!("nothing to transcribe; {note}"),
                None => "nothing to transcribe".to_owned(),
            });
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut repeated = recordings.iter().zip(times).filter(|(_, times)| *times > 1);
        for (recording, times) in repeated.by_ref().take(SHOWN_TWICE) {
            let often = if times == 2 { "twice".to_owned() } else { format!("{times} times") };
            notes.push(format!("given {often}: {}", recording.source.printable()));
        }
        match repeated.count() {
            0 => {}
            more => notes.push(format!("and {more} more given more than once")),
        }
        Ok(Manifest { recordings, notes })
    }

    fn text(&mut self, line: Option<Line<'_>>, text: &str) {
        match Source::parse(text) {
            Err(error) => self.refuse(line, &error.to_string()),
            Ok(Source::File(path)) => self.path(line, path),
            Ok(source) => {
                if let Source::Url(address) | Source::Oss(address) = &source {
                    let location = address.shared();
                    self.add(line, source, location, None);
                }
            }
        }
    }

    fn path(&mut self, line: Option<Line<'_>>, path: PathBuf) {
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => self.folder(line, &path),
            Ok(metadata) if metadata.is_file() => self.file(line, path, &metadata),
            Ok(_) => self.refuse_path(line, &path, "not a regular file"),
            Err(error) => self.refuse_path(line, &path, &reason(&error)),
        }
    }

    fn folder(&mut self, line: Option<Line<'_>>, root: &Path) {
        // An id and a length are those of one recording.
        let line = line.map(|line| Line { id: None, duration_ms: None, ..line });
        let mut found = Vec::new();
        let mut others = OtherFiles::default();
        for entry in WalkDir::new(root) {
            match entry {
                Err(error) => {
                    let why = error.io_error().map_or_else(|| error.to_string(), reason);
                    self.refuse_path(line, error.path().unwrap_or(root), &why);
                }
                Ok(entry) if entry.file_type().is_dir() => {}
                // A link to a folder may be named like a recording.
                Ok(entry) if entry.path_is_symlink() && entry.path().is_dir() => {}
                Ok(entry) if is_recording(entry.path()) => found.push(entry.into_path()),
                Ok(entry) => others.add(entry.path()),
            }
        }
        found.sort_unstable_by(|one, two| one.as_os_str().as_encoded_bytes().cmp(two.as_os_str().as_encoded_bytes()));
        let recordings = match found.len() {
            0 => return self.refuse_path(line, root, "a folder without a recording"),
            1 => "1 recording".to_owned(),
            many => format!("{many} recordings"),
        };
        let others = if others.is_empty() { String::new() } else { format!(", {others} left out") };
        self.notes.push(format!("{}: {recordings}{others}", root.display()));
        for path in found {
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => self.file(line, path, &metadata),
                Ok(_) => self.refuse_path(line, &path, "not a regular file"),
                Err(error) => self.refuse_path(line, &path, &reason(&error)),
            }
        }
    }

    /// Opens a regular file, so that an unreadable one is reported before anything is uploaded.
    fn file(&mut self, line: Option<Line<'_>>, path: PathBuf, metadata: &fs::Metadata) {
        let real = File::open(&path).and_then(|_| fs::canonicalize(&path)).map_err(|error| reason(&error));
        let location = real.and_then(|real| Url::from_file_path(real).map_err(|()| "no path of a file".to_owned()));
        match location {
            Ok(location) => {
                self.add(line, Source::File(path), location.as_str().into(), Some(FileStamp::new(metadata)));
            }
            Err(why) => self.refuse_path(line, &path, &why),
        }
    }

    fn add(&mut self, line: Option<Line<'_>>, source: Source, location: Arc<str>, stamp: Option<FileStamp>) {
        let id = line.and_then(|line| line.id);
        let duration_ms = line.and_then(|line| line.duration_ms);
        let columns = line.and_then(|line| Columns::new(line.cells?.without(&[RECORDING, ID])));
        match self.identities.add(id, &location) {
            Err(why) => self.refuse(line, &format!("{why}: {}", source.printable())),
            Ok(Some(known)) => {
                if let Some(times) = self.times.get_mut(known) {
                    *times += 1;
                }
                if let Some(recording) = self.recordings.get_mut(known) {
                    recording.columns = recording.columns.take().or(columns);
                    recording.duration_ms = recording.duration_ms.or(duration_ms);
                }
            }
            Ok(None) => {
                let (key, name) = (identity::key(id, &location).into(), source.name());
                self.recordings.push(Recording {
                    source,
                    key,
                    id: id.map(Arc::from),
                    columns,
                    location,
                    stamp,
                    name,
                    channels: None,
                    repeated: Vec::new(),
                    duration_ms,
                    sample_rate_hz: None,
                    extension: None,
                    problem: None,
                    shortfall: None,
                });
                self.times.push(1);
            }
        }
    }

    fn refuse_path(&mut self, line: Option<Line<'_>>, path: &Path, why: &str) {
        self.refuse(line, &format!("{}: {why}", shortened(&path.to_string_lossy())));
    }

    fn refuse(&mut self, line: Option<Line<'_>>, why: &str) {
        self.problems.add(|| match line {
            Some(line) => format!("{} line {}: {why}", line.list, line.number),
            None => why.to_owned(),
        });
    }
}

fn is_recording(path: &Path) -> bool {
    let is_shadow = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"._"));
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    !is_shadow && AUDIO_EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// The longest path of the system, which is less than the 64 KiB of a line in a list.
fn shortened(path: &str) -> String {
    match path.char_indices().nth(1000) {
        Some((at, _)) => format!("{}…", path.get(..at).unwrap_or_default()),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argued<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Result<Manifest, Problems> {
        let mut builder = ManifestBuilder::default();
        for argument in arguments {
            builder.argument(argument.as_ref());
        }
        builder.finish()
    }

    fn listed(name: &str, list: &str) -> Result<Manifest, Problems> {
        let mut builder = ManifestBuilder::default();
        builder.list(name, list.as_bytes());
        builder.finish()
    }

    fn given(manifest: &Manifest) -> Vec<String> {
        manifest.recordings.iter().map(|recording| recording.source.given().into_owned()).collect()
    }

    #[test]
    fn a_recording_given_twice_is_one_item_and_said() {
        let manifest = listed(
            "-",
            "https://h/a b.wav?sig=1\nHTTPS://H/a%20b.wav?sig=1\nhttps://h/c.wav\nhttps://h/c.wav\nhttps://h:443/c.wav\nhttps://h/d.wav",
        )
        .unwrap();
        assert_eq!(given(&manifest), ["https://h/a b.wav?sig=1", "https://h/c.wav", "https://h/d.wav"]);
        assert_eq!(manifest.notes, ["given twice: https://h/a b.wav?…", "given 3 times: https://h/c.wav"]);
        assert_eq!(&*manifest.recordings[0].key, "https://h/a%20b.wav?sig=1");
    }

    #[test]
    fn ten_repetitions_are_named_and_the_others_counted() {
        let once: String = (0..14).map(|n| format!("https://h/{n}.wav\n")).collect();
        let manifest = listed("list.txt", &once.repeat(2)).unwrap();
        assert_eq!((manifest.recordings.len(), manifest.notes.len()), (14, 11));
        assert_eq!(manifest.notes[10], "and 4 more given more than once");
    }

    #[test]
    fn everything_wrong_is_said_at_once_with_file_and_line() {
        let mut builder = ManifestBuilder::default();
        builder.argument("s3://bucket/a.wav".as_ref());
        builder.argument("https://h/good.wav".as_ref());
        builder.list("calls.csv", &b"id,url\n1,https://h/b.wav\n2,\n3,/no/such/call.wav\n"[..]);
        builder.list("-", &b"https://me:pw@h/a.wav\n"[..]);
        builder.list_file(Path::new("/no/such/list.txt"));
        builder.list_file(Path::new("/"));
        let problems = builder.finish().unwrap_err();
        let lines: Vec<&str> =
            problems.list().iter().map(|problem| problem.message.split("; ").next().unwrap()).collect();
        assert_eq!(
            lines,
            [
                "s3://bucket/a.wav: the service cannot fetch s3: addresses",
                "calls.csv line 3: `url` is empty",
                "calls.csv line 4: /no/such/call.wav: no such file",
                "stdin line 1: https://h/a.wav: a user name or password in a URL would end up in the ledger",
                "/no/such/list.txt: no such file",
                "/: it is a folder"
            ]
        );
    }

    #[test]
    fn nothing_to_transcribe_is_a_problem() {
        assert_eq!(argued([""; 0]).unwrap_err().to_string(), "nothing to transcribe");
        assert_eq!(
            listed("night.txt", "# nobody called\n").unwrap_err().to_string(),
            "nothing to transcribe; night.txt: names no recording"
        );
    }

    #[test]
    fn a_folder_is_its_recordings_in_byte_order() {
        let scene = tempfile::tempdir().unwrap();
        let at = |way: &str| scene.path().join(way);
        fs::create_dir_all(at("calls/a")).unwrap();
        for way in ["calls/b.MP3", "calls/a/2.wav", "calls/a.wav", "calls/notes.txt", "calls/._a.wav", "calls/客.opus"]
        {
            fs::write(at(way), "x").unwrap();
        }
        let manifest = argued([at("calls"), at("calls/a/2.wav")]).unwrap();
        let names: Vec<&str> = manifest.recordings.iter().map(|recording| &*recording.name).collect();
        assert_eq!(names, ["a", "2", "b", "客"]);
        assert_eq!(
            manifest.notes[0],
            format!("{}: 4 recordings, 1 other file (1 .txt) left out", at("calls").display())
        );
        assert_eq!(manifest.notes[1], format!("given twice: {}", at("calls/a/2.wav").display()));
        assert!(
            manifest.recordings[3].key.starts_with("file:///")
                && manifest.recordings[3].key.ends_with("/calls/%E5%AE%A2.opus")
        );

        fs::create_dir(at("empty")).unwrap();
        let problem = argued([at("empty")]).unwrap_err().to_string();
        assert_eq!(problem, format!("{}: a folder without a recording", at("empty").display()));
    }

    #[cfg(unix)]
    #[test]
    fn one_file_under_many_names_is_one_item() {
        use std::os::unix::ffi::OsStrExt;

        let scene = tempfile::tempdir().unwrap();
        let at = |way: &str| scene.path().join(way);
        fs::create_dir(at("calls")).unwrap();
        fs::write(at("calls/a.wav"), "x").unwrap();
        std::os::unix::fs::symlink(at("calls/a.wav"), at("link.wav")).unwrap();
        std::os::unix::fs::symlink(at("calls"), at("calls/loop.wav")).unwrap();
        let url = Url::from_file_path(at("calls/a.wav")).unwrap();
        let arguments = [at("calls"), at("calls/../link.wav"), url.as_str().into()];
        let manifest = argued(&arguments).unwrap();
        assert_eq!(manifest.recordings.len(), 1);
        assert!(manifest.notes[1].starts_with("given 3 times: "), "{:?}", manifest.notes);

        // Files whose names are not UTF-8 are files like any other, and differ from each other.
        let odd = [&b"\xff.wav"[..], &b"\xfe.wav"[..]].map(|name| scene.path().join(OsStr::from_bytes(name)));
        for path in &odd {
            fs::write(path, "x").unwrap();
        }
        let manifest = argued(&odd).unwrap();
        assert_eq!(manifest.recordings.iter().map(|recording| &*recording.name).collect::<Vec<_>>(), ["_", "_"]);
        assert!(manifest.recordings[0].key.ends_with("/%FF.wav"));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_refused_unopened() {
        let scene = tempfile::tempdir().unwrap();
        let broken = scene.path().join("broken.wav");
        std::os::unix::fs::symlink("/no/such/call", &broken).unwrap();
        let said = |path: &Path| argued([path]).unwrap_err().to_string();
        assert_eq!(said(Path::new("/dev/null")), "/dev/null: not a regular file");
        assert_eq!(said(&broken), format!("{}: no such file", broken.display()));
        assert_eq!(said(scene.path()), format!("{}: no such file", broken.display()));
        // Opening a socket could block.
        let socket = scene.path().join("call.wav");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(said(&socket), format!("{}: not a regular file", socket.display()));
    }

    #[test]
    fn a_list_names_paths_from_the_current_directory_and_folders_too() {
        let scene = tempfile::tempdir().unwrap();
        let at = |way: &str| scene.path().join(way);
        fs::create_dir(at("calls")).unwrap();
        fs::write(at("calls/a.wav"), "x").unwrap();
        fs::write(at("list.txt"), format!("{}\nCargo.toml\n", at("calls").display())).unwrap();
        let mut builder = ManifestBuilder::default();
        builder.list_file(&at("list.txt"));
        let manifest = builder.finish().unwrap();
        assert_eq!(manifest.recordings.iter().map(|recording| &*recording.name).collect::<Vec<_>>(), ["a", "Cargo"]);
    }

    #[test]
    fn many_lines_are_read_once_each() {
        // Anything quadratic would take too long.
        let list: String = (0..200_000).map(|n| format!("https://calls.example/{}.wav\n", n % 150_000)).collect();
        let manifest = listed("-", &list).unwrap();
        assert_eq!((manifest.recordings.len(), manifest.notes.len()), (150_000, 11));
        let list: String = (0..200_000).map(|n| format!("ftp://calls.example/{n}.wav\n")).collect();
        let problems = listed("-", &list).unwrap_err();
        assert_eq!((problems.list().len(), problems.further()), (20, 199_980));
    }
}
