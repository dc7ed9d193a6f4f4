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
/// assert_eq!(region.shared_host(), Some("dashscope.aliyuncs.com"));
/// assert_eq!(region.workspace_host("ws-a1")?, "ws-a1.cn-beijing.maas.aliyuncs.com");
/// # Ok::<(), talkmeter::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
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
    /// Frankfurt; workspace hosts only.
    Eu,
    /// Tokyo; workspace hosts only.
    Jp,
}

impl Region {
    /// All regions, in the order they are listed.
    pub const ALL: [Self; 6] = [Self::Intl, Self::Cn, Self::Us, Self::Hk, Self::Eu, Self::Jp];

    /// Its name in this crate: `intl`, `cn`, `us`, `hk`, `eu`, `jp`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Intl => "intl",
            Self::Cn => "cn",
            Self::Us => "us",
            Self::Hk => "hk",
            Self::Eu => "eu",
            Self::Jp => "jp",
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
            Self::Eu => "eu-central-1",
            Self::Jp => "ap-northeast-1",
        }
    }

    /// The city people know it by.
    fn city(self) -> &'static str {
        match self {
            Self::Intl => "singapore",
            Self::Cn => "beijing",
            Self::Us => "virginia",
            Self::Hk => "hongkong",
            Self::Eu => "frankfurt",
            Self::Jp => "tokyo",
        }
    }

    /// The host shared by all accounts; `None` for regions with workspace hosts only. It ends requests after 600 s.
    #[must_use]
    pub fn shared_host(self) -> Option<&'static str> {
        match self {
            Self::Intl => Some("dashscope-intl.aliyuncs.com"),
            Self::Cn => Some("dashscope.aliyuncs.com"),
            Self::Us => Some("dashscope-us.aliyuncs.com"),
            Self::Hk => Some("cn-hongkong.dashscope.aliyuncs.com"),
            Self::Eu | Self::Jp => None,
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

/// Whether a host is in a domain of the service: the API, or its storage.
#[cfg(feature = "client")]
pub(crate) fn is_service_host(host: &str) -> bool {
    const DOMAINS: [&str; 3] = ["aliyuncs.com", "qianwenaiapi.com", "qwencloudapi.com"];
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    DOMAINS.iter().any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
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

impl serde::Serialize for Region {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// By its name, by the cloud's id, or by its city: `eu`, `eu-central-1`, `frankfurt`.
impl FromStr for Region {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|region| [region.name(), region.id(), region.city()].contains(&text));
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::invalid(format!("unknown region `{text}`: the regions are {names}"))
        })
    }
}

/// A region, or a platform with a host of its own in one of them.
///
/// ```
/// use talkmeter::catalog::{Endpoint, Region};
///
/// let endpoint: Endpoint = "qwencloud".parse()?;
/// assert_eq!((endpoint.region, endpoint.host.as_deref()), (Region::Intl, Some("maas.qwencloudapi.com")));
/// # Ok::<(), talkmeter::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// The region whose limits and prices apply.
    pub region: Region,
    /// The platform's host; `None` for the hosts of the region.
    pub host: Option<String>,
}

impl Endpoint {
    /// The names of platforms and trial hosts, beside those of regions.
    pub const PLATFORMS: [&'static str; 5] = ["qwencloud", "qianwen", "trial-intl", "trial-cn", "trial-hk"];
}

/// The name of a region, or of a platform: `qwencloud` (Qwen Cloud), `qianwen` (Qianwen), `trial-intl`, `trial-cn`,
/// `trial-hk` (trial hosts without a workspace).
impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let on = |region, host: &str| Ok(Self { region, host: Some(host.to_owned()) });
        match text {
            "qwencloud" => on(Region::Intl, "maas.qwencloudapi.com"),
            "qianwen" => on(Region::Cn, "maas.qianwenaiapi.com"),
            "trial" | "trial-intl" => on(Region::Intl, "trial.ap-southeast-1.maas.aliyuncs.com"),
            "trial-cn" => on(Region::Cn, "trial.cn-beijing.maas.aliyuncs.com"),
            "trial-hk" => on(Region::Hk, "trial.cn-hongkong.maas.aliyuncs.com"),
            _ => match text.parse() {
                Ok(region) => Ok(Self { region, host: None }),
                Err(error) => Err(Error::invalid(format!("{error}; or a platform: {}", Self::PLATFORMS.join(", ")))),
            },
        }
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
        assert_eq!("frankfurt".parse::<Region>().unwrap(), Region::Eu);
        assert_eq!("ap-northeast-1".parse::<Region>().unwrap(), Region::Jp);
        let error = "mars".parse::<Region>().unwrap_err().to_string();
        assert_eq!(error, "unknown region `mars`: the regions are intl, cn, us, hk, eu, jp");
    }

    #[test]
    fn platforms_are_named_beside_regions() {
        for name in Endpoint::PLATFORMS {
            assert!(name.parse::<Endpoint>().unwrap().host.is_some(), "{name}");
        }
        assert_eq!("hk".parse::<Endpoint>().unwrap(), Endpoint { region: Region::Hk, host: None });
        assert!("mars".parse::<Endpoint>().unwrap_err().to_string().contains("qwencloud"));
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
