//! The source of the product, read as text: code and string literals apart, without comments and without its unit tests.

use std::path::{Path, PathBuf};

/// One file of `src`.
pub(super) struct Source {
    /// Below `src`, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

/// A string literal and the line it begins on.
pub(super) type Literal = (usize, String);

/// Files below `src` with this ending, in order of their paths.
pub(super) fn files(ending: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == ending) {
                let below = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.push(Source { path: below, text: std::fs::read_to_string(path).unwrap() });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Every Rust file of the product; files of unit tests are left out.
pub(super) fn product() -> Vec<Source> {
    let files = files("rs");
    assert!(files.len() > 40, "no source below src");
    let tests: Vec<String> = files
        .iter()
        .filter(|file| file.text.contains("#[cfg(test)]\nmod tests;"))
        .map(|file| format!("{}/tests.rs", folder_of(&file.path)))
        .collect();
    files.into_iter().filter(|file| !tests.contains(&file.path)).collect()
}

/// Where the modules below a file lie: `a/mod.rs` and `a.rs` → `a`.
fn folder_of(path: &str) -> &str {
    path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix(".rs")).unwrap_or(path)
}

impl Source {
    /// Up to the unit tests at the end of the file.
    fn product(&self) -> &str {
        self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
    }

    /// The code with comments and the insides of literals blanked, line for line, and the string literals.
    pub(super) fn code(&self) -> (String, Vec<Literal>) {
        split(self.product())
    }

    /// Modules from the crate's root to this file: `a/b/mod.rs` and `a/b.rs` → `a`, `b`.
    pub(super) fn module(&self) -> Vec<&str> {
        folder_of(&self.path).split('/').collect()
    }
}

/// Splits Rust text into code and string literals.
fn split(text: &str) -> (String, Vec<Literal>) {
    let mut code = String::with_capacity(text.len());
    let mut literals = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let after_name = code.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let raw = ["r\"", "r#", "br\"", "br#"].iter().any(|start| rest.starts_with(start)) && !after_name;
        let (length, literal) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), None)
        } else if rest.starts_with("/*") {
            (rest.find("*/").map_or(rest.len(), |end| end + 2), None)
        } else if raw
            && let Some(quote) = rest.find('"').filter(|at| rest[..*at].trim_start_matches(['b', 'r', '#']).is_empty())
        {
            let close = format!("\"{}", "#".repeat(rest[..quote].matches('#').count()));
            let end = rest[quote + 1..].find(&close).map_or(rest.len(), |end| quote + 1 + end);
            ((end + close.len()).min(rest.len()), Some(rest[quote + 1..end].to_owned()))
        } else if first == '"' {
            let mut escaped = false;
            let end = rest[1..].find(|letter| {
                let closes = letter == '"' && !escaped;
                escaped = letter == '\\' && !escaped;
                closes
            });
            let end = end.map_or(rest.len(), |end| end + 1);
            ((end + 1).min(rest.len()), Some(rest[1..end].to_owned()))
        } else if first == '\'' {
            // A character, not a lifetime: 'x' or '\n', '\u{…}'.
            let mut letters = rest[1..].char_indices();
            let end = match letters.next() {
                Some((_, '\\')) => rest[3..].find('\'').map(|end| end + 4),
                Some(_) => letters.next().filter(|(_, letter)| *letter == '\'').map(|(at, _)| at + 2),
                None => None,
            };
            (end.unwrap_or(0), None)
        } else {
            (0, None)
        };
        if length == 0 {
            code.push(first);
            line += usize::from(first == '\n');
            rest = &rest[first.len_utf8()..];
            continue;
        }
        literals.extend(literal.map(|literal| (line, literal)));
        let (skipped, left) = rest.split_at(length);
        // Lines stay where they are.
        let lines = skipped.matches('\n').count();
        code.push_str(&if lines == 0 { " ".to_owned() } else { "\n".repeat(lines) });
        line += lines;
        rest = left;
    }
    (code, literals)
}

#[test]
fn code_and_literals_are_told_apart() {
    let text = "// \"no\"\nfn a<'a>() { b('\"', '\\'', \"c \\\" // d\", br#\"e\"f\"#) } /* \"g\"\n */ let hi = r\"j\";";
    let (code, literals) = split(text);
    assert_eq!(literals, [(2, "c \\\" // d".to_owned()), (2, "e\"f".to_owned()), (3, "j".to_owned())]);
    assert_eq!(code, " \nfn a<'a>() { b( ,  ,  ,  ) } \n let hi =  ;");
}
