//! A page taken apart: what it shows, by the table or call it shows it in. Only for pages of ours, which are regular.

use std::collections::BTreeMap;

use regex::Regex;

/// A table: its columns, and its rows by their first cell.
pub(crate) struct List {
    /// The figure of each column that has one.
    pub(crate) metrics: Vec<Option<String>>,
    /// Of each row: id, and each cell as sorted and as read.
    pub(crate) rows: Vec<Vec<(String, String)>>,
}

/// Every match's first group.
fn found<'t>(pattern: &str, text: &'t str) -> Vec<&'t str> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found.get(1).unwrap().as_str()).collect()
}

/// What lies between two texts, the first time.
fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let start = text.find(from).unwrap_or_else(|| panic!("no {from}")) + from.len();
    let end = text[start..].find(to).unwrap_or_else(|| panic!("no {to} after {from}"));
    &text[start..start + end]
}

/// Text without markup.
pub(crate) fn text(html: &str) -> String {
    let plain = Regex::new("(?s)<span class=\"unseen\">.*?</span>|<[^>]*>").unwrap().replace_all(html, "").into_owned();
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#x2f;", "/"), ("&amp;", "&")];
    entities.iter().fold(plain, |text, (entity, character)| text.replace(entity, character)).trim().to_owned()
}

/// The list of calls.
pub(crate) fn list(page: &str) -> List {
    let table = between(page, "id=\"list\">", "</table>");
    let metric = Regex::new("data-metric=\"([a-z_0-9]+)\"").unwrap();
    let head = between(table, "<thead>", "</thead>");
    let metrics = found("(?s)<th (.*?)</th>", head);
    List {
        metrics: metrics.iter().map(|head| metric.captures(head).map(|found| found[1].to_owned())).collect(),
        rows: rows(between(table, "<tbody>", "</tbody>")),
    }
}

fn rows(body: &str) -> Vec<Vec<(String, String)>> {
    let sorted = Regex::new("data-v=\"([^\"]*)\"").unwrap();
    let cell = |cell: &&str| {
        let sorted = sorted.captures(cell).map(|found| text(&found[1])).unwrap_or_default();
        (sorted, text(cell.split_once('>').unwrap().1))
    };
    let cells = |row: &&str| found("(?s)<t[hd]( .*?)</t[hd]>", row).iter().map(cell).collect();
    found("(?s)<tr[^>]*>(.*?)</tr>", body).iter().map(cells).collect()
}

/// The table in a section: each row's cells as sorted and as read.
pub(crate) fn section(page: &str, id: &str) -> Vec<Vec<(String, String)>> {
    let section = between(page, &format!("<section id=\"{id}\""), "</section>");
    rows(between(section, "<tbody>", "</tbody>"))
}

/// All calls, as the script reads them.
pub(crate) fn data(page: &str) -> serde_json::Value {
    let data = between(page, "<script type=\"application/json\" id=\"call-data\">", "</script>");
    assert!(!data.contains('<'), "nothing in it can end the element");
    serde_json::from_str(data).unwrap()
}

/// What needs a look: a line per call, with its reasons.
pub(crate) fn attention(page: &str) -> Vec<String> {
    let section = between(page, "<section id=\"attention\"", "</section>");
    let list = section.split_once("<ol class=\"look\">").map_or("", |(_, list)| list);
    let items = list.split("\n<li>").skip(1).map(|item| text(&item.replace("<ul>", " ").replace("</li><li>", " | ")));
    items.collect()
}

/// A headline figure with the notes below it.
pub(crate) fn tile(page: &str, label: &str) -> String {
    let tiles = found("(?s)<details class=\"tile\" name=\"tile\">\n<summary>(.*?)</summary>", page);
    let tile = tiles.iter().map(|tile| text(&tile.replace("</strong>", "</strong> ").replace("</span>", "</span> ")));
    let found = tile.into_iter().find(|tile| tile.starts_with(label));
    found
        .unwrap_or_else(|| panic!("no tile {label}"))
        .split_whitespace()
        .filter(|word| *word != "i")
        .collect::<Vec<_>>()
        .join(" ")
}

/// The calls that are shown whole, by file.
pub(crate) fn calls(page: &str) -> BTreeMap<String, &str> {
    let articles = found("(?s)<article class=\"call\" (.*?)</article>", page);
    articles.into_iter().map(|article| (text(between(article, "data-file=\"", "\"")), article)).collect()
}

