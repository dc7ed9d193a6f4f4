//! The service over HTTP.

mod recognition;
mod redact;

pub use recognition::{Author, Message, Recognition, differences};
pub(crate) use redact::split_scheme;
pub use redact::without_query;
