//! Joins two streams by key.

use std::cmp::Ordering;

use super::{InvalidRow, Item, SortedStream};
use crate::error::{Error, Result};

/// Two streams, each at its current item.
pub(crate) struct MergeJoin<'s> {
    pub(crate) left: Cursor<'s>,
    pub(crate) right: Cursor<'s>,
}

impl<'s> MergeJoin<'s> {
    /// Moves both streams to their first items.
    pub(crate) fn start(
        left: &'s mut dyn SortedStream,
        right: &'s mut dyn SortedStream,
    ) -> Result<Self> {
        Ok(MergeJoin { left: Cursor::start(left)?, right: Cursor::start(right)? })
    }

    /// Where the lowest key is: `Less` on the left, `Greater` on the right, `Equal` on both sides;
    /// `None` at the end of both streams.
    pub(crate) fn order(&self) -> Option<Ordering> {
        match (self.left.item(), self.right.item()) {
            (None, None) => None,
            (Some(_), None) => Some(Ordering::Less),
            (None, Some(_)) => Some(Ordering::Greater),
            // Rows without a key come first.
            (Some(left), Some(right)) => Some(left.key().cmp(&right.key())),
        }
    }
}

/// A stream at its current item, whose order is checked.
pub(crate) struct Cursor<'s> {
    stream: &'s mut dyn SortedStream,
    items: u64,
    last_key: Option<Vec<u8>>,
    ended: bool,
}

impl<'s> Cursor<'s> {
    fn start(stream: &'s mut dyn SortedStream) -> Result<Self> {
        let mut cursor = Cursor { stream, items: 0, last_key: None, ended: false };
        cursor.advance()?;
        Ok(cursor)
    }

    /// Moves to the next item.
    ///
    /// # Errors
    /// The store can't be read to its end, or its entries are out of order.
    pub(crate) fn advance(&mut self) -> Result<()> {
        if !self.stream.advance()? {
            self.ended = true;
            return Ok(());
        }
        self.items += 1;
        let current = self.stream.current();
        let item = current.ok_or_else(|| Error::Internal("a stream has no item".to_owned()))?;
        let in_order = match (item.key().cmp(&self.last_key.as_deref()), item) {
            (Ordering::Less, _) => false,
            (Ordering::Equal, item) => matches!(item, Item::Invalid(_)),
            (Ordering::Greater, _) => true,
        };
        if !in_order {
            return Err(Error::Internal("keys are not in order".to_owned()));
        }
        if let Some(key) = item.key() {
            let last = self.last_key.get_or_insert_default();
            last.clear();
            last.extend_from_slice(key);
        }
        Ok(())
    }

    /// The current item; `None` at the end.
    pub(crate) fn item(&self) -> Option<Item<'_>> {
        self.stream.current().filter(|_| !self.ended)
    }

    /// As [`SortedStream::is_known_sound`].
    pub(crate) fn is_known_sound(&self) -> bool {
        !self.ended && self.stream.is_known_sound()
    }

    /// The current item, if it is an invalid row.
    pub(crate) fn row(&self) -> Option<&InvalidRow> {
        match self.item() {
            Some(Item::Invalid(row)) => Some(row),
            _ => None,
        }
    }

    /// Number of items up to the current one.
    pub(crate) const fn items(&self) -> u64 {
        self.items
    }
}
