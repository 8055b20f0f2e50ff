use chunkmigrate::compare::Divergence;
use serde::Serialize;
use serde_json::Value;

/// A divergence for programs.
#[derive(Serialize)]
pub(super) struct DivergenceDocument {
    class: &'static str,
    kind: &'static str,
    key: Option<String>,
    side: Option<&'static str>,
    fields: Vec<FieldDocument>,
    row: Option<()>,
    message: String,
}

#[derive(Serialize)]
struct FieldDocument {
    field: String,
    left: Value,
    right: Value,
    first_difference: Option<usize>,
}

impl DivergenceDocument {
    pub(super) fn new(divergence: &Divergence) -> Self {
        let key = divergence.key.as_deref();
        DivergenceDocument {
            class: divergence.class.name(),
            kind: divergence.kind.name(),
            key: key.map(|key| String::from_utf8_lossy(key).into_owned()),
            side: divergence.side.map(|side| side.name()),
            fields: divergence
                .fields
                .iter()
                .map(|field| FieldDocument {
                    field: field.field.clone(),
                    left: field.left.clone(),
                    right: field.right.clone(),
                    first_difference: field.first_difference,
                })
                .collect(),
            row: None,
            message: divergence.message.clone(),
        }
    }
}
