//! A prefix as a folder of result files, with requests ahead of the reader.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::TryStreamExt as _;
use object_store::ObjectStoreExt as _;

use super::failure::reason;
use super::network::ENDED;
use super::{StoreFolder, StoreUrl};
use crate::error::Result;
use crate::transcript::{RemoteFile, RemoteFolder};

/// Objects that are requested ahead, and their bytes. One that is larger is requested when it is read.
const MOST_AHEAD: usize = 64;
const MOST_BYTES_AHEAD: u64 = 32 << 20;

/// The objects below a prefix at the time they were listed.
pub struct ObjectFolder {
    store: StoreFolder,
    root: PathBuf,
    is_single: bool,
    /// Sorted by name.
    files: Vec<RemoteFile>,
    ahead: Mutex<Ahead>,
}

/// Requests that were begun before they were asked for.
#[derive(Default)]
struct Ahead {
    /// Files that will be read, in order.
    expected: Vec<usize>,
    /// The place of the next among them.
    next: usize,
    begun: HashMap<usize, Receiver<io::Result<bytes::Bytes>>>,
    /// Sizes of those begun.
    bytes: u64,
}

impl std::fmt::Debug for ObjectFolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectFolder").field("root", &self.root).finish_non_exhaustive()
    }
}

impl StoreFolder {
    /// Lists all objects below the prefix; where there are none, the object with this key, if there is one.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the bucket cannot be listed.
    pub fn list(&self) -> Result<ObjectFolder> {
        let failed = |why| self.failed("list", "", why);
        let (store, prefix) = (self.store.clone(), self.prefix.clone());
        let found = self.network.run(async move {
            let listing = store.list(Some(&prefix)).map_ok(|object| {
                let name = object.location.as_ref().strip_prefix(prefix.as_ref()).unwrap_or_default();
                RemoteFile { name: name.trim_start_matches('/').to_owned(), size: object.size }
            });
            listing.try_collect::<Vec<_>>().await.map_err(|error| reason(&error))
        });
        let mut files = found.map_err(failed)?;
        // The marker of the folder itself.
        files.retain(|file| !file.name.is_empty());
        files.sort_unstable_by(|one, two| one.name.cmp(&two.name));
        let mut folder = ObjectFolder {
            store: self.clone(),
            root: self.url.to_string().into(),
            is_single: false,
            files,
            ahead: Mutex::default(),
        };
        if folder.files.is_empty()
            && let Some(size) = self.size("")?
        {
            let (parent, name) = self.url.key().rsplit_once('/').unwrap_or(("", self.url.key()));
            folder.files.push(RemoteFile { name: name.to_owned(), size });
            folder.store = Self { url: self.url.with_key(parent), ..self.clone() };
            folder.root = folder.store.url.to_string().into();
            folder.is_single = true;
        }
        Ok(folder)
    }

    /// The size of an object in bytes; `None` if there is none of this name.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the store refuses to tell.
    pub fn size(&self, name: &str) -> Result<Option<u64>> {
        let (store, key) = (self.store.clone(), self.key(name)?);
        if key.as_ref().is_empty() {
            return Ok(None);
        }
        let head = self.network.run(async move {
            match store.head(&key).await {
                Ok(object) => Ok(Some(object.size)),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(reason(&error)),
            }
        });
        head.map_err(|why| self.failed("look for", name, why))
    }
}

impl ObjectFolder {
    /// Its address.
    #[must_use]
    pub fn url(&self) -> &StoreUrl {
        &self.store.url
    }

    fn lock(&self) -> MutexGuard<'_, Ahead> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests an object.
    fn begin(&self, number: usize) -> Receiver<io::Result<bytes::Bytes>> {
        let name = self.files.get(number).map_or("", |file| &file.name);
        let (store, key, size) = (self.store.store.clone(), self.store.key(name), self.size(number));
        self.store.network.begin(async move {
            let get = async {
                let object =
                    store.get(&key.map_err(|error| error.to_string())?).await.map_err(|error| reason(&error))?;
                // What is in memory at once is reckoned from the listing.
                if object.meta.size != size {
                    return Err(format!("it has changed since it was listed: {} bytes, not {size}", object.meta.size));
                }
                object.bytes().await.map_err(|error| reason(&error))
            };
            get.await.map_err(io::Error::other)
        })
    }

    fn size(&self, number: usize) -> u64 {
        self.files.get(number).map_or(0, |file| file.size)
    }
}

impl RemoteFolder for ObjectFolder {
    fn root(&self) -> &Path {
        &self.root
    }

    fn files(&self) -> &[RemoteFile] {
        &self.files
    }

    fn is_single(&self) -> bool {
        self.is_single
    }

    fn expect(&self, mut numbers: Vec<usize>) {
        numbers.sort_unstable();
        let mut ahead = self.lock();
        (ahead.expected, ahead.next) = (numbers, 0);
    }

    fn read(&self, number: usize, buffer: &mut Vec<u8>) -> io::Result<()> {
        let mut ahead = self.lock();
        let begun = ahead.begun.remove(&number);
        let was_ahead = begun.is_some();
        let result = begun.unwrap_or_else(|| self.begin(number));
        if let Ok(at) = ahead.expected.binary_search(&number) {
            ahead.next = ahead.next.max(at + 1);
        }
        while ahead.begun.len() < MOST_AHEAD
            && let Some(&next) = ahead.expected.get(ahead.next)
            && ahead.bytes + self.size(next) <= MOST_BYTES_AHEAD
        {
            ahead.begun.insert(next, self.begin(next));
            ahead.bytes += self.size(next);
            ahead.next += 1;
        }
        drop(ahead);
        let content = result.recv().unwrap_or_else(|_| Err(io::Error::other(ENDED)));
        if was_ahead {
            let mut ahead = self.lock();
            ahead.bytes = ahead.bytes.saturating_sub(self.size(number));
        }
        buffer.extend_from_slice(&content?);
        Ok(())
    }
}
