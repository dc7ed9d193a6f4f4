//! The charges of a reconciliation: lines of the bill at list price, beside the amounts billed for them.

use std::collections::BTreeSet;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{Accounts, Reconciliation, Slot, same};
use crate::billing::line::{Basis, Line, Meter};
use crate::billing::rounding::Rounding;
use crate::billing::statement::Grain;
use crate::catalog::Currency;

/// A line of the bill at list price, beside the amount billed for it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Charge {
    /// Quantity as reported, else as recomputed from the result. Its file is what a row of the statement stands for.
    pub line: Line,
    /// Whether it is a recording or a task, and not a day or a month.
    pub is_resource: bool,
    /// The statement has one amount for input and output tokens: the line has neither quantity nor price.
    pub is_for_both_meters: bool,
    /// The currency of the list price; `None` = unknown.
    pub currency: Option<Currency>,
    /// Amount on the statement; `None` = not listed. Never computed.
    pub billed: Option<Decimal>,
    /// The days of its submits, in UTC: the first, and the one after the last.
    pub period: (Date, Date),
}

impl Reconciliation<'_> {
    /// The accounts as charges: one per recording, day or month that was submitted, or one per meter and one for what is billed
    /// for both.
    #[must_use]
    pub fn charges(&self, accounts: &Accounts, rounding: Rounding) -> Vec<Charge> {
        let charge = |slot: &Slot, meter, (basis, quantity), billed| {
            let unit = self.unit_of(slot, meter);
            let submissions = || self.in_slot(slot).map(|recording| &recording.submission);
            let line = Line {
                file: slot.key.clone(),
                channel_id: None,
                basis,
                // Of several models it names none.
                model: same(submissions().map(|submission| &submission.model)).cloned(),
                region: same(submissions().map(|submission| submission.region)).flatten(),
                meter,
                speech_ms: None,
                quantity,
                unit,
            };
            let is_resource = self.grain() == Grain::Recording;
            let (currency, period) = (unit.map(|unit| unit.currency), self.period(slot)?);
            Some(Charge { line, is_resource, is_for_both_meters: false, currency, billed, period })
        };
        let mut charges = Vec::new();
        for (slot, account) in self.slots_billed(false).zip(&accounts.seconds) {
            let quantity = match account.usage {
                Some(usage) => (Basis::Usage, Some(usage)),
                None => (Basis::Result, account.actual(rounding)),
            };
            charges.extend(charge(slot, Meter::Speech, quantity, account.statement_cost));
        }
        for (slot, account) in self.slots_billed(true).zip(&accounts.tokens) {
            for meter in &account.meters {
                let usage = (Basis::Usage, meter.usage);
                charges.extend(charge(slot, meter.meter, usage, meter.statement_cost));
            }
            // An amount for both meters is not split: that would be computed, not billed.
            if account.both_cost.is_some()
                && let Some(both) = charge(slot, Meter::TokensIn, (Basis::Usage, None), account.both_cost)
            {
                let line = Line { unit: None, ..both.line };
                charges.push(Charge { line, is_for_both_meters: true, ..both });
            }
        }
        charges
    }

    /// The first day of a slot's submits, and the day after the last; of a month all of it. `None` = nothing was submitted.
    fn period(&self, slot: &Slot) -> Option<(Date, Date)> {
        let days: BTreeSet<Date> = self.in_slot(slot).filter_map(|recording| recording.submission.day()).collect();
        let (first, last) = (*days.first()?, *days.last()?);
        let (first, last) = match self.grain() {
            Grain::Month => (first.first_of_month(), last.last_of_month()),
            _ => (first, last),
        };
        Some((first, last.tomorrow().unwrap_or(last)))
    }
}
