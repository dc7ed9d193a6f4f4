//! Flags for the single calls on a report page, and the folder of call pages beside it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::order::OrderFlags;
use super::output::{Console, Failure};
use crate::batch::result_name;
use crate::disk;
use crate::metrics::catalogue::{CALLS, Use};
use crate::report::number::counted;
use crate::report::{CallView, PageOptions, Report, call_page};
use crate::tables::CallSource;

/// Which single calls a page shows.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
#[command(next_help_heading = "Page")]
pub(super) struct PageFlags {
    /// Number of calls to show in full, with lanes, transcript and evidence [default: 20]
    #[arg(long, value_name = "N")]
    calls: Option<usize>,
    /// Column to sort calls by, highest first [default: that of --sort, else dead air]
    #[arg(long, value_name = "COLUMN", value_parser = ranked())]
    by: Option<&'static str>,
    /// Write a page for every call, in a folder beside the report
    #[arg(long)]
    pages: bool,
}

fn ranked() -> impl TypedValueParser<Value = &'static str> {
    let known = |name: String| CALLS.column(&name).map_or(PageOptions::default().by, |column| column.name);
    PossibleValuesParser::new(CALLS.columns_for(Use::Ranked).into_iter().map(|column| column.name)).map(known)
}

impl PageFlags {
    pub(super) fn options(self, order: &OrderFlags) -> PageOptions {
        let default = PageOptions::default();
        // A call with its own page is not repeated in the report unless `--calls` asks for it.
        let calls = self.calls.unwrap_or(if self.pages { 0 } else { default.calls });
        let asked = order.order().and_then(|order| Some((order.column_of_calls()?, order.ascending)));
        let (by, ascending) = match self.by {
            Some(by) => (by, false),
            None => asked.unwrap_or((default.by, default.ascending)),
        };
        PageOptions { by, ascending, calls, top: order.top() }
    }

    /// Whether `--calls` was given.
    pub(super) fn has_calls(self) -> bool {
        self.calls.is_some()
    }

    /// URLs of the call pages by file, relative to the report `name`; empty without `--pages`.
    pub(super) fn links(self, name: &str, files: &[String]) -> HashMap<String, String> {
        if !self.pages {
            return HashMap::new();
        }
        let folder = folder(name);
        let address = |(at, file): (usize, &String)| {
            let last = file.rsplit('/').next().unwrap_or(file);
            (file.clone(), format!("{folder}/{:06}-{}.html", at + 1, result_name(last, false)))
        };
        files.iter().enumerate().map(address).collect()
    }
}

/// The folder of call pages beside the report `name`.
fn folder(name: &str) -> String {
    format!("{}-pages", name.rsplit_once('.').map_or(name, |(stem, _)| stem))
}

/// The call pages beside a report.
pub(super) struct Pages<'a> {
    pub(super) report: &'a Report,
    /// File name of the report.
    pub(super) name: &'a str,
    /// The folder the report is in.
    pub(super) beside: &'a Path,
    /// From [`PageFlags::links`].
    pub(super) links: &'a HashMap<String, String>,
}

impl Pages<'_> {
    /// Writes each page atomically. Returns their number.
    pub(super) fn write(&self, calls: CallSource<'_>, console: &Console) -> Result<u64, Failure> {
        if self.links.is_empty() {
            return Ok(0);
        }
        let folder: PathBuf = self.beside.join(folder(self.name));
        std::fs::create_dir_all(&folder).map_err(|error| crate::Error::io("create the folder", &folder, error))?;
        let mut files: Vec<String> = self.links.keys().cloned().collect();
        files.sort_unstable();
        let bar = console.progress(files.len());
        let mut written = 0;
        let back = format!("../{}", address_of(self.name));
        for chunk in files.chunks(calls.batch_size()) {
            for rows in calls.get(chunk)?.into_iter().flatten() {
                let view = CallView::new(&rows, self.report.parameters.markers());
                let Some(link) = self.links.get(&view.file) else { continue };
                let page = call_page(self.report, &view, &back)?;
                disk::write(&self.beside.join(link), page.as_bytes())?;
                written += 1;
            }
            bar.inc(chunk.len() as u64);
        }
        bar.finish_and_clear();
        console.note(&format!("{} in {}", counted(written, "page"), folder.display()));
        let leftovers = leftovers(&folder, self.links);
        if leftovers > 0 {
            console.note(&format!("{} in {} left from an earlier run", counted(leftovers, "page"), folder.display()));
        }
        Ok(written)
    }
}

/// Number of pages in the folder that belong to no call of this report.
fn leftovers(folder: &Path, links: &HashMap<String, String>) -> u64 {
    let ours: HashSet<&str> = links.values().filter_map(|link| link.rsplit('/').next()).collect();
    let names =
        std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| name.ends_with(".html") && !ours.contains(&**name)).count() as u64
}

/// A file name as a relative URL.
pub(super) fn address_of(name: &str) -> String {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/');
    utf8_percent_encode(name, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_named_after_its_call_and_stays_in_its_folder() {
        let flags = PageFlags { pages: true, ..PageFlags::default() };
        let files = ["../../etc/passwd.json".to_owned(), "a/客服 3.json".to_owned()];
        let links = flags.links("report.html", &files);
        assert_eq!(links[&files[0]], "report-pages/000001-passwd.html");
        assert_eq!(links[&files[1]], "report-pages/000002-客服_3.html");
        assert_eq!(address_of(&links[&files[1]]), "report-pages/000002-%E5%AE%A2%E6%9C%8D_3.html");
        assert!(PageFlags::default().links("report.html", &files).is_empty());
    }
}
