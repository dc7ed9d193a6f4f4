//! Rules for the source that no compiler checks.

use std::path::{Path, PathBuf};

use talkmeter::metrics::Parameters;
use talkmeter::metrics::catalogue::TABLES;
use talkmeter::transcript::Code;

/// Path below `src` and text of every source file.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let way = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                sources.push((way, std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert!(sources.len() > 40, "the source is not where it was");
    sources.sort();
    sources
}

/// The lines that are compiled into the product: no comments, no documentation, nothing behind `#[cfg(test)]`.
fn code(text: &str) -> Vec<(usize, &str)> {
    let end = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    let product = text.get(..end).unwrap();
    product
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(at, line)| (at + 1, line))
        .collect()
}

/// A file of tests: the module above it says `#[cfg(test)] mod tests;`.
fn is_test(way: &str) -> bool {
    let Some(folder) = way.strip_suffix("/tests.rs") else { return false };
    let above = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/{folder}/mod.rs")));
    above.is_ok_and(|above| above.contains("#[cfg(test)]\nmod tests;"))
}

/// Every line of the product that holds one of these, where it may not.
fn offences(needles: &[&str], allowed: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (way, text) in sources().iter().filter(|(way, _)| !allowed(way) && !is_test(way)) {
        for (number, line) in code(text) {
            if needles.iter().any(|needle| line.contains(needle)) {
                found.push(format!("src/{way}:{number}: {}", line.trim()));
            }
        }
    }
    found
}

#[test]
fn the_eye_that_looks_for_offences_sees() {
    let text =
        "fn a() { b.unwrap() }\n// c.unwrap()\n/// d.unwrap()\n#[cfg(test)]\nmod tests { fn e() { f.unwrap() } }\n";
    assert_eq!(code(text), [(1, "fn a() { b.unwrap() }")]);
    assert!(offences(&["polars"], |_| false).len() > 5);
}

#[test]
fn only_the_command_prints_and_looks_at_the_environment() {
    let cli = |way: &str| way.starts_with("cli/");
    let printing = [
        "println!",
        "print!",
        "eprint",
        "dbg!",
        "env::var",
        "env::args",
        "process::exit",
        "stdout()",
        "stderr()",
        "stdin()",
    ];
    assert_eq!(offences(&printing, cli), Vec::<String>::new());
}

#[test]
fn nothing_unwraps() {
    assert_eq!(
        offences(&[".unwrap()", ".expect(", "panic!", "unreachable!", "todo!", "unimplemented!"], |_| false),
        Vec::<String>::new()
    );
}

#[test]
fn nothing_is_unsafe_and_nothing_is_left_for_later() {
    assert_eq!(offences(&["unsafe "], |_| false), Vec::<String>::new());
    let todo: Vec<String> = sources()
        .iter()
        .filter(|(_, text)| text.contains("TODO") || text.contains("FIXME"))
        .map(|file| file.0.clone())
        .collect();
    assert_eq!(todo, Vec::<String>::new());
}

#[test]
fn polars_stays_in_the_tables() {
    let tables = |way: &str| way.starts_with("tables/") || way.starts_with("report/") || way == "error.rs";
    assert_eq!(offences(&["polars"], tables), Vec::<String>::new());
}

#[test]
fn the_emulator_shares_nothing_with_what_it_tests() {
    let elsewhere = |way: &str| !way.starts_with("emulator/");
    let mut used = offences(&["crate::"], elsewhere);
    used.retain(|line| {
        !["crate::emulator", "crate::Error", "crate::Result", "crate::{Error, Result}"]
            .iter()
            .any(|own| line.contains(own))
    });
    assert_eq!(used, Vec::<String>::new());
}

#[test]
fn no_file_is_too_long_to_read() {
    let long: Vec<String> = sources()
        .iter()
        .map(|(way, text)| (way, code(text).last().map_or(0, |line| line.0)))
        .filter(|(_, lines)| *lines > 700)
        .map(|(way, lines)| format!("{way}: {lines}"))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn every_file_begins_by_saying_what_it_is() {
    let silent: Vec<String> =
        sources().into_iter().filter(|(_, text)| !text.starts_with("//!")).map(|file| file.0).collect();
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
            assert!(key || !figure || !column.source.is_empty(), "{}.{}", table.name, column.name);
        }
    }
    assert!(Parameters::LIST.iter().all(|parameter| !parameter.meaning.is_empty() && !parameter.unit.is_empty()));
    assert!(Code::ALL.iter().all(|code| !code.meaning().is_empty() && !code.unit().is_empty()));
}
