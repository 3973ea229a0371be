use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks. What these mutexes guard is right between any two statements, so a panic elsewhere spoils nothing.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
