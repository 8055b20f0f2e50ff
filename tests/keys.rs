//! Keys: encoding and decoding are inverse, nothing else is accepted, and no two identities share a
//! key.

use chunkmigrate::internal::{KeyError, key_kind, parse_key};
use chunkmigrate::record::RecordKey;
use proptest::prelude::*;

use crate::common::records::{key, text};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn keys_survive_encoding_and_decoding(key in key()) {
        prop_assert_eq!(parse_key(&key.encode()), Ok(key));
    }

    #[test]
    fn distinct_identities_never_share_a_key(left in key(), right in key()) {
        prop_assert_eq!(left.encode() == right.encode(), left == right);
    }

    #[test]
    fn every_parsed_key_encodes_to_the_same_bytes(
        prefix in prop::sample::select(vec!["chunk:", "execlog:", "metrics:file:", "metrics:symbol:", ""]),
        rest in "[:0-9a+. -]{0,12}",
    ) {
        let bytes = format!("{prefix}{rest}").into_bytes();
        let parsed = parse_key(&bytes);
        prop_assert_eq!(key_kind(&bytes), parsed.clone().map(|key| key.kind()));
        if let Ok(key) = parsed {
            prop_assert_eq!(key.encode(), bytes);
        }
    }

    #[test]
    fn files_are_contiguous_in_the_order_of_their_escaped_paths(
        left in text(), right in text(),
        spans in prop::collection::vec((0..2000u64, 0..2000u64), 1..4),
    ) {
        let keys = |path: &str| {
            let chunk = |(byte_start, byte_end): &(u64, u64)| RecordKey::Chunk {
                file_path: path.to_owned(),
                byte_start: *byte_start,
                byte_end: *byte_end,
            }.encode();
            spans.iter().map(chunk).collect::<Vec<_>>()
        };
        let doubled = |path: &str| format!("{}:", path.replace(':', "::"));
        prop_assume!(left != right);
        for left_key in keys(&left) {
            for right_key in keys(&right) {
                prop_assert_eq!(left_key.cmp(&right_key), doubled(&left).cmp(&doubled(&right)));
            }
        }
    }
}

#[test]
fn chunk_keys_are_parsed_from_the_right() {
    let key = RecordKey::Chunk { file_path: "a:".to_owned(), byte_start: 0, byte_end: 5 };
    assert_eq!(parse_key(b"chunk:a:::0:5"), Ok(key));
}

#[test]
fn malformed_keys_are_rejected() {
    let number = |text: &str| KeyError::Number { text: text.to_owned() };
    for (bytes, error) in [
        (&b"chunks:a:0:5"[..], KeyError::UnknownPrefix),
        (b"", KeyError::UnknownPrefix),
        (b"metrics:", KeyError::UnknownPrefix),
        (b"chunk:a", KeyError::MissingOffset),
        (b"chunk:5", KeyError::MissingOffset),
        (b"chunk:a:b:0:5", KeyError::SingleColon),
        (b"chunk:a::::b:::c:0:5", KeyError::SingleColon),
        (b"metrics:file:a:b", KeyError::SingleColon),
        (b"chunk:a:00:5", number("00")),
        (b"chunk:a:+1:5", number("+1")),
        (b"chunk:a:-1:5", number("-1")),
        (b"chunk:a:1:", number("")),
        (b"chunk:a:1: 5", number(" 5")),
        (b"chunk:a:1:9223372036854775808", number("9223372036854775808")),
        (b"metrics:symbol:-0", number("-0")),
        (b"metrics:symbol:--1", number("--1")),
        (b"metrics:symbol:", number("")),
        (b"metrics:symbol:-9223372036854775809", number("-9223372036854775809")),
        ("metrics:symbol:\u{661}".as_bytes(), number("\u{661}")),
        (b"chunk:a\xff:0:5", KeyError::NotUtf8 { valid_up_to: 7 }),
        (b"execlog:\xc3", KeyError::NotUtf8 { valid_up_to: 8 }),
    ] {
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!(parse_key(bytes), Err(error), "{shown}");
    }
}
