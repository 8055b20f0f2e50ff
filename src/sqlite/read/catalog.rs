//! The tables of a database that can be read.

use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::progress::{Progress, Stage};
use crate::record::{PerKind, RecordKind};
use crate::sqlite::open::connection::{reading, register_fallback_collations};
use crate::sqlite::open::open_mode::SourceFiles;
use crate::sqlite::read::key_function;
use crate::sqlite::read::options::SourceOptions;
use crate::sqlite::read::other_tables;
use crate::sqlite::read::table_columns::TableColumns;
use crate::sqlite::read::table_stats::{TableStats, check_without_columns, survey};
use crate::sqlite::read::text_encoding::TextEncoding;
use crate::sqlite::tables::describe::{Described, check_names};
use crate::sqlite::tables::read;

/// What is known about a database before its rows are read.
#[derive(Debug)]
pub(crate) struct Catalog {
    pub(crate) encoding: TextEncoding,
    /// The tables of the selected kinds.
    pub(crate) tables: PerKind<Option<TableColumns>>,
    pub(crate) surveys: PerKind<TableStats>,
    /// The selected kinds without a table.
    pub(crate) missing: Vec<RecordKind>,
    pub(crate) schema_version: Option<i64>,
    /// The tables that are carried in addition to those of the kinds.
    pub(crate) described: Described,
}

impl Catalog {
    pub(crate) fn read(
        connection: &Connection,
        files: &SourceFiles,
        options: &SourceOptions,
        progress: &Progress,
    ) -> Result<Self> {
        let path = files.given.as_path();
        let encoding = TextEncoding::of(connection, path)?;
        key_function::register(connection, encoding)
            .and_then(|()| register_fallback_collations(connection))
            .map_err(reading(path))?;

        if !options.may_lack_tables {
            check_names(connection, path, &options.tables)?;
        }
        let mut contents = Catalog {
            encoding,
            tables: PerKind::default(),
            surveys: PerKind::default(),
            missing: Vec::new(),
            schema_version: other_tables::schema_version(connection).map_err(reading(path))?,
            described: Described::read(
                connection,
                path,
                files.wal_mode,
                &options.tables,
                options.as_records.unwrap_or(options.only),
            )?,
        };
        if !options.tables.is_none() {
            read::register(connection, encoding).map_err(reading(path))?;
        }
        let mut found_any = false;
        for kind in RecordKind::ALL {
            if !options.only.contains(kind) {
                found_any |= other_tables::exists(connection, kind).map_err(reading(path))?;
                continue;
            }
            if options.tables.contains(kind.table())
                && contents.described.carried.of_kind(kind).is_none()
            {
                // It is carried as it is, or does not exist.
                continue;
            }
            match TableColumns::read(connection, path, kind, encoding.is_utf16())? {
                Some(layout) => {
                    found_any = true;
                    *contents.tables.get_mut(kind) = Some(layout);
                }
                None => contents.missing.push(kind),
            }
        }
        if !found_any && !options.allow_no_tables && options.tables.is_none() {
            let tables = other_tables::names(connection).map_err(reading(path))?;
            return Err(Error::NoTables { path: path.to_owned(), tables });
        }
        check_without_columns(path, &contents.tables, options)?;
        for kind in RecordKind::ALL {
            if let Some(layout) = contents.tables.get(kind) {
                progress.start(Stage::Survey(kind), None);
                *contents.surveys.get_mut(kind) = survey(connection, path, layout, options)?;
                progress.finish();
            }
        }
        Ok(contents)
    }
}
