//! README and manual are true: their console blocks print what they show, and their links lead somewhere.

use std::path::{Path, PathBuf};

use crate::scene::Scene;

/// README, CONTRIBUTING and the manual: path below the repository and text.
fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manual = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = manual
        .chain(["README.md", "CONTRIBUTING.md"].map(|name| root.join(name)))
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    let name = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

/// A scene with the example calls in it; what a command writes goes there, not into the repository.
fn beside_the_examples() -> Scene {
    let mut scene = Scene::new();
    for folder in ["examples/calls", "examples/rules"] {
        for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            scene = scene.write(&format!("{folder}/{name}"), std::fs::read(&path).unwrap());
        }
    }
    // As under `cargo run` in a repository.
    let repository = scene.path("").to_str().unwrap().to_owned();
    scene.environment("CARGO_MANIFEST_DIR", &repository)
}

/// Whether a text is what is shown; a line `…` stands for any number of lines.
fn is_shown(text: &str, shown: &str) -> bool {
    let trimmed = |text: &str| -> String { text.lines().map(|line| line.trim_end().to_owned() + "\n").collect() };
    let (text, shown) = (trimmed(text), trimmed(shown));
    let mut parts = shown.split("…\n");
    let mut rest = parts.next().and_then(|first| text.strip_prefix(first));
    let mut is_open = false;
    for part in parts {
        is_open = true;
        rest = rest.and_then(|rest| rest.find(part).and_then(|at| rest.get(at + part.len()..)));
    }
    rest.is_some_and(|rest| rest.trim().is_empty() || is_open && shown.ends_with("…\n"))
}

#[test]
fn console_blocks_print_what_they_show() {
    assert!(is_shown("a\nb  \nc\nd\n", "a\n…\nc\nd") && is_shown("a\nb\n", "a\n…"));
    assert!(!is_shown("a\nb\n", "a") && !is_shown("a\nb\n", "b\n…") && !is_shown("a\nb\nc\n", "a\n…\nb"));
    let mut shown = 0;
    for (page, text) in pages() {
        for block in text.split("```console\n").skip(1).filter_map(|rest| rest.split("\n```").next()) {
            for example in format!("\n{block}").split("\n$ ").skip(1) {
                let (command, expected) = example.split_once('\n').unwrap();
                let arguments =
                    ["cargo run -- ", "talkmeter "].iter().find_map(|program| command.strip_prefix(program)).unwrap();
                let ran = beside_the_examples().run(arguments).exits(0);
                assert!(is_shown(&ran.out(), expected), "{page}: `{command}` prints\n{}", ran.out());
                shown += 1;
            }
        }
    }
    assert!(shown >= 2, "{shown} commands are shown");
}

/// The anchors of a page, as they are made of its headings.
fn anchors(text: &str) -> Vec<String> {
    let kept = |letter: &char| letter.is_alphanumeric() || " -_".contains(*letter);
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(kept)
                .collect::<String>()
                .replace(' ', "-")
        })
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let link = regex::Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let (mut followed, mut lost) = (0, Vec::new());
    for (page, text) in pages() {
        let folder = root.join(&page).parent().unwrap().to_owned();
        for target in link.captures_iter(&text).map(|found| found.get(1).unwrap().as_str()) {
            if target.contains("://") {
                continue;
            }
            followed += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() { root.join(&page) } else { folder.join(path) };
            let arrives = path.exists()
                && (anchor.is_empty()
                    || anchors(&std::fs::read_to_string(&path).unwrap()).contains(&anchor.to_owned()));
            if !arrives {
                lost.push(format!("{page}: {target}"));
            }
        }
    }
    assert_eq!(lost, Vec::<String>::new());
    assert!(followed > 100, "{followed} links");
}

#[test]
fn the_readme_is_short() {
    let (_, text) = pages().into_iter().find(|(page, _)| page == "README.md").unwrap();
    assert!(text.lines().count() < 150);
}
