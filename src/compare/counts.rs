use std::ops::AddAssign;

use serde::Serialize;

/// The result of comparing the items of one kind.
///
/// ```
/// use chunkmigrate::verify::KindCounts;
///
/// let counts = KindCounts { left: 3, right: 2, equal: 2, only_left: 1, ..Default::default() };
/// assert!(counts.is_consistent());
/// assert!(!counts.identical());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct KindCounts {
    /// Rows or keys on the left.
    pub left: u64,
    /// Rows or keys on the right.
    pub right: u64,
    /// Records that are equal on both sides.
    pub equal: u64,
    /// Valid records on the left side only.
    pub only_left: u64,
    /// Valid records on the right side only.
    pub only_right: u64,
    /// Keys that exist on both sides without equal valid records: the records differ, or one or
    /// both are invalid.
    #[serde(rename = "different")]
    pub differing: u64,
    /// Invalid rows and entries on the left without a counterpart on the right: their key does not
    /// exist there, they have no key, or they are additional rows with the same key.
    pub invalid_left: u64,
    /// The same on the right.
    pub invalid_right: u64,
}

impl KindCounts {
    /// Whether each item of either side was counted exactly once.
    pub const fn is_consistent(&self) -> bool {
        let both = self.equal + self.differing;
        self.left == both + self.only_left + self.invalid_left
            && self.right == both + self.only_right + self.invalid_right
    }

    /// Whether every item is a valid record and equal on both sides.
    pub const fn identical(&self) -> bool {
        self.left == self.equal && self.right == self.equal
    }
}

impl AddAssign for KindCounts {
    fn add_assign(&mut self, other: Self) {
        self.left += other.left;
        self.right += other.right;
        self.equal += other.equal;
        self.only_left += other.only_left;
        self.only_right += other.only_right;
        self.differing += other.differing;
        self.invalid_left += other.invalid_left;
        self.invalid_right += other.invalid_right;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_of_two_kinds_count_every_item_of_both() {
        let mut total = KindCounts {
            left: 7,
            right: 9,
            equal: 2,
            only_left: 3,
            only_right: 4,
            differing: 1,
            invalid_left: 1,
            invalid_right: 2,
        };
        total += KindCounts {
            left: 100,
            right: 80,
            equal: 50,
            only_left: 30,
            only_right: 11,
            differing: 12,
            invalid_left: 8,
            invalid_right: 7,
        };
        let expected = KindCounts {
            left: 107,
            right: 89,
            equal: 52,
            only_left: 33,
            only_right: 15,
            differing: 13,
            invalid_left: 9,
            invalid_right: 9,
        };
        assert_eq!(total, expected);
        assert!(total.is_consistent() && !total.identical());
    }
}
