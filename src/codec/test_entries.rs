//! Entries for property tests: valid ones, and others that differ from those in little.
//!
//! What they are is decided by serde's own code for the Rust types, which shares nothing with the
//! code that it is compared with.

use std::borrow::Cow;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{Digest, Entry, write_own_key};
use crate::record::{Field, FieldClass, FieldValues, Record, RecordKind, Value};

/// An entry that may be invalid, and the kind as which it is checked.
#[derive(Debug, Clone)]
pub(crate) struct TestEntry {
    pub(crate) kind: RecordKind,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

impl TestEntry {
    pub(crate) fn entry(&self) -> Entry<'_> {
        Entry { key: &self.key, value: &self.value }
    }

    /// The record in any notation.
    pub(crate) fn record(&self) -> Option<Record> {
        // serde would also accept an array of the fields.
        if self.value.trim_ascii_start().first() != Some(&b'{') {
            return None;
        }
        let value = self.value.as_slice();
        let record = match self.kind {
            RecordKind::Chunk => Record::Chunk(serde_json::from_slice(value).ok()?),
            RecordKind::ExecutionLog => Record::ExecutionLog(serde_json::from_slice(value).ok()?),
            RecordKind::FileMetrics => Record::FileMetrics(serde_json::from_slice(value).ok()?),
            RecordKind::SymbolMetrics => Record::SymbolMetrics(serde_json::from_slice(value).ok()?),
        };
        record.check().ok().map(|()| record)
    }

    /// The record, if the value is canonical.
    pub(crate) fn canonical_record(&self) -> Option<Record> {
        let record = self.record()?;
        let canonical = match &record {
            Record::Chunk(record) => serde_json::to_vec(record),
            Record::ExecutionLog(record) => serde_json::to_vec(record),
            Record::FileMetrics(record) => serde_json::to_vec(record),
            Record::SymbolMetrics(record) => serde_json::to_vec(record),
        };
        (canonical.unwrap() == self.value).then_some(record)
    }

    /// Whether the value is the canonical record of the key.
    pub(crate) fn is_sound(&self) -> bool {
        let record = self.canonical_record();
        record.is_some_and(|record| record.key().encode() == self.key)
    }

    /// Whether the record's hash is that of its content.
    pub(crate) fn has_right_hash(&self) -> bool {
        match self.record() {
            Some(Record::Chunk(chunk)) => {
                let hash = Digest::of(&chunk.content).to_string();
                chunk.content_hash.eq_ignore_ascii_case(&hash)
            }
            _ => true,
        }
    }
}

/// A record of each kind with each of its fields in every notation of [`OTHER_VALUES`] and
/// [`AFFIXES`].
pub(crate) fn entries_in_other_notations() -> impl Iterator<Item = TestEntry> {
    RecordKind::ALL.into_iter().flat_map(|kind| {
        let values = kind.schema().fields.iter().map(|field| match field.class {
            FieldClass::Text => Value::Text(Cow::Borrowed("a/\u{1f}\n")),
            FieldClass::Integer => Value::Integer(50),
            FieldClass::Offset => Value::Offset(50),
            FieldClass::Real => Value::Real(5.5),
        });
        let parts = Parts::of(kind, values.collect());
        let places = 0..parts.fields.len();
        places.flat_map(move |place| {
            let parts = parts.clone();
            let value = parts.fields[place].1.clone();
            let affixed = AFFIXES.map(|(before, after)| format!("{before}{value}{after}"));
            let others = OTHER_VALUES.map(str::to_owned);
            affixed.into_iter().chain(others).map(move |value| {
                let mut parts = parts.clone();
                parts.fields[place].1 = value;
                parts.join()
            })
        })
    })
}

/// Any entry, as any kind.
pub(crate) fn any_entry() -> impl Strategy<Value = TestEntry> {
    let other_kind = prop_oneof![7 => Just(None), 1 => select(&RecordKind::ALL).prop_map(Some)];
    let entry = prop_oneof![1 => of_any_kind(valid), 3 => of_any_kind(changed)];
    (entry, other_kind)
        .prop_map(|(entry, kind)| TestEntry { kind: kind.unwrap_or(entry.kind), ..entry })
}

/// Entries of one kind, most of them valid.
pub(crate) fn entries_of_a_kind() -> impl Strategy<Value = Vec<TestEntry>> {
    of_any_kind(|kind| {
        let entry = prop_oneof![11 => valid(kind), 1 => changed(kind)];
        vec(entry, 0..10).boxed()
    })
}

