//! talkmeter measures recorded calls: result files of Alibaba Cloud Model Studio / Qwen Cloud speech recognition
//! (Fun-ASR, Paraformer, Qwen-ASR) in, measured conversations out.
//!
//! ```text
//! result JSON ──transcript::read──▶ Transcript ──metrics::measure──▶ Measured ──tables::analyze──▶ Parquet, CSV, JSON lines
//!                                                                                       └──report::Report──▶ terminal, HTML, Markdown, JSON
//! ```
//!
//! | module | holds | feature |
//! | --- | --- | --- |
//! | `client` | the service's interfaces | `client` |
//! | `batch` | many recordings, transcribed resumably | `client` |
//! | `audio` | what an audio file says about itself | `audio` |
//! | [`catalog`] | models, prices, limits, regions, parameters | |
//! | [`billing`] | what it costs, what it did cost, and whether the bill agrees | |
//! | [`transcript`] | a tolerant reader: typed, borrowed, oddities counted | |
//! | [`text`] | what counts as a word, how texts are joined and compared | |
//! | [`captions`] | SRT and WebVTT from a measured call, and checks of caption files | |
//! | [`metrics`] | every figure of one call, and the catalogue that declares them | |
//! | [`definitions`] | what every figure means: formula, null rule, example | |
//! | `tables` | many calls as polars frames and files, roll-ups | `analytics` |
//! | `report` | what an analysis says as a whole | `analytics` |
//! | `emulator` | a stand-in for the service on a local port | `emulator` |
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
//! // One party alone interrupts nobody: the figure is null, and the row says why.
//! assert_eq!(measured.call.interruption_count, None);
//! assert!(measured.call.reasons.cell().is_some_and(|reason| reason.contains("single_participant")));
//! # Ok::<(), talkmeter::transcript::ParseError>(())
//! ```
//!
//! The library reads no environment, prints nothing and asks no clock.

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
#[doc = include_str!("../docs/definitions.md")]
pub mod definitions {}
#[cfg(any(feature = "analytics", feature = "client"))]
mod disk;
#[cfg(feature = "emulator")]
pub mod emulator;
mod error;
pub mod metrics;
#[cfg(feature = "client")]
mod recording_id;
pub mod redact;
#[cfg(feature = "analytics")]
pub mod report;
#[cfg(feature = "analytics")]
pub mod tables;
pub mod text;
pub mod time;
pub mod transcript;

pub use error::{ApiFailure, Check, Error, ErrorKind, Result};

#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct Manual;
