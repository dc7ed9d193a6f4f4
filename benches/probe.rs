//! Probing the tiny files of the tests from a warm cache, against ffprobe where it is installed: cargo bench --bench probe
#![expect(clippy::print_stdout, reason = "a bench says what it found")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// How often each file is probed.
const ROUNDS: u32 = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio");
    let files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension != "md"))
        .collect();
    let began = Instant::now();
    for _ in 0..ROUNDS {
        for file in &files {
            if talkmeter::audio::probe(file)?.is_none() {
                return Err(format!("{}: not probed", file.display()).into());
            }
        }
    }
    let ours = f64::from(ROUNDS) * files.len() as f64 / began.elapsed().as_secs_f64();
    println!("probe: {ours:.0} files/s");
    let began = Instant::now();
    for file in &files {
        let ran = Command::new("ffprobe")
            .args(["-v", "quiet", "-show_format", "-show_streams"])
            .arg(file)
            .stdout(Stdio::null())
            .status();
        if ran.is_err() {
            println!("ffprobe is not installed: nothing to compare with");
            return Ok(());
        }
    }
    let theirs = files.len() as f64 / began.elapsed().as_secs_f64();
    println!("ffprobe, a process each: {theirs:.0} files/s; ratio {:.0}", ours / theirs);
    Ok(())
}
