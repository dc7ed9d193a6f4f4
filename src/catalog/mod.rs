//! What the service offers, as data: models, prices, limits, regions, parameters.
//!
//! The facts are in `models.toml`, each row with its source and the date it was checked. Nothing here queries the service.
//! Checks against the catalogue are optional, because services move faster than catalogues.
//!
//! ```
//! use talkmeter::catalog::{Catalog, Protocol, Region};
//!
//! let catalog = Catalog::builtin();
//! let model = catalog.model("fun-asr").ok_or("not there")?;
//! assert_eq!(model.protocol, Protocol::Task);
//! assert_eq!(model.submits_per_second(Region::Intl), Some(10.0));
//! assert_eq!(model.price(Region::Intl).map(ToString::to_string).as_deref(), Some("0.000035 USD/s"));
//! assert!(model.price(Region::Us).is_none());
//! # Ok::<(), &str>(())
//! ```

mod allowance;
#[cfg(feature = "client")]
mod hotword;
mod model;
pub(crate) mod nearest;
mod parameter;
mod price;
mod protocol;
mod region;
mod rows;

use std::sync::LazyLock;

use jiff::civil::Date;

pub use allowance::{Allowance, AllowanceUnit};
#[cfg(feature = "client")]
pub(crate) use hotword::{MOST_HOTWORDS, SUPER_WEIGHT, check_hotword};
#[cfg(feature = "cli")]
pub(crate) use model::size;
pub use model::{BilledBy, Limits, Model, RateLimit};
pub use parameter::{Kind, PARAMETERS, Parameter};
pub use price::{Currency, Price, Rate};
pub use protocol::Protocol;
#[cfg(feature = "client")]
pub(crate) use region::is_service_host;
pub use region::{Endpoint, Region, check_workspace};

use crate::error::{Check, Error, Result};

/// Reads the rows of a price file, TOML or JSON, each with its model.
pub(crate) fn read_prices(text: &str) -> Result<rows::Rows> {
    rows::prices(text)
}

/// All known models, and the limits of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    models: Vec<Model>,
    retired: Vec<Retired>,
    service: Service,
}

/// A model that the service gives up.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Retired {
    /// Its name in requests.
    pub name: String,
    /// The model to use instead.
    pub instead: String,
    /// Where that is documented.
    pub source: String,
    /// Date of the page it was checked against.
    pub checked: Date,
}

/// `sensevoice-v1 is being retired by the service: use fun-asr`.
impl std::fmt::Display for Retired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is being retired by the service: use {}", self.name, self.instead)
    }
}

/// The limits of an account, for all models.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Service {
    /// Task queries per second.
    pub queries_per_second: u32,
    /// Listings of tasks per second.
    pub lists_per_second: u32,
    /// Cancellations per second.
    pub cancels_per_second: u32,
    /// Upload policies per second and model.
    pub policies_per_second: u32,
    /// Hours for which a task and its result can be fetched after its end.
    pub task_hours: u32,
    /// Hours for which an upload can be read.
    pub upload_hours: u32,
    /// Where data is stored and processed.
    pub residency: Vec<Residency>,
    /// The page that documents the limits.
    pub source: String,
    /// Date of the page they were checked against.
    pub checked: Date,
}

/// Where a region stores and processes data.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Residency {
    /// The region.
    pub region: Region,
    /// The location of the endpoint.
    pub endpoint: String,
    /// Where data is stored; null = not documented.
    pub data: Option<String>,
    /// Where models run; null = not documented.
    pub inference: Option<String>,
    /// The page that documents it.
    pub source: String,
    /// Date of the page it was checked against.
    pub checked: Date,
}

static BUILTIN: LazyLock<Catalog> = LazyLock::new(|| {
    // The text is part of the program and read by a test, so this cannot fail.
    Catalog::read(include_str!("models.toml")).unwrap_or_default()
});

impl Default for Catalog {
    /// A catalogue without models.
    fn default() -> Self {
        let service = Service {
            queries_per_second: 20,
            lists_per_second: 20,
            cancels_per_second: 20,
            policies_per_second: 100,
            task_hours: 24,
            upload_hours: 48,
            residency: Vec::new(),
            source: String::new(),
            checked: Date::ZERO,
        };
        Self { models: Vec::new(), retired: Vec::new(), service }
    }
}

