//! A store in memory, of either kind: what a comparison reads, and what its model is given.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use chunkmigrate::Result;
use chunkmigrate::internal::{
    InvalidRow, Item, KindHasher, ManifestTotals, Origin, SortedStream, Source, Visited,
};
use chunkmigrate::kv::Entry;
use chunkmigrate::migrate::UncopiedTable;
use chunkmigrate::record::{IdSequences, PerKind, RecordKind};
use chunkmigrate::store::StoreKind;
use chunkmigrate::table::{CarriedTables, TableSchema};
use chunkmigrate::verify::KindTotals;

/// The items at one place in a store's order.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Entry(Vec<u8>),
    Rows(Vec<InvalidRow>),
}

/// The places of a kind by key; rows may have none.
pub(crate) type Places = BTreeMap<Option<Vec<u8>>, Place>;

#[derive(Debug, Clone)]
pub(crate) struct MemoryStore {
    pub(crate) store: StoreKind,
    pub(crate) kinds: PerKind<Places>,
    pub(crate) unknown: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) sequences: IdSequences,
    pub(crate) claims: Option<ManifestTotals>,
    pub(crate) origin: Option<Origin>,
}

impl MemoryStore {
    pub(crate) fn new(store: StoreKind) -> Self {
        MemoryStore {
            store,
            kinds: PerKind::from_fn(|_| Places::new()),
            unknown: BTreeMap::new(),
            sequences: IdSequences::default(),
            claims: None,
            origin: None,
        }
    }

    pub(crate) fn entries(&self, kind: RecordKind) -> impl Iterator<Item = Entry<'_>> {
        let places = self.kinds.get(kind).iter();
        places.filter_map(|(key, place)| match (key, place) {
            (Some(key), Place::Entry(value)) => Some(Entry { key, value }),
            _ => None,
        })
    }

    pub(crate) fn totals(&self) -> PerKind<KindTotals> {
        PerKind::from_fn(|kind| {
            let mut digest = KindHasher::default();
            self.entries(kind).for_each(|entry| digest.update(entry));
            digest.finish()
        })
    }

    /// A stream of a kind that no other thread reads.
    pub(crate) fn stream(&self, kind: RecordKind) -> Stream<'_> {
        let items = self.kinds.get(kind).iter().flat_map(|(key, place)| {
            let items: Vec<Item<'_>> = match place {
                Place::Entry(value) => {
                    vec![Item::Entry(Entry { key: key.as_deref().unwrap(), value })]
                }
                Place::Rows(rows) => rows.iter().map(Item::Invalid).collect(),
            };
            items
        });
        Stream { items: items.collect(), position: 0 }
    }
}

pub(crate) struct Stream<'s> {
    items: Vec<Item<'s>>,
    position: usize,
}

impl SortedStream for Stream<'_> {
    fn advance(&mut self) -> Result<bool> {
        self.position += 1;
        Ok(self.position <= self.items.len())
    }

    fn current(&self) -> Option<Item<'_>> {
        self.items.get(self.position.checked_sub(1)?).copied()
    }

    fn is_known_sound(&self) -> bool {
        false
    }
}

impl Source for MemoryStore {
    fn path(&self) -> &Path {
        Path::new("in memory")
    }

    fn store(&self) -> StoreKind {
        self.store
    }

    fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        for (key, place) in self.kinds.get(kind) {
            match place {
                Place::Entry(value) => visit(Visited::Entry {
                    key: key.as_deref().unwrap(),
                    value: Cow::Borrowed(value),
                })?,
                Place::Rows(rows) => {
                    for row in rows {
                        visit(Visited::Invalid(Box::new(row.clone())))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn expected_records(&self, _: RecordKind) -> Option<u64> {
        None
    }

    fn entries_are_canonical(&self) -> bool {
        self.store == StoreKind::Sqlite
    }

    fn sequences(&self) -> Result<IdSequences> {
        Ok(self.sequences)
    }

    fn total_keys(&self) -> Result<Option<u64>> {
        let known = RecordKind::ALL.map(|kind| self.entries(kind).count());
        let all = known.iter().sum::<usize>() + self.unknown.len();
        Ok((self.store == StoreKind::Kv).then_some(all as u64))
    }

    fn visit_unknown(&self, visit: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
        let mut unknown = self.unknown.iter();
        unknown.try_for_each(|(key, value)| visit(Entry { key, value }))
    }

    fn manifest_totals(&self) -> Result<Option<ManifestTotals>> {
        Ok(self.claims.clone())
    }

    fn origin(&self) -> Result<Option<Origin>> {
        Ok(self.origin.clone())
    }

    fn closed_cleanly(&self) -> bool {
        true
    }

    fn schema_version(&self) -> Option<i64> {
        None
    }

    fn missing(&self) -> &[RecordKind] {
        &[]
    }

    fn other_tables(&self) -> Result<Vec<UncopiedTable>> {
        Ok(Vec::new())
    }

    fn visit_wrong_symbols(&self, _: &mut dyn FnMut(i64, String) -> Result<()>) -> Result<()> {
        Ok(())
    }

    fn carried(&self) -> Option<&CarriedTables> {
        None
    }

    fn left_out(&self) -> &[UncopiedTable] {
        &[]
    }

    fn visit_table(
        &self,
        _: &TableSchema,
        _: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        Ok(())
    }

    fn has_unknown_column(&self, _: &str) -> bool {
        false
    }

    fn expected_bytes(&self) -> u64 {
        0
    }

    fn sorting_bytes(&self) -> u64 {
        0
    }

    fn confirm(&self) -> Result<()> {
        Ok(())
    }
}
