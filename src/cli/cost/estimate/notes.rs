//! What the sums of an estimate are based on, and what is not in them, as lines for people.

use super::row::Row;
use super::verdict::Verdict;
use crate::billing::{Estimate, Meter, Share, SpeechSource};
use crate::catalog::Currency;
use crate::report::number::{counted, length};

impl Verdict<'_> {
    /// What the sums are based on, and what is not in them.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let mut has_percentiles = false;
        for row in &self.models {
            // Of several models each says for itself.
            let of = if self.models.len() > 1 { format!("{}: ", row.model) } else { String::new() };
            let (law, is_by_law) = self.law(row.model);
            has_percentiles |= is_by_law;
            notes.extend(law.into_iter().chain(self.left_out(row)).map(|note| format!("{of}{note}")));
        }
        notes.extend(has_percentiles.then(|| self.percentiles()));
        let mut currencies: Vec<&str> =
            self.models.iter().filter_map(|row| row.sum.currency).map(Currency::code).collect();
        currencies.sort_unstable();
        currencies.dedup();
        if currencies.len() > 1 {
            notes.push(format!("amounts are in {}: --currency counts all in one", currencies.join(" and ")));
        }
        notes
    }

    /// What is not in the sums of a model.
    fn left_out(&self, row: &Row<'_>) -> Vec<String> {
        let mut notes = Vec::new();
        if let (recordings @ 1.., expected) = row.unknown {
            let mean = row.duration_ms.checked_div(i64::try_from(row.recordings - row.without_duration).unwrap_or(0));
            notes.push(format!(
                "{} of unknown length not counted: about +{} at the mean length of the rest ({})",
                counted(recordings, "recording"),
                row.money(expected),
                length(mean.unwrap_or(0)),
            ));
        } else if !row.has_length() {
            notes.push(format!(
                "{} of unknown length: a list gives lengths in a column `duration`, as 205, 3:25 or 3m25s",
                counted(row.recordings, "recording")
            ));
        }
        if let (addresses @ 1.., [one, two]) = &row.addresses {
            let cost = match two {
                Some(two) => format!(
                    "about {} instead of {}, at most {}",
                    row.money(Some(two.expected)),
                    row.money(one.map(|one| one.expected)),
                    row.money(Some(two.most)),
                ),
                None => "up to twice as much".to_owned(),
            };
            notes.push(format!(
                "{}: 1 track of each is assumed, the service's default; two tracks (--channel 0,1) would be {cost}",
                counted(*addresses, "URL"),
            ));
        }
        notes
    }

    /// What low and high are by a law of shares.
    pub(super) fn percentiles(&self) -> String {
        let narrower = if self.narrows { "; --like DIR or --vad narrows it" } else { "" };
        format!("four of five such totals lie between low and high (10th to 90th percentile){narrower}")
    }

    /// What low, expected and high of a model are by, one line for each law of shares; and whether they are by one.
    pub(super) fn law(&self, model: &str) -> (Vec<String>, bool) {
        let mut laws: Vec<((SpeechSource, Option<Share>), u64)> = Vec::new();
        for line in self.lines(model) {
            let Some(source) = line.source else { continue };
            match laws.iter_mut().find(|(law, _)| *law == (source, line.share)) {
                Some((_, tracks)) => *tracks += 1,
                None => laws.push(((source, line.share), 1)),
            }
        }
        let line = |((source, share), tracks): &((SpeechSource, Option<Share>), u64)| {
            let tracks = counted(*tracks, "track");
            let Some(share) = share else {
                return match source {
                    SpeechSource::Length => {
                        format!("{}: the length of the audio is billed", tracks.replace("track", "clip"))
                    }
                    SpeechSource::Result => format!("{tracks}: the speech in an earlier result, 5 % more or less"),
                    _ => format!("{tracks}: the speech measured, 5 % less to 10 % more"),
                };
            };
            let what = match source {
                SpeechSource::Given => "the given share of speech",
                SpeechSource::Earlier => "the share of speech in earlier results",
                _ => "the usual share of speech",
            };
            format!(
                "{tracks}: {what}, {} of the length; standard deviation {} between sources, {} between recordings",
                share.mean.normalize(),
                share.between_sources.normalize(),
                share.between_recordings.normalize(),
            )
        };
        let mut lines: Vec<String> = laws.iter().map(line).collect();
        let in_tokens = |line: &&Estimate| line.meter == Meter::TokensIn && line.quantity.is_some();
        let tracks = self.lines(model).filter(in_tokens).count() as u64;
        if tracks > 0 {
            lines.push(format!(
                "{}: tokens by the length, from a few published answers; low and high are no percentiles",
                counted(tracks, "track")
            ));
        }
        (lines, laws.iter().any(|((_, share), _)| share.is_some()))
    }
}
