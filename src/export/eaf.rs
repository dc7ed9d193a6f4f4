//! EAF, the annotations of ELAN. Max Planck Institute for Psycholinguistics, "EAF Annotation Format", version 3.0.

use super::Call;
use super::lanes::tiers;

/// The format wants a date; the same call gives the same bytes.
const DATE: &str = "1970-01-01T00:00:00+00:00";

pub(super) fn write(call: &Call) -> String {
    let tiers = tiers(call);
    let (mut slots, mut body) = (String::new(), String::new());
    let mut number = 0_u64;
    for tier in &tiers {
        body += &format!(
            "    <TIER LINGUISTIC_TYPE_REF=\"default-lt\" PARTICIPANT=\"{}\" TIER_ID=\"{}\">\n",
            escaped(tier.participant),
            escaped(&tier.name)
        );
        for (interval, text) in &tier.annotations {
            number += 1;
            let (begin, end) = (2 * number - 1, 2 * number);
            for (slot, ms) in [(begin, interval.begin), (end, interval.end)] {
                slots += &format!("        <TIME_SLOT TIME_SLOT_ID=\"ts{slot}\" TIME_VALUE=\"{ms}\"/>\n");
            }
            body += &format!(
                "        <ANNOTATION>\n            <ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a{number}\" \
                 TIME_SLOT_REF1=\"ts{begin}\" TIME_SLOT_REF2=\"ts{end}\">\n                \
                 <ANNOTATION_VALUE>{}</ANNOTATION_VALUE>\n            </ALIGNABLE_ANNOTATION>\n        </ANNOTATION>\n",
                escaped(text)
            );
        }
        body += "    </TIER>\n";
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ANNOTATION_DOCUMENT AUTHOR=\"talkmeter\" DATE=\"{DATE}\" FORMAT=\"3.0\" VERSION=\"3.0\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xsi:noNamespaceSchemaLocation=\"http://www.mpi.nl/tools/elan/EAFv3.0.xsd\">\n    \
         <HEADER MEDIA_FILE=\"\" TIME_UNITS=\"milliseconds\"/>\n    \
         <TIME_ORDER>\n{slots}    </TIME_ORDER>\n{body}    \
         <LINGUISTIC_TYPE GRAPHIC_REFERENCES=\"false\" LINGUISTIC_TYPE_ID=\"default-lt\" TIME_ALIGNABLE=\"true\"/>\n\
         </ANNOTATION_DOCUMENT>\n"
    )
}

/// A text in an element or an attribute; what XML cannot hold becomes U+FFFD.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}
