use chunkmigrate::store::StoreKind;
use chunkmigrate::verify::StoreLabel;
use indicatif::HumanCount;

use crate::cli::term::terminal_escape::escaped_path;

pub(crate) fn plural<'w>(count: u64, one: &'w str, many: &'w str) -> &'w str {
    if count == 1 { one } else { many }
}

/// A number with the singular or plural form.
pub(crate) fn count_of(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", HumanCount(count), plural(count, one, many))
}

/// The text after the name of a store whose last writer did not close it.
pub(crate) fn closed(cleanly: bool) -> &'static str {
    match cleanly {
        true => "",
        false => ", not closed cleanly: its last complete state",
    }
}

/// The display name of a kind of store.
pub(crate) fn store_name(store: StoreKind) -> &'static str {
    match store {
        StoreKind::Sqlite => "SQLite",
        StoreKind::Kv => "KV",
        StoreKind::Ndjson => "NDJSON",
        StoreKind::Empty | StoreKind::Other(_) | StoreKind::Unknown => "unknown",
    }
}

/// The path of a store, and what it is in brackets.
pub(crate) fn described(store: &StoreLabel) -> String {
    let (path, name) = (escaped_path(&store.path), store_name(store.store));
    format!("{path} ({name}{})", closed(store.closed_cleanly))
}
