//! What a check lets pass but a caller should know.

use std::fmt;

use crate::error::Check;

/// Something the service would ignore, cut or choose without telling, or that no page documents. `Display` is one line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The line.
    pub message: String,
    /// What it is about; `None` for what is no setting of the request.
    pub check: Option<Check>,
}

impl Warning {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), check: None }
    }

    pub(crate) fn about(check: Check, message: impl Into<String>) -> Self {
        Self { message: message.into(), check: Some(check) }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
