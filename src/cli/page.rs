//! Flags for the single calls on a report page, and the folder of call pages beside it.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rayon::prelude::*;

use super::audio::Audio;
use super::order::OrderFlags;
use super::output::{Console, Failure};
use crate::batch::result_name;
use crate::disk;
use crate::metrics::catalogue::{CALLS, Use};
use crate::report::number::counted;
use crate::report::{CallView, Links, Page, PageOptions, Report, call_page, call_page_files, page};
use crate::tables::{CallRows, CallSource, OwnColumns};

/// Which single calls a page shows.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Page")]
pub(super) struct PageFlags {
    /// Title of the report
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Number of calls to show in full, with lanes, transcript and evidence [default: 20]
    #[arg(long, value_name = "N")]
    calls: Option<usize>,
    /// Column to sort calls by, highest first [default: that of --sort, else dead air]
    #[arg(long, value_name = "COLUMN", value_parser = ranked())]
    by: Option<&'static str>,
    /// Write a page for every call, in a folder beside the report
    #[arg(long)]
    pages: bool,
    /// Play the recordings: their folder, or what their addresses begin with
    #[arg(long, value_name = "DIR|URL")]
    audio: Option<String>,
}

fn ranked() -> impl TypedValueParser<Value = &'static str> {
    let known = |name: String| CALLS.column(&name).map_or(PageOptions::default().by, |column| column.name);
    PossibleValuesParser::new(CALLS.columns_for(Use::Ranked).into_iter().map(|column| column.name)).map(known)
}

impl PageFlags {
    pub(super) fn options(&self, order: &OrderFlags) -> PageOptions {
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
    pub(super) fn has_calls(&self) -> bool {
        self.calls.is_some()
    }

    /// The title that was given.
    pub(super) fn title(&self) -> Option<String> {
        self.title.clone()
    }

    /// The recordings, as a report in the folder `beside` addresses them.
    pub(super) fn audio(&self, beside: &Path) -> Result<Option<Audio>, Failure> {
        self.audio.as_deref().map(|given| Audio::new(given, beside)).transpose()
    }

    /// URLs of the call pages by file, relative to the report `name`; empty without `--pages`.
    pub(super) fn links(&self, name: &str, files: &[String]) -> HashMap<String, String> {
        if !self.pages {
            return HashMap::new();
        }
        let folder = folder(name);
        // Names that differ only in case are one file on some systems.
        let mut taken: HashSet<String> = HashSet::new();
        let mut links = HashMap::with_capacity(files.len());
        for file in files {
            let last = file.rsplit('/').next().unwrap_or(file);
            let name = result_name(last, false);
            let numbered = (1..).map(|number| if number == 1 { name.clone() } else { format!("{name}-{number}") });
            let free = numbered.into_iter().find(|name| taken.insert(name.to_lowercase())).unwrap_or_default();
            links.insert(file.clone(), format!("{folder}/{free}.html"));
        }
        links
    }
}

/// The folder of call pages beside the report `name`.
fn folder(name: &str) -> String {
    format!("{}-pages", name.rsplit_once('.').map_or(name, |(stem, _)| stem))
}

/// The report page, and the call pages beside it.
pub(super) struct PageFiles<'a> {
    pub(super) report: &'a Report,
    /// File name of the report.
    pub(super) name: &'a str,
    /// The folder the report is in.
    pub(super) beside: &'a Path,
    /// The same as the user named it.
    pub(super) shown: &'a Path,
    /// From [`PageFlags::links`].
    pub(super) links: HashMap<String, String>,
    /// The user's own columns.
    pub(super) own: Option<&'a OwnColumns>,
    /// From [`PageFlags::audio`].
    pub(super) audio: Option<&'a Audio>,
}

impl PageFiles<'_> {
    /// The report page.
    pub(super) fn html(&self, shown: &Page) -> Result<String, Failure> {
        let pages = |file: &str| self.links.get(file).map(|link| address_of(link));
        self.with_audio("", |links| Ok(page(self.report, shown, &links.pages(&pages))?))
    }

    /// Writes the page of each of these calls atomically. Returns their number.
    pub(super) fn write_calls(
        &self,
        files: &[String],
        calls: CallSource<'_>,
        console: &Console,
    ) -> Result<u64, Failure> {
        if self.links.is_empty() {
            return Ok(0);
        }
        let (folder, shown) = (self.beside.join(folder(self.name)), self.shown.join(folder(self.name)));
        std::fs::create_dir_all(&folder).map_err(|error| crate::Error::io("create the folder", &folder, error))?;
        for (name, content) in call_page_files() {
            disk::write(&folder.join(name), content.as_bytes())?;
        }
        let bar = console.progress(files.len());
        let back = format!("../{}", address_of(self.name));
        let write = |(rows, place): (Option<CallRows>, usize)| {
            let Some(rows) = rows else { return Ok(0) };
            let mut view = CallView::new(&rows, self.report.parameters.markers());
            view.own = self.own.map(|own| own.of_call(place)).unwrap_or_default();
            let Some(link) = self.links.get(&view.file) else { return Ok(0) };
            let html = self.with_audio("../", |links| Ok(call_page(self.report, &view, &back, &links)?))?;
            disk::write(&self.beside.join(link), html.as_bytes())?;
            Ok::<u64, Failure>(1)
        };
        let (mut places, mut written) = (0.., 0);
        for chunk in files.chunks(calls.batch_size()) {
            let rows: Vec<_> = calls.get(chunk)?.into_iter().zip(&mut places).collect();
            written += rows.into_par_iter().map(write).try_reduce(|| 0, |one, other| Ok(one + other))?;
            bar.inc(chunk.len() as u64);
        }
        bar.finish_and_clear();
        console.note(&format!("{} in {}", counted(written, "page"), shown.display()));
        let leftovers = leftovers(&folder, &self.links);
        if leftovers > 0 {
            console.note(&format!("{} in {} left from an earlier run", counted(leftovers, "page"), shown.display()));
        }
        Ok(written)
    }

    /// `up` leads from the page to the folder of the report.
    fn with_audio<T>(&self, up: &str, render: impl FnOnce(Links<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let Some(audio) = self.audio else { return render(Links::default()) };
        let address = |view: &CallView| audio.of(view, up);
        render(Links::default().audio(&address, &audio.source()))
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
        let files = ["../../etc/passwd.json", "a/客服 3.json", "b/PASSWD.json"].map(str::to_owned);
        let links = flags.links("report.html", &files);
        assert_eq!(links[&files[0]], "report-pages/passwd.html");
        assert_eq!(links[&files[1]], "report-pages/客服_3.html");
        assert_eq!(links[&files[2]], "report-pages/PASSWD-2.html", "a name is taken, whatever its case");
        assert_eq!(address_of(&links[&files[1]]), "report-pages/%E5%AE%A2%E6%9C%8D_3.html");
        assert!(PageFlags::default().links("report.html", &files).is_empty());
    }
}
