//! Pairs of stores that fill a page, and helpers that read a page.

use std::fs;

use test_support::kv_file::Content;

use super::{Run, Scenario};

/// A path that contains markup and control characters.
pub(crate) const HOSTILE: &str =
    "</code><script>alert(1)</script>\"><img src=x onerror=alert(2)>&amp;]]>\u{202e}\u{1b}[31m.rs";

/// `left.db` and `right.kv`, between which there is every class of finding that a comparison
/// reports.
pub(crate) fn with_every_class() -> Scenario {
    let scenario = Scenario::with_small_pair();
    fs::rename(scenario.path("code.db"), scenario.path("left.db")).unwrap();
    let mut content = Content::read(&scenario.path("code.kv"));
    content.records.remove(&b"chunk:src/a::b.rs:0:0"[..]);
    let lib = "metrics:file:src/lib.rs";
    let new = content.records[lib.as_bytes()].clone();
    let new = String::from_utf8(new).unwrap();
    let new = new.replace("src/lib.rs", "src/new.rs").into_bytes();
    content.records.insert(b"metrics:file:src/new.rs".to_vec(), new);
    content.edit("chunk:src/lib.rs:13:16", "café", "caf\\ne\u{301}\\n");
    content.edit("chunk:src/lib.rs:13:16", "\"symbol_name\":null", "\"symbol_name\":\"cafe\"");
    content.edit("chunk:src/lib.rs:0:12", "{\"id\":1,", "{");
    content.edit(lib, "\"symbol_count\":1,\"loc\":10", "\"loc\":10,\"symbol_count\":1");
    let other = content.records[&b"metrics:symbol:2"[..]].clone();
    content.records.insert(b"metrics:symbol:1".to_vec(), other);
    content.records.insert(b"stray\xff".to_vec(), b"{}".to_vec());
    let id_sequences = "{\"code_chunks\":10,\"execution_log\":1}";
    content.set_document("sequences", id_sequences);
    content.set_document("format", r#"{"name":"chunkmigrate-kv","version":2}"#);
    content.set_document(
        "tables",
        r#"{"encoding":"UTF-8","tables":[{"name":"notes","kind":null,"columns":["id"],"key":[0],"rowid":false,"sql":"CREATE TABLE notes (id INTEGER PRIMARY KEY)"}],"sequences":[],"whole":null}"#,
    );
    content.write(&scenario.path("right.kv"));
    scenario.change(
        "left.db",
        "UPDATE file_metrics SET loc = 3.5 WHERE file_path = 'src/a:b.rs';
         CREATE TABLE notes (id INTEGER PRIMARY KEY, text);
         CREATE TABLE graph_entities (id INTEGER PRIMARY KEY, name, file_path);
         INSERT INTO graph_entities VALUES (2, 'other', 'src/lib.rs');",
    );
    fs::remove_file(scenario.path("code.kv")).unwrap();
    scenario
}

/// `left.db` and `right.db`, in which the chunks of [`HOSTILE`] and of `src/lib.rs` have these
/// contents.
pub(crate) fn with_contents(left: &str, right: &str) -> Scenario {
    let scenario = Scenario::new();
    for (name, content) in [("left.db", left), ("right.db", right)] {
        scenario.database(name, |db| {
            for (id, path) in [(1, "src/lib.rs"), (2, HOSTILE)] {
                db.execute(
                    "INSERT INTO code_chunks VALUES (?1, ?2, 0, 9, ?3, 'hash', ?2, NULL, 7)",
                    (id, path, content),
                )
                .unwrap();
            }
        });
    }
    scenario
}

/// The name of the page of [`verify`].
pub(crate) const PAGE: &str = "page.html";

/// Runs `verify` with a page, and returns the page too.
pub(crate) fn verify(scenario: &Scenario, args: &[&str], status: i32) -> (Run, String) {
    let args = [&["verify", "--html", PAGE], args].concat();
    let run = scenario.run(&args).expect_status(status);
    let page = fs::read_to_string(scenario.path(PAGE)).unwrap();
    (run, page)
}

/// The findings on a page.
pub(crate) fn findings_of(page: &str) -> usize {
    page.matches("<div class=\"finding ").count()
}

/// The page without its script.
pub(crate) fn without_script(page: &str) -> String {
    let (before, rest) = page.split_once("<script>").unwrap();
    let (_, after) = rest.split_once("</script>").unwrap();
    format!("{before}{after}")
}

/// The text of a page as people read it, without style and script, with single spaces.
pub(crate) fn text_of(page: &str) -> String {
    let page = without_script(page);
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, body) = rest.split_once("</style>").unwrap();
    let (head, body) = (head.replace("</", " </"), body.replace("</t", " </t"));
    let mut text = String::new();
    let mut in_tag = false;
    for char in format!("{head}{body}").chars() {
        match char {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            char if !in_tag => text.push(char),
            _ => {}
        }
    }
    let text = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text, |text, (escaped, plain)| text.replace(escaped, plain));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The names of the elements of a page, each once.
pub(crate) fn elements_of(page: &str) -> Vec<String> {
    let tags = page.split('<').skip(1);
    let names = tags.map(|tag| {
        let end = tag.find(|char: char| !char.is_ascii_alphanumeric());
        tag[..end.unwrap_or(tag.len())].to_owned()
    });
    let mut names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
    names.sort();
    names.dedup();
    names
}
