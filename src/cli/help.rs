//! The footers of help texts: examples of every command, and paragraphs that are wrapped once, by the terminal's width.

use clap::Command;

/// Examples of commands whose footer has none of its own, by their names after `talkmeter`.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("demo", &["talkmeter demo", "talkmeter demo -o /tmp/demo --format json"]),
    (
        "transcribe",
        &[
            "talkmeter transcribe calls/*.wav -o out --model paraformer-v2",
            "talkmeter transcribe --files-from may.csv -o may --channel 0,1 --max-cost 5usd",
            "talkmeter transcribe -o out          resumes",
        ],
    ),
    ("metrics", &["talkmeter metrics", "talkmeter metrics --format md"]),
    ("models", &["talkmeter models", "talkmeter models fun-asr", "talkmeter models --live --region cn"]),
    ("cost", &["talkmeter cost estimate calls/", "talkmeter cost actual out"]),
    ("task", &["talkmeter task list", "talkmeter task download ID -o results"]),
    ("task list", &["talkmeter task list", "talkmeter task list --status RUNNING --format csv"]),
    ("task show", &["talkmeter task show ID", "talkmeter task show ID --format json"]),
    ("task wait", &["talkmeter task wait ID && talkmeter task download ID -o results"]),
    ("task cancel", &["talkmeter task cancel ID", "talkmeter task cancel --batch out"]),
    ("task download", &["talkmeter task download ID -o results"]),
    ("vocab", &["talkmeter vocab create words.txt --model fun-asr --prefix clinic", "talkmeter vocab list"]),
    ("vocab create", &["talkmeter vocab create words.txt --model fun-asr --prefix clinic"]),
    ("vocab list", &["talkmeter vocab list", "talkmeter vocab list --format json"]),
    ("vocab show", &["talkmeter vocab show ID"]),
    ("vocab update", &["talkmeter vocab update ID words.txt"]),
    ("vocab delete", &["talkmeter vocab delete ID"]),
    ("rules check", &["talkmeter rules check examples/rules/support.toml"]),
    (
        "rules run",
        &["talkmeter rules run examples/rules/support.toml out", "talkmeter rules run support.toml out -o out"],
    ),
    ("rules diff", &["talkmeter rules diff old.toml new.toml out --format md --fail-on-change"]),
    ("rules import", &["talkmeter rules import categories.json > rules.toml"]),
    ("rules schema", &["talkmeter rules schema > rules.schema.json"]),
    ("completions", &["talkmeter completions fish > ~/.config/fish/completions/talkmeter.fish"]),
    ("man", &["talkmeter man ~/.local/share/man/man1"]),
];

/// A command of ours with its footer, and its subcommands with theirs.
pub(super) fn with_footers(command: Command) -> Command {
    let path = command.get_name().to_owned();
    below(&path, command)
}

fn below(path: &str, command: Command) -> Command {
    let own = command.get_after_help().map(|footer| joined(&footer.to_string())).unwrap_or_default();
    let examples = EXAMPLES.iter().find(|(name, _)| *name == path).map(|(_, examples)| *examples).unwrap_or_default();
    let mut footer = String::new();
    if !examples.is_empty() {
        footer = format!("Examples:\n  {}", examples.join("\n  "));
    }
    if !own.is_empty() && !footer.is_empty() {
        footer += "\n\n";
    }
    footer += &own;
    let command = if footer.is_empty() { command } else { command.after_help(footer) };
    command.mut_subcommands(|inner| {
        let path = format!("{path} {}", inner.get_name());
        below(&path, inner)
    })
}

/// Paragraphs as single lines; indented lines, such as examples, stay.
pub(super) fn joined(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let is_prose = |line: &str| !line.is_empty() && !line.starts_with(' ');
    for line in text.lines() {
        match lines.last_mut().filter(|last| is_prose(last) && !last.ends_with(':') && is_prose(line)) {
            Some(last) => {
                last.push(' ');
                last.push_str(line);
            }
            None => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All commands with their names after `talkmeter`.
    fn all(path: &str, command: &Command, found: &mut Vec<(String, String)>) {
        for inner in command.get_subcommands() {
            let path = format!("{path} {}", inner.get_name()).trim_start().to_owned();
            let footer = inner.get_after_help().map(ToString::to_string).unwrap_or_default();
            all(&path, inner, found);
            found.push((path, footer));
        }
    }

    #[test]
    fn every_command_has_an_example_of_itself() {
        let mut found = Vec::new();
        let mut whole = super::super::command();
        whole.build();
        all("", &whole, &mut found);
        found.retain(|(path, _)| path.split(' ').all(|name| name != "help"));
        assert!(found.len() > 25);
        for (path, footer) in &found {
            assert!(footer.contains(&format!("talkmeter {path}")), "{path}: {footer:?}");
            // An example that wraps cannot be copied.
            let wide = footer
                .lines()
                .find(|line| line.starts_with("  ") && line.contains("talkmeter ") && line.chars().count() > 80);
            assert_eq!(wide, None, "{path}");
        }
        for (path, _) in EXAMPLES {
            assert!(found.iter().any(|(known, _)| known == path), "{path} is no command");
        }
    }

    #[test]
    fn a_paragraph_is_one_line() {
        assert_eq!(joined("One\ntwo.\n\nThree:\n  a\n  b\nfour"), "One two.\n\nThree:\n  a\n  b\nfour");
    }
}
