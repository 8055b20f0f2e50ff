use std::sync::Arc;

use chunkmigrate::kv::{KvBackend, KvTransaction};
use chunkmigrate::record::CodeChunk;
use chunkmigrate::rusqlite::Connection;
use chunkmigrate::store::{ChunkStore, ExecutionLog, MetricsOps};
use chunkmigrate::{Error, Result};
use proptest::prelude::*;

use crate::map_backend::MapBackend;
use crate::model::Model;
use crate::modes::Stores;
use crate::operation::{Operation, operation};

/// Runs operations on stores in every mode and on the model, and compares each answer.
fn run(operations: &[Operation]) {
    let stores = Stores::in_every_mode();
    let mut model = Model::default();
    for (step, operation) in operations.iter().enumerate() {
        let expected = model.run(operation);
        for stores in &stores {
            let found = operation.run(stores);
            let name = stores.name;
            assert_eq!(found, expected, "{name}, step {step}: {operation:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_mode_answers_like_the_model(operations in prop::collection::vec(operation(), 1..40)) {
        run(&operations);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    #[ignore = "deep: three thousand sequences of operations"]
    fn every_mode_answers_like_the_model_in_many_sequences(
        operations in prop::collection::vec(operation(), 1..40)
    ) {
        run(&operations);
    }
}

#[test]
fn the_largest_offset_can_be_stored_and_found() {
    let last = i64::MAX.unsigned_abs();
    for stores in Stores::in_every_mode() {
        let chunk = CodeChunk::new("a", last, last, "");
        assert_eq!(stores.chunks.store_chunk(&chunk).unwrap(), 1);
        let found = stores.chunks.get_chunk_by_span("a", last, last).unwrap();
        assert_eq!(found, Some(CodeChunk { id: 1, ..chunk }));
        let beyond = stores.chunks.get_chunk_by_span("a", last, last + 1);
        assert_eq!(beyond.unwrap(), None);
    }
}

#[test]
fn only_a_store_built_over_a_kv_backend_has_one() {
    let backend = || -> Option<Arc<dyn KvBackend>> { Some(Arc::new(MapBackend::default())) };
    let database = || Connection::open_in_memory().unwrap();
    for (found, expected) in [
        (ChunkStore::in_memory(backend()).unwrap().has_kv_backend(), true),
        (ChunkStore::in_memory(None).unwrap().has_kv_backend(), false),
        (ChunkStore::with_connection(database()).has_kv_backend(), false),
        (MetricsOps::in_memory(backend()).unwrap().has_kv_backend(), true),
        (MetricsOps::in_memory(None).unwrap().has_kv_backend(), false),
        (MetricsOps::with_connection(database()).has_kv_backend(), false),
        (ExecutionLog::in_memory(backend()).unwrap().has_kv_backend(), true),
        (ExecutionLog::in_memory(None).unwrap().has_kv_backend(), false),
        (ExecutionLog::with_connection(database()).has_kv_backend(), false),
        (ExecutionLog::disabled().has_kv_backend(), false),
    ] {
        assert_eq!(found, expected);
    }
    for stores in Stores::in_every_mode() {
        let expected = stores.name != "SQLite";
        assert_eq!(stores.chunks.has_kv_backend(), expected);
        assert_eq!(stores.metrics.has_kv_backend(), expected);
        assert_eq!(stores.logs[0].has_kv_backend(), expected);
    }
}

/// A backend that always fails: no store over it may answer from anywhere else.
#[derive(Debug)]
struct Broken;

impl KvBackend for Broken {
    fn transaction(&self, _: &mut dyn FnMut(&mut dyn KvTransaction) -> Result<()>) -> Result<()> {
        Err(Error::Backend("the backend is broken".into()))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_failing_backend_fails_every_operation_over_it(operation in operation()) {
        let stores = Stores::in_kv("broken", Arc::new(Broken));
        let needs_no_backend = match &operation {
            Operation::EnsureSchema | Operation::Wait(_) => true,
            Operation::StoreChunks(chunks) => chunks.is_empty(),
            Operation::GetChunkBySpan(_, start, end) => (*start).max(*end) > i64::MAX as u64,
            _ => false,
        };
        let is_error_before = Operation::run(&operation, &Stores::in_sqlite())
            .is_err_and(|message| message.contains("finite"));
        match operation.try_run(&stores) {
            Ok(answer) => prop_assert!(needs_no_backend, "{operation:?}: {answer}"),
            Err(Error::Backend(cause)) => {
                prop_assert_eq!(cause.to_string(), "the backend is broken");
            }
            Err(error) => prop_assert!(is_error_before, "{operation:?}: {error}"),
        }
    }
}
