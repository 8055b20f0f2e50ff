//! Databases with contradictory pages: forged header fields, trees, overflow chains and freelists.
//! Each is read with its original content or is an error; no length in them is trusted.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::Connection;

use crate::common::Scenario;
use crate::common::hostile_file::HostileFile;
use crate::common::hostile_file::Outcome::{Copied, Fails};
use crate::common::tables;

const PAGE: usize = 1024;
/// Memory that reading a corrupt database of a few hundred KiB may map, in MiB.
const MEMORY: u32 = 512;

/// A few hundred chunks, some with a page or two of content and one with very many.
const MANY: &str = "
    WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
    INSERT INTO code_chunks SELECT i, 'src/' || (i % 7) || '.rs', i, i + 5,
        hex(zeroblob(i % 600)), 'hash', NULL, NULL, 7 FROM n;
    INSERT INTO code_chunks VALUES (5000, 'big.rs', 0, 1, hex(randomblob(30000)), 'h', NULL, NULL, 1);";

fn make(path: &Path, pragmas: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(pragmas).unwrap();
    chunkmigrate::internal::create_tables(&connection).unwrap();
    connection.execute_batch(tables::SMALL).unwrap();
    connection.execute_batch(MANY).unwrap();
}

#[test]
fn page_sizes_and_vacuum_modes_make_no_difference() {
    for pragmas in [
        "PRAGMA page_size = 512",
        "PRAGMA page_size = 65536",
        "PRAGMA auto_vacuum = FULL",
        "PRAGMA auto_vacuum = INCREMENTAL",
        "PRAGMA page_size = 512; PRAGMA auto_vacuum = FULL; PRAGMA encoding = 'UTF-16be'",
    ] {
        let hostile = HostileFile::by_database(|path| {
            make(path, pragmas);
            Connection::open(path)
                .unwrap()
                .execute_batch("DELETE FROM code_chunks WHERE id = 5000 OR id % 3 = 0")
                .unwrap();
        });
        hostile.assert_read_as(pragmas, Copied);
        hostile.assert_target_as(pragmas, Copied);
    }
}

/// A database with pages of [`PAGE`] bytes, and the pages of its trees.
struct Pages {
    bytes: Vec<u8>,
    pages: BTreeMap<(String, String), Vec<usize>>,
}

impl Pages {
    fn new() -> Self {
        let scenario = Scenario::new();
        let path = scenario.path("whole.db");
        make(&path, &format!("PRAGMA page_size = {PAGE}"));
        let connection = Connection::open(&path).unwrap();
        let mut pages = BTreeMap::<_, Vec<usize>>::new();
        let mut statement =
            connection.prepare("SELECT name, pagetype, pageno FROM dbstat ORDER BY path").unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let of = (row.get(0).unwrap(), row.get(1).unwrap());
            pages.entry(of).or_default().push(row.get(2).unwrap());
        }
        Pages { bytes: fs::read(path).unwrap(), pages }
    }

    /// The pages of a table or index of one type, by number.
    fn of(&self, name: &str, kind: &str) -> &[usize] {
        &self.pages[&(name.to_owned(), kind.to_owned())]
    }

    fn put(&self, at: usize, bytes: &[u8]) -> Vec<u8> {
        let mut changed = self.bytes.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    }

    fn cell(&self, page: usize, index: usize) -> usize {
        let header = if self.bytes[start(page)] < 8 { 12 } else { 8 };
        let at = start(page) + header + 2 * index;
        start(page) + usize::from(u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]]))
    }
}

fn start(page: usize) -> usize {
    (page - 1) * PAGE
}

fn number(value: usize) -> [u8; 4] {
    u32::try_from(value).unwrap().to_be_bytes()
}

fn by(bytes: &[u8]) -> HostileFile {
    HostileFile::by_database(|path| fs::write(path, bytes).unwrap()).within_mib(MEMORY)
}

