//! Words of a hotword list, from a file in any of the forms that people have.

use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use super::super::output::Failure;
use crate::client::Hotword;
use crate::error::{Error, Result};

/// No list is longer; the longest the service takes is a hundredth of it.
const LONGEST: u64 = 16 << 20;

/// Reads words from a file, or from stdin for `-`.
pub(super) fn read(path: &Path) -> Result<Vec<Hotword>, Failure> {
    let stdin = path.as_os_str() == "-";
    let name = if stdin { "stdin".to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let read = if stdin {
        std::io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| Error::io("read the words from", Path::new(&name), error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(Error::invalid(format!("{name} is no list of words: it is longer than 16 MB")).into());
    }
    let text = String::from_utf8(bytes).map_err(|_| Error::invalid(format!("{name} is no text in UTF-8")))?;
    parse(&text).map_err(|why| Error::invalid(format!("{name}: {why}")).into())
}

/// JSON, CSV or plain lines, told apart by how the text begins.
fn parse(text: &str) -> Result<Vec<Hotword>, String> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with(['[', '{']) {
        return json(text);
    }
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let head: Vec<String> = first.split(',').map(|name| name.trim().trim_matches('"').to_ascii_lowercase()).collect();
    if head.len() > 1 && head.iter().any(|name| name == "text") { csv(text) } else { lines(text) }
}

/// An array of words, an object that holds one as `vocab show --format json` prints it, or a word a line.
fn json(text: &str) -> Result<Vec<Hotword>, String> {
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let hint = "a plain list does not begin with [ or {";
        let mut value = value.map_err(|error| format!("no JSON ({error}); {hint}"))?;
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

/// Columns `text`, and `weight` and `lang` if there are such.
fn csv(text: &str) -> Result<Vec<Hotword>, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let head = reader.headers().map_err(|error| error.to_string())?.clone();
    let column = |wanted: &str| head.iter().position(|name| name.eq_ignore_ascii_case(wanted));
    let (text, weight, lang) = (column("text"), column("weight"), column("lang"));
    let known = |name: &&str| ["text", "weight", "lang"].iter().any(|known| name.eq_ignore_ascii_case(known));
    if let Some(odd) = head.iter().find(|name| !known(name)) {
        return Err(format!("a column `{odd}`: there are text, weight and lang"));
    }
    let mut words = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() > head.len() {
            return Err(format!(
                "line {line}: {} fields under {} columns; quote a text with a comma",
                record.len(),
                head.len()
            ));
        }
        let field = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default();
        words.push(word(line, field(text), field(weight), field(lang))?);
    }
    Ok(words)
}

/// `word`, `word<TAB>weight` or `word<TAB>weight<TAB>lang`; blank lines and lines with # are skipped.
fn lines(text: &str) -> Result<Vec<Hotword>, String> {
    let mut words = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    }) {
        let mut fields = line.split('\t').map(str::trim);
        let [text, weight, lang] = [(); 3].map(|()| fields.next().unwrap_or_default());
        if fields.any(|field| !field.is_empty()) {
            return Err(format!("line {number}: more than word, weight and language between tabs"));
        }
        words.push(word(number, text, weight, lang)?);
    }
    Ok(words)
}

fn word(line: u64, text: &str, weight: &str, lang: &str) -> Result<Hotword, String> {
    let mut word = Hotword::new(text);
    if !weight.is_empty() {
        let shown: String = weight.chars().take(40).collect();
        word =
            word.weight(weight.parse().map_err(|_| format!("line {line}: the weight `{shown}` is no whole number"))?);
    }
    Ok(if lang.is_empty() { word } else { word.lang(lang) })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            r#"[{"text": "metformin", "weight": 4, "lang": "en"}, {"text": "blood sugar", "weight": 5}, {"text": "二甲双胍"}]"#,
            r#"{"output": {"status": "OK", "vocabulary": [{"lang": "en", "text": "metformin", "weight": 4},
                {"text": "blood sugar", "weight": 5}, {"text": "二甲双胍", "weight": 4}]}, "request_id": "r"}"#,
            "{\"text\": \"metformin\", \"lang\": \"en\"}\n{\"text\": \"blood sugar\", \"weight\": 5}\n{\"text\": \"二甲双胍\"}\n",
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        // A word that merely looks like a header, and one with a comma.
        assert_eq!(parse("text\nHello, world\n"), Ok(vec![Hotword::new("text"), Hotword::new("Hello, world")]));
        assert_eq!(parse(" \n"), Ok(vec![]));
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_place() {
        for (text, said) in [
            ("a\nb\tmany\n", "line 2: the weight `many` is no whole number"),
            ("a\t4\ten\tx\n", "line 1: more than word, weight and language"),
            ("text,weight\na,4\nb,four\n", "line 3: the weight `four`"),
            ("text,weight\na, b,4\n", "line 2: 3 fields under 2 columns"),
            ("text,colour\na,red\n", "a column `colour`"),
            ("[{\"text\": \"a\"}, {\"weight\": 4}]", "word 2: needs a text"),
            ("[PII]\n", "a plain list does not begin with ["),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
