//! Plain text: `[0:12] agent: text`, a line for what one participant says until somebody else does.

use super::{Call, clock};

pub(super) fn write(call: &Call) -> String {
    let line = |paragraph: super::Paragraph<'_>| {
        let time = paragraph.begin.map(|begin| format!("[{}] ", clock(begin))).unwrap_or_default();
        format!("{time}{}: {}\n", paragraph.name, paragraph.text)
    };
    call.paragraphs().into_iter().map(line).collect()
}
