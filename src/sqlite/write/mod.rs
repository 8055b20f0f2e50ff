//! Writes records into tables and reads them back.

#[cfg(feature = "native-v2")]
pub(crate) mod bulk_loader;
pub(crate) mod key_index;
pub(crate) mod key_lookup;
#[cfg(feature = "native-v2")]
pub(crate) mod read_back;
pub(crate) mod rejection;
pub(crate) mod upsert;
pub(crate) mod writer;
