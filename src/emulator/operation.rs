//! Kinds of requests, by the names that scenarios and counts use.

use serde::Deserialize;

/// A kind of request; `Recognition` is not a request but what the service does with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Operation {
    Submit,
    Query,
    List,
    Cancel,
    Policy,
    Upload,
    Result,
    Flash,
    Vocabulary,
    Token,
    Models,
    Recognition,
}

impl Operation {
    /// Every operation that is a request.
    pub(super) const ALL: [Self; 11] = [
        Self::Submit,
        Self::Query,
        Self::List,
        Self::Cancel,
        Self::Policy,
        Self::Upload,
        Self::Result,
        Self::Flash,
        Self::Vocabulary,
        Self::Token,
        Self::Models,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Query => "query",
            Self::List => "list",
            Self::Cancel => "cancel",
            Self::Policy => "policy",
            Self::Upload => "upload",
            Self::Result => "result",
            Self::Flash => "flash",
            Self::Vocabulary => "vocabulary",
            Self::Token => "token",
            Self::Models => "models",
            Self::Recognition => "recognition",
        }
    }
}
