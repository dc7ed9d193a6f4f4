//! The stored tables of a folder, and the files of each: one, or the parts in a folder of its name.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polars::prelude::*;

use super::files::Format;
use super::shards::Shards;
use crate::error::{Error, Result};

/// The formats that tables are read back from, the best first.
const FORMATS: [Format; 3] = [Format::Parquet, Format::JsonLines, Format::Csv];

/// A stored table: the file `calls.parquet`, or a folder of that name with part files, as Spark and others write it.
#[derive(Debug, Clone)]
pub(super) struct TableFiles {
    /// The file or folder.
    pub(super) path: PathBuf,
    pub(super) format: Format,
    /// In the order of their names. Rows of one call are in one part.
    parts: Vec<PathBuf>,
}

/// The tables of a folder by name, each in the first of its formats.
#[derive(Debug, Clone)]
pub(super) struct TableFolder {
    pub(super) path: PathBuf,
    pub(super) tables: BTreeMap<String, TableFiles>,
    /// The shards that wrote the tables, if they were written so.
    pub(super) shards: Option<Shards>,
}

impl TableFolder {
    /// Finds the tables. Files of other names are left alone.
    ///
    /// # Errors
    /// When the folder cannot be read, and when it has shards that are not complete or not of one analysis.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let failed = |error| Error::io("read the folder", path, error);
        let mut tables: BTreeMap<String, TableFiles> = BTreeMap::new();
        let rank = |format: Format| FORMATS.iter().position(|known| *known == format);
        for entry in fs::read_dir(path).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let text = |part: Option<&OsStr>| part.and_then(OsStr::to_str).map(str::to_owned);
            let Some((name, extension)) = text(path.file_stem()).zip(text(path.extension())) else { continue };
            let Some(format) = FORMATS.into_iter().find(|format| format.extension() == extension) else { continue };
            let is_better = tables.get(&name).is_none_or(|known| rank(format) < rank(known.format));
            if is_better && let Some(table) = TableFiles::at(path, format) {
                tables.insert(name, table);
            }
        }
        let shards = Shards::are_in(path).then(|| Shards::open(path)).transpose()?;
        if let Some(shards) = &shards {
            shards.check(path, tables.values())?;
        }
        Ok(Self { path: path.to_owned(), tables, shards })
    }

    /// The files of a table, if it is here.
    pub(super) fn get(&self, table: &str) -> Option<&TableFiles> {
        self.tables.get(table)
    }
}

impl TableFiles {
    /// The file at this path, or the parts in the folder there; `None` if there are none. Names that begin with `_` or `.` are
    /// marks of the program that wrote the parts.
    fn at(path: PathBuf, format: Format) -> Option<Self> {
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

    /// Their paths.
    pub(super) fn parts(&self) -> &[PathBuf] {
        &self.parts
    }

    /// Opens them all. Where rows are lines without a header, parts without rows are left out: they show no columns.
    pub(super) fn open(&self) -> Result<Vec<File>> {
        let open = |part: &PathBuf| File::open(part).map_err(|error| Error::io("open", part, error));
        let files: Vec<File> = self.parts.iter().map(open).collect::<Result<_>>()?;
        let has_rows = |file: &File| file.metadata().is_ok_and(|metadata| metadata.len() > 0);
        if self.format == Format::JsonLines && files.iter().any(has_rows) {
            return Ok(files.into_iter().filter(has_rows).collect());
        }
        Ok(files)
    }
}

/// Parts of JSON lines as one frame. A column that is null in some parts has the type that the others show, which one scan
/// of all parts would not see. `types` are those of columns that are known.
pub(super) fn scan_json_lines(parts: Vec<File>, types: Option<&SchemaRef>) -> PolarsResult<LazyFrame> {
    let scan = |part: File| {
        let reader = LazyJsonLineReader::new_with_sources(sources(vec![part])).with_infer_schema_length(None);
        reader.with_schema_overwrite(types.cloned()).finish()
    };
    let mut frames = parts.into_iter().map(scan).collect::<PolarsResult<Vec<_>>>()?;
    match frames.pop() {
        Some(only) if frames.is_empty() => Ok(only),
        last => {
            frames.extend(last);
            concat(frames, UnionArgs { diagonal: true, to_supertypes: true, ..UnionArgs::default() })
        }
    }
}

/// Open files as polars scans them: given paths, it would expand patterns in them.
pub(super) fn sources(files: Vec<File>) -> ScanSources {
    ScanSources::Files(Arc::from(files))
}
