//! Participants: channels, diarised speakers, roles (definitions: participant).

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result};
use crate::transcript::{Channel, Speaker, Transcript};

/// Roles by participant label: `ch0=agent,ch1=customer`.
///
/// Two labels of one file with the same role are merged into one participant: `spk0=agent,spk3=agent`.
///
/// ```
/// let roles: talkmeter::metrics::Roles = "ch0=agent,ch1=customer".parse()?;
/// assert_eq!(roles.role("ch1"), Some("customer"));
/// # Ok::<(), talkmeter::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Roles {
    by_label: BTreeMap<String, String>,
    /// Of two participants, the role of the one that does not have this label.
    #[serde(skip)]
    other: Option<(String, String)>,
    /// Of participants without any of these.
    #[serde(skip)]
    defaults: BTreeMap<String, String>,
}

impl Roles {
    /// Of two participants, the other one than this label has this role, unless it has one of its own.
    #[cfg(feature = "analytics")]
    pub(crate) fn set_other(&mut self, label: impl Into<String>, role: impl Into<String>) {
        self.other = Some((label.into(), role.into()));
    }

    /// These roles, and those of `others` for participants that have none here.
    #[cfg(feature = "analytics")]
    pub(crate) fn or(mut self, others: &Self) -> Self {
        self.defaults.clone_from(&others.by_label);
        self
    }

    /// The role of a participant label.
    #[must_use]
    pub fn role(&self, label: &str) -> Option<&str> {
        self.by_label.get(label).map(String::as_str)
    }

    /// Labels and roles.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_label.iter().map(|(label, role)| (&**label, &**role))
    }

    /// Gives a participant label a role.
    ///
    /// # Errors
    /// When the label has another role already.
    ///
    /// ```
    /// let mut roles = talkmeter::metrics::Roles::default();
    /// roles.insert("ch0", "agent")?;
    /// assert!(roles.insert("ch0", "customer").is_err());
    /// # Ok::<(), talkmeter::Error>(())
    /// ```
    pub fn insert(&mut self, label: impl Into<String>, role: impl Into<String>) -> Result<()> {
        let (label, role) = (label.into(), role.into());
        if let Some(other) = self.role(&label).filter(|other| **other != role) {
            return Err(Error::invalid(format!("participant {label} has two roles: {other} and {role}")));
        }
        self.by_label.insert(label, role);
        Ok(())
    }

    /// Adds the roles of `other`.
    ///
    /// # Errors
    /// As [`Roles::insert`].
    pub fn extend(&mut self, other: Self) -> Result<()> {
        other.by_label.into_iter().try_for_each(|(label, role)| self.insert(label, role))
    }
}

impl std::str::FromStr for Roles {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut roles = Self::default();
        for pair in text.split(',') {
            match pair.split_once('=').map(|(label, role)| (label.trim(), role.trim())) {
                Some((label, role)) if !label.is_empty() && !role.is_empty() => roles.insert(label, role)?,
                _ => return Err(Error::invalid(format!("{pair:?} is not PARTICIPANT=ROLE, such as ch0=agent"))),
            }
        }
        Ok(roles)
    }
}

/// One participant of one file, before anything is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) label: String,
    pub(crate) role: Option<String>,
    pub(crate) channel_id: Option<u32>,
    pub(crate) speaker_id: Option<i64>,
    /// False for `unknown`: sentences without a speaker in a diarised channel.
    pub(crate) known: bool,
}

/// The participants of a file, and which sentence belongs to which.
#[derive(Debug)]
pub(crate) struct Participants<'t> {
    /// In participant order: channel, numbered speakers, named speakers, unknown; of other recognisers the first to talk
    /// is the first.
    pub(crate) list: Vec<Identity>,
    channels: Vec<Speakers<'t>>,
}

/// Indices into [`Participants::list`] by speaker, for one channel.
#[derive(Debug)]
struct Speakers<'t> {
    by_speaker: BTreeMap<&'t Speaker<'t>, u32>,
    /// Sentences without a speaker.
    otherwise: u32,
}

