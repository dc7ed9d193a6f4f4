//! The report as one HTML file: no network, light and dark, readable without scripts; scripts add sorting, filtering, zooming.
//!
//! The templates beside this file contain no arithmetic: they are given texts. Text from outside reaches the page only
//! through the template's escaping, and the page's content security policy allows no script but ours.

mod axis;
mod call;
mod cell;
mod chart;
mod lanes;
mod list;
mod overview;
mod ranking;
mod summary;
mod tiles;

use std::sync::OnceLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use rayon::prelude::*;
use serde::Serialize;

use super::number::{count, counted};
use super::{CallView, Page, Report};
use crate::error::{Error, Result};
use crate::metrics::DEFINITIONS_VERSION;
use crate::time::span;
use call::CallContext;
use overview::Overview;

/// Most bytes of HTML for all calls of a page; the rest of the page takes a few hundred kB.
const MOST_BYTES_OF_CALLS: usize = 3_500_000;

/// Calls rendered at once, on all threads.
const CALLS_AT_ONCE: usize = 16;

/// Style and script of single calls, of tables, and of the list of calls.
const STYLES: [&str; 2] = [include_str!("call.css"), include_str!("report.css")];
const SCRIPTS: [&str; 3] = [include_str!("call.js"), include_str!("grid.js"), include_str!("report.js")];

/// Which style and script a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Assets {
    /// All, in the page.
    Report,
    /// Those of tables, in the page.
    Tables,
    /// Those of single calls, in files that call pages share.
    Shared,
}

/// Files beside call pages: they would be most of the bytes of each.
const CALL_FILES: [&str; 2] = ["page.css", "page.js"];

/// The page around a body.
#[derive(Serialize)]
struct Frame {
    title: String,
    /// Files of style and script; empty where both are in the page.
    shared: &'static [&'static str],
    style: Value,
    script: Value,
    nonce: String,
    /// Source of audio in the content security policy; empty without audio.
    audio_source: String,
    body: Value,
}

/// A call that stands on the page.
struct ShownCall<'a> {
    file: &'a str,
    id: &'a str,
    html: Value,
}

/// The body of a call page.
#[derive(Serialize)]
struct Single {
    call: Value,
    back: String,
    foot: String,
}

/// The URL of something, if there is one.
type UrlOf<'a, T> = Option<&'a dyn Fn(&T) -> Option<String>>;

/// Where a page leads to besides itself: nowhere by default.
#[derive(Clone, Copy, Default)]
pub struct Links<'a> {
    pages: UrlOf<'a, str>,
    audio: UrlOf<'a, CallView>,
    audio_source: &'a str,
}

impl<'a> Links<'a> {
    /// Sets the URL of each call's own page, relative to the report, by its file.
    #[must_use]
    pub fn pages(self, pages: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { pages: Some(pages), ..self }
    }

    /// Sets the URL of each recording, to play it. `source` is where they all come from, as a source of a content security
    /// policy: `https://calls.example.org`.
    #[must_use]
    pub fn audio(self, audio: &'a dyn Fn(&CallView) -> Option<String>, source: &'a str) -> Self {
        Self { audio: Some(audio), audio_source: source, ..self }
    }

    fn page_of(&self, file: &str) -> Option<String> {
        self.pages?(file)
    }

    fn audio_of(&self, view: &CallView) -> Option<String> {
        self.audio?(view)
    }
}

impl std::fmt::Debug for Links<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Links").field("audio_source", &self.audio_source).finish_non_exhaustive()
    }
}

