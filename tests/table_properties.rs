//! Databases with random schemas and rows of every storage class are carried whole.

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::common::whole_database::assert_script_is_carried;

/// A value as SQL.
fn value() -> impl Strategy<Value = String> {
    let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let bytes = || prop::collection::vec(any::<u8>(), 0..12).prop_map(hex);
    let special = [
        "NULL",
        "''",
        "x''",
        "-0.0",
        "9e999",
        "-9e999",
        "1.0",
        "'1'",
        "0",
        "x'00'",
        "'a '",
        "'A'",
        "'a'",
        "9223372036854775807",
        "-9223372036854775807 - 1",
    ];
    prop_oneof![
        3 => prop::sample::select(special.to_vec()).prop_map(str::to_owned),
        1 => (-20..120_i64).prop_map(|integer| integer.to_string()),
        1 => (i64::MIN + 1..i64::MAX).prop_map(|integer| integer.to_string()),
        1 => prop::num::f64::NORMAL.prop_map(|real| format!("{real:e}")),
        1 => "[ -~é🦀]{0,12}".prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
        1 => bytes().prop_map(|hex| format!("x'{hex}'")),
        1 => bytes().prop_map(|hex| format!("CAST(x'{hex}' AS TEXT)")),
    ]
}

#[derive(Debug, Clone)]
struct Table {
    columns: Vec<String>,
    key: Key,
    /// Each with a rowid and one value per column.
    rows: Vec<(i64, Vec<String>)>,
    index: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum Key {
    None,
    Rowid,
    Columns(usize),
    WithoutRowid(usize),
}

fn table() -> impl Strategy<Value = Table> {
    let definition = (
        prop::sample::select(vec![
            "",
            "INTEGER",
            "INT",
            "REAL",
            "TEXT",
            "BLOB",
            "NUMERIC",
            "VARCHAR(9)",
        ]),
        prop::sample::select(vec!["", "", "COLLATE NOCASE", "COLLATE RTRIM", "DEFAULT 'x'"]),
    );
    let definition = definition.prop_map(|(affinity, rest)| format!("{affinity} {rest}"));
    let key = prop_oneof![
        Just(Key::None),
        Just(Key::Rowid),
        (1..3_usize).prop_map(Key::Columns),
        (1..3_usize).prop_map(Key::WithoutRowid),
    ];
    (prop::collection::vec(definition, 2..6), key).prop_flat_map(|(columns, key)| {
        let rowid = prop_oneof![-5..40_i64, any::<i64>()];
        let row = (rowid, prop::collection::vec(value(), columns.len()));
        let index = prop::option::of(prop::sample::select(vec![
            "(c1)",
            "(c1 COLLATE NOCASE DESC, c0)",
            "(c0) WHERE c1 IS NOT NULL",
            "(typeof(c1), c0)",
        ]));
        (prop::collection::vec(row, 0..12), index).prop_map(move |(rows, index)| Table {
            columns: columns.clone(),
            key,
            rows,
            index: index.map(str::to_owned),
        })
    })
}

impl Table {
    /// SQL that creates and fills the table.
    fn script(&self, name: &str) -> String {
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        let mut definitions = Vec::new();
        for (place, column) in self.columns.iter().enumerate() {
            definitions.push(match (place, self.key) {
                (0, Key::Rowid) => "c0 INTEGER PRIMARY KEY".to_owned(),
                _ => format!("c{place} {column}"),
            });
        }
        let columns: Vec<_> = (0..self.columns.len()).map(|place| format!("c{place}")).collect();
        let key = |count: usize| {
            let mut key: Vec<_> = columns.iter().take(count).cloned().collect();
            key.reverse();
            format!("PRIMARY KEY ({})", key.join(", "))
        };
        let options = match self.key {
            Key::None | Key::Rowid => "",
            Key::Columns(count) => {
                definitions.push(key(count));
                ""
            }
            Key::WithoutRowid(count) => {
                definitions.push(key(count));
                " WITHOUT ROWID"
            }
        };
        let mut script = format!("CREATE TABLE {quoted} ({}){options};\n", definitions.join(", "));
        for (rowid, values) in &self.rows {
            let (mut columns, mut values) = (columns.clone(), values.clone());
            match self.key {
                Key::Rowid => values[0] = rowid.to_string(),
                Key::WithoutRowid(_) => {}
                Key::None | Key::Columns(_) => {
                    columns.push("rowid".to_owned());
                    values.push(rowid.to_string());
                }
            }
            script += &format!(
                "INSERT OR IGNORE INTO {quoted} ({}) VALUES ({});\n",
                columns.join(", "),
                values.join(", ")
            );
        }
        if let Some(index) = &self.index {
            script +=
                &format!("CREATE INDEX \"i {}\" ON {quoted} {index};\n", name.replace('"', "\"\""));
        }
        script
    }
}

fn database() -> impl Strategy<Value = String> {
    let encoding = prop::sample::select(vec!["UTF-8", "UTF-16le", "UTF-16be"]);
    let names = prop::sample::subsequence(
        vec!["a", "b:", "c%3A", "D d", "é", "\"", "code_chunks", "file_metrics"],
        1..4,
    );
    (encoding, names).prop_flat_map(|(encoding, names)| {
        prop::collection::vec(table(), names.len()).prop_map(move |tables| {
            let mut script = format!("PRAGMA encoding = '{encoding}';\n");
            for (name, table) in names.iter().zip(&tables) {
                script += &table.script(name);
            }
            script
        })
    })
}

fn is_carried(script: &str) -> TestCaseResult {
    let _ = assert_script_is_carried(script, script);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn random_databases_are_carried(script in database()) {
        is_carried(&script)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    #[ignore = "deep: 40 databases"]
    fn many_random_databases_are_carried(script in database()) {
        is_carried(&script)?;
    }
}
