//! Opening a database for reading: detecting the state of its files, and hardening SQLite.

pub(in crate::sqlite) mod connection;
pub(in crate::sqlite) mod fingerprint;
pub(in crate::sqlite) mod hardening;
pub(in crate::sqlite) mod open_mode;
pub(in crate::sqlite) mod private_copy;
