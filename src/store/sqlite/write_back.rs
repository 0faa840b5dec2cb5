//! Brings a file's changes to the disk in portions.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

/// Bytes of the file whose changes are on their way at one time. A sync of another file on the same disk waits for no
/// more than these: a millisecond, where a whole checkpoint's are up to ten.
const PORTION: u64 = 1024 * 1024;
/// At most so many, and so many system calls: of a file beyond 4 GiB the portions are larger.
const MOST_PORTIONS: u64 = 4096;

/// Writes what was changed in `file`, one portion after the other, so that a sync that follows finds little to do.
///
/// It is no sync: the disk may hold all that in a cache of its own. Fails where the disk did. The kernel tells that once to
/// each open file, so that the sync that follows would say that all is well.
pub(super) fn write_back(file: &File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let portion = PORTION.max(length.div_ceil(MOST_PORTIONS));
    let mut start = 0;
    while start < length {
        match write_range(file, start, portion) {
            // A system that has no such call leaves all to the sync.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => break,
            written => written?,
        }
        start += portion;
    }
    Ok(())
}

#[expect(
    unsafe_code,
    reason = "neither the standard library nor rustix or nix has this call"
)]
fn write_range(file: &File, start: u64, length: u64) -> io::Result<()> {
    const WRITE_AND_WAIT: u32 = libc::SYNC_FILE_RANGE_WAIT_BEFORE
        | libc::SYNC_FILE_RANGE_WRITE
        | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    let (start, length) = (start.cast_signed(), length.cast_signed());
    // SAFETY: it is given numbers alone, no memory, and `file` is open for as long as it runs.
    let result = unsafe { libc::sync_file_range(file.as_raw_fd(), start, length, WRITE_AND_WAIT) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn a_file_of_any_length_is_written() {
        let file = tempfile::tempfile().unwrap();
        for end in [0, 1, PORTION, PORTION + 1, 5 * PORTION] {
            file.set_len(end).unwrap();
            write_back(&file).unwrap();
        }
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let (_reader, writer) = io::pipe().unwrap();
        let pipe = File::from(OwnedFd::from(writer));
        assert!(write_range(&pipe, 0, 1).is_err());
    }
}
