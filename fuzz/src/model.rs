//! What a comparison of two stores must find, key by key over two maps. It uses the codec and none
//! of the join.

use std::collections::BTreeSet;

use chunkmigrate::internal::{
    InvalidRow, SideEvidence, combined_digest, decode_json, parse_key, record_key,
};
use chunkmigrate::kv::Entry;
use chunkmigrate::record::{IdSequences, KindSet, Record, RecordKind};
use chunkmigrate::store::StoreKind;
use chunkmigrate::table::Kind;
use chunkmigrate::verify::Digest;
use chunkmigrate::verify::{Comparison, Finding, FindingClass, KindCounts, Side};

use super::memory_store::{MemoryStore, Place, Places};

/// What is reported for a divergence: class, kind, key, side and row.
pub(crate) type Reported = (FindingClass, Option<Kind>, Option<Vec<u8>>, Option<Side>, Option<i64>);

pub(crate) fn reported(divergence: &Finding) -> Reported {
    (
        divergence.class,
        divergence.kind.clone(),
        divergence.key.clone(),
        divergence.side,
        divergence.row.and_then(|row| row.rowid),
    )
}

/// A value by itself.
struct Value {
    faults: Vec<FindingClass>,
    /// The canonical bytes of the record, if it belongs to its key.
    own: Option<Vec<u8>>,
    wrong_hash: bool,
}

fn check_value(kind: RecordKind, key: &[u8], value: &[u8]) -> Value {
    let Ok(record) = decode_json(kind, value) else {
        return Value { faults: vec![FindingClass::Undecodable], own: None, wrong_hash: false };
    };
    let canonical = record.to_json().unwrap();
    let is_own = record_key(&record) == key;
    let mut faults = Vec::new();
    if canonical != value {
        faults.push(FindingClass::Noncanonical);
    }
    if !is_own {
        faults.push(FindingClass::KeyMismatch);
    }
    let wrong_hash = match &record {
        Record::Chunk(chunk) => {
            chunk.content_hash.to_ascii_lowercase() != Digest::of(&chunk.content).to_string()
        }
        _ => false,
    };
    Value { faults, own: is_own.then_some(canonical), wrong_hash }
}

/// Whether a value is the canonical record of its key.
pub(crate) fn is_sound(kind: RecordKind, key: &[u8], value: &[u8]) -> bool {
    check_value(kind, key, value).faults.is_empty()
}

/// What must be found in one kind.
pub(crate) fn expect_kind(
    kind: RecordKind,
    left: &MemoryStore,
    right: &MemoryStore,
) -> (KindCounts, Vec<Reported>) {
    let (left, right) = (left.kinds.get(kind), right.kinds.get(kind));
    let mut counts = KindCounts { left: items(left), right: items(right), ..KindCounts::default() };
    let mut all = Vec::new();
    for key in left.keys().chain(right.keys()).collect::<BTreeSet<_>>() {
        let mut here = at_key(kind, key, left.get(key), right.get(key), &mut counts);
        here.sort_by_key(|(class, _, _, side, _)| (*class, *side));
        all.append(&mut here);
    }
    (counts, all)
}

fn items(places: &Places) -> u64 {
    let items = places.values().map(|place| match place {
        Place::Entry(_) => 1,
        Place::Rows(rows) => rows.len() as u64,
    });
    items.sum()
}

