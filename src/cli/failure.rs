//! Why a command did not do its work: one line for a person, one number for a script.

use std::io;

use crate::engine::{Denied, EngineError};
use crate::server::StartError;
use crate::settings::LoadError;
use crate::store::StoreError;
use crate::store::sqlite::OpenError;

/// Ends the program. The numbers are those of `sysexits.h`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}")]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What is wrong, naming the argument or setting; without a full stop.
    pub line: String,
}

impl Failure {
    /// `EX_USAGE`: an argument or a setting is wrong; nothing was started.
    pub const USAGE: u8 = 64;
    /// `EX_SOFTWARE`: a defect.
    pub const SOFTWARE: u8 = 70;
    /// `EX_IOERR`: the disk, the network, the store.
    pub const IO: u8 = 74;
    /// `EX_NOPERM`: a server refused the credential.
    pub const REFUSED: u8 = 77;
    /// `EX_CONFIG`: the machine is not set up for it.
    pub const MACHINE: u8 = 78;

    /// A failure with this exit code and this line.
    pub fn new(code: u8, line: impl Into<String>) -> Self {
        Self {
            code,
            line: line.into(),
        }
    }

    /// An argument or a setting is wrong.
    pub fn usage(line: impl Into<String>) -> Self {
        Self::new(Self::USAGE, line)
    }

    /// The disk, the network or the store failed.
    pub fn io(line: impl Into<String>) -> Self {
        Self::new(Self::IO, line)
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let code = match &error {
            OpenError::Folder { .. } | OpenError::InUse { .. } => Self::IO,
            OpenError::Newer { .. } => Self::MACHINE,
            OpenError::Library(_) => Self::SOFTWARE,
            OpenError::Store(error) => store_code(error),
        };
        Self::new(code, format!("store.path: {error}"))
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let code = match &error {
            EngineError::Denied(Denied::NoSuchApp) => {
                return Self::usage("--app: no such app");
            }
            EngineError::Denied(Denied::AppIdTaken) => {
                return Self::usage("--app: there is an app of this number already");
            }
            EngineError::Denied(_) => Self::USAGE,
            EngineError::Store(error) => store_code(error),
        };
        Self::new(code, error.to_string())
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Store(error) => error.into(),
            StartError::Engine(error) => error.into(),
            StartError::Bootstrap { ref cause, .. } => {
                let code = Self::from(cause.clone()).code;
                Self::new(code, error.to_string())
            }
            StartError::Thread(_) => Self::new(Self::MACHINE, error.to_string()),
            StartError::Cancelled(_) => Self::new(Self::SOFTWARE, error.to_string()),
        }
    }
}

/// Standard output is gone or full.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::io(format!("standard output: {error}"))
    }
}

fn store_code(error: &StoreError) -> u8 {
    match error {
        StoreError::Refused(_) | StoreError::Unknown(_) => Failure::IO,
        StoreError::Unexpected(_) => Failure::SOFTWARE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stops_a_start_says_where_to_look() {
        let failure = Failure::from(StartError::Store(OpenError::InUse {
            folder: "data".into(),
        }));
        assert_eq!(failure.code, Failure::IO);
        assert!(failure.line.starts_with("store.path: data: "), "{failure}");
        let newer = OpenError::Newer { found: 9, known: 1 };
        assert_eq!(Failure::from(newer).code, Failure::MACHINE);
    }

    #[test]
    fn an_unknown_app_is_a_wrong_argument() {
        let failure = Failure::from(EngineError::from(Denied::NoSuchApp));
        assert_eq!(failure, Failure::usage("--app: no such app"));
    }
}
