use std::fs::File;
use std::io::{Write, stderr};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use chat_domain::BoxError;

/// Where it is written down what went wrong, a line each.
pub(super) struct Log {
    to: Mutex<Box<dyn Write + Send>>,
}

impl Log {
    /// A new file, or what goes to the terminal.
    pub(super) fn open(file: Option<&Path>) -> Result<Self, BoxError> {
        let to: Box<dyn Write + Send> = match file {
            None => Box::new(stderr()),
            Some(path) => {
                let failed = |error| format!("--chaos-log {}: {error}", path.display());
                Box::new(File::create(path).map_err(failed)?)
            }
        };
        Ok(Self { to: Mutex::new(to) })
    }

    pub(super) fn write(&self, line: &str) {
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        // In one piece, so that a line is whole whenever the process ends. Whoever stopped reading wants no
        // more.
        let _ = to.write_all(format!("{line}\n").as_bytes());
    }
}
