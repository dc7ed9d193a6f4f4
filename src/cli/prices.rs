//! Price flags, and warnings about old prices.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::inputs::read_text;
use super::output::{Console, Failure};
use crate::billing::{PriceBook, Prices};
use crate::catalog::{Catalog, Currency, Price, Region};
use crate::named_file::FileKind;
use crate::report::number::counted;

/// Warn about prices older than this many days.
pub(super) const OLD_AFTER_DAYS: i64 = 90;

/// Which prices to use.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Prices")]
pub(super) struct PriceFlags {
    /// Your prices: TOML with `[[price]]` rows, or what `models --format json` prints
    #[arg(long = "prices", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Currency to count in [default: the region's, if the model has such a price]
    #[arg(long, value_name = "usd|cny")]
    currency: Option<Currency>,
    /// Use prices as published on this date [default: latest]
    #[arg(long, value_name = "YYYY-MM-DD")]
    price_date: Option<Date>,
}

impl PriceFlags {
    /// Loads the prices. `currency` applies if no flag names one.
    pub(super) fn prices(&self, currency: Option<Currency>, console: &Console) -> Result<Prices, Failure> {
        self.load(self.currency.or(currency), console)
    }

    /// Loads the prices in a currency, whatever the flag says.
    pub(super) fn prices_in(&self, currency: Currency, console: &Console) -> Result<Prices, Failure> {
        self.load(Some(currency), console)
    }

    fn load(&self, currency: Option<Currency>, console: &Console) -> Result<Prices, Failure> {
        let mut book = PriceBook::builtin();
        if let Some(path) = &self.file {
            let text = read_text(path, FileKind::Prices, &|note| console.note(note))?;
            book.replace(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
            for model in book.models_not_listed() {
                if let Err(error) = Catalog::builtin().require(model) {
                    console.note(&format!("{}: a price of {model}: {error}", path.display()));
                }
            }
        }
        Ok(Prices::new(book, currency, self.price_date))
    }
}

/// Warns on stderr about old prices among those used. Reports omit this, because it depends on the day.
pub(super) fn warn_if_old_for<'a>(
    prices: &Prices,
    used: impl IntoIterator<Item = (&'a str, Region)>,
    today: Date,
    console: &Console,
) {
    let mut pairs: Vec<(&str, Region)> = used.into_iter().collect();
    pairs.sort_unstable();
    pairs.dedup();
    for (model, region) in &pairs {
        if let Some(price) = prices.row(model, *region).filter(|_| prices.is_later(model, *region)) {
            console.note(&format!(
                "no price of {model} in {region} is known for that date: that of {} is used",
                price.checked
            ));
        }
    }
    let row = |(model, region): (&str, Region)| Some((model.to_owned(), prices.row(model, region)?.clone()));
    warn_if_old(pairs.into_iter().filter_map(row), today, console);
}

/// One line per old price, or a single line if there are many.
pub(super) fn warn_if_old(prices: impl IntoIterator<Item = (String, Price)>, today: Date, console: &Console) {
    let old: Vec<(String, Price)> =
        prices.into_iter().filter(|(_, price)| price.age_days(today) > OLD_AFTER_DAYS).collect();
    if old.len() > 4 {
        if let Some(oldest) = old.iter().map(|(_, price)| price.checked).min() {
            console.note(&format!(
                "{} are older than {OLD_AFTER_DAYS} days (oldest: {oldest}): check them against their pages (listed with \
                 --format json)",
                counted(old.len() as u64, "price")
            ));
        }
        return;
    }
    for (model, price) in old {
        console.note(&format!(
            "the {} price of {model} in {} is {} days old ({}): check it against {}",
            price.currency,
            price.region,
            price.age_days(today),
            price.checked,
            price.source
        ));
    }
}

/// The batch folders that the given result folders belong to.
pub(super) fn ledgers<'p>(folders: impl IntoIterator<Item = &'p Path>) -> Vec<&'p Path> {
    let mut found: Vec<&Path> = folders
        .into_iter()
        .filter(|folder| folder.ends_with(crate::batch::RESULTS))
        .filter_map(Path::parent)
        .filter(|folder| folder.join(crate::batch::LEDGER).is_file())
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}
