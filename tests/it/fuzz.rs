//! The fuzz targets on stable Rust: their corpora, and mutations of these that are the same every time.
//!
//! `TALKMETER_FUZZ=600` runs each target for that many seconds instead of a fixed number of cases. A case that fails is written
//! to `fuzz/artifacts/NAME/`, where cargo-fuzz puts them too. If the process dies, `target/fuzz/NAME` holds the number of the case;
//! `TALKMETER_FUZZ_CASE=N` writes and runs that case alone.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "at night the environment says how long, and the counts are what one wants to see"
)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "counts, and where a failing case is kept")]
#![expect(clippy::disallowed_methods, reason = "longer runs are asked for by the environment")]

#[allow(unreachable_pub, missing_debug_implementations, reason = "elsewhere it is a crate")]
#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::io::{Seek as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use targets::{TARGETS, Target};

/// Mutations of each target in every run of the tests.
const CASES: u64 = 500;
/// The longest that a case may take, on a slow and busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn result_files() {
    fuzz("result");
}

#[test]
fn event_streams() {
    fuzz("sse");
}

#[test]
fn captions() {
    fuzz("captions");
}

#[test]
fn ledgers() {
    fuzz("ledger");
}

#[test]
fn lists() {
    fuzz("lists");
}

#[test]
fn prices() {
    fuzz("prices");
}

#[test]
fn scripts_of_the_emulator() {
    fuzz("scripts");
}

#[test]
fn audio_files() {
    fuzz("probe");
}

#[test]
fn every_target_runs_under_cargo_fuzz_as_well() {
    let manifest = fs::read_to_string("fuzz/Cargo.toml").unwrap();
    for target in &TARGETS {
        let path = format!("fuzz_targets/{}.rs", target.name);
        assert!(manifest.contains(&format!("name = \"{}\"\npath = \"{path}\"", target.name)), "{}", target.name);
        let main = fs::read_to_string(format!("fuzz/{path}")).unwrap();
        assert!(main.contains(&format!("talkmeter_fuzz::{}(bytes)", target.name)));
    }
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
    let source = fs::read_to_string(file!()).unwrap();
    assert!(TARGETS.iter().all(|target| source.contains(&format!("fuzz(\"{}\");", target.name))));
}

fn fuzz(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let corpus = corpus(target);
    let number = |variable: &str| std::env::var(variable).ok().map(|text| text.parse::<u64>().unwrap());
    if let Some(case) = number("TALKMETER_FUZZ_CASE") {
        let input = input(&corpus, case);
        println!("{}", keep(name, case, &input).display());
        println!("accepted: {}", (target.run)(&input));
        return;
    }
    let end = number("TALKMETER_FUZZ").map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let progress = AtomicU64::new(0);
    let mut journal = journal(name);
    let (mut cases, mut accepted, mut slowest) = (0, 0_u64, (Duration::ZERO, 0));
    std::thread::scope(|scope| {
        let (done, waiting) = std::sync::mpsc::channel::<()>();
        let (corpus, progress) = (&corpus, &progress);
        scope.spawn(move || watch(target, corpus, progress, &waiting));
        while end.map_or(cases < corpus.len() as u64 + CASES, |end| Instant::now() < end) {
            progress.store(cases, Ordering::Relaxed);
            journal.rewind().and_then(|()| journal.write_all(format!("{cases:<20}").as_bytes())).unwrap();
            let input = input(corpus, cases);
            let start = Instant::now();
            match catch_unwind(AssertUnwindSafe(|| (target.run)(&input))) {
                Ok(is_accepted) => accepted += u64::from(is_accepted),
                Err(_) => panic!("{name}: case {cases} fails: {}", keep(name, cases, &input).display()),
            }
            slowest = slowest.max((start.elapsed(), cases));
            cases += 1;
        }
        drop(done);
    });
    println!(
        "{name}: {cases} cases from {} seeds, {accepted} accepted; the slowest, case {}, took {} ms",
        corpus.len(),
        slowest.1,
        slowest.0.as_millis()
    );
    assert!(accepted >= cases / 50, "{name}: only {accepted} of {cases} cases get past the door");
}

/// Ends the process when a case does not end.
fn watch(target: &Target, corpus: &[Vec<u8>], progress: &AtomicU64, done: &std::sync::mpsc::Receiver<()>) {
    let mut last = None;
    while done.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
        let case = progress.load(Ordering::Relaxed);
        if last.replace(case) == Some(case) {
            let kept = keep(target.name, case, &input(corpus, case));
            eprintln!("{}: case {case} does not end: {}", target.name, kept.display());
            std::process::abort();
        }
    }
}

