//! What a KV file says about the tables that it carries: the document `tables`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{TableSelection, rowid_name};
use crate::record::{KindSet, RecordKind};

/// The tables that a store carries in addition to the four kinds of records, and with a whole
/// database everything else that its own tool needs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CarriedTables {
    /// The text encoding of the database, as `PRAGMA encoding` names it.
    pub encoding: String,
    /// The tables in the order of the schema, including those whose rows are records of a kind.
    pub tables: Vec<Arc<TableSchema>>,
    /// The rows of `sqlite_sequence` for these tables, except those of the four kinds' tables. Of a
    /// whole database also the rows for tables that don't exist.
    pub sequences: Vec<(String, i64)>,
    /// The rest of the database; `None` if only some tables are carried.
    pub whole: Option<WholeDatabase>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TableSchema {
    /// Its name.
    pub name: String,
    /// The kind of record that its rows are; `None` if they are carried as they are.
    pub kind: Option<RecordKind>,
    /// The names of its columns in order, without generated ones.
    pub columns: Vec<String>,
    /// The places in [`columns`](TableSchema::columns) of the primary key, in the order of the key;
    /// empty if rows are identified by their rowid.
    pub key: Vec<usize>,
    /// Whether the rowid is no column, so that each row is stored with it.
    pub rowid: bool,
    /// The statement that creates it.
    pub sql: String,
}

/// What a whole database has in addition to ordinary tables.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WholeDatabase {
    /// Settings that the file has.
    pub settings: Settings,
    /// Virtual tables, indexes, views and triggers, in the order of the schema.
    pub objects: Vec<SchemaObject>,
}

/// Settings that a database file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// `PRAGMA page_size`.
    pub page_size: u32,
    /// `PRAGMA auto_vacuum`: 0 for none, 1 for full, 2 for incremental.
    pub auto_vacuum: u32,
    /// `PRAGMA user_version`.
    pub user_version: i32,
    /// `PRAGMA application_id`.
    pub application_id: i32,
    /// Whether the database is in WAL mode.
    pub wal: bool,
}

/// The type of an object of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ObjectType {
    /// A virtual table.
    VirtualTable,
    /// An index.
    Index,
    /// A view.
    View,
    /// A trigger.
    Trigger,
}

/// An object of the schema that is not an ordinary table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SchemaObject {
    /// Its type.
    #[serde(rename = "type")]
    pub object_type: ObjectType,
    /// Its name.
    pub name: String,
    /// The table that it belongs to; for a table or view its own name.
    pub table: String,
    /// The statement that creates it.
    pub sql: String,
}

/// The values of tables in the order of the tables' keys.
pub(crate) fn in_key_order<T>(tables: &BTreeMap<String, T>) -> Vec<&T> {
    let mut sorted: Vec<_> = tables.iter().collect();
    sorted.sort_by_cached_key(|(name, _)| super::key_prefix(name));
    sorted.into_iter().map(|(_, value)| value).collect()
}

impl ObjectType {
    /// What it is called in messages.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            ObjectType::VirtualTable => "virtual table",
            ObjectType::Index => "index",
            ObjectType::View => "view",
            ObjectType::Trigger => "trigger",
        }
    }
}

