//! Values: encoding and decoding are exact to the bit, and a decoder confuses nothing.

use std::error::Error as _;

use chunkmigrate::internal::{decode_json, is_canonical};
use chunkmigrate::kv::Entry;
use chunkmigrate::record::{CodeChunk, FileMetrics, Record, RecordKind};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use test_support::records::file_metrics;

use crate::common::records::{float, record};

fn metrics(estimated_loc: Option<f64>) -> Record {
    Record::FileMetrics(FileMetrics { estimated_loc, ..file_metrics("a") })
}

fn decode_metrics(fields: &str) -> Result<Record, String> {
    decode_json(RecordKind::FileMetrics, fields.as_bytes()).map_err(|error| error.to_string())
}

fn survives_encoding(record: &Record) -> TestCaseResult {
    let bytes = record.to_json().unwrap();
    let decoded = decode_json(record.kind(), &bytes).unwrap();
    prop_assert_eq!(&decoded, record);
    prop_assert_eq!(&decoded.to_json().unwrap(), &bytes);
    let (key, value) = (&record.key().encode(), &bytes);
    prop_assert_eq!(&Record::from_entry(Entry { key, value }).unwrap(), record);
    Ok(())
}

/// Truncated, extended or changed in one byte: whatever else it is, it is not the encoding of the
/// record.
fn is_canonical_alone(record: &Record, place: prop::sample::Index) -> TestCaseResult {
    let kind = record.kind();
    let bytes = record.to_json().unwrap();
    prop_assert!(is_canonical(kind, &bytes));
    let at = place.index(bytes.len());
    prop_assert!(!is_canonical(kind, &bytes[..at]));
    prop_assert!(!is_canonical(kind, &[bytes.as_slice(), b" "].concat()));
    let mut changed = bytes;
    changed[at] ^= 1;
    let is_record = decode_json(kind, &changed).is_ok_and(|changed| changed == *record);
    prop_assert!(!(is_record && is_canonical(kind, &changed)));
    Ok(())
}

fn keeps_every_bit(float: f64) -> TestCaseResult {
    let bytes = metrics(Some(float)).to_json().unwrap();
    let Record::FileMetrics(decoded) = decode_json(RecordKind::FileMetrics, &bytes).unwrap() else {
        panic!("another kind");
    };
    prop_assert_eq!(decoded.estimated_loc.unwrap().to_bits(), float.to_bits());
    Ok(())
}

fn differ_as_their_bytes_do(left: &Record, right: &Record) -> TestCaseResult {
    if left.kind() == right.kind() {
        let same = left.to_json().unwrap() == right.to_json().unwrap();
        prop_assert_eq!(same, left == right);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn records_survive_encoding_and_decoding(record in record()) {
        survives_encoding(&record)?;
    }

    #[test]
    fn only_a_records_own_bytes_are_canonical(record in record(), place: prop::sample::Index) {
        is_canonical_alone(&record, place)?;
    }

    #[test]
    fn a_float_keeps_every_bit(float in float()) {
        keeps_every_bit(float)?;
    }

    #[test]
    fn different_records_have_different_bytes(left in record(), right in record()) {
        differ_as_their_bytes_do(&left, &right)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2500))]

    #[test]
    #[ignore = "deep: 2,500 pairs of records"]
    fn many_records_survive_encoding_with_distinct_bytes(
        left in record(),
        right in record(),
        float in float(),
        place: prop::sample::Index,
    ) {
        survives_encoding(&left)?;
        is_canonical_alone(&right, place)?;
        keeps_every_bit(float)?;
        differ_as_their_bytes_do(&left, &right)?;
    }
}

/// A buffer that grows during encoding would cost twice the size of a large value.
#[test]
fn a_source_text_chunk_is_encoded_with_one_allocation() {
    let content = "    let name = \"caf\u{e9}\".to_owned();\n".repeat(10_000);
    let size = content.len();
    let chunk = Record::Chunk(CodeChunk::new("a.rs", 0, 1, content));
    let value = chunk.to_json().unwrap();
    assert!(value.len() > size && value.capacity() < size + size / 4);
}

#[test]
fn minus_zero_is_written_as_zero() {
    let bytes = metrics(Some(-0.0)).to_json().unwrap();
    assert_eq!(bytes, metrics(Some(0.0)).to_json().unwrap());
}

