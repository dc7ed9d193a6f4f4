//! What is found, and what is not, in every script.

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use super::reading::EXCLUDING;
use super::*;
use crate::text::{begins_with_word, ends_in_word, folded_cluster, is_separator, is_sign};

fn keywords(lines: &[&str]) -> Keywords {
    Keywords::new(lines).unwrap()
}

/// The matched texts of a single line.
fn found<'a>(line: &str, text: &'a str) -> Vec<&'a str> {
    keywords(&[line]).find(text).into_iter().map(|found| &text[found.start..found.end]).collect()
}

fn hits(line: &str, text: &str) -> usize {
    found(line, text).len()
}

fn fold(text: &str, form: Form) -> String {
    let mut folded = FoldedText::default();
    folded.read(text, form);
    folded.as_str().to_owned()
}

/// The form in which a term is searched.
fn form(term: &str) -> Form {
    if fold(term, Form::Signs).contains(is_sign) { Form::Signs } else { Form::Folded }
}

/// The rule tried on every stretch of whole characters.
fn found_slowly(term: &str, text: &str) -> Vec<Match> {
    let raw = |text: &str| text.graphemes(true).map(folded_cluster).collect::<String>();
    let touch = |left: &str, right: &str| {
        let (left, right) = (raw(left), raw(right));
        !left.ends_with(is_separator)
            && !right.starts_with(is_separator)
            && ends_in_word(left.as_bytes())
            && begins_with_word(right.as_bytes())
    };
    let form = form(term);
    let particles = raw(term).ends_with('가');
    let mut cuts: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    cuts.push(text.len());
    let kept = |from: usize, to: usize| !fold(&text[cuts[from]..cuts[to]], form).is_empty();
    let mut out: Vec<Match> = Vec::new();
    for first in 0..cuts.len() {
        for last in first + 1..cuts.len() {
            let (start, end) = (cuts[first], cuts[last]);
            if fold(&text[start..end], form) == fold(term, form)
                && kept(first, first + 1)
                && kept(last - 1, last)
                && !touch(&text[..start], &text[start..end])
                && (particles || !touch(&text[start..end], &text[end..]))
                && out.last().is_none_or(|before| before.end <= start)
            {
                out.push(Match { term: 0, start, end });
            }
        }
    }
    out
}

fn fails(line: &str) -> String {
    Keywords::new([line]).unwrap_err().to_string()
}

#[test]
fn words_have_edges() {
    assert_eq!(hits("phone", "iPhone phones phone5 phone_ phone’s"), 2);
    assert_eq!(found("refund", "我要Refund，谢谢"), ["Refund"]);
    assert_eq!(found("iphone15", "买iphone15吗"), ["iphone15"]);
    assert_eq!(found("iphone15", "买 iPhone15, 吗"), ["iPhone15"]);
    assert_eq!(hits("iphone15", "iphone155"), 0);
    assert_eq!(hits("15", "iphone15 15 15.5 年15月"), 3);
    assert_eq!(hits("c++", "C++11 c++ objc++"), 2);
    assert_eq!(hits("caf", "café cafe\u{301} caf\u{E9}"), 0);
    assert_eq!(hits("x", "x\u{304} x"), 1);
    assert_eq!(hits("b", "x\u{304}b ábc b"), 1);
    assert_eq!(hits("дом", "Дом, домик"), 1);
}

#[test]
fn scripts_without_spaces_have_none() {
    assert_eq!(hits("退款", "我要退款吗？不退款。"), 2);
    assert_eq!(hits("アイス", "アイスクリーム"), 1);
    assert_eq!(hits("ครับ", "สวัสดีครับ"), 1);
    assert_eq!(hits("お願い", "お願いします"), 1);
    // A mixed term has an edge where it is Latin.
    assert_eq!(hits("买iphone", "买iPhone。买iPhones"), 1);
    assert_eq!(hits("vip客户", "VIP客户们 xvip客户"), 1);
}

#[test]
fn punctuation_and_white_space_play_no_role() {
    assert_eq!(found("don't", "I DON’T, don t, dont"), ["DON’T", "don t"]);
    assert_eq!(found("thank you", "Thank. “You!” thank-you"), ["Thank. “You", "thank-you"]);
    assert_eq!(found("取消服务", "取消。服务，取 消 服\n务！"), ["取消。服务", "取 消 服\n务"]);
    assert_eq!(found("取消, 服务", "（取消服务）"), ["取消服务"]);
    assert_eq!(hits("thank you", "thankyou"), 0);
    assert_eq!(hits("$20", "$20 20"), 1);
    assert_eq!(found("“hello”", "«Hello»"), ["Hello"]);
}

