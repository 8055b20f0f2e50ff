use super::RecordKind;

/// The highest row id ever given in each table that hands ids out (AUTOINCREMENT's high-water
/// mark), 0 where none above 0 was. An id at or below it is not given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdSequences {
    /// Ids of chunks.
    pub code_chunks: i64,
    /// Ids of the execution log.
    pub execution_log: i64,
}

impl IdSequences {
    /// Below every id.
    pub(crate) const LOWEST: IdSequences = IdSequences {
        code_chunks: i64::MIN,
        execution_log: i64::MIN,
    };

    /// The mark of a kind; 0 for kinds that hand no ids out.
    pub const fn get(&self, kind: RecordKind) -> i64 {
        match kind {
            RecordKind::Chunk => self.code_chunks,
            RecordKind::ExecutionLog => self.execution_log,
            RecordKind::FileMetrics | RecordKind::SymbolMetrics => 0,
        }
    }

    /// Raises the mark of a kind to an id, if it is lower; nothing for kinds that hand no ids out.
    ///
    /// ```
    /// use chunkmigrate::record::{RecordKind, IdSequences};
    ///
    /// let mut marks = IdSequences { code_chunks: 7, execution_log: 0 };
    /// marks.raise(RecordKind::Chunk, 5);
    /// marks.raise(RecordKind::ExecutionLog, 5);
    /// assert_eq!(marks, IdSequences { code_chunks: 7, execution_log: 5 });
    /// ```
    pub fn raise(&mut self, kind: RecordKind, id: i64) {
        match kind {
            RecordKind::Chunk => self.code_chunks = self.code_chunks.max(id),
            RecordKind::ExecutionLog => self.execution_log = self.execution_log.max(id),
            RecordKind::FileMetrics | RecordKind::SymbolMetrics => {}
        }
    }

    /// The marks of some kinds, and 0 for the others.
    pub(crate) fn of_kinds(self, is_asked_for: impl Fn(RecordKind) -> bool) -> IdSequences {
        let mut some = IdSequences::default();
        for kind in RecordKind::ALL {
            if is_asked_for(kind) {
                some.raise(kind, self.get(kind));
            }
        }
        some
    }

    /// The higher mark of each kind.
    #[must_use]
    pub fn max(mut self, other: IdSequences) -> IdSequences {
        for kind in RecordKind::ALL {
            self.raise(kind, other.get(kind));
        }
        self
    }
}