fn at_key(
    kind: RecordKind,
    key: &Option<Vec<u8>>,
    left: Option<&Place>,
    right: Option<&Place>,
    counts: &mut KindCounts,
) -> Vec<Reported> {
    let mut here: Vec<Reported> = Vec::new();
    let mut report = |class, side| here.push((class, Some(kind.into()), key.clone(), side, None));
    let value = |place: Option<&Place>| match place {
        Some(Place::Entry(value)) => {
            let checked = check_value(kind, key.as_deref().unwrap(), value);
            Some((checked, value.clone()))
        }
        _ => None,
    };
    let (on_left, on_right) = (value(left), value(right));
    let mut report_value = |value: &Value, side, warns_of| {
        let faults = value.faults.iter();
        faults.for_each(|class| report(*class, Some(side)));
        if value.wrong_hash {
            report(FindingClass::ContentHash, warns_of);
        }
    };
    match (&on_left, &on_right) {
        (Some((left, left_bytes)), Some((right, right_bytes))) if left_bytes == right_bytes => {
            match left.faults.is_empty() {
                true => counts.equal += 1,
                false => counts.differing += 1,
            }
            report_value(left, Side::Left, None);
            let unwarned = Value { wrong_hash: false, faults: right.faults.clone(), own: None };
            report_value(&unwarned, Side::Right, None);
        }
        (Some((left, _)), Some((right, _))) => {
            counts.differing += 1;
            report_value(left, Side::Left, Some(Side::Left));
            report_value(right, Side::Right, Some(Side::Right));
            if left.own.is_some() && right.own.is_some() && left.own != right.own {
                report(FindingClass::Field, None);
            }
        }
        (Some((value, _)), None) => {
            report_value(value, Side::Left, Some(Side::Left));
            // A row of the key is its counterpart.
            match (right.is_some(), value.own.is_some()) {
                (true, _) => counts.differing += 1,
                (false, false) => counts.invalid_left += 1,
                (false, true) => {
                    counts.only_left += 1;
                    report(FindingClass::OnlyLeft, Some(Side::Left));
                }
            }
        }
        (None, Some((value, _))) => {
            report_value(value, Side::Right, Some(Side::Right));
            match (left.is_some(), value.own.is_some()) {
                (true, _) => counts.differing += 1,
                (false, false) => counts.invalid_right += 1,
                (false, true) => {
                    counts.only_right += 1;
                    report(FindingClass::OnlyRight, Some(Side::Right));
                }
            }
        }
        (None, None) => {}
    }
    let paired = u64::from(on_left.is_some() != on_right.is_some());
    let left_rows = report_rows(left, Side::Left, &mut here);
    let right_rows = report_rows(right, Side::Right, &mut here);
    counts.invalid_left += left_rows.saturating_sub(paired);
    counts.invalid_right += right_rows.saturating_sub(paired);
    here
}

fn report_rows(place: Option<&Place>, side: Side, here: &mut Vec<Reported>) -> u64 {
    let Some(Place::Rows(rows)) = place else {
        return 0;
    };
    here.extend(rows.iter().map(|row: &InvalidRow| {
        let class = FindingClass::InvalidRow;
        let key = row.key.clone();
        (class, Some(row.kind.into()), key, Some(side), Some(row.rowid))
    }));
    rows.len() as u64
}

/// What must be found in two stores, in order.
pub(crate) fn expect(
    left: &MemoryStore,
    right: &MemoryStore,
    only: KindSet,
    (quick, warnings): (bool, bool),
) -> (Comparison, Vec<Reported>) {
    let mut comparison = Comparison::new(left, right, only);
    let mut all = Vec::new();
    let sides = [(Side::Left, left), (Side::Right, right)];
    let mut wrong_claims = BTreeSet::new();
    for kind in only.iter() {
        let is_quick = quick && !(warnings && kind == RecordKind::Chunk);
        let (counts, mut found) = match is_quick && same_digest(kind, left, right) {
            true => (all_equal(kind, left), Vec::new()),
            false => expect_kind(kind, left, right),
        };
        *comparison.kinds.get_mut(kind) = counts;
        all.append(&mut found);
        for (side, store) in sides {
            let claimed = store.claims.as_ref().map(|claims| *claims.kinds.get(kind));
            if claimed.is_some_and(|claimed| claimed != *store.totals().get(kind)) {
                wrong_claims.insert(side);
                all.push((FindingClass::Manifest, Some(kind.into()), None, Some(side), None));
            }
        }
    }
    for (side, store) in sides {
        let is_of_kind = |key: &&Vec<u8>| {
            let starts = |kind: RecordKind| key.starts_with(kind.key_prefix().as_bytes());
            only == KindSet::ALL || only.iter().any(starts)
        };
        for key in store.unknown.keys().filter(is_of_kind) {
            comparison.unknown_keys += 1;
            let class = FindingClass::UnknownKey;
            all.push((class, None, Some(key.clone()), Some(side), None));
        }
    }
    for (side, store) in sides {
        let combined = store
            .claims
            .as_ref()
            .is_some_and(|claims| claims.sha256 != combined_digest(&claims.kinds, []));
        if combined && !wrong_claims.contains(&side) {
            all.push((FindingClass::Manifest, None, None, Some(side), None));
        }
    }
    for kind in [RecordKind::Chunk, RecordKind::ExecutionLog] {
        if only.contains(kind) && left.sequences.get(kind) != right.sequences.get(kind) {
            all.push((FindingClass::Sequence, Some(kind.into()), None, None, None));
        }
    }
    for (side, store) in sides {
        let other = match side {
            Side::Left => right,
            Side::Right => left,
        };
        let evidence = match side {
            Side::Left => &mut comparison.evidence.left,
            Side::Right => &mut comparison.evidence.right,
        };
        evidence.ids = IdSequences::default();
        for kind in only.iter() {
            evidence.ids.raise(kind, store.sequences.get(kind));
            own_records(kind, store, other, evidence, &mut comparison.evidence.ids_differ);
        }
        let is_fault = |reported: &&Reported| {
            use FindingClass::{Field, OnlyLeft, OnlyRight, Sequence};
            let carried = matches!(reported.0, OnlyLeft | OnlyRight | Field | Sequence);
            reported.3 == Some(side) && !carried && !reported.0.is_warning()
        };
        evidence.faults = all.iter().filter(is_fault).count() as u64;
        let is_wrong =
            |reported: &Reported| reported.0 == FindingClass::Manifest && reported.3 == Some(side);
        if let (Some(origin), false) = (&store.origin, all.iter().any(is_wrong)) {
            evidence.made_at = origin.made_at;
            evidence.is_made_of_other =
                origin.file_name == "in memory" && origin.store == other.store.name();
        }
    }
    for reported in &all {
        comparison.counts.count(reported.0, reported.1.as_ref());
    }
    (comparison, all)
}

