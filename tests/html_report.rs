//! What is on the page of `verify --html`.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chunkmigrate::verify::FindingClass;

use crate::common::commands::advice;
use crate::common::pages::{
    HOSTILE, PAGE, elements_of, findings_of, text_of, verify, with_contents, with_every_class,
    without_script,
};
use crate::common::{Run, Scenario, with_snapshots};

fn assert_page(name: &str, page: &str) {
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, body) = rest.split_once("</style>").unwrap();
    let (body, script) = body.split_once("<script>").unwrap();
    let (_, end) = script.split_once("</script>").unwrap();
    let page = format!("{head}<style>[STYLE]</style>{body}<script>[SCRIPT]</script>{end}");
    let hash = page.split("'sha256-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    let page = page.replace(hash, "[HASH]").replace("><tr", ">\n<tr");
    let page = page.replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
    with_snapshots(|| insta::assert_snapshot!(format!("html_{name}"), page));
}

#[test]
fn the_page_of_every_kind_of_run_says_what_the_terminal_says() {
    let scenario = Scenario::with_small_pair();
    fs::copy(scenario.path("code.db"), scenario.path("other.db")).unwrap();
    scenario.change(
        "other.db",
        "UPDATE file_metrics SET loc = 5;
         UPDATE code_chunks SET content_hash = 'old' WHERE id = 1",
    );
    let all: [(&[&str], i32); 9] = [
        (&["code.db", "code.kv"], 0),
        (&["code.kv", "other.db"], 1),
        (&["code.db"], 0),
        (&["code.kv"], 0),
        (&[], 0),
        (&["code.db", "code.kv", "--quick"], 0),
        (&["other.db", "other.db", "--strict"], 1),
        (&["code.db", "other.db", "--only", "chunk,file-metrics"], 1),
        (&["code.kv", "other.db", "--limit", "0"], 1),
    ];
    for (args, status) in all {
        let (run, page) = verify(&scenario, args, status);
        let text = text_of(&page);
        assert!(run.stdout.ends_with("\n\npage   page.html\n"), "{run}");
        let is_verdict =
            |line: &&str| line.starts_with("Identical: ") || line.starts_with("Diverged: ");
        let verdict = run.stdout.lines().find(is_verdict).unwrap();
        assert!(text.contains(verdict), "{verdict} in {text}");
        // Every line of its tables, and what it says about the stores and the self-test.
        let lines = run.stdout.lines().filter(|line| {
            let shown = ["  chunk ", "  total ", "left ", "right ", "  only-left"];
            // The counts by class and kind have another form there.
            let is_of_classes = line.starts_with("  total ") && line.split_whitespace().count() < 5;
            shown.iter().any(|shown| line.starts_with(shown)) && !is_of_classes
        });
        for line in lines {
            let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(&line), "{line} in {text}");
        }
        if let Some((_, next)) = run.stdout.split_once("Next: ") {
            let (next, _) = next.split_once("\n\npage").unwrap();
            let next = next.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(&format!("Next: {next}")), "{next} in {text}");
        }
        for option in args.iter().filter(|arg| ["--quick", "--strict", "--only"].contains(arg)) {
            assert!(text.contains(option), "{option} in {text}");
        }
    }
}

#[test]
fn every_class_of_finding_is_on_the_page() {
    let scenario = with_every_class();
    let (_, page) = verify(&scenario, &["left.db", "right.kv"], 1);
    let text = text_of(&page);
    let advice = advice();
    let classes = FindingClass::ALL.into_iter();
    for class in classes.filter(|class| class.is_of_comparison()) {
        assert!(page.contains(&format!(" id=\"{class}-")), "{class}");
        let (_, advice) = advice.iter().find(|(of, _)| *of == class).unwrap();
        assert!(text.contains(advice), "{class}");
    }
    assert!(text.contains("0x7374726179ff (not UTF-8)"), "{text}");
    assert_page("every_class", &page);
}

#[test]
fn different_lines_are_side_by_side_with_some_context() {
    let lines = |seventh: &str| -> String {
        let line = |n: usize| match n {
            7 => format!("{seventh}\n"),
            _ => format!("line {n}\n"),
        };
        (1..=20).map(line).collect()
    };
    let left = lines("    let sum = total(0); // café");
    let right = lines("    let sum = total(1);\r");
    let scenario = with_contents(&left, &right);
    let (_, page) = verify(&scenario, &["left.db", "right.db"], 1);
    assert_page("lines", &page);
    let (_, full) = verify(&scenario, &["left.db", "right.db", "--values", "full"], 1);
    for number in [1, 20] {
        let line = format!("<td>line {number}</td>");
        assert!(!page.contains(&line) && full.contains(&line));
    }
}

