//! talkmeter
#![cfg_attr(test, allow(clippy::unwrap_used))]
#[cfg(feature = "cli")]
pub mod cli;
mod error;
pub mod metrics;
#[cfg(feature = "analytics")]
pub mod report;
#[cfg(feature = "analytics")]
pub mod tables;
pub mod transcript;
pub use error::{Error, ErrorKind, Result};
