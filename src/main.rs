//! The program: everything is in the library, so that tests use the same doors.

use std::process::ExitCode;

fn main() -> ExitCode {
    chatsync::cli::main(std::env::args_os())
}
