//! Markdown: a heading, and a paragraph for what one participant says until somebody else does.

use super::{Call, clock};

pub(super) fn write(call: &Call) -> String {
    let mut content = format!("# {}\n", escaped(&call.name));
    for paragraph in call.paragraphs() {
        let time = paragraph.begin.map(|begin| format!(" ({})", clock(begin))).unwrap_or_default();
        content += &format!("\n**{}**{time}: {}\n", escaped(paragraph.name), escaped(&paragraph.text));
    }
    content
}

/// Text that is neither markup nor HTML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '|' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}
