//! Field (de)serializers for cases where serde's defaults are too lenient.

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Error, Serialize, Serializer};

/// Reads a field that may be `null` but must be present.
///
/// Without this, serde reads a missing `Option` field as `None`.
pub(super) fn required<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

/// Writes a float: -0.0 as 0.0, and an error for values without a JSON number.
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