#[test]
fn the_page_shows_the_kept_findings_and_how_to_get_the_rest() {
    let scenario = with_every_class();
    let pair = ["left.db", "right.kv"];
    let few = [&pair[..], &["--html-limit", "1"]].concat();
    let (_, page) = verify(&scenario, &few, 1);
    // One of each class.
    assert_eq!(findings_of(&page), 13);
    let text = text_of(&page);
    let rest = "more findings; --html-limit shows more, --report FILE saves all";
    assert!(text.contains(rest), "{text}");
    assert!(text.contains("1 of 1 shown") && text.contains("1 of 3 shown"), "{text}");
    let (_, page) = verify(&scenario, &[&few[..], &["--report", "all.jsonl"]].concat(), 1);
    assert!(text_of(&page).contains("more findings; all are in all.jsonl"), "{page}");
    let (_, page) = verify(&scenario, &pair, 1);
    assert!(!text_of(&page).contains("more finding"), "{page}");
}

#[test]
fn the_limit_of_the_page_and_that_of_the_terminal_are_independent() {
    let scenario = with_every_class();
    let pair = ["left.db", "right.kv"];
    let number = |limit: &str| {
        let args = ["verify", "left.db", "right.kv", "--format", "json", "--limit", limit];
        scenario.run(&args).expect_status(1).json()["findings"].as_array().unwrap().len()
    };
    assert!(number("1") < number("2"));
    for (limit, page_limit) in [(1, 2), (2, 1), (0, 99), (99, 0)] {
        let (limit, of_page) = (limit.to_string(), page_limit.to_string());
        let limits = ["--limit", &limit, "--html-limit", &of_page];
        let args = [&pair[..], &limits].concat();
        let (run, page) = verify(&scenario, &args, 1);
        assert_eq!(findings_of(&page), number(&of_page), "{limits:?}");
        let without_page = [&["verify"], &pair[..], &["--limit", &limit]].concat();
        let expected = scenario.run(&without_page).expect_status(1).stdout;
        assert!(run.stdout.ends_with("\n\npage   page.html\n"), "{run}");
        let before_next = |text: &str| text.split("\nNext: ").next().unwrap().to_owned();
        assert_eq!(before_next(&run.stdout), before_next(&expected), "{limits:?}");
        let (run, _) = verify(&scenario, &[&args[..], &["--format", "json"]].concat(), 1);
        let json = [&without_page[..], &["--format", "json"]].concat();
        let json = scenario.run(&json).expect_status(1).json();
        assert_eq!(run.json()["findings"], json["findings"], "{limits:?}");
        assert_eq!(run.json()["truncated"], json["truncated"], "{limits:?}");
    }
}

#[test]
fn a_record_that_one_side_lacks_is_on_the_page() {
    let long = format!("fn secret() {{\n}}\n{}", "line\n".repeat(400));
    let scenario = with_contents(&long, &long);
    scenario.change("right.db", "DELETE FROM code_chunks WHERE id = 1");
    let only = ["left.db", "right.db", "--only", "chunk"];
    let (_, page) = verify(&scenario, &only, 1);
    assert!(page.contains("<pre>fn secret() {\n}\nline\n"), "{page}");
    assert!(page.contains("more bytes</span></pre>"), "{page}");
    assert!(text_of(&page).contains("id 1, file_path \"src/lib.rs\", byte_start 0"), "{page}");
    let (_, full) = verify(&scenario, &[&only[..], &["--values", "full"]].concat(), 1);
    assert!(full.contains(&format!("{}</pre>", "line\n".repeat(400))), "{full}");
    let (_, page) = verify(&scenario, &[&only[..], &["--values", "redacted"]].concat(), 1);
    assert!(!page.contains("secret") && page.contains("2,016 bytes"), "{page}");
}

/// The titles of the groups of a page, and the keys in each.
fn groups_of(page: &str) -> Vec<(String, Vec<String>)> {
    let between = |text: &str, start: &str, end: &str| -> Vec<String> {
        let parts = text.split(start).skip(1).filter_map(|part| part.split(end).next());
        parts.map(|part| part.replace("<code>", "").replace("</code>", "")).collect()
    };
    let groups = page.split("<details").skip(1);
    groups
        .map(|group| {
            let mut titles = between(group, "<h3>", "</h3>");
            (titles.remove(0), between(group, "<h4>", "</h4>"))
        })
        .collect()
}

