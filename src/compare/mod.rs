//! Merge-join of two streams of entries in key order. Pure: it reads, counts and tells.

mod divergence;
mod fields;

pub use divergence::{Divergence, DivergenceClass, FieldDifference, KindCounts, Side};

use std::cmp::Ordering;

use crate::codec::{Entry, decode_json, encode_json_into, parse_key};
use crate::error::{Error, Result};
use crate::record::{Record, RecordKind};
use crate::store::{Item, SortedItems};

/// Compares all items of a kind and tells every divergence to `found`, in key order.
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
        counts: KindCounts::default(),
        left: Cursor::new(Side::Left, left),
        right: Cursor::new(Side::Right, right),
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
    counts: KindCounts,
    left: Cursor<'s>,
    right: Cursor<'s>,
    found: &'f mut dyn FnMut(Divergence) -> Result<()>,
}

impl Join<'_, '_> {
    fn run(&mut self) -> Result<()> {
        self.counts.invalid_left += self.left.next_entry(self.found)?;
        self.counts.invalid_right += self.right.next_entry(self.found)?;
        loop {
            let order = match (self.left.entry(), self.right.entry()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(left), Some(right)) => left.key.cmp(right.key),
            };
            match order {
                Ordering::Less => self.only(Side::Left)?,
                Ordering::Greater => self.only(Side::Right)?,
                Ordering::Equal => self.both()?,
            }
            if order.is_le() {
                self.counts.invalid_left += self.left.next_entry(self.found)?;
            }
            if order.is_ge() {
                self.counts.invalid_right += self.right.next_entry(self.found)?;
            }
        }
        self.counts.left = self.left.items;
        self.counts.right = self.right.items;
        Ok(())
    }

    fn only(&mut self, side: Side) -> Result<()> {
        let (cursor, count) = match side {
            Side::Left => (&self.left, &mut self.counts.only_left),
            Side::Right => (&self.right, &mut self.counts.only_right),
        };
        let Some(entry) = cursor.entry() else {
            return Ok(());
        };
        *count += 1;
        (self.found)(Divergence::only(self.kind, side, entry.key))?;
        let judged = Judged::of(self.kind, entry);
        judged.tell(self.kind, side, entry.key, self.found)
    }

    fn both(&mut self) -> Result<()> {
        let (Some(left), Some(right)) = (self.left.entry(), self.right.entry()) else {
            return Ok(());
        };
        let judged = (Judged::of(self.kind, left), Judged::of(self.kind, right));
        if left.value == right.value && judged.0.is_sound() && judged.1.is_sound() {
            self.counts.equal += 1;
            return Ok(());
        }
        self.counts.differing += 1;
        let key = left.key;
        judged.0.tell(self.kind, Side::Left, key, self.found)?;
        judged.1.tell(self.kind, Side::Right, key, self.found)?;
        if let (Some(left), Some(right)) = (&judged.0.canonical, &judged.1.canonical)
            && left != right
        {
            let fields = fields::differences(left, right)?;
            (self.found)(Divergence::fields(self.kind, key, fields))?;
        }
        Ok(())
    }
}

/// What one value is, by itself.
struct Judged {
    /// The canonical bytes of the record that the value decodes to.
    canonical: Option<Vec<u8>>,
    faults: Vec<(DivergenceClass, String)>,
}

impl Judged {
    fn of(kind: RecordKind, entry: Entry<'_>) -> Self {
        let record = match decode_json(kind, entry.value) {
            Ok(record) => record,
            Err(error) => {
                return Judged {
                    canonical: None,
                    faults: vec![(DivergenceClass::Undecodable, error.to_string())],
                };
            }
        };
        let mut canonical = Vec::with_capacity(entry.value.len());
        let mut faults = Vec::new();
        if let Err(error) = encode_json_into(&record, &mut canonical) {
            faults.push((DivergenceClass::Undecodable, error.to_string()));
        } else if canonical != entry.value {
            let message = "the value is this record, but not written canonically".to_owned();
            faults.push((DivergenceClass::Noncanonical, message));
        }
        if let Some(message) = key_mismatch(entry.key, &record) {
            faults.push((DivergenceClass::KeyMismatch, message));
        }
        Judged {
            canonical: Some(canonical),
            faults,
        }
    }

    fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    fn tell(
        &self,
        kind: RecordKind,
        side: Side,
        key: &[u8],
        found: &mut dyn FnMut(Divergence) -> Result<()>,
    ) -> Result<()> {
        self.faults.iter().try_for_each(|(class, message)| {
            found(Divergence::fault(*class, kind, side, key, message))
        })
    }
}

fn key_mismatch(key: &[u8], record: &Record) -> Option<String> {
    match parse_key(key) {
        Ok(parsed) if parsed == record.key() => None,
        Ok(_) => Some(format!(
            "the record belongs to the key {:?}",
            String::from_utf8_lossy(&crate::codec::record_key(record))
        )),
        Err(error) => Some(error.to_string()),
    }
}

/// A stream whose invalid rows are told as they come up.
struct Cursor<'s> {
    side: Side,
    stream: &'s mut dyn SortedItems,
    items: u64,
    last_key: Option<Vec<u8>>,
}

impl<'s> Cursor<'s> {
    fn new(side: Side, stream: &'s mut dyn SortedItems) -> Self {
        Cursor {
            side,
            stream,
            items: 0,
            last_key: None,
        }
    }

    /// Moves to the next entry; returns how many invalid rows came before it.
    fn next_entry(&mut self, found: &mut dyn FnMut(Divergence) -> Result<()>) -> Result<u64> {
        let mut invalid = 0;
        while self.stream.advance()? {
            self.items += 1;
            match self.stream.current() {
                Some(Item::Invalid(row)) => {
                    invalid += 1;
                    found(Divergence::invalid_row(self.side, row))?;
                }
                Some(Item::Entry(entry)) => {
                    if self
                        .last_key
                        .as_deref()
                        .is_some_and(|last| entry.key <= last)
                    {
                        return Err(Error::Internal("keys are not in order".to_owned()));
                    }
                    let last = self.last_key.get_or_insert_default();
                    last.clear();
                    last.extend_from_slice(entry.key);
                    return Ok(invalid);
                }
                None => break,
            }
        }
        Ok(invalid)
    }

    fn entry(&self) -> Option<Entry<'_>> {
        match self.stream.current() {
            Some(Item::Entry(entry)) => Some(entry),
            _ => None,
        }
    }
}
