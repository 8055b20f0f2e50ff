//! A large record goes everywhere within the memory that is promised for it: six times itself.

use crate::common::siege::Outcome::Copied;
use crate::common::siege::{Siege, database};

/// What a run maps beside its records: program, libraries, caches, the stacks of its threads.
const PROGRAM_MIB: u32 = 256;

fn goes_everywhere(mib: u32) {
    let fill = format!(
        "INSERT INTO code_chunks VALUES (50, 'big.rs', 0, 1,
             replace(hex(zeroblob({mib} << 19)), '00', 'ab'), 'h', NULL, NULL, 7)"
    );
    let siege = Siege::by_database(|path| database(path, &fill, &[]));
    siege
        .within_mib(PROGRAM_MIB + 6 * mib)
        .is_read_as("a large chunk", Copied);
}

#[test]
fn a_chunk_of_8_mib_is_read_within_six_times_its_size() {
    goes_everywhere(8);
}

#[test]
#[ignore = "takes minutes and 2 GiB of memory"]
fn a_chunk_of_300_mib_is_read_within_six_times_its_size() {
    goes_everywhere(300);
}
