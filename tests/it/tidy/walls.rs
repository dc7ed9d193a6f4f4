//! The floors of the house: which folder of `src` may import which, and that only the command speaks of its flags.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::source::{self, Source};

/// Every folder with the folders it may import. Each imports only what is listed below it, so there is no circle.
const FLOORS: &[(&str, &[&str])] = &[
    ("report", &["compare", "tables", "rules", "billing", "metrics", "transcript", "catalog", "text"]),
    ("compare", &["tables", "billing", "metrics", "transcript", "catalog", "text"]),
    ("tables", &["rules", "billing", "metrics", "transcript", "catalog"]),
    ("batch", &["client", "stores", "billing", "audio", "transcript", "catalog"]),
    ("client", &["transcript", "catalog"]),
    ("stores", &["transcript"]),
    ("captions", &["metrics", "transcript", "text"]),
    ("export", &["metrics", "transcript", "text"]),
    ("rules", &["metrics", "transcript", "text"]),
    ("billing", &["metrics", "catalog"]),
    ("metrics", &["transcript", "catalog", "text"]),
    ("transcript", &["text"]),
    ("text", &[]),
    ("catalog", &[]),
    ("audio", &[]),
    ("emulator", &[]),
];

/// Modules that every folder may use; they use only each other.
const GROUND: &[&str] = &["disk", "error", "named_file", "recording_id", "redact", "sheet", "time"];

/// Imports against the floors that are still there: `from -> to`. Only ever shorter.
const IMPORTS_TO_MEND: &[&str] = &[];

/// Files that still name a flag or a command. Only ever shorter.
const FLAGS_TO_MEND: &[&str] = &[];

/// What a file imports from the rest of the crate: first segments of its paths from the crate's root.
fn imports(file: &Source, reexports: &BTreeMap<String, String>) -> BTreeSet<String> {
    let (code, _) = file.code();
    let mut heads = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        heads.extend(first_segments(&code[at + "crate::".len()..]));
    }
    let up = "super::".repeat(file.module().len());
    for (at, _) in code.match_indices(&up) {
        heads.extend(first_segments(&code[at + up.len()..]));
    }
    heads.into_iter().map(|head| reexports.get(&head).cloned().unwrap_or(head)).collect()
}

/// `a::b` → `a`; `{a::{b, c}, d}` → `a`, `d`.
fn first_segments(path: &str) -> Vec<String> {
    let name = |text: &str| -> String { text.chars().take_while(|&l| l.is_alphanumeric() || l == '_').collect() };
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut depth, mut names, mut expected) = (0, Vec::new(), true);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expected = true,
            letter if expected && !letter.is_whitespace() => {
                names.push(name(&group[at..]));
                expected = false;
            }
            _ => {}
        }
    }
    names
}

/// Names that the crate's root re-exports, with the module they are from.
fn reexports() -> BTreeMap<String, String> {
    let (code, _) = source::files("rs").into_iter().find(|file| file.path == "lib.rs").unwrap().code();
    let mut names = BTreeMap::new();
    for item in code.split("pub use ").skip(1) {
        let path = item.split(';').next().unwrap();
        // A crate that is re-exported is none of our folders.
        let Some((module, rest)) = path.split_once("::") else { continue };
        let last = rest.rsplit("::").next().unwrap();
        for name in first_segments(if rest.contains('{') { &rest[rest.find('{').unwrap()..] } else { last }) {
            names.insert(name, module.to_owned());
        }
    }
    names
}

/// Imports that the floors do not allow, as `from -> to`, each with a file that has it.
fn forbidden_imports() -> BTreeMap<String, String> {
    let reexports = reexports();
    let mut found = BTreeMap::new();
    for file in source::product() {
        let from = file.module()[0].to_owned();
        if ["cli", "lib", "main", "python"].contains(&from.as_str()) {
            continue;
        }
        let allowed = FLOORS.iter().find(|(folder, _)| *folder == from).map_or(&[][..], |(_, allowed)| allowed);
        for to in imports(&file, &reexports) {
            if to != from && !allowed.contains(&to.as_str()) && !GROUND.contains(&to.as_str()) {
                found.insert(format!("{from} -> {to}"), format!("src/{}", file.path));
            }
        }
    }
    found
}

