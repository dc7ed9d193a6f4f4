//! The README's console blocks are true.

use std::path::Path;
use std::process::Command;

#[test]
fn the_readme_prints_what_the_command_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let blocks = readme.split("```console\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let mut shown = 0;
    for block in blocks {
        let (command, expected) = block.split_once('\n').unwrap();
        let arguments = command.strip_prefix("$ cargo run -q -- ").unwrap();
        let mut run = Command::new(env!("CARGO_BIN_EXE_talkmeter"));
        let output = run.current_dir(root).args(arguments.split(' ')).output().unwrap();
        let printed: Vec<String> =
            String::from_utf8(output.stdout).unwrap().lines().map(|line| line.trim_end().to_owned()).collect();
        assert!(output.status.success(), "{command} failed");
        assert_eq!(printed.join("\n").trim_end(), expected.trim_end(), "`{command}` prints something else");
        shown += 1;
    }
    assert_eq!(shown, 2, "the README shows two commands");
}
