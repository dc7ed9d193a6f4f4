//! Markdown: a heading, and a paragraph for what one participant says until somebody else does.

use super::{Call, clock};
use crate::text::markdown::escaped;

pub(super) fn write(call: &Call) -> String {
    let mut content = format!("# {}\n", escaped(&call.name));
    for paragraph in call.paragraphs() {
        let time = paragraph.begin.map(|begin| format!(" ({})", clock(begin))).unwrap_or_default();
        content += &format!("\n**{}**{time}: {}\n", escaped(paragraph.name), escaped(&paragraph.text));
    }
    content
}