#[test]
fn looping_or_misdirected_trees_are_reported_as_corruption() {
    let whole = Pages::new();
    let root = whole.of("code_chunks", "internal")[0];
    let leaves = whole.of("code_chunks", "leaf");
    let (leaf, other) = (leaves[0], leaves[3]);
    let index = whole.of("sqlite_autoindex_code_chunks_1", "internal")[0];
    let log = whole.of("execution_log", "leaf")[0];
    let child = whole.cell(root, 0);
    let payload = whole.cell(leaf, 0);
    let mut swapped = whole.put(start(leaf), &whole.bytes[start(other)..][..PAGE]);
    swapped[start(other)..][..PAGE].copy_from_slice(&whole.bytes[start(leaf)..][..PAGE]);
    for (what, bytes) in [
        ("the root is its own last child", whole.put(start(root) + 8, &number(root))),
        ("the root is its own first child", whole.put(child, &number(root))),
        ("the key index is its own child", whole.put(start(index) + 8, &number(index))),
        ("a child twice", whole.put(child, &number(other))),
        ("a child of another table", whole.put(child, &number(log))),
        ("no child", whole.put(child, &number(0))),
        ("the first page as a child", whole.put(child, &number(1))),
        ("a child far outside", whole.put(child, &[0xff; 4])),
        ("leaves swapped", swapped),
        ("a cell outside its page", whole.put(start(leaf) + 8, &[0xff; 2])),
        ("a cell in the page's header", whole.put(start(leaf) + 8, &[0; 2])),
        ("more cells than there is room", whole.put(start(leaf) + 3, &[0xff; 2])),
        ("no cells", whole.put(start(leaf) + 3, &[0; 2])),
        ("a payload of 2 GB", whole.put(payload, b"\x87\xff\xff\xff\x7f")),
        ("a payload of 900 MB", whole.put(payload, b"\x83\xb9\x94\xd7\x00")),
        ("a column of 4 GB", whole.put(payload + 4, b"\x8f\xff\xff\xff\x7f")),
        (
            "the schema is its own child",
            whole.put(100, b"\x05\0\0\0\x01\x03\xf0\0\0\0\0\x01\x03\xf0"),
        ),
    ] {
        by(&bytes).assert_read_as(what, Fails("odd.db is corrupt"));
        by(&bytes).assert_target_as(what, Fails("odd.db is corrupt"));
    }
}

/// SQLite follows a chain only as far as the value is long, so a loop can't be endless; without an
/// integrity check, what the chain leads to is what SQLite reads.
#[test]
fn looping_or_short_overflow_chains_never_hang() {
    let whole = Pages::new();
    let chain = whole.of("code_chunks", "overflow");
    let longest = chain.windows(9).find(|w| w.windows(2).all(|p| p[1] == p[0] + 1));
    let page = longest.unwrap()[4];
    for (what, next) in [("a loop", number(page)), ("a loop of many", number(page - 3))] {
        let hostile = by(&whole.put(start(page), &next));
        let args = ["sqlite-to-kv", "odd.db", "target.kv", "--check-source"];
        let run = hostile.run(what, &args, Some("target.kv")).expect_status(2);
        assert!(run.stderr.contains("fails SQLite's integrity check"), "{what}: {run}");
        hostile.assert_read_as(what, Copied);
    }
    for (what, next) in [("no end", [0xff; 4]), ("an early end", [0; 4]), ("the schema", number(1))]
    {
        by(&whole.put(start(page), &next)).assert_read_as(what, Fails("odd.db is corrupt"));
    }
}

/// Whatever a field of the header says: what is read is what was written, or it is an error.
#[test]
fn changed_header_fields_change_no_record() {
    let whole = Pages::new();
    let hostile = by(&whole.bytes);
    let expected = hostile.run("whole", &["export", "odd.db"], None).expect_status(0).stdout;
    for (at, values) in [
        (16, &[&[0u8, 0][..], &[0, 1], &[2, 0], &[0x20, 0], &[0xff; 2]][..]),
        (18, &[&[0], &[2], &[3], &[0xff], &[0, 0], &[2, 2], &[3, 3]]),
        (20, &[&[1], &[0x20], &[0xff], &[0; 4], &[0xff; 4]]),
        (24, &[&[0; 4], &[0xff; 4]]),
        (28, &[&[0; 4], &[0, 0, 0, 1], &[0x7f, 0xff, 0xff, 0xff], &[0xff; 4]]),
        (32, &[&[0, 0, 0, 5], &[0xff; 4], &[0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff]]),
        (40, &[&[0; 4], &[0xff; 4]]),
        (44, &[&[0; 4], &[0, 0, 0, 5], &[0xff; 4]]),
        (48, &[&[0x80, 0, 0, 0], &[0xff; 4]]),
        (52, &[&[0, 0, 0, 1], &[0xff; 4]]),
        (56, &[&[0; 4], &[0, 0, 0, 2], &[0, 0, 0, 3], &[0, 0, 0, 4], &[0xff; 4]]),
        (60, &[&[0xff; 4], &[0xff; 8], &[0xff; 32]]),
        (92, &[&[0; 4], &[0xff; 8]]),
    ] {
        for value in values {
            let what = format!("{value:?} at {at}");
            fs::write(hostile.scenario.path("odd.db"), whole.put(at, value)).unwrap();
            let run = hostile.run(&what, &["export", "odd.db"], None);
            assert!(run.status == 2 || run.stdout == expected, "{what}: {run}");
            let run = hostile.run(&what, &["inspect", "odd.db"], None);
            assert!(run.status != 1, "{what}: {run}");
        }
    }
}