impl<'t> Participants<'t> {
    pub(crate) fn from_transcript(transcript: &'t Transcript<'t>, roles: &Roles) -> Self {
        let several = transcript.channels.len() > 1;
        let mut participants = Self { list: Vec::new(), channels: Vec::with_capacity(transcript.channels.len()) };
        for channel in &transcript.channels {
            let speakers = participants.add_channel(channel, several, transcript.foreign.is_some());
            participants.channels.push(speakers);
        }
        if transcript.foreign.is_some() {
            participants.sort_by_appearance(transcript);
        }
        for participant in &mut participants.list {
            participant.role = roles.role(&participant.label).map(str::to_owned);
        }
        if let (Some((label, role)), [one, two]) = (&roles.other, &mut participants.list[..]) {
            let other = if one.label == *label { Some(two) } else { Some(one).filter(|_| two.label == *label) };
            if let Some(other) = other {
                other.role.get_or_insert_with(|| role.clone());
            }
        }
        for participant in participants.list.iter_mut().filter(|participant| participant.role.is_none()) {
            participant.role = roles.defaults.get(&participant.label).cloned();
        }
        participants.merge_roles();
        participants
    }

    /// Other recognisers' labels are kept as given.
    fn add_channel(&mut self, channel: &'t Channel<'t>, several: bool, is_foreign: bool) -> Speakers<'t> {
        let speakers = ascending(channel);
        let channel_label = format!("ch{}", channel.id);
        if speakers.is_empty() {
            let otherwise = self.add(channel_label, channel.id, None, true);
            return Speakers { by_speaker: BTreeMap::new(), otherwise };
        }
        let prefix = if several { channel_label + ":" } else { String::new() };
        let mut by_speaker = BTreeMap::new();
        for speaker in speakers {
            let (label, id) = match speaker {
                Speaker::Number(id) => (format!("{prefix}spk{id}"), Some(*id)),
                Speaker::Name(name) if is_foreign => (format!("{prefix}{name}"), None),
                Speaker::Name(name) => (format!("{prefix}spk{name}"), None),
            };
            by_speaker.insert(speaker, self.add(label, channel.id, id, true));
        }
        let otherwise = if channel.sentences.iter().any(|sentence| sentence.speaker.is_none()) {
            self.add(format!("{prefix}unknown"), channel.id, None, false)
        } else {
            0
        };
        Speakers { by_speaker, otherwise }
    }

    fn add(&mut self, label: String, channel_id: u32, speaker_id: Option<i64>, known: bool) -> u32 {
        self.list.push(Identity { label, role: None, channel_id: Some(channel_id), speaker_id, known });
        self.list.len() as u32 - 1
    }

    /// Merges participants with the same role: label `a+b`.
    fn merge_roles(&mut self) {
        let mut merged: Vec<Identity> = Vec::with_capacity(self.list.len());
        let mut by_role: BTreeMap<String, u32> = BTreeMap::new();
        let mut moved = Vec::with_capacity(self.list.len());
        for participant in self.list.drain(..) {
            let known = participant.role.as_ref().and_then(|role| by_role.get(role)).copied();
            if let Some(index) = known
                && let Some(one) = merged.get_mut(index as usize)
            {
                one.label = format!("{}+{}", one.label, participant.label);
                one.channel_id = one.channel_id.filter(|id| Some(*id) == participant.channel_id);
                one.speaker_id = one.speaker_id.filter(|id| Some(*id) == participant.speaker_id);
                // A role given to `unknown` identifies the speaker.
                one.known = true;
                moved.push(index);
                continue;
            }
            let index = merged.len() as u32;
            if let Some(role) = &participant.role {
                by_role.insert(role.clone(), index);
            }
            moved.push(index);
            merged.push(participant);
        }
        self.list = merged;
        self.renumber(&moved);
    }

    /// Puts them in the order in which they begin to talk; those without times come last.
    fn sort_by_appearance(&mut self, transcript: &Transcript<'_>) {
        const NEVER: (bool, i64, usize) = (true, i64::MAX, usize::MAX);
        let mut first = vec![NEVER; self.list.len()];
        let channels = transcript.channels.iter().enumerate();
        let sentences = channels.flat_map(|(at, channel)| channel.sentences.iter().map(move |sentence| (at, sentence)));
        for (number, (channel, sentence)) in sentences.enumerate() {
            let words = sentence.words.iter().filter_map(|word| word.begin_ms);
            let begin = words.min().or(sentence.begin_ms);
            let place = (begin.is_none(), begin.unwrap_or(0), number);
            if let Some(known) = first.get_mut(self.index_of(channel, sentence.speaker.as_ref()) as usize) {
                *known = place.min(*known);
            }
        }
        let mut order: Vec<(_, u32, Identity)> =
            first.into_iter().zip(0..).zip(self.list.drain(..)).map(|((first, old), one)| (first, old, one)).collect();
        order.sort_by_key(|(first, old, _)| (*first, *old));
        let mut moved = vec![0; order.len()];
        for (new, (_, old, _)) in (0..).zip(&order) {
            if let Some(place) = moved.get_mut(*old as usize) {
                *place = new;
            }
        }
        self.list = order.into_iter().map(|(_, _, one)| one).collect();
        self.renumber(&moved);
    }

    /// Says which number each participant has now.
    fn renumber(&mut self, moved: &[u32]) {
        let new = |old: u32| moved.get(old as usize).copied().unwrap_or(old);
        for channel in &mut self.channels {
            channel.otherwise = new(channel.otherwise);
            channel.by_speaker.values_mut().for_each(|index| *index = new(*index));
        }
    }

    /// The index of the participant of a sentence.
    pub(crate) fn index_of(&self, channel: usize, speaker: Option<&Speaker<'_>>) -> u32 {
        let Some(speakers) = self.channels.get(channel) else { return 0 };
        speaker.and_then(|speaker| speakers.by_speaker.get(speaker)).copied().unwrap_or(speakers.otherwise)
    }
}

