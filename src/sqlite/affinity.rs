//! Columns whose declared type lets SQLite convert the values stored in them
//! (<https://www.sqlite.org/datatype3.html#determination_of_column_affinity>).

use crate::record::FieldClass;
use crate::table::Cell;

/// The type affinity of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affinity {
    Integer,
    Text,
    Blob,
    Real,
    Numeric,
}

impl Affinity {
    /// SQLite's rules, in their order.
    pub(crate) fn of(declared: &str, is_strict: bool) -> Self {
        let declared = declared.to_ascii_uppercase();
        let has = |part: &str| declared.contains(part);
        if has("INT") {
            Affinity::Integer
        } else if has("CHAR") || has("CLOB") || has("TEXT") {
            Affinity::Text
        } else if has("BLOB") || declared.is_empty() {
            Affinity::Blob
        } else if has("REAL") || has("FLOA") || has("DOUB") {
            Affinity::Real
        } else if is_strict && declared == "ANY" {
            Affinity::Blob
        } else {
            Affinity::Numeric
        }
    }

    /// Whether every value of a class is stored unchanged.
    pub(crate) const fn keeps(self, class: FieldClass) -> bool {
        match class {
            FieldClass::Text => matches!(self, Affinity::Text | Affinity::Blob),
            FieldClass::Integer | FieldClass::Offset => {
                matches!(self, Affinity::Integer | Affinity::Numeric | Affinity::Blob)
            }
            FieldClass::Real => matches!(self, Affinity::Real | Affinity::Blob),
        }
    }

    /// Whether a value is stored unchanged. Not known of text with a NUL or that is not well-formed,
    /// which counts as unchanged.
    pub(crate) fn keeps_cell(self, cell: &Cell<'_>) -> bool {
        match (self, cell) {
            (_, Cell::Null | Cell::Blob(_) | Cell::IllFormedText(_)) | (Affinity::Blob, _) => true,
            (Affinity::Text, cell) => matches!(cell, Cell::Text(_)),
            (_, Cell::Text(text)) => !is_number(text),
            (Affinity::Real, Cell::Real(real)) => real.to_bits() != (-0.0_f64).to_bits(),
            (Affinity::Real, Cell::Integer(_)) => false,
            (_, Cell::Integer(_)) => true,
            (_, Cell::Real(real)) => !is_stored_as_integer(*real),
        }
    }
}

/// Whether SQLite reads the whole of a text, which has no NUL, as a number.
fn is_number(text: &str) -> bool {
    let text = text.trim_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let text = unsigned(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(unsigned(exponent))),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    are_digits(whole)
        && are_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && are_digits(exponent))
}

fn unsigned(number: &str) -> &str {
    number.strip_prefix(['+', '-']).unwrap_or(number)
}

/// Whether a column for integers converts a number.
fn is_stored_as_integer(real: f64) -> bool {
    let limit = -(i64::MIN as f64);
    real.trunc() == real && -limit < real && real < limit
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::Connection;
    use rusqlite::types::ValueRef;

    use super::*;

    /// Compares the rules with SQLite's own results.
    #[test]
    fn a_declared_type_keeps_the_same_values_as_sqlite() {
        let db = Connection::open_in_memory().unwrap();
        let classes = [
            (FieldClass::Text, "'12'", "text"),
            (FieldClass::Integer, "12", "integer"),
            (FieldClass::Real, "12.0", "real"),
        ];
        let declared = "INTEGER,BIGINT,TEXT,VARCHAR(9),CLOB,BLOB,,REAL,FLOAT,DOUBLE PRECISION,\
            NUMERIC,STRING,ANY,DATETIME,CHARINT,FLOATING POINT";
        for declared in declared.split(',') {
            for (class, value, kept) in classes {
                db.execute_batch(&format!(
                    "DROP TABLE IF EXISTS t; CREATE TABLE t (c {declared}); INSERT INTO t VALUES ({value})"
                ))
                .unwrap();
                let stored: String =
                    db.query_row("SELECT typeof(c) FROM t", [], |row| row.get(0)).unwrap();
                let keeps = Affinity::of(declared, false).keeps(class);
                assert_eq!(keeps, stored == kept, "{value} in {declared}");
            }
        }
        assert!(Affinity::of("ANY", true).keeps(FieldClass::Real));
    }

    fn any_cell() -> impl Strategy<Value = Cell<'static>> {
        let real = |real: f64| if real.is_nan() { Cell::Null } else { Cell::Real(real) };
        prop_oneof![
            any::<i64>().prop_map(Cell::Integer),
            any::<f64>().prop_map(real),
            any::<i64>().prop_map(|integer| Cell::Real(integer as f64)),
            (-9..9_i32, 40..70_i32)
                .prop_map(|(add, power)| { Cell::Real(2_f64.powi(power) + f64::from(add)) }),
            prop::sample::select(vec![
                0.0,
                -0.0,
                f64::INFINITY,
                f64::NEG_INFINITY,
                -(2_f64.powi(63))
            ])
            .prop_map(Cell::Real),
            any::<f64>().prop_map(|real| Cell::Text(real.to_string().into())),
            "[ \t\n\x0b\x0c\r]{0,2}[+-]?[0-9]{0,3}[.]?[0-9]{0,2}([eE][+-]?[0-9]{0,2})?[ \r_x]{0,2}"
                .prop_map(|text| Cell::Text(text.into())),
            "[0-9]{17,24}([.][0-9]{1,20})?".prop_map(|text| Cell::Text(text.into())),
            "[-+.eE 0-9a]{0,4}".prop_map(|text| Cell::Text(text.into())),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        #[test]
        fn a_cell_is_kept_if_and_only_if_sqlite_stores_it_unchanged(
            cell in any_cell(),
            declared in prop::sample::select(vec!["INTEGER", "TEXT", "BLOB", "REAL", "NUMERIC", ""]),
            encoding in prop::sample::select(vec!["UTF-8", "UTF-16le"]),
        ) {
            let db = Connection::open_in_memory().unwrap();
            let setup = format!("PRAGMA encoding = '{encoding}'; CREATE TABLE t (c {declared})");
            db.execute_batch(&setup).unwrap();
            db.execute("INSERT INTO t VALUES (?1)", [&cell]).unwrap();
            let is_kept = db
                .query_row("SELECT c FROM t", [], |row| {
                    Ok(match (row.get_ref(0)?, &cell) {
                        (ValueRef::Integer(stored), Cell::Integer(given)) => stored == *given,
                        (ValueRef::Real(stored), Cell::Real(given)) => {
                            stored.to_bits() == given.to_bits()
                        }
                        (ValueRef::Text(stored), Cell::Text(given)) => stored == given.as_bytes(),
                        (ValueRef::Null, Cell::Null) => true,
                        _ => false,
                    })
                })
                .unwrap();
            prop_assert_eq!(Affinity::of(declared, false).keeps_cell(&cell), is_kept);
        }
    }
}
