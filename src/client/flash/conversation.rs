//! The last turns of a dialogue as context for the next clip, for voice agents.

use std::collections::VecDeque;

use crate::client::recognition::{MOST_CONTEXT_ITEMS, Message, Recognition, dropped};
use crate::client::warning::Warning;

/// Keeps terms and the latest turns of a dialogue, as many as the service uses.
///
/// ```
/// use talkmeter::client::{Conversation, Recognition};
///
/// let mut conversation = Conversation::new().terms("Bulge Bracket, Boutique");
/// conversation.heard("what are the top foreign investment banks");
/// conversation.replied("There are nine of them.");
/// let request = conversation.add_to(Recognition::new("fun-asr-flash-2026-06-15"));
/// assert_eq!(request.messages().len(), 3);
/// assert!(conversation.warnings().is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conversation {
    terms: Option<String>,
    turns: VecDeque<Turn>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Turn {
    heard: String,
    reply: Option<String>,
}

impl Conversation {
    /// An empty dialogue.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Names and terms to send with every clip. They take the place of one turn.
    #[must_use]
    pub fn terms(mut self, terms: impl Into<String>) -> Self {
        self.terms = Some(terms.into());
        self.forget();
        self
    }

    /// Adds the text of a clip, which begins a turn. Silence is ignored.
    pub fn heard(&mut self, text: impl Into<String>) {
        let heard = text.into();
        if !heard.trim().is_empty() {
            self.turns.push_back(Turn { heard, reply: None });
            self.forget();
        }
    }

    /// Adds the language model's reply to the last turn; a second reply is appended to the first. Ignored before any turn.
    pub fn replied(&mut self, text: &str) {
        if let Some(turn) = self.turns.back_mut() {
            turn.reply = Some(match turn.reply.take() {
                Some(before) => format!("{before} {text}"),
                None => text.to_owned(),
            });
        }
    }

    /// The context for the next clip: terms, then the turns, oldest first, the user before the assistant.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        let turns = self.turns.iter().flat_map(|turn| {
            let reply = turn.reply.as_ref().map(Message::assistant);
            std::iter::once(Message::user(&turn.heard)).chain(reply)
        });
        self.terms.iter().map(Message::user).chain(turns).collect()
    }

    /// `recognition` with this context appended to its own.
    #[must_use]
    pub fn add_to(&self, recognition: Recognition) -> Recognition {
        self.messages().into_iter().fold(recognition, Recognition::context)
    }

    /// What the service would silently cut from it.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        dropped(&self.messages())
    }

    fn forget(&mut self) {
        let most = MOST_CONTEXT_ITEMS.saturating_sub(usize::from(self.terms.is_some()));
        while self.turns.len() > most {
            self.turns.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_turns_are_kept_and_the_terms_with_them() {
        let mut conversation = Conversation::new();
        for turn in 0..9 {
            conversation.heard(format!("question {turn}"));
            conversation.replied(&format!("answer {turn}"));
        }
        conversation.heard(" ");
        let texts = |of: &Conversation| of.messages().into_iter().map(|message| message.text).collect::<Vec<_>>();
        assert_eq!(texts(&conversation).len(), 10);
        assert_eq!(texts(&conversation)[0], "question 4");
        assert_eq!(conversation.warnings(), Vec::new());
        let with_terms = conversation.clone().terms("etcd");
        assert_eq!(texts(&with_terms).len(), 9);
        assert_eq!(texts(&with_terms)[..2], ["etcd", "question 5"]);
    }

    #[test]
    fn what_the_service_would_cut_is_a_warning() {
        let mut conversation = Conversation::new();
        conversation.replied("ignored");
        assert!(conversation.messages().is_empty());
        conversation.heard("x".repeat(300));
        conversation.replied(&"y".repeat(101));
        let warnings = conversation.warnings();
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].message, "turn 1 of the context has 401 characters: the service cuts it at 400");
    }
}
