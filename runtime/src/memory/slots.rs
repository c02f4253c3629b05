//! What is mapped in an arena, and what should be: everything that happens under the arena's lock.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Actor, Change, Event, EventLog, Handle, MemoryError, PhysicalMemory, Reservation};

/// The state of an arena. Sizes in it are in handles, but where a name says bytes.
#[derive(Debug)]
pub(super) struct Slots {
    pub(super) reservation: Reservation,
    pub(super) log: EventLog,
    /// The thread is to end.
    pub(super) shutdown: bool,
    /// The thread is creating a handle, and holds no lock.
    pub(super) creating: bool,
    /// Callers that wait for that handle to be theirs: the thread begins nothing.
    pub(super) callers_waiting: usize,
    memory: PhysicalMemory,
    watermarks: Arc<[AtomicU64]>,
    slots: Vec<Slot>,
    slot_handles: u64,
    handles_ahead: u64,
}

/// One slot: handles `low..mapped` of it are mapped. `low <= mapped`, and `asked <= goal`.
#[derive(Debug, Clone, Default)]
struct Slot {
    low: u64,
    mapped: u64,
    /// Somebody relies on everything below.
    asked: u64,
    /// The thread maps up to here.
    goal: u64,
    /// What went wrong in the thread, for the next caller.
    error: Option<MemoryError>,
}

impl Slot {
    /// How many handles nobody relies on.
    fn ahead(&self) -> u64 {
        self.mapped.saturating_sub(self.asked.max(self.low))
    }
}

impl Slots {
    pub(super) fn new(
        memory: &PhysicalMemory,
        reservation: Reservation,
        watermarks: Arc<[AtomicU64]>,
        handles_ahead: u64,
    ) -> Slots {
        let slots = vec![Slot::default(); watermarks.len()];
        Slots {
            slot_handles: reservation.bytes() / memory.handle_bytes() / slots.len() as u64,
            memory: memory.clone(),
            log: EventLog::default(),
            shutdown: false,
            creating: false,
            callers_waiting: 0,
            reservation,
            watermarks,
            slots,
            handles_ahead,
        }
    }

    /// How many handles `bytes` of a slot need.
    pub(super) fn handles(&self, slot: usize, bytes: u64) -> Result<u64, MemoryError> {
        let slots = self.slots.len();
        if slot >= slots {
            return Err(MemoryError::NoSlot { slot, slots });
        }
        let slot_bytes = self.slot_handles * self.handle_bytes();
        if bytes > slot_bytes {
            return Err(MemoryError::SlotFull { slot, bytes, slot_bytes });
        }
        Ok(bytes.div_ceil(self.handle_bytes()))
    }

    /// The error that the thread left for the next caller.
    pub(super) fn take_error(&mut self, slot: usize) -> Result<(), MemoryError> {
        self.slots[slot].error.take().map_or(Ok(()), Err)
    }

    /// Something went wrong in the thread since the last caller.
    pub(super) fn has_error(&self, slot: usize) -> bool {
        self.slots[slot].error.is_some()
    }

    /// The bytes of a slot that are mapped, from its start.
    pub(super) fn mapped_range(&self, slot: usize) -> Range<u64> {
        let Slot { low, mapped, .. } = self.slots[slot];
        low * self.handle_bytes()..mapped * self.handle_bytes()
    }

    /// Whether the first handles of a slot are mapped, but for those below its low edge.
    pub(super) fn has(&self, slot: usize, handles: u64) -> bool {
        self.slots[slot].mapped >= handles
    }

    /// From now on somebody relies on the first handles of a slot.
    pub(super) fn ask(&mut self, slot: usize, handles: u64) {
        let slot = &mut self.slots[slot];
        slot.asked = slot.asked.max(handles);
        slot.goal = slot.goal.max(slot.asked.saturating_add(self.handles_ahead)).min(self.slot_handles);
    }

    /// The thread maps the first handles of a slot; nobody relies on it.
    pub(super) fn expect(&mut self, slot: usize, handles: u64) {
        let slot = &mut self.slots[slot];
        slot.goal = slot.goal.max(handles).min(self.slot_handles);
    }

    /// Maps the first handles of some slots: all or, with an error, none.
    pub(super) fn ensure(&mut self, wanted: &BTreeMap<usize, u64>) -> Result<(), MemoryError> {
        let before: Vec<(usize, Slot)> = wanted.keys().map(|&slot| (slot, self.slots[slot].clone())).collect();
        wanted.iter().for_each(|(&slot, &handles)| self.ask(slot, handles));
        let mapped = self.map_missing(wanted);
        if mapped.is_err() {
            for (slot, before) in before {
                self.slots[slot].asked = before.asked;
                self.slots[slot].goal = before.goal;
                // If the system refuses this too, they stay as handles that are mapped ahead, which nobody relies on.
                let _ = self.unmap_above(slot, before.mapped, Actor::Caller);
            }
        }
        mapped
    }

    /// Unmaps what of a slot is above its first handles, and withdraws what was asked for there.
    pub(super) fn retire(&mut self, slot: usize, handles: u64) -> Result<(), MemoryError> {
        let state = &mut self.slots[slot];
        state.asked = state.asked.min(handles);
        state.goal = state.goal.min(handles);
        state.error = None;
        self.unmap_above(slot, handles, Actor::Caller)
    }

