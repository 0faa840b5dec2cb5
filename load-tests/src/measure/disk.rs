//! What the disk takes to keep something for good.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::time::Instant;

use super::times::{Summary, Times};
use crate::Fallible;

/// As much as a small commit writes.
const BYTES: usize = 16 * 1024;
/// Enough for a 99th percentile to say something, and over in a second on most disks.
const SYNCS: u32 = 200;

/// Writes over a part of a file, in the folder where servers keep their stores meanwhile, and waits for it, again and
/// again: the least that a durable answer takes here.
pub(crate) fn syncs() -> Fallible<Summary> {
    let mut file = tempfile::tempfile()?;
    let bytes = vec![1; BYTES];
    file.write_all(&bytes)?;
    file.sync_all()?;
    let mut times = Times::default();
    for _ in 0..SYNCS {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&bytes)?;
        let begin = Instant::now();
        file.sync_data()?;
        times.record(begin.elapsed());
    }
    Ok(times.summary())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sync_is_counted() {
        let syncs = syncs().unwrap();
        assert_eq!(syncs.count, u64::from(SYNCS));
        assert!(
            syncs.max >= syncs.p99 && syncs.p99 >= syncs.p50,
            "{syncs:?}"
        );
    }
}
