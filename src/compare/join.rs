use std::cmp::Ordering;

use super::class::Side;
use super::counts::KindCounts;
use super::divergence::Divergence;
use super::fields;
use super::judge::{Judged, hash_warning};
use crate::codec::{Entry, encode_json};
use crate::error::{Error, Result};
use crate::record::RecordKind;
use crate::sqlite::InvalidRow;
use crate::store::{Item, SortedItems};

/// Compares all items of a kind and tells every divergence to `found`, by key and then by class;
/// what has no key comes first.
///
/// Returns counts that balance: each item of either side is counted once as equal, on one side
/// only, differing or invalid.
///
/// # Errors
/// A stream can't be read to its end or is out of order, or `found` failed.
pub fn compare_kind(
    kind: RecordKind,
    left: &mut dyn SortedItems,
    right: &mut dyn SortedItems,
    found: &mut dyn FnMut(Divergence) -> Result<()>,
) -> Result<KindCounts> {
    let mut join = Join {
        kind,
        is_made: left.makes_entries() || right.makes_entries(),
        counts: KindCounts::default(),
        left: Cursor::new(left),
        right: Cursor::new(right),
        found,
    };
    join.run()?;
    match join.counts.balances() {
        true => Ok(join.counts),
        false => Err(Error::Internal(format!(
            "the counts of {kind} don't balance"
        ))),
    }
}

struct Join<'s, 'f> {
    kind: RecordKind,
    /// Whether one side's entries are made of rows: what equals one of them is as sound as it is.
    is_made: bool,
    counts: KindCounts,
    left: Cursor<'s>,
    right: Cursor<'s>,
    found: &'f mut dyn FnMut(Divergence) -> Result<()>,
}

impl Join<'_, '_> {
    fn run(&mut self) -> Result<()> {
        self.left.advance()?;
        self.right.advance()?;
        loop {
            let order = match (self.left.place(), self.right.place()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(left), Some(right)) => left.cmp(&right),
            };
            self.settle(order.is_le(), order.is_ge())?;
        }
        self.counts.left = self.left.items;
        self.counts.right = self.right.items;
        Ok(())
    }

    /// Deals with the lowest key: that of the left side, the right side or both.
    fn settle(&mut self, on_left: bool, on_right: bool) -> Result<()> {
        let left = on_left.then(|| self.left.item()).flatten();
        let right = on_right.then(|| self.right.item()).flatten();
        let mut told = match (left, right) {
            (Some(Item::Entry(left)), Some(Item::Entry(right)))
                if self.is_made && left.value == right.value =>
            {
                self.counts.equal += 1;
                hash_warning(self.kind, left)?.into_iter().collect()
            }
            (Some(Item::Entry(left)), Some(Item::Entry(right))) => {
                both(self.kind, left, right, &mut self.counts)?
            }
            (Some(Item::Entry(entry)), other) => {
                self.counts.only_left += 1;
                only(self.kind, Side::Left, entry, other)
            }
            (other, Some(Item::Entry(entry))) => {
                self.counts.only_right += 1;
                only(self.kind, Side::Right, entry, other)
            }
            _ => Vec::new(),
        };
        told.sort_by_key(|divergence| (divergence.class, divergence.side));
        let warnings = told.split_off(told.partition_point(|d| !d.class.is_warning()));
        told.into_iter().try_for_each(&mut self.found)?;
        if on_left {
            self.counts.invalid_left += self.left.pass(Side::Left, self.found)?;
        }
        if on_right {
            self.counts.invalid_right += self.right.pass(Side::Right, self.found)?;
        }
        warnings.into_iter().try_for_each(&mut self.found)
    }
}

fn only(
    kind: RecordKind,
    side: Side,
    entry: Entry<'_>,
    other: Option<Item<'_>>,
) -> Vec<Divergence> {
    let instead = other.and_then(|item| match item {
        Item::Invalid(row) => Some(row),
        Item::Entry(_) => None,
    });
    let judged = Judged::of(kind, entry);
    let mut told = vec![Divergence::only(kind, side, entry.key, instead)];
    told.extend(judged.divergences(kind, side, entry.key));
    told.extend(judged.hash_warning(entry.key).map(|w| w.on(side)));
    told
}

