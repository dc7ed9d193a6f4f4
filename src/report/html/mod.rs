//! The report as one HTML file: no network, light and dark, readable without scripts; scripts add sorting, filtering, zooming.
//!
//! Templates stand beside this file and hold no arithmetic: they are fed with texts. What comes from outside reaches the
//! page through the template's escaping alone, and the page's own policy lets no other script run than ours.

mod call;
mod cell;
mod chart;
mod list;
mod overview;
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

/// The calls of a page take no more than this together, in bytes of HTML; what is around them is some hundred KB.
pub const MOST_BYTES_OF_CALLS: usize = 3_500_000;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A page around a body.
#[derive(Serialize)]
struct Frame {
    title: String,
    style: Value,
    script: Value,
    nonce: String,
    body: Value,
}

/// The body of a page of a single call.
#[derive(Serialize)]
struct Single {
    call: Value,
    back: String,
    foot: String,
}

/// Where the page of a call of its own is, relative to the report; see [`page`].
pub type Links<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The report as a page. `links` gives the address of the page that a call has of its own, where it has one.
///
/// The calls of [`Page::views`] are on the page in their order, but for those that would not fit into 3.5 MB; how many these
/// are is said on it.
///
/// # Errors
/// When a template cannot be filled.
pub fn page(report: &Report, page: &Page, links: Links<'_>) -> Result<String> {
    let templates = templates()?;
    let mut calls: Vec<(&str, Value)> = Vec::new();
    let mut room = MOST_BYTES_OF_CALLS;
    for view in &page.views {
        // What is too large anyway need not be written first.
        if bytes_at_least(view) > room {
            continue;
        }
        let context = CallContext::of(report, view, &format!("c{}", calls.len() + 1), false);
        let html = templates.fill("call.html", context)?;
        if let Some(left) = room.checked_sub(html.len()) {
            room = left;
            calls.push((&view.file, Value::from_safe_string(html)));
        }
    }
    let left_out = match page.views.len() - calls.len() {
        0 => String::new(),
        more => format!(
            "{} more would make the page too large to open; `talkmeter report --pages` gives each call a page of its own.",
            counted(more as u64, "call")
        ),
    };
    let overview = Overview::of(report, page, links, calls, left_out);
    let title = format!("{} – talkmeter", overview.title);
    let body = templates.fill("report.html", overview)?;
    templates.frame(title, body)
}

/// What a call takes on a page at the least: its texts, and the markup around each line and each word of the evidence.
fn bytes_at_least(view: &CallView) -> usize {
    const MARKUP: usize = 80;
    let lines = view.lines.iter().map(|line| line.text.len() + MARKUP);
    let words = view.events.iter().map(|event| event.evidence.len() * MARKUP);
    lines.chain(words).sum()
}

/// A call as a page of its own. `back` is the address of the report, relative to this page.
///
/// # Errors
/// When a template cannot be filled.
pub fn call_page(report: &Report, view: &CallView, back: &str) -> Result<String> {
    let templates = templates()?;
    let context = CallContext::of(report, view, "c1", true);
    let call = Value::from_safe_string(templates.fill("call.html", context)?);
    let body = templates.fill("single.html", Single { call, back: back.to_owned(), foot: foot(report) })?;
    templates.frame(format!("{} – talkmeter", short(&view.file)), body)
}

/// The last line of every page.
fn foot(report: &Report) -> String {
    let hash = report.inputs.hash.get(..12).unwrap_or(&report.inputs.hash);
    format!("talkmeter {}, definitions {}, inputs {hash}", report.version, report.definitions_version)
}

/// What a report is about, in one line.
pub(super) fn title(report: &Report) -> String {
    let duration = report.totals.iter().find(|total| total.metric == "duration_ms").and_then(|total| total.sum);
    let calls = counted(report.inputs.measured, "call");
    duration.map_or_else(|| calls.clone(), |ms| format!("{calls}, {}", length(ms)))
}

/// What a call is called on a page: its file without the extension that all of them have.
fn short(file: &str) -> &str {
    file.strip_suffix(".json").filter(|name| !name.is_empty()).unwrap_or(file)
}

/// `16 of 24 calls`, and nothing where these are all.
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
        // Nobody who wrote a text on the page can have known it, and the same page has the same.
        let nonce = blake3::hash(body.as_bytes()).to_hex().chars().take(32).collect();
        let safe = |text: &str| Value::from_safe_string(text.to_owned());
        let frame =
            Frame { title, style: safe(STYLE), script: safe(SCRIPT), nonce, body: Value::from_safe_string(body) };
        let html = self.fill("frame.html", frame)?;
        // They have no look, and a terminal would obey them.
        let is_obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        Ok(html.replace(is_obeyed, "\u{FFFD}"))
    }
}

fn failed(error: minijinja::Error) -> Error {
    Error::invalid(format!("cannot write the page of the report: {error:#}"))
}
