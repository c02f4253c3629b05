//! An arena: slots in reserved addresses, each mapped from its beginning up to a length that grows.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{Budget, MemoryError, Pages, Reservation};

/// Sizes of an arena, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// How many slots.
    pub slots: usize,
    /// Size of the rows of a slot, all of them.
    pub rows_bytes: u64,
    /// Size of the pieces of physical memory.
    pub handle_bytes: u64,
}

impl Geometry {
    /// From a slot to the next: rows in whole handles.
    pub fn slot_bytes(&self) -> u64 {
        self.rows_bytes.next_multiple_of(self.handle_bytes)
    }

    /// How many handles hold rows up to a byte: what a slot has mapped, by the formula.
    pub fn handles(&self, bytes: u64) -> u64 {
        bytes.div_ceil(self.handle_bytes)
    }
}

/// How an arena grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// Handles that a thread maps beyond what is needed, for each slot; none maps only when a step asks, on its own thread.
    pub ahead: Option<u64>,
    /// How long a step waits for the thread.
    pub patience: Duration,
    /// What the thread waits before it maps: for tests.
    pub delay: Duration,
}

impl Default for Growth {
    fn default() -> Growth {
        Growth { ahead: None, patience: Duration::from_secs(10), delay: Duration::ZERO }
    }
}

/// Something that was mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The slot.
    pub slot: usize,
    /// How much of it was mapped before.
    pub from_bytes: u64,
    /// And after.
    pub to_bytes: u64,
    /// True if the thread did it before a step asked.
    pub is_ahead: bool,
}

/// Slots of rows. Cheap to look at: what is mapped is published after it can be read.
#[derive(Debug)]
pub struct Arena {
    shared: Arc<Shared>,
    growth: Growth,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    geometry: Geometry,
    reservation: Reservation,
    budget: Arc<Budget>,
    /// For each slot, up to where its rows can be read: stored after their pages are mapped and zero.
    watermarks: Vec<AtomicU64>,
    state: Mutex<State>,
    /// Something was asked for, or was mapped.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    pages: Pages,
    /// The handles of each slot, in order.
    mapped: Vec<Vec<u64>>,
    /// Up to where each slot is needed, in bytes.
    wanted: Vec<u64>,
    events: Vec<Event>,
    /// Why the thread could not do what was asked.
    error: Option<MemoryError>,
    has_ended: bool,
}

impl Arena {
    /// Reserves the addresses. Nothing is mapped.
    pub fn new(geometry: Geometry, budget: Arc<Budget>, growth: Growth) -> Result<Arena, MemoryError> {
        let pages = Pages::new(geometry.handle_bytes)?;
        let reservation = Reservation::new(geometry.slot_bytes() * geometry.slots as u64)?;
        let state = State {
            pages,
            mapped: vec![Vec::new(); geometry.slots],
            wanted: vec![0; geometry.slots],
            events: Vec::new(),
            error: None,
            has_ended: false,
        };
        let watermarks = (0..geometry.slots).map(|_| AtomicU64::new(0)).collect();
        let (state, changed) = (Mutex::new(state), Condvar::new());
        let shared = Arc::new(Shared { geometry, reservation, budget, watermarks, state, changed });
        let thread = growth.ahead.map(|ahead| {
            let shared = shared.clone();
            thread::spawn(move || shared.map_ahead(ahead, growth.delay))
        });
        Ok(Arena { shared, growth, thread })
    }

    /// Its sizes.
    pub fn geometry(&self) -> Geometry {
        self.shared.geometry
    }

    /// Where it begins.
    pub fn address(&self) -> u64 {
        self.shared.reservation.address()
    }

    /// Up to where a slot can be read and written, in bytes.
    pub fn mapped_bytes(&self, slot: usize) -> u64 {
        self.shared.watermarks[slot].load(Ordering::Acquire)
    }

    /// What was mapped, in order.
    pub fn events(&self) -> Vec<Event> {
        self.shared.lock().events.clone()
    }

    /// Makes sure that each slot can be read and written up to its number of bytes: for all of them, or for none more than before.
    ///
    /// Where a thread maps ahead, this waits for it, for a bounded time.
    pub fn ensure(&self, bytes: &[u64]) -> Result<(), MemoryError> {
        let geometry = self.shared.geometry;
        for (slot, bytes) in bytes.iter().copied().enumerate() {
            if slot >= geometry.slots || bytes > geometry.rows_bytes {
                let (slots, slot_bytes) = (geometry.slots, geometry.rows_bytes);
                return Err(MemoryError::Range { slot, bytes, slots, slot_bytes });
            }
        }
        if self.is_there(bytes) {
            self.shared.want(bytes);
            return Ok(());
        }
        if self.thread.is_none() {
            return self.shared.map(&mut self.shared.lock(), bytes, false);
        }
        self.shared.want(bytes);
        self.wait(bytes)
    }

    /// Takes the rows of a slot beyond `bytes` away, in whole handles.
    pub fn retire(&self, slot: usize, bytes: u64) -> Result<(), MemoryError> {
        self.shared.unmap(slot, bytes)
    }

    fn is_there(&self, bytes: &[u64]) -> bool {
        bytes.iter().enumerate().all(|(slot, bytes)| self.mapped_bytes(slot) >= *bytes)
    }

