//! How single fields of a record become JSON where serde's defaults are too lenient.

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Error, Serialize, Serializer};

/// Reads a field that may be `null` and must be there.
///
/// Without this, serde takes a missing `Option` field for `None`.
pub(super) fn required<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

/// Writes a float, refusing what JSON has no number for, and -0.0 as 0.0.
///
/// serde_json would write NaN and the infinities as `null`.
pub(super) fn finite<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(float) if !float.is_finite() => Err(S::Error::custom(format_args!(
            "{float} is not a finite number"
        ))),
        Some(float) => (float + 0.0).serialize(serializer),
        None => serializer.serialize_none(),
    }
}
