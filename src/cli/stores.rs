//! Object stores at the command line: access by the environment, tables written to a store and read from one.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use clap::builder::{PathBufValueParser, TypedValueParser};

use super::output::{Console, Failure, chain};
use super::{Exit, advice};
use crate::disk::TemporaryFolder;
use crate::error::{Error, Result};
use crate::report::number::{bytes, counted};
use crate::stores::{StoreFolder, StoreUrl, Stores};
use crate::tables::Shards;
use crate::transcript::{RemoteFile, RemoteFolder};

/// The store folder that a path means; `None` for a local path.
pub(super) fn folder(path: &Path) -> Option<Result<StoreFolder>> {
    let text = path.to_str().filter(|text| StoreUrl::is_meant(text))?;
    Some(text.parse().and_then(|url| stores()?.folder(url)))
}

/// The stores that the environment gives access to.
#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
pub(super) fn stores() -> Result<&'static Arc<Stores>> {
    static STORES: OnceLock<Arc<Stores>> = OnceLock::new();
    if let Some(stores) = STORES.get() {
        return Ok(stores);
    }
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        let is_read = Stores::PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        is_read.then_some(())?;
        Some((name, value.into_string().ok()?))
    });
    let stores = Arc::new(Stores::new(variables)?);
    Ok(STORES.get_or_init(|| stores))
}

/// Opens a folder of result files in a store; `None` for a local path.
pub(super) fn open(path: &Path) -> Option<io::Result<Arc<dyn RemoteFolder>>> {
    let listed = folder(path)?.and_then(|folder| folder.list());
    Some(match listed {
        Ok(listed) => Ok(Arc::new(listed)),
        // The path stands in front of the reason.
        Err(error) => Err(io::Error::other(error.source().map_or_else(|| error.to_string(), ToString::to_string))),
    })
}

/// What to do about a store's refusal.
pub(super) fn hint(path: &Path, why: &str) -> Option<&'static str> {
    path.to_str().filter(|text| StoreUrl::is_meant(text)).and_then(|_| advice::for_store(why))
}

/// Reports an error of a store, with a hint.
pub(super) fn failed(error: &Error, console: &Console) -> Failure {
    let line = chain(error);
    console.error(&line);
    if let Some(hint) = advice::for_store(&line) {
        console.say(&format!("hint: {hint}"));
    }
    Failure::Reported(Exit::Failed)
}

/// The value of a flag that names a local path.
pub(super) fn local_path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.to_str() {
        Some(text) if StoreUrl::is_meant(text) => Err("an object store: only `analyze` writes to one"),
        _ => Ok(path),
    })
}

/// A folder that a command writes to: a local one, or one in a store, for which files are gathered in a temporary folder and
/// uploaded at the end.
#[derive(Debug)]
pub(super) struct Destination {
    given: PathBuf,
    store: Option<(StoreFolder, TemporaryFolder)>,
    /// What was in the store before.
    before: BTreeSet<String>,
}

impl Destination {
    /// Access to a store is tried at once, not after the work.
    pub(super) fn new(given: PathBuf, console: &Console) -> Result<Self, Failure> {
        let Some(folder) = folder(&given) else { return Ok(Self { given, store: None, before: BTreeSet::new() }) };
        let listed = folder.and_then(|folder| Ok((folder.list()?, folder)));
        let (listed, folder) = listed.map_err(|error| failed(&error, console))?;
        if listed.is_single() {
            return Err(Failure::Usage(format!("{}: an object, not a folder", given.display())));
        }
        let before = listed.files().iter().map(|RemoteFile { name, .. }| name.clone()).collect();
        Ok(Self { given, store: Some((folder, TemporaryFolder::create()?)), before })
    }

    /// As the user wrote it.
    pub(super) fn given(&self) -> &Path {
        &self.given
    }

    /// Whether it is in an object store.
    pub(super) fn is_store(&self) -> bool {
        self.store.is_some()
    }

    /// Whether a store has tables in shards there.
    pub(super) fn has_shards(&self) -> bool {
        self.is_store() && Shards::are_among(self.before.iter().map(String::as_str))
    }

    /// The local folder to write to.
    pub(super) fn local(&self) -> &Path {
        self.store.as_ref().map_or(&self.given, |(_, gathered)| gathered.path())
    }

    /// Whether a file was there before.
    pub(super) fn had(&self, name: &str) -> bool {
        match self.store {
            Some(_) => self.before.contains(name),
            None => self.given.join(name).is_file(),
        }
    }

    /// Uploads what was gathered for a store.
    pub(super) fn upload(&self, console: &Console) -> Result<(), Failure> {
        let Some((store, gathered)) = &self.store else { return Ok(()) };
        let bar = console.progress_of_bytes(0);
        let sent = store.upload_all(gathered.path(), &mut |sent, of| {
            bar.set_length(of);
            bar.inc(sent);
        });
        bar.finish_and_clear();
        let sent = sent.map_err(|error| failed(&error, console))?;
        if console.verbose() {
            console.say(&format!("{} uploaded: {}", counted(sent.files, "file"), bytes(sent.bytes)));
        }
        Ok(())
    }
}

/// Folders of tables on disk: those in stores are copied to a temporary folder, which lasts as long as this value.
#[derive(Debug)]
pub(super) struct TableFolders {
    pub(super) paths: Vec<PathBuf>,
    _copies: Option<TemporaryFolder>,
}

impl TableFolders {
    pub(super) fn new(given: &[PathBuf], console: &Console) -> Result<Self, Failure> {
        let mut copies = None;
        let mut paths = Vec::with_capacity(given.len());
        for (place, path) in given.iter().enumerate() {
            let Some(folder) = folder(path) else {
                paths.push(path.clone());
                continue;
            };
            let folder = folder.map_err(|error| failed(&error, console))?;
            let copies: &mut TemporaryFolder = match &mut copies {
                Some(copies) => copies,
                none => none.insert(TemporaryFolder::create()?),
            };
            // Calls of several folders are named after the ends of their paths.
            let url = folder.url();
            let to = copies.path().join(place.to_string()).join(url.bucket()).join(url.key());
            let is_read = |name: &str| [".parquet", ".csv", ".jsonl", ".json"].iter().any(|end| name.ends_with(end));
            let copied = folder.download(&to, is_read).map_err(|error| failed(&error, console))?;
            if copied.files == 0 {
                return Err(Failure::Usage(format!("no tables in {url}")));
            }
            console.is_copy(&to, &url.to_string());
            paths.push(to);
        }
        Ok(Self { paths, _copies: copies })
    }
}