/// Where the number of the case is kept that is running.
fn journal(name: &str) -> fs::File {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("fuzz");
    fs::create_dir_all(&folder).unwrap();
    fs::File::create(folder.join(name)).unwrap()
}

fn keep(name: &str, case: u64, input: &[u8]) -> PathBuf {
    let folder = Path::new("fuzz/artifacts").join(name);
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("case-{case}"));
    fs::write(&path, input).unwrap();
    path
}

/// The seeds of a target, in the order of their names.
fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for folder in target.corpora {
        let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        paths.extend(entries.filter(|path| path.is_file()));
    }
    paths.sort();
    assert!(paths.len() >= 3, "{}: the corpus is missing", target.name);
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// The input of a case: first the seeds, then mutations of them; the same for every run.
fn input(corpus: &[Vec<u8>], case: u64) -> Vec<u8> {
    let at = (case % corpus.len() as u64) as usize;
    let mut bytes = corpus[at].clone();
    if case < corpus.len() as u64 {
        return bytes;
    }
    let mut dice = Dice(case);
    for _ in 0..=dice.below(4) {
        let other = dice.below(corpus.len());
        mutate(&mut bytes, &corpus[other], &mut dice);
    }
    bytes
}

/// Splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }

    /// A place in `bytes`, and one at or behind it, rarely far.
    fn range(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let from = self.below(bytes.len() + 1);
        let most = [4, 40, 400, bytes.len()][self.below(4)];
        from..(from + self.below(most + 1)).min(bytes.len())
    }
}

/// What parsers trip over.
const TOKENS: [&[u8]; 44] = [
    b"-1",
    b"0",
    b"1e999",
    b"-0.0",
    b"0.1",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"18446744073709551616",
    b"79228162514264337593543950335",
    b"4294967295",
    b"99999999999999999999999999",
    b"1e-400",
    b"NaN",
    b"null",
    b"true",
    b"\"\"",
    b"[]",
    b"{}",
    b"[[[[[[[[",
    b"}",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\0",
    b"\n",
    b"\r\n",
    b"\r",
    b"\t",
    b",",
    b";",
    b":",
    b"=",
    b"'",
    b"<",
    b"-->",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xc3",
    b"\xe4\xbd\xa0\xe5\xa5\xbd",
    b"\xf0\x9f\x98\x80",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0\0\0\0\0",
    b"../../etc/passwd",
];

fn mutate(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let range = dice.range(bytes);
    match dice.below(12) {
        0 => bytes.truncate(range.start),
        1 => drop(bytes.drain(range)),
        2 => {
            let copy = bytes[range.clone()].to_vec();
            let to = dice.below(bytes.len() + 1);
            drop(bytes.splice(to..to, copy));
        }
        3 => {
            let piece = other[dice.range(other)].to_vec();
            drop(bytes.splice(range, piece));
        }
        4 | 5 => {
            if let Some(byte) = bytes.get_mut(range.start) {
                *byte ^= 1 << dice.below(8);
            }
        }
        6 => {
            for byte in &mut bytes[range] {
                *byte = dice.below(256) as u8;
            }
        }
        7 => {
            let token = TOKENS[dice.below(TOKENS.len())];
            drop(bytes.splice(range.start..range.start, token.iter().copied()));
        }
        8 | 9 => replace_run(bytes, range.start, TOKENS[dice.below(TOKENS.len())], u8::is_ascii_digit),
        10 => replace_run(bytes, range.start, TOKENS[dice.below(TOKENS.len())], |byte| {
            byte.is_ascii_alphanumeric() || *byte == b'_'
        }),
        _ => swap_lines(bytes, dice),
    }
    bytes.truncate(1 << 16);
}

/// Puts a token in the place of the next run of such bytes.
fn replace_run(bytes: &mut Vec<u8>, from: usize, token: &[u8], is_part: impl Fn(&u8) -> bool) {
    let Some(start) = bytes[from..].iter().position(&is_part).map(|at| from + at) else { return };
    let end = bytes[start..].iter().position(|byte| !is_part(byte)).map_or(bytes.len(), |at| start + at);
    drop(bytes.splice(start..end, token.iter().copied()));
}

fn swap_lines(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.is_empty() {
        return;
    }
    let (a, b) = (dice.below(lines.len()), dice.below(lines.len()));
    lines.swap(a, b);
    *bytes = lines.concat();
}
