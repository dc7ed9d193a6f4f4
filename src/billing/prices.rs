//! Price lookup by model, region, currency and date, from the catalogue or from a price file.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::line::Meter;
use crate::catalog::{Allowance, BilledBy, Catalog, Currency, Model, Price, Rate, Region, read_prices};
use crate::error::Result;

/// Token prices are quoted per million.
const MILLION: i64 = 1_000_000;

/// All known price and allowance rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PriceBook {
    prices: Vec<(String, Price)>,
    allowances: Vec<(String, Allowance)>,
    /// Behind these the rows of the built-in catalogue, which is read when the first price is looked up: most runs over
    /// result files look up none.
    is_builtin: bool,
}

impl PriceBook {
    /// The rows of the built-in catalogue.
    #[must_use]
    pub fn builtin() -> Self {
        Self { is_builtin: true, ..Self::default() }
    }

    /// The rows of a catalogue.
    #[must_use]
    pub fn from_catalog(catalog: &Catalog) -> Self {
        let mut book = Self::default();
        for model in catalog.models() {
            book.prices.extend(model.prices.iter().map(|price| (model.name.clone(), price.clone())));
            book.allowances.extend(model.allowances.iter().map(|allowance| (model.name.clone(), allowance.clone())));
        }
        book
    }

    /// Overrides these rows with those of a price file: `[[price]]` and `[[allowance]]` tables as in `models.toml`, or a JSON
    /// list of models whose `prices` and `allowances` are such rows. Rows in the file replace all earlier rows for the same
    /// model and region.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidInput`] when the text has neither form, or a price is no amount.
    pub fn replace(&mut self, text: &str) -> Result<()> {
        let (prices, allowances) = read_prices(text)?;
        if self.is_builtin {
            *self = Self::from_catalog(Catalog::builtin());
        }
        self.prices.retain(|(model, price)| !prices.iter().any(|(m, p)| m == model && p.region == price.region));
        self.allowances
            .retain(|(model, old)| !allowances.iter().any(|(m, new)| m == model && new.region == old.region));
        self.prices.extend(prices);
        self.allowances.extend(allowances);
        Ok(())
    }

    /// Models with prices that the built-in catalogue does not have, in the order of their rows.
    #[must_use]
    pub fn models_not_listed(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.prices.iter().map(|(model, _)| &**model).collect();
        names.retain(|name| Catalog::builtin().model(name).is_none());
        names.dedup();
        names
    }

    /// The model in the built-in catalogue, if its rows are part of the book.
    fn listed(&self, model: &str) -> Option<&'static Model> {
        self.is_builtin.then(Catalog::builtin)?.model(model)
    }
}

/// A price book with the currency and the date to look prices up for.
///
/// ```
/// use talkmeter::billing::{Meter, PriceBook, Prices};
/// use talkmeter::catalog::Region;
///
/// let mut book = PriceBook::builtin();
/// let row = |second: &str, checked: &str| format!(
///     "[[price]]\nmodels = [\"fun-asr\"]\nregion = \"cn\"\ncurrency = \"CNY\"\nsecond = \"{second}\"\nsource = \"contract\"\nchecked = \"{checked}\"\n"
/// );
/// book.replace(&(row("0.0002", "2026-06-01") + &row("0.00018", "2026-10-01")))?;
/// let at = |date: Option<jiff::civil::Date>| {
///     let prices = Prices::new(book.clone(), None, date);
///     prices.unit("fun-asr", Region::Cn, Meter::Speech).map(|unit| unit.amount.to_string())
/// };
/// assert_eq!(at(None).as_deref(), Some("0.00018"));
/// assert_eq!(at(Some("2026-09-30".parse()?)).as_deref(), Some("0.0002"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    book: PriceBook,
    currency: Option<Currency>,
    on: Option<Date>,
}

impl Prices {
    /// Looks up prices in `currency`, by default the currency the region is billed in, as last published on the given date,
    /// by default the latest.
    #[must_use]
    pub fn new(book: PriceBook, currency: Option<Currency>, on: Option<Date>) -> Self {
        Self { book, currency, on }
    }

