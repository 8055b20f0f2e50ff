use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use chunkmigrate::internal::{
    FormatMarker, KvReader, ManifestTotals, Origin, Source as _, combined_digest, decode_json,
    key_kind, record_key,
};
use chunkmigrate::kv::Entry;
use chunkmigrate::record::{IdSequences, KindSet, RecordKind};
use chunkmigrate::verify::Manifest;
use chunkmigrate::verify::{
    InspectOptions, VerifyOptions, VerifyReport, inspect, verify_pair, verify_round_trip,
};
use chunkmigrate::{Progress, Result};
use test_support::folder;
use test_support::input::Input;
use test_support::kv_file::{Content, Entries, FORMAT, TableType};

use super::content::{intact_files, manifest};
use super::model::{expect, is_sound, kv_store, reported};

/// A KV file: the input itself (after an `f`), a valid one with some corruption (`d`), or one that
/// redb wrote and that may contain anything (`e`).
pub fn kv_file(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    let folder = folder::private();
    let path = folder.path().join("some.kv");
    match mode % 3 {
        0 => any_file(rest, &path),
        1 => corrupted_file(&mut Input::new(rest), folder.path()),
        _ => made_file(&mut Input::new(rest), &path),
    }
}

fn any_file(bytes: &[u8], path: &Path) {
    fs::write(path, bytes).unwrap();
    let read = Read::of(path);
    let report = verify(path, path);
    assert_eq!(report.is_ok(), read.is_ok());
    assert_eq!(fs::read(path).unwrap(), bytes);
    if let (Ok(read), Ok(report)) = (read, report) {
        check_against_model(&read, &report);
    }
}

/// Every entry of a corrupted file is read unchanged, or the file is not "identical".
fn corrupted_file(input: &mut Input<'_>, folder: &Path) {
    let (good, bad) = (folder.join("good.kv"), folder.join("bad.kv"));
    let files = intact_files();
    let intact = &files[input.below(files.len() as u8)];
    let mut bytes = intact.bytes.clone();
    for _ in 0..=input.below(4) {
        input.mutate(&mut bytes);
    }
    fs::write(&good, &intact.bytes).unwrap();
    fs::write(&bad, &bytes).unwrap();
    let read = Read::of(&bad);
    let verdict = verify(&good, &bad).map(|report| report.is_identical());
    match (read, verdict) {
        (Err(_), Err(_)) => {}
        (Ok(read), Ok(is_identical)) => {
            let same = read.entries == intact.entries && read.sequences == intact.sequences;
            assert_eq!(is_identical, same && read.manifest_matches());
        }
        (read, verdict) => panic!("read: {:?}, verdict: {verdict:?}", read.err()),
    }
    assert_eq!(fs::read(&bad).unwrap(), bytes);
    assert_eq!(fs::read(&good).unwrap(), intact.bytes);
}

fn made_file(input: &mut Input<'_>, path: &Path) {
    let content = content(input);
    content.write(path);
    let bytes = fs::read(path).unwrap();
    let file = KvReader::open_verified(path).map(drop);
    assert_eq!(file.is_ok(), is_kv_file(&content), "{:?}", file.err());
    let readable = file.is_ok()
        && parses(&content, "sequences", |d| serde_json::from_slice::<IdSequences>(d).is_ok())
        && parses(&content, "manifest", |d| serde_json::from_slice::<Manifest>(d).is_ok());
    let report = verify(path, path);
    let inspection = inspect(path, &InspectOptions::default(), &progress());
    assert_eq!(report.is_ok(), readable, "{:?}", report.err());
    assert_eq!(inspection.is_ok(), readable, "{:?}", inspection.err());
    if let (Ok(report), Ok(inspection)) = (report, inspection) {
        let read = Read::of(path).unwrap();
        assert_eq!(read.entries, content.records);
        assert_eq!(read.others, content.tables.others);
        check_against_model(&read, &report);
        assert_eq!(inspection.sequences, read.sequences);
        let unknown = kv_store(&read.entries).unknown.len() as u64;
        assert_eq!(inspection.unknown_keys, unknown);
        let manifest_matches = read.manifest.is_some().then(|| read.manifest_matches());
        assert_eq!(inspection.manifest_matches, manifest_matches);
    }
    let round_trip = verify_round_trip(path, &VerifyOptions::default(), &progress());
    assert_eq!(round_trip.is_ok(), readable, "{:?}", round_trip.err());
    if let Ok(round_trip) = round_trip {
        let read = Read::of(path).unwrap();
        let findings = &round_trip.findings;
        assert_eq!(round_trip.is_identical(), read.survives_round_trip(), "{findings:?}");
    }
    assert_eq!(fs::read(path).unwrap(), bytes);
}

/// The result of reading a file.
struct Read {
    entries: Entries,
    sequences: IdSequences,
    manifest: Option<Manifest>,
    origin: Option<Origin>,
    others: bool,
}

