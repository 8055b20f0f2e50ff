//! The SQL of the tables that contain records.

use crate::record::{Field, FieldClass, KindSchema, RecordKind};
use crate::stream::{InvalidRow, RawValue};

/// The id of the record in an invalid row, if the kind has ids and the row's is valid.
pub(crate) fn record_id(row: &InvalidRow) -> Option<i64> {
    let id = row.kind.schema().id()?;
    row.values.iter().find_map(|(column, value)| match value {
        RawValue::Integer(value) if *column == id => Some(*value),
        _ => None,
    })
}

/// SQL that creates the table of a kind, without its indexes, as in Magellan's newest schema.
pub(super) fn create_table_sql(kind: RecordKind) -> String {
    let schema = kind.schema();
    let columns = schema.fields.iter().enumerate();
    let mut parts: Vec<String> = columns
        .map(|(place, field)| {
            let class = match field.class {
                FieldClass::Text => "TEXT",
                FieldClass::Integer | FieldClass::Offset => "INTEGER",
                FieldClass::Real => "REAL",
            };
            format!("{} {class}{}", field.name, constraint(schema, place, field))
        })
        .collect();
    if schema.key.len() > 1 {
        let names: Vec<&str> = schema.key_names().collect();
        parts.push(format!("UNIQUE({})", names.join(", ")));
    }
    format!("CREATE TABLE {} (\n        {}\n    );", schema.table, parts.join(",\n        "))
}

fn constraint(schema: &KindSchema, place: usize, field: &Field) -> &'static str {
    let is_key = schema.key == [place];
    match field.class {
        _ if schema.has_ids && place == 0 => " PRIMARY KEY AUTOINCREMENT",
        _ if is_key && schema.has_ids => " NOT NULL UNIQUE",
        _ if is_key => " PRIMARY KEY",
        _ if !field.nullable => " NOT NULL",
        FieldClass::Text => "",
        _ if schema.without_default.contains(&place) => "",
        _ => " DEFAULT 0",
    }
}

/// SQL that creates the indexes of such a table.
pub(super) fn create_indexes_sql(kind: RecordKind) -> String {
    let KindSchema { table, indexes, .. } = kind.schema();
    let create = |(name, columns): &(_, _)| format!("CREATE INDEX {name} ON {table}({columns});");
    indexes.iter().map(create).collect()
}

/// The name of the SQL function that computes the keys of a kind.
pub(super) fn key_function(schema: &KindSchema) -> String {
    format!("{}_key", schema.name.replace('-', "_"))
}

/// Quotes a name for SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
