//! Folders of object stores: Amazon S3 and whatever speaks its protocol (`s3://`), Google Cloud Storage (`gs://`), Azure Blob
//! Storage (`az://`) and Alibaba Cloud OSS (`oss://`).
//!
//! [`StoreFolder::list`] makes a prefix readable as a folder of result files, with requests ahead of the reader;
//! [`StoreFolder::upload`] and [`StoreFolder::download`] copy whole files. [`StoreObject`] is one object for asynchronous
//! callers, with signed links to it. Requests run on one thread; callers of a folder wait for them. Credentials are variables
//! that the caller passes: the environment is not read here.

mod address;
mod connection;
mod failure;
mod listing;
mod network;
mod object;
mod transfer;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use object_store::ObjectStore;
use object_store::path::Path as Key;
use object_store::signer::Signer;

pub use address::StoreUrl;
pub use listing::ObjectFolder;
pub use object::StoreObject;
pub use transfer::Copied;

use crate::error::{Error, Result};
use address::Scheme;
use network::Network;

/// A client of a store that signs links as well.
trait Client: ObjectStore + Signer {}

impl<S: ObjectStore + Signer> Client for S {}

/// What gives access to object stores.
pub struct Stores {
    variables: Vec<(String, String)>,
    network: Arc<Network>,
    /// One for each bucket, so that connections are used again.
    clients: Mutex<HashMap<(Scheme, String), Arc<dyn Client>>>,
}

/// The variables are secrets.
impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores").finish_non_exhaustive()
    }
}

impl Stores {
    /// The first letters of the names of variables that are read.
    pub const PREFIXES: [&'static str; 5] = ["AWS_", "AZURE_", "GOOGLE_", "OSS_", "ALIBABA_CLOUD_"];

    /// Access by these variables: `AWS_…`, `GOOGLE_…` and `AZURE_…` as the crate `object_store` reads them from an
    /// environment; `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET`, `OSS_SESSION_TOKEN`, `OSS_REGION` and `OSS_ENDPOINT`, or
    /// `ALIBABA_CLOUD_ACCESS_KEY_ID`, `…_ACCESS_KEY_SECRET`, `…_SECURITY_TOKEN` and `…_REGION_ID`, for OSS.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self> {
        let network = Network::start().map_err(|error| Error::io("start", "the network's thread".as_ref(), error))?;
        Ok(Self { variables: variables.into_iter().collect(), network: Arc::new(network), clients: Mutex::default() })
    }

    /// A folder of a store. Nothing is requested yet.
    ///
    /// # Errors
    /// When a variable is missing or has a value that cannot be used.
    pub fn folder(&self, url: StoreUrl) -> Result<StoreFolder> {
        let why = |why: String| Error::io("connect to", url.to_string().as_ref(), io::Error::other(why));
        let prefix = Key::parse(url.key()).map_err(|error| why(error.to_string()))?;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = (url.scheme, url.bucket().to_owned());
        let store = match clients.get(&bucket) {
            Some(client) => Arc::clone(client),
            None => {
                let client = connection::connect(&url, &self.variables).map_err(why)?;
                Arc::clone(clients.entry(bucket).or_insert(client))
            }
        };
        Ok(StoreFolder { url, prefix, store, network: Arc::clone(&self.network) })
    }
}

/// A folder of an object store: all objects whose keys begin with its prefix and a slash.
#[derive(Clone)]
pub struct StoreFolder {
    url: StoreUrl,
    prefix: Key,
    store: Arc<dyn Client>,
    network: Arc<Network>,
}

/// What connects it holds secrets.
impl fmt::Debug for StoreFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreFolder").field("url", &self.url).finish_non_exhaustive()
    }
}

impl StoreFolder {
    /// Its address.
    #[must_use]
    pub fn url(&self) -> &StoreUrl {
        &self.url
    }

    /// The key of an object below it.
    fn key(&self, name: &str) -> Result<Key> {
        let key = if self.url.key().is_empty() { name.to_owned() } else { format!("{}/{name}", self.url.key()) };
        Key::parse(key).map_err(|error| self.failed("name", name, error.to_string()))
    }

    /// `cannot DOING s3://bucket/prefix/name: WHY`.
    fn failed(&self, doing: &str, name: &str, why: impl Into<String>) -> Error {
        self.failed_by(doing, name, io::Error::other(why.into()))
    }

    fn failed_by(&self, doing: &str, name: &str, why: io::Error) -> Error {
        let url = self.url.join(name);
        Error::io(doing, url.as_ref(), why)
    }
}