#[test]
fn hangul_has_a_boundary_in_front_only() {
    // Particles are written onto nouns; 전액환불 is another word.
    assert_eq!(found("환불", "환불은 언제? 환불을 원해요. 환불! 전액환불이요"), ["환불", "환불", "환불"]);
    assert_eq!(hits("안녕", "안녕하세요 안녕"), 2);
    assert_eq!(hits("a환불", "a환불은 xa환불"), 1);
    assert_eq!(hits("환불a", "환불ab 환불a"), 1);
    // Only the term's own end counts.
    assert_eq!(hits("refund", "refund를 refund"), 1);
}

#[test]
fn signs_of_a_term_must_be_there() {
    assert_eq!(found("C#", "vitamin C, in C# and Ｃ＃"), ["C#", "Ｃ＃"]);
    assert_eq!(found(".NET", "the net, .NET and ASP.NET but not . net"), [".NET", ".NET"]);
    assert_eq!(found("AT&T", "at t, AT&T, AT & T"), ["AT&T", "AT & T"]);
    assert_eq!(found("50%", "50 euro, 50% or 50 %, 250%"), ["50%", "50 %"]);
    assert_eq!(found("$20", "$20 20 $200"), ["$20"]);
    assert_eq!(found("%", "50% of it"), ["%"]);
    assert_eq!(found("20 °C", "20 ℃, 20 C"), ["20 ℃"]);
    assert_eq!(found("c++", "C++11 c++ objc++ c"), ["C++", "c++"]);
    // Without signs those of the text play no role.
    assert_eq!(found("at t", "AT&T"), ["AT&T"]);
    assert_eq!(found("costs 20", "costs $20"), ["costs $20"]);
    // A dot not directly before a letter is punctuation.
    assert_eq!(hits(".5", "5"), 1);
    // Exclusions are read alike.
    assert_eq!(found("c ! C#", "c, C#, C"), ["c", "C"]);
    // Hits of terms with and without signs keep the order of the terms.
    let terms: Vec<usize> = keywords(&["C#", "c"]).find("c C#").into_iter().map(|found| found.term).collect();
    assert_eq!(terms, [0, 1, 1]);
}

#[test]
fn case_and_width_play_no_role() {
    assert_eq!(found("strasse", "Straße STRASSE ſtraße"), ["Straße", "STRASSE", "ſtraße"]);
    assert_eq!(found("STRAẞE", "strasse"), ["strasse"]);
    assert_eq!(found("abc", "（ＡＢＣ）"), ["ＡＢＣ"]);
    assert_eq!(found("ＡＢＣ１", "abc1"), ["abc1"]);
    assert_eq!(found("fine", "ﬁne"), ["ﬁne"]);
    assert_eq!(hits("ne", "ﬁne"), 0);
    assert_eq!(found("i\u{307}stanbul", "İstanbul"), ["İstanbul"]);
    assert_eq!(hits("istanbul", "İstanbul"), 0);
    assert_eq!(found("σίσυφος", "ΣΊΣΥΦΟΣ"), ["ΣΊΣΥΦΟΣ"]);
    assert_eq!(found("café", "CAFE\u{301}!"), ["CAFE\u{301}"]);
    assert_eq!(found("ガス", "ｶﾞｽ"), ["ｶﾞｽ"]);
}

#[test]
fn part_of_a_character_is_no_match() {
    assert_eq!(found("株式会社", "㍿"), ["㍿"]);
    assert_eq!(hits("会社", "㍿"), 0);
    assert_eq!(found("/会社/", "㍿"), ["㍿"]);
    assert_eq!(found("/f|i/", "ﬁ"), ["ﬁ"]);
}