/// Valid entries of one kind.
pub(crate) fn valid_entries_of_a_kind() -> impl Strategy<Value = Vec<TestEntry>> {
    of_any_kind(|kind| vec(valid(kind), 0..10).boxed())
}

fn of_any_kind<T: std::fmt::Debug + 'static>(
    of_kind: impl Fn(RecordKind) -> BoxedStrategy<T>,
) -> BoxedStrategy<T> {
    prop::strategy::Union::new(RecordKind::ALL.map(of_kind)).boxed()
}

/// The fields of a valid value, each as its name and its value in JSON, and its key.
#[derive(Debug, Clone)]
struct Parts {
    kind: RecordKind,
    key: Vec<u8>,
    fields: Vec<(String, String)>,
}

impl Parts {
    fn of(kind: RecordKind, values: Vec<Value<'_>>) -> Self {
        let values = FieldValues::new(kind.schema(), values);
        let mut key = Vec::new();
        write_own_key(&values, &mut key);
        let json = |(field, value): (&Field, _)| {
            (field.json_name.trim_start_matches(',').to_owned(), json_of::<Value<'_>>(value))
        };
        let fields = values.iter().map(json).collect();
        Parts { kind, key, fields }
    }

    fn join(self) -> TestEntry {
        let fields: Vec<String> = self.fields.iter().map(|(n, v)| format!("{n}{v}")).collect();
        TestEntry {
            kind: self.kind,
            key: self.key,
            value: format!("{{{}}}", fields.join(",")).into_bytes(),
        }
    }
}

fn json_of<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap()
}

fn valid(kind: RecordKind) -> BoxedStrategy<TestEntry> {
    parts(kind).prop_map(Parts::join).boxed()
}

fn parts(kind: RecordKind) -> impl Strategy<Value = Parts> {
    let schema = kind.schema();
    let values: Vec<_> = schema.fields.iter().map(value_of).collect();
    (values, 0..6u8).prop_map(move |(mut values, choice)| {
        if let Some([content, hash]) = schema.hashed
            && let Value::Text(text) = &values[content]
        {
            let right = Digest::of(text.as_bytes()).to_string();
            match choice {
                0 => {}
                1 => values[hash] = Value::Text(Cow::Owned(right.to_uppercase())),
                _ => values[hash] = Value::Text(Cow::Owned(right)),
            }
        }
        Parts::of(kind, values)
    })
}

fn value_of(field: &Field) -> BoxedStrategy<Value<'static>> {
    let value = match field.class {
        FieldClass::Text => text().prop_map(|text| Value::Text(Cow::Owned(text))).boxed(),
        FieldClass::Integer => integer().prop_map(Value::Integer).boxed(),
        FieldClass::Offset => integer()
            .prop_map(|integer| Value::Offset(integer.unsigned_abs().min(i64::MAX as u64)))
            .boxed(),
        FieldClass::Real => real().prop_map(Value::Real).boxed(),
    };
    match field.nullable {
        true => prop_oneof![1 => Just(Value::Null), 3 => value].boxed(),
        false => value,
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,40}",
        "[a:/]{0,4}",
        "[a-c\u{0}-\u{1f}\"\\\\\u{7f}\u{e9}\u{2028}\u{10000}]{0,20}",
    ]
}

fn integer() -> impl Strategy<Value = i64> {
    prop_oneof![0..20i64, any::<i64>(), Just(i64::MAX), Just(i64::MIN)]
}

/// A finite float; -0.0 is kept as 0.0.
fn real() -> impl Strategy<Value = f64> {
    let any_bits = any::<u64>().prop_map(f64::from_bits);
    let short = (-1000..1000i32).prop_map(|number| f64::from(number) / 8.0);
    let limits = select(vec![1e15, 1e16, 1e17, 1e-5, 1e-6, 5e-324, f64::MAX]);
    prop_oneof![any_bits, short, limits]
        .prop_filter("finite", |real| real.is_finite())
        .prop_map(|real| real + 0.0)
}

/// Values in other notations, and ones that are not JSON.
const OTHER_VALUES: [&str; 40] = [
    "0",
    "-0",
    "-0.0",
    "0.0",
    "1",
    "1.0",
    "1.00",
    "1e2",
    "1E2",
    "1e+2",
    "100.0",
    "01",
    "+1",
    ".5",
    "1.",
    "1e400",
    "1e-400",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "NaN",
    "inf",
    "null",
    "Null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\"a\"",
    "\"\\u0061\"",
    "\"\\/\"",
    "\"\\n\"",
    "\"\\u000a\"",
    "\"\\u001f\"",
    "\"\\u001F\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud800\"",
    "\"\u{1f}\"",
    "",
];

