use serde::Serialize;

/// A table that is not copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UncopiedTable {
    /// Its name.
    #[serde(rename = "table")]
    pub name: String,
    /// Its number of rows; `None` if SQLite can't count them because the table is corrupt, or
    /// virtual with a module that is not built in.
    pub rows: Option<u64>,
    /// Why it can't be carried, if it was to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether its content is lost in a copy of the whole database.
    #[serde(skip)]
    pub(crate) is_lost: bool,
}

impl UncopiedTable {
    pub(crate) const fn new(name: String, rows: Option<u64>) -> Self {
        UncopiedTable { name, rows, reason: None, is_lost: false }
    }

    pub(crate) const fn left_out(name: String, reason: String) -> Self {
        UncopiedTable { name, rows: None, reason: Some(reason), is_lost: true }
    }

    /// A table of SQLite's statistics, which `ANALYZE` creates again.
    pub(crate) fn statistics(name: String) -> Self {
        let reason = Some("SQLite's own statistics".to_owned());
        UncopiedTable { name, rows: None, reason, is_lost: false }
    }
}
