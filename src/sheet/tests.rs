//! Tables as people write them: what is read, and what is refused with its line.

use std::io;

use proptest::prelude::*;

use super::*;

/// One line per row: its number, then the address, or what is wrong.
fn read(name: &str, bytes: impl Read) -> Vec<String> {
    let mut sheet = Sheet::new(name, bytes, &LIST);
    let mut rows = Vec::new();
    while let Some(row) = sheet.next_row() {
        rows.push(match row {
            Ok((line, Row::Entry(entry))) => format!("{line} {entry}"),
            Ok((line, Row::Cells(cells))) => match cells.require(&RECORDING) {
                Ok(cell) => format!("{line} {cell}"),
                Err(why) => format!("{line} wrong: {why}"),
            },
            Err(fault) => format!("{} {}: {}", fault.line, if fault.is_fatal { "fatal" } else { "wrong" }, fault.why),
        });
    }
    rows.extend(sheet.notes());
    rows
}

fn said(name: &str, list: impl AsRef<[u8]>) -> Vec<String> {
    read(name, list.as_ref())
}

#[test]
fn text_has_an_entry_per_line() {
    let list = "\u{FEFF}# from the recorder\r\n\r\nhttps://h/a.wav\r\n  calls/b c.wav \n\t#off\nlast.wav";
    assert_eq!(said("-", list), ["3 https://h/a.wav", "4 calls/b c.wav", "6 last.wav"]);
    assert_eq!(said("-", "a.wav\rb.wav\r\rc.wav"), ["1 a.wav", "2 b.wav", "4 c.wav"]);
    assert_eq!(said("list.txt", "url\n{\"url\": 1}"), ["1 url", "2 {\"url\": 1}"]);
    assert_eq!(said("empty.txt", ""), Vec::<String>::new());
    assert_eq!(said("-", "\n \n"), Vec::<String>::new());
}

#[test]
fn csv_has_its_columns_in_any_order_and_spelling() {
    let list = "\nagent,\"URL\",note\r\nAda,\"https://h/a,b.wav\",\"said \"\"no\"\",\ntwice\"\r\n,,\r\nBo,c.wav\n";
    assert_eq!(said("-", list), ["3 https://h/a,b.wav", "6 c.wav", "1 empty row skipped"]);
    assert_eq!(said("list.csv", "id;url\n1;https://h/a,b.wav\n"), ["2 https://h/a,b.wav"]);
    assert_eq!(said("list.tsv", "url\tid\nhttps://h/a.wav\t1\n"), ["2 https://h/a.wav"]);
    assert_eq!(said("-", "url\nhttps://h/a.wav\n\na.wav\n"), ["2 https://h/a.wav", "4 a.wav"]);
    assert_eq!(said("-", "url,\na.wav,,,\n"), ["2 a.wav"]);
    assert_eq!(said("-", "id, File URL \n1,a.wav\n"), ["2 a.wav"]);
    assert_eq!(said("-", "sep=;\nid;url\n1;a.wav\n"), ["3 a.wav"]);
    assert_eq!(said("list.csv", "\"call\nid\",url\n1,a.wav\n"), ["3 a.wav"]);
    assert_eq!(said("-", "url,queue\ra.wav,1\r"), ["2 a.wav"]);
    // A comma in a column of another table does not make it one of commas.
    assert_eq!(said("-", "\"name, first\";url\nAda;a.wav\n"), ["2 a.wav"]);
}

