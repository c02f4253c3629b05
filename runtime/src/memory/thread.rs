//! The thread of an arena that maps what is asked for, and then ahead of it.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::Duration,
};

use super::{PhysicalMemory, slots::Slots};

/// What the callers of an arena and its thread share.
#[derive(Debug)]
pub(super) struct Shared {
    slots: Mutex<Slots>,
    /// There may be work for the thread.
    pub(super) work: Condvar,
    /// The thread got on, or met an error.
    pub(super) progress: Condvar,
}

impl Shared {
    pub(super) fn new(slots: Slots) -> Arc<Shared> {
        Arc::new(Shared { slots: Mutex::new(slots), work: Condvar::new(), progress: Condvar::new() })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().expect(POISONED)
    }

    /// Tells the thread to end.
    pub(super) fn shut_down(&self) {
        // A lock is poisoned where a caller panicked; the thread then ends as it takes it.
        if let Ok(mut slots) = self.slots.lock() {
            slots.shutdown = true;
        }
        self.work.notify_one();
    }
}

pub(super) const POISONED: &str = "nothing should panic while it holds the slots of an arena";

/// Maps one handle at a time until it is told to end. Waits `delay` before each.
pub(super) fn map_ahead(shared: &Shared, memory: &PhysicalMemory, delay: Duration) {
    let mut slots = shared.lock();
    loop {
        slots = shared.work.wait_while(slots, |slots| !slots.shutdown && slots.next_slot().is_none()).expect(POISONED);
        if !delay.is_zero() {
            slots = shared.work.wait_timeout_while(slots, delay, |slots| !slots.shutdown).expect(POISONED).0;
        }
        if slots.shutdown {
            return;
        }
        if slots.next_slot().is_none() {
            continue;
        }
        // Creating is what takes long: callers whose bytes are mapped must not wait for it.
        slots.creating = true;
        drop(slots);
        let created = memory.create();
        slots = shared.lock();
        slots.creating = false;
        slots.map_created(created);
        shared.progress.notify_all();
    }
}
