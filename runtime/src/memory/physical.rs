//! Memory without addresses, in handles of one size.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use super::{
    MemoryError,
    backing::{Addresses, Backing},
    host::MemoryFile,
};

/// Where handles come from. A clone is the same memory: one limit, one count.
#[derive(Debug, Clone)]
pub struct PhysicalMemory {
    pool: Arc<Pool>,
}

/// A piece of memory, `handle_bytes` long. It is given back once this is dropped and it is mapped nowhere.
#[derive(Debug)]
pub struct Handle {
    pages: Arc<Pages>,
}

/// How many handles there are and were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HandleCounts {
    /// Created since the beginning.
    pub created: u64,
    /// Created and not given back.
    pub live: u64,
    /// The most that were live at once.
    pub peak: u64,
}

/// What the system maps at least, in bytes. Handles are a multiple of it.
pub fn granularity() -> u64 {
    rustix::param::page_size() as u64
}

fn check_handle_size(handle_bytes: u64, granularity: u64) -> Result<(), MemoryError> {
    if handle_bytes == 0 || !handle_bytes.is_multiple_of(granularity) {
        return Err(MemoryError::HandleSize { handle_bytes, granularity });
    }
    Ok(())
}

impl PhysicalMemory {
    /// Memory of the host in handles of `handle_bytes`, a multiple of [`granularity`]; at most `limit_bytes` of it live at once, or
    /// as much as the system has. None is taken yet.
    pub fn new(handle_bytes: u64, limit_bytes: Option<u64>) -> Result<PhysicalMemory, MemoryError> {
        check_handle_size(handle_bytes, granularity())?;
        PhysicalMemory::of(Box::new(MemoryFile::new(handle_bytes)?), handle_bytes, limit_bytes)
    }

    /// The same of any device, whose handles have `handle_bytes`.
    pub(crate) fn of(
        backing: Box<dyn Backing>,
        handle_bytes: u64,
        limit_bytes: Option<u64>,
    ) -> Result<PhysicalMemory, MemoryError> {
        check_handle_size(handle_bytes, backing.granularity())?;
        let places = Mutex::new(Places { limit_bytes, ..Places::default() });
        let pool = Pool { backing, handle_bytes, places };
        Ok(PhysicalMemory { pool: Arc::new(pool) })
    }

    /// The size of a handle in bytes.
    pub fn handle_bytes(&self) -> u64 {
        self.pool.handle_bytes
    }

    /// The most bytes that may be live at once.
    pub fn limit_bytes(&self) -> Option<u64> {
        self.pool.places().limit_bytes
    }

    /// Sets the most bytes that may be live at once from now on. What is live stays.
    pub fn set_limit_bytes(&self, limit_bytes: Option<u64>) {
        self.pool.places().limit_bytes = limit_bytes;
    }

    /// How many handles there are and were.
    pub fn counts(&self) -> HandleCounts {
        self.pool.places().counts
    }

    /// The bytes that the system holds for this memory now: those of live handles.
    pub fn resident_bytes(&self) -> Result<u64, MemoryError> {
        self.pool.backing.resident_bytes()
    }

    /// Addresses that these handles can be mapped at.
    pub(super) fn reserve(&self, bytes: u64) -> Result<Box<dyn Addresses>, MemoryError> {
        self.pool.backing.reserve(bytes)
    }

    /// A handle full of zeros; or an error, and everything is as it was.
    pub fn create(&self) -> Result<Handle, MemoryError> {
        let mut handles = self.create_many(1)?;
        Ok(handles.pop().expect("one handle should be created"))
    }

    /// `count` handles full of zeros; or an error, and everything is as it was.
    pub fn create_many(&self, count: u64) -> Result<Vec<Handle>, MemoryError> {
        let indices = self.pool.take(count)?;
        let created = indices.iter().try_for_each(|&index| self.pool.backing.create(index));
        if let Err(error) = created {
            indices.into_iter().for_each(|index| self.pool.abandon(index));
            return Err(error);
        }
        self.pool.places().count_created(count);
        let handle = |index| Handle { pages: Arc::new(Pages { pool: self.pool.clone(), index }) };
        Ok(indices.into_iter().map(handle).collect())
    }
}

impl Handle {
    /// Its pages, which what maps them keeps alive.
    pub(super) fn pages(&self) -> &Arc<Pages> {
        &self.pages
    }
}

/// The pages of a handle. Dropping the last reference gives them back.
pub(super) struct Pages {
    pool: Arc<Pool>,
    index: u64,
}

impl Pages {
    /// Puts them behind addresses from `offset` on.
    pub(super) fn map_at(&self, addresses: &dyn Addresses, offset: u64) -> Result<(), MemoryError> {
        self.pool.backing.map(self.index, addresses, offset)
    }

