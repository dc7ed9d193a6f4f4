//! Result files that are not on a local disk.

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A folder that is not on a local disk, such as a prefix of an object store: what it holds, and how that is read.
pub trait RemoteFolder: Debug + Send + Sync {
    /// Its address. A file's own is this, a slash and its name.
    fn root(&self) -> &Path;

    /// Its files, at any depth, sorted by name.
    fn files(&self) -> &[RemoteFile];

    /// Whether a single file was asked for, not a folder.
    fn is_single(&self) -> bool;

    /// Says which files are read next, in the order of their numbers, so that they can be requested ahead.
    fn expect(&self, numbers: Vec<usize>);

    /// Appends the content of the file with this number to `buffer`.
    ///
    /// # Errors
    /// When it cannot be read whole.
    fn read(&self, number: usize, buffer: &mut Vec<u8>) -> io::Result<()>;
}

/// A file of a [`RemoteFolder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFile {
    /// Its path below the folder, `/`-separated.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
}

/// Opens the remote folder at an address; `None` for a local path.
pub type OpenRemote<'a> = &'a dyn Fn(&Path) -> Option<io::Result<Arc<dyn RemoteFolder>>>;

/// One file of a remote folder.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    pub(super) folder: Arc<dyn RemoteFolder>,
    pub(super) number: usize,
}

impl Remote {
    pub(super) fn size(&self) -> u64 {
        self.folder.files().get(self.number).map_or(0, |file| file.size)
    }
}

/// The same file of the same listing.
impl PartialEq for Remote {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.folder, &other.folder) && self.number == other.number
    }
}

impl Eq for Remote {}