    /// Creates all handles that are missing, then maps them.
    fn map_missing(&mut self, wanted: &BTreeMap<usize, u64>) -> Result<(), MemoryError> {
        let count = wanted.iter().map(|(&slot, &handles)| handles.saturating_sub(self.slots[slot].mapped)).sum();
        let mut created = self.create(count, Actor::Caller)?.into_iter();
        for (&slot, &handles) in wanted {
            while !self.has(slot, handles) {
                let handle = created.next().expect("all missing handles should be created");
                self.map_next(slot, &handle, Actor::Caller)?;
            }
        }
        Ok(())
    }

    /// Creates handles that somebody asked for. If that makes room for them all, what is mapped ahead is taken back.
    fn create(&mut self, count: u64, by: Actor) -> Result<Vec<Handle>, MemoryError> {
        loop {
            let error = match self.memory.create_many(count) {
                Err(error) => error,
                created => return created,
            };
            if !error.is_shortage() {
                return Err(error);
            }
            if let MemoryError::Limit { live, limit, .. } = error {
                let room = limit.saturating_sub(live) / self.handle_bytes();
                let ahead: u64 = self.slots.iter().map(Slot::ahead).sum();
                if room + ahead < count {
                    return Err(error);
                }
            }
            // How much room a GPU has nobody knows: there, what is ahead is taken back until it is enough or none is left.
            let slot = self.slots.iter().position(|slot| slot.ahead() > 0);
            // None is ahead where another arena took what was just taken back.
            let Some(slot) = slot else { return Err(error) };
            let left = self.slots[slot].mapped - 1;
            self.slots[slot].goal = left.max(self.slots[slot].asked);
            self.unmap_above(slot, left, by)?;
        }
    }

    /// Maps a handle at the upper end of a slot, and publishes it.
    fn map_next(&mut self, slot: usize, handle: &Handle, by: Actor) -> Result<(), MemoryError> {
        let place = self.slots[slot].mapped;
        self.reservation.map(self.offset(slot, place), handle)?;
        self.slots[slot].mapped += 1;
        self.publish(slot);
        self.record(slot, place, Change::Mapped, by);
        Ok(())
    }

    /// Unmaps handles at the upper end of a slot until `handles` are left below.
    fn unmap_above(&mut self, slot: usize, handles: u64, by: Actor) -> Result<(), MemoryError> {
        while self.slots[slot].mapped > handles {
            let place = self.slots[slot].mapped - 1;
            // Readers hear of it before it is gone. Below the low edge it is gone already.
            self.slots[slot].mapped = place;
            self.publish(slot);
            if place < self.slots[slot].low {
                self.slots[slot].low = place;
                continue;
            }
            if let Err(error) = self.reservation.unmap(self.offset(slot, place)) {
                self.slots[slot].mapped = place + 1;
                self.publish(slot);
                return Err(error);
            }
            self.record(slot, place, Change::Unmapped, by);
        }
        Ok(())
    }

    /// Unmaps the handles of a slot below `bytes`, and maps none there until the slot is retired below them.
    pub(super) fn unmap_below(&mut self, slot: usize, bytes: u64) -> Result<(), MemoryError> {
        let low = bytes / self.handle_bytes();
        while self.slots[slot].low < low {
            let place = self.slots[slot].low;
            if place < self.slots[slot].mapped {
                self.reservation.unmap_unused(self.offset(slot, place))?;
                self.record(slot, place, Change::Unmapped, Actor::Caller);
            }
            let slot = &mut self.slots[slot];
            slot.low += 1;
            slot.mapped = slot.mapped.max(slot.low);
            slot.goal = slot.goal.max(slot.low);
        }
        self.publish(slot);
        Ok(())
    }

    /// The slot in which the thread maps next: first where something is asked for, then ahead.
    pub(super) fn next_slot(&self) -> Option<usize> {
        if self.callers_waiting > 0 {
            return None;
        }
        let behind = |wanted: fn(&Slot) -> u64| self.slots.iter().position(|slot| slot.mapped < wanted(slot));
        behind(|slot| slot.asked).or_else(|| behind(|slot| slot.goal))
    }

    /// Maps what the thread created where it is needed most, and keeps the error if it cannot be.
    pub(super) fn map_created(&mut self, created: Result<Handle, MemoryError>) {
        let Some(slot) = self.next_slot() else { return };
        let is_asked = self.slots[slot].mapped < self.slots[slot].asked;
        let created = match created {
            Err(error) if error.is_shortage() && is_asked => {
                self.create(1, Actor::Thread).map(|mut handles| handles.pop().expect("one handle should be created"))
            }
            Err(error) if error.is_shortage() => {
                // Nobody asked for it: no error, but no further attempt either until somebody asks.
                self.slots[slot].goal = self.slots[slot].mapped;
                return;
            }
            created => created,
        };
        if let Err(error) = created.and_then(|handle| self.map_next(slot, &handle, Actor::Thread)) {
            let slot = &mut self.slots[slot];
            slot.error = Some(error);
            slot.asked = slot.asked.min(slot.mapped);
            slot.goal = slot.mapped;
        }
    }

    fn handle_bytes(&self) -> u64 {
        self.memory.handle_bytes()
    }

    /// Where a handle of a slot is in the reservation, in bytes.
    fn offset(&self, slot: usize, handle: u64) -> u64 {
        (slot as u64 * self.slot_handles + handle) * self.handle_bytes()
    }

    /// Tells readers how far a slot is mapped: what was done before is visible to who sees the new value.
    fn publish(&self, slot: usize) {
        self.watermarks[slot].store(self.slots[slot].mapped * self.handle_bytes(), Ordering::Release);
    }

    fn record(&mut self, slot: usize, handle: u64, change: Change, by: Actor) {
        let bytes = handle * self.handle_bytes()..(handle + 1) * self.handle_bytes();
        self.log.push(Event { slot, bytes, change, by });
    }
}
