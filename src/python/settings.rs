//! How to measure, as Python says it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;

use crate::billing::{PriceBook, Prices};
use crate::error::{Error, Result};
use crate::metrics::catalogue::{SENTENCES, TABLES, Table, WORDS};
use crate::metrics::keywords::Keywords;
use crate::metrics::{LONGEST_WINDOW_MS, Parameters, Preset, Roles, Settings};
use crate::named_file::FileKind;
use crate::rules::Rules;
use crate::sheet::text;
use crate::tables::Options;

/// Tables that analyses alone can make from all calls.
pub(super) const OF_ALL_CALLS: [&str; 2] = ["calls_by_role", "rollup"];

/// An argument as `str` has it: a date or its text.
pub(super) fn text_of(value: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(value.str()?.to_string())
}

/// A text that people write: the path of its file, or the content, for workers that do not have the file.
#[derive(Debug, FromPyObject)]
pub(super) enum Document {
    #[pyo3(transparent)]
    Content(PyBackedBytes),
    #[pyo3(transparent)]
    Path(PathBuf),
}

impl Document {
    /// What errors call it, and its text.
    fn read(&self, argument: &str, kind: FileKind) -> Result<(String, String)> {
        Ok(match self {
            Self::Content(bytes) => (argument.to_owned(), text::decode(bytes).0.into_owned()),
            Self::Path(path) => (path.display().to_string(), text::read(path, kind)?.0),
        })
    }
}

/// Arguments that say how to measure.
#[derive(Debug)]
pub(super) struct Measuring {
    pub(super) keywords: Option<Vec<String>>,
    pub(super) roles: Option<BTreeMap<String, String>>,
    pub(super) rules: Option<Document>,
    pub(super) definition: Option<String>,
    pub(super) window_ms: Option<i64>,
    pub(super) model: Option<String>,
    pub(super) region: Option<String>,
    pub(super) prices: Option<Document>,
    pub(super) currency: Option<String>,
    /// ISO 8601, as text or as a `datetime.date`.
    pub(super) price_date: Option<String>,
}

impl Measuring {
    /// The options of an analysis; `parameters` are those of the figures.
    pub(super) fn options(self, parameters: Option<&Bound<'_, PyDict>>) -> PyResult<Options> {
        let mut given = BTreeMap::new();
        for (name, value) in parameters.into_iter().flatten() {
            let name: String = name.extract()?;
            if !Parameters::LIST.iter().any(|parameter| parameter.name == name) {
                return Err(PyTypeError::new_err(format!("unexpected keyword argument '{name}'")));
            }
            let value: i64 = value.extract()?;
            if !(0..=Parameters::LARGEST).contains(&value) {
                return Err(Error::invalid(format!("{name} is {value}, not from 0 to {}", Parameters::LARGEST)).into());
            }
            given.insert(name, value);
        }
        let (rules, prices) = (self.rules.as_ref().map(rules).transpose()?, self.prices()?);
        Ok(Options::default().settings(self.settings(&given)?).rules(rules).prices(prices))
    }

    fn prices(&self) -> Result<Prices> {
        let mut book = PriceBook::builtin();
        if let Some(document) = &self.prices {
            let (name, text) = document.read("prices", FileKind::Prices)?;
            book.replace(&text).map_err(|error| Error::invalid(format!("{name}: {error}")))?;
        }
        let currency = self.currency.as_deref().map(str::parse).transpose()?;
        let date = self.price_date.as_deref().map(|date| {
            date.parse().map_err(|_| Error::invalid(format!("price_date is {date:?}, not a date such as 2026-05-31")))
        });
        Ok(Prices::new(book, currency, date.transpose()?))
    }

    fn settings(self, parameters: &BTreeMap<String, i64>) -> Result<Settings> {
        let preset: Preset = self.definition.map_or(Ok(Preset::default()), |name| {
            name.parse().map_err(|why| Error::invalid(format!("definition {name:?}: {why}")))
        })?;
        let mut roles = Roles::default();
        for (participant, role) in self.roles.unwrap_or_default() {
            roles.insert(participant, role)?;
        }
        let mut settings = Settings {
            preset,
            parameters: preset.parameters_with(|name| parameters.get(name).copied()),
            roles,
            keywords: self.keywords.map(Keywords::new).transpose()?,
            model: self.model,
            region: self.region.map(|name| name.parse()).transpose()?,
            ..Settings::default()
        };
        if let Some(window_ms) = self.window_ms {
            if !(1..=LONGEST_WINDOW_MS).contains(&window_ms) {
                let message = format!("window_ms is {window_ms}, not from 1 to {LONGEST_WINDOW_MS}");
                return Err(Error::invalid(message));
            }
            settings.window_ms = window_ms;
        }
        Ok(settings)
    }
}

/// Reads rules; an error has a line for each fault.
fn rules(document: &Document) -> Result<Rules> {
    let (name, text) = document.read("rules", FileKind::Rules)?;
    Rules::parse(&text).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(|fault| format!("{name}:{fault}")).collect();
        Error::invalid(lines.join("\n"))
    })
}

/// The tables with these names, in their order: without any name all but `sentences` and `words`, which are most of the rows.
///
/// # Errors
/// Names the first that is no table, and those there are.
pub(super) fn tables(names: Option<&[String]>) -> Result<Vec<&'static Table>> {
    let Some(names) = names else {
        let is_small = |table: &&Table| ![SENTENCES.name, WORDS.name].contains(&table.name);
        return Ok(TABLES.into_iter().filter(is_small).collect());
    };
    let known = || TABLES.iter().map(|table| table.name).chain(OF_ALL_CALLS);
    if let Some(unknown) = names.iter().find(|name| !known().any(|known| known == **name)) {
        let tables: Vec<&str> = known().collect();
        return Err(Error::invalid(format!("no table {unknown:?}; choose from {}", tables.join(", "))));
    }
    Ok(TABLES.into_iter().filter(|table| names.iter().any(|name| name == table.name)).collect())
}
