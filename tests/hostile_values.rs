//! Values of a KV file that are invalid or not in canonical form: every reader reports them with
//! their class.

use std::collections::BTreeMap;

use serde_json::Value;
use test_support::kv_file::Content;

use crate::common::Scenario;

/// What replaces the value of the record of this file, derived from the value itself.
fn hostile(path: &str, value: &str) -> Vec<(&'static str, Vec<u8>, &'static str)> {
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
            format!("[\"{path}\",1,10,0.1,null,0,1.5,7]").into_bytes(),
            "undecodable",
        ),
        ("cut", value.as_bytes()[..value.len() - 1].to_vec(), "undecodable"),
        ("two documents", [value, value].concat().into_bytes(), "undecodable"),
        ("a byte order mark", format!("\u{feff}{value}").into_bytes(), "undecodable"),
        (
            "not UTF-8",
            with("src", "\u{fffd}").into_iter().map(|b| b | 0x80).collect(),
            "undecodable",
        ),
        ("a trailing NUL", [value.as_bytes(), b"\0"].concat(), "undecodable"),
        ("a field doubled", with("\"loc\":10", "\"loc\":10,\"loc\":10"), "undecodable"),
        ("a field more", with("{", "{\"extra\":1,"), "undecodable"),
        ("a field less", with("\"loc\":10,", ""), "undecodable"),
        ("a field of another case", with("\"loc\"", "\"LOC\""), "undecodable"),
        ("an integer as a float", with("10", "10.0"), "undecodable"),
        ("an integer with an exponent", with("10", "1e1"), "undecodable"),
        ("an integer as text", with("10", "\"10\""), "undecodable"),
        ("an integer of minus zero", with("\"fan_out\":0", "\"fan_out\":-0"), "undecodable"),
        ("an integer of 40 digits", with("10", &"9".repeat(40)), "undecodable"),
        ("an integer above i64", with("10", "9223372036854775808"), "undecodable"),
        ("an integer with a leading zero", with("10", "010"), "undecodable"),
        ("a float beyond all", with("0.1", "1e999"), "undecodable"),
        ("a float that is NaN", with("0.1", "NaN"), "undecodable"),
        ("null where text must be", with(&format!("\"{path}\""), "null"), "undecodable"),
        ("a lone surrogate", with("src", "\\ud800"), "undecodable"),
        ("nested deep", with("10", &deep), "undecodable"),
        ("a raw control character", with("src", "\u{1}src"), "undecodable"),
        ("a space", with(",", ", "), "noncanonical"),
        ("a trailing line feed", with("}", "}\n"), "noncanonical"),
        (
            "fields in another order",
            with("\"symbol_count\":1,\"loc\":10", "\"loc\":10,\"symbol_count\":1"),
            "noncanonical",
        ),
        ("an escape that needs none", with("src", "\\u0073rc"), "noncanonical"),
        ("an escaped slash", with("src/", "src\\/"), "noncanonical"),
        ("a float with a digit more", with("0.1", "0.10"), "noncanonical"),
        ("a float with an exponent", with("0.1", "1e-1"), "noncanonical"),
        ("a float written as an integer", with("1.5", "15e-1"), "noncanonical"),
        ("another float", with("0.1", "0.10000000000000002"), "field"),
        ("null for a float", with("0.1", "null"), "field"),
        ("a float of zero for null", with("\"fan_in\":null", "\"fan_in\":0"), "field"),
        ("another path", with("src", "Src"), "key-mismatch"),
    ]
}

/// The class of the finding about each key.
fn classes(findings: &Value) -> BTreeMap<String, String> {
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap().to_owned();
    let findings = findings.as_array().unwrap().iter();
    findings.map(|finding| (text(finding, "key"), text(finding, "class"))).collect()
}

/// Each value is that of a record of its own, once of those that are records and once of the others.
#[test]
fn every_command_reports_each_hostile_value_with_its_class() {
    for are_records in [false, true] {
        let scenario = Scenario::new();
        scenario.database("code.db", |db| {
            db.execute_batch(
                "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99)
                 INSERT INTO file_metrics SELECT 'src/' || char(97 + i / 26, 97 + i % 26) || '.rs',
                     1, 10, 0.1, NULL, 0, 1.5, 7 FROM n",
            )
            .unwrap();
        });
        let _ = scenario.run(&["sqlite-to-kv", "code.db", "code.kv"]).expect_status(0);
        let mut content = Content::read(&scenario.path("code.kv")).without_manifest();
        let mut expected = BTreeMap::new();
        for (index, (key, value)) in content.records.iter_mut().enumerate() {
            let key = str::from_utf8(key).unwrap();
            let path = key.strip_prefix("metrics:file:").unwrap();
            let cases = hostile(path, str::from_utf8(value).unwrap());
            assert!(cases.len() < 99);
            if let Some((_, hostile, class)) = cases.into_iter().nth(index)
                && (class == "field") == are_records
            {
                *value = hostile;
                expected.insert(key.to_owned(), class.to_owned());
            }
        }
        assert!(expected.len() > 2);
        content.write(&scenario.path("odd.kv"));

        for left in ["code.db", "code.kv"] {
            let args = ["verify", left, "odd.kv", "--format", "json", "--limit", "99"];
            let json = scenario.run(&args).expect_status(1).json();
            assert_eq!(classes(&json["findings"]), expected, "{json}");
            assert_eq!(json["findings_total"], expected.len(), "{json}");
            assert_eq!(json["kinds"][2]["different"], expected.len(), "{json}");
        }
        if are_records {
            expected.clear();
        }
        let status = i32::from(!are_records);
        let args = ["verify", "odd.kv", "--format", "json", "--limit", "99"];
        let json = scenario.run(&args).expect_status(status).json();
        assert_eq!(classes(&json["findings"]), expected, "{json}");
        let args = ["kv-to-sqlite", "odd.kv", "new.db", "--format", "json", "--limit", "99"];
        let json = scenario.run(&args).expect_status(status).json();
        assert_eq!(classes(&json["findings"]), expected, "{json}");
        assert_eq!(scenario.path("new.db").exists(), are_records);
        let run = scenario.run(&["export", "odd.kv"]).expect_status(status);
        assert_eq!(run.stderr.lines().count(), expected.len(), "{run}");
        for (key, class) in expected {
            assert!(run.stderr.contains(&format!("{class} {key}: ")), "{run}");
        }
    }
}
