//! What is asked of the service.

mod recognition;

pub use recognition::{Author, Message, Recognition, differences};
