use chunkmigrate::store::StoreKind;
use indicatif::HumanCount;

/// The word that fits a number.
pub(super) fn plural<'w>(count: u64, one: &'w str, many: &'w str) -> &'w str {
    if count == 1 { one } else { many }
}

/// A number and the word that fits it.
pub(super) fn count_of(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", HumanCount(count), plural(count, one, many))
}

/// What people call a store.
pub(super) fn store_name(store: StoreKind) -> &'static str {
    match store {
        StoreKind::Sqlite => "SQLite",
        StoreKind::Kv => "KV",
        StoreKind::Ndjson => "NDJSON",
        StoreKind::Empty | StoreKind::Other(_) | StoreKind::Unknown => "unknown",
    }
}
