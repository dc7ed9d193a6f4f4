//! Tables in memory are those on disk.

use std::fs::File;
use std::path::Path;

use polars::prelude::{DataFrame, ParquetReader, SerReader as _};
use talkmeter::metrics::catalogue::TABLES;
use talkmeter::report::{Page, PageOptions, Report};
use talkmeter::tables::{Analysis, CallSource, Content, Format, Options, Outcome, Output, analyze, collect};
use talkmeter::transcript::Inputs;

/// Enough calls for several batches and row groups, and a file that is none.
fn calls(folder: &Path) -> Inputs {
    let examples = Inputs::find(&[Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/calls")], None);
    for (at, call) in (0..150).zip(examples.files.iter().cycle()) {
        std::fs::copy(&call.path, folder.join(format!("{at:03}.json"))).unwrap();
    }
    std::fs::write(folder.join("077-no-call.json"), "[]").unwrap();
    Inputs::find(&[folder], None)
}

#[test]
fn frames_are_the_tables_that_are_written_whatever_holds_the_files() {
    let scene = tempfile::tempdir().unwrap();
    let inputs = calls(scene.path());
    let out = scene.path().join("out");
    let options = Options::default();
    let mut output = Output::create(&out, &[Format::Parquet], &TABLES).unwrap();
    let written = analyze(&inputs.files, &options, Some(&mut output), &mut |_| {}).unwrap();
    output.finish().unwrap();

    let bytes: Vec<Vec<u8>> = inputs.files.iter().map(|input| std::fs::read(&input.path).unwrap()).collect();
    let contents: Vec<Content<'_>> =
        inputs.files.iter().zip(&bytes).map(|(input, bytes)| Content { file: input.file(), bytes }).collect();
    let (mut refused, mut seen) = (0, 0);
    let mut observe = |outcome: talkmeter::tables::FileOutcome| {
        refused += u32::from(matches!(outcome.outcome, Outcome::ParseError(_)));
        seen += 1;
        Ok(())
    };
    let (on_disk, frames) = collect(&inputs.files, &options, &TABLES, &mut observe).unwrap();
    assert_eq!((refused, seen), (1, 151));
    let (in_memory, same) = collect(&contents, &options, &TABLES, &mut |_| Ok(())).unwrap();
    for analysis in [on_disk, in_memory] {
        assert_eq!((analysis.measured, analysis.failed), (written.measured, written.failed));
        assert_eq!(analysis.inputs_hash, written.inputs_hash);
    }
    let mut cells = 0;
    for ((table, frame), same) in TABLES.iter().zip(&frames).zip(&same) {
        let file = File::open(out.join(format!("{}.parquet", table.name))).unwrap();
        let stored: DataFrame = ParquetReader::new(file).finish().unwrap();
        assert!(frame.equals_missing(&stored), "{}", table.name);
        assert!(same.equals_missing(&stored), "{}", table.name);
        assert_eq!(frame.schema(), stored.schema(), "{}", table.name);
        cells += frame.height() * frame.width();
    }
    assert!(cells > 100_000, "{cells}");
}

/// Beyond 4,096 rows figures are in a temporary file.
#[test]
fn the_report_of_thousands_of_calls_is_the_same_whatever_holds_their_figures() {
    let sentence = |channel: usize, begin: usize, end: usize| {
        let text = "Good morning, how are you?";
        let sentence = format!(r#"{{"begin_time": {begin}, "end_time": {end}, "text": "{text}"}}"#);
        format!(r#"{{"channel_id": {channel}, "sentences": [{sentence}]}}"#)
    };
    let call = |at: usize| {
        // Of two participants, a few of three; some recordings twice, some calls with a long silence.
        let silence = if at.is_multiple_of(97) { 30_000 } else { 400 + at % 53 };
        let mut channels = vec![sentence(0, 0, 1000 + at % 211), sentence(1, 1300 + silence, 2300 + silence + at % 31)];
        channels.extend((at % 500 == 499).then(|| sentence(2, 0, 700)));
        let (url, channels) = (at.min(4500), channels.join(","));
        format!(r#"{{"file_url": "https://example.com/{url}.wav", "transcripts": [{channels}]}}"#)
    };
    let bytes: Vec<(String, String)> = (0..5000).map(|at| (format!("{at:04}.json"), call(at))).collect();
    let contents: Vec<Content<'_>> =
        bytes.iter().map(|(file, bytes)| Content { file, bytes: bytes.as_bytes() }).collect();
    let options = Options::default();
    let (mut analysis, _) = collect(&contents, &options, &[], &mut |_| Ok(())).unwrap();
    let page = |analysis: &Analysis| {
        let mut report = Report::build(analysis, None).unwrap();
        let calls = CallSource::Results { files: &[], options: &options };
        report.page = Some(Page::build(analysis, calls, &PageOptions::default(), None, None).unwrap());
        report
    };
    let from_file = page(&analysis);
    assert_eq!((analysis.calls.height(), analysis.participants.height()), (5000, 10_010));
    let copies = from_file.copies.as_ref().unwrap();
    assert_eq!((copies.recordings, copies.files), (1, 500));
    assert_eq!(from_file.page.as_ref().unwrap().attention[0].file, "0000.json");
    for figures in [&mut analysis.calls, &mut analysis.participants] {
        *figures = figures.frame().unwrap().into();
    }
    assert_eq!(from_file.to_json().unwrap(), page(&analysis).to_json().unwrap());
}

#[test]
fn an_error_of_the_observer_ends_the_work() {
    let scene = tempfile::tempdir().unwrap();
    let inputs = calls(scene.path());
    let mut seen = 0;
    let ended = collect(&inputs.files, &Options::default(), &TABLES, &mut |_| {
        seen += 1;
        if seen == 20 { Err(talkmeter::Error::invalid("enough")) } else { Ok(()) }
    });
    assert_eq!(ended.unwrap_err().to_string(), "enough");
    assert_eq!(seen, 20);
}
