//! One object: looked for, uploaded, handed out by a signed link, deleted.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStoreExt as _;
use object_store::path::Path as Key;

use super::failure::as_io;
use super::network::ENDED;
use super::{Client, StoreFolder, StoreUrl, Stores, transfer};
use crate::error::{Error, Result};

/// An object of a store, there or not. A request that is not waited for any more goes on.
#[derive(Debug, Clone)]
pub struct StoreObject {
    folder: StoreFolder,
    name: String,
}

impl Stores {
    /// An object by its address. Nothing is requested yet.
    ///
    /// # Errors
    /// As [`folder`](Self::folder); the address names no object.
    pub fn object(&self, address: &str) -> Result<StoreObject> {
        let url: StoreUrl = address.parse()?;
        let (parent, name) = url.key().rsplit_once('/').unwrap_or(("", url.key()));
        if name.is_empty() {
            return Err(Error::invalid(format!("{address}: a bucket, not an object")));
        }
        Ok(StoreObject { folder: self.folder(url.with_key(parent))?, name: name.to_owned() })
    }
}

impl StoreObject {
    /// Whether it is there with this length in bytes. A store that does not tell one who may not list the bucket counts as no.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the store cannot be asked.
    pub async fn has(self, bytes: u64) -> Result<bool> {
        use object_store::Error::{NotFound, PermissionDenied, Unauthenticated};
        let head = |store: Arc<dyn Client>, key: Key| async move {
            match store.head(&key).await {
                Ok(object) => Ok(object.size == bytes),
                Err(NotFound { .. } | PermissionDenied { .. } | Unauthenticated { .. }) => Ok(false),
                Err(error) => Err(as_io(&error)),
            }
        };
        self.request("look for", head).await
    }

    /// Uploads a file, in parts where it is large, with bounded memory. The object appears whole or not at all. When `stop`
    /// completes, the upload is given up and its parts are removed.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the file cannot be read, the store fails, or it was stopped. The cause of a refusal, after
    /// which nothing is there, is [`io::ErrorKind::PermissionDenied`].
    pub async fn upload(self, file: &Path, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let (size, opened) = transfer::open(file)?;
        let send = move |store: Arc<dyn Client>, key: Key| async move {
            transfer::send(store, &key, opened, size, stop).await
        };
        self.request("write", send).await
    }

    /// A link with which anybody can read the object until `valid_for` has passed, at most seven days: keep its query secret.
    /// Makes no request unless the credentials have to be fetched.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the credentials cannot sign.
    pub async fn link(self, valid_for: Duration) -> Result<String> {
        let sign = move |store: Arc<dyn Client>, key: Key| async move {
            // The method by default is GET.
            let link = store.signed_url(Default::default(), &key, valid_for).await;
            link.map(String::from).map_err(|error| as_io(&error))
        };
        self.request("sign a link to", sign).await
    }

    /// Deletes it; an object that is not there is no error.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the store refuses.
    pub async fn delete(self) -> Result<()> {
        self.request("delete", |store, key| async move { transfer::delete(store, &key).await }).await
    }

    /// Runs a request on the thread of the network.
    async fn request<T: Send + 'static, W: Future<Output = io::Result<T>> + Send + 'static>(
        self,
        doing: &str,
        work: impl FnOnce(Arc<dyn Client>, Key) -> W,
    ) -> Result<T> {
        let Self { folder, name } = self;
        let running = folder.network.spawn(work(Arc::clone(&folder.store), folder.key(&name)?));
        let outcome = running.await.unwrap_or_else(|_| Err(io::Error::other(ENDED)));
        outcome.map_err(|why| folder.failed_by(doing, &name, why))
    }
}
