//! A store that was written in KV mode, migrated to SQLite, and opened there: all operations give
//! the same answers as before, and so do those that follow.

use std::path::Path;
use std::sync::Arc;

use chunkmigrate::Progress;
use chunkmigrate::kv::RedbBackend;
use chunkmigrate::migrate::{CopyOptions, kv_to_sqlite, sqlite_to_kv};
use chunkmigrate::rusqlite::Connection;
use chunkmigrate::verify::{VerifyOptions, verify_pair};
use proptest::prelude::*;
use test_support::folder;

use crate::modes::Stores;
use crate::operation::{Operation, operation};

fn in_kv_file(path: &Path) -> Stores {
    let backend = RedbBackend::open_or_create(path).unwrap();
    Stores::in_kv("redb", Arc::new(backend))
}

fn in_sqlite_file(path: &Path) -> Stores {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    Stores::in_sqlite_database(connection)
}

/// Every mode is migrated to the other, and both continue.
fn check(first: &[Operation], then: &[Operation], from_kv: bool) {
    let folder = folder::private();
    let (kv, sqlite) = (folder.path().join("code.kv"), folder.path().join("code.db"));
    let stores = match from_kv {
        true => in_kv_file(&kv),
        false => in_sqlite_file(&sqlite),
    };
    for operation in first {
        let _ = operation.run(&stores);
    }
    // An unused log has no table; a migration needs one of the four.
    Operation::StartExecution(0, "last", Vec::new()).run(&stores).unwrap();
    drop(stores);

    let progress = Progress::none();
    let options = CopyOptions::default();
    let copied = match from_kv {
        true => kv_to_sqlite(&kv, &sqlite, &options, &progress).unwrap(),
        false => sqlite_to_kv(&sqlite, &kv, &options, &progress).unwrap(),
    };
    assert!(copied.is_complete() && copied.is_verified());
    let report = verify_pair(&kv, &sqlite, &VerifyOptions::default(), &progress).unwrap();
    assert!(report.is_identical());

    let (kv, sqlite) = (in_kv_file(&kv), in_sqlite_file(&sqlite));
    for (step, operation) in then.iter().enumerate() {
        let (left, right) = (operation.run(&kv), operation.run(&sqlite));
        assert_eq!(left, right, "step {step}: {operation:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_migrated_store_gives_the_same_answers(
        first in prop::collection::vec(operation(), 1..20),
        then in prop::collection::vec(operation(), 20..40),
        from_kv in any::<bool>(),
    ) {
        check(&first, &then, from_kv);
    }
}
