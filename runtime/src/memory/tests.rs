//! What arenas map, when, and what they refuse.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use proptest::prelude::*;

use super::{slots::Slots, *};

/// Long enough for what must come; what must not come is never waited for so long.
const LONG: Duration = Duration::from_secs(60);
/// Longer than any test runs.
const NEVER: Duration = Duration::from_secs(24 * 3600);

fn options(slots: usize, handles: u64, handles_ahead: u64) -> ArenaOptions {
    ArenaOptions { slots, slot_bytes: handles * granularity(), handles_ahead, thread_delay: Duration::ZERO }
}

fn arena(limit: Option<u64>, options: ArenaOptions) -> Result<(PhysicalMemory, GrowingArena), MemoryError> {
    let memory = PhysicalMemory::new(granularity(), limit.map(|handles| handles * granularity()))?;
    let arena = GrowingArena::new(&memory, options)?;
    Ok((memory, arena))
}

fn mapped_handles(arena: &GrowingArena) -> Vec<u64> {
    let mapped = |slot| arena.mapped_bytes(slot).expect("there should be such a slot") / granularity();
    (0..arena.slots()).map(mapped).collect()
}

fn byte(arena: &GrowingArena, slot: usize, byte: u64) -> *mut u8 {
    arena.as_ptr().wrapping_byte_add((slot as u64 * arena.slot_bytes() + byte) as usize)
}

/// Waits until the thread has mapped so many handles of a slot, without asking for them.
fn wait_until_mapped(arena: &GrowingArena, slot: usize, handles: u64) {
    wait_until(|| arena.watermark(slot).load(Ordering::Acquire) >= handles * granularity());
}

fn wait_until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LONG, "it should come about");
        thread::yield_now();
    }
}

