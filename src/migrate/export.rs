//! Exports records, and rows of carried tables, as JSON Lines.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::codec::{Entry, ExportEnd, canonical_id, is_canonical_of, may_be_of};
use crate::compare::{EntryCheck, Finding, FindingClass, RowCheck, Side, is_sound_batch};
use crate::error::{Error, Result};
use crate::fsio::StoreKind;
use crate::open::Candidate;
use crate::progress::{Progress, Stage};
use crate::record::{IdSequences, KindSet, RecordKind};
use crate::setters::setters;
use crate::sqlite::SourceOptions;
use crate::stream::{Batch, Item, Jobs, Source, UncopiedTable, check_kind, check_table};
use crate::table::{
    CarriedTables, Row, RowObject, TableSchema, TableSelection, key_prefix, read_row, write_row,
};

/// Options of an export.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ExportOptions {
    /// The kinds to export.
    pub only: KindSet,
    /// The tables to export in addition. With [`TableSelection::None`], of a KV file all tables that
    /// it carries, unless only some kinds are exported.
    pub tables: TableSelection,
    /// Only records whose key starts with these bytes.
    pub prefix: Vec<u8>,
    /// Directory for the temporary files of sorting.
    pub temp_dir: Option<PathBuf>,
    /// Number of threads that convert and check records, besides the one that reads; `None` for as
    /// many as the process may use cores.
    pub jobs: Option<NonZeroUsize>,
}

impl ExportOptions {
    setters! {
        only: impl Into<KindSet>,
        tables: TableSelection,
        prefix: impl Into<Vec<u8>>,
        temp_dir: impl Into<Option<PathBuf>>,
        jobs: impl Into<Option<NonZeroUsize>>,
    }

    fn is_of_everything(&self) -> bool {
        self.only == KindSet::ALL && self.prefix.is_empty()
    }
}

