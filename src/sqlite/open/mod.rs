//! Opening a database for reading: detecting the state of its files, and hardening SQLite.

pub(crate) mod connection;
pub(crate) mod fingerprint;
pub(crate) mod hardening;
pub(crate) mod open_mode;
pub(crate) mod private_copy;