    /// The latest prices of the built-in catalogue, in the currency each region is billed in.
    #[must_use]
    pub fn builtin() -> Self {
        Self::new(PriceBook::builtin(), None, None)
    }

    /// The price row of a model in a region; `None` = unknown, which does not mean free.
    ///
    /// With several dates: the latest one not after the requested date, or the earliest if all are after it. Every printed
    /// price shows its date.
    #[must_use]
    pub fn row(&self, model: &str, region: Region) -> Option<&Price> {
        let own = self.book.prices.iter().filter(|(name, _)| name == model).map(|(_, price)| price);
        let listed = self.book.listed(model).into_iter().flat_map(|model| &model.prices);
        let mut rows = own.chain(listed).filter(|price| price.region == region);
        // The first row of a region is in the currency it is billed in.
        let currency = self.currency.or_else(|| rows.clone().next().map(|price| price.currency))?;
        let rows = rows.by_ref().filter(|price| price.currency == currency);
        let before = |price: &Price| self.on.is_none_or(|on| price.checked <= on);
        rows.reduce(|best, price| match (before(best), before(price)) {
            (true, true) if price.checked > best.checked => price,
            (false, true) => price,
            (false, false) if price.checked < best.checked => price,
            _ => best,
        })
    }

    /// Whether the price of a model is of a later date than the one asked for, none being known before.
    #[must_use]
    pub fn is_later(&self, model: &str, region: Region) -> bool {
        self.row(model, region).zip(self.on).is_some_and(|(price, on)| price.checked > on)
    }

    /// The price of one unit of a meter; `None` = unknown, or the model is not billed by this meter.
    #[must_use]
    pub fn unit(&self, model: &str, region: Region, meter: Meter) -> Option<UnitPrice> {
        let row = self.row(model, region)?;
        let million = |amount: Decimal| amount.checked_div(Decimal::from(MILLION));
        let amount = match (row.rate, meter) {
            (Rate::Second(amount), Meter::Speech) => Some(amount),
            (Rate::MillionTokens { input, .. }, Meter::TokensIn) => million(input),
            (Rate::MillionTokens { output, .. }, Meter::TokensOut) => million(output),
            _ => return None,
        };
        Some(UnitPrice { amount: amount?, currency: row.currency, checked: row.checked })
    }

    /// The meters a model is billed by in a region: speech, or input and output tokens. By its price, else by the catalogue;
    /// speech for unknown models.
    #[must_use]
    pub fn meters(&self, model: &str, region: Region) -> &'static [Meter] {
        let is_by_tokens = match self.row(model, region).map(|row| row.rate) {
            Some(rate) => matches!(rate, Rate::MillionTokens { .. }),
            None => Catalog::builtin().model(model).is_some_and(|model| model.billed_by == BilledBy::Tokens),
        };
        if is_by_tokens { &[Meter::TokensIn, Meter::TokensOut] } else { &[Meter::Speech] }
    }

    /// The free allowance; `None` = none is documented.
    #[must_use]
    pub fn allowance(&self, model: &str, region: Region) -> Option<&Allowance> {
        let own = self.book.allowances.iter().filter(|(name, _)| name == model).map(|(_, allowance)| allowance);
        let listed = self.book.listed(model).into_iter().flat_map(|model| &model.allowances);
        own.chain(listed).find(|allowance| allowance.region == region)
    }
}

/// The price of one unit of a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct UnitPrice {
    /// In [`UnitPrice::currency`], for one second or one token.
    pub amount: Decimal,
    /// The currency of [`UnitPrice::amount`].
    pub currency: Currency,
    /// When the price was read from the provider's page.
    pub checked: Date,
}

impl UnitPrice {
    /// The cost of `quantity` units, unrounded; `None` if it exceeds what a decimal holds.
    #[must_use]
    pub fn cost(&self, quantity: i64) -> Option<Decimal> {
        self.amount.checked_mul(Decimal::from(quantity))
    }
}