/// An item of an export.
#[derive(Debug)]
pub enum ExportItem<'e> {
    /// The description of the exported tables, before all other items. Missing if no table is
    /// exported.
    Tables(&'e CarriedTables),
    /// A record's key and its canonical JSON.
    Record {
        /// The kind of record.
        kind: RecordKind,
        /// The key, which is valid UTF-8, and the value.
        entry: Entry<'e>,
    },
    /// A row of a carried table, after all records.
    Row {
        /// The table.
        table: &'e TableSchema,
        /// The key, which is valid UTF-8.
        key: &'e [u8],
        /// The row as a JSON object with the names of its columns.
        object: &'e [u8],
    },
    /// The id sequences, after all records. Passed on only in a full export, and only if a sequence
    /// is above the records' highest id: otherwise they can be derived from the records.
    IdSequences(IdSequences),
    /// The end of the export, with the totals of all preceding items. Missing if the export fails
    /// or is stopped.
    End(ExportEnd),
    /// The store was not closed by its last writer: the last complete state is exported.
    NotClosed,
    /// A selected table that can't be exported, or something else of the database.
    NotCarried(&'e UncopiedTable),
    /// An item on the left side that is not exported, or not unchanged.
    Finding(Finding),
}

/// Calls `take` for every record of a store and every row of its tables in key order, then with the
/// id sequences and, after confirming that everything was read, with the end.
///
/// A record of a KV file that is not in canonical form is exported in canonical form and reported.
///
/// # Errors
/// The store can't be read to its end, or changed while it was being read; or the error of `take`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::ops::ControlFlow;
/// use chunkmigrate::migrate::{ExportOptions, ExportItem, export};
/// use chunkmigrate::record::{CodeChunk, Record};
/// use chunkmigrate::store::ChunkStore;
/// use chunkmigrate::Progress;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("code.db");
/// let store = ChunkStore::new(&path)?;
/// store.store_chunks(&[CodeChunk::new("a.rs", 0, 2, "fn"), CodeChunk::new("b.rs", 0, 1, "{")])?;
///
/// let progress = Progress::none();
/// let options = ExportOptions::default().prefix("chunk:a.rs:");
/// let mut chunks = Vec::new();
/// export(&path, &options, &progress, &mut |exported| {
///     if let ExportItem::Record { entry, .. } = exported {
///         chunks.extend(Record::from_entry(entry)?.into_chunk());
///     }
///     Ok(ControlFlow::Continue(()))
/// })?;
/// assert_eq!(chunks.len(), 1);
/// assert_eq!(chunks[0].content, "fn");
/// # Ok(())
/// # }
/// ```
pub fn export(
    path: &Path,
    options: &ExportOptions,
    progress: &Progress,
    take: &mut dyn FnMut(ExportItem<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let open_options = SourceOptions {
        only: options.only,
        tables: options.tables.clone(),
        temp_dir: options.temp_dir.clone(),
        ..SourceOptions::default()
    };
    let mut snapshot = Candidate::probe(path)?.open(&open_options, progress)?;
    if !snapshot.closed_cleanly() && take(ExportItem::NotClosed)?.is_break() {
        return Ok(());
    }
    let mut exported = Exported::default();
    let carried = exported_tables(snapshot.as_ref(), options)?;
    if let Some(carried) = &carried {
        let json = serde_json::to_vec(carried);
        exported.end.add_tables(&json.map_err(|error| Error::Internal(error.to_string()))?);
        if take(ExportItem::Tables(carried))?.is_break() {
            return Ok(());
        }
    }
    progress.plan(snapshot.expected_of(options.only));
    for kind in options.only.iter() {
        if !may_match(kind, &options.prefix) {
            continue;
        }
        if export_kind(snapshot.as_mut(), kind, options, progress, &mut exported, take)?.is_break()
        {
            return Ok(());
        }
    }
    for table in carried.iter().flat_map(CarriedTables::in_key_order) {
        let flow = export_table(snapshot.as_mut(), &table, options, progress, &mut exported, take)?;
        if flow.is_break() {
            return Ok(());
        }
    }
    let Exported { mut end, largest_ids, visited } = exported;
    if options.is_of_everything() {
        let marks = snapshot.sequences()?;
        if marks.max(largest_ids) != largest_ids {
            end.add_sequences(marks);
            if take(ExportItem::IdSequences(marks))?.is_break() {
                return Ok(());
            }
        }
    }
    // If every key was visited, none is unknown, and the file need not be read once more.
    if snapshot.total_keys()? != Some(visited)
        && export_unknown(snapshot.as_ref(), options, take)?.is_break()
    {
        return Ok(());
    }
    if carried.is_some() {
        for table in snapshot.other_tables()?.iter().filter(|table| table.reason.is_some()) {
            if take(ExportItem::NotCarried(table))?.is_break() {
                return Ok(());
            }
        }
    }
    snapshot.confirm()?;
    take(ExportItem::End(end)).map(|_| ())
}

/// Reports the keys that are not those of records or rows.
fn export_unknown(
    snapshot: &dyn Source,
    options: &ExportOptions,
    take: &mut dyn FnMut(ExportItem<'_>) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let mut flow = ControlFlow::Continue(());
    snapshot.visit_unknown(&mut |entry| {
        let is_selected = is_in(Some(entry.key), options) && may_be_of(entry.key, options.only);
        if flow.is_break() || !is_selected {
            return Ok(());
        }
        let message = "the key is not that of a record".to_owned();
        let finding = Finding::new(FindingClass::UnknownKey, None::<RecordKind>, message);
        let finding = finding.on(Side::Left).of_key(entry.key);
        flow = take(ExportItem::Finding(finding))?;
        Ok(())
    })?;
    Ok(flow)
}

/// The description of the tables to export.
fn exported_tables(
    snapshot: &dyn Source,
    options: &ExportOptions,
) -> Result<Option<CarriedTables>> {
    let Some(carried) = snapshot.carried() else {
        return Ok(None);
    };
    let carried = match &options.tables {
        TableSelection::None if options.only != KindSet::ALL => return Ok(None),
        TableSelection::None | TableSelection::All => carried.clone(),
        TableSelection::Named(names) => {
            carried.check_names(names, snapshot.path())?;
            carried.of_tables(|table| options.tables.contains(&table.name))
        }
    };
    if options.prefix.is_empty() {
        return Ok(Some(carried));
    }
    let prefix = &options.prefix;
    let may_match = |table: &TableSchema| {
        let own = key_prefix(&table.name);
        table.kind.is_none() && (own.starts_with(prefix) || prefix.starts_with(&own))
    };
    Ok(Some(carried.of_tables(may_match)).filter(|carried| !carried.tables.is_empty()))
}

/// The sum of what was exported.
#[derive(Debug, Default)]
struct Exported {
    end: ExportEnd,
    largest_ids: IdSequences,
    /// Number of items that were read, exported or not.
    visited: u64,
}

impl Exported {
    fn add(&mut self, kind: RecordKind, entry: Entry<'_>) {
        self.end.add_record(kind, entry);
        if let Some(id) = canonical_id(entry.value) {
            self.largest_ids.raise(kind, id);
        }
    }

    fn add_all(&mut self, other: &Exported) {
        self.end.add(&other.end);
        self.largest_ids = self.largest_ids.max(other.largest_ids);
    }
}

/// Whether a key of a kind can start with the prefix.
fn may_match(kind: RecordKind, prefix: &[u8]) -> bool {
    let own = kind.key_prefix().as_bytes();
    own.starts_with(prefix) || prefix.starts_with(own)
}

fn export_kind(
    snapshot: &mut dyn Source,
    kind: RecordKind,
    options: &ExportOptions,
    progress: &Progress,
    exported: &mut Exported,
    take: &mut dyn FnMut(ExportItem<'_>) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let judges = snapshot.store() == StoreKind::Kv;
    progress.start(Stage::Export(kind), snapshot.expected_records(kind));
    // The sum of a batch whose entries may all be exported as they are.
    let check = |batch: &mut Batch| {
        batch.encode_rows()?;
        let mut own_key = Vec::new();
        let mut is_sound = |entry| is_canonical_of(kind.schema(), entry, &mut own_key);
        if judges && !batch.entries().all(&mut is_sound) {
            return Ok(None);
        }
        let mut sum = Exported::default();
        let selected = batch.entries().filter(|entry| is_in(Some(entry.key), options));
        selected.for_each(|entry| sum.add(kind, entry));
        Ok(Some(sum))
    };
    let jobs = Jobs::new(options.jobs);
    let flow = check_kind(snapshot, kind, jobs, progress, Some(check), |stream| {
        while let Some((batch, sum)) = stream.next_checked()? {
            progress.check_cancelled()?;
            exported.visited += batch.len() as u64;
            if let Some(sum) = &sum {
                exported.add_all(sum);
            }
            for item in batch.iter() {
                let flow = match item {
                    Item::Invalid(row) if is_in(row.key.as_deref(), options) => {
                        take(ExportItem::Finding(Finding::invalid_row(Side::Left, row)))?
                    }
                    Item::Entry(entry) if is_in(Some(entry.key), options) => match &sum {
                        Some(_) => take(ExportItem::Record { kind, entry })?,
                        None => export_judged(kind, entry, exported, take)?,
                    },
                    _ => ControlFlow::Continue(()),
                };
                if flow.is_break() {
                    return Ok(flow);
                }
            }
            progress.inc(batch.len() as u64);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    progress.finish();
    Ok(flow)
}

/// The rows of a batch as JSON objects.
#[derive(Default)]
struct RowObjects {
    end: ExportEnd,
    json: Vec<u8>,
    /// Where each object ends.
    ends: Vec<usize>,
}

impl RowObjects {
    /// The selected rows of a batch, which are all canonical.
    fn of(table: &TableSchema, batch: &Batch, options: &ExportOptions) -> Result<Self> {
        let mut objects = RowObjects::default();
        for entry in batch.entries().filter(|entry| is_in(Some(entry.key), options)) {
            let row = read_row(table, entry.value);
            let row = row.map_err(|error| Error::Internal(error.to_string()))?;
            objects.end.add_row(entry);
            write_object(table, &row, &mut objects.json)?;
            objects.ends.push(objects.json.len());
        }
        Ok(objects)
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        let ranges = starts.zip(&self.ends).map(|(start, end)| *start..*end);
        ranges.map(|range| self.json.get(range).unwrap_or_default())
    }
}

fn write_object(table: &TableSchema, row: &Row<'_>, out: &mut Vec<u8>) -> Result<()> {
    let written = serde_json::to_writer(out, &RowObject { table, row });
    written.map_err(|error| Error::Internal(error.to_string()))
}

fn export_table(
    snapshot: &mut dyn Source,
    table: &TableSchema,
    options: &ExportOptions,
    progress: &Progress,
    exported: &mut Exported,
    take: &mut dyn FnMut(ExportItem<'_>) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    progress.start(Stage::ExportTables, None);
    let judges = !snapshot.entries_are_canonical();
    // Nothing of a batch that has rows that are not canonical.
    let convert = |batch: &mut Batch| match judges && !is_sound_batch(table, batch) {
        true => Ok(None),
        false => RowObjects::of(table, batch, options).map(Some),
    };
    let jobs = Jobs::new(options.jobs);
    let flow = check_table(snapshot, table, jobs, progress, Some(convert), |stream| {
        while let Some((batch, objects)) = stream.next_checked()? {
            progress.check_cancelled()?;
            exported.visited += batch.len() as u64;
            let end = &mut exported.end;
            let entries = batch.entries().filter(|entry| is_in(Some(entry.key), options));
            let flow = match &objects {
                Some(objects) => {
                    end.add(&objects.end);
                    take_rows(table, entries.zip(objects.iter()), take)?
                }
                None => export_judged_rows(table, entries, end, take)?,
            };
            if flow.is_break() {
                return Ok(flow);
            }
            progress.inc(batch.len() as u64);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    progress.finish();
    Ok(flow)
}

fn take_rows<'e>(
    table: &TableSchema,
    rows: impl Iterator<Item = (Entry<'e>, &'e [u8])>,
    take: &mut dyn FnMut(ExportItem<'_>) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    for (Entry { key, .. }, object) in rows {
        let flow = take(ExportItem::Row { table, key, object })?;
        if flow.is_break() {
            return Ok(flow);
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn export_judged_rows<'e>(
    table: &TableSchema,
    entries: impl Iterator<Item = Entry<'e>>,
    end: &mut ExportEnd,
    take: &mut dyn FnMut(ExportItem<'_>) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let (mut value, mut object) = (Vec::new(), Vec::new());
    for Entry { key, value: stored } in entries {
        let checked = RowCheck::of(table, Entry { key, value: stored });
        for finding in checked.findings(table, Side::Left, key) {
            let flow = take(ExportItem::Finding(finding))?;
            if flow.is_break() {
                return Ok(flow);
            }
        }
        let Some(row) = checked.row_if_key_matches() else {
            continue;
        };
        value.clear();
        write_row(row, &mut value);
        end.add_row(Entry { key, value: &value });
        object.clear();
        write_object(table, row, &mut object)?;
        let flow = take(ExportItem::Row { table, key, object: &object })?;
        if flow.is_break() {
            return Ok(flow);
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Whether a key is selected. Rows without a key are always selected.
fn is_in(key: Option<&[u8]>, options: &ExportOptions) -> bool {
    key.is_none_or(|key| key.starts_with(&options.prefix))
}

fn export_judged(
    kind: RecordKind,
    entry: Entry<'_>,
    exported: &mut Exported,
    take: &mut dyn FnMut(ExportItem<'_>) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let judged = EntryCheck::of(kind, entry.key, entry.value);
    for finding in judged.divergences(kind, Side::Left, entry.key) {
        let flow = take(ExportItem::Finding(finding))?;
        if flow.is_break() {
            return Ok(flow);
        }
    }
    let Some(value) = judged.canonical_of_its_key(entry.value)? else {
        return Ok(ControlFlow::Continue(()));
    };
    let (key, value) = (entry.key, &*value);
    let entry = Entry { key, value };
    exported.add(kind, entry);
    take(ExportItem::Record { kind, entry })
}
