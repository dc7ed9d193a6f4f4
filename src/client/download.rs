//! Results from the addresses that tasks name: into a file as they arrive, with a limit on bytes and time.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use url::Url;

use super::pacing::Class;
use super::retry::RetrySafety;
use super::tasks::Tasks;
use super::transport::{Body, Call, Target};
use crate::catalog::is_service_host;
use crate::disk;
use crate::error::{Error, Result};
use crate::redact::without_query;
use crate::transcript::Outline;

/// A result that was written to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredResult {
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 of its bytes.
    pub(crate) hash: blake3::Hash,
    /// Which tracks it has.
    pub outline: Outline,
}

impl StoredResult {
    /// BLAKE3 of its bytes, in hexadecimal.
    #[must_use]
    pub fn blake3(&self) -> String {
        self.hash.to_hex().to_string()
    }
}

/// A whole result in a temporary file beside its place, which is removed unless the result is kept.
#[derive(Debug)]
pub(crate) struct ReceivedResult {
    file: NamedTempFile,
    path: PathBuf,
    pub(crate) stored: StoredResult,
}

impl ReceivedResult {
    /// Puts it in its place. Waits for the disk.
    pub(crate) fn keep(self) -> Result<StoredResult> {
        disk::persist(self.file, &self.path)?;
        Ok(self.stored)
    }
}

/// Takes the body of an answer as it arrives, and forgets it when the request is sent again.
pub(super) struct Sink<'f> {
    file: &'f mut File,
    /// Named in errors.
    path: &'f Path,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl<'f> Sink<'f> {
    fn new(file: &'f mut File, path: &'f Path) -> Self {
        Self { file, path, hasher: blake3::Hasher::new(), bytes: 0 }
    }

    pub(super) fn restart(&mut self) -> Result<()> {
        (self.bytes, self.hasher) = (0, blake3::Hasher::new());
        let emptied = self.file.rewind().and_then(|()| self.file.set_len(0));
        emptied.map_err(|error| Error::io("write", self.path, error))
    }

    /// Parts are small: a write returns once the system has a copy.
    pub(super) fn take(&mut self, part: &[u8]) -> Result<()> {
        self.file.write_all(part).map_err(|error| Error::io("write", self.path, error))?;
        self.hasher.update(part);
        self.bytes += part.len() as u64;
        Ok(())
    }
}

impl Tasks<'_> {
    /// A result, byte for byte, from the address that [`Outcome::transcription_url`](super::Outcome) names. The key does not
    /// go there. The whole of it is kept in memory: [`Self::download_to`] does not.
    ///
    /// # Errors
    /// As [`Self::download_to`], except that anything is taken for a result.
    pub async fn download(self, transcription_url: &str) -> Result<bytes::Bytes> {
        Ok(self.client.transport().send(call(transcription_url)?).await?.raw)
    }

    /// Writes a result to `path`, byte for byte. The file appears whole or not at all; an existing one is replaced.
    ///
    /// # Errors
    /// The address has expired (HTTP 403; another query returns a fresh one); the transfer failed, or was slower than 64 KiB/s
    /// when [`ClientBuilder::timeout`](super::ClientBuilder::timeout) had passed; the result is larger than
    /// [`ClientBuilder::max_result`](super::ClientBuilder::max_result) ([`Check::ResultSize`](crate::Check)), or not JSON as a
    /// whole; it cannot be written.
    pub async fn download_to(self, transcription_url: &str, path: &Path) -> Result<StoredResult> {
        let received = self.receive(transcription_url, path).await?;
        blocking(move || received.keep()).await
    }

    /// The same, for callers that look at the result before it has its name.
    ///
    /// # Errors
    /// As [`Self::download_to`].
    pub(crate) async fn receive(self, transcription_url: &str, path: &Path) -> Result<ReceivedResult> {
        let mut file = disk::create(path)?;
        let (bytes, hash) = self.fetch(transcription_url, file.as_file_mut(), path).await?;
        let path = path.to_owned();
        blocking(move || {
            let outline = Outline::read(file.as_file_mut()).map_err(|error| not_whole(&error))?;
            Ok(ReceivedResult { file, path, stored: StoredResult { bytes, hash, outline } })
        })
        .await
    }

    /// What a result says of itself, without keeping it.
    pub(crate) async fn outline(self, transcription_url: &str) -> Result<Outline> {
        let path = std::env::temp_dir();
        let mut file = tempfile::tempfile().map_err(|error| Error::io("write to", &path, error))?;
        self.fetch(transcription_url, &mut file, &path).await?;
        blocking(move || Outline::read(&mut file).map_err(|error| not_whole(&error))).await
    }

    /// Writes a result to a file; its length and hash.
    async fn fetch(self, transcription_url: &str, file: &mut File, path: &Path) -> Result<(u64, blake3::Hash)> {
        let mut sink = Sink::new(file, path);
        self.client.transport().receive(call(transcription_url)?, &mut sink).await?;
        Ok((sink.bytes, sink.hasher.finalize()))
    }
}

/// Work that waits for the disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Error::protocol("storing a result was cut short")))
}

fn not_whole(error: &std::io::Error) -> Error {
    Error::protocol(format!("the result is not JSON as a whole: {error}"))
}

fn call(transcription_url: &str) -> Result<Call<'static>> {
    let url =
        Url::parse(transcription_url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let mut url = url.ok_or_else(|| {
        Error::protocol(format!("{:?} is not the address of a result", without_query(transcription_url)))
    })?;
    // Qwen3 gives http addresses; storage also answers https, which keeps the transcript private.
    if url.scheme() == "http" && url.host_str().is_some_and(is_service_host) {
        // Cannot fail between these two schemes.
        let _ = url.set_scheme("https");
    }
    Ok(Call {
        doing: "download a result".to_owned(),
        target: Target::Elsewhere(url),
        body: Body::Get,
        headers: &[],
        class: Class::Storage,
        repeat: RetrySafety::Always,
    })
}