/// Renders the report.
///
/// Shows the calls of [`Page::views`] in order, without those that would exceed 3.5 MB; the page says
/// how many these are.
///
/// # Errors
/// When a template cannot be rendered.
pub fn page(report: &Report, page: &Page, links: &Links<'_>) -> Result<String> {
    let templates = templates()?;
    let views: Vec<_> = (1..).zip(&page.views).map(|(n, view)| (format!("c{n}"), view, links.audio_of(view))).collect();
    let mut calls: Vec<ShownCall<'_>> = Vec::new();
    let mut room = MOST_BYTES_OF_CALLS;
    for views in views.chunks(CALLS_AT_ONCE) {
        // No need to render what cannot fit.
        let fitting: Vec<_> = views.iter().filter(|(_, view, _)| bytes_at_least(view) <= room).collect();
        let render = |(id, view, audio): &&(String, &CallView, Option<String>)| {
            templates.fill("call.html", CallContext::new(report, view, id, false, audio.clone()))
        };
        let rendered: Vec<Result<String>> = fitting.par_iter().map(render).collect();
        for ((id, view, _), html) in fitting.into_iter().zip(rendered) {
            let html = html?;
            if let Some(left) = room.checked_sub(html.len()) {
                room = left;
                calls.push(ShownCall { file: &view.file, id, html: Value::from_safe_string(html) });
            }
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
    templates.frame(title, body, Assets::Report, links.audio_source)
}

/// Lower bound of the bytes of a call on a page: its texts, and the markup around each line and each word of evidence.
fn bytes_at_least(view: &CallView) -> usize {
    const LINE: usize = 80;
    const WORD: usize = 45;
    let lines = view.lines.iter().map(|line| line.text.len() + LINE);
    let words = view.events.iter().map(|event| event.evidence.len() * WORD);
    lines.chain(words).sum()
}

/// Renders one call as a page, which needs the files of [`call_page_files`] beside it. `back` is the URL of the report, relative
/// to this page, as are those of `links`.
///
/// # Errors
/// When a template cannot be rendered.
pub fn call_page(report: &Report, view: &CallView, back: &str, links: &Links<'_>) -> Result<String> {
    let templates = templates()?;
    let context = CallContext::new(report, view, "c1", true, links.audio_of(view));
    let call = Value::from_safe_string(templates.fill("call.html", context)?);
    let body = templates.fill("single.html", Single { call, back: back.to_owned(), foot: foot(report) })?;
    let title = format!("{} – talkmeter", short(&view.file));
    templates.frame(title, body, Assets::Shared, links.audio_source)
}

/// Style and script of call pages, each with the name of its file in their folder.
#[must_use]
pub fn call_page_files() -> [(&'static str, String); 2] {
    let [style, script] = CALL_FILES;
    [(style, compact(STYLES[0])), (script, compact(SCRIPTS[0]))]
}

/// The footer of every page.
fn foot(report: &Report) -> String {
    let hash = report.inputs.hash.as_ref().map(|hash| format!(", inputs {}", hash.get(..12).unwrap_or(hash)));
    format!("talkmeter {}, definitions {DEFINITIONS_VERSION}{}", report.version, hash.unwrap_or_default())
}

/// Number and total length of the calls: `6 calls, 17 min 45 s`.
pub(super) fn extent(report: &Report) -> String {
    let duration = report.totals.iter().find(|total| total.metric == "duration_ms").and_then(|total| total.sum);
    let calls = counted(report.inputs.measured, "call");
    duration.map_or_else(|| calls.clone(), |ms| format!("{calls}, {}", span(ms.saturating_add(500) / 1000 * 1000)))
}

/// The title that was given, else the extent.
pub(super) fn title(report: &Report) -> String {
    report.title.clone().unwrap_or_else(|| extent(report))
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

/// Read once in a process: a page of a single call takes no longer to render.
fn templates() -> Result<&'static Templates> {
    static READ: OnceLock<Templates> = OnceLock::new();
    match READ.get() {
        Some(read) => Ok(read),
        None => read_templates().map(|read| READ.get_or_init(|| read)),
    }
}

fn read_templates() -> Result<Templates> {
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

    fn frame(&self, title: String, body: String, assets: Assets, audio_source: &str) -> Result<String> {
        // Texts on the page cannot predict the nonce, and the same page always has the same one.
        let nonce = blake3::hash(body.as_bytes()).to_hex().chars().take(32).collect();
        let (styles, scripts) = match assets {
            Assets::Report => (&STYLES[..], &SCRIPTS[..]),
            Assets::Tables => (&STYLES[..], &SCRIPTS[..2]),
            Assets::Shared => (&[][..], &[][..]),
        };
        let inner = |parts: &[&str]| Value::from_safe_string(compact(&parts.concat()));
        let frame = Frame {
            title,
            shared: if assets == Assets::Shared { &CALL_FILES } else { &[] },
            style: inner(styles),
            script: inner(scripts),
            nonce,
            audio_source: audio_source.to_owned(),
            body: Value::from_safe_string(body),
        };
        let html = self.fill("frame.html", frame)?;
        // Control characters are invisible in a browser, but a terminal would act on them.
        let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        Ok(html.replace(is_control, "\u{FFFD}"))
    }
}

/// Without indentation, empty lines and lines that are comments.
fn compact(source: &str) -> String {
    let lines = source.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect::<String>().trim_end().to_owned()
}

fn failed(error: minijinja::Error) -> Error {
    Error::invalid(format!("cannot render the report page: {error:#}"))
}
