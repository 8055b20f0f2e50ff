use super::{KindSet, RecordKind};

/// The highest row id ever assigned in each table with AUTOINCREMENT (its `sqlite_sequence`), 0 if
/// no id above 0 was. An id at or below it is not assigned again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdSequences {
    /// Sequence of the chunk ids.
    pub code_chunks: i64,
    /// Sequence of the execution log's ids.
    pub execution_log: i64,
}

impl IdSequences {
    /// Below every sequence.
    pub(crate) const LOWEST: IdSequences =
        IdSequences { code_chunks: i64::MIN, execution_log: i64::MIN };

    /// The sequence of a kind; 0 for kinds without ids.
    pub const fn get(&self, kind: RecordKind) -> i64 {
        match kind {
            RecordKind::Chunk => self.code_chunks,
            RecordKind::ExecutionLog => self.execution_log,
            RecordKind::FileMetrics | RecordKind::SymbolMetrics => 0,
        }
    }

    /// Raises the sequence of a kind to `id` if it is lower. Does nothing for kinds without ids.
    ///
    /// ```
    /// use chunkmigrate::record::{RecordKind, IdSequences};
    ///
    /// let mut sequences = IdSequences { code_chunks: 7, execution_log: 0 };
    /// sequences.raise(RecordKind::Chunk, 5);
    /// sequences.raise(RecordKind::ExecutionLog, 5);
    /// assert_eq!(sequences, IdSequences { code_chunks: 7, execution_log: 5 });
    /// ```
    pub fn raise(&mut self, kind: RecordKind, id: i64) {
        match kind {
            RecordKind::Chunk => self.code_chunks = self.code_chunks.max(id),
            RecordKind::ExecutionLog => self.execution_log = self.execution_log.max(id),
            RecordKind::FileMetrics | RecordKind::SymbolMetrics => {}
        }
    }

    /// The sequences of the selected kinds, and 0 for the others.
    pub(crate) fn of_kinds(self, kinds: KindSet) -> IdSequences {
        let mut some = IdSequences::default();
        for kind in kinds.iter() {
            some.raise(kind, self.get(kind));
        }
        some
    }

    /// The higher sequence of each kind.
    #[must_use]
    pub(crate) fn max(mut self, other: IdSequences) -> IdSequences {
        for kind in RecordKind::ALL {
            self.raise(kind, other.get(kind));
        }
        self
    }
}
