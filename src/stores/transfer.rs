//! Whole files, to a store and from it.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{self, Either};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::StoreFolder;
use super::failure::{as_io, reason};
use super::network::ENDED;
use crate::error::{Error, Result};
use crate::transcript::RemoteFolder as _;

/// Bytes of a part. A file up to this size is one request.
const PART: u64 = 8 << 20;

/// Parts that an upload may have.
const MOST_PARTS: u64 = 9_000;

/// Parts on their way at once.
const PARTS_AT_ONCE: usize = 4;

/// Files that were copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// Their number.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl StoreFolder {
    /// Uploads a file, in parts where it is large: the object appears whole under its name, or not at all. Memory is bounded.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the file cannot be read, or the store refuses it.
    pub fn upload(&self, name: &str, file: &Path) -> Result<u64> {
        let (size, opened) = open(file)?;
        let (store, key) = (Arc::clone(&self.store), self.key(name)?);
        let sent = self.network.run(async move {
            send(store, &key, opened, size, future::pending()).await.map_err(|error| error.to_string())
        });
        sent.map(|()| size).map_err(|why| self.failed("write", name, why))
    }

    /// Uploads all files below a local folder under the same names. What has a `report.json`, or an entry in `shards/`, is
    /// whole: these are deleted first and uploaded last. `progress` is given the bytes of each file, and of all.
    ///
    /// # Errors
    /// As [`upload`](Self::upload) and [`delete`](Self::delete). What was uploaded before stays.
    pub fn upload_all(&self, folder: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Copied> {
        let mut files = files_below(folder).map_err(|error| Error::io("read", folder, error))?;
        let tells_all = |name: &str| name == "report.json" || name.starts_with("shards/");
        files.sort_by_key(|(name, ..)| tells_all(name));
        let all = files.iter().map(|(.., size)| size).sum();
        for (name, ..) in files.iter().filter(|(name, ..)| tells_all(name)) {
            self.delete(name)?;
        }
        let mut done = Copied::default();
        for (name, path, _) in &files {
            let size = self.upload(name, path)?;
            progress(size, all);
            done.files += 1;
            done.bytes += size;
        }
        Ok(done)
    }

    /// Deletes an object; one that is not there is no error.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the store refuses.
    pub fn delete(&self, name: &str) -> Result<()> {
        let (store, key) = (Arc::clone(&self.store), self.key(name)?);
        let deleted = self.network.run(async move { delete(store, &key).await.map_err(|error| error.to_string()) });
        deleted.map_err(|why| self.failed("delete", name, why))
    }

    /// Copies the objects whose names `wanted` accepts to a local folder, under the same names.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the prefix cannot be listed, an object not be read or a file not be written.
    pub fn download(&self, to: &Path, wanted: impl Fn(&str) -> bool) -> Result<Copied> {
        let listing = self.list()?;
        let mut done = Copied::default();
        for file in listing.files().iter().filter(|file| wanted(&file.name)) {
            // A key may hold what leads out of the folder.
            let is_inside = file.name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
            if !is_inside || file.name.contains('\\') {
                return Err(self.failed("read", &file.name, "its name is no path"));
            }
            let path = to.join(&file.name);
            let target = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| File::create(&path));
            let target = target.map_err(|error| Error::io("write", &path, error))?;
            let (store, key) = (Arc::clone(&self.store), self.key(&file.name)?);
            let got = self.network.run(async move { receive(store, &key, target).await });
            got.map_err(|why| self.failed("read", &file.name, why))?;
            done.files += 1;
            done.bytes += file.size;
        }
        Ok(done)
    }
}

/// All files below a local folder: names there, `/`-separated, paths and sizes, sorted.
fn files_below(folder: &Path) -> io::Result<Vec<(String, PathBuf, u64)>> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.map_err(io::Error::from)?;
        let Ok(way) = entry.path().strip_prefix(folder) else { continue };
        if entry.file_type().is_file() {
            let parts: Vec<_> = way.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            let size = entry.metadata().map_err(io::Error::from)?.len();
            files.push((parts.join("/"), entry.path().to_owned(), size));
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// A file with its length in bytes.
pub(super) fn open(file: &Path) -> Result<(u64, File)> {
    let opened = File::open(file).and_then(|opened| Ok((opened.metadata()?.len(), opened)));
    opened.map_err(|error| Error::io("read", file, error))
}

/// Uploads a file; given up when `stop` completes.
pub(super) async fn send(
    store: Arc<dyn ObjectStore>,
    key: &Key,
    mut file: File,
    size: u64,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let told = |error: object_store::Error| as_io(&error);
    let stop = pin!(stop);
    let stopped = || Err(io::Error::other(ENDED));
    if size <= PART {
        let content = read(&mut file, size)?;
        let sent = pin!(store.put(key, content.into()));
        return match future::select(sent, stop).await {
            Either::Left((sent, _)) => sent.map(drop).map_err(told),
            Either::Right(_) => stopped(),
        };
    }
    let mut upload = store.put_multipart(key).await.map_err(told)?;
    let length = PART.max(size.div_ceil(MOST_PARTS));
    let mut left = size;
    let mut parts = FuturesUnordered::new();
    let sent = async {
        while left > 0 {
            let part = read(&mut file, length.min(left))?;
            left -= part.len() as u64;
            parts.push(upload.put_part(part.into()));
            if parts.len() >= PARTS_AT_ONCE
                && let Some(sent) = parts.next().await
            {
                sent.map_err(told)?;
            }
        }
        while let Some(sent) = parts.next().await {
            sent.map_err(told)?;
        }
        upload.complete().await.map(drop).map_err(told)
    };
    let sent: io::Result<()> = match future::select(pin!(sent), stop).await {
        Either::Left((sent, _)) => sent,
        Either::Right(_) => stopped(),
    };
    if sent.is_err() {
        // What was sent is paid for until it is removed.
        let _ = upload.abort().await;
    }
    sent
}

/// Deletes an object, if it is there.
pub(super) async fn delete(store: Arc<dyn ObjectStore>, key: &Key) -> io::Result<()> {
    match store.delete(key).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(as_io(&error)),
    }
}

/// The next bytes of a file.
fn read(file: &mut File, count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(count as usize);
    let read = io::Read::by_ref(file).take(count).read_to_end(&mut bytes);
    match read? {
        read if read as u64 == count => Ok(bytes),
        _ => Err(io::Error::other("the file became shorter while it was read")),
    }
}

async fn receive(store: Arc<dyn ObjectStore>, key: &Key, mut file: File) -> Result<(), String> {
    let mut content = store.get(key).await.map_err(|error| reason(&error))?.into_stream();
    while let Some(bytes) = content.next().await {
        file.write_all(&bytes.map_err(|error| reason(&error))?).map_err(|error| error.to_string())?;
    }
    Ok(())
}
