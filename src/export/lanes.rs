//! Tiers of annotation: in one tier nothing overlaps.

use super::{Call, Interval};

/// A tier, in the order of time.
pub(super) struct Tier<'c> {
    pub(super) name: String,
    pub(super) participant: &'c str,
    pub(super) annotations: Vec<(Interval, &'c str)>,
}

/// For each participant the sentences, then the words with times. What overlaps within either goes to a further tier,
/// `name (2)`. Times without a length have no place.
pub(super) fn tiers(call: &Call) -> Vec<Tier<'_>> {
    let mut tiers: Vec<Tier<'_>> = Vec::new();
    for (at, participant) in call.participants.iter().enumerate() {
        let own = || call.sentences.iter().filter(move |sentence| sentence.participant == at);
        let sentences = own().filter_map(|sentence| Some((sentence.interval?, sentence.text.as_str()))).collect();
        let words = own().flat_map(|sentence| &sentence.words);
        let words: Vec<_> = words.filter_map(|word| Some((word.interval?, word.text.as_str()))).collect();
        for (suffix, annotations) in [("", sentences), (" words", words)] {
            for (number, annotations) in (1..).zip(apart(annotations, suffix.is_empty())) {
                let name = match number {
                    1 => format!("{participant}{suffix}"),
                    _ => format!("{participant}{suffix} ({number})"),
                };
                let taken = |name: &str| tiers.iter().any(|tier| tier.name == name);
                let mut free = name.clone();
                let mut more = 2;
                while taken(&free) {
                    free = format!("{name} [{more}]");
                    more += 1;
                }
                tiers.push(Tier { name: free, participant, annotations });
            }
        }
    }
    tiers
}

/// Annotations in as few lists as they need so that none overlap; at least one list if `always`.
fn apart(mut annotations: Vec<(Interval, &str)>, always: bool) -> Vec<Vec<(Interval, &str)>> {
    annotations.retain(|(interval, _)| interval.end > interval.begin);
    annotations.sort_by_key(|(interval, _)| *interval);
    let mut lists: Vec<Vec<(Interval, &str)>> = Vec::new();
    for annotation in annotations {
        let is_free =
            |list: &&mut Vec<(Interval, &str)>| list.last().is_none_or(|last| last.0.end <= annotation.0.begin);
        match lists.iter_mut().find(is_free) {
            Some(list) => list.push(annotation),
            None => lists.push(vec![annotation]),
        }
    }
    if lists.is_empty() && always {
        lists.push(Vec::new());
    }
    lists
}
