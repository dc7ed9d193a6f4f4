//! Flags that say which prices hold, and the doubt about old ones.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::output::{Console, Failure};
use crate::billing::{PriceBook, Prices};
use crate::catalog::{Catalog, Currency, Price, Region};
use crate::error::Error;
use crate::report::number::counted;

/// From this age on, in days, a price is doubted aloud.
pub(super) const OLD: i64 = 90;

/// Which prices hold.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Prices")]
pub(super) struct PriceFlags {
    /// Your own prices: TOML with `[[price]]` rows as `models` prints them; they replace those of the same model and region
    #[arg(long = "prices", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Count in this currency rather than in the one that the region's bills are in
    #[arg(long, value_name = "usd|cny")]
    currency: Option<Currency>,
    /// By the page that was the latest on this day, rather than by the latest of all
    #[arg(long, value_name = "YYYY-MM-DD")]
    price_date: Option<Date>,
}

impl PriceFlags {
    /// Reads the file of prices. `currency` holds where no flag names one.
    pub(super) fn prices(&self, currency: Option<Currency>) -> Result<Prices, Failure> {
        let mut book = PriceBook::of(Catalog::builtin());
        if let Some(path) = &self.file {
            let text = std::fs::read_to_string(path).map_err(|error| Error::io("read the prices", path, error))?;
            book.replace(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        }
        Ok(Prices::new(book, self.currency.or(currency), self.price_date))
    }
}

/// Says on stderr which of the prices that were used are old. Reports hold nothing of it: it depends on the day.
pub(super) fn doubt_used<'a>(
    prices: &Prices,
    used: impl IntoIterator<Item = (&'a str, Region)>,
    today: Date,
    console: &Console,
) {
    let mut pairs: Vec<(&str, Region)> = used.into_iter().collect();
    pairs.sort_unstable();
    pairs.dedup();
    let row = |(model, region): (&str, Region)| Some((model.to_owned(), prices.row(model, region)?.clone()));
    doubt(pairs.into_iter().filter_map(row), today, console);
}

/// One line for each old price, or one for all where they are many.
pub(super) fn doubt(prices: impl IntoIterator<Item = (String, Price)>, today: Date, console: &Console) {
    let old: Vec<(String, Price)> = prices.into_iter().filter(|(_, price)| price.age_days(today) > OLD).collect();
    if old.len() > 4 {
        if let Some(oldest) = old.iter().map(|(_, price)| price.checked).min() {
            console.note(&format!(
                "{} are older than {OLD} days, the oldest of {oldest}: compare them with their pages (--format json \
                 names these) before you rely on them",
                counted(old.len() as u64, "price")
            ));
        }
        return;
    }
    for (model, price) in old {
        console.note(&format!(
            "the {} price of {model} in {} is of {}, {} days ago: compare it with {} before you rely on it",
            price.currency,
            price.region,
            price.checked,
            price.age_days(today),
            price.source
        ));
    }
}

/// Where the ledgers of batches are, beside the results that were given.
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