impl Catalog {
    /// The catalogue that comes with this crate.
    #[must_use]
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Reads a catalogue in the form of `models.toml`.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::InvalidInput`] if it is not TOML of that form, or names a list, model or parameter that is not
    /// declared.
    pub fn read(toml: &str) -> Result<Self> {
        rows::read(toml)
    }

    /// All models, grouped by family.
    #[must_use]
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The model with exactly this name.
    #[must_use]
    pub fn model(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.name == name)
    }

    /// All names of a model: its own, the one it is an alias of, and its aliases.
    #[must_use]
    pub fn names_of(&self, name: &str) -> Vec<String> {
        let of = |model: &Model| model.same_as.clone().unwrap_or_else(|| model.name.clone());
        let Some(root) = self.model(name).map(of) else { return vec![name.to_owned()] };
        self.models.iter().filter(|model| of(model) == root).map(|model| model.name.clone()).collect()
    }

    /// Models that the service gives up, which are not among [`Catalog::models`].
    #[must_use]
    pub fn retired(&self) -> &[Retired] {
        &self.retired
    }

    /// The model with exactly this name, or an error that says what to use instead of a retired one, or suggests similar names.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::InvalidInput`] with the model to use instead, or the nearest names.
    pub fn require(&self, name: &str) -> Result<&Model> {
        if let Some(retired) = self.retired.iter().find(|retired| retired.name == name) {
            return Err(Error::invalid(retired.to_string()));
        }
        let unknown = || {
            let shown: String = name.chars().take(80).collect();
            let near = nearest::nearest(name, self.models.iter().map(|model| &model.name[..]));
            let meant = if near.is_empty() { String::new() } else { format!(": did you mean {}?", near.join(" or ")) };
            Error::invalid(format!("no model `{shown}` in the catalogue{meant}")).with_check(Check::UnknownModel)
        };
        self.model(name).ok_or_else(unknown)
    }

    /// The protocol of a model, by its row or its name ([`Protocol::by_name`]). `None` for models that only speak WebSocket,
    /// which this crate does not.
    #[must_use]
    pub fn protocol_of(&self, name: &str) -> Option<Protocol> {
        self.model(name).map_or_else(|| Protocol::by_name(name), |model| Some(model.protocol))
    }

    /// The limits of an account.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Where a region stores and processes data; `None` = not documented.
    #[must_use]
    pub fn residency(&self, region: Region) -> Option<&Residency> {
        self.service.residency.iter().find(|residency| residency.region == region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_catalogue_can_be_read() {
        let catalog = Catalog::read(include_str!("models.toml")).unwrap();
        assert_eq!(Catalog::builtin(), &catalog);
        assert!(catalog.models().len() >= 24);
        let residency: Vec<Region> = catalog.service().residency.iter().map(|row| row.region).collect();
        assert_eq!(residency, Region::ALL);
    }

    #[test]
    fn every_row_is_consistent() {
        for model in Catalog::builtin().models() {
            let name = &model.name;
            assert!(!model.source.is_empty() && model.checked > jiff::civil::date(2026, 1, 1), "{name}");
            assert!(!model.regions.is_empty() && !model.parameters.is_empty(), "{name}");
            if model.protocol == Protocol::RealtimeFlash {
                assert_eq!(Protocol::by_name(name), None, "{name}");
            } else {
                assert_eq!(Protocol::by_name(name), Some(model.protocol), "the name of {name} routes it elsewhere");
            }
            for price in &model.prices {
                assert!(model.regions.contains(&price.region), "{name} has a price where it is not offered");
                assert!(!price.source.is_empty() && price.checked > jiff::civil::date(2026, 1, 1), "{name}");
                let same = |other: &&Price| (other.region, other.currency) == (price.region, price.currency);
                assert_eq!(model.prices.iter().filter(same).count(), 1, "{name} has two prices in one currency");
            }
            for allowance in &model.allowances {
                assert!(model.regions.contains(&allowance.region), "{name} has an allowance where it is not offered");
                assert!(!allowance.source.is_empty() && allowance.quantity > 0, "{name}");
            }
            for limit in &model.rate_limits {
                assert!(limit.region.is_none_or(|region| model.regions.contains(&region)), "{name}");
            }
            if let Some(snapshot) = &model.same_as {
                let twin = Catalog::builtin().model(snapshot).unwrap();
                assert_eq!((twin.protocol, &twin.languages), (model.protocol, &model.languages), "{name}");
                assert!(twin.same_as.is_none(), "{name} is the same as an alias");
            }
            assert!(!model.context || model.protocol != Protocol::QwenTask, "{name}");
            assert_eq!(model.super_hotwords > 0, model.takes("vocabulary"), "{name}");
            assert!(model.limits.files_per_task_now <= model.limits.files_per_task, "{name}");
        }
    }

    #[test]
    fn prices_match_the_documentation() {
        let price = |name: &str, region| Catalog::builtin().model(name).and_then(|model| model.price(region));
        let said = |name: &str, region| price(name, region).map(ToString::to_string).unwrap_or_default();
        assert_eq!(said("fun-asr", Region::Intl), "0.000035 USD/s");
        assert_eq!(said("fun-asr", Region::Cn), "0.00022 CNY/s");
        assert_eq!(said("fun-asr-flash-2026-06-15", Region::Intl), "0.000035 USD/s");
        assert_eq!(said("fun-asr-flash-2026-06-15", Region::Cn), "0.00003 USD/s");
        assert_eq!(said("paraformer-v2", Region::Cn), "0.00008 CNY/s");
        assert_eq!(said("qwen-audio-3.1-asr-flash-filetrans", Region::Intl), "0.15 in, 0.47 out USD/M tokens");
        assert_eq!(said("qwen-audio-3.1-asr-flash", Region::Intl), "");
        let dollars = Catalog::builtin().model("fun-asr").unwrap();
        let dollars: Vec<String> = dollars.prices(Region::Cn).map(ToString::to_string).collect();
        assert_eq!(dollars, ["0.00022 CNY/s", "0.000032 USD/s"]);
        let flash = Catalog::builtin().model("fun-asr-flash-2026-06-15").unwrap();
        let flash: Vec<String> = flash.prices(Region::Cn).map(ToString::to_string).collect();
        assert_eq!(flash, ["0.00003 USD/s", "0.00022 CNY/s (inferred)"]);
        let old = price("fun-asr", Region::Cn).unwrap();
        assert_eq!(old.age_days(jiff::civil::date(2026, 5, 31)), 30);
    }

    #[test]
    fn rate_limits_match_the_documentation() {
        let pace = |name: &str, region| Catalog::builtin().model(name).unwrap().submits_per_second(region);
        assert_eq!(pace("fun-asr", Region::Intl), Some(10.0));
        assert_eq!(pace("fun-asr-mtl", Region::Cn), Some(10.0));
        assert_eq!(pace("fun-asr-mtl", Region::Intl), Some(100.0 / 60.0));
        assert_eq!(pace("paraformer-v2", Region::Cn), Some(20.0));
        assert_eq!(pace("paraformer-8k-v2", Region::Cn), Some(20.0));
        assert_eq!(pace("fun-asr-flash-2026-06-15", Region::Cn), Some(10.0));
        assert_eq!(pace("qwen-audio-3.1-asr-flash", Region::Cn), None);
        let tasks = |name: &str| Catalog::builtin().model(name).unwrap().rate_limit(Region::Cn).unwrap().tasks;
        assert_eq!(["paraformer-8k-v1", "paraformer-8k-v2", "paraformer-v2"].map(tasks), [Some(500), Some(100), None]);
    }

    #[test]
    fn a_catalogue_that_contradicts_itself_is_refused() {
        let text = include_str!("models.toml");
        for (from, to, said) in [
            ("same_as = \"fun-asr-2025-11-07\"", "same_as = \"fun-asr-2\"", "says that fun-asr is fun-asr-2"),
            ("name = \"fun-asr-mtl\"", "name = \"fun-asr\"", "has `fun-asr` twice"),
            ("\"diarization_enabled\"", "\"diarisation\"", "parameter `diarisation`, which is not declared"),
            ("second = \"0.000035\"", "second = \"free\"", "has `free` for the price of"),
            ("second = \"0.000035\"", "second = \"0\"", "has `0` for the price of"),
            (
                "models = [\"paraformer-v2\"",
                "models = [\"paraformer-v9\"",
                "price for `paraformer-v9`, which is not there",
            ),
            ("checked = \"2026-11-01\"", "checked = \"November\"", "has `November` for a date"),
            ("languages = \"thirty\"", "languages = \"forty\"", "has no list `forty`"),
            ("context = true", "contexts = true", "cannot be read"),
            ("requests = 600, seconds = 60", "requests = 0, seconds = 60", "has a rate limit of zero for fun-asr"),
            (
                "instead = \"fun-asr\"",
                "instead = \"fun-asr-9\"",
                "retires `sensevoice-v1`, which is offered, or for which",
            ),
        ] {
            assert!(text.contains(from), "{from}");
            let error = Catalog::read(&text.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