#[test]
fn nan_and_infinity_cannot_be_encoded() {
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = metrics(Some(float)).to_json().unwrap_err();
        let cause = error.source().unwrap().to_string();
        assert!(cause.contains("not a finite number"), "{error}: {cause}");
    }
}

const REST: &str = r#""estimated_loc":null,"fan_in":null,"fan_out":null,"complexity_score":null"#;

#[test]
fn whitespace_field_order_and_float_spelling_may_vary() {
    for value in [
        r#" { "last_updated": 0, "file_path": "a", "symbol_count": null, "loc": null,
              "estimated_loc": 1, "fan_in": null, "fan_out": null, "complexity_score": null } "#,
        r#"{"file_path":"\u0061","symbol_count":null,"loc":null,"estimated_loc":10e-1,"fan_in":null,"fan_out":null,"complexity_score":null,"last_updated":0}"#,
        r#"{"file_path":"a","symbol_count":null,"loc":null,"estimated_loc":1.0000000000000000000001,"fan_in":null,"fan_out":null,"complexity_score":null,"last_updated":0}"#,
    ] {
        assert_eq!(decode_metrics(value), Ok(metrics(Some(1.0))), "{value}");
    }
}

#[test]
fn invalid_values_are_undecodable() {
    let good =
        format!(r#"{{"file_path":"a","symbol_count":null,"loc":1,{REST},"last_updated":0}}"#);
    assert!(decode_metrics(&good).is_ok());
    for (what, value) in [
        ("trailing text", format!("{good}x")),
        ("a trailing object", format!("{good}{good}")),
        ("an array of the fields", r#"["a",null,1,null,null,null,null,0]"#.to_owned()),
        ("nothing", String::new()),
        ("spaces", "  ".to_owned()),
        ("null", "null".to_owned()),
        ("a missing nullable field", good.replace(r#""loc":1,"#, "")),
        ("a missing required field", good.replace(r#","last_updated":0"#, "")),
        ("an unknown field", good.replace(r#""loc":1"#, r#""loc":1,"extra":null"#)),
        ("a doubled field", good.replace(r#""loc":1"#, r#""loc":1,"loc":1"#)),
        ("a float for an integer", good.replace(r#""loc":1"#, r#""loc":1.0"#)),
        ("an exponent in an integer", good.replace(r#""loc":1"#, r#""loc":1e2"#)),
        ("minus zero for an integer", good.replace(r#""loc":1"#, r#""loc":-0"#)),
        ("an integer out of range", good.replace(r#""loc":1"#, r#""loc":9223372036854775808"#)),
        ("a 40-digit integer", good.replace(r#""loc":1"#, &format!(r#""loc":{}"#, "1".repeat(40)))),
        ("a leading zero", good.replace(r#""loc":1"#, r#""loc":01"#)),
        ("a string for an integer", good.replace(r#""loc":1"#, r#""loc":"1""#)),
        (
            "null where there must be a value",
            good.replace(r#""last_updated":0"#, r#""last_updated":null"#),
        ),
        ("a number for a string", good.replace(r#""a""#, "1")),
        ("an infinite float", good.replace(r#""estimated_loc":null"#, r#""estimated_loc":1e999"#)),
        ("a lone surrogate", good.replace(r#""a""#, r#""\ud800""#)),
        ("a raw control character", good.replace(r#""a""#, "\"\u{1}\"")),
        ("a deep array", good.replace(r#""loc":1"#, &format!(r#""loc":{}"#, "[".repeat(100_000)))),
    ] {
        assert!(decode_metrics(&value).is_err(), "{what}: {value:.300}");
    }
    let not_utf8 = [&good.as_bytes()[..15], b"\xff", &good.as_bytes()[15..]].concat();
    assert!(decode_json(RecordKind::FileMetrics, &not_utf8).is_err());
}

#[test]
fn an_out_of_range_offset_is_undecodable() {
    let chunk = |start: &str| {
        let value = format!(
            r#"{{"id":1,"file_path":"a","byte_start":{start},"byte_end":5,"content":"","content_hash":"","symbol_name":null,"symbol_kind":null,"created_at":0}}"#
        );
        decode_json(RecordKind::Chunk, value.as_bytes())
    };
    assert!(chunk("9223372036854775807").is_ok());
    assert!(chunk("9223372036854775808").is_err());
    assert!(chunk("-1").is_err());
}
