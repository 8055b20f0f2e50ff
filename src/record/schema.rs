//! What a kind of records looks like: the one list of its fields from which keys, JSON, columns and
//! comparisons derive.

#![expect(
    clippy::indexing_slicing,
    reason = "a schema refers to its own fields only, which `places` checks at compile time"
)]

use super::value::FieldType;

/// The type of a field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldClass {
    /// Text in UTF-8.
    Text,
    /// An integer.
    Integer,
    /// An integer, 0 or more.
    Offset,
    /// A finite float.
    Real,
}

/// A field of a record, which is also a column of its table.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// The name as JSON, with the comma before it and the colon after it.
    pub(crate) json_name: &'static str,
    pub(crate) class: FieldClass,
    pub(crate) nullable: bool,
}

impl Field {
    pub(super) const fn of<T: FieldType>(name: &'static str, json_name: &'static str) -> Self {
        Field { name, json_name, class: T::CLASS, nullable: T::NULLABLE }
    }
}

/// A kind of records. Fields are referred to by their place in [`fields`](KindSchema::fields).
#[derive(Debug)]
pub(crate) struct KindSchema {
    /// The name that options, reports and the manifest use, such as `file-metrics`.
    pub(crate) name: &'static str,
    /// The SQLite table that contains the records.
    pub(crate) table: &'static str,
    /// The prefix of all keys.
    pub(crate) key_prefix: &'static str,
    /// The fields, in the order of the JSON and of the columns.
    pub(crate) fields: &'static [Field],
    /// The fields that form the key, in the order of the key. Only the first may be a text.
    pub(crate) key: &'static [usize],
    /// Whether colons in the text of a key are doubled.
    pub(crate) doubles_colons: bool,
    /// Whether the first field is an id that must be unique in addition to the key.
    pub(crate) has_ids: bool,
    /// The field with the time of the last change, in Unix seconds.
    pub(crate) time: usize,
    /// A text field, and the field that holds its SHA-256.
    pub(crate) hashed: Option<[usize; 2]>,
    /// The field that is most likely to be large.
    pub(crate) largest: usize,
    /// The nullable numbers without `DEFAULT 0` in a new table.
    pub(crate) without_default: &'static [usize],
    /// The indexes of a new table: names and indexed columns.
    pub(crate) indexes: &'static [(&'static str, &'static str)],
}

impl KindSchema {
    /// The field at a place.
    pub(crate) fn field(&self, place: usize) -> &'static Field {
        &self.fields[place]
    }

    /// The first field of the key.
    pub(crate) fn first_of_key(&self) -> &'static Field {
        self.field(self.key[0])
    }

    /// The field with a name.
    pub(crate) fn named(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The names of the fields that form the key, in the order of the key.
    pub(crate) fn key_names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.key.iter().map(|place| self.field(*place).name)
    }

    /// The name of the id, if the kind has ids.
    pub(crate) fn id(&self) -> Option<&'static str> {
        self.has_ids.then(|| self.field(0).name)
    }
}

/// The places of fields, by name. Used in constants, where an unknown name doesn't compile.
pub(super) const fn places<const N: usize>(fields: &[Field], names: [&str; N]) -> [usize; N] {
    let mut places = [0; N];
    let mut index = 0;
    while index < N {
        places[index] = place(fields, names[index]);
        index += 1;
    }
    places
}

/// As [`places`], for one field.
pub(super) const fn place(fields: &[Field], name: &str) -> usize {
    let mut place = 0;
    while !equal(fields[place].name.as_bytes(), name.as_bytes()) {
        place += 1;
    }
    place
}

const fn equal(left: &[u8], right: &[u8]) -> bool {
    let mut index = 0;
    while index < left.len() && index < right.len() {
        if left[index] != right[index] {
            return false;
        }
        index += 1;
    }
    left.len() == right.len()
}
