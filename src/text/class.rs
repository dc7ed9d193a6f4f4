//! One table of common characters, for counting words and for folding keywords without Unicode look-ups.
//!
//! Listed characters are in NFC whatever their neighbours and, except for [`Class::Separator`], in NFKC. All others are
//! [`Class::Rare`] and take the general path. The tests compare the table with Unicode's data, character by character.

/// How a character joins or separates words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// White space or punctuation that never joins words.
    Separator,
    /// Ends a word but is neither white space nor punctuation: `+`, `€`, a control character.
    Symbol,
    /// UAX #29 `ALetter` with case.
    Letter,
    /// UAX #29 `ALetter` without case: Hangul.
    Caseless,
    /// UAX #29 Numeric, and a digit.
    Digit,
    /// UAX #29 Katakana, and a letter.
    Katakana,
    /// UAX #29 `ExtendNumLet`: joins, but is no word.
    Joiner,
    /// Joins two letters: UAX #29 `MidLetter`.
    MidLetter,
    /// Joins two digits: UAX #29 `MidNum`.
    MidNum,
    /// Joins either: UAX #29 `MidNumLet`, `Single_Quote`.
    MidNumLet,
    /// May begin a marker; between words otherwise.
    Open,
    /// A Han character: a word by itself.
    Han,
    /// A word by itself that is no Han character.
    Hiragana,
    /// Anything else.
    Rare,
}

/// The classes of ASCII by byte; those of all other bytes are [`Class::Rare`].
pub(super) const ASCII: [Class; 256] = {
    let mut table = [Class::Rare; 256];
    let mut b = 0;
    while b < 128 {
        table[b] = match b as u8 {
            b'A'..=b'Z' | b'a'..=b'z' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'_' => Class::Joiner,
            b':' => Class::MidLetter,
            b',' | b';' => Class::MidNum,
            b'.' | b'\'' => Class::MidNumLet,
            b'[' | b'<' => Class::Open,
            b' '
            | b'\t'..=b'\r'
            | b'!'
            | b'"'
            | b'#'
            | b'%'
            | b'&'
            | b'('
            | b')'
            | b'*'
            | b'-'
            | b'/'
            | b'?'
            | b'@'
            | b'\\'
            | b']'
            | b'{'
            | b'}' => Class::Separator,
            _ => Class::Symbol,
        };
        b += 1;
    }
    table
};

#[inline]
pub(super) fn class(c: char) -> Class {
    match c {
        '\0'..='\x7F' => ASCII[c as usize & 0x7F],
        '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' => Class::Han,
        '、' | '。' | '〈'..='】' | '〔'..='〛' | '\u{3000}' => Class::Separator,
        // The five that UAX #29 would let join (`＇，．：；`) are turned into spaces before words are counted.
        '！'..='＃' | '％'..='＊' | '，'..='／' | '：' | '；' | '？' | '＠' => Class::Separator,
        '‐'..='―' | '“' | '”' | '…' | '\u{A0}' | '¡' | '«' | '»' | '¿' => Class::Separator,
        '€' | '£' | '¥' | '°' | '×' | '÷' => Class::Symbol,
        '·' => Class::MidLetter,
        '‘' | '’' => Class::MidNumLet,
        'À'..='ı' | 'Ĵ'..='ľ' | 'Ł'..='ň' | 'Ŋ'..='ž' => Class::Letter,
        'Έ'..='Ί' | 'Ό' | 'Ύ'..='Ρ' | 'Σ'..='ώ' | 'Ѐ'..='ҁ' | 'Ҋ'..='ԯ' => Class::Letter,
        '가'..='힣' => Class::Caseless,
        'ぁ'..='ゖ' => Class::Hiragana,
        'ァ'..='ヺ' | 'ー'..='ヾ' => Class::Katakana,
        _ => Class::Rare,
    }
}

#[cfg(test)]
mod tests {
    use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick, is_nfkc_quick};
    use unicode_script::{Script, UnicodeScript};

    use super::*;
    use crate::text::fold::is_separator;
    use crate::text::joining::is_unspaced;

    #[test]
    fn the_table_agrees_with_unicode() {
        let joins = |class| matches!(class, Class::Joiner | Class::MidLetter | Class::MidNum | Class::MidNumLet);
        let mut listed = 0;
        for c in ('\0'..=char::MAX).filter(|&c| class(c) != Class::Rare) {
            listed += 1;
            let class = class(c);
            let word = matches!(
                class,
                Class::Letter | Class::Caseless | Class::Digit | Class::Katakana | Class::Han | Class::Hiragana
            );
            assert_eq!(is_nfc_quick(std::iter::once(c)), IsNormalized::Yes, "{c:?}");
            assert_eq!(c.is_alphanumeric(), word, "{c:?}");
            assert_eq!(c.script() == Script::Han && word, class == Class::Han, "{c:?}");
            assert_eq!(is_separator(c), class == Class::Separator || joins(class) || c == '[', "{c:?}");
            assert_eq!(
                is_unspaced(c) && word,
                matches!(class, Class::Han | Class::Hiragana | Class::Katakana),
                "{c:?}"
            );
            if class == Class::Separator {
                let normal: String = std::iter::once(c).nfkc().collect();
                assert!(normal.chars().all(is_separator), "{c:?}");
            } else {
                assert_eq!(is_nfkc_quick(std::iter::once(c)), IsNormalized::Yes, "{c:?}");
            }
        }
        assert!(listed > 1000);
    }
}