impl CarriedTables {
    /// Checks that the description does not contradict itself; it may come from a hostile file.
    ///
    /// # Errors
    /// Says what is wrong.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let mut names = BTreeSet::new();
        let mut kinds = BTreeSet::new();
        for table in &self.tables {
            if !names.insert(table.name.to_ascii_lowercase()) {
                return Err("two tables have the same name");
            }
            if table.kind.is_some_and(|kind| !kinds.insert(kind)) {
                return Err("two tables have the same kind");
            }
            if !table.key.iter().all(|place| *place < table.columns.len()) {
                return Err("a key has a column that its table lacks");
            }
            let mut columns = BTreeSet::new();
            if !table.columns.iter().all(|column| columns.insert(column)) {
                return Err("two columns of a table have the same name");
            }
            if table.rowid && rowid_name(table).is_none() {
                return Err("the columns of a table hide its rowid");
            }
        }
        Ok(())
    }

    /// A table without rows or columns.
    pub(crate) fn of_empty_table(name: &str) -> Self {
        let table = TableSchema {
            name: name.to_owned(),
            kind: None,
            columns: Vec::new(),
            key: Vec::new(),
            rowid: true,
            sql: String::new(),
        };
        let encoding = "UTF-8".to_owned();
        CarriedTables { encoding, tables: vec![Arc::new(table)], ..CarriedTables::default() }
    }

    /// Those of the kinds in `only` whose tables are not carried as they are.
    pub(crate) fn record_kinds(&self, only: KindSet) -> KindSet {
        let is_table = |kind: &RecordKind| {
            let mut tables = self.tables.iter().filter(|table| table.kind.is_none());
            tables.any(|table| table.name.eq_ignore_ascii_case(kind.table()))
        };
        only.iter().filter(|kind| !is_table(kind)).collect()
    }

    /// Whether a database that is restored from this can have records of a kind.
    pub(crate) fn takes_records_of(&self, kind: RecordKind) -> bool {
        let is_described = self.of_kind(kind).is_some();
        is_described || (self.whole.is_none() && self.record_kinds(kind.into()) != KindSet::NONE)
    }

    /// The selection that describes another database with the same tables.
    pub(crate) fn selection(&self) -> TableSelection {
        match self.whole {
            Some(_) => TableSelection::All,
            None => {
                let names = self.tables.iter().map(|table| table.name.clone());
                TableSelection::Named(names.collect())
            }
        }
    }

    /// Whether this describes the same database as `other`, in whatever order its objects were
    /// created.
    pub(crate) fn has_content_of(&self, other: &CarriedTables) -> bool {
        fn sorted<T: Clone, K: Ord>(items: &[T], key: impl Fn(&T) -> K) -> Vec<T> {
            let mut items = items.to_vec();
            items.sort_by_key(key);
            items
        }
        let tables = |tables: &[Arc<TableSchema>]| sorted(tables, |table| table.name.clone());
        let sequences = |all: &[(String, i64)]| sorted(all, Clone::clone);
        let whole = |carried: &CarriedTables| {
            let whole = carried.whole.clone()?;
            let objects = sorted(&whole.objects, |object| object.name.clone());
            Some(WholeDatabase { objects, ..whole })
        };
        self.encoding == other.encoding
            && tables(&self.tables) == tables(&other.tables)
            && sequences(&self.sequences) == sequences(&other.sequences)
            && whole(self) == whole(other)
    }

    /// Checks that all named tables are carried.
    ///
    /// # Errors
    /// One is not.
    pub(crate) fn check_names(&self, names: &[String], path: &Path) -> crate::Result<()> {
        let is_carried =
            |name: &&String| self.tables.iter().any(|table| table.name.eq_ignore_ascii_case(name));
        match names.iter().find(|name| !is_carried(name)) {
            None => Ok(()),
            Some(missing) => Err(crate::Error::NoSuchTable {
                path: path.to_owned(),
                table: missing.clone(),
                tables: self.tables.iter().map(|table| table.name.clone()).collect(),
            }),
        }
    }

    /// The description without all other tables, and without the rest of the database.
    pub(crate) fn of_tables(&self, is_kept: impl Fn(&TableSchema) -> bool) -> Self {
        let tables: Vec<_> = self.tables.iter().filter(|table| is_kept(table)).cloned().collect();
        let is_of_table =
            |name: &str| tables.iter().any(|table| table.name.eq_ignore_ascii_case(name));
        let sequences = self.sequences.iter().filter(|(name, _)| is_of_table(name));
        CarriedTables {
            encoding: self.encoding.clone(),
            sequences: sequences.cloned().collect(),
            tables,
            whole: None,
        }
    }

    /// The description with the sequences of another one for the tables in `is_merged`, where those
    /// are higher.
    pub(crate) fn with_sequences_of(
        &self,
        other: &CarriedTables,
        is_merged: impl Fn(&str) -> bool,
    ) -> Self {
        let mut raised = self.clone();
        for table in self.tables.iter().filter(|table| is_merged(&table.name)) {
            let is_its = |name: &str| name.eq_ignore_ascii_case(&table.name);
            let brought = other.sequences.iter().filter(|(name, _)| is_its(name));
            let Some(brought) = brought.map(|(_, sequence)| *sequence).max() else {
                continue;
            };
            let own = raised.sequences.iter_mut().find(|(name, _)| *name == table.name);
            match own {
                Some((_, sequence)) => *sequence = brought.max(*sequence),
                None if table.sql.to_ascii_uppercase().contains("AUTOINCREMENT") => {
                    raised.sequences.push((table.name.clone(), brought));
                }
                None => {}
            }
        }
        raised
    }

    /// The tables whose rows are carried as they are, in the order of their keys.
    pub(crate) fn in_key_order(&self) -> Vec<Arc<TableSchema>> {
        let tables = self.tables.iter().filter(|table| table.kind.is_none());
        let mut tables: Vec<_> = tables.map(Arc::clone).collect();
        tables.sort_by_cached_key(|table| super::key_prefix(&table.name));
        tables
    }

    /// The kinds whose tables are described, and whose rows are records.
    pub(crate) fn described_kinds(&self) -> KindSet {
        self.tables.iter().filter_map(|table| table.kind).collect()
    }

    /// The table of a kind.
    pub(crate) fn of_kind(&self, kind: RecordKind) -> Option<&Arc<TableSchema>> {
        self.tables.iter().find(|table| table.kind == Some(kind))
    }
}
