//! Entities of HTML in captions.

/// Names of U+00A0 to U+00FF, in their order. HTML standard, "Named character references".
const LATIN: &str = "\
    nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 \
    sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc \
    Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve \
    Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute \
    acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde \
    ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

/// Further names; marks of direction are nothing to see.
const OTHERS: &[(&str, &str)] = &[
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("lrm", ""),
    ("rlm", ""),
    ("ndash", "–"),
    ("mdash", "—"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("sbquo", "‚"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("bdquo", "„"),
    ("hellip", "…"),
    ("bull", "•"),
    ("euro", "€"),
    ("trade", "™"),
    ("OElig", "Œ"),
    ("oelig", "œ"),
    ("Scaron", "Š"),
    ("scaron", "š"),
];

/// A text with entities decoded, by name or by number; what is none stays as it is.
pub(super) fn decoded(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let found = after.split_once(';').and_then(|(name, behind)| Some((character(name)?, behind)));
        match found {
            Some((c, behind)) => {
                decoded.push_str(&c);
                rest = behind;
            }
            None => {
                decoded.push('&');
                rest = after;
            }
        }
    }
    decoded + rest
}

fn character(name: &str) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?).filter(|c| *c != '\0').map(String::from);
    }
    if let Some((_, text)) = OTHERS.iter().find(|(known, _)| *known == name) {
        return Some((*text).to_owned());
    }
    let at = LATIN.split(' ').position(|known| known == name)?;
    char::from_u32(0xA0 + u32::try_from(at).ok()?).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn names_and_numbers_are_decoded_once() {
        let text = "It&#8217;s caf&eacute; &amp; &#x27;R&apos; &copy; &yuml;&#1;&lrm;";
        assert_eq!(decoded(text), "It’s café & 'R' © ÿ\u{1}");
        assert_eq!(decoded("&amp;lt; &lt;i&gt;"), "&lt; <i>");
        assert_eq!(decoded("AT&T; R&D &; &#; &#x110000; &#0; &"), "AT&T; R&D &; &#; &#x110000; &#0; &");
    }
}
