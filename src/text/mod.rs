//! What counts as a word, how texts are joined, and how they are compared.
//!
//! One rule for every language, from Unicode's own tables: see [`count`]. Everything that reads text (metrics,
//! keywords, captions, the report) uses these functions, so that the same text is treated alike everywhere.

mod class;
mod fold;
mod joining;
mod letters;
pub(crate) mod markdown;
mod tokens;
mod units;

pub use tokens::tokens;
pub use units::{Markers, Units, count, is_question};

#[cfg(test)]
pub(crate) use fold::folded_cluster;
pub(crate) use fold::{FoldedText, Form, begins_with_word, ends_at_boundary, ends_in_word, is_separator, is_sign};
#[cfg(feature = "analytics")]
pub(crate) use joining::spelling;
pub(crate) use joining::{is_unspaced, join_into, needs_space, same_alphanumerics, trim};
pub(crate) use letters::letters;
