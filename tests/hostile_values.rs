//! Values of a KV file that are invalid or not in canonical form: every reader reports them with
//! their class.

use test_support::kv_file::Content;

use crate::common::Scenario;

const KEY: &str = "metrics:file:src/lib.rs";

/// What replaces the record's value, derived from the value itself.
fn hostile(value: &str) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let with = |from: &str, to: &str| {
        assert!(value.contains(from));
        value.replacen(from, to, 1).into_bytes()
    };
    let deep = "[".repeat(100_000);
    vec![
        ("empty", Vec::new(), "undecodable"),
        ("null", b"null".to_vec(), "undecodable"),
        (
            "an array of the fields",
            b"[\"src/lib.rs\",1,10,0.1,null,0,1.5,7]".to_vec(),
            "undecodable",
        ),
        (
            "cut",
            value.as_bytes()[..value.len() - 1].to_vec(),
            "undecodable",
        ),
        (
            "two documents",
            [value, value].concat().into_bytes(),
            "undecodable",
        ),
        (
            "a byte order mark",
            format!("\u{feff}{value}").into_bytes(),
            "undecodable",
        ),
        (
            "not UTF-8",
            with("src", "\u{fffd}")
                .into_iter()
                .map(|b| b | 0x80)
                .collect(),
            "undecodable",
        ),
        (
            "a trailing NUL",
            [value.as_bytes(), b"\0"].concat(),
            "undecodable",
        ),
        (
            "a field doubled",
            with("\"loc\":10", "\"loc\":10,\"loc\":10"),
            "undecodable",
        ),
        ("a field more", with("{", "{\"extra\":1,"), "undecodable"),
        ("a field less", with("\"loc\":10,", ""), "undecodable"),
        (
            "a field of another case",
            with("\"loc\"", "\"LOC\""),
            "undecodable",
        ),
        ("an integer as a float", with("10", "10.0"), "undecodable"),
        (
            "an integer with an exponent",
            with("10", "1e1"),
            "undecodable",
        ),
        ("an integer as text", with("10", "\"10\""), "undecodable"),
        (
            "an integer of minus zero",
            with("\"fan_out\":0", "\"fan_out\":-0"),
            "undecodable",
        ),
        (
            "an integer of 40 digits",
            with("10", &"9".repeat(40)),
            "undecodable",
        ),
        (
            "an integer above i64",
            with("10", "9223372036854775808"),
            "undecodable",
        ),
        (
            "an integer with a leading zero",
            with("10", "010"),
            "undecodable",
        ),
        ("a float beyond all", with("0.1", "1e999"), "undecodable"),
        ("a float that is NaN", with("0.1", "NaN"), "undecodable"),
        (
            "null where text must be",
            with("\"src/lib.rs\"", "null"),
            "undecodable",
        ),
        ("a lone surrogate", with("src", "\\ud800"), "undecodable"),
        ("nested deep", with("10", &deep), "undecodable"),
        (
            "a raw control character",
            with("src", "\u{1}src"),
            "undecodable",
        ),
        ("a space", with(",", ", "), "noncanonical"),
        ("a trailing line feed", with("}", "}\n"), "noncanonical"),
        (
            "fields in another order",
            with(
                "\"symbol_count\":1,\"loc\":10",
                "\"loc\":10,\"symbol_count\":1",
            ),
            "noncanonical",
        ),
        (
            "an escape that needs none",
            with("src", "\\u0073rc"),
            "noncanonical",
        ),
        ("an escaped slash", with("src/", "src\\/"), "noncanonical"),
        (
            "a float with a digit more",
            with("0.1", "0.10"),
            "noncanonical",
        ),
        (
            "a float with an exponent",
            with("0.1", "1e-1"),
            "noncanonical",
        ),
        (
            "a float written as an integer",
            with("1.5", "15e-1"),
            "noncanonical",
        ),
        ("another float", with("0.1", "0.10000000000000002"), "field"),
        ("null for a float", with("0.1", "null"), "field"),
        (
            "a float of zero for null",
            with("\"fan_in\":null", "\"fan_in\":0"),
            "field",
        ),
        ("another path", with("src", "Src"), "key-mismatch"),
    ]
}

#[test]
fn every_command_reports_each_hostile_value_with_its_class() {
    let scenario = Scenario::with_small_pair();
    let content = Content::read(&scenario.path("code.kv")).without_manifest();
    let value = String::from_utf8(content.records[KEY.as_bytes()].clone()).unwrap();
    for (what, hostile, class) in hostile(&value) {
        let mut content = content.clone();
        content.records.insert(KEY.as_bytes().to_vec(), hostile);
        let odd = scenario.path("odd.kv");
        content.write(&odd);
        for left in ["code.db", "code.kv"] {
            let run = scenario
                .run(&["verify", left, "odd.kv", "--format", "json"])
                .expect_status(1);
            let json = run.json();
            assert_eq!(json["findings_total"], 1, "{what}: {run}");
            assert_eq!(json["findings"][0]["class"], class, "{what}: {run}");
            assert_eq!(json["findings"][0]["key"], KEY, "{what}: {run}");
            assert_eq!(json["kinds"][2]["different"], 1, "{what}: {run}");
        }
        let is_record = class == "field";
        let is_reported = |args: &[&str]| {
            let run = scenario.run(args).expect_status(i32::from(!is_record));
            assert!(
                is_record || run.to_string().contains(class),
                "{what}: {run}"
            );
        };
        is_reported(&["verify", "odd.kv"]);
        is_reported(&["export", "odd.kv"]);
        is_reported(&["kv-to-sqlite", "odd.kv", "new.db"]);
        assert_eq!(scenario.path("new.db").exists(), is_record);
        let _ = std::fs::remove_file(scenario.path("new.db"));
        std::fs::remove_file(odd).unwrap();
    }
}
