//! `captions --check`: one row per rule that a cue breaks.

use std::path::Path;

use rayon::prelude::*;
use serde_json::{Value, json};

use super::super::Exit;
use super::super::advice;
use super::super::check::refusal;
use super::super::convert::FILES_A_THREAD;
use super::super::inputs::Paths;
use super::super::output::{Console, Failure, Format as Print, Listing, number};
use super::{caption_file, measured_captions};
use crate::captions::{Cue, Format, Limits, Violation, check};
use crate::metrics::Settings;
use crate::report::number::counted;
use crate::tables::Outcome;
use crate::transcript::{Input, IsFile};

const HEAD: [&str; 9] = ["file", "cue", "begin_ms", "end_ms", "rule", "value", "limit", "unit", "text"];

/// What was checked for one input.
struct Checked {
    files: Vec<CheckedFile>,
    note: Option<String>,
}

/// The violations of one caption file, existing or yet to be written.
struct CheckedFile {
    file: String,
    violations: Vec<Violation>,
}

pub(super) fn run(
    paths: &Paths,
    formats: &[Format],
    limits: &Limits,
    settings: &Settings,
    print: Print,
    console: &Console,
) -> Result<Exit, Failure> {
    let inputs = paths.find_where(is_result_or_captions, None, console)?;
    let bar = console.progress(inputs.files.len());
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let mut failed = inputs.excluded.len();
    for chunk in inputs.files.chunks(FILES_A_THREAD * rayon::current_num_threads()) {
        let checked: Vec<Result<Checked, String>> =
            chunk.par_iter().map(|input| check_file(input, formats, limits, settings)).collect();
        for checked in checked {
            bar.inc(1);
            match checked {
                Ok(checked) => {
                    rows.extend(checked.files.iter().flat_map(violation_rows));
                    if let Some(note) = checked.note {
                        bar.suspend(|| console.note(&note));
                    }
                }
                Err(why) => {
                    failed += 1;
                    bar.suspend(|| console.say(&why));
                }
            }
        }
    }
    bar.finish_and_clear();
    let found = rows.len();
    match (Listing { head: HEAD.to_vec(), rows }).print(print, console) {
        // The exit code counts even if the list is not read to its end.
        Ok(_) | Err(Failure::BrokenPipe) => {}
        Err(failure) => return Err(failure),
    }
    let files = inputs.files.len() + inputs.excluded.len();
    let readable = files - failed;
    if readable == 0 {
        console.error(if files == 0 { "no result or caption file found" } else { "no file could be checked" });
        return Ok(Exit::Failed);
    }
    let summary = if found == 0 { "nothing found".to_owned() } else { counted(found as u64, "violation") };
    console.note(&format!("{}, {summary}", counted(readable as u64, "file")));
    Ok(if found + failed > 0 { Exit::Partly } else { Exit::Done })
}

fn is_result_or_captions(path: &Path, _: IsFile<'_>) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let is = |ending: &[u8]| name.len() > ending.len() && name.to_ascii_lowercase().ends_with(ending);
    name.ends_with(b".json") || is(b".srt") || is(b".vtt")
}

/// Checks a caption file, or the captions of a result file.
fn check_file(input: &Input, formats: &[Format], limits: &Limits, settings: &Settings) -> Result<Checked, String> {
    let refuse = |outcome| refusal(&input.path, &outcome);
    let checked = |file: String, cues: &[Cue], format| CheckedFile { file, violations: check(cues, format, limits) };
    let bytes = input.read().map_err(|error| refuse(Outcome::Unreadable(error)))?;
    if let Some(format) = caption_file(&input.path, &bytes) {
        let path = input.path.display();
        let cues = format.read(&bytes).map_err(|error| match error.encoding() {
            Some(encoding) => format!("{path}: {error} (hint: {})", advice::convert(encoding)),
            None => format!("{path}: {error}"),
        })?;
        let note = Format::guessed_encoding(&bytes).map(|encoding| format!("{path}: not UTF-8, read as {encoding}"));
        return Ok(Checked { files: vec![checked(input.file().to_owned(), &cues, format)], note });
    }
    let captions = measured_captions(input, &bytes, limits, settings).map_err(refuse)?.captions;
    let stem = input.stem();
    let check = |&format: &Format| checked(format!("{stem}.{}", format.extension()), &captions.cues(format), format);
    Ok(Checked { files: formats.iter().map(check).collect(), note: None })
}

fn violation_rows(checked: &CheckedFile) -> impl Iterator<Item = Vec<Value>> {
    checked.violations.iter().map(|one| {
        vec![
            json!(checked.file),
            json!(one.cue),
            json!(one.begin_ms),
            json!(one.end_ms),
            json!(one.rule.name()),
            number(one.value),
            number(one.limit),
            json!(one.rule.unit()),
            json!(one.text),
        ]
    })
}
