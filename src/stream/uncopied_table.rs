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
}

impl UncopiedTable {
    pub(crate) const fn new(name: String, rows: Option<u64>) -> Self {
        UncopiedTable { name, rows, reason: None }
    }

    pub(crate) const fn left_out(name: String, reason: String) -> Self {
        UncopiedTable { name, rows: None, reason: Some(reason) }
    }
}
