//! Slots that grow in addresses reserved for the most they can become.

use std::{
    collections::BTreeMap,
    fmt,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::io::Errno;

use super::{
    EventLog, MemoryError, PhysicalMemory, Reservation,
    slots::Slots,
    thread::{POISONED, Shared, map_ahead},
};

/// One reservation in equal slots, each of which is mapped from its start as far as it was asked for, and by a thread
/// some handles further.
///
/// Addresses never change. A reader may touch a byte of a slot that is below what was asked for (by
/// [`GrowingArena::ensure`], [`GrowingArena::request`] or [`GrowingArena::wait_for`]), below the slot's watermark, and
/// not below its low edge. What is mapped further is ahead of need, and goes to another slot that needs it when memory
/// runs short: whether a request succeeds does not depend on how fast the thread is. (Between arenas with one
/// [`PhysicalMemory`] it does: an arena takes back what is its own.)
pub struct GrowingArena {
    shared: Arc<Shared>,
    watermarks: Arc<[AtomicU64]>,
    slot_bytes: u64,
    address: u64,
    thread: Option<JoinHandle<()>>,
}

/// What an arena is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArenaOptions {
    /// How many slots; at least one.
    pub slots: usize,
    /// The most bytes that a slot can have; rounded up to whole handles.
    pub slot_bytes: u64,
    /// How many handles of each slot the thread maps beyond what is asked for.
    pub handles_ahead: u64,
    /// How long the thread waits before it maps a handle. Not zero only in tests that must see it late.
    pub thread_delay: Duration,
}

impl GrowingArena {
    /// Reserves the addresses and starts the thread. Takes no memory.
    pub fn new(memory: &PhysicalMemory, options: ArenaOptions) -> Result<GrowingArena, MemoryError> {
        let ArenaOptions { slots, slot_bytes, handles_ahead, thread_delay } = options;
        let rounded = slot_bytes.checked_next_multiple_of(memory.handle_bytes());
        let sizes = rounded.and_then(|slot_bytes| Some((slot_bytes, slot_bytes.checked_mul(slots as u64)?)));
        let (slot_bytes, bytes) = sizes.ok_or(MemoryError::ArenaSize { slots, slot_bytes })?;
        let reservation = Reservation::reserve(memory, bytes)?;
        let address = reservation.address();
        let watermarks: Arc<[AtomicU64]> = (0..slots).map(|_| AtomicU64::new(0)).collect();
        let shared = Shared::new(Slots::new(memory, reservation, watermarks.clone(), handles_ahead));
        let thread = thread::Builder::new().name("pygraph-mapping".into()).spawn({
            let (shared, memory) = (shared.clone(), memory.clone());
            move || map_ahead(&shared, &memory, thread_delay)
        });
        let thread = thread.map_err(|error| MemoryError::System {
            action: "start the mapping thread",
            source: Errno::from_io_error(&error).unwrap_or(Errno::AGAIN),
        })?;
        Ok(GrowingArena { shared, watermarks, slot_bytes, address, thread: Some(thread) })
    }

    /// The address of the first slot. It never changes.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// The same as a pointer, of which the host can use that of its own memory.
    pub fn as_ptr(&self) -> *mut u8 {
        std::ptr::with_exposed_provenance_mut(self.address as usize)
    }

    /// The bytes from the start of one slot to that of the next: the most that a slot can have.
    pub fn slot_bytes(&self) -> u64 {
        self.slot_bytes
    }

    /// How many slots there are.
    pub fn slots(&self) -> usize {
        self.watermarks.len()
    }

    /// Maps the first `bytes` of a slot, but for those below its low edge, unless they are mapped already; then lets the
    /// thread go on. After an error everything that was asked for is as it was. An error that the thread met in this slot since the last
    /// call is given to this one.
    pub fn ensure(&self, slot: usize, bytes: u64) -> Result<(), MemoryError> {
        self.ensure_all(&[(slot, bytes)])
    }

    /// What [`GrowingArena::ensure`] does, for several slots and bytes: all of them or, with an error, none.
    pub fn ensure_all(&self, wanted: &[(usize, u64)]) -> Result<(), MemoryError> {
        let mut slots = self.shared.lock();
        let mut handles = BTreeMap::new();
        for &(slot, bytes) in wanted {
            let most = handles.entry(slot).or_insert(0);
            *most = slots.handles(slot, bytes)?.max(*most);
        }
        handles.keys().try_for_each(|&slot| slots.take_error(slot))?;
        let ensured = loop {
            match slots.ensure(&handles) {
                // The thread is creating a handle that may be ahead of need: it gives it back to whoever waits.
                Err(error) if error.is_shortage() && slots.creating => {
                    slots.callers_waiting += 1;
                    slots = self.shared.progress.wait_while(slots, |slots| slots.creating).expect(POISONED);
                    slots.callers_waiting -= 1;
                }
                ensured => break ensured,
            }
        };
        if slots.next_slot().is_some() {
            self.shared.work.notify_one();
        }
        ensured
    }

