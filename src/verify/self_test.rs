//! The self-test of the verifier: corrupts one record for each class of finding.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use crate::codec::Entry;
use crate::compare::{CompareOptions, FindingClass, compare_stores};
use crate::error::{Error, IoContext as _, Result};
use crate::kv::{BulkLoader, KvReader, Manifest};
use crate::open::Candidate;
use crate::progress::Progress;
use crate::record::IdSequences;
use crate::sqlite::SourceOptions;
use crate::stream::Source as _;
use crate::table::CarriedTables;

/// Corrupts a copy of the sample once for each class and requires exactly that finding. Returns the
/// detected classes.
pub(super) fn test_detection(
    sample: &KvReader,
    folder: &Path,
    database: &Path,
    progress: &Progress,
) -> Result<Vec<FindingClass>> {
    let content = Content::read(sample)?;
    let mut proved = Vec::new();
    let classes = FindingClass::ALL.into_iter();
    for class in classes.filter(|class| class.is_of_comparison()) {
        fs::create_dir(folder).io_context("create", folder)?;
        let (left, right) = (folder.join("left"), folder.join("right"));
        let row_change = match class {
            FindingClass::InvalidRow => Some(DAMAGED_ROW),
            FindingClass::Graph => Some(OTHER_SYMBOL),
            _ => None,
        };
        if let Some(sql) = row_change {
            for copy in [&left, &right] {
                fs::copy(database, copy).io_context("create", copy)?;
            }
            change(&right, sql)?;
        } else {
            let (mut there, mut back) = (content.clone(), content.clone());
            damage(class, &mut there, &mut back)?;
            there.write(&left)?;
            back.write(&right)?;
        }
        let found = findings(&left, &right, progress)?;
        if found != [class] {
            return Err(Error::Internal(format!(
                "the verifier was shown {class} and found {found:?}"
            )));
        }
        proved.push(class);
        fs::remove_dir_all(folder).io_context("remove", folder)?;
    }
    Ok(proved)
}

fn findings(left: &Path, right: &Path, progress: &Progress) -> Result<Vec<FindingClass>> {
    let options = SourceOptions::default();
    let mut left = Candidate::probe(left)?.open(&options, progress)?;
    let mut right = Candidate::probe(right)?.open(&options, progress)?;
    let mut found = Vec::new();
    compare_stores(
        left.as_mut(),
        right.as_mut(),
        &CompareOptions::default(),
        progress,
        &mut |divergence| {
            found.push(divergence.class);
            Ok(())
        },
    )?;
    Ok(found)
}

/// The content of a KV file.
#[derive(Clone)]
struct Content {
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    sequences: IdSequences,
    /// The manifest to write.
    manifest: Option<Manifest>,
    /// Tables that it carries in addition to the four kinds.
    carried: Option<CarriedTables>,
    /// The one of the sample.
    own_manifest: Option<Manifest>,
}

impl Content {
    fn read(file: &KvReader) -> Result<Self> {
        let mut entries = Vec::new();
        file.visit_all(&mut |entry| {
            entries.push((entry.key.to_vec(), entry.value.to_vec()));
            Ok(())
        })?;
        Ok(Content {
            entries,
            sequences: file.sequences()?,
            manifest: None,
            carried: None,
            own_manifest: file.manifest()?,
        })
    }

    fn write(&self, path: &Path) -> Result<()> {
        let mut load = BulkLoader::create(path, 1 << 16)?;
        let entries = self.entries.iter();
        load.append(entries.map(|(key, value)| Entry { key, value }))?;
        load.close(&self.sequences, self.manifest.as_ref(), self.carried.as_ref())?.sync()
    }

    /// The value of the first key with a prefix, as mutable bytes.
    fn value(&mut self, prefix: &str) -> Result<&mut Vec<u8>> {
        let mut entries = self.entries.iter_mut();
        let entry = entries.find(|(key, _)| key.starts_with(prefix.as_bytes()));
        entry
            .map(|(_, value)| value)
            .ok_or_else(|| Error::Internal(format!("the sample has no {prefix}")))
    }
}

/// Corrupts one record on the right side, or for one class on both.
fn damage(class: FindingClass, left: &mut Content, right: &mut Content) -> Result<()> {
    match class {
        FindingClass::OnlyLeft => drop(right.entries.pop()),
        FindingClass::OnlyRight => drop(left.entries.pop()),
        FindingClass::Field => {
            // One bit of a float: 0.1 and the adjacent value.
            let value = right.value("metrics:file:src/float_3.rs")?;
            replace(value, "0.1,", "0.10000000000000002,")?;
        }
        FindingClass::Undecodable => drop(right.value("chunk:")?.pop()),
        FindingClass::Noncanonical => right.value("chunk:")?.push(b' '),
        FindingClass::KeyMismatch => {
            let other = right.value("metrics:symbol:1")?.clone();
            *right.value("metrics:symbol:9")? = other;
        }
        FindingClass::UnknownKey => right.entries.push((b"stray".to_vec(), b"{}".to_vec())),
        FindingClass::Manifest => {
            right.manifest.clone_from(&right.own_manifest);
            if let Some(manifest) = &mut right.manifest {
                manifest.kinds.chunk.records += 1;
            }
        }
        FindingClass::Sequence => right.sequences.execution_log += 1,
        FindingClass::Schema => right.carried = Some(CarriedTables::of_empty_table("files")),
        FindingClass::ContentHash => {
            for side in [left, right] {
                let hash = "\"content_hash\":\"";
                replace(side.value("chunk:")?, hash, &format!("{hash}0"))?;
            }
        }
        FindingClass::InvalidRow | FindingClass::WrongSymbol | FindingClass::Graph => {}
    }
    Ok(())
}

fn replace(value: &mut Vec<u8>, from: &str, to: &str) -> Result<()> {
    let text = String::from_utf8_lossy(value).into_owned();
    if !text.contains(from) {
        return Err(Error::Internal(format!("the sample has no {from}")));
    }
    *value = text.replacen(from, to, 1).into_bytes();
    Ok(())
}

const DAMAGED_ROW: &str = "UPDATE code_chunks SET content = x'00' WHERE file_path = 'src/texts.rs'
    AND byte_start = (SELECT max(byte_start) FROM code_chunks WHERE file_path = 'src/texts.rs')";

/// A graph in which one of the symbols with metrics has a different name.
const OTHER_SYMBOL: &str = "
    CREATE TABLE graph_entities (id INTEGER PRIMARY KEY, name TEXT, file_path TEXT);
    INSERT INTO graph_entities SELECT symbol_id, symbol_name, file_path FROM symbol_metrics;
    UPDATE graph_entities SET name = name || '2' WHERE id = 1";

fn change(database: &Path, sql: &str) -> Result<()> {
    Connection::open(database)
        .and_then(|connection| connection.execute_batch(sql))
        .map_err(|source| Error::Sqlite { action: "write", path: database.to_owned(), source })
}