/// Records which records of a store are missing or different in the other.
fn own_records(
    kind: RecordKind,
    store: &MemoryStore,
    other: &MemoryStore,
    evidence: &mut SideEvidence,
    ids_differ: &mut bool,
) {
    let record = |entry: Entry<'_>| {
        let own = check_value(kind, entry.key, entry.value).own?;
        Some(decode_json(kind, &own).unwrap())
    };
    for entry in store.entries(kind) {
        let Some(own) = record(entry) else { continue };
        match other.kinds.get(kind).get(&Some(entry.key.to_vec())) {
            None => {
                let ids = evidence.only_ids.get_mut(kind);
                let low = ids.map_or(i64::MAX, |(low, _)| low);
                let high = ids.map_or(i64::MIN, |(_, high)| high);
                *ids = own.id().map(|id| (low.min(id), high.max(id)));
            }
            Some(Place::Rows(_)) => continue,
            Some(Place::Entry(value)) => {
                let (key, value) = (entry.key, value.as_slice());
                match record(Entry { key, value }) {
                    Some(other) if other != own => *ids_differ |= other.id() != own.id(),
                    _ => continue,
                }
            }
        }
        let time = match own {
            Record::Chunk(chunk) => chunk.created_at,
            Record::ExecutionLog(execution) => execution.started_at,
            Record::FileMetrics(metrics) => metrics.last_updated,
            Record::SymbolMetrics(metrics) => metrics.last_updated,
        };
        let latest = evidence.latest.get_mut(kind);
        *latest = Some(latest.map_or(time, |latest| latest.max(time)));
    }
}

/// Whether a quick comparison may stop: the same entries, and no invalid rows.
fn same_digest(kind: RecordKind, left: &MemoryStore, right: &MemoryStore) -> bool {
    let no_rows = |store: &MemoryStore| {
        let mut places = store.kinds.get(kind).values();
        places.all(|place| matches!(place, Place::Entry(_)))
    };
    no_rows(left) && no_rows(right) && left.entries(kind).eq(right.entries(kind))
}

fn all_equal(kind: RecordKind, store: &MemoryStore) -> KindCounts {
    let entries = store.entries(kind).count() as u64;
    KindCounts { left: entries, right: entries, equal: entries, ..KindCounts::default() }
}

/// The KV file of some entries, as a comparison sees it.
pub(crate) fn kv_store<'e>(
    entries: impl IntoIterator<Item = (&'e Vec<u8>, &'e Vec<u8>)>,
) -> MemoryStore {
    let mut store = MemoryStore::new(StoreKind::Kv);
    for (key, value) in entries {
        match parse_key(key) {
            Ok(parsed) => drop(
                store
                    .kinds
                    .get_mut(parsed.kind())
                    .insert(Some(key.clone()), Place::Entry(value.clone())),
            ),
            Err(_) => drop(store.unknown.insert(key.clone(), value.clone())),
        }
    }
    store
}