    fn wait(&self, bytes: &[u64]) -> Result<(), MemoryError> {
        let start = Instant::now();
        let mut state = self.shared.lock();
        while !self.is_there(bytes) {
            if let Some(error) = state.error.take() {
                state.wanted.fill(0);
                return Err(error);
            }
            let Some(left) = self.growth.patience.checked_sub(start.elapsed()) else {
                let late = bytes.iter().enumerate().find(|(slot, bytes)| self.mapped_bytes(*slot) < **bytes);
                let (slot, bytes) = late.map_or((0, 0), |(slot, bytes)| (slot, *bytes));
                return Err(MemoryError::Late {
                    slot,
                    mapped: self.mapped_bytes(slot),
                    bytes,
                    waited: start.elapsed(),
                });
            };
            state = self.shared.changed.wait_timeout(state, left).expect("no holder should panic").0;
        }
        Ok(())
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.shared.lock().has_ended = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let mut state = self.shared.lock();
        for slot in 0..self.shared.geometry.slots {
            let handles = std::mem::take(&mut state.mapped[slot]);
            state.pages.release(&handles, &self.shared.budget);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder should panic")
    }

    fn want(&self, bytes: &[u64]) {
        let mut state = self.lock();
        for (wanted, bytes) in state.wanted.iter_mut().zip(bytes) {
            *wanted = (*wanted).max(*bytes);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Maps until each slot has its bytes, all or nothing, and publishes it.
    fn map(&self, state: &mut State, bytes: &[u64], is_ahead: bool) -> Result<(), MemoryError> {
        let Geometry { handle_bytes, .. } = self.geometry;
        let slot_bytes = self.geometry.slot_bytes();
        let missing: Vec<u64> = bytes
            .iter()
            .zip(&state.mapped)
            .map(|(bytes, mapped)| self.geometry.handles(*bytes).saturating_sub(mapped.len() as u64))
            .collect();
        let handles = state.pages.create(missing.iter().sum(), &self.budget)?;
        let mut rest = handles.as_slice();
        let mut placed = Vec::new();
        for (slot, count) in missing.iter().enumerate() {
            let (own, others) = rest.split_at(*count as usize);
            rest = others;
            for (handle, position) in own.iter().zip(state.mapped[slot].len() as u64..) {
                let offset = slot as u64 * slot_bytes + position * handle_bytes;
                let (file, file_offset) = state.pages.location(*handle);
                if let Err(error) = self.reservation.map(offset, handle_bytes, file, file_offset) {
                    placed.iter().for_each(|offset| drop(self.reservation.unmap(*offset, handle_bytes)));
                    state.pages.release(&handles, &self.budget);
                    return Err(error);
                }
                placed.push(offset);
            }
        }
        let mut rest = handles.as_slice();
        for (slot, count) in missing.iter().enumerate() {
            let (own, others) = rest.split_at(*count as usize);
            rest = others;
            if own.is_empty() {
                continue;
            }
            let from_bytes = state.mapped[slot].len() as u64 * handle_bytes;
            state.mapped[slot].extend_from_slice(own);
            let to_bytes = state.mapped[slot].len() as u64 * handle_bytes;
            state.events.push(Event { slot, from_bytes, to_bytes, is_ahead });
            // Pages of the file are zero, and can be read from here on.
            self.watermarks[slot].store(to_bytes, Ordering::Release);
        }
        self.changed.notify_all();
        Ok(())
    }

    fn unmap(&self, slot: usize, bytes: u64) -> Result<(), MemoryError> {
        let mut state = self.lock();
        let (handle_bytes, kept) = (self.geometry.handle_bytes, self.geometry.handles(bytes));
        state.wanted[slot] = state.wanted[slot].min(bytes);
        while state.mapped[slot].len() as u64 > kept {
            let position = state.mapped[slot].len() as u64 - 1;
            self.watermarks[slot].store(position * handle_bytes, Ordering::Release);
            self.reservation.unmap(slot as u64 * self.geometry.slot_bytes() + position * handle_bytes, handle_bytes)?;
            let handle = state.mapped[slot].pop().into_iter().collect::<Vec<u64>>();
            state.pages.release(&handle, &self.budget);
            let (from_bytes, to_bytes) = ((position + 1) * handle_bytes, position * handle_bytes);
            state.events.push(Event { slot, from_bytes, to_bytes, is_ahead: false });
        }
        Ok(())
    }

    /// The thread: maps what is wanted, and then more.
    fn map_ahead(&self, ahead: u64, delay: Duration) {
        let mut state = self.lock();
        while !state.has_ended {
            let Geometry { handle_bytes, rows_bytes, .. } = self.geometry;
            let reaches = |state: &State, goal: &[u64]| {
                goal.iter()
                    .zip(&state.mapped)
                    .all(|(bytes, mapped)| self.geometry.handles(*bytes) <= mapped.len() as u64)
            };
            let wanted = state.wanted.clone();
            let beyond = |bytes: &u64| if *bytes == 0 { 0 } else { (bytes + ahead * handle_bytes).min(rows_bytes) };
            let further: Vec<u64> = wanted.iter().map(beyond).collect();
            let goal = if reaches(&state, &wanted) { &further } else { &wanted };
            if reaches(&state, goal) || state.error.is_some() {
                state = self.changed.wait(state).expect("no holder should panic");
                continue;
            }
            drop(state);
            thread::sleep(delay);
            state = self.lock();
            let is_ahead = goal == &further;
            if let Err(error) = self.map(&mut state, goal, is_ahead) {
                if is_ahead {
                    // There is no room to be ahead; a step that needs more will say so.
                    state = self.changed.wait(state).expect("no holder should panic");
                } else {
                    state.error = Some(error);
                    self.changed.notify_all();
                }
            }
        }
    }
}