/// What may be put before and after a value.
const AFFIXES: [(&str, &str); 12] = [
    (" ", ""),
    ("", "\n"),
    ("\t", " "),
    ("", ".0"),
    ("", "0"),
    ("", "e0"),
    ("0", ""),
    ("-", ""),
    ("+", ""),
    ("\"", "\""),
    ("", ","),
    ("[", "]"),
];

#[derive(Debug, Clone)]
enum Change {
    SwapFields(Index, Index),
    RemoveField(Index),
    RepeatField(Index),
    RenameField(Index),
    OtherValue(Index, &'static str),
    Affixes(Index, (&'static str, &'static str)),
    /// A character of a value as `\u` and four digits.
    Escape(Index, Index),
    FlipBit(Index, u8),
    InsertByte(Index, u8),
    RemoveByte(Index),
    KeyByte(Index, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    let special = select(b"\"\\{}:, \n0-.eun\xc3\xff\0".to_vec());
    prop_oneof![
        1 => (at(), at()).prop_map(|(one, other)| Change::SwapFields(one, other)),
        1 => at().prop_map(Change::RemoveField),
        1 => at().prop_map(Change::RepeatField),
        1 => at().prop_map(Change::RenameField),
        4 => (at(), select(&OTHER_VALUES)).prop_map(|(at, value)| Change::OtherValue(at, value)),
        4 => (at(), select(&AFFIXES)).prop_map(|(at, affixes)| Change::Affixes(at, affixes)),
        3 => (at(), at()).prop_map(|(field, at)| Change::Escape(field, at)),
        2 => (at(), 0..8u8).prop_map(|(at, bit)| Change::FlipBit(at, bit)),
        2 => (at(), special.clone()).prop_map(|(at, byte)| Change::InsertByte(at, byte)),
        2 => at().prop_map(Change::RemoveByte),
        2 => (at(), special).prop_map(|(at, byte)| Change::KeyByte(at, byte)),
    ]
}

fn changed(kind: RecordKind) -> BoxedStrategy<TestEntry> {
    (parts(kind), vec(change(), 1..3))
        .prop_map(|(mut parts, changes)| {
            for change in &changes {
                change_fields(&mut parts.fields, change);
            }
            let mut entry = parts.join();
            for change in &changes {
                change_bytes(&mut entry, change);
            }
            entry
        })
        .boxed()
}

fn change_fields(fields: &mut Vec<(String, String)>, change: &Change) {
    let count = fields.len();
    match change {
        Change::SwapFields(one, other) => fields.swap(one.index(count), other.index(count)),
        // A record has more fields than a test makes changes.
        Change::RemoveField(at) => drop(fields.remove(at.index(count))),
        Change::RepeatField(at) => fields.insert(at.index(count), fields[at.index(count)].clone()),
        Change::RenameField(at) => fields[at.index(count)].0.insert(1, 'x'),
        Change::OtherValue(at, value) => fields[at.index(count)].1 = (*value).to_owned(),
        Change::Affixes(at, (before, after)) => {
            let value = &mut fields[at.index(count)].1;
            *value = format!("{before}{value}{after}");
        }
        Change::Escape(field, at) => {
            let value = &mut fields[field.index(count)].1;
            let characters = value.chars().count();
            if let Some(at) = (characters > 2).then(|| 1 + at.index(characters - 2)) {
                let escaped =
                    value.chars().enumerate().map(|(place, character)| match place == at {
                        true => format!("\\u{:04x}", u32::from(character)),
                        false => character.to_string(),
                    });
                *value = escaped.collect();
            }
        }
        _ => {}
    }
}

fn change_bytes(entry: &mut TestEntry, change: &Change) {
    let value = &mut entry.value;
    match change {
        Change::FlipBit(at, bit) => {
            let at = at.index(value.len());
            value[at] ^= 1 << bit;
        }
        Change::InsertByte(at, byte) => value.insert(at.index(value.len() + 1), *byte),
        Change::RemoveByte(at) => drop(value.remove(at.index(value.len()))),
        Change::KeyByte(at, byte) => {
            let at = at.index(entry.key.len());
            entry.key[at] = *byte;
        }
        _ => {}
    }
}
