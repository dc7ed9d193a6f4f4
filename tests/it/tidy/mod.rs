//! Rules for the source that no compiler checks.

mod definitions;
mod source;
mod walls;

use talkmeter::metrics::Parameters;
use talkmeter::metrics::catalogue::TABLES;
use talkmeter::transcript::Code;

/// Lines of code of the product that hold one of these, in files where they may not.
fn offences(needles: &[&str], allowed: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in source::product().iter().filter(|file| !allowed(&file.path)) {
        for (at, line) in file.code().0.lines().enumerate() {
            if needles.iter().any(|needle| line.contains(needle)) {
                found.push(format!("src/{}:{}: {}", file.path, at + 1, line.trim()));
            }
        }
    }
    found
}

// Printing, exits and panics are clippy's to find (Cargo.toml, [lints]).
#[test]
fn only_the_command_looks_at_the_environment() {
    let cli = |path: &str| path.starts_with("cli/");
    assert_eq!(offences(&["env::var", "env::args", "stdin()", "stdout()", "stderr()"], cli), Vec::<String>::new());
    // The search finds what there is to find.
    assert!(!offences(&["polars"], |_| false).is_empty());
}

#[test]
fn nothing_is_left_for_later() {
    let notes: Vec<String> = source::files("rs")
        .into_iter()
        .filter(|file| file.text.contains("TODO") || file.text.contains("FIXME"))
        .map(|file| file.path)
        .collect();
    assert_eq!(notes, Vec::<String>::new());
}

#[test]
fn polars_stays_in_the_tables() {
    let tables = |path: &str| {
        path.starts_with("tables/")
            || path.starts_with("report/")
            || ["error.rs", "lib.rs", "python/arrow.rs", "python/table.rs"].contains(&path)
    };
    assert_eq!(offences(&["polars"], tables), Vec::<String>::new());
}

// Whether such objects keep the order in which they are filled hangs on a feature that a dependency turns on.
#[test]
fn members_of_json_are_in_the_order_of_a_type() {
    let commands = ["analyze", "compare", "explain", "metrics", "report", "rules/", "sensitivity", "summary"];
    let is_free = |path: &str| {
        let command = path.strip_prefix("cli/").is_some_and(|path| commands.iter().any(|own| path.starts_with(own)));
        let folders = ["report/", "compare/", "tables/", "metrics/", "rules/"];
        // The data of a page, a schema that is sorted, and categories that are read.
        let other = ["report/html/list.rs", "rules/schema.rs", "rules/amazon.rs"];
        !(command || folders.iter().any(|folder| path.starts_with(folder))) || other.contains(&path)
    };
    assert_eq!(offences(&["json!({", "serde_json::Map"], is_free), Vec::<String>::new());
    assert!(!offences(&["json!({"], |_| false).is_empty());
}

#[test]
fn no_file_is_too_long_to_read() {
    let long: Vec<String> = source::product()
        .iter()
        .map(|file| (&file.path, file.code().0.trim_end().lines().count()))
        .filter(|(_, lines)| *lines > 700)
        .map(|(path, lines)| format!("{path}: {lines}"))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn every_file_begins_with_what_it_holds() {
    let silent: Vec<String> =
        source::files("rs").into_iter().filter(|file| !file.text.starts_with("//!")).map(|file| file.path).collect();
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn every_row_of_every_catalogue_has_a_meaning() {
    for table in TABLES {
        assert!(!table.grain.is_empty());
        for column in table.columns {
            assert!(!column.meaning.is_empty(), "{}.{}", table.name, column.name);
            assert!(!column.meaning.ends_with('.'), "{}: no full stop", column.meaning);
            // A figure names where it is defined.
            let figure = ["_ms", "_ratio", "_per_min", "_share", "_count"].iter().any(|end| column.name.ends_with(end));
            let key = ["begin_ms", "end_ms", "sentence_count"].contains(&column.name);
            assert!(key || !figure || column.definition.is_some(), "{}.{}", table.name, column.name);
        }
    }
    assert!(Parameters::LIST.iter().all(|parameter| !parameter.meaning.is_empty() && !parameter.unit.is_empty()));
    assert!(Code::ALL.iter().all(|code| !code.meaning().is_empty() && !code.unit().is_empty()));
}
