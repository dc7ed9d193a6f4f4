//! The command `talkmeter`: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    talkmeter::cli::main()
}
