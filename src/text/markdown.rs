//! Text that Markdown shows as it is.

/// Escapes what would start markup or HTML, or end the cell of a table. One line: control characters become blanks.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            c if c.is_control() => escaped.push(' '),
            // Not every reader takes a backslash before these.
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            // Inside a word it is only itself.
            '_' if before.is_alphanumeric() && letters.peek().is_some_and(|next| next.is_alphanumeric()) => {
                escaped.push(c)
            }
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '>' | '#' | '~' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
        before = c;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn text_is_no_markup() {
        let cases = [
            ("a|b\n<img>", r"a\|b &lt;img\>"),
            ("dead_air_ms", "dead_air_ms"),
            ("_so_ a__b *c* `d`", r"\_so\_ a\_\_b \*c\* \`d\`"),
            (r"[x](y) ~~z~~ \ #1 &lt;", r"\[x\](y) \~\~z\~\~ \\ \#1 &amp;lt;"),
        ];
        for (text, markdown) in cases {
            assert_eq!(escaped(text), markdown);
        }
    }
}
