//! Many recordings, safely: what is to be transcribed, what was sent, what came back.

mod item_name;
mod list;
mod manifest;
mod problems;
mod source;

pub use manifest::{AUDIO_EXTENSIONS, Draft, Item, Manifest};
pub use problems::Problems;
pub use source::{Address, Source};
