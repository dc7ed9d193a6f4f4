//! The files of an analysis that are made of all calls: `calls_by_role`, `rollup`, the report and its pages.

use std::path::PathBuf;

use super::analyze::BESIDE_TABLES;
use super::audio::Audio;
use super::order::OrderFlags;
use super::output::{Console, Failure};
use super::page::{PageFiles, PageFlags};
use super::stores::Destination;
use crate::metrics::catalogue::TABLES;
use crate::report::number::counted;
use crate::report::{Page, Report};
use crate::tables::{Analysis, CallSource, CallsByRole, Joined, Output, OwnColumns, Rollup, ShortSheet, WORKBOOK};

/// File name of the report page, in the folder of the tables.
const PAGE: &str = "report.html";

/// What these files are made from.
pub(super) struct ReportFiles<'a> {
    pub(super) to: &'a Destination,
    pub(super) report: &'a Report,
    pub(super) analysis: &'a Analysis,
    pub(super) joined: Option<&'a Joined>,
    pub(super) rollup: Option<&'a Rollup>,
    pub(super) calls: CallSource<'a>,
    pub(super) page: &'a PageFlags,
    pub(super) order: &'a OrderFlags,
    pub(super) audio: Option<&'a Audio>,
}

impl ReportFiles<'_> {
    /// Adds those that are wanted, and gives all files of the output their names.
    pub(super) fn write(
        &self,
        mut output: Output,
        is_wanted: &dyn Fn(&str) -> bool,
        console: &Console,
    ) -> Result<(), Failure> {
        let Self { to, report, analysis, joined, rollup, calls, page, order, audio } = *self;
        if let Some(rollup) = rollup.filter(|_| is_wanted("rollup")) {
            output.add_frame("rollup", &rollup.frame, &|name| rollup.by.iter().any(|by| by == name))?;
        }
        if is_wanted("calls_by_role") {
            let by_role = CallsByRole::new(analysis)?;
            let frame = by_role.with_columns(joined, &analysis.calls)?;
            output.add_frame("calls_by_role", &frame, &|name| by_role.frame.column(name).is_err())?;
        }
        if is_wanted("report") {
            output.add_file("report.json", report.to_json()?.as_bytes())?;
            let own = joined.map(|joined| OwnColumns::new(joined, analysis)).transpose()?;
            let (own, files) = (own.as_ref(), analysis.files());
            let links = page.links(PAGE, &files);
            let pages = PageFiles { report, name: PAGE, beside: to.local(), shown: to.given(), links, own, audio };
            let shown = Page::build(analysis, calls, &page.options(order), own, rollup)?;
            output.add_file(PAGE, pages.html(&shown)?.as_bytes())?;
            pages.write_calls(&files, calls, console)?;
        }
        let written = output.finish()?;
        report_leftovers(to, &written.files, console);
        to.upload(console)?;
        written.short_sheets.iter().for_each(|sheet| report_short(sheet, console));
        console.note(&format!("{} written to {}", counted(written.files.len() as u64, "file"), to.given().display()));
        Ok(())
    }
}

/// A sheet of the workbook that does not hold all of its table.
fn report_short(sheet: &ShortSheet, console: &Console) {
    let ShortSheet { sheet: name, rows_left_out, texts_cut, .. } = sheet;
    if *rows_left_out > 0 {
        let rows = counted(*rows_left_out, "row");
        console.note(&format!("{WORKBOOK}: the sheet {name} is full; {rows} left out"));
    }
    if *texts_cut > 0 {
        let texts = counted(*texts_cut, "text");
        console.note(&format!("{WORKBOOK}: the sheet {name} has {texts} cut to the length of a cell"));
    }
}

/// Names tables of an earlier run that this run did not write: they do not match the report beside them.
fn report_leftovers(to: &Destination, written: &[PathBuf], console: &Console) {
    let names = || TABLES.iter().map(|table| table.name).chain(BESIDE_TABLES);
    let with = |extension| names().map(move |name| format!("{name}.{extension}"));
    let files = ["parquet", "csv", "jsonl", "json", "html"].into_iter().flat_map(with);
    for file in files.chain([WORKBOOK.to_owned()]) {
        if !written.contains(&to.local().join(&file)) && to.had(&file) {
            console.note(&format!("{} is left from an earlier run", to.given().join(&file).display()));
        }
    }
}