#[test]
fn exclusions_take_hits_away() {
    assert_eq!(hits("程序 ! 排程序", "排程序列"), 0);
    assert_eq!(hits("程序 ! 排程序", "程序，排程序，程序"), 2);
    assert_eq!(hits("程序 ! 排程序 ! 程序员", "程序员 排程序 程序"), 1);
    assert_eq!(hits("程序 ! /程序[员猿]/", "程序员程序猿程序"), 1);
    // Punctuation inside an exclusion plays no role either.
    assert_eq!(hits("程序 ! 排程序", "排，程序"), 0);
    // Overlapping is not containing.
    assert_eq!(hits("程序 ! 序员", "程序员"), 1);
    assert_eq!(hits("cancel ! cancel culture", "Cancel culture? Cancel!"), 1);
    // An exclusion belongs to its own term.
    let both = keywords(&["程序 ! 排程序", "排程序 ! 程", "序"]);
    let terms: Vec<usize> = both.find("排程序").into_iter().map(|found| found.term).collect();
    assert_eq!(terms, [1, 2]);
    // One term with different exclusions is several keywords.
    let numbers = keywords(&["程序 ! 排程序", "程序"]).find("排程序").into_iter().map(|found| found.term);
    assert_eq!(numbers.collect::<Vec<_>>(), [1]);
    // A hit taken away hides none that overlaps it.
    assert_eq!(found("哈哈 ! 哎哈哈", "哎哈哈哈"), ["哈哈"]);
    assert_eq!(keywords(&["哈哈 ! 哎哈哈"]).find("哎哈哈哈")[0].start, 6);
}

#[test]
fn leftmost_and_not_overlapping() {
    assert_eq!(hits("哈哈", "哈哈哈哈哈"), 2);
    assert_eq!(hits("a b a", "a b a b a b a"), 2);
    // Different terms may overlap; order is that of the terms, then of the places.
    let found = keywords(&["b c", "a b", "哈", "a b"]).find("a b c 哈哈");
    let places: Vec<_> = found.iter().map(|found| (found.term, found.start, found.end)).collect();
    // The second `a b` is the first: a line counts once.
    assert_eq!(places, [(0, 2, 5), (1, 0, 3), (2, 6, 9), (2, 9, 12)]);
}

#[test]
fn regexes_read_the_nfkc_text() {
    assert_eq!(found(r"/\d{3}/", "１２３ 1234"), ["１２３", "123"]);
    assert_eq!(found("/[A-Z]+/", "abc ＤＥＦ"), ["ＤＥＦ"]);
    assert_eq!(found("/(?i)refund/", "REFUNDS"), ["REFUND"]);
    assert_eq!(found("/好.吗/", "好,吗 好，吗"), ["好,吗", "好，吗"]);
    assert_eq!(hits("/x*/", "abc"), 0);
    assert_eq!(found("/x*/", "abxxc"), ["xx"]);
    assert_eq!(found("/a ! b/ ! c", "a ! b"), ["a ! b"]);
    assert_eq!(found("/1/2/", "1/2"), ["1/2"]);
    assert_eq!(found("/e\u{301}|\u{E9}/", "cafe\u{301}"), ["e\u{301}"]);
    assert_eq!(keywords(&["/1/2/ ! /3/ "]).terms(), ["/1/2/"]);
}

#[test]
fn lines_are_read() {
    let keywords =
        Keywords::from_file_text("\u{FEFF}# list\r\n  refund \r\n\r\n程序 ! 排程序\r\n\t# end\n/a/").unwrap();
    assert_eq!(keywords.terms(), ["refund", "程序", "/a/"]);
    assert_eq!((keywords.len(), keywords.is_empty()), (3, false));
    let none = Keywords::new([""; 0]).unwrap();
    assert!(none.is_empty() && none.find("anything").is_empty());
    // Not the separator: no space, or nothing behind it.
    assert_eq!(self::keywords(&["wow!", "a!b", "quoi !"]).terms(), ["wow!", "a!b", "quoi !"]);
}

#[test]
fn dulled_terms() {
    let keywords = keywords(&["C#", "＃1", ".NET", ".5", "C++", "don't", "/a./", "ok ! ok?", "？吗", "C#?"]);
    let dulled: Vec<_> = keywords.dulled().collect();
    assert_eq!(dulled, [(".5", "5"), ("？吗", "吗"), ("C#?", "c#")]);
}