#[test]
fn findings_are_grouped_by_source_file_and_those_of_a_key_are_in_one_card() {
    let scenario = Scenario::new();
    for (name, fan_in) in [("left.db", 1), ("right.db", 2)] {
        scenario.database(name, |db| {
            db.execute_batch(&format!(
                "INSERT INTO code_chunks VALUES (1, 'src/b.rs', 9, 20, '{name}', 'h', NULL, NULL, 7),
                     (2, 'src/b.rs', 100, 120, '{name}', 'h', NULL, NULL, 7),
                     (3, 'src/only_warnings.rs', 0, 1, 'x', 'h', NULL, NULL, 7);
                 INSERT INTO file_metrics VALUES ('src/b.rs', {fan_in}, 1, 1, 1, 1, 1, 7);
                 INSERT INTO symbol_metrics VALUES
                     (77, 's', 'function', 'src/b.rs', 1, 1, {fan_in}, 1, 1, 7);
                 INSERT INTO execution_log VALUES (1, 'run', '{name}', '[]', NULL, 'code.db', 5, NULL,
                     NULL, 'running', NULL, 0, 0, 0)"
            ))
            .unwrap();
        });
    }
    scenario
        .change("right.db", "INSERT INTO file_metrics VALUES ('src/a.rs', 1, 1, 1, 1, 1, 1, 7)");
    let (_, page) = verify(&scenario, &["left.db", "right.db"], 1);
    let groups = groups_of(&page);
    let groups: Vec<(&str, Vec<&str>)> = groups
        .iter()
        .map(|(title, keys)| (title.as_str(), keys.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(
        groups,
        [
            ("src/a.rs", vec!["metrics:file:src/a.rs"]),
            (
                "src/b.rs",
                vec![
                    "chunk:src/b.rs:9:20",
                    "chunk:src/b.rs:100:120",
                    "metrics:file:src/b.rs",
                    "metrics:symbol:77",
                ]
            ),
            ("execution-log", vec!["execlog:run"]),
            ("src/only_warnings.rs", vec!["chunk:src/only_warnings.rs:0:1"]),
        ]
    );
    // The difference and the warnings of both sides.
    let card = page.split("<article").nth(2).unwrap();
    assert_eq!(findings_of(card), 3, "{card}");
    let redacted = ["left.db", "right.db", "--values", "redacted", "--only", "symbol-metrics"];
    let (_, page) = verify(&scenario, &redacted, 1);
    assert!(!page.contains("src/b.rs"), "{page}");
}

#[test]
fn every_finding_has_an_anchor_that_is_the_same_on_each_page() {
    let scenario = with_every_class();
    let ids = |args: &[&str]| -> BTreeSet<String> {
        let (_, page) = verify(&scenario, args, 1);
        let findings = page.split("<div class=\"finding ").skip(1);
        let ids = findings.map(|finding| finding.split('"').nth(2).unwrap().to_owned());
        let ids: Vec<String> = ids.collect();
        let unique: BTreeSet<String> = ids.iter().cloned().collect();
        assert_eq!(unique.len(), ids.len());
        for id in &ids {
            assert!(page.contains(&format!("href=\"#{id}\"")), "{id}");
        }
        unique
    };
    let all = ids(&["left.db", "right.kv"]);
    let of_chunks = ids(&["left.db", "right.kv", "--only", "chunk", "--values", "redacted"]);
    assert!(of_chunks.len() > 3 && of_chunks.len() < all.len());
    assert!(of_chunks.is_subset(&all), "{of_chunks:?} {all:?}");
}

#[test]
fn a_difference_has_its_place_in_the_file_and_its_code_points() {
    let scenario = with_contents("one\ncafé \n", "one\ncafe\u{301}\n");
    scenario.change("left.db", "UPDATE code_chunks SET byte_start = 4 WHERE id = 1");
    scenario.change("right.db", "UPDATE code_chunks SET byte_start = 4 WHERE id = 1");
    let (_, page) = verify(&scenario, &["left.db", "right.db"], 1);
    let text = text_of(&page);
    let place = "first difference at byte 7, line 2; byte 11 of the file";
    assert!(text.contains(place), "{text}");
    assert!(page.contains("<span class=\"spaces\"> </span>"), "{page}");
    let scenario = with_contents("one\ncafé\n", "one\ncafe\u{301}\n");
    let (_, page) = verify(&scenario, &["left.db", "right.db"], 1);
    let text = text_of(&page);
    let points = "code points: é U+00E9 on the left, e U+0065 \\u{301} U+0301 on the right";
    assert!(text.contains(points), "{text}");
}

#[test]
fn nothing_redacted_is_in_the_page() {
    let secret = "secret";
    let scenario = with_contents("a secret\nof two lines", "another secret\nof two lines");
    scenario.change("right.db", "UPDATE code_chunks SET symbol_name = 'a secret name'");
    for values in ["short", "full"] {
        let (_, page) = verify(&scenario, &["left.db", "right.db", "--values", values], 1);
        assert!(page.contains(secret));
    }
    let (_, page) = verify(&scenario, &["left.db", "right.db", "--values", "redacted"], 1);
    assert!(!page.contains(secret) && !page.contains("two lines"), "{page}");
    // 14 bytes, and their digest.
    assert!(text_of(&page).contains("21 bytes SHA-256"), "{page}");
    // Invalid values do not get in either.
    let scenario = with_every_class();
    let args = ["left.db", "right.kv", "--values", "redacted"];
    let (_, page) = verify(&scenario, &args, 1);
    assert!(text_of(&page).contains("the value is not a valid record"), "{page}");
}

#[test]
fn the_json_document_contains_the_path_of_the_page() {
    let scenario = with_every_class();
    let args = ["left.db", "right.kv", "--format", "json", "--report", "all.jsonl"];
    let (run, page) = verify(&scenario, &args, 1);
    let json = run.json();
    assert_eq!(json["html"], PAGE);
    assert_eq!(json["report"], "all.jsonl");
    assert_eq!(findings_of(&page), json["findings"].as_array().unwrap().len());
    let run = scenario.run(&["verify", "--format", "json"]).expect_status(0);
    assert_eq!(run.json()["html"], serde_json::Value::Null);
    let quiet = ["left.db", "right.kv", "--quiet"];
    assert_eq!(verify(&scenario, &quiet, 1).0.stdout, "");
}

#[test]
fn the_page_runs_only_its_own_script_and_needs_no_network() {
    let scenario = with_every_class();
    for (args, status) in [(&["left.db", "right.kv"][..], 1), (&[], 0)] {
        let (_, page) = verify(&scenario, args, status);
        let (_, script) = page.split_once("<script>").unwrap();
        let (script, _) = script.split_once("</script>").unwrap();
        let hash = STANDARD.encode(chunkmigrate::verify::Digest::of(script).0);
        let lower = without_script(&page).to_lowercase();
        for loads in ["<script", "src=", "url(", "@import", "http:", "https:", "<link", "<iframe"] {
            assert!(!lower.contains(loads), "{loads}");
        }
        assert_eq!(lower.matches("href=").count(), lower.matches("href=\"#").count());
        let policy = format!(
            "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
             'unsafe-inline'; script-src 'sha256-{hash}'\""
        );
        assert!(page.contains(&policy), "{policy}");
        assert!(
            page.starts_with("<!doctype html><!-- chunkmigrate verify -->\n<html lang=\"en\">")
        );
        for needed in ["charset=\"utf-8\"", "name=\"viewport\"", "prefers-color-scheme: dark"] {
            assert!(page.contains(needed), "{needed}");
        }
    }
}

#[test]
fn no_content_of_a_store_adds_elements_to_the_page() {
    let harmless = with_contents("one\ntwo", "one\n2");
    let (_, page) = verify(&harmless, &["left.db", "right.db"], 1);
    let elements = elements_of(&page);
    let hostile =
        format!("{HOSTILE}\n]]></td></table><svg onload=x>\0\u{b}\u{c}\u{85}\u{feff}\u{2028}");
    let scenario = with_contents(&hostile, &format!("{hostile}<b>\n"));
    scenario.change("right.db", "UPDATE code_chunks SET symbol_name = '</title><script>'");
    let (_, page) = verify(&scenario, &["left.db", "right.db", "--values", "full"], 1);
    assert_eq!(elements_of(&page), elements);
    let text = text_of(&page);
    assert!(text.contains("<svg onload=x>\\0\\u{b}\\u{c}\\u{85}\\u{feff}\\u{2028}"), "{text}");
    let invisible = |char: char| char.is_control() && char != '\n';
    assert!(!page.contains(invisible) && !page.contains(['\u{202e}', '\u{feff}', '\u{2028}']));
}

#[test]
fn file_names_are_text_on_the_page() {
    let scenario = Scenario::with_small_pair();
    for name in [&b"<b>\"&.db"[..], b"\xff<i>.db", HOSTILE.rsplit('/').next().unwrap().as_bytes()] {
        let name = OsStr::from_bytes(name);
        fs::copy(scenario.path("code.db"), scenario.folder().join(name)).unwrap();
        let mut page = name.to_owned();
        page.push(".html");
        let arguments = ["verify".as_ref(), name, "code.kv".as_ref(), "--html".as_ref(), &page];
        let output = scenario.command(&[]).args(arguments).output().unwrap();
        let run = Run::of(output).expect_status(0);
        assert!(!run.stdout.contains(['\u{1b}', '\u{202e}']), "{run}");
        let page = fs::read_to_string(scenario.folder().join(page)).unwrap();
        assert!(!page.contains("<i>") && !page.contains("<img") && !page.contains('\u{202e}'));
        let shown =
            name.to_string_lossy().replace('\u{202e}', "\\u{202e}").replace('\u{1b}', "\\u{1b}");
        let text = text_of(&page);
        // In the title and in the table.
        assert_eq!(text.matches(&shown).count(), 2, "{shown} in {text}");
    }
}

/// Checks the page of two stores with these contents, and what it says about what it omits.
fn check_large(left: &str, right: &str, cut: &str) {
    let scenario = with_contents(left, right);
    for values in ["short", "full"] {
        let (_, page) = verify(&scenario, &["left.db", "right.db", "--values", values], 1);
        assert!(page.contains(cut), "{cut} {values}");
        assert!(page.len() < 17 << 20, "{cut} {values}: {}", page.len());
        let rows = page.matches("<tr").count();
        assert!(rows < 20_100, "{cut} {values}: {rows}");
        assert!(page.ends_with("</html>\n"), "{cut} {values}");
    }
}

#[test]
fn large_values_are_truncated_and_the_page_says_so() {
    let long = "x".repeat(1 << 20);
    check_large(&long, "", "bytes …");
}

#[test]
#[ignore = "deep: pages of up to 16 MiB"]
fn values_with_many_lines_or_escapes_are_truncated_and_the_page_says_so() {
    let lines = |step: usize| -> String {
        let line = |n| format!("line {}\n", n * step);
        (0..30_000).map(line).collect()
    };
    let long = "x".repeat(1 << 20);
    let not_compared = "not compared on this page: ";
    // Each of these characters is a highlighted escape on the page.
    let unseen = |char: &str| format!("{}\n", char.repeat(100)).repeat(3_000);
    for (left, right, cut) in [
        (lines(1), lines(3), not_compared),
        (format!("{long}\na"), format!("a{long}\nb"), "bytes …"),
        ("\n".repeat(20_000), "a\n".repeat(20_000), not_compared),
        ("\0\n".repeat(1 << 17), "\u{202e}\n".repeat(1 << 17), not_compared),
        (unseen("a\u{1}"), unseen("a\u{2}"), "the page is full: "),
    ] {
        check_large(&left, &right, cut);
    }
}

/// A browser opens such a page in a second.
#[test]
fn a_page_of_6000_findings_is_smaller_than_10_mb() {
    let scenario = Scenario::new();
    for (name, changed) in [("left.db", "let a = 1;"), ("right.db", "let a = 2;")] {
        scenario.database(name, |db| {
            let fill = format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
                 INSERT INTO code_chunks SELECT i, 'src/module/file_' || (i % 500) || '.rs', i, i + 1,
                     replace(hex(zeroblob(20)), '00', '    some_function(of, some, arguments);' || char(10))
                     || '{changed}' || char(10) || 'end', '{changed}', NULL, NULL, 7 FROM n"
            );
            db.execute_batch(&fill).unwrap();
        });
    }
    // As many divergences and warnings.
    let (_, page) = verify(&scenario, &["left.db", "right.db", "--html-limit", "3000"], 1);
    assert_eq!(findings_of(&page), 6000);
    assert!(page.len() < 10_000_000, "{}", page.len());
}

#[test]
fn a_full_page_says_how_many_findings_it_omits() {
    let scenario = Scenario::new();
    scenario.database("right.db", |_| {});
    // Paths of characters that are five times as long on a page.
    scenario.database("left.db", |db| {
        db.execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1700)
             INSERT INTO file_metrics (file_path, last_updated)
             SELECT replace(hex(zeroblob(900)), '0', '&') || i, 7 FROM n",
        )
        .unwrap();
    });
    let (_, page) = verify(&scenario, &["left.db", "right.db", "--html-limit", "10000"], 1);
    let shown = findings_of(&page);
    let more = format!("and {} more findings; --report FILE saves all", 1700 - shown);
    assert!(page.contains(&more), "{more}");
    assert!(page.ends_with("</html>\n"));
    assert!(page.len() < 17 << 20, "{}", page.len());
}
