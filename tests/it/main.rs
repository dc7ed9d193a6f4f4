//! The command as its users meet it, and the laws of its figures.
//!
//! `cargo test --test it`; `-- --ignored` for the stories that need the real calls beside the repository.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod actual;
mod batch;
mod batch_ledger;
mod budgets;
mod caption_files;
mod captions;
mod check;
mod collect;
mod compare;
mod conformance;
mod cost;
mod data_out;
mod demo;
mod emulate;
mod emulator;
mod estimates;
mod explain;
mod export;
mod faults;
mod figures;
mod flash;
mod flash_bill;
mod foreign;
mod formats;
mod fuzz;
mod golden;
mod hostile;
mod hostile_service;
mod hosts;
mod inputs;
#[cfg(unix)]
mod interrupts;
mod keywords;
mod kills;
mod large_figures;
mod laws;
mod many_kills;
mod metadata;
mod models;
#[cfg(unix)]
mod named_files;
mod object_store;
mod odd_texts;
mod parts;
mod presets;
mod questions;
mod readme;
mod real_data;
mod recognisers;
mod reconcile;
mod recordings;
mod refusals;
mod report;
mod resources;
mod rollup;
mod rules;
mod rules_check;
mod same_recording;
mod scene;
mod secrets;
mod sensitivity;
mod service;
mod settings;
mod shapes;
mod shards;
mod sheets;
mod speech;
mod tables;
mod terminal;
mod throttling;
mod tidy;
mod tracks;
