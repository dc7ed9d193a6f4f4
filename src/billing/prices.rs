//! Which price holds: by model, region, currency and date, from the catalogue or from a file of one's own.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::line::Meter;
use crate::catalog::{Allowance, Catalog, Currency, Price, Rate, Region, read_prices};
use crate::error::Result;

/// Tokens in the quantity that they are priced by.
const MILLION: i64 = 1_000_000;

/// Every price row that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PriceBook {
    prices: Vec<(String, Price)>,
    allowances: Vec<(String, Allowance)>,
}

impl PriceBook {
    /// Those of a catalogue.
    #[must_use]
    pub fn of(catalog: &Catalog) -> Self {
        let mut book = Self::default();
        for model in catalog.models() {
            book.prices.extend(model.prices.iter().map(|price| (model.name.clone(), price.clone())));
            book.allowances.extend(model.allowances.iter().map(|allowance| (model.name.clone(), allowance.clone())));
        }
        book
    }

    /// Puts the rows of a file of one's own in the place of these: `[[price]]` and `[[allowance]]` tables in the form of
    /// `models.toml`. Where it has a row for a model and region, the rows that were there before for them count no more.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidInput`] when it is no TOML of that form.
    pub fn replace(&mut self, toml: &str) -> Result<()> {
        let (prices, allowances) = read_prices(toml)?;
        self.prices.retain(|(model, price)| !prices.iter().any(|(m, p)| m == model && p.region == price.region));
        self.allowances
            .retain(|(model, old)| !allowances.iter().any(|(m, new)| m == model && new.region == old.region));
        self.prices.extend(prices);
        self.allowances.extend(allowances);
        Ok(())
    }
}

/// A price book, and which of its rows somebody wants.
///
/// ```
/// use talkmeter::billing::{Meter, PriceBook, Prices};
/// use talkmeter::catalog::{Catalog, Region};
///
/// let mut book = PriceBook::of(Catalog::builtin());
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
    /// The rows of `book` in `currency`, or in the one that bills are in where none is named; by the page that was the latest
    /// on a day, or by the latest of all.
    #[must_use]
    pub fn new(book: PriceBook, currency: Option<Currency>, on: Option<Date>) -> Self {
        Self { book, currency, on }
    }

    /// The latest rows of the catalogue that comes with this crate, in the currency that bills are in.
    #[must_use]
    pub fn builtin() -> Self {
        Self::new(PriceBook::of(Catalog::builtin()), None, None)
    }

    /// The price row of a model in a region; `None` = not known, which is not free.
    ///
    /// Of several dates the latest that is not after the wanted day; where all are after it, the earliest. The date stands
    /// beside each price that is printed.
    #[must_use]
    pub fn row(&self, model: &str, region: Region) -> Option<&Price> {
        let of = |(name, price): &&(String, Price)| name == model && price.region == region;
        let mut rows = self.book.prices.iter().filter(of).map(|(_, price)| price);
        // The first row of a region is in the currency that its bills are in.
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

    /// The price of one unit of a meter; `None` = not known, or the model is not billed by that meter.
    #[must_use]
    pub fn unit(&self, model: &str, region: Region, meter: Meter) -> Option<UnitPrice> {
        let row = self.row(model, region)?;
        let million = |amount: Decimal| amount / Decimal::from(MILLION);
        let amount = match (row.rate, meter) {
            (Rate::Second(amount), Meter::Speech) => amount,
            (Rate::MillionTokens { input, .. }, Meter::TokensIn) => million(input),
            (Rate::MillionTokens { output, .. }, Meter::TokensOut) => million(output),
            _ => return None,
        };
        Some(UnitPrice { amount, currency: row.currency, checked: row.checked })
    }

    /// The meters that a model is billed by in a region: speech, or tokens in and out. Speech where nothing is known.
    #[must_use]
    pub fn meters(&self, model: &str, region: Region) -> &'static [Meter] {
        match self.row(model, region).map(|row| row.rate) {
            Some(Rate::MillionTokens { .. }) => &[Meter::TokensIn, Meter::TokensOut],
            _ => &[Meter::Speech],
        }
    }

    /// What may be used free of charge; `None` = no page says so.
    #[must_use]
    pub fn allowance(&self, model: &str, region: Region) -> Option<&Allowance> {
        let of = |(name, allowance): &&(String, Allowance)| name == model && allowance.region == region;
        self.book.allowances.iter().find(of).map(|(_, allowance)| allowance)
    }
}

/// What one unit of a meter costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitPrice {
    /// In [`UnitPrice::currency`], of one second or one token.
    pub amount: Decimal,
    /// What it is charged in.
    pub currency: Currency,
    /// Date of the page that prints it.
    pub checked: Date,
}

impl UnitPrice {
    /// Of so many units, exactly: nothing is rounded.
    #[must_use]
    pub fn cost(&self, quantity: i64) -> Decimal {
        self.amount * Decimal::from(quantity)
    }
}
