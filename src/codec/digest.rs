//! Digests over the entries of a kind, and over a whole store.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use super::Entry;
use crate::record::PerKind;

/// A SHA-256, written as 64 lower-case hex digits.
///
/// ```
/// # #[cfg(feature = "native-v2")] {
/// use chunkmigrate::verify::Digest;
///
/// let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// assert_eq!(Digest::of("").to_string(), of_nothing);
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The SHA-256 of some bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Digest(Sha256::digest(bytes).into())
    }

    /// The 64 lower-case hex digits.
    pub(crate) fn hex(&self) -> [u8; 64] {
        let digit = |nibble: u8| match nibble {
            0..=9 => b'0' + nibble,
            _ => b'a' + nibble - 10,
        };
        let mut hex = [0; 64];
        let (pairs, _) = hex.as_chunks_mut::<2>();
        for (pair, byte) in pairs.iter_mut().zip(self.0) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        hex
    }

    /// Adds another digest; both are treated as 32-byte numbers, modulo 2^256.
    pub(super) fn add(&mut self, other: Digest) {
        let (words, _) = self.0.as_chunks_mut();
        let (more, _) = other.0.as_chunks();
        let mut carry = 0;
        for (word, more) in words.iter_mut().zip(more).rev() {
            let (sum, overflows) = u64::from_be_bytes(*word).overflowing_add(carry);
            let (sum, overflows_too) = sum.overflowing_add(u64::from_be_bytes(*more));
            *word = sum.to_be_bytes();
            carry = (overflows | overflows_too).into();
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.hex()))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let nibble = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let bytes: Option<Vec<u8>> =
            pairs.iter().map(|&[high, low]| Some(16 * nibble(high)? + nibble(low)?)).collect();
        bytes
            .filter(|_| rest.is_empty())
            .and_then(|bytes| bytes.try_into().ok())
            .map(Digest)
            .ok_or_else(|| de::Error::custom("not 64 lower-case hex digits"))
    }
}

/// Counts and hashes the entries of one kind, in key order.
///
/// Each entry is hashed as the length of its key (u64, little-endian), the key, the length of its
/// value (u64, little-endian), and the value.
#[derive(Debug, Clone, Default)]
pub struct KindHasher {
    hasher: Sha256,
    records: u64,
    key_bytes: u64,
    value_bytes: u64,
}

impl KindHasher {
    /// Adds the next entry.
    pub fn update(&mut self, entry: Entry<'_>) {
        self.records += 1;
        self.key_bytes += entry.key.len() as u64;
        self.value_bytes += entry.value.len() as u64;
        update(&mut self.hasher, entry);
    }

    /// The totals of all entries; without any, the digest is the SHA-256 of the empty input.
    pub fn finish(self) -> KindTotals {
        KindTotals {
            records: self.records,
            key_bytes: self.key_bytes,
            value_bytes: self.value_bytes,
            sha256: Digest(self.hasher.finalize().into()),
        }
    }
}

/// Counts entries, and adds up their hashes: the same for the same entries in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct EntrySum {
    /// Number of entries.
    pub(crate) records: u64,
    sum: Digest,
}

impl EntrySum {
    /// Adds an entry.
    pub(crate) fn add(&mut self, entry: Entry<'_>) {
        self.records += 1;
        self.sum.add(entry_digest(entry));
    }

    /// Adds the entries of another sum.
    pub(crate) fn merge(&mut self, other: EntrySum) {
        self.records += other.records;
        self.sum.add(other.sum);
    }
}

impl<'e> FromIterator<Entry<'e>> for EntrySum {
    fn from_iter<I: IntoIterator<Item = Entry<'e>>>(entries: I) -> Self {
        let mut sum = EntrySum::default();
        entries.into_iter().for_each(|entry| sum.add(entry));
        sum
    }
}

/// The SHA-256 of an entry: of the length of its key, the key, the length of its value, and the value.
pub(super) fn entry_digest(entry: Entry<'_>) -> Digest {
    let mut hasher = Sha256::new();
    update(&mut hasher, entry);
    Digest(hasher.finalize().into())
}

fn update(hasher: &mut Sha256, entry: Entry<'_>) {
    for part in [entry.key, entry.value] {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
}

/// Counts and digest of one kind in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindTotals {
    /// Number of records.
    pub records: u64,
    /// Bytes of all keys.
    pub key_bytes: u64,
    /// Bytes of all values.
    pub value_bytes: u64,
    /// Digest over all entries.
    pub sha256: Digest,
}

impl Default for KindTotals {
    /// The totals of an empty kind.
    fn default() -> Self {
        KindHasher::default().finish()
    }
}

/// The digest of a store: the SHA-256 over the raw digests of the four kinds and of the carried
/// tables, in key order.
pub fn combined_digest<'t>(
    kinds: &'t PerKind<KindTotals>,
    tables: impl IntoIterator<Item = &'t KindTotals>,
) -> Digest {
    let mut hasher = Sha256::new();
    for totals in kinds.iter().map(|(_, totals)| totals).chain(tables) {
        hasher.update(totals.sha256.0);
    }
    Digest(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RecordKind;

    #[test]
    fn a_sum_has_no_order_and_every_entry() {
        let entries = [("a", "1"), ("b", "2"), ("a", "2"), ("", "")];
        let entries =
            entries.map(|(key, value)| Entry { key: key.as_bytes(), value: value.as_bytes() });
        let all: EntrySum = entries.into_iter().collect();
        let mut halves: EntrySum = entries[2..].iter().copied().rev().collect();
        halves.merge(entries[..2].iter().copied().collect());
        assert_eq!(all, halves);
        for left_out in 0..entries.len() {
            let others = entries.iter().enumerate().filter(|(place, _)| *place != left_out);
            let others: EntrySum = others.map(|(_, entry)| *entry).collect();
            assert_ne!(all, others);
        }
        let moved = Entry { key: b"a1", value: b"" };
        assert_ne!(EntrySum::from_iter([entries[0]]), EntrySum::from_iter([moved]));
    }

    /// The first is an example from FIPS 180; the others were computed with another implementation.
    #[test]
    fn digests_match_another_implementation() {
        let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of("abc").to_string(), of_abc);
        assert_eq!(format!("{:?}", Digest::of("abc")), of_abc);

        let mut digest = KindHasher::default();
        for (key, value) in [("metrics:symbol:1", "{}"), ("metrics:symbol:20", "[1]")] {
            let (key, value) = (key.as_bytes(), value.as_bytes());
            digest.update(Entry { key, value });
        }
        let totals = digest.finish();
        let of_entries = "8b0781d70dbdc86a56a72a18179d89d64da805a6536df5568abab47efddca6c8";
        assert_eq!(totals.sha256.to_string(), of_entries);

        let mut kinds = PerKind::<KindTotals>::default();
        *kinds.get_mut(RecordKind::SymbolMetrics) = totals;
        let of_store = "6f5e8000e392b878cf6f1d5e0fb16abdb06f5fba98403c1911ff14db28a8281a";
        assert_eq!(combined_digest(&kinds, []).to_string(), of_store);
    }
}
