//! The values of a record, in the order of its kind's fields.

use std::borrow::Cow;

use serde::ser::{Error as _, Serialize, Serializer};

use super::schema::{Field, FieldClass, KindSchema};
use crate::error::{Error, Result};

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Integer(i64),
    Offset(u64),
    Real(f64),
    Text(Cow<'a, str>),
}

impl Value<'_> {
    /// Whether it can be stored.
    pub(super) fn check(&self, field: &Field) -> Result<()> {
        let field = field.name;
        match *self {
            Value::Offset(offset) if i64::try_from(offset).is_err() => {
                Err(Error::OffsetRange { field })
            }
            Value::Real(value) if !value.is_finite() => Err(Error::NotFinite { field, value }),
            _ => Ok(()),
        }
    }
}

/// As JSON: a float without a JSON number, which serde_json would write as `null`, is an error.
impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Integer(integer) => serializer.serialize_i64(*integer),
            Value::Offset(offset) => serializer.serialize_u64(*offset),
            Value::Real(real) if real.is_finite() => serializer.serialize_f64(*real),
            Value::Real(real) => {
                Err(S::Error::custom(format_args!("{real} is not a finite number")))
            }
            Value::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// A record as one value per field of its kind.
#[derive(Debug, Clone)]
pub struct FieldValues<'a> {
    pub(crate) schema: &'static KindSchema,
    values: Vec<Value<'a>>,
}

impl<'a> FieldValues<'a> {
    /// `values` must be as many as the kind has fields, in their order and of their classes.
    pub(crate) const fn new(schema: &'static KindSchema, values: Vec<Value<'a>>) -> Self {
        FieldValues { schema, values }
    }

    /// The values in the order of the fields.
    pub(crate) fn values(&self) -> &[Value<'a>] {
        &self.values
    }

    /// The values, with borrowed texts.
    pub(crate) fn borrowed(&self) -> impl Iterator<Item = Value<'_>> {
        self.values.iter().map(|value| match value {
            Value::Null => Value::Null,
            Value::Integer(integer) => Value::Integer(*integer),
            Value::Offset(offset) => Value::Offset(*offset),
            Value::Real(real) => Value::Real(*real),
            Value::Text(text) => Value::Text(Cow::Borrowed(text)),
        })
    }

    /// Replaces the values by those of another record of the kind.
    pub(crate) fn replace(&mut self, values: impl Iterator<Item = Value<'a>>) {
        self.values.clear();
        self.values.extend(values);
    }

    /// The values with their fields.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static Field, &Value<'a>)> {
        self.schema.fields.iter().zip(&self.values)
    }

    /// The value at a place of the schema.
    pub(crate) fn get(&self, place: usize) -> &Value<'a> {
        self.values.get(place).unwrap_or(&Value::Null)
    }

    /// The text at a place of the schema; empty if it is not a text.
    pub(crate) fn text(&self, place: usize) -> &str {
        match self.get(place) {
            Value::Text(text) => text,
            _ => "",
        }
    }

    /// The values that form the key, in the order of the key.
    pub(crate) fn key(&self) -> impl Iterator<Item = &Value<'a>> {
        self.schema.key.iter().map(|place| self.get(*place))
    }

    /// The row id that the table assigned; `None` for kinds without ids.
    pub(crate) fn id(&self) -> Option<i64> {
        match self.get(0) {
            Value::Integer(id) if self.schema.has_ids => Some(*id),
            _ => None,
        }
    }

    /// The time of the last change, in Unix seconds.
    pub(crate) fn time(&self) -> Option<i64> {
        match self.get(self.schema.time) {
            Value::Integer(time) => Some(*time),
            _ => None,
        }
    }

    /// Total length of the texts in bytes.
    pub(crate) fn text_len(&self) -> usize {
        let texts = self.values.iter().map(|value| match value {
            Value::Text(text) => text.len(),
            _ => 0,
        });
        texts.sum()
    }

    pub(crate) fn into_values(self) -> std::vec::IntoIter<Value<'a>> {
        self.values.into_iter()
    }
}

/// A Rust type of fields.
pub(super) trait FieldType: Sized {
    const CLASS: FieldClass;
    const NULLABLE: bool = false;

    fn to_value(&self) -> Value<'_>;

    /// `None` for a value of another class.
    fn from_value(value: Value<'_>) -> Option<Self>;
}

impl FieldType for i64 {
    const CLASS: FieldClass = FieldClass::Integer;

    fn to_value(&self) -> Value<'_> {
        Value::Integer(*self)
    }

    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Integer(integer) => Some(integer),
            _ => None,
        }
    }
}

impl FieldType for u64 {
    const CLASS: FieldClass = FieldClass::Offset;

    fn to_value(&self) -> Value<'_> {
        Value::Offset(*self)
    }

    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Offset(offset) => Some(offset),
            _ => None,
        }
    }
}

impl FieldType for f64 {
    const CLASS: FieldClass = FieldClass::Real;

    fn to_value(&self) -> Value<'_> {
        // -0.0 becomes 0.0.
        Value::Real(*self + 0.0)
    }

    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Real(real) => Some(real),
            _ => None,
        }
    }
}

impl FieldType for String {
    const CLASS: FieldClass = FieldClass::Text;

    fn to_value(&self) -> Value<'_> {
        Value::Text(Cow::Borrowed(self))
    }

    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.into_owned()),
            _ => None,
        }
    }
}

impl<T: FieldType> FieldType for Option<T> {
    const CLASS: FieldClass = T::CLASS;
    const NULLABLE: bool = true;

    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, T::to_value)
    }

    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// Defines the Rust type of a kind of records: a struct with public fields, the list of those
/// fields for its [`KindSchema`], the conversions from and to [`FieldValues`], and serde's traits, for
/// which each field must be present, even if it is `null`.
macro_rules! record_type {
    ($(#[$attribute:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[$doc])*
                #[serde(deserialize_with = "serde::Deserialize::deserialize")]
                pub $field: $type,
            )*
        }

        impl $name {
            const FIELDS: &'static [$crate::record::schema::Field] =
                &[$($crate::record::schema::Field::of::<$type>(
                    stringify!($field),
                    concat!(",\"", stringify!($field), "\":"),
                )),*];

            pub(super) fn values(&self) -> Vec<$crate::record::value::Value<'_>> {
                vec![$($crate::record::value::FieldType::to_value(&self.$field)),*]
            }

            /// `None` if the values are not those of these fields.
            pub(super) fn from_values<'a>(
                mut values: impl Iterator<Item = $crate::record::value::Value<'a>>,
            ) -> Option<Self> {
                Some($name {
                    $($field: $crate::record::value::FieldType::from_value(values.next()?)?,)*
                })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let names = $name::FIELDS.iter().map(|field| field.name);
                serializer.collect_map(names.zip(self.values()))
            }
        }
    };
}

pub(super) use record_type;
