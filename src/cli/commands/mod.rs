//! The subcommands, one per file: arguments, help and implementation.

pub(super) mod completions;
pub(super) mod copy_args;
pub(super) mod export;
pub(super) mod import;
pub(super) mod inspect;
mod jobs_arg;
mod kind_arg;
pub(super) mod kv_to_sqlite;
pub(super) mod man;
pub(super) mod man_page;
pub(super) mod path_arg;
pub(super) mod sample;
pub(super) mod sqlite_to_kv;
pub(super) mod tables_arg;
pub(super) mod verify;