/// Length of each participant's lane and of the dead air behind them, in ms: what is drawn, added up.
pub(crate) fn lanes(call: &str) -> (BTreeMap<i64, i64>, i64) {
    // Without speech and without a length there is nothing to draw.
    let track = if call.contains("<figure") { between(call, "<div class=\"track\">", "</figure>") } else { "" };
    let mut lanes = BTreeMap::new();
    let mut air = 0;
    // Of a lane in stripes the first begins with `M`, the second with `m`.
    let drawn = Regex::new("<path class=\"(p[0-9](?: striped)?|air)\" d=\"([^\"]*)\"/>").unwrap();
    let piece = Regex::new("M[0-9]+ ([0-9]+)h([0-9]+)v").unwrap();
    for (_, [class, path]) in drawn.captures_iter(track).map(|found| found.extract()) {
        for (_, [top, width]) in piece.captures_iter(path).map(|found| found.extract()) {
            let width: i64 = width.parse().unwrap();
            if class == "air" {
                air += width;
            } else {
                *lanes.entry(top.parse::<i64>().unwrap() / 18).or_default() += width;
            }
        }
    }
    (lanes, air)
}

/// The table of a call's participants.
pub(crate) fn participants(call: &str) -> Vec<Vec<(String, String)>> {
    let has_any = call.contains("Participants of ");
    if has_any {
        rows(between(between(call, "Participants of ", "</table>"), "<tbody>", "</tbody>"))
    } else {
        Vec::new()
    }
}

/// The transcript: who and what, without badges.
pub(crate) fn transcript(call: &str) -> Vec<(String, String)> {
    let badge = Regex::new("(?s)<a class=\"badge.*?</a>").unwrap();
    let line = |line: &str| {
        let line = badge.replace_all(line, "");
        (text(between(&line, "<b>", "</b>")), text(between(&line, "<p>", "</p>")))
    };
    found("(?s)<li id=\"c[0-9]+l[0-9]+\"(.*?)</li>", call).into_iter().map(line).collect()
}

/// Everything in it that names another element of it must name one that is there.
pub(crate) fn dangling(page: &str) -> Vec<String> {
    let ids: std::collections::BTreeSet<&str> = found(" id=\"([^\"]+)\"", page).into_iter().collect();
    // Behind `&` stands what is filtered by.
    let links = found("href=\"#([^\"&]+)", page);
    links.into_iter().filter(|link| !ids.contains(link)).map(str::to_owned).collect()
}

/// Asserts that a cell, as people read it, says this value as exactly as its digits go: `1:05`, `+0.58 s`, `13 %`, `1 234`.
#[track_caller]
pub(crate) fn assert_reads(shown: &str, value: &serde_json::Value, what: &str) {
    let Some(value) = value.as_f64() else {
        return assert_eq!(shown, "\u{2013}", "{what} was not measured");
    };
    let (number, scale) = match shown {
        text if text.ends_with(" s") => (&text[..text.len() - 2], 1000.0),
        text if text.ends_with(" ms") => (&text[..text.len() - 3], 1.0),
        text if text.ends_with(" %") => (&text[..text.len() - 2], 0.01),
        text if text.contains(':') => (text, 1000.0),
        text => (text, 1.0),
    };
    let plain: String = number.chars().filter(|c| !matches!(c, '+' | '-' | ',' | '\u{202F}')).collect();
    let read = |part: &str| part.parse::<f64>().unwrap_or_else(|_| panic!("{what}: `{shown}` is no number"));
    let size = plain.split(':').fold(0.0, |sum, part| sum * 60.0 + read(part)) * scale;
    let read = if number.starts_with('-') { -size } else { size };
    let decimals = plain.split_once('.').map_or(0, |(_, digits)| digits.len());
    let half = 0.5 * scale / 10_f64.powi(decimals as i32);
    assert!((read - value).abs() <= half * (1.0 + 1e-9), "{what}: `{shown}` is not {value}");
}

mod tests {
    use serde_json::{Value, json};

    use super::assert_reads;
    use crate::scene::fails;

    #[test]
    fn a_cell_says_its_value_to_its_last_digit() {
        let says = |shown: &'static str, value: Value| assert_reads(shown, &value, "cell");
        says("1:05", json!(65_499));
        says("1:02:03", json!(3_723_000));
        says("-0.75 s", json!(-750));
        says("13 %", json!(0.128));
        says("1\u{202F}234", json!(1234));
        says("\u{2013}", Value::Null);
        for (shown, value) in
            [("1:05", json!(65_501)), ("0.75 s", json!(-750)), ("13 %", json!(0.136)), ("0", Value::Null)]
        {
            assert!(!fails(move || assert_reads(shown, &value, "cell")).is_empty());
        }
        assert!(fails(|| assert_reads("\u{2013}", &json!(0), "cell")).contains("is no number"));
    }
}
