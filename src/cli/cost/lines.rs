//! Lines of a bill, written as they come, so that their number does not count for memory.

use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, Write as _};
use std::path::Path;

use serde_json::{Value, json};

use super::super::output::{Console, Failure, Format, Listing};
use super::breakdown::{FileFields, HEAD, cells};
use crate::billing::Line;
use crate::catalog::Region;
use crate::error::Error;

/// Rows that are printed at once; a table is as wide as these need it.
const PART: usize = 1000;

/// Where lines go.
pub(super) enum LineWriter<'c> {
    /// Nowhere: sums alone are printed.
    Nowhere,
    /// To stdout, in parts.
    Rows { rows: Vec<Vec<Value>>, is_begun: bool, format: Format, console: &'c Console },
    /// To temporary files, as a JSON document has its sums first.
    Projects(Vec<Project>),
}

/// The files of one model and region.
pub(super) struct Project {
    model: Option<String>,
    region: Option<Region>,
    /// The last file, which more lines may follow.
    last: Option<FileFields>,
    written: Option<BufWriter<File>>,
}

impl<'c> LineWriter<'c> {
    /// In this format, if lines are printed at all.
    pub(super) fn new(format: Format, details: bool, is_grouped: bool, console: &'c Console) -> Self {
        let rows = Self::Rows { rows: Vec::new(), is_begun: false, format, console };
        match format {
            Format::Csv | Format::Jsonl if !is_grouped => rows,
            Format::Table | Format::Md if details => rows,
            Format::Json if details => Self::Projects(Vec::new()),
            _ => Self::Nowhere,
        }
    }

    /// Whether lines are printed before the sums.
    pub(super) fn has_rows(&self) -> bool {
        matches!(self, Self::Rows { .. })
    }

    pub(super) fn add(&mut self, lines: &[Line]) -> Result<(), Failure> {
        match self {
            Self::Nowhere => Ok(()),
            Self::Rows { rows, format, .. } => {
                let people = matches!(format, Format::Table | Format::Md);
                rows.extend(lines.iter().map(|line| cells(line, people)));
                if rows.len() >= PART { self.print_rows() } else { Ok(()) }
            }
            Self::Projects(projects) => lines.iter().try_for_each(|line| {
                let is_own = |project: &Project| project.model == line.model && project.region == line.region;
                let at = projects.iter().position(is_own).unwrap_or_else(|| {
                    let (model, region) = (line.model.clone(), line.region);
                    projects.push(Project { model, region, last: None, written: None });
                    projects.len() - 1
                });
                projects.get_mut(at).map_or(Ok(()), |project| project.add(line)).map_err(Failure::from)
            }),
        }
    }

    fn print_rows(&mut self) -> Result<(), Failure> {
        let Self::Rows { rows, is_begun, format, console } = self else { return Ok(()) };
        let listing = Listing { head: HEAD.to_vec(), rows: std::mem::take(rows) };
        listing.print_part(*format, !*is_begun, console)?;
        *is_begun = true;
        Ok(())
    }

    /// Prints what is left of the rows, or a header without any.
    pub(super) fn end_rows(&mut self) -> Result<(), Failure> {
        match self {
            Self::Rows { rows, is_begun, .. } if !rows.is_empty() || !*is_begun => self.print_rows(),
            _ => Ok(()),
        }
    }

    /// Prints a document that ends with the projects; what has none as it is.
    pub(super) fn end_document(self, document: &str, console: &Console) -> Result<(), Failure> {
        let Self::Projects(projects) = self else {
            return console.data(document.as_bytes()).map(drop);
        };
        let open = document.strip_suffix("\n}\n").unwrap_or(document);
        console.data(format!("{open},\n  \"projects\": [").as_bytes())?;
        for (at, project) in projects.into_iter().enumerate() {
            let region = project.region.map(Region::name);
            let (model, region) = (json!(project.model), json!(region));
            let comma = if at > 0 { "," } else { "" };
            let head = format!("{comma}\n    {{\"model\": {model}, \"region\": {region}, \"breakdown\": [");
            console.data(head.as_bytes())?;
            project.print(console)?;
            console.data(b"\n    ]}")?;
        }
        console.data(b"\n  ]\n}\n").map(drop)
    }
}

impl Project {
    fn add(&mut self, line: &Line) -> Result<(), Error> {
        if self.last.as_ref().is_some_and(|last| last.file != line.file) {
            self.write_last()?;
        }
        let last = self.last.get_or_insert_with(|| FileFields { file: line.file.clone(), meters: Vec::new() });
        last.meters.push(line.into());
        Ok(())
    }

    fn write_last(&mut self) -> Result<(), Error> {
        let Some(last) = self.last.take() else { return Ok(()) };
        let text = serde_json::to_string(&last).map_err(|error| Error::invalid(error.to_string()))?;
        let failed = |error| Error::io("write", Path::new("a temporary file"), error);
        let comma = if self.written.is_some() { "," } else { "" };
        let written = match &mut self.written {
            Some(written) => written,
            None => self.written.insert(BufWriter::new(tempfile::tempfile().map_err(failed)?)),
        };
        write!(written, "{comma}\n      {text}").map_err(failed)
    }

    fn print(mut self, console: &Console) -> Result<(), Failure> {
        self.write_last()?;
        let failed = |error| Error::io("read", Path::new("a temporary file"), error);
        let Some(written) = self.written else { return Ok(()) };
        let mut file = written.into_inner().map_err(|error| failed(error.into_error()))?;
        file.rewind().map_err(failed)?;
        let mut part = vec![0; 64 * 1024];
        loop {
            match file.read(&mut part).map_err(failed)? {
                0 => return Ok(()),
                read => console.data(part.get(..read).unwrap_or_default())?,
            };
        }
    }
}
