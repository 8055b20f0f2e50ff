//! Opening a database for reading: which state its files are in, and how SQLite is kept from harm.

pub(in crate::sqlite) mod connection;
pub(in crate::sqlite) mod fingerprint;
pub(in crate::sqlite) mod hardening;
pub(in crate::sqlite) mod open_mode;
pub(in crate::sqlite) mod private_copy;
