//! The files of a stored table: one, or the parts in a folder of its name.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polars::prelude::ScanSources;

use super::files::Format;
use crate::error::{Error, Result};

/// The formats that tables are read back from, the best first.
pub(super) const FORMATS: [Format; 3] = [Format::Parquet, Format::JsonLines, Format::Csv];

/// A stored table: the file `calls.parquet`, or a folder of that name with part files, as Spark and others write it.
#[derive(Debug, Clone)]
pub(super) struct TableFiles {
    /// The file or folder.
    pub(super) path: PathBuf,
    pub(super) format: Format,
    /// In the order of their names. Rows of one call are in one part.
    parts: Vec<PathBuf>,
}

impl TableFiles {
    /// The files of a table in the first format that exists.
    pub(super) fn find(folder: &Path, table: &str) -> Option<Self> {
        let at = |format: Format| Self::at(folder.join(format!("{table}.{}", format.extension())), format);
        FORMATS.into_iter().find_map(at)
    }

    /// The file at this path, or the parts in the folder there; `None` if there are none. Names that begin with `_` or `.` are
    /// marks of the program that wrote the parts.
    pub(super) fn at(path: PathBuf, format: Format) -> Option<Self> {
        let parts = if path.is_file() {
            vec![path.clone()]
        } else {
            let is_part = |part: &PathBuf| {
                let name = part.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                !name.starts_with(['_', '.'])
                    && part.extension().and_then(|name| name.to_str()) == Some(format.extension())
                    && part.is_file()
            };
            let entries = fs::read_dir(&path).ok()?;
            let mut parts: Vec<PathBuf> =
                entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_part).collect();
            parts.sort();
            parts
        };
        (!parts.is_empty()).then_some(Self { path, format, parts })
    }

    /// Opens them all.
    pub(super) fn open(&self) -> Result<Vec<File>> {
        let open = |part: &PathBuf| File::open(part).map_err(|error| Error::io("open", part, error));
        self.parts.iter().map(open).collect()
    }
}

/// Open files as polars scans them: given paths, it would expand patterns in them.
pub(super) fn sources(files: Vec<File>) -> ScanSources {
    ScanSources::Files(Arc::from(files))
}
