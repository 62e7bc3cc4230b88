//! Work on many items at once, the largest first, in an order of results that no thread changes.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Says to every part of a work that it may stop.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// One that nobody has used yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells everybody to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs `work` on every item, on up to `jobs` threads, the largest item first so that none is left for the end alone.
/// The results stand in the order of the items.
///
/// # Errors
/// The first error that happens. It stops the rest: items that nobody began are left out, and `work` is told by its
/// [`Cancel`]; what it answers then is not looked at.
///
/// ```
/// let doubled = transfer::parallel(4, &[3, 1, 2], |n| *n, |n, _| Ok::<u64, ()>(n * 2));
/// assert_eq!(doubled, Ok(vec![6, 2, 4]));
/// ```
pub fn parallel<T, R, E>(
    jobs: usize,
    items: &[T],
    size: impl Fn(&T) -> u64,
    work: impl Fn(&T, &Cancel) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E>
where
    T: Sync,
    R: Send,
    E: Send,
{
    parallel_until(&Cancel::new(), jobs, items, size, work)
}

/// [`parallel`], that also stops when somebody else uses `cancel`; an error uses it.
///
/// # Errors
/// The first error that happens. Stopped from outside before any, it answers what was done.
pub fn parallel_until<T, R, E>(
    cancel: &Cancel,
    jobs: usize,
    items: &[T],
    size: impl Fn(&T) -> u64,
    work: impl Fn(&T, &Cancel) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E>
where
    T: Sync,
    R: Send,
    E: Send,
{
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|&at| (std::cmp::Reverse(size(&items[at])), at));
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Option<R>>> = Mutex::new(items.iter().map(|_| None).collect());
    let failed: Mutex<Option<E>> = Mutex::new(None);
    let worker = || {
        while !cancel.is_cancelled() {
            let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            match work(&items[at], cancel) {
                Ok(result) => lock(&done)[at] = Some(result),
                Err(error) => {
                    lock(&failed).get_or_insert(error);
                    cancel.cancel();
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, items.len().max(1)) {
            scope.spawn(worker);
        }
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(done.into_iter().flatten().collect())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_largest_comes_first() {
        let seen = Mutex::new(Vec::new());
        let result = parallel(
            1,
            &[1, 9, 5, 9],
            |n| *n,
            |n, _| {
                seen.lock().unwrap().push(*n);
                Ok::<_, ()>(*n)
            },
        );
        assert_eq!(result.unwrap(), [1, 9, 5, 9]);
        assert_eq!(seen.into_inner().unwrap(), [9, 9, 5, 1]);
    }

    #[test]
    fn as_many_threads_as_asked_for() {
        for (jobs, items, threads) in [(0, 3, 1), (1, 3, 1), (3, 3, 3), (9, 3, 3)] {
            let names = Mutex::new(HashSet::new());
            let barrier = std::sync::Barrier::new(threads);
            let items: Vec<u64> = (0..items).collect();
            parallel(
                jobs,
                &items,
                |n| *n,
                |_, _| {
                    names.lock().unwrap().insert(thread::current().id());
                    barrier.wait();
                    Ok::<_, ()>(())
                },
            )
            .unwrap();
            assert_eq!(names.into_inner().unwrap().len(), threads);
        }
    }

    #[test]
    fn the_first_error_stops_the_rest() {
        let begun = AtomicUsize::new(0);
        let both = std::sync::Barrier::new(2);
        let items: Vec<u64> = (0..100).rev().collect();
        let work = |n: &u64, cancel: &Cancel| {
            begun.fetch_add(1, Ordering::Relaxed);
            both.wait();
            if *n == 99 {
                return Err::<(), _>("broken");
            }
            while !cancel.is_cancelled() {
                thread::sleep(Duration::from_millis(1));
            }
            Err("stopped")
        };
        let result = parallel(2, &items, |n| *n, work);
        assert_eq!(result, Err("broken"));
        assert_eq!(begun.into_inner(), 2);
    }

    #[test]
    fn nothing_to_do_is_done() {
        assert_eq!(parallel(4, &[] as &[u64], |n| *n, |n, _| Ok::<_, ()>(*n)), Ok(vec![]));
    }
}