#[test]
fn whole_handles_are_mapped_at_every_length() -> Result<(), MemoryError> {
    let handle_bytes = granularity();
    for handles in 0..4 {
        for bytes in (handles * handle_bytes).saturating_sub(2)..=handles * handle_bytes + 2 {
            let (memory, arena) = arena(None, options(2, 5, 0))?;
            arena.ensure(1, bytes)?;
            let expected = bytes.div_ceil(handle_bytes);
            assert_eq!(mapped_handles(&arena), [0, expected], "{bytes} bytes");
            assert_eq!(arena.watermark(1).load(Ordering::Acquire), expected * handle_bytes);
            assert_eq!((memory.counts().live, memory.counts().peak), (expected, expected));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A plain model of two slots with a window each, and a limit, agrees with an arena in what is mapped and refused.
    #[test]
    fn a_model_agrees(steps in prop::collection::vec((0..4, 0..2_usize, 0..9_u64, -1..2_i64), 1..40)) {
        let (limit, slot_handles) = (10, 8);
        let (memory, arena) = arena(Some(limit), options(2, slot_handles, 0))?;
        let (mut low, mut high) = ([0_u64; 2], [0_u64; 2]);
        for (kind, slot, handles, edge) in steps {
            let bytes = (handles * granularity()).saturating_add_signed(edge).min(slot_handles * granularity());
            let (up, down) = (bytes.div_ceil(granularity()), bytes / granularity());
            let live = |low: [u64; 2], high: [u64; 2]| (high[0] - low[0]) + (high[1] - low[1]);
            match kind {
                0 | 1 => {
                    let mut grown = high;
                    grown[slot] = grown[slot].max(up);
                    let fits = live(low, grown) <= limit;
                    prop_assert_eq!(arena.ensure(slot, bytes).is_ok(), fits);
                    if fits {
                        high = grown;
                    }
                }
                2 => {
                    arena.retire(slot, bytes)?;
                    high[slot] = high[slot].min(up);
                    low[slot] = low[slot].min(high[slot]);
                }
                _ => {
                    arena.retire_below(slot, bytes)?;
                    low[slot] = low[slot].max(down);
                    high[slot] = high[slot].max(low[slot]);
                }
            }
            prop_assert_eq!(memory.counts().live, live(low, high));
            prop_assert_eq!(memory.resident_bytes()?, live(low, high) * granularity());
            for slot in 0..2 {
                let expected = low[slot] * granularity()..high[slot] * granularity();
                prop_assert_eq!(arena.mapped_range(slot)?, expected);
            }
        }
        drop(arena);
        prop_assert_eq!(memory.counts().live, 0);
    }
}

#[test]
fn all_slots_or_none() -> Result<(), MemoryError> {
    let (memory, arena) = arena(Some(4), options(3, 8, 0))?;
    let bytes = granularity();
    arena.ensure(0, bytes)?;
    let before = (mapped_handles(&arena), memory.counts(), arena.events().events);
    let error = arena.ensure_all(&[(0, 2 * bytes), (1, bytes), (2, 2 * bytes)]).expect_err("five should not fit");
    assert_eq!(error, MemoryError::Limit { asked: 4 * bytes, live: bytes, limit: 4 * bytes });
    assert_eq!((mapped_handles(&arena), memory.counts(), arena.events().events), before);
    // What is named twice counts once.
    arena.ensure_all(&[(0, bytes), (1, bytes), (0, 2 * bytes), (2, bytes), (1, 1)])?;
    assert_eq!(mapped_handles(&arena), [2, 1, 1]);
    let error = arena.ensure_all(&[(0, 3 * bytes), (3, 1)]).expect_err("there is no such slot");
    assert_eq!(error.to_string(), "there is no slot 3 in an arena of 3");
    assert_eq!(mapped_handles(&arena), [2, 1, 1]);
    Ok(())
}

#[test]
fn what_an_arena_has_no_addresses_for_is_refused() -> Result<(), MemoryError> {
    let (memory, arena) = arena(None, options(2, 3, 0))?;
    let most = arena.slot_bytes();
    let message = format!("slot 1 cannot have {} bytes: it has addresses for {most}", most + 1);
    let refusals = [
        arena.ensure(1, most + 1),
        arena.request(1, most + 1),
        arena.wait_for(1, most + 1, LONG),
        arena.retire(1, most + 1),
        arena.retire_below(1, most + 1),
    ];
    assert_eq!(
        refusals.map(|refusal| refusal.map_err(|error| error.to_string())),
        [(); 5].map(|()| Err(message.clone()))
    );
    assert_eq!(arena.mapped_bytes(2), Err(MemoryError::NoSlot { slot: 2, slots: 2 }));
    let too_large = ArenaOptions { slot_bytes: 1 << 63, ..options(2, 0, 0) };
    let error = GrowingArena::new(&memory, too_large).expect_err("there are not so many addresses");
    let expected = format!("cannot reserve 2 slots of {} bytes: there are not so many addresses", 1_u64 << 63);
    assert_eq!(error.to_string(), expected);
    assert!(matches!(GrowingArena::new(&memory, options(0, 1, 0)), Err(MemoryError::ReservationSize { bytes: 0, .. })));
    Ok(())
}

#[test]
fn a_slot_that_is_used_again_is_zero() -> Result<(), MemoryError> {
    let bytes = 3 * granularity();
    let (memory, arena) = arena(Some(3), options(2, 3, 0))?;
    arena.ensure(0, bytes)?;
    (0..bytes).for_each(|at| ffi::poke(byte(&arena, 0, at), 0xff));
    arena.retire(0, 0)?;
    assert_eq!((memory.counts().live, memory.resident_bytes()?), (0, 0));
    arena.ensure(1, bytes)?;
    assert!((0..bytes).all(|at| ffi::peek(byte(&arena, 1, at)) == 0));
    assert_eq!(memory.counts(), HandleCounts { created: 6, live: 3, peak: 3 });
    Ok(())
}

#[test]
fn growing_keeps_what_was_written() -> Result<(), MemoryError> {
    let (_, arena) = arena(None, options(2, 4, 1))?;
    for handles in 1..=4 {
        arena.ensure(1, handles * granularity())?;
        ffi::poke(byte(&arena, 1, handles * granularity() - 1), handles as u8);
    }
    let last = |handles| ffi::peek(byte(&arena, 1, handles * granularity() - 1));
    assert_eq!([last(1), last(2), last(3), last(4)], [1, 2, 3, 4]);
    Ok(())
}

#[test]
fn the_thread_maps_ahead_and_says_so() -> Result<(), MemoryError> {
    let (memory, arena) = arena(None, options(2, 5, 2))?;
    arena.ensure(1, 1)?;
    wait_until_mapped(&arena, 1, 3);
    arena.ensure(1, 3 * granularity())?;
    wait_until_mapped(&arena, 1, 5);
    assert_eq!((mapped_handles(&arena), memory.counts().peak), (vec![0, 5], 5));
    assert_eq!(ffi::peek(byte(&arena, 1, 5 * granularity() - 1)), 0);
    let handle = granularity();
    let expected = format!(
        "slot 1: bytes 0..{handle} mapped by the caller\nslot 1: bytes {handle}..{} mapped by the thread\n",
        5 * handle
    );
    assert_eq!(arena.events().to_string(), expected);
    // A retired slot has nothing ahead.
    arena.retire(1, handle)?;
    assert_eq!(mapped_handles(&arena), [0, 1]);
    Ok(())
}

#[test]
fn a_wait_is_bounded() -> Result<(), MemoryError> {
    let never = ArenaOptions { thread_delay: NEVER, ..options(1, 4, 0) };
    let (_, arena) = arena(None, never)?;
    let (bytes, timeout) = (granularity() + 1, Duration::from_millis(1));
    let error = arena.wait_for(0, bytes, timeout).expect_err("the thread should be late");
    assert_eq!(error, MemoryError::Timeout { slot: 0, bytes, watermark: 0, timeout });
    assert_eq!(error.to_string(), format!("slot 0 had 0 of {bytes} bytes mapped after waiting 1ms"));
    // A caller who needs it now does not wait for the thread, and maps no more than that caller needs.
    arena.ensure(0, 1)?;
    assert_eq!(mapped_handles(&arena), [1]);
    Ok(())
}

#[test]
fn the_thread_maps_what_is_asked_for() -> Result<(), MemoryError> {
    let late = ArenaOptions { thread_delay: Duration::from_millis(1), ..options(1, 4, 0) };
    let (_, arena) = arena(None, late)?;
    arena.request(0, granularity())?;
    wait_until_mapped(&arena, 0, 1);
    arena.wait_for(0, 2 * granularity() + 1, LONG)?;
    assert_eq!(mapped_handles(&arena), [3]);
    assert!(arena.events().events.iter().all(|event| event.by == Actor::Thread));
    Ok(())
}

#[test]
fn what_is_expected_is_mapped_ahead_where_there_is_memory() -> Result<(), MemoryError> {
    let (_, arena) = arena(Some(3), options(1, 8, 0))?;
    let bytes = granularity();
    arena.ensure(0, 1)?;
    arena.expect(0, 2 * bytes + 1)?;
    wait_until_mapped(&arena, 0, 3);
    arena.expect(0, 8 * bytes)?;
    assert_eq!(arena.wait_for(0, 3 * bytes, LONG), Ok(()), "that there is no more is nobody's error");
    assert_eq!(mapped_handles(&arena), [3]);
    Ok(())
}

#[test]
fn an_arena_ends_while_its_thread_has_work() -> Result<(), MemoryError> {
    let never = ArenaOptions { thread_delay: NEVER, ..options(1, 4, 4) };
    let (memory, arena) = arena(None, never)?;
    arena.ensure(0, 1)?;
    drop(arena);
    assert_eq!((memory.counts().live, memory.resident_bytes()?), (0, 0));
    Ok(())
}

#[test]
fn the_next_caller_hears_of_an_error_in_the_thread() -> Result<(), MemoryError> {
    let (memory, arena) = arena(Some(2), options(2, 8, 0))?;
    let bytes = granularity();
    let limit = MemoryError::Limit { asked: bytes, live: 2 * bytes, limit: 2 * bytes };
    assert_eq!(arena.wait_for(0, 3 * bytes, LONG), Err(limit.clone()));
    assert_eq!(arena.wait_for(0, 2 * bytes, LONG), Ok(()), "it is heard once");
    arena.request(0, 3 * bytes)?;
    wait_until(|| arena.has_error(0));
    assert_eq!(arena.ensure_all(&[(0, 1), (1, 0)]), Err(limit));
    assert_eq!(arena.ensure_all(&[(0, 1), (1, 0)]), Ok(()));
    assert_eq!((mapped_handles(&arena), memory.counts().live), (vec![2, 0], 2));
    Ok(())
}

#[test]
fn what_is_mapped_ahead_goes_to_who_needs_it() -> Result<(), MemoryError> {
    let (memory, arena) = arena(Some(4), options(2, 8, 7))?;
    let bytes = granularity();
    arena.ensure(0, bytes)?;
    wait_until_mapped(&arena, 0, 4);
    // Four handles are asked for in all: they fit, whatever the thread did with them.
    arena.ensure(1, 3 * bytes)?;
    assert_eq!(mapped_handles(&arena), [1, 3]);
    let error = arena.ensure(1, 4 * bytes).expect_err("five should not fit");
    assert_eq!(error, MemoryError::Limit { asked: bytes, live: 4 * bytes, limit: 4 * bytes });
    assert_eq!((mapped_handles(&arena), memory.counts().peak), (vec![1, 3], 4));
    // The thread takes it back as well, for what it is asked for.
    arena.retire(1, 0)?;
    arena.ensure(0, 2 * bytes)?;
    wait_until_mapped(&arena, 0, 4);
    arena.wait_for(1, 2 * bytes, LONG)?;
    assert_eq!(mapped_handles(&arena), [2, 2]);
    Ok(())
}

#[test]
fn a_limit_does_not_depend_on_the_thread() -> Result<(), MemoryError> {
    // Each round, both slots ask for what just fits while the thread is at work on what is ahead of them. Handles are
    // large, so that it is often about to create one.
    let handle_bytes = 256 * granularity();
    let memory = PhysicalMemory::new(handle_bytes, Some(4 * handle_bytes))?;
    let arena = GrowingArena::new(&memory, ArenaOptions { slot_bytes: 4 * handle_bytes, ..options(2, 4, 4) })?;
    for round in 0..100 {
        let first = 1 + round % 3;
        arena.ensure(0, first * handle_bytes)?;
        arena.ensure(1, (4 - first) * handle_bytes)?;
        assert_eq!(
            (arena.mapped_bytes(0)?, arena.mapped_bytes(1)?),
            (first * handle_bytes, (4 - first) * handle_bytes)
        );
        assert!(arena.ensure(1, (5 - first) * handle_bytes).is_err());
        arena.retire(0, 0)?;
        arena.retire(1, 0)?;
    }
    assert_eq!(memory.counts().peak, 4);
    Ok(())
}

/// The state of an arena without a thread: two slots of four handles, one of which it does not know to be mapped.
fn slots_with_a_stray(offset: u64) -> Result<(PhysicalMemory, Slots), MemoryError> {
    let memory = PhysicalMemory::new(granularity(), None)?;
    let mut reservation = Reservation::reserve(&memory, 8 * granularity())?;
    reservation.map(offset, &memory.create()?)?;
    let watermarks = (0..2).map(|_| AtomicU64::new(0)).collect();
    let slots = Slots::new(&memory, reservation, watermarks, 0);
    Ok((memory, slots))
}

#[test]
fn what_cannot_be_mapped_undoes_what_was() -> Result<(), MemoryError> {
    let stray = 5 * granularity();
    let (memory, mut slots) = slots_with_a_stray(stray)?;
    slots.ensure(&BTreeMap::from([(0, 1)]))?;
    let error = slots.ensure(&BTreeMap::from([(0, 3), (1, 3)]));
    assert_eq!(error, Err(MemoryError::Mapped { offset: stray }));
    assert_eq!((slots.mapped_range(0), slots.mapped_range(1)), (0..granularity(), 0..0));
    assert_eq!((memory.counts().live, slots.next_slot()), (2, None));
    // The thread stops where it cannot go on, keeps what is there, and says why.
    slots.ask(1, 3);
    while slots.next_slot().is_some() {
        slots.map_created(memory.create());
    }
    assert_eq!(slots.take_error(1), Err(MemoryError::Mapped { offset: stray }));
    assert_eq!((slots.mapped_range(1), memory.counts().live), (0..granularity(), 3));
    Ok(())
}

#[test]
fn what_cannot_be_unmapped_stays() -> Result<(), MemoryError> {
    let (memory, mut slots) = slots_with_a_stray(7 * granularity())?;
    slots.ensure(&BTreeMap::from([(0, 3)]))?;
    slots.reservation.unmap(granularity())?;
    assert_eq!(slots.retire(0, 0), Err(MemoryError::NotMapped { offset: granularity() }));
    assert_eq!((slots.mapped_range(0), memory.counts().live), (0..2 * granularity(), 2));
    assert_eq!(slots.unmap_below(0, 2 * granularity()), Err(MemoryError::NotMapped { offset: granularity() }));
    assert_eq!(slots.mapped_range(0), granularity()..2 * granularity());
    Ok(())
}
