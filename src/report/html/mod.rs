//! The report as one HTML file: no network, light and dark, readable without scripts; scripts add sorting, filtering, zooming.
//!
//! The templates beside this file contain no arithmetic: they are given texts. Text from outside reaches the page only
//! through the template's escaping, and the page's content security policy allows no script but ours.

mod call;
mod cell;
mod chart;
mod list;
mod overview;
mod summary;
mod tiles;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;

use super::number::{count, counted, length};
use super::{CallView, Page, Report};
use crate::error::{Error, Result};
use call::CallContext;
use overview::Overview;

/// Most bytes of HTML for all calls of a page; the rest of the page takes a few hundred kB.
const MOST_BYTES_OF_CALLS: usize = 3_500_000;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page around a body.
#[derive(Serialize)]
struct Frame {
    title: String,
    style: Value,
    script: Value,
    nonce: String,
    body: Value,
}

/// The body of a call page.
#[derive(Serialize)]
struct Single {
    call: Value,
    back: String,
    foot: String,
}

/// Maps a file to the URL of its call page, relative to the report; see [`page`].
pub type Links<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Renders the report. `links` gives the URL of a call's own page, if it has one.
///
/// Shows the calls of [`Page::views`] in order, without those that would exceed 3.5 MB; the page says
/// how many these are.
///
/// # Errors
/// When a template cannot be rendered.
pub fn page(report: &Report, page: &Page, links: Links<'_>) -> Result<String> {
    let templates = templates()?;
    let mut calls: Vec<(&str, Value)> = Vec::new();
    let mut room = MOST_BYTES_OF_CALLS;
    for view in &page.views {
        // No need to render what cannot fit.
        if bytes_at_least(view) > room {
            continue;
        }
        let context = CallContext::new(report, view, &format!("c{}", calls.len() + 1), false);
        let html = templates.fill("call.html", context)?;
        if let Some(left) = room.checked_sub(html.len()) {
            room = left;
            calls.push((&view.file, Value::from_safe_string(html)));
        }
    }
    let left_out = match page.views.len() - calls.len() {
        0 => String::new(),
        more => format!(
            "{} left out: the page would be too large to open. Pages of single calls can be written beside it.",
            counted(more as u64, "more call")
        ),
    };
    let overview = Overview::new(report, page, links, calls, left_out);
    let title = format!("{} – talkmeter", overview.title);
    let body = templates.fill("report.html", overview)?;
    templates.frame(title, body)
}

/// Lower bound of the bytes of a call on a page: its texts, and the markup around each line and each word of evidence.
fn bytes_at_least(view: &CallView) -> usize {
    const MARKUP: usize = 80;
    let lines = view.lines.iter().map(|line| line.text.len() + MARKUP);
    let words = view.events.iter().map(|event| event.evidence.len() * MARKUP);
    lines.chain(words).sum()
}

/// Renders one call as a page. `back` is the URL of the report, relative to this page.
///
/// # Errors
/// When a template cannot be rendered.
pub fn call_page(report: &Report, view: &CallView, back: &str) -> Result<String> {
    let templates = templates()?;
    let context = CallContext::new(report, view, "c1", true);
    let call = Value::from_safe_string(templates.fill("call.html", context)?);
    let body = templates.fill("single.html", Single { call, back: back.to_owned(), foot: foot(report) })?;
    templates.frame(format!("{} – talkmeter", short(&view.file)), body)
}

/// The footer of every page.
fn foot(report: &Report) -> String {
    let hash = report.inputs.hash.get(..12).unwrap_or(&report.inputs.hash);
    format!("talkmeter {}, definitions {}, inputs {hash}", report.version, report.definitions_version)
}

/// The title: number and total length of the calls.
pub(super) fn title(report: &Report) -> String {
    let duration = report.totals.iter().find(|total| total.metric == "duration_ms").and_then(|total| total.sum);
    let calls = counted(report.inputs.measured, "call");
    duration.map_or_else(|| calls.clone(), |ms| format!("{calls}, {}", length(ms)))
}

/// The name of a call on a page: its file without `.json`.
fn short(file: &str) -> &str {
    file.strip_suffix(".json").filter(|name| !name.is_empty()).unwrap_or(file)
}

/// `16 of 24 calls`; empty if these are all.
fn coverage(n: u64, of: u64, thing: &str) -> String {
    if n == of { String::new() } else { format!("{} of {}", count(n as i64), counted(of, thing)) }
}

struct Templates(Environment<'static>);

fn templates() -> Result<Templates> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(failed)?;
    environment.set_syntax(syntax);
    for (name, source) in [
        ("frame.html", include_str!("frame.html")),
        ("report.html", include_str!("report.html")),
        ("call.html", include_str!("call.html")),
        ("single.html", include_str!("single.html")),
        ("summary.html", include_str!("summary.html")),
        ("grid.html", include_str!("grid.html")),
    ] {
        environment.add_template(name, source).map_err(failed)?;
    }
    Ok(Templates(environment))
}

impl Templates {
    fn fill(&self, name: &str, context: impl Serialize) -> Result<String> {
        let template = self.0.get_template(name).map_err(failed)?;
        template.render(Serde(context)).map_err(failed)
    }

    fn frame(&self, title: String, body: String) -> Result<String> {
        // Texts on the page cannot predict the nonce, and the same page always has the same one.
        let nonce = blake3::hash(body.as_bytes()).to_hex().chars().take(32).collect();
        let safe = |text: &str| Value::from_safe_string(text.to_owned());
        let frame =
            Frame { title, style: safe(STYLE), script: safe(SCRIPT), nonce, body: Value::from_safe_string(body) };
        let html = self.fill("frame.html", frame)?;
        // Control characters are invisible in a browser, but a terminal would act on them.
        let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        Ok(html.replace(is_control, "\u{FFFD}"))
    }
}

fn failed(error: minijinja::Error) -> Error {
    Error::invalid(format!("cannot render the report page: {error:#}"))
}
