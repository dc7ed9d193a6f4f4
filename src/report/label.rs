//! What figures, kinds and parameters are called on a page.

use crate::metrics::Parameters;
use crate::metrics::catalogue::{Column, Table};

/// Columns whose name alone does not read well.
const LABELS: [(&str, &str); 28] = [
    ("articulation_units_per_min", "Articulation rate"),
    ("backchannel_count", "Backchannels"),
    ("billable_ms", "Billable speech"),
    ("call_count", "Calls"),
    ("dead_air_count", "Dead air"),
    ("dead_air_ms", "Dead air, time"),
    ("duration_ms", "Length"),
    ("interrupted_count", "Interrupted"),
    ("interruption_count", "Interruptions"),
    ("keyword_hit_count", "Keyword hits"),
    ("longest_silence_ms", "Longest silence"),
    ("longest_turn_ms", "Longest turn"),
    ("overlap_ratio", "Overlap"),
    ("question_count", "Questions"),
    ("response_ms_p50", "Response, median"),
    ("response_ms_p90", "Response, 90th percentile"),
    ("silence_ms", "Silence"),
    ("silence_ratio", "Silence"),
    ("silence_ratio_p50", "Silence, median"),
    ("speech_ms", "Speech"),
    ("switches_per_min", "Switches/min"),
    ("switches_per_min_p50", "Switches/min, median"),
    ("talk_ms", "Talk"),
    ("talk_share", "Share of talk"),
    ("turn_count", "Turns"),
    ("units_per_min", "Units/min"),
    ("units_per_min_p50", "Units/min, median"),
    ("warning_count", "Warnings"),
];

/// A column for people; its name with spaces where no better one is known.
pub(super) fn label(column: &str) -> String {
    let known = LABELS.iter().find(|(name, _)| *name == column);
    known.map_or_else(|| column.replace('_', " "), |(_, label)| (*label).to_owned())
}

/// Kinds of events in the order in which a reader wants them: one of them, several.
pub(super) const KINDS: [(&str, &str, &str); 6] = [
    ("interruption", "interruption", "Interruptions"),
    ("dead_air", "dead air", "Dead air"),
    ("simultaneous_start", "simultaneous start", "Simultaneous starts"),
    ("side_speech", "side speech", "Side speech"),
    ("terminal_overlap", "overlap at a turn change", "Overlaps at a turn change"),
    ("backchannel", "backchannel", "Backchannels"),
];

/// The column of a table.
pub(super) fn column(table: &'static Table, name: &str) -> Option<&'static Column> {
    table.columns.iter().find(|column| column.name == name)
}

/// The parameters that a definition names, with their values.
pub(super) fn parameters_of(meaning: &str, parameters: &Parameters) -> Vec<String> {
    let words: Vec<&str> = meaning.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let named = parameters.values().filter(|(name, _)| words.contains(name));
    named.map(|(name, value)| format!("{name} {value}")).collect()
}

/// Why a cell is null: the first code of its row that its column can be null for, with the code's meaning.
pub(super) fn why(table: &'static Table, name: &str, reasons: Option<&str>) -> String {
    let Some(column) = column(table, name) else { return String::new() };
    let codes = reasons.unwrap_or_default();
    let holds = |code: &&str| codes.split(';').any(|reason| reason == *code);
    let code = column.null.split([',', ';', ' ']).find(|code| !code.is_empty() && holds(code));
    let reason = crate::metrics::Reason::ALL.iter().find(|reason| Some(reason.name()) == code);
    reason.map_or_else(|| column.null.to_owned(), |reason| reason.meaning().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::catalogue::{CALLS, PARTICIPANTS};

    #[test]
    fn a_dash_says_why() {
        let reasons = Some("duration_unknown;single_channel_diarised");
        assert_eq!(why(&CALLS, "overlap_ratio", reasons), "one track, split by diarisation, cannot show overlap");
        assert_eq!(why(&CALLS, "keyword_hit_count", None), "no keyword was given");
    }

    #[test]
    fn a_definition_brings_its_parameters() {
        let meaning = column(&CALLS, "interruption_count").unwrap().meaning;
        let named = parameters_of(meaning, &Parameters::default());
        assert_eq!(named, ["interruption_overlap_ms 1000", "incumbent_ms 1000"]);
    }

    #[test]
    fn every_label_is_of_a_column_there_is() {
        for (name, _) in LABELS {
            let of_rollup = name == "call_count" || name.ends_with("_p50");
            assert!(of_rollup || column(&CALLS, name).or_else(|| column(&PARTICIPANTS, name)).is_some(), "{name}");
        }
    }
}
