//! Rows that were given up while a GPU may still read them: they are unmapped when an event behind its last reader is reached.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard},
};

use super::{Caches, OneArena};
use crate::{
    cuda::{
        driver::{CudaError, Event},
        gpu::Gpu,
    },
    memory::MemoryError,
};

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Retiring(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Those given up first in front.
    waiting: VecDeque<Waiting>,
    /// For each arena, how many handles of each slot were added until now.
    added: BTreeMap<u32, Vec<u64>>,
}

#[derive(Debug)]
struct Waiting {
    /// Behind everything that may read the rows.
    read: Event,
    rows: Retired,
}

/// What of an arena was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Retired {
    arena: u32,
    /// For each slot, the bytes below which nobody reads any more.
    edges: Vec<u64>,
}

impl Retiring {
    /// Adds rows that nothing reads but what the GPU was given until now, those below the edge of each slot, in bytes, if whole handles are among
    /// them that are not there yet.
    pub(super) fn add(
        &self,
        gpu: &Gpu,
        arena: u32,
        edges: impl ExactSizeIterator<Item = u64> + Clone,
        handle_bytes: u64,
    ) -> Result<(), CudaError> {
        let mut state = self.lock();
        let handles = edges.clone().map(|edge| edge / handle_bytes);
        let added = state.added.entry(arena).or_insert_with(|| vec![0; edges.len()]);
        if added.iter().copied().eq(handles.clone()) {
            return Ok(());
        }
        *added = handles.collect();
        let read = Event::new(gpu.context())?;
        read.record(gpu.stream())?;
        state.waiting.push_back(Waiting { read, rows: Retired { arena, edges: edges.collect() } });
        Ok(())
    }

    /// The first, if the GPU has done with them.
    fn next_read(&self) -> Result<Option<Retired>, CudaError> {
        let waiting = &mut self.lock().waiting;
        match waiting.front() {
            Some(first) if first.read.is_reached()? => Ok(waiting.pop_front().map(|first| first.rows)),
            _ => Ok(None),
        }
    }

    /// The first, when the GPU has done with them. None if there are none.
    fn wait_for_next(&self) -> Result<Option<Retired>, CudaError> {
        let first = self.lock().waiting.pop_front();
        first.map(|first| first.read.synchronize().map(|()| first.rows)).transpose()
    }

    /// Leaves out those of an arena, which is about to be emptied.
    pub(super) fn forget(&self, arena: u32) {
        let mut state = self.lock();
        state.waiting.retain(|waiting| waiting.rows.arena != arena);
        state.added.remove(&arena);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing should panic while it holds rows that were given up")
    }
}

impl Caches {
    /// Unmaps rows that were given up and that a GPU has done with.
    pub(super) fn unmap_retired(&self) -> Result<(), MemoryError> {
        while let Some(retired) = self.retiring.next_read()? {
            self.unmap_below(&retired)?;
        }
        Ok(())
    }

    /// Waits for the GPU to have done with some rows that were given up, and unmaps them. False if there are none.
    fn wait_for_retired(&self) -> Result<bool, MemoryError> {
        let Some(retired) = self.retiring.wait_for_next()? else { return Ok(false) };
        self.unmap_below(&retired).map(|()| true)
    }

    fn unmap_below(&self, retired: &Retired) -> Result<(), MemoryError> {
        let arena = &self.arenas[retired.arena as usize];
        retired.edges.iter().enumerate().try_for_each(|(slot, edge)| arena.memory.retire_below(slot, *edge))
    }

    /// Maps bytes of slots. Memory of rows that were given up counts as free, whether or not a GPU still reads them.
    pub(super) fn map(&self, arena: &OneArena, wanted: &[(usize, u64)]) -> Result<(), MemoryError> {
        self.unmap_retired()?;
        loop {
            match arena.memory.ensure_all(wanted) {
                Err(error) if error.is_shortage() && self.wait_for_retired()? => {}
                mapped => return mapped,
            }
        }
    }
}
