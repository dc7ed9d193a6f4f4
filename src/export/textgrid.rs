//! `TextGrid`, the long text format. Praat manual, chapter on its file formats.

use super::lanes::{Tier, tiers};
use super::{Call, seconds};

pub(super) fn write(call: &Call) -> String {
    // A file without any time lasts a millisecond: Praat knows no shorter one.
    let end = call.duration_ms.max(1);
    let mut tiers = tiers(call);
    if tiers.is_empty() {
        // Readers want a tier.
        tiers.push(Tier { name: "speech".to_owned(), participant: "", annotations: Vec::new() });
    }
    let mut content = format!(
        "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\nxmin = 0\nxmax = {}\ntiers? <exists>\nsize = {}\nitem []:\n",
        seconds(end),
        tiers.len()
    );
    for (number, tier) in (1..).zip(&tiers) {
        content += &format!("    item [{number}]:\n        class = \"IntervalTier\"\n");
        content +=
            &format!("        name = \"{}\"\n        xmin = 0\n        xmax = {}\n", quoted(&tier.name), seconds(end));
        let intervals = filled(tier, end);
        content += &format!("        intervals: size = {}\n", intervals.len());
        for (number, (begin, end, text)) in (1..).zip(intervals) {
            content += &format!("        intervals [{number}]:\n            xmin = {}\n", seconds(begin));
            content += &format!("            xmax = {}\n            text = \"{}\"\n", seconds(end), quoted(text));
        }
    }
    content
}

/// The annotations with empty ones between them, from 0 to the end.
fn filled<'c>(tier: &Tier<'c>, end: i64) -> Vec<(i64, i64, &'c str)> {
    let mut intervals = Vec::with_capacity(tier.annotations.len() * 2 + 1);
    let mut reached = 0;
    for (interval, text) in &tier.annotations {
        if interval.begin > reached {
            intervals.push((reached, interval.begin, ""));
        }
        intervals.push((interval.begin, interval.end, *text));
        reached = interval.end;
    }
    if end > reached {
        intervals.push((reached, end, ""));
    }
    intervals
}

fn quoted(text: &str) -> String {
    text.replace('"', "\"\"")
}
