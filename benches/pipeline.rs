//! Result files → transcripts, metrics, tables, files: each step beside the plainest typed parse of the same bytes.
//!
//! Run with `cargo bench --bench pipeline`. One thread, so that figures are CPU time; every result is asserted.

#![expect(clippy::expect_used, reason = "a bench that cannot run should stop")]

use std::borrow::Cow;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::Deserialize;
use talkmeter::metrics::catalogue::{TABLES, Table};
use talkmeter::metrics::keywords::Keywords;
use talkmeter::metrics::{Settings, measure};
use talkmeter::tables::{Format, Options, Output, analyze, frame};
use talkmeter::transcript::{Inputs, read};

mod corpus;
use corpus::Corpus;

const FILES: usize = 200;

/// The fields of a result file, derived and borrowed: the least that any program has to read.
#[derive(Deserialize)]
#[expect(dead_code, reason = "parsing the fields is what is measured")]
struct PlainResult<'a> {
    #[serde(borrow, default)]
    file_url: Cow<'a, str>,
    #[serde(borrow)]
    properties: Option<PlainProperties<'a>>,
    #[serde(borrow)]
    transcripts: Vec<PlainTranscript<'a>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "parsing the fields is what is measured")]
struct PlainProperties<'a> {
    #[serde(borrow, default)]
    audio_format: Cow<'a, str>,
    channels: Option<Vec<i64>>,
    original_sampling_rate: Option<i64>,
    original_duration_in_milliseconds: Option<i64>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "parsing the fields is what is measured")]
struct PlainTranscript<'a> {
    channel_id: Option<i64>,
    content_duration_in_milliseconds: Option<i64>,
    #[serde(borrow, default)]
    text: Cow<'a, str>,
    #[serde(borrow)]
    sentences: Vec<PlainSentence<'a>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "parsing the fields is what is measured")]
struct PlainSentence<'a> {
    begin_time: Option<i64>,
    end_time: Option<i64>,
    #[serde(borrow, default)]
    text: Cow<'a, str>,
    sentence_id: Option<i64>,
    speaker_id: Option<i64>,
    #[serde(borrow)]
    words: Vec<PlainWord<'a>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "parsing the fields is what is measured")]
struct PlainWord<'a> {
    begin_time: Option<i64>,
    end_time: Option<i64>,
    #[serde(borrow, default)]
    text: Cow<'a, str>,
    #[serde(borrow, default)]
    punctuation: Cow<'a, str>,
}

fn steps(criterion: &mut Criterion) {
    let corpus = Corpus::generate(1, FILES);
    let words = corpus.facts.words as usize;
    let mut group = criterion.benchmark_group("in memory");
    group.sample_size(20).throughput(Throughput::Bytes(corpus.bytes()));

    group.bench_function("plain typed parse (the yardstick)", |bench| {
        bench.iter(|| {
            let parse = |bytes| {
                let plain: PlainResult<'_> = serde_json::from_slice(bytes).expect("the corpus is valid");
                let sentences = plain.transcripts.iter().flat_map(|transcript| &transcript.sentences);
                sentences.map(|sentence| sentence.words.len()).sum::<usize>()
            };
            let sum: usize = corpus.files.iter().map(|(_, bytes)| black_box(parse(bytes))).sum();
            assert_eq!(sum, words);
        });
    });

    group.bench_function("parse", |bench| {
        bench.iter(|| {
            let parse = |bytes| {
                let transcript = read(bytes).expect("the corpus is valid");
                let sentences = transcript.channels.iter().flat_map(|channel| &channel.sentences);
                sentences.map(|sentence| sentence.words.len()).sum::<usize>()
            };
            let sum: usize = corpus.files.iter().map(|(_, bytes)| black_box(parse(bytes))).sum();
            assert_eq!(sum, words);
        });
    });

    let keywords = Keywords::new(["refund", "cancel my order", "退款", "取消"]).expect("valid keywords");
    let mut searching = Settings::default();
    searching.keywords = Some(keywords);
    for (name, settings) in [("parse to metrics", Settings::default()), ("parse to metrics and hits", searching)] {
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let count = |(file, bytes): &(String, Vec<u8>)| {
                    let transcript = read(bytes).expect("the corpus is valid");
                    black_box(measure(file, &transcript, &settings)).words().count()
                };
                assert_eq!(corpus.files.iter().map(count).sum::<usize>(), words);
            });
        });
    }

    group.bench_function("parse to all tables", |bench| {
        let settings = Settings::default();
        bench.iter(|| {
            let mut rows = 0;
            for (file, bytes) in &corpus.files {
                let transcript = read(bytes).expect("the corpus is valid");
                let measured = measure(file, &transcript, &settings);
                for table in TABLES {
                    let frame = frame(table, [&measured]).expect("columns of one length");
                    rows += if table.name == "words" { frame.height() } else { 0 };
                }
            }
            assert_eq!(rows, words);
        });
    });
    group.finish();
}

fn whole(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = Corpus::generate(1, FILES);
    let calls = folder.path().join("calls");
    corpus.write_to(&calls).expect("room for the corpus");
    let mut group = criterion.benchmark_group("files to files, one thread");
    group.sample_size(10).throughput(Throughput::Bytes(corpus.bytes()));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");

    group.bench_function("read the bytes", |bench| {
        let inputs = Inputs::find(&[&calls], None);
        bench.iter(|| {
            let read =
                |input: &talkmeter::transcript::Input| std::fs::read(&input.path).expect("a file of ours").len() as u64;
            assert_eq!(inputs.files.iter().map(read).sum::<u64>(), corpus.bytes());
        });
    });
    let all: Vec<&'static Table> = TABLES.into();
    let few: Vec<&'static Table> =
        TABLES.into_iter().filter(|table| !matches!(table.name, "sentences" | "words")).collect();
    for (name, tables) in [("analyze without sentences and words", few), ("analyze", all)] {
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let inputs = Inputs::find(&[&calls], None);
                let out = folder.path().join("out");
                let analysis = pool.install(|| {
                    let mut output = Output::create(&out, &[Format::Parquet], &tables).expect("a folder of ours");
                    let options = Options::default();
                    let analysis = analyze(&inputs.files, &options, Some(&mut output), &mut |_| {}).expect("it writes");
                    output.finish().expect("it writes");
                    analysis
                });
                assert_eq!((analysis.measured, analysis.failed), (FILES as u64, 0));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, steps, whole);
criterion_main!(benches);