#[test]
fn five_hostile_spellings_are_one_table() {
    let plain = "url,queue\nhttps://h/a.wav,华北\nhttps://h/b.wav,退款\n";
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(plain.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let gb18030 = encoding_rs::GB18030.encode(plain).0.into_owned();
    for bytes in [
        plain.as_bytes().to_vec(),
        plain.replace(',', ";").replace('\n', "\r\n").into_bytes(),
        utf16,
        plain.replace("url,queue", "\u{FEFF} url , queue ").into_bytes(),
        plain.replace("url,queue", "URL,QUEUE").into_bytes(),
    ] {
        assert_eq!(said("-", bytes), ["2 https://h/a.wav", "3 https://h/b.wav"]);
    }
    assert_eq!(said("-", gb18030), ["2 https://h/a.wav", "3 https://h/b.wav", "not UTF-8, read as gb18030"],);
}

#[test]
fn csv_that_would_name_another_file_is_refused() {
    assert_eq!(
        said("-", "url\nhttps://h/a,b.wav\nc.wav"),
        ["2 wrong: 2 fields, but the header has 1; quote a field that holds the delimiter", "3 c.wav"]
    );
    assert_eq!(said("-", "id,url\n1\n2, \n3,a.wav"), ["2 wrong: `url` is empty", "3 wrong: `url` is empty", "4 a.wav"]);
    assert_eq!(
        said("list.csv", "id,link\n1,a"),
        ["1 fatal: no column `url` (or `file_url`, `file`); the header has `id`, `link`"]
    );
    assert_eq!(said("list.csv", "url,URL\n1,a"), ["1 fatal: two columns `url`"]);
    assert_eq!(said("-", "url\na\0.wav\n"), ["2 fatal: a NUL byte: not a text file"]);
    assert_eq!(said("-", "url\na.wav\n\"b.wav\nc.wav\n"), ["2 a.wav", "3 fatal: a quote is never closed"]);
    // A quote inside a field is a quote.
    assert_eq!(said("-", "note,url\n5\" pipe,a.wav\nx,b.wav"), ["2 a.wav", "3 b.wav"]);
    let wide = format!("{}url\n{}a.wav\n", "x,".repeat(300), "1,".repeat(300));
    assert_eq!(said("-", wide), ["2 a.wav"]);
}

#[test]
fn json_lines_are_strings_or_objects() {
    let list = "{\"id\": 7, \"URL\": \"https://h/a.wav\"}\r\n\n\"b \\u5ba2.wav\"\n";
    assert_eq!(said("-", list), ["1 https://h/a.wav", "3 b 客.wav"]);
    assert_eq!(
        said("list.ndjson", "{\"id\": 1}\n[1]\n{\"url\": \" \"}\n\"a\" \"b\"\n\"a\""),
        [
            "1 wrong: no column `url` (or `file_url`, `file`); the header has `id`",
            "2 wrong: neither a JSON object nor a JSON string",
            "3 wrong: `url` is empty",
            "4 wrong: trailing characters (column 5)",
            "5 a"
        ]
    );
    assert_eq!(said("list.json", "[\n\"a\"]"), ["1 fatal: a JSON array; give one object or string per line"]);
    // A column of one name is CSV, though it is a JSON string too.
    assert_eq!(said("-", "\"url\"\na.wav"), ["2 a.wav"]);
}

#[test]
fn what_is_not_a_list_is_refused_once() {
    assert_eq!(said("a.wav", b"RIFF\x24\0\0\0WAVE\n\0\0\n"), ["1 fatal: a NUL byte: not a text file"]);
    assert_eq!(said("-", b"\xff\xfeu\0r\0l\0\n\0a\0"), ["2 a"]);
    let longest = "a".repeat(LONGEST_LINE);
    assert_eq!(said("-", format!("{longest}\r\nb"))[1], "2 b");
    assert_eq!(said("-", format!("b\n{longest}a\nc")), ["1 b", "2 fatal: a line over 65536 bytes"]);
}

#[test]
fn a_table_needs_its_columns() {
    const LEFT: Column = Column::new(&["left"]);
    const RIGHT: Column = Column::new(&["right", "droite"]);
    let layout = Layout { needed: &[LEFT, RIGHT], plain: false, least_columns: 1 };
    let mut sheet = Sheet::new("-", &b"a;b\n1;2\n"[..], &layout);
    let fault = sheet.next_row().unwrap().unwrap_err();
    assert_eq!(
        (fault.to_string(), fault.is_fatal),
        ("line 1: no column `left` (or `right`, `droite`); the header has `a`, `b`".to_owned(), true)
    );
    assert!(sheet.next_row().is_none());
    let mut sheet = Sheet::new("-", &b"x;Droite\n1;2,5\n"[..], &layout);
    let Some(Ok((2, Row::Cells(cells)))) = sheet.next_row() else { panic!("no row") };
    assert_eq!((cells.get(&RIGHT), cells.get(&LEFT)), (Some("2,5"), None));
    assert_eq!(cells.iter().collect::<Vec<_>>(), [("x", "1"), ("Droite", "2,5")]);
    assert!(sheet.has_decimal_commas());
}

#[test]
fn a_gigabyte_in_one_line_is_not_read() {
    for head in ["", "\"", "{\"url\":\"", "url\na.wav\n\"", "é"] {
        let mut read_bytes = 0;
        let counted = Counted { reader: head.as_bytes().chain(io::repeat(b'x').take(1 << 30)), read: &mut read_bytes };
        let rows = read("-", counted);
        let last = rows.last().unwrap();
        assert!(last.contains("over 65536 bytes"), "{last}");
        assert!(last.starts_with(if head.starts_with("url") { "3" } else { "1" }), "{last}");
        assert!(read_bytes < 400_000, "{read_bytes}");
    }
}

struct Counted<'a, R> {
    reader: R,
    read: &'a mut usize,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        *self.read += read;
        Ok(read)
    }
}

#[test]
fn a_list_that_cannot_be_read_on_names_the_line() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
    for (head, line) in [("a.wav\n", "2"), ("url\nb.wav\n", "3")] {
        let rows = read("-", head.as_bytes().chain(Failing));
        assert_eq!(rows.last().unwrap(), &format!("{line} fatal: permission denied"));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_list_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200), name in "(-|a\\.(txt|csv|jsonl))") {
        said(&name, bytes);
    }

    #[test]
    fn what_was_quoted_comes_back(urls in proptest::collection::vec("[^\\s\0][^\r\n\0]{0,20}[^\\s\0]", 1..20)) {
        let mut list = csv::Writer::from_writer(Vec::new());
        list.write_record(["id", "url"]).unwrap();
        for url in &urls {
            list.write_record(["1", url]).unwrap();
        }
        let list = list.into_inner().unwrap();
        let expected: Vec<String> = urls.iter().enumerate().map(|(at, url)| format!("{} {}", at + 2, url.trim())).collect();
        prop_assert_eq!(said("-", list), expected);
    }
}
