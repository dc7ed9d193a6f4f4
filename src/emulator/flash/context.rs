//! The part of a context that the service keeps: the newest five texts each of user and assistant, and the first 400
//! characters of each turn. The rest is dropped silently.

/// Texts kept per role.
const NEWEST: usize = 5;
/// Characters kept per turn, the user's before the assistant's; a letter, an ideograph, a digit and a space count one each.
const OF_A_TURN: usize = 400;

/// Its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    User,
    Assistant,
}

/// One text of the context.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'b> {
    pub(super) by: By,
    /// Index of its message.
    pub(super) message: usize,
    pub(super) text: &'b str,
}

/// The text that has an effect, one line per item.
///
/// The documents do not say where a turn begins: here each user message begins one, and assistant messages belong to
/// the turn before them.
pub(super) fn kept(items: &[Item<'_>]) -> String {
    let of = |by: By| items.iter().filter(move |item| item.by == by).count();
    let mut too_old = [of(By::User).saturating_sub(NEWEST), of(By::Assistant).saturating_sub(NEWEST)];
    let (mut text, mut left, mut turn) = (String::new(), OF_A_TURN, None);
    for item in items {
        let [user, assistant] = &mut too_old;
        let old = if item.by == By::User { user } else { assistant };
        if item.by == By::User && turn.replace(item.message) != Some(item.message) {
            left = OF_A_TURN;
        }
        if *old > 0 {
            *old -= 1;
            continue;
        }
        for c in item.text.chars().take(left) {
            text.push(c);
            left -= 1;
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(message: usize, text: &str) -> Item<'_> {
        Item { by: By::User, message, text }
    }

    fn assistant(message: usize, text: &str) -> Item<'_> {
        Item { by: By::Assistant, message, text }
    }

    #[test]
    fn the_newest_five_of_each_side_are_kept() {
        let words: Vec<String> = (0..14).map(|n| format!("w{n}.")).collect();
        let items: Vec<Item<'_>> = words
            .iter()
            .enumerate()
            .map(|(at, text)| if at % 2 == 0 { user(at, text) } else { assistant(at, text) })
            .collect();
        assert_eq!(kept(&items), "w4.\nw5.\nw6.\nw7.\nw8.\nw9.\nw10.\nw11.\nw12.\nw13.\n");
        assert_eq!(kept(&items[..5]), "w0.\nw1.\nw2.\nw3.\nw4.\n");
    }

    #[test]
    fn a_turn_has_four_hundred_characters_of_any_script() {
        let long = "好".repeat(398);
        let one = [user(0, &long), assistant(1, "abc"), assistant(2, "never")];
        assert_eq!(kept(&one), format!("{long}\nab\n\n"));
        let two = [user(0, &long), assistant(1, "abc"), user(2, "anew")];
        assert_eq!(kept(&two), format!("{long}\nab\nanew\n"));
        let same_message = [user(0, &long), user(0, "abc")];
        assert_eq!(kept(&same_message), format!("{long}\nab\n"));
    }
}
