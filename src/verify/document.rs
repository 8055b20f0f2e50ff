//! A finding as a JSON object.

use serde::Serialize;
use serde_json::{Value, json};

use crate::codec::Digest;
use crate::compare::{Divergence, FieldDifference};

/// A text that is longer, in bytes, is cut where values are to be short.
const SHORT_BYTES: usize = 80;
/// Characters of it that stand before the first difference.
const SHORT_LEAD: usize = 20;

/// How much of a value a report shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Values {
    /// All of it.
    #[default]
    Full,
    /// A long text only around its first difference: as an object of `excerpt`, its `offset` in
    /// bytes, and `bytes`, the length of the whole.
    Short,
    /// Of a text only its length in bytes and its SHA-256, as an object of `bytes` and `sha256`.
    Redacted,
}

/// A divergence for programs.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use chunkmigrate::record::CodeChunk;
/// use chunkmigrate::store::ChunkStore;
/// use chunkmigrate::verify::{FindingDocument, Values, VerifyOptions, verify_pair};
/// use chunkmigrate::{NoProgress, Progress};
///
/// # let folder = tempfile::tempdir()?;
/// # let (left, right) = (folder.path().join("left.db"), folder.path().join("right.db"));
/// ChunkStore::new(&left)?.store_chunk(&CodeChunk::new("a.rs", 0, 2, "fn"))?;
/// ChunkStore::new(&right)?.store_chunk(&CodeChunk::new("a.rs", 0, 2, "fx"))?;
///
/// let progress: Arc<dyn Progress> = Arc::new(NoProgress);
/// let report = verify_pair(&left, &right, &VerifyOptions::default(), &progress)?;
/// for finding in &report.findings {
///     let document = FindingDocument::new(finding, Values::Redacted);
///     let line = serde_json::to_string(&document)?;
///     assert!(line.starts_with(r#"{"class":"field","kind":"chunk","key":"chunk:a.rs:0:2","#));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct FindingDocument {
    class: &'static str,
    kind: Option<&'static str>,
    key: Option<String>,
    /// A key that is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_hex: Option<String>,
    side: Option<&'static str>,
    fields: Vec<FieldDocument>,
    row: Option<RowDocument>,
    message: String,
}

#[derive(Debug, Clone, Serialize)]
struct FieldDocument {
    field: String,
    left: Value,
    right: Value,
    first_difference: Option<usize>,
}

#[derive(Debug, Clone, Serialize)]
struct RowDocument {
    table: &'static str,
    rowid: Option<i64>,
    column: &'static str,
    reason: &'static str,
}

impl FindingDocument {
    /// The document of a divergence.
    pub fn new(divergence: &Divergence, values: Values) -> Self {
        let key = divergence.key.as_deref().map(std::str::from_utf8);
        let row = divergence.row.as_ref().map(|row| RowDocument {
            table: row.table,
            rowid: row.rowid,
            column: row.column,
            reason: row.reason.name(),
        });
        let fields = divergence.fields.iter();
        FindingDocument {
            class: divergence.class.name(),
            kind: divergence.kind.map(|kind| kind.name()),
            key: key.and_then(|key| key.ok().map(str::to_owned)),
            key_hex: match key {
                Some(Err(_)) => divergence.key.as_deref().map(hex),
                _ => None,
            },
            side: divergence.side.map(|side| side.name()),
            fields: fields
                .map(|field| FieldDocument::new(field, values))
                .collect(),
            row,
            message: FindingDocument::message(divergence, values),
        }
    }

    /// The message of a divergence; redacted, it quotes no text of a value.
    pub fn message(divergence: &Divergence, values: Values) -> String {
        let message = match values {
            Values::Redacted => divergence.without_values.as_ref(),
            Values::Full | Values::Short => None,
        };
        message.unwrap_or(&divergence.message).clone()
    }

    /// The value of a field as a report shows it.
    pub fn value(value: &Value, values: Values) -> Value {
        shown(value, None, values)
    }
}

impl FieldDocument {
    fn new(field: &FieldDifference, values: Values) -> Self {
        let shown = |value| shown(value, field.first_difference, values);
        FieldDocument {
            field: field.field.clone(),
            left: shown(&field.left),
            right: shown(&field.right),
            first_difference: field.first_difference,
        }
    }
}

fn shown(value: &Value, first_difference: Option<usize>, values: Values) -> Value {
    match (value, values) {
        (Value::String(text), Values::Redacted) => json!({
            "bytes": text.len(),
            "sha256": Digest::of(text),
        }),
        (Value::String(text), Values::Short) if text.len() > SHORT_BYTES => {
            let (offset, excerpt) = excerpt(text, first_difference.unwrap_or(0));
            json!({"excerpt": excerpt, "offset": offset, "bytes": text.len()})
        }
        _ => value.clone(),
    }
}

/// The part of a text around an offset, and where it begins.
fn excerpt(text: &str, around: usize) -> (usize, String) {
    let mut boundaries = (0..=around.min(text.len())).rev();
    let before = boundaries
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let (head, tail) = text.split_at(before);
    let lead = head.char_indices().rev().take(SHORT_LEAD).last();
    let start = lead.map_or(before, |(index, _)| index);
    let lead = head.get(start..).unwrap_or_default();
    let excerpt = lead.chars().chain(tail.chars()).take(SHORT_BYTES);
    (start, excerpt.collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