impl Read {
    fn of(path: &Path) -> Result<Self> {
        let file = KvReader::open_verified(path)?;
        let take = |entries: &mut Entries, entry: Entry<'_>| {
            let twice = entries.insert(entry.key.to_vec(), entry.value.to_vec());
            assert_eq!(twice, None);
            Ok(())
        };
        let (mut entries, mut parts) = (Entries::new(), Entries::new());
        file.visit_all(&mut |entry| take(&mut entries, entry))?;
        for kind in RecordKind::ALL {
            file.visit_kind(kind, &mut |entry| {
                assert_eq!(key_kind(entry.key), Ok(kind));
                take(&mut parts, entry)
            })?;
        }
        file.visit_unknown(&mut |entry| take(&mut parts, entry))?;
        assert_eq!(entries, parts);
        assert_eq!(file.key_count()?, entries.len() as u64);
        assert_eq!(file.format_version()?, Some(1));
        Ok(Read {
            entries,
            sequences: file.sequences()?,
            manifest: file.manifest()?,
            origin: file.origin()?,
            others: file.other_tables()?.len() == 2,
        })
    }

    fn claims(&self) -> Option<ManifestTotals> {
        self.manifest.as_ref().map(|manifest| ManifestTotals {
            kinds: manifest.kinds,
            tables: manifest.tables.clone(),
            sha256: manifest.sha256,
        })
    }

    fn manifest_matches(&self) -> bool {
        let kinds = kv_store(&self.entries).totals();
        let sha256 = combined_digest(&kinds, []);
        self.claims().is_none_or(|claims| {
            claims == ManifestTotals { kinds, tables: BTreeMap::new(), sha256 }
        })
    }

    /// Whether a database can store all of it, id sequences too.
    fn survives_round_trip(&self) -> bool {
        let mut ids = BTreeSet::new();
        let all_fit = self.entries.iter().all(|(key, value)| {
            let Ok(kind) = key_kind(key) else {
                return false;
            };
            let id = decode_json(kind, value).ok().and_then(|record| record.id());
            is_sound(kind, key, value) && id.is_none_or(|id| ids.insert((kind, id)))
        });
        let sequence_fits = |kind| {
            let sequence = self.sequences.get(kind);
            let of_kind = ids.iter().filter(|(other, _)| *other == kind);
            let largest = of_kind.map(|(_, id)| *id).max();
            // A database has no sequence below its largest id.
            largest.is_none_or(|largest| sequence >= largest)
        };
        all_fit
            && self.manifest_matches()
            && sequence_fits(RecordKind::Chunk)
            && sequence_fits(RecordKind::ExecutionLog)
    }
}

/// Compares a file with itself.
fn check_against_model(read: &Read, report: &VerifyReport) {
    let mut store = kv_store(&read.entries);
    store.sequences = read.sequences;
    store.claims = read.claims();
    store.origin = read.origin.clone();
    let (mut comparison, expected) = expect(&store, &store, KindSet::ALL, (false, false));
    // The model knows no paths.
    let [found] = report.legs.as_slice() else {
        panic!("two files have one comparison");
    };
    (comparison.left, comparison.right) = (found.left.clone(), found.right.clone());
    assert_eq!(*found, comparison);
    let found: Vec<_> = report.findings.iter().map(reported).collect();
    assert_eq!(found, expected);
}

fn verify(left: &Path, right: &Path) -> Result<VerifyReport> {
    let options = VerifyOptions::default().limit(usize::MAX);
    verify_pair(left, right, &options, &progress())
}

fn progress() -> Progress {
    Progress::none()
}

/// Entries and documents, any of which may be hostile.
fn content(input: &mut Input<'_>) -> Content {
    let mut content = Content::default();
    let tables = &mut content.tables;
    match input.below(16) {
        1 => tables.others = true,
        2 => tables.records = TableType::Missing,
        3 => tables.meta = TableType::Missing,
        4 => tables.records = TableType::Numbers,
        5 => tables.meta = TableType::Text,
        6 => tables.records = TableType::Multimap,
        _ => {}
    }
    for _ in 0..input.below(8) {
        let record = input.record();
        let (mut key, mut value) = (record_key(&record), record.to_json().unwrap());
        match input.below(12) {
            6 => key = input.bytes(),
            1 => key = input.key().encode(),
            2 => input.mutate(&mut key),
            3 => value = input.bytes(),
            4 => input.mutate(&mut value),
            5 => value.push(b'\n'),
            _ => {}
        }
        content.records.insert(key, value);
    }
    let id_sequences = IdSequences { code_chunks: input.integer(), execution_log: input.integer() };
    let mut manifest = serde_json::to_value(manifest(&content.records)).unwrap();
    match input.below(8) {
        2 => manifest["kinds"][input.kind().name()]["records"] = input.integer().into(),
        1 => manifest["sha256"] = "0".repeat(64).into(),
        _ => {}
    }
    let documents = [
        ("format", FORMAT.into()),
        ("sequences", serde_json::to_vec(&id_sequences).unwrap()),
        ("manifest", serde_json::to_vec(&manifest).unwrap()),
    ];
    for (name, mut document) in documents {
        match input.below(12) {
            5 => continue,
            1 => document = input.bytes(),
            2 => input.mutate(&mut document),
            3 => document.push(b' '),
            4 => document = FORMAT.to_ascii_uppercase().into(),
            _ => {}
        }
        content.set_document(name, document);
    }
    let (name, document) = (input.text(), input.bytes());
    content.documents.entry(name).or_insert(document);
    content
}

fn is_kv_file(content: &Content) -> bool {
    let format = content.documents.get("format");
    let format = format.and_then(|format| serde_json::from_slice::<FormatMarker>(format).ok());
    format.is_some_and(|format| format.name == "chunkmigrate-kv" && format.version == 1)
        && [content.tables.records, content.tables.meta] == [TableType::Own; 2]
}

/// Whether a document can be read, if it is there.
fn parses(content: &Content, name: &str, parses: fn(&[u8]) -> bool) -> bool {
    let document = content.documents.get(name);
    document.is_none_or(|document| parses(document))
}
