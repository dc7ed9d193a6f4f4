//! Keywords and rules over one corpus, beside the same without any: cargo bench --bench rules
//!
//! One thread. Prints the best of several runs, and ratios to what stands first; each result is asserted.
#![expect(clippy::print_stdout, reason = "a bench says what it found")]

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use talkmeter::metrics::keywords::Keywords;
use talkmeter::metrics::{Settings, measure};
use talkmeter::rules::Rules;
use talkmeter::text::{Markers, tokens};
use talkmeter::transcript::read;

mod corpus;
use corpus::Corpus;

const FILES: usize = 200;
const RUNS: usize = 7;

/// The best time of several runs, and what they found, which must be the same each time.
fn best<T: PartialEq + std::fmt::Debug>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let mut timed = || {
        let began = Instant::now();
        let found = black_box(run());
        (began.elapsed(), found)
    };
    let (mut least, first) = timed();
    for _ in 1..RUNS {
        let (time, found) = timed();
        assert_eq!(found, first);
        least = least.min(time);
    }
    (least, first)
}

/// Prints one line, with the ratio to `first`.
fn print(what: &str, time: Duration, first: Duration, found: &str) {
    let (ms, ratio) = (time.as_secs_f64() * 1000.0, time.as_secs_f64() / first.as_secs_f64());
    println!("{what:<34} {ms:>9.2} ms {ratio:>7.2}  {found}");
}

/// Distinct phrases of two words as they are said in the corpus, each in several calls or in one.
fn phrases(corpus: &Corpus, wanted: usize) -> Result<Vec<String>, Box<dyn Error>> {
    let mut found = BTreeSet::new();
    for (_, bytes) in &corpus.files {
        let transcript = read(bytes)?;
        for sentence in transcript.channels.iter().flat_map(|channel| &channel.sentences) {
            let words = tokens(&sentence.text, Markers::Drop);
            found.extend(words.windows(2).map(|pair| pair.join(if pair[0].is_ascii() { " " } else { "" })));
        }
    }
    // From all over the alphabet.
    let step = (found.len() / wanted).max(1);
    let phrases: Vec<String> = found.into_iter().step_by(step).take(wanted).collect();
    assert_eq!(phrases.len(), wanted, "the corpus has too few phrases");
    Ok(phrases)
}

/// Parses and measures every call, and returns the number of hits of keywords and rules.
fn hits(corpus: &Corpus, settings: &Settings, rules: Option<&Rules>) -> usize {
    let of_call = |(file, bytes): &(String, Vec<u8>)| {
        let Ok(transcript) = read(bytes) else { return 0 };
        let mut measured = measure(file, &transcript, settings);
        if let Some(rules) = rules {
            rules.apply(&mut measured);
        }
        measured.hits.len() + measured.rule_hits.len()
    };
    corpus.files.iter().map(of_call).sum()
}

/// A file of rules of one phrase each.
fn rule_file(phrases: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for (number, phrase) in phrases.enumerate() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "[[rule]]\nid = \"r{number}\"\nwhen = \"a\"\nconditions.a.phrases = [\"{phrase}\"]");
    }
    text
}

fn main() -> Result<(), Box<dyn Error>> {
    let corpus = Corpus::generate(1, FILES);
    let phrases = phrases(&corpus, 1000)?;
    println!("{FILES} calls, {:.1} MB, parsed and measured", corpus.bytes() as f64 / 1e6);
    let (none, found) = best(|| hits(&corpus, &Settings::default(), None));
    assert_eq!(found, 0);
    print("no terms", none, none, "");
    for number in [1, 10, 100, 1000] {
        let keywords = Keywords::new(&phrases[..number])?;
        let mut settings = Settings::default();
        settings.keywords = Some(keywords);
        let (time, found) = best(|| hits(&corpus, &settings, None));
        assert!(found >= number);
        print(&format!("{number} terms"), time, none, &format!("{found} hits"));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rules/support.toml");
    let text = std::fs::read_to_string(path)?;
    let parse =
        |text: &str| Rules::parse(text).map_err(|faults| faults.first().map(ToString::to_string).unwrap_or_default());
    let rules = parse(&text)?;
    let mut settings = Settings::default();
    settings.roles = "ch0=agent,ch1=customer".parse()?;
    let (time, found) = best(|| hits(&corpus, &settings, Some(&rules)));
    assert!(found > 0);
    let what = format!("{} rules, {} phrases", rules.list().len(), rules.phrase_count());
    print(&what, time, none, &format!("{found} hits"));

    println!("\nlarge rule files, parsed");
    let (first, _) = best(|| parse(&text).map(|rules| rules.list().len()));
    print("the 40 rules of the examples", first, first, &format!("{} bytes", text.len()));
    let one = Corpus { files: corpus.files.iter().take(1).cloned().collect(), facts: corpus.facts };
    let mut thousand = None;
    for number in [1000, 10_000] {
        let text = rule_file((0..number).map(|at| format!("{} {at}", phrases[at % phrases.len()])));
        let (time, rules) = best(|| parse(&text).map(|rules| rules.list().len()));
        assert_eq!(rules, Ok(number));
        let rules = parse(&text)?;
        let (deciding, _) = best(|| hits(&one, &Settings::default(), Some(&rules)));
        let grown = thousand.get_or_insert(time);
        let growth = time.as_secs_f64() / grown.as_secs_f64();
        let note =
            format!("{growth:.1} × the time of 1,000; one call decided in {:.2} ms", deciding.as_secs_f64() * 1000.0);
        print(&format!("{number} rules"), time, first, &note);
    }
    let mut terms = String::new();
    let mut at = 0;
    while terms.len() < 1_000_000 {
        let _ = write!(terms, "\"{} {at}\", ", phrases[at % phrases.len()]);
        at += 1;
    }
    let text = format!("[[rule]]\nid = \"r\"\nwhen = \"a\"\n[rule.conditions.a]\nphrases = [{terms}]\n");
    let (time, found) = best(|| parse(&text).map(|rules| rules.phrase_count()));
    assert_eq!(found, Ok(at));
    let rules = parse(&text)?;
    let (deciding, _) = best(|| hits(&one, &Settings::default(), Some(&rules)));
    let note = format!("{at} phrases; one call decided in {:.2} ms", deciding.as_secs_f64() * 1000.0);
    print("1 MB of phrases in one rule", time, first, &note);
    let text = format!(
        "[[rule]]\nid = \"r\"\nwhen = \"a\"\n[rule.conditions.a]\nphrases = [\"{}\"]\n",
        "word ".repeat(200_000)
    );
    let (time, found) = best(|| parse(&text).map(|rules| rules.phrase_count()));
    let Err(why) = found else { return Err("a phrase of 1 MB was accepted".into()) };
    print("one phrase of 1 MB", time, first, &why.chars().take(100).collect::<String>());
    Ok(())
}
