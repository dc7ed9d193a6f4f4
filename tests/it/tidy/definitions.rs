//! Every pointer to the definitions arrives, and no text refers to what its reader cannot look up.

use std::path::{Path, PathBuf};

use regex::Regex;
use talkmeter::metrics::catalogue::TABLES;

/// The sections of docs/definitions.md, as they are referred to: `interruption`, `talk share`.
fn sections() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/definitions.md");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_lowercase).collect()
}

/// Every text that a reader of the repository opens: path and content.
fn texts() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    let mut open: Vec<PathBuf> =
        ["src", "tests", "docs", "examples", "benches", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"]
            .iter()
            .map(|name| root.join(name))
            .collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "md") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            texts.extend(std::fs::read_to_string(path).map(|text| (name, text)));
        }
    }
    texts.sort();
    texts
}

/// The sections that a text points to: `turn` and `dead air` in `(definitions: turn, dead air)`. A comment may break
/// the line.
fn pointers(text: &str) -> Vec<String> {
    let comment = Regex::new(r"\n\s*//[/!]? ").unwrap();
    let pointer = Regex::new(r#"(?:\(|"|`|^|\s)definitions: ([a-z][a-z ,-]*)(?:[).;"`:]|$)"#).unwrap();
    let text = comment.replace_all(text, " ");
    let found = pointer.captures_iter(&text).filter_map(|hit| hit.get(1));
    found.flat_map(|names| names.as_str().split(", ").map(|name| name.trim().to_owned())).collect()
}

#[test]
fn every_pointer_to_the_definitions_arrives() {
    let sections = sections();
    assert!(sections.len() > 50, "{sections:?}");
    assert_eq!(pointers("/// A gap (definitions: dead\n    /// air, turn)."), ["dead air", "turn"]);
    let mut lost = Vec::new();
    let mut followed = 0;
    for (name, text) in texts() {
        for pointer in pointers(&text) {
            followed += 1;
            if !sections.contains(&pointer) {
                lost.push(format!("{name}: {pointer}"));
            }
        }
    }
    for table in TABLES {
        for (column, definition) in table.columns.iter().filter_map(|column| Some((column, column.definition?))) {
            if !sections.contains(&definition.name().to_owned()) {
                lost.push(format!("{}.{}: {}", table.name, column.name, definition.name()));
            }
        }
    }
    assert_eq!(lost, Vec::<String>::new());
    assert!(followed > 80, "{followed} pointers");
}

#[test]
fn nothing_refers_to_numbers_that_no_reader_can_look_up() {
    // Numbers of notes, sections of other documents, and names of documents that are not in this repository.
    let number = Regex::new(r"\bF[0-9]{1,2}[a-z]?\b|[(,] ?2\.1?[0-9](?:, F|\)|–2\.)").unwrap();
    let document = ["metrics", "service-api", "fine-print", "design", "style"].map(|name| format!("{name}.md"));
    let mut found = Vec::new();
    for (name, text) in texts().iter().filter(|(name, _)| name != "tests/it/tidy/definitions.rs") {
        for (at, line) in text.lines().enumerate() {
            let comment = line.contains("//") || name.ends_with(".md");
            if comment && number.is_match(line) || document.iter().any(|document| line.contains(document)) {
                found.push(format!("{name}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}
