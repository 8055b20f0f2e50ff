//! Writes records into tables and reads them back.

#[cfg(feature = "native-v2")]
pub(in crate::sqlite) mod bulk_loader;
pub(in crate::sqlite) mod key_index;
pub(in crate::sqlite) mod key_lookup;
#[cfg(feature = "native-v2")]
pub(in crate::sqlite) mod read_back;
pub(in crate::sqlite) mod rejection;
#[cfg(feature = "native-v2")]
pub(in crate::sqlite) mod row_order;
pub(in crate::sqlite) mod upsert;
pub(crate) mod writer;