    /// Their size.
    pub(super) fn bytes(&self) -> u64 {
        self.pool.handle_bytes
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pages({})", self.index)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // What the system does not take back is still in use: it stays counted, and is never handed out again.
        if self.pool.backing.release(self.index).is_ok() {
            let mut places = self.pool.places();
            places.free.push(self.index);
            places.counts.live -= 1;
        }
    }
}

/// The memory of a device and who has which part of it.
#[derive(Debug)]
struct Pool {
    backing: Box<dyn Backing>,
    handle_bytes: u64,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    free: Vec<u64>,
    /// Places from here on were never used.
    end: u64,
    /// Taken, and neither live nor abandoned yet.
    pending: u64,
    counts: HandleCounts,
    /// The most bytes that may be live.
    limit_bytes: Option<u64>,
}

impl Places {
    fn count_created(&mut self, count: u64) {
        self.pending -= count;
        self.counts.created += count;
        self.counts.live += count;
        self.counts.peak = self.counts.peak.max(self.counts.live);
    }
}

impl Pool {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().expect("nothing should panic while it holds the places of handles")
    }

    /// Takes places within the limit.
    fn take(&self, count: u64) -> Result<Vec<u64>, MemoryError> {
        let mut places = self.places();
        let asked = count.saturating_mul(self.handle_bytes);
        let live = (places.counts.live + places.pending).saturating_mul(self.handle_bytes);
        if let Some(limit) = places.limit_bytes.filter(|&limit| live.saturating_add(asked) > limit) {
            return Err(MemoryError::Limit { asked, live, limit });
        }
        places.pending += count;
        let mut take = || {
            places.free.pop().unwrap_or_else(|| {
                places.end += 1;
                places.end - 1
            })
        };
        Ok((0..count).map(|_| take()).collect())
    }

    /// Gives a place back that did not become a handle.
    fn abandon(&self, index: u64) {
        let released = self.backing.release(index);
        let mut places = self.places();
        places.pending -= 1;
        match released {
            Ok(()) => places.free.push(index),
            Err(_) => places.counts.live += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::{
        fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create},
        io::Errno,
    };

    use super::*;

    #[test]
    fn handles_are_multiples_of_the_granularity() {
        for handle_bytes in [0, 1, granularity() + 1] {
            let error = PhysicalMemory::new(handle_bytes, None).map(|_| ()).expect_err("should be refused");
            let granularity = granularity();
            let expected = format!("handles cannot have {handle_bytes} bytes: take a multiple of {granularity}");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn the_limit_is_an_error_and_changes_nothing() -> Result<(), MemoryError> {
        let bytes = granularity();
        let memory = PhysicalMemory::new(bytes, Some(2 * bytes + 1))?;
        let first = memory.create()?;
        let before = (memory.counts(), memory.resident_bytes()?);
        let error = memory.create_many(2).expect_err("three handles should be too many");
        assert_eq!(error, MemoryError::Limit { asked: 2 * bytes, live: bytes, limit: 2 * bytes + 1 });
        assert_eq!((memory.counts(), memory.resident_bytes()?), before);
        let expected = format!(
            "cannot create {} bytes of memory: {bytes} of at most {} bytes are in use",
            2 * bytes,
            2 * bytes + 1
        );
        assert_eq!(error.to_string(), expected);
        let second = memory.create()?;
        assert!(memory.create().is_err());
        drop(first);
        memory.create()?;
        drop(second);
        Ok(())
    }

    #[test]
    fn handles_are_counted_and_given_back() -> Result<(), MemoryError> {
        let memory = PhysicalMemory::new(3 * granularity(), None)?;
        assert_eq!(memory.resident_bytes()?, 0);
        let handles = memory.create_many(5)?;
        assert_eq!(memory.resident_bytes()?, 5 * memory.handle_bytes());
        drop(handles);
        assert_eq!(memory.resident_bytes()?, 0);
        let _handle = memory.create()?;
        assert_eq!(memory.counts(), HandleCounts { created: 6, live: 1, peak: 5 });
        assert_eq!(memory.resident_bytes()?, memory.handle_bytes());
        Ok(())
    }

    #[test]
    fn what_the_system_refuses_is_an_error_and_changes_nothing() -> Result<(), Box<dyn std::error::Error>> {
        // A memory file that may not grow has room for the first of two handles.
        let handle_bytes = granularity();
        let file = memfd_create("pygraph-memory-test", MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&file, handle_bytes)?;
        fcntl_add_seals(&file, SealFlags::GROW)?;
        let memory = PhysicalMemory::of(Box::new(MemoryFile::of(file, handle_bytes)), handle_bytes, None)?;
        let error = memory.create_many(2).expect_err("the file should not grow");
        assert_eq!(error, MemoryError::System { action: "create memory", source: Errno::PERM });
        assert_eq!(error.to_string(), "cannot create memory");
        assert_eq!((memory.counts(), memory.resident_bytes()?), (HandleCounts::default(), 0));
        assert_eq!(memory.pool.places().pending, 0);
        Ok(())
    }
}