/// Each page in turn, as if it had never been written.
#[test]
fn a_lost_page_is_never_the_end_of_the_data() {
    let whole = Pages::new();
    let hostile = by(&whole.bytes);
    let good = hostile.run("whole", &["sqlite-to-kv", "odd.db", "whole.kv"], Some("whole.kv"));
    assert_eq!(good.status, 0);
    let expected = hostile.run("whole", &["export", "odd.db"], None).stdout;
    // The value itself may be lost: pages of an overflow chain cannot be recognised as such.
    let of_values = whole.of("code_chunks", "overflow");
    for page in (1..=whole.bytes.len() / PAGE).filter(|page| page % 3 == 0 || *page < 12) {
        let what = format!("page {page}");
        fs::write(hostile.scenario.path("odd.db"), whole.put(start(page), &[0; PAGE])).unwrap();
        let run = hostile.run(&what, &["export", "odd.db"], None);
        let read = run.status == 0 && run.stdout == expected;
        assert!(read || run.status == 2 || of_values.contains(&page), "{what}: {run}");
    }
}

#[test]
fn a_freelist_that_loops_or_contains_used_pages_is_corruption_for_writers() {
    let mut whole = Pages::new();
    let last = whole.bytes.len() / PAGE + 1;
    whole.bytes.extend([0; PAGE]);
    whole.bytes[28..32].copy_from_slice(&number(last));
    whole.bytes[32..40].copy_from_slice(&[number(last), number(100)].concat());
    let metrics = whole.of("symbol_metrics", "leaf")[0];
    for (what, trunk) in [
        ("a loop", [number(last), number(0), number(0)].concat()),
        ("too many leaves", [number(0), number(1 << 30), number(0)].concat()),
        ("a page in use", [number(0), number(1), number(metrics)].concat()),
        ("a page far outside", [number(0), number(1), number(1 << 30)].concat()),
    ] {
        let hostile = by(&whole.put(start(last), &trunk));
        hostile.assert_read_as(what, Copied);
        let args = ["kv-to-sqlite", "code.kv", "odd.db", "--merge"];
        let _ = hostile.run(what, &args, Some("odd.db"));
    }
}

#[test]
fn encrypted_empty_and_sparse_files_are_not_databases() {
    let whole = Pages::new();
    let mut random = fastrand::Rng::with_seed(1);
    let mut noise = |range: std::ops::Range<usize>| {
        let mut bytes = whole.bytes.clone();
        random.fill(&mut bytes[range]);
        bytes
    };
    let len = whole.bytes.len();
    by(&noise(0..len)).assert_read_as("noise", Fails("neither a SQLite database nor a KV file"));
    for (what, from) in
        [("after the magic", 16), ("after the header", 100), ("after the first page", PAGE)]
    {
        by(&noise(from..len)).assert_read_as(what, Fails("odd.db is"));
    }
    for magic in [16, 99, 100] {
        let mut bytes = b"SQLite format 3\0".to_vec();
        bytes.resize(magic, 0);
        by(&bytes).assert_read_as("magic", Fails("not a readable SQLite database"));
    }
    let sparse = |bytes: &[u8]| {
        let hostile = by(bytes);
        let file = fs::OpenOptions::new().write(true).open(hostile.scenario.path("odd.db"));
        file.unwrap().set_len(10 << 30).unwrap();
        hostile
    };
    sparse(b"SQLite format 3\0").assert_read_as("sparse", Fails("not a readable SQLite database"));
    sparse(&whole.bytes).assert_read_as("a sparse end", Copied);
    let claimed = whole.put(28, &number((10 << 30) / PAGE));
    sparse(&claimed).assert_read_as("a sparse end within the claimed length", Copied);
}
