//! Tables of any shape: restoring them, and everything else that a schema has, in a new database.
//!
//! The statements that create a schema come from a file that may be hostile. They are tried first in
//! an empty database in memory ([`trial`]); each runs under an authorizer that allows nothing but the
//! creation of the object that the file claims ([`claim`]).

#[cfg(feature = "native-v2")]
mod claim;
mod columns;
pub(crate) mod describe;
pub(crate) mod read;
#[cfg(feature = "native-v2")]
pub(crate) mod restore;
#[cfg(feature = "native-v2")]
pub(crate) mod row_inserter;
#[cfg(test)]
#[cfg(feature = "native-v2")]
mod tests;
#[cfg(feature = "native-v2")]
pub(crate) mod trial;

/// The most objects that a schema may have: the time to create them is quadratic in their number.
pub(crate) const MAX_OBJECTS: usize = 10_000;

/// Whether only SQLite itself may create an object of this name.
fn is_reserved(name: &str) -> bool {
    name.get(..7).is_some_and(|prefix| prefix.eq_ignore_ascii_case("sqlite_"))
}
