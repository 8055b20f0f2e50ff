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

/// What any of the selections selects.
impl FromIterator<TableSelection> for TableSelection {
    fn from_iter<I: IntoIterator<Item = TableSelection>>(selections: I) -> Self {
        let mut all_names = Vec::new();
        for selection in selections {
            match selection {
                TableSelection::None => {}
                TableSelection::Named(names) => all_names.extend(names),
                TableSelection::All => return TableSelection::All,
            }
        }
        match all_names.is_empty() {
            true => TableSelection::None,
            false => TableSelection::Named(all_names),
        }
    }
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
