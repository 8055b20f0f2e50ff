use super::*;
use crate::codec::decode_json;
use crate::record::{CodeChunk, ExecutionRecord, FileMetrics, Record, SymbolMetrics};

fn records() -> [Record; 4] {
    [
        Record::Chunk(CodeChunk::new("a", 1, 2, "x")),
        Record::ExecutionLog(ExecutionRecord {
            id: 1,
            execution_id: "a".to_owned(),
            tool_version: "1".to_owned(),
            args: "[]".to_owned(),
            root: None,
            db_path: "a.db".to_owned(),
            started_at: 1,
            finished_at: None,
            duration_ms: None,
            outcome: "ok".to_owned(),
            error_message: None,
            files_indexed: None,
            symbols_indexed: None,
            references_indexed: None,
        }),
        Record::FileMetrics(FileMetrics {
            file_path: "a".to_owned(),
            symbol_count: None,
            loc: None,
            estimated_loc: None,
            fan_in: None,
            fan_out: None,
            complexity_score: None,
            last_updated: 0,
        }),
        Record::SymbolMetrics(SymbolMetrics {
            symbol_id: 1,
            symbol_name: "a".to_owned(),
            kind: "fn".to_owned(),
            file_path: "a".to_owned(),
            loc: None,
            estimated_loc: None,
            fan_in: None,
            fan_out: None,
            cyclomatic_complexity: None,
            last_updated: 0,
        }),
    ]
}

/// The canonical JSON of a record with the value of one field replaced.
fn changed(record: &Record, field: &str, value: &str) -> String {
    let json = String::from_utf8(record.to_json().unwrap()).unwrap();
    let start = json.find(&format!("\"{field}\":")).unwrap() + field.len() + 3;
    let end = json[start..].find([',', '}']).unwrap() + start;
    format!("{}{value}{}", &json[..start], &json[end..])
}

fn message(record: &Record, json: &str) -> Option<String> {
    let decoded = decode_json(record.kind(), json.as_bytes());
    decoded.err().map(|error| error.to_string())
}

#[test]
fn every_wrong_field_is_reported_with_what_it_must_be() {
    for record in records() {
        for field in record.kind().schema().fields {
            let Field { name, class, nullable, .. } = *field;
            let says = |value: &str| message(&record, &changed(&record, name, value));
            assert_eq!(says("null").is_none(), nullable, "{name}");
            let own = match class {
                FieldClass::Text => "\"\"",
                FieldClass::Integer => "-5",
                FieldClass::Offset => "5",
                FieldClass::Real => "5.5",
            };
            assert_eq!(says(own), None, "{name}");
            let required = required(field);
            for (value, found) in [
                ("[]", "an array"),
                ("{}", "an object"),
                ("true", "true"),
                ("1.5", "1.5"),
                ("\"te\\nxt\"", "\"te\\nxt\""),
            ] {
                let is_own = match value {
                    "1.5" => class == FieldClass::Real,
                    _ => value.starts_with('"') && class == FieldClass::Text,
                };
                let expected_message = format!("{name} is {found}, must be {required}");
                let expected = (!is_own).then_some(expected_message);
                assert_eq!(says(value), expected, "{name}");
            }
        }
    }
}

#[test]
fn numbers_out_of_range_are_reported_with_the_range() {
    let [chunk, .., metrics, _] = records();
    for (record, field, value, expected_message) in [
        (&chunk, "byte_start", "-5", "byte_start is -5, must be 0 or more"),
        (
            &chunk,
            "byte_end",
            "99999999999999999999",
            "byte_end is 99999999999999999999, must be at most 9223372036854775807",
        ),
        (
            &metrics,
            "loc",
            "9223372036854775808",
            "loc is 9223372036854775808, must be between -9223372036854775808 and \
             9223372036854775807",
        ),
        (&metrics, "estimated_loc", "1e999", "estimated_loc is 1e999, must be a finite number"),
    ] {
        assert_eq!(
            message(record, &changed(record, field, value)).as_deref(),
            Some(expected_message)
        );
    }
}

#[test]
fn missing_unknown_and_duplicate_fields_are_reported() {
    let [chunk, ..] = records();
    let json = String::from_utf8(chunk.to_json().unwrap()).unwrap();
    for (from, to, expected_message) in [
        ("\"id\":0,", "", "id is missing"),
        ("\"id\":0,", "\"id\":0,\"id\":0,", "id appears twice"),
        ("\"id\"", "\"i\\u001bd\"", "unknown field \"i\\u{1b}d\""),
        ("\"a\"", "\"\\ud800\"", "file_path is not valid text: "),
        ("\"id\":0,", "\"id\":0", "not valid JSON: "),
    ] {
        let changed = json.replacen(from, to, 1);
        let message = message(&chunk, &changed).unwrap();
        assert!(message.starts_with(expected_message), "{message}");
    }
}
