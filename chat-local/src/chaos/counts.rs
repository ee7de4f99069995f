use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How often something of a name has happened.
#[derive(Default)]
pub(super) struct Counts(Mutex<HashMap<String, u64>>);

impl Counts {
    /// The name with its count, from 1.
    pub(super) fn next(&self, name: String) -> String {
        let mut counts = lock(&self.0);
        let count = counts.entry(name.clone()).or_default();
        *count += 1;
        format!("{name} #{count}")
    }
}

/// No code that holds such a lock can panic half-way, so what a poisoned one guards is whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
