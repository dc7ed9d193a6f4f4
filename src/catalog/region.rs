//! Regions, their shared hosts and the hosts of workspaces.
//!
//! Source: the vendor's pages `base-url` and `regions`, checked 2026-10.

use std::fmt;
use std::str::FromStr;

use crate::error::{Check, Error, Result};

/// A region of the service. Keys, uploads, tasks and hotword lists belong to one region.
///
/// ```
/// use talkmeter::catalog::Region;
///
/// let region: Region = "cn".parse()?;
/// assert_eq!(region.to_string(), "cn");
/// assert_eq!(region.shared_host(), "dashscope.aliyuncs.com");
/// assert_eq!(region.workspace_host("ws-a1")?, "ws-a1.cn-beijing.maas.aliyuncs.com");
/// # Ok::<(), talkmeter::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// International: endpoint in Singapore.
    #[default]
    Intl,
    /// Mainland China: endpoint in Beijing.
    Cn,
    /// United States: endpoint in Virginia.
    Us,
    /// Hong Kong.
    Hk,
}

impl Region {
    /// All regions, in the order they are listed.
    pub const ALL: [Self; 4] = [Self::Intl, Self::Cn, Self::Us, Self::Hk];

    /// Its name in this crate: `intl`, `cn`, `us`, `hk`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Intl => "intl",
            Self::Cn => "cn",
            Self::Us => "us",
            Self::Hk => "hk",
        }
    }

    /// The cloud's id of it, such as `ap-southeast-1`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Intl => "ap-southeast-1",
            Self::Cn => "cn-beijing",
            Self::Us => "us-east-1",
            Self::Hk => "cn-hongkong",
        }
    }

    /// The host shared by all accounts. It ends requests after 600 s.
    #[must_use]
    pub fn shared_host(self) -> &'static str {
        match self {
            Self::Intl => "dashscope-intl.aliyuncs.com",
            Self::Cn => "dashscope.aliyuncs.com",
            Self::Us => "dashscope-us.aliyuncs.com",
            Self::Hk => "cn-hongkong.dashscope.aliyuncs.com",
        }
    }

    /// The host of one workspace, which takes only keys of that workspace. It ends requests after 3600 s.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::InvalidInput`] for an invalid id, see [`check_workspace`].
    pub fn workspace_host(self, workspace: &str) -> Result<String> {
        check_workspace(workspace)?;
        Ok(format!("{workspace}.{}.maas.aliyuncs.com", self.id()))
    }
}

/// Checks the id of a workspace: `^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`. It becomes part of a host name, so anything else could
/// send the key to another host.
///
/// # Errors
///
/// [`crate::ErrorKind::InvalidInput`] otherwise.
pub fn check_workspace(id: &str) -> Result<()> {
    let first = id.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let rest = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if first && rest && id.len() <= 64 {
        return Ok(());
    }
    let shown: String = id.chars().take(64).collect();
    Err(Error::invalid(format!(
        "`{shown}` is not a workspace id: 1 to 64 letters, digits, `-` or `_`, beginning with a letter or digit"
    ))
    .with_check(Check::Workspace))
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Region {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|region| region.name() == text || region.id() == text);
        let unknown = || Error::invalid(format!("unknown region `{text}`: the regions are intl, cn, us and hk"));
        known.ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_survives_printing_and_parsing() {
        for region in Region::ALL {
            assert_eq!(region.to_string().parse::<Region>().unwrap(), region);
        }
        let error = "eu".parse::<Region>().unwrap_err().to_string();
        assert_eq!(error, "unknown region `eu`: the regions are intl, cn, us and hk");
    }

    #[test]
    fn a_workspace_cannot_name_another_host() {
        for good in ["llm-a1b2", "ws_1", "0", &"a".repeat(64)] {
            assert!(check_workspace(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "_a", "evil.example/", "a.b", "a b", "ä", &"a".repeat(65)] {
            assert!(Region::Intl.workspace_host(bad).is_err(), "{bad}");
        }
    }
}
