//! Hits of many calls by keyword.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

/// The hits of one keyword.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeywordHits {
    /// The keyword as given.
    pub rule: String,
    /// Number of calls with a hit.
    pub calls: u64,
    /// Number of hits.
    pub hits: u64,
    /// Number of hits by role, or by participant where there is no role.
    pub by: BTreeMap<String, u64>,
    /// The calls with a hit.
    #[serde(skip)]
    pub found_in: CallPlaces,
}

/// Places of calls in the table `calls`, ascending. A byte each as a rule: of many calls and keywords, numbers would be most
/// of what is in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallPlaces {
    /// Differences, seven bits a byte, the lowest first; the highest bit says that more follow.
    bytes: Vec<u8>,
    last: u32,
}

impl CallPlaces {
    /// Adds a place above the last one.
    fn push(&mut self, place: u32) {
        let mut difference = place.saturating_sub(self.last);
        self.last = place;
        loop {
            let [low, ..] = difference.to_le_bytes();
            difference >>= 7;
            if difference == 0 {
                return self.bytes.push(low);
            }
            self.bytes.push(low | 128);
        }
    }

    /// The places in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        let (mut place, mut bytes) = (0, self.bytes.iter());
        std::iter::from_fn(move || {
            let mut shift = 0;
            loop {
                let byte = *bytes.next()?;
                place += u32::from(byte & 127) << shift;
                shift += 7;
                if byte < 128 {
                    return Some(place);
                }
            }
        })
    }
}

/// Which hits of one call are evidence of rules; the others are of keywords. A keyword may have the name of a rule.
///
/// Each of `hits`, in the order of the table, is a name and whether something was said. `counts` holds the `count` of each
/// rule that was decided. Of the hits with a rule's name, the last `count` that were said are the rule's, and all absences.
pub(super) fn are_of_rules<'h>(
    hits: impl DoubleEndedIterator<Item = (&'h str, bool)>,
    mut counts: HashMap<&'h str, i64>,
) -> Vec<bool> {
    let is_of_rule = |(name, was_said): (&str, bool)| match counts.get_mut(name) {
        Some(left) if was_said => {
            *left -= 1;
            *left >= 0
        }
        Some(_) => true,
        None => false,
    };
    let mut backwards: Vec<bool> = hits.rev().map(is_of_rule).collect();
    backwards.reverse();
    backwards
}

/// The table `hits` added up, call by call.
#[derive(Debug, Clone, Default)]
pub(super) struct HitCounts(BTreeMap<String, KeywordHits>);

impl HitCounts {
    /// Adds the hits of one call, which comes after those added before: rule, and role or participant.
    pub(super) fn add<'a>(&mut self, call: u32, hits: impl Iterator<Item = (&'a str, &'a str)>) {
        let mut seen: Vec<&str> = Vec::new();
        for (rule, who) in hits {
            if !self.0.contains_key(rule) {
                self.0.insert(rule.to_owned(), KeywordHits { rule: rule.to_owned(), ..KeywordHits::default() });
            }
            let Some(counts) = self.0.get_mut(rule) else { continue };
            counts.hits += 1;
            if !seen.contains(&rule) {
                counts.calls += 1;
                counts.found_in.push(call);
                seen.push(rule);
            }
            match counts.by.get_mut(who) {
                Some(count) => *count += 1,
                None => {
                    counts.by.insert(who.to_owned(), 1);
                }
            }
        }
    }

    /// Adds calls that come after the first `calls`.
    pub(super) fn append(&mut self, other: Self, calls: u32) {
        for (rule, other) in other.0 {
            let counts = self.0.entry(rule.clone()).or_insert_with(|| KeywordHits { rule, ..KeywordHits::default() });
            counts.calls += other.calls;
            counts.hits += other.hits;
            other.found_in.iter().for_each(|call| counts.found_in.push(call + calls));
            for (who, count) in other.by {
                *counts.by.entry(who).or_default() += count;
            }
        }
    }

    /// In the order of `keywords` as given, including those without a hit; then other rules, in byte order.
    pub(super) fn into_list(mut self, keywords: &[String]) -> Vec<KeywordHits> {
        let named = keywords.iter().map(|rule| {
            self.0.remove(rule).unwrap_or_else(|| KeywordHits { rule: rule.clone(), ..KeywordHits::default() })
        });
        let mut list: Vec<KeywordHits> = named.collect();
        list.extend(self.0.into_values());
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_counts_calls_once_and_stands_even_without_a_hit() {
        let (mut one, mut two) = (HitCounts::default(), HitCounts::default());
        one.add(0, [("refund", "agent"), ("refund", "customer"), ("退款", "customer")].into_iter());
        two.add(2, [("refund", "agent")].into_iter());
        one.append(two, 1);
        let terms = ["cancel", "refund"].map(str::to_owned);
        let list = one.into_list(&terms);
        let shown: Vec<_> =
            list.iter().map(|hits| (&*hits.rule, hits.calls, hits.hits, hits.by.get("agent").copied())).collect();
        assert_eq!(shown, [("cancel", 0, 0, None), ("refund", 2, 3, Some(2)), ("退款", 1, 1, None)]);
        assert_eq!(list[1].found_in.iter().collect::<Vec<_>>(), [0, 3]);
    }

    #[test]
    fn places_far_apart_are_kept_as_well_as_neighbours() {
        let places = [0, 1, 2, 129, 130, 16_514, 16_515, 3_000_000, u32::MAX - 1, u32::MAX];
        let mut kept = CallPlaces::default();
        places.into_iter().for_each(|place| kept.push(place));
        assert_eq!(kept.iter().collect::<Vec<_>>(), places);
        assert_eq!(CallPlaces::default().iter().count(), 0);
    }

    #[test]
    fn a_keyword_may_have_the_name_of_a_rule() {
        let of_rules = |hits: &[(&'static str, bool)], refund: i64| {
            are_of_rules(hits.iter().copied(), [("refund", refund), ("greeting", 0)].into())
        };
        let hits = [("hello", true), ("refund", true), ("refund", true), ("refund", false), ("refund", true)];
        assert_eq!(of_rules(&hits, 1), [false, false, false, true, true]);
        assert_eq!(of_rules(&hits, 3), [false, true, true, true, true]);
        assert_eq!(of_rules(&hits[..3], 0), [false, false, false], "the rule did not match");
        assert_eq!(of_rules(&[("greeting", false)], 0), [true], "an absence is of a rule");
    }
}
