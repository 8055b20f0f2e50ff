/// Which tables to carry in addition to the four kinds of records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TableSelection {
    /// None.
    #[default]
    None,
    /// The tables with these names, whose case doesn't matter.
    Named(Vec<String>),
    /// Every table, and everything else that makes up the database.
    All,
}

impl TableSelection {
    /// Whether no table is selected.
    pub fn is_none(&self) -> bool {
        *self == TableSelection::None
    }

    /// Whether a table is selected.
    pub(crate) fn contains(&self, table: &str) -> bool {
        match self {
            TableSelection::None => false,
            TableSelection::Named(names) => {
                names.iter().any(|name| name.eq_ignore_ascii_case(table))
            }
            TableSelection::All => true,
        }
    }
}