    /// Asks the thread to map the first `bytes` of a slot, as [`GrowingArena::ensure`] does, and does not wait for it.
    pub fn request(&self, slot: usize, bytes: u64) -> Result<(), MemoryError> {
        self.ask(&mut self.shared.lock(), slot, bytes).map(|_| ())
    }

    /// Has the thread map the first `bytes` of a slot, ahead of need, if there is memory.
    pub fn expect(&self, slot: usize, bytes: u64) -> Result<(), MemoryError> {
        let mut slots = self.shared.lock();
        let handles = slots.handles(slot, bytes)?;
        slots.expect(slot, handles);
        self.shared.work.notify_one();
        Ok(())
    }

    /// Asks for the first `bytes` of a slot and waits until the thread has mapped them, at most `timeout`. What was
    /// asked for stays asked for if they come later.
    pub fn wait_for(&self, slot: usize, bytes: u64, timeout: Duration) -> Result<(), MemoryError> {
        let mut slots = self.shared.lock();
        let handles = self.ask(&mut slots, slot, bytes)?;
        let waits = |slots: &mut Slots| !slots.has(slot, handles) && !slots.has_error(slot);
        slots = self.shared.progress.wait_timeout_while(slots, timeout, waits).expect(POISONED).0;
        slots.take_error(slot)?;
        if slots.has(slot, handles) {
            return Ok(());
        }
        Err(MemoryError::Timeout { slot, bytes, watermark: slots.mapped_range(slot).end, timeout })
    }

    /// Unmaps the handles of a slot that are wholly above its first `bytes`, and withdraws what was asked for above.
    /// Nobody may read there any more. With 0 the slot is as new: it has no low edge either.
    pub fn retire(&self, slot: usize, bytes: u64) -> Result<(), MemoryError> {
        let mut slots = self.shared.lock();
        let handles = slots.handles(slot, bytes)?;
        slots.retire(slot, handles)
    }

    /// Unmaps the handles of a slot that are wholly below its low edge, which is then at `bytes`: the start of a window.
    /// Nobody may read there any more, nor have begun to; nothing is mapped there until the slot is retired below it.
    pub fn retire_below(&self, slot: usize, bytes: u64) -> Result<(), MemoryError> {
        let mut slots = self.shared.lock();
        slots.handles(slot, bytes)?;
        slots.unmap_below(slot, bytes)
    }

    /// The bytes of a slot that are mapped now, from its start: from its low edge, in whole handles, to its watermark.
    pub fn mapped_range(&self, slot: usize) -> Result<Range<u64>, MemoryError> {
        let slots = self.shared.lock();
        slots.handles(slot, 0)?;
        Ok(slots.mapped_range(slot))
    }

    /// How many bytes of a slot are mapped now.
    pub fn mapped_bytes(&self, slot: usize) -> Result<u64, MemoryError> {
        self.mapped_range(slot).map(|range| range.end - range.start)
    }

    /// A slot's watermark: bytes below it, and not below its low edge, are mapped. To be loaded with
    /// [`Ordering::Acquire`]: the memory is then seen as zeroed. It does not fall below what was asked for until that is
    /// retired.
    ///
    /// # Panics
    /// If there is no such slot.
    pub fn watermark(&self, slot: usize) -> &AtomicU64 {
        &self.watermarks[slot]
    }

    /// What was mapped and unmapped until now.
    pub fn events(&self) -> EventLog {
        self.shared.lock().log.clone()
    }

    /// Whether the thread met an error in a slot that no caller has heard of.
    #[cfg(test)]
    pub(super) fn has_error(&self, slot: usize) -> bool {
        self.shared.lock().has_error(slot)
    }

    fn ask(&self, slots: &mut Slots, slot: usize, bytes: u64) -> Result<u64, MemoryError> {
        let handles = slots.handles(slot, bytes)?;
        slots.take_error(slot)?;
        slots.ask(slot, handles);
        self.shared.work.notify_one();
        Ok(handles)
    }
}

impl fmt::Debug for GrowingArena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let watermarks = self.watermarks.iter().map(|watermark| watermark.load(Ordering::Acquire));
        let mut arena = f.debug_struct("GrowingArena");
        arena.field("slot_bytes", &self.slot_bytes).field("watermarks", &watermarks.collect::<Vec<_>>()).finish()
    }
}

impl Drop for GrowingArena {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.shared.shut_down();
        let ended = thread.join();
        debug_assert!(ended.is_ok(), "the mapping thread should not panic");
    }
}
