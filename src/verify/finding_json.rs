//! A finding as a JSON object.

use serde::Serialize;
use serde_json::Value;

use crate::compare::{FieldDifference, Finding, Values};

/// A finding as JSON, for programs.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use chunkmigrate::record::CodeChunk;
/// use chunkmigrate::store::ChunkStore;
/// use chunkmigrate::verify::{FindingJson, Values, VerifyOptions, verify_pair};
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
///     let document = FindingJson::new(finding, Values::Redacted);
///     let line = serde_json::to_string(&document)?;
///     assert!(line.starts_with(r#"{"class":"field","kind":"chunk","key":"chunk:a.rs:0:2","#));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct FindingJson {
    class: &'static str,
    kind: Option<&'static str>,
    key: Option<String>,
    /// The key in hex if it is not UTF-8.
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

impl FindingJson {
    /// The JSON form of a finding.
    pub fn new(divergence: &Finding, values: Values) -> Self {
        let key = divergence.key.as_deref().map(std::str::from_utf8);
        let row = divergence.row.as_ref().map(|row| RowDocument {
            table: row.table,
            rowid: row.rowid,
            column: row.column,
            reason: row.reason.name(),
        });
        let fields = divergence.fields.iter();
        FindingJson {
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
            message: FindingJson::message(divergence, values),
        }
    }

    /// The message of a finding; if redacted, it contains no text from a value.
    pub fn message(divergence: &Finding, values: Values) -> String {
        let message = match values {
            Values::Redacted => divergence.without_values.as_ref(),
            Values::Full | Values::Short => None,
        };
        message.unwrap_or(&divergence.message).clone()
    }

    /// The value of a field in displayed form.
    pub fn value(value: &Value, values: Values) -> Value {
        values.shown(value, None)
    }
}

impl FieldDocument {
    fn new(field: &FieldDifference, values: Values) -> Self {
        let shown = |value| values.shown(value, field.first_difference);
        FieldDocument {
            field: field.field.clone(),
            left: shown(&field.left),
            right: shown(&field.right),
            first_difference: field.first_difference,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
