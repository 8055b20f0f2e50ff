use chunkmigrate::record::RecordKind;
use clap::ValueEnum;

/// A kind of record, as options name it.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Kind {
    Chunk,
    ExecutionLog,
    FileMetrics,
    SymbolMetrics,
}

impl From<Kind> for RecordKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Chunk => Self::Chunk,
            Kind::ExecutionLog => Self::ExecutionLog,
            Kind::FileMetrics => Self::FileMetrics,
            Kind::SymbolMetrics => Self::SymbolMetrics,
        }
    }
}

/// The kinds that were asked for.
pub(super) fn record_kinds(only: &[Kind]) -> Vec<RecordKind> {
    only.iter().map(|kind| (*kind).into()).collect()
}
