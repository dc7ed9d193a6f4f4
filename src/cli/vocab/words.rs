//! Hotword lists as people have them: JSON, CSV or plain lines.

use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use super::super::output::{Console, Failure};
use crate::client::Hotword;
use crate::error::{Error, Result};
use crate::named_file::{self, FileKind};
use crate::sheet::{Column, Layout, Row, Sheet, decode, folded};

const TEXT: Column = Column::new(&["text"]);
const WEIGHT: Column = Column::new(&["weight"]);
const LANG: Column = Column::new(&["lang"]);

/// Longest text that is read from stdin; the service's own limit is a hundredth of it.
const LONGEST: u64 = 16 << 20;

/// Reads words from a file, or from stdin for `-`.
pub(super) fn read(path: &Path, console: &Console) -> Result<Vec<Hotword>, Failure> {
    let stdin = path.as_os_str() == "-";
    let name = if stdin { "stdin".to_owned() } else { path.display().to_string() };
    let bytes = if stdin {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes);
        read.map_err(|error| Error::io("read the words from", Path::new(&name), error))?;
        if bytes.len() as u64 > LONGEST {
            return Err(Error::invalid(format!("{name}: longer than 16 MB, not a list of words")).into());
        }
        bytes
    } else {
        named_file::read(path, FileKind::Hotwords)?
    };
    let (words, notes) = parse(&bytes).map_err(|why| Error::invalid(format!("{name}: {why}")))?;
    notes.iter().for_each(|note| console.note(&format!("{name}: {note}")));
    Ok(words)
}

/// JSON, CSV or plain lines, told apart by how the text begins; and notes on the file as a whole.
fn parse(bytes: &[u8]) -> Result<(Vec<Hotword>, Vec<String>), String> {
    let (text, encoding) = decode(bytes);
    if text.trim_start().starts_with(['[', '{']) {
        let notes = encoding.detected().map(|name| format!("not UTF-8, read as {name}"));
        return Ok((json(&text)?, notes.into_iter().collect()));
    }
    let layout = Layout { needed: &[TEXT], plain: true, least_columns: 2 };
    let mut sheet = Sheet::new("-", bytes, &layout);
    let mut words = Vec::new();
    while let Some(row) = sheet.next_row() {
        let (line, row) = row.map_err(|fault| fault.to_string())?;
        words.push(word(&row).map_err(|why| format!("line {line}: {why}"))?);
    }
    Ok((words, sheet.notes()))
}

/// An array of words, an object that holds one as `vocab show --format json` prints it, or one word per line.
fn json(text: &str) -> Result<Vec<Hotword>, String> {
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let hint = "a plain list does not begin with [ or {";
        let mut value = value.map_err(|error| format!("not JSON ({error}); {hint}"))?;
        let inside = ["/output/vocabulary", "/vocabulary"].into_iter().find(|way| value.pointer(way).is_some());
        if let Some(list) = inside.and_then(|way| value.pointer_mut(way)) {
            value = list.take();
        }
        match value {
            Value::Array(words) => found.extend(words),
            word => found.push(word),
        }
    }
    let word = |(n, word): (usize, &Value)| {
        Hotword::from_json(word).ok_or_else(|| format!("word {n}: needs a text, and a weight in whole numbers if any"))
    };
    (1..).zip(&found).map(word).collect()
}

/// A row of CSV with `text` and perhaps `weight` and `lang`, or `word`, `word<TAB>weight` or `word<TAB>weight<TAB>lang`.
fn word(row: &Row) -> Result<Hotword, String> {
    let [text, weight, lang] = match row {
        Row::Cells(cells) => {
            let known = |name: &str| [TEXT, WEIGHT, LANG].iter().any(|column| folded(name) == column.name());
            if let Some((name, _)) = cells.iter().find(|(name, _)| !known(name)) {
                return Err(format!(
                    "unknown column `{name}`; the columns of a word list are `text`, `weight`, `lang`"
                ));
            }
            [cells.require(&TEXT)?, cells.get(&WEIGHT).unwrap_or_default(), cells.get(&LANG).unwrap_or_default()]
        }
        Row::Entry(line) => {
            let mut fields = line.split('\t').map(str::trim);
            let word = [(); 3].map(|()| fields.next().unwrap_or_default());
            if fields.any(|field| !field.is_empty()) {
                return Err("more than word, weight and language between tabs".to_owned());
            }
            word
        }
    };
    let mut word = Hotword::new(text);
    if !weight.is_empty() {
        let shown: String = weight.chars().take(40).collect();
        word = word.weight(weight.parse().map_err(|_| format!("the weight `{shown}` is not a whole number"))?);
    }
    Ok(if lang.is_empty() { word } else { word.lang(lang) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Result<Vec<Hotword>, String> {
        parse(text.as_bytes()).map(|(words, _)| words)
    }

    #[test]
    fn a_list_is_read_in_every_form() {
        let expected = Ok(vec![
            Hotword::new("metformin").lang("en"),
            Hotword::new("blood sugar").weight(5),
            Hotword::new("二甲双胍"),
        ]);
        for text in [
            "# drugs\nmetformin\t4\ten\n\nblood sugar\t5\n二甲双胍\n",
            "\u{feff}metformin\t\ten\r\nblood sugar\t5\t\r\n二甲双胍",
            "text,weight,lang\nmetformin,4,en\n\"blood sugar\",5,\n二甲双胍,,\n",
            "Lang, Text, Weight\nen, metformin\n, blood sugar, 5\n, 二甲双胍\n",
            "text;weight;lang\r\nmetformin;4;en\r\n\"blood sugar\";5;\r\n二甲双胍;;\r\n",
            r#"[{"text": "metformin", "weight": 4, "lang": "en"}, {"text": "blood sugar", "weight": 5}, {"text": "二甲双胍"}]"#,
            r#"{"output": {"status": "OK", "vocabulary": [{"lang": "en", "text": "metformin", "weight": 4},
                {"text": "blood sugar", "weight": 5}, {"text": "二甲双胍", "weight": 4}]}, "request_id": "r"}"#,
            "{\"text\": \"metformin\", \"lang\": \"en\"}\n{\"text\": \"blood sugar\", \"weight\": 5}\n{\"text\": \"二甲双胍\"}\n",
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
        // A word that merely looks like a header, and one with a comma.
        assert_eq!(words("text\nHello, world\n"), Ok(vec![Hotword::new("text"), Hotword::new("Hello, world")]));
        assert_eq!(words(" \n"), Ok(vec![]));
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_place() {
        for (text, said) in [
            ("a\nb\tmany\n", "line 2: the weight `many` is not a whole number"),
            ("a\t4\ten\tx\n", "line 1: more than word, weight and language"),
            ("text,weight\na,4\nb,four\n", "line 3: the weight `four`"),
            ("text,weight\na, b,4\n", "line 2: 3 fields, but the header has 2"),
            ("text,colour\na,red\n", "unknown column `colour`"),
            ("[{\"text\": \"a\"}, {\"weight\": 4}]", "word 2: needs a text"),
            ("[PII]\n", "a plain list does not begin with ["),
        ] {
            let error = words(text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