/// Whether a text names a flag (`--region`) or a command (`talkmeter check`).
fn names_the_command(text: &str) -> bool {
    let flag = text.match_indices("--").any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + 2..].chars().next();
        after.is_some_and(|letter| letter.is_ascii_lowercase()) && before.is_none_or(|letter| " `(\"".contains(letter))
    });
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli");
    let command = text.match_indices("talkmeter ").any(|(at, found)| {
        let word: String = text[at + found.len()..].chars().take_while(char::is_ascii_lowercase).collect();
        !word.is_empty() && (root.join(&word).is_dir() || root.join(word + ".rs").is_file())
    });
    flag || command
}

/// Files outside the command that name a flag or a command in a string, a page or a table, each with the first place.
fn files_that_name_flags() -> BTreeMap<String, String> {
    let mut texts = Vec::new();
    for file in source::product() {
        let (_, literals) = file.code();
        texts.extend(literals.into_iter().map(|(line, text)| (file.path.clone(), line, text)));
    }
    for file in source::files("toml") {
        texts.extend(file.text.lines().enumerate().map(|(at, text)| (file.path.clone(), at + 1, text.to_owned())));
    }
    for file in ["html", "js"].iter().flat_map(|ending| source::files(ending)) {
        // `--name` is a property of a style sheet there.
        let lines = file.text.lines().map(|line| line.replace("--", ""));
        texts.extend(lines.enumerate().map(|(at, text)| (file.path.clone(), at + 1, text)));
    }
    // The name of the format of `report.json`.
    texts.retain(|(_, _, text)| text != "talkmeter report");
    let mut found = BTreeMap::new();
    for (path, line, text) in texts {
        if !path.starts_with("cli/") && names_the_command(&text) {
            found.entry(path).or_insert_with(|| format!("line {line}: {text}"));
        }
    }
    found
}

/// What is found must be exactly what is known: what is new is a fault, what is mended leaves the list.
fn assert_only(found: &BTreeMap<String, String>, known: &[&str]) {
    let new: Vec<_> = found.iter().filter(|(what, _)| !known.contains(&what.as_str())).collect();
    let mended: Vec<_> = known.iter().filter(|what| !found.contains_key(**what)).collect();
    assert!(
        new.is_empty() && mended.is_empty(),
        "against the floors: {new:#?}\nmended, so take it off the list in tests/it/tidy/walls.rs: {mended:#?}"
    );
}

#[test]
fn each_floor_imports_only_floors_below_it() {
    for (at, (folder, allowed)) in FLOORS.iter().enumerate() {
        for import in *allowed {
            let below = FLOORS[at + 1..].iter().any(|(other, _)| other == import);
            assert!(below, "{folder} may import {import}, which is not listed below it");
        }
    }
}

#[test]
fn every_folder_has_its_floor() {
    let roots: BTreeSet<String> = source::product().iter().map(|file| file.module()[0].to_owned()).collect();
    let known = |root: &str| {
        FLOORS.iter().any(|(folder, _)| *folder == root)
            || GROUND.contains(&root)
            || ["cli", "lib", "main", "python"].contains(&root)
    };
    let unknown: Vec<_> = roots.into_iter().filter(|root| !known(root)).collect();
    assert_eq!(unknown, Vec::<String>::new(), "give it a place in FLOORS");
}

#[test]
fn folders_import_only_from_the_floors_below() {
    assert_only(&forbidden_imports(), IMPORTS_TO_MEND);
}

#[test]
fn only_the_command_names_flags_and_commands() {
    assert_only(&files_that_name_flags(), FLAGS_TO_MEND);
}

#[test]
fn imports_and_flags_are_recognised() {
    assert_eq!(first_segments("a::b::C;"), ["a"]);
    assert_eq!(first_segments("{a::{b, c}, d, E as F};"), ["a", "d", "E"]);
    let file = Source {
        path: "a/b.rs".to_owned(),
        text: "use crate::Error;\nuse super::super::c::D;\nuse super::e;\n// crate::f\nlet g = \"crate::h\";\n"
            .to_owned(),
    };
    assert_eq!(imports(&file, &reexports()), BTreeSet::from(["c".to_owned(), "error".to_owned()]));
    assert!(names_the_command("check --region and the key") && names_the_command("`talkmeter flash` keeps"));
    assert!(!names_the_command("00:00 --> 00:01, a--b, talkmeter measures"));
}
