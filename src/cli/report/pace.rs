//! How long a command took.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// The rate of less says nothing.
const LEAST_BYTES: u64 = 1 << 20;

/// The time, and the rate at which the files were read.
pub(crate) fn pace<'p>(elapsed: Duration, read: impl IntoIterator<Item = &'p Path>) -> String {
    let sizes = read.into_iter().filter_map(|path| fs::metadata(path).ok());
    let bytes: u64 = sizes.filter(|size| size.is_file()).map(|size| size.len()).sum();
    text(elapsed.as_secs_f64(), bytes)
}

fn text(seconds: f64, bytes: u64) -> String {
    let time = match seconds {
        ..60.0 => format!("{seconds:.2} s"),
        _ => format!("{:.0} min {:.0} s", (seconds / 60.0).floor(), (seconds % 60.0).floor()),
    };
    match bytes {
        ..LEAST_BYTES => time,
        #[expect(clippy::cast_precision_loss, reason = "it is rounded anyway")]
        _ => format!("{time}, {:.0} MB/s", bytes as f64 / 1e6 / seconds.max(0.001)),
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn a_time_has_the_rate_of_large_files() {
        assert_eq!(text(0.0312, 90_000), "0.03 s");
        assert_eq!(text(2.5, 1_000_000_000), "2.50 s, 400 MB/s");
        assert_eq!(text(185.9, 37_000_000_000), "3 min 5 s, 199 MB/s");
    }
}
