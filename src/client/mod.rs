//! The service's interfaces, as a client sees them.

mod redact;

pub(crate) use redact::split_scheme;
pub use redact::without_query;
