//! talkmeter transcribes recorded calls with Alibaba Cloud Model Studio / Qwen Cloud (Fun-ASR, Paraformer, Qwen-ASR),
//! measures the conversations, and accounts for what it costs.
//!
//! ```text
//! recordings ──client, batch──▶ result files ──transcript──▶ Transcript ──metrics──▶ Measured ──tables──▶ Parquet, CSV, JSON lines
//!                                                                                          └──report──▶ terminal, HTML, Markdown, JSON
//! ```
//!
//! | module | contents | feature |
//! | --- | --- | --- |
//! | [`transcript`] | result files → [`Transcript`]: a tolerant, borrowing reader that counts oddities | |
//! | [`metrics`] | every figure of one call, and the catalogue that declares them | |
//! | [`definitions`] | what every figure means: formula, null rule, example | |
//! | [`rules`] | rules over calls: phrases, their absence, figures; with evidence | |
//! | [`captions`] | SRT and WebVTT, written and checked | |
//! | [`billing`] | estimates, actual cost, reconciliation with the bill | |
//! | [`catalog`] | models, prices, limits, regions, parameters | |
//! | [`text`] | counting, joining and folding of words in any script | |
//! | `client` | the service over HTTP: tasks, flash calls, uploads, hotwords | `client` |
//! | `batch` | many recordings in a folder, resumable, never billed twice | `client` |
//! | `audio` | what an audio file says about itself, and where there is speech | `audio` |
//! | `tables` | many calls as polars frames and files, roll-ups | `analytics` |
//! | `compare` | two transcripts of the same calls, or one under other definitions | `analytics` |
//! | `report` | a summary and a page for terminal, HTML, Markdown and JSON | `analytics` |
//! | `stores` | folders of object stores: listed, read, written | `object-stores` |
//! | `emulator` | an emulator of the service on a local port | `emulator` |
//! | `cli` | the command | `cli` |
//!
//! ```
//! use talkmeter::metrics::{Settings, measure};
//!
//! let json = br#"{"transcripts": [{"channel_id": 0, "sentences": [
//!     {"begin_time": 0, "end_time": 2400, "text": "Thank you for calling."},
//!     {"begin_time": 6000, "end_time": 9000, "text": "Are you still there?"}]}]}"#;
//! let transcript = talkmeter::transcript::read(json)?;
//! let measured = measure("call.json", &transcript, &Settings::default());
//! assert_eq!(measured.participants[0].talk_ms, Some(5400));
//! assert_eq!(measured.call.dead_air_ms, Some(3600));
//! // With one participant there is nothing to interrupt: the figure is null, with a reason.
//! assert_eq!(measured.call.interruption_count, None);
//! assert!(measured.call.reasons.cell().is_some_and(|reason| reason.contains("single_participant")));
//! # Ok::<(), talkmeter::Error>(())
//! ```
//!
//! Errors of readers that say more ([`transcript::ParseError`], [`captions::ParseError`], `batch::Problems`, those of keywords)
//! become [`Error`] with `?`. Data is `#[non_exhaustive]` and serialises; settings have setters. The library reads no environment
//! variables, prints nothing and never asks the clock on its own.
//!
//! Types of these crates are part of the interface, so that a new major version of one of them is one of this crate: `jiff`
//! (times and dates), `rust_decimal` (money), `serde` and `serde_json`; with `client`, `bytes` and a `tokio` runtime; with
//! `analytics`, `polars`.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "audio")]
pub mod audio;
#[cfg(feature = "client")]
pub mod batch;
pub mod billing;
pub mod captions;
pub mod catalog;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "analytics")]
pub mod compare;
#[allow(clippy::doc_markdown, reason = "its tables name columns as they are")]
#[doc = include_str!("../docs/definitions.md")]
pub mod definitions {}
#[cfg(any(feature = "analytics", feature = "client"))]
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "each feature uses a part of it"))]
mod disk;
#[cfg(feature = "emulator")]
pub mod emulator;
mod error;
pub mod export;
pub mod metrics;
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "the command reads more kinds of files"))]
mod named_file;
#[cfg(feature = "python")]
mod python;
#[cfg(any(feature = "analytics", feature = "client"))]
mod recording_id;
pub mod redact;
#[cfg(feature = "analytics")]
pub mod report;
pub mod rules;
#[cfg_attr(not(feature = "cli"), allow(dead_code, unused_imports, reason = "the command reads more kinds of sheets"))]
mod sheet;
#[cfg(feature = "object-stores")]
pub mod stores;
#[cfg(feature = "analytics")]
pub mod tables;
pub mod text;
pub mod time;
pub mod transcript;

#[cfg(feature = "client")]
pub use batch::{Batch, BatchRequest};
pub use billing::Prices;
pub use catalog::{Catalog, Region};
#[cfg(feature = "client")]
pub use client::{ApiKey, Client, Clip, Recognition};
pub use error::{ApiFailure, Check, Error, ErrorKind, Result};
pub use metrics::{Measured, Settings, measure};
/// The version of polars whose frames are part of the interface, so that a program needs none of its own.
///
/// Its features are those that talkmeter turns on; a program that needs others depends on the same version of polars itself.
#[cfg(feature = "analytics")]
pub use polars;
#[cfg(feature = "analytics")]
pub use report::Report;
#[cfg(feature = "analytics")]
pub use tables::{Analysis, analyze};
pub use transcript::Transcript;

#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../docs/library.md")]
struct Manual;