#[test]
fn errors_name_the_term() {
    assert_eq!(fails(" "), r#"keyword "" is empty"#);
    assert_eq!(fails("a !  ! b"), r#"keyword "! b" has nothing in front of its exclusion"#);
    assert_eq!(fails(" ! b"), r#"keyword "! b" has nothing in front of its exclusion"#);
    assert_eq!(fails("。…"), r#"keyword "。…" holds nothing but punctuation"#);
    assert_eq!(fails("a ! ?"), r#"keyword "?" holds nothing but punctuation"#);
    assert_eq!(fails("/a\t/b"), r#"keyword "/a\t/b" begins as a regex but does not end with a slash"#);
    assert_eq!(fails("/"), r#"keyword "/" begins as a regex but does not end with a slash"#);
    assert_eq!(fails("//"), r#"keyword "//" begins as a regex but does not end with a slash"#);
    assert_eq!(fails("a ! /[b/"), r#"keyword "/[b/" is not a valid regex: unclosed character class"#);
    let large = fails(r"/(\w{1000}){1000}/");
    assert_eq!(
        large,
        r#"keyword "/(\\w{1000}){1000}/" is not a valid regex: compiled regex exceeds size limit of 10485760 bytes"#
    );
    let error = Keywords::from_file_text("# a\r\nb\r\n/(?<x/\r\n").unwrap_err();
    assert_eq!((error.line(), error.term(), error.to_string().lines().count()), (Some(3), "/(?<x/", 1));
}

#[test]
fn many_regexes_find_what_each_finds_alone() {
    let lines: Vec<String> = (0..20).map(|number| format!("/{number}[a-c]+/")).collect();
    let text = "1a 12bb 3c, 7abc 7 19c";
    let alone = |(term, line): (usize, &String)| {
        let found = keywords(&[line]).find(text);
        found.into_iter().map(move |found| Match { term, ..found }).collect::<Vec<_>>()
    };
    let expected: Vec<Match> = lines.iter().enumerate().flat_map(alone).collect();
    assert_eq!(expected.len(), 7);
    assert_eq!(Keywords::new(&lines).unwrap().find(text), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn matches_are_whole_characters(text in "\\PC{0,40}", lines in proptest::collection::vec("[a-z你好 !]{1,4}|/[a-z.]{1,3}/|\\PC{1,3}", 0..5)) {
        if let Ok(keywords) = Keywords::new(&lines) {
            for found in keywords.find(&text) {
                prop_assert!(found.start < found.end && found.term < keywords.len());
                prop_assert!(text.get(found.start..found.end).is_some());
            }
        }
    }

    #[test]
    fn matched_text_folds_to_the_term(
        text in "[#%＃aAbB1 ,.'+ß你好。，Ａａﬁfiſsé e\u{301}がｶﾞ㈱株ก]{0,24}",
        terms in proptest::collection::vec("[#%aAbB1 'ß你好，Ａﬁfisé株e\u{301}]{1,3}", 1..6),
    ) {
        let terms: Vec<&String> = terms.iter().filter(|term| !fold(term, form(term)).is_empty()).collect();
        let keywords = Keywords::new(&terms).unwrap();
        let all = keywords.find(&text);
        prop_assert!(all.is_sorted());
        for found in &all {
            let matched = &text[found.start..found.end];
            let term = &keywords.terms()[found.term];
            let form = form(term);
            prop_assert_eq!(fold(matched, form), fold(term, form));
            let mut edges = matched.graphemes(true);
            let mut edges = [edges.next(), edges.next_back()].into_iter().flatten();
            prop_assert!(edges.all(|edge| !fold(edge, form).is_empty()));
        }
        for pair in all.windows(2).filter(|pair| pair[0].term == pair[1].term) {
            prop_assert!(pair[0].end <= pair[1].start);
        }
    }

    #[test]
    fn nothing_is_missed(
        text in "[#%＃abA1 ,'+ß你好。，ｂﬁiſs é\u{301}がｶﾞ株⒜가]{0,14}",
        term in "[#%abA1 'ß你好，ﬁis株\u{301}]{1,3}",
    ) {
        if let Ok(keywords) = Keywords::new([&term]) {
            prop_assert_eq!(keywords.find(&text), found_slowly(&term, &text));
        }
    }

    #[test]
    fn a_term_is_found_in_itself(term in "\\PC{1,8}") {
        let plain = !term.contains(EXCLUDING) && !term.trim().starts_with('/');
        if plain && let Ok(keywords) = Keywords::new([&term]) {
            prop_assert_eq!(keywords.find(term.trim()).len(), 1);
        }
    }
}