/// Compares two values of one key.
fn both(
    kind: RecordKind,
    left: Entry<'_>,
    right: Entry<'_>,
    counts: &mut KindCounts,
) -> Result<Vec<Divergence>> {
    let key = left.key;
    let judged_left = Judged::of(kind, left);
    let mut told: Vec<Divergence> = judged_left.divergences(kind, Side::Left, key).collect();
    if left.value == right.value {
        match judged_left.is_sound() {
            true => counts.equal += 1,
            false => counts.differing += 1,
        }
        told.extend(judged_left.divergences(kind, Side::Right, key));
        told.extend(judged_left.hash_warning(key));
        return Ok(told);
    }
    counts.differing += 1;
    let judged_right = Judged::of(kind, right);
    told.extend(judged_right.divergences(kind, Side::Right, key));
    // A record under another's key has no fields to compare with those of the key's record.
    let records = (
        judged_left.record_of_its_key(),
        judged_right.record_of_its_key(),
    );
    if let (Some(left), Some(right)) = records {
        let fields = fields::differences(&encode_json(left)?, &encode_json(right)?)?;
        if !fields.is_empty() {
            told.push(Divergence::fields(kind, key, fields));
        }
    }
    told.extend(judged_left.hash_warning(key).map(|w| w.on(Side::Left)));
    told.extend(judged_right.hash_warning(key).map(|w| w.on(Side::Right)));
    Ok(told)
}

/// A stream with the place of its current item.
struct Cursor<'s> {
    stream: &'s mut dyn SortedItems,
    items: u64,
    last_key: Option<Vec<u8>>,
    ended: bool,
}

impl<'s> Cursor<'s> {
    fn new(stream: &'s mut dyn SortedItems) -> Self {
        Cursor {
            stream,
            items: 0,
            last_key: None,
            ended: false,
        }
    }

    fn advance(&mut self) -> Result<()> {
        if !self.stream.advance()? {
            self.ended = true;
            return Ok(());
        }
        self.items += 1;
        let (key, may_repeat) = match self.stream.current() {
            Some(Item::Entry(entry)) => (Some(entry.key), false),
            Some(Item::Invalid(row)) => (row.key.as_deref(), true),
            None => return Err(Error::Internal("a stream has no current item".to_owned())),
        };
        let in_order = match key.cmp(&self.last_key.as_deref()) {
            Ordering::Less => false,
            Ordering::Equal => may_repeat,
            Ordering::Greater => true,
        };
        if !in_order {
            return Err(Error::Internal("keys are not in order".to_owned()));
        }
        if let Some(key) = key {
            let last = self.last_key.get_or_insert_default();
            last.clear();
            last.extend_from_slice(key);
        }
        Ok(())
    }

    fn item(&self) -> Option<Item<'_>> {
        self.stream.current().filter(|_| !self.ended)
    }

    /// The key of the current item, if there is an item; a row may have none.
    fn place(&self) -> Option<Option<&[u8]>> {
        self.item().map(|item| match item {
            Item::Entry(entry) => Some(entry.key),
            Item::Invalid(row) => row.key.as_deref(),
        })
    }

    fn row(&self) -> Option<&InvalidRow> {
        match self.item() {
            Some(Item::Invalid(row)) => Some(row),
            _ => None,
        }
    }

    /// Moves past an entry, or past all rows that share a key, which are told; returns how many
    /// rows these are.
    fn pass(&mut self, side: Side, found: &mut dyn FnMut(Divergence) -> Result<()>) -> Result<u64> {
        let Some(row) = self.row() else {
            self.advance()?;
            return Ok(0);
        };
        let key = row.key.clone();
        let mut rows = 0;
        while let Some(row) = self.row().filter(|row| row.key == key) {
            found(Divergence::invalid_row(side, row))?;
            rows += 1;
            self.advance()?;
        }
        Ok(rows)
    }
}
