//! The server's program, built as this one was.

use std::path::Path;
use std::process::Command;
use std::{env, io};

use crate::Fallible;

/// Builds the server into the folder of this program, if it is cargo that runs this: cargo builds only what it runs, and
/// an older server, or none, would be measured.
pub(crate) fn build(program: &Path) -> Fallible<()> {
    let Some(cargo) = env::var_os("CARGO") else {
        return Ok(());
    };
    let profile = program
        .parent()
        .and_then(Path::file_name)
        .and_then(|folder| folder.to_str())
        .unwrap_or("release");
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--profile", name(profile)])
        // Both, for its libraries to be those that this was built with.
        .args(["--package", "load-tests", "--package", "chatsync"])
        .args(["--bin", "chatsync"])
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other("the server could not be built").into())
    }
}

/// The profile whose programs are in a folder of that name.
fn name(folder: &str) -> &str {
    match folder {
        "debug" => "dev",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_tells_the_profile() {
        assert_eq!(name("debug"), "dev");
        assert_eq!(name("release"), "release");
    }
}
