//! `captions --check`: a row for each rule that a cue breaks.

use std::fs;

use rayon::prelude::*;
use serde_json::{Value, json};

use super::super::Exit;
use super::super::check::refusal;
use super::super::inputs::Paths;
use super::super::output::{Console, Failure, Format as Print, Listing};
use super::{FILES_A_THREAD, made};
use crate::captions::{Cue, Format, Limits, Violation, check};
use crate::metrics::Settings;
use crate::report::number::counted;
use crate::tables::Outcome;
use crate::transcript::Input;

const HEAD: [&str; 9] = ["file", "cue", "begin_ms", "end_ms", "rule", "value", "limit", "unit", "text"];

/// Cues of one file that is or would be.
struct Checked {
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
    let inputs = paths.find_ending(&[".json", ".srt", ".vtt"], None, console)?;
    let bar = console.progress(inputs.files.len());
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let mut failed = inputs.excluded.len();
    for chunk in inputs.files.chunks(FILES_A_THREAD * rayon::current_num_threads()) {
        let checked: Vec<Result<Vec<Checked>, String>> =
            chunk.par_iter().map(|input| one(input, formats, limits, settings)).collect();
        for checked in checked {
            bar.inc(1);
            match checked {
                Ok(checked) => rows.extend(checked.iter().flat_map(listed)),
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
        // The gate is the exit code, whether or not anybody reads the list to its end.
        Ok(_) | Err(Failure::BrokenPipe) => {}
        Err(failure) => return Err(failure),
    }
    let files = inputs.files.len() + inputs.excluded.len();
    let readable = files - failed;
    if readable == 0 {
        console.error(if files == 0 { "no result or caption file found" } else { "no file could be checked" });
        return Ok(Exit::Failed);
    }
    let said = if found == 0 { "nothing found".to_owned() } else { counted(found as u64, "violation") };
    console.note(&format!("{}, {said}", counted(readable as u64, "file")));
    Ok(if found + failed > 0 { Exit::Partly } else { Exit::Done })
}

/// A caption file as it is, or a result file as it would be written.
fn one(input: &Input, formats: &[Format], limits: &Limits, settings: &Settings) -> Result<Vec<Checked>, String> {
    let is = |format: Format| {
        let extension = input.path.extension().map(|extension| extension.to_ascii_lowercase());
        extension.is_some_and(|extension| extension == format.extension())
    };
    let checked = |file: String, cues: &[Cue], format| Checked { file, violations: check(cues, format, limits) };
    if let Some(format) = Format::ALL.into_iter().find(|format| is(*format)) {
        let bytes = fs::read(&input.path).map_err(|error| refusal(&input.path, &Outcome::Unreadable(error)))?;
        let cues = format.read(&bytes).map_err(|error| format!("{}: {error}", input.path.display()))?;
        return Ok(vec![checked(input.file.clone(), &cues, format)]);
    }
    let captions = made(input, limits, settings).map_err(|outcome| refusal(&input.path, &outcome))?.captions;
    let stem = input.file.strip_suffix(".json").unwrap_or(&input.file);
    let made = |&format: &Format| checked(format!("{stem}.{}", format.extension()), &captions.cues(format), format);
    Ok(formats.iter().map(made).collect())
}

fn listed(checked: &Checked) -> impl Iterator<Item = Vec<Value>> {
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

/// A whole number without a fraction.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
}