/// The speakers of a channel: numbers before names, each ascending.
fn ascending<'t>(channel: &'t Channel<'t>) -> Vec<&'t Speaker<'t>> {
    let speakers: BTreeSet<&Speaker<'_>> =
        channel.sentences.iter().filter_map(|sentence| sentence.speaker.as_ref()).collect();
    speakers.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(json: &str, roles: &str) -> Vec<String> {
        let transcript = crate::transcript::read(json.as_bytes()).unwrap();
        let roles = if roles.is_empty() { Roles::default() } else { roles.parse().unwrap() };
        Participants::from_transcript(&transcript, &roles)
            .list
            .into_iter()
            .map(|participant| participant.label)
            .collect()
    }

    const MONO: &str = r#"{"transcripts": [{"channel_id": 1, "sentences": [
        {"speaker_id": 10}, {"speaker_id": "Ann"}, {"speaker_id": 2}, {}]}]}"#;

    #[test]
    fn one_diarised_channel_has_speakers_in_order_and_unknown_last() {
        assert_eq!(labels(MONO, ""), ["spk2", "spk10", "spkAnn", "unknown"]);
    }

    #[test]
    fn one_channel_without_speakers_is_named_by_its_own_id() {
        assert_eq!(labels(r#"{"transcripts": [{"channel_id": 3, "sentences": [{"text": "a"}]}]}"#, ""), ["ch3"]);
        assert!(labels(r#"{"transcripts": []}"#, "").is_empty());
    }

    #[test]
    fn several_channels_prefix_their_speakers() {
        let json = r#"{"transcripts": [{"channel_id": 1, "sentences": []}, {"channel_id": 0, "sentences": [{"speaker_id": 0}, {}]}]}"#;
        assert_eq!(labels(json, ""), ["ch0:spk0", "ch0:unknown", "ch1"]);
    }

    #[test]
    fn one_role_for_two_labels_makes_them_one() {
        assert_eq!(labels(MONO, "spk2=agent,spkAnn=agent,spk10=guest"), ["spk2+spkAnn", "spk10", "unknown"]);
    }
}
