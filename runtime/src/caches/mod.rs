//! Caches that grow: the arenas of an artifact in virtual memory, and what is in them.
//!
//! A cache that a caller hands in is laid out once, stays mapped whole and is handed back whole; an empty one grows from nothing. Rows that
//! no step has reached read as zero, and so do those that were retired: no step may need them again.

mod loops;
mod retired;
mod rows;

use std::{
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use pygraph_artifact::{
    dtype::{DType, Family},
    plan::{CacheLayout, KvArena, Param, Plan, SlotRows},
};
use pygraph_kernels::memory::Buffer;

use self::{
    retired::Retiring,
    rows::{each_rows, each_run, span_bytes},
};
use crate::{
    cuda::{driver::CudaError, gpu::Gpu, memory::physical_memory},
    memory::{ArenaOptions, EventLog, GrowingArena, MemoryError, PhysicalMemory},
    model::Model,
};

/// How arenas grow, and how much they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheOptions {
    /// The most physical memory that all arenas may have together, in bytes.
    pub limit_bytes: Option<u64>,
    /// Handles that a thread maps beyond what is needed, for each slot.
    pub handles_ahead: u64,
    /// How long the thread waits before it maps a handle: to see what a loop does that comes too soon.
    pub thread_delay: Duration,
    /// How long a loop on the device waits for rows that the thread maps; none maps them at once, on the device's own thread.
    pub patience: Option<Duration>,
    /// Fill what is mapped beyond the rows that are needed, above and below, with bytes that are no numbers, so that reading them shows.
    pub poison: bool,
}

/// The arenas of a plan. Sessions whose programs have caches in one arena can share them, one step at a time.
#[derive(Debug)]
pub struct Caches {
    arenas: Vec<OneArena>,
    /// None for a plan without arenas.
    memory: Option<PhysicalMemory>,
    /// The GPU whose memory it is; none for the host's.
    gpu: Option<Arc<Gpu>>,
    patience: Option<Duration>,
    poison: bool,
    /// What a GPU may still read of rows that were given up.
    retiring: Retiring,
    /// Whoever reads or writes what is mapped holds it.
    turn: Mutex<()>,
}

#[derive(Debug)]
struct OneArena {
    plan: KvArena,
    memory: GrowingArena,
    /// Whether there is anything in it, if only nothing.
    has_content: AtomicBool,
    /// Whether somebody handed in what is in it: nothing of it is retired.
    is_handed_in: AtomicBool,
    /// How often what was in it was given up.
    times_emptied: AtomicU64,
    slots: Mutex<Vec<Reached>>,
}

/// Where a slot has got to.
#[derive(Debug, Clone, Copy, Default)]
struct Reached {
    /// How many tokens steps have reached.
    tokens: u64,
    /// Rows below are gone.
    retired: u64,
    /// All rows below that are not gone are mapped and were asked for: to ask for them again changes nothing.
    ensured: u64,
}

impl OneArena {
    fn address(&self) -> u64 {
        self.memory.address()
    }

    /// Up to where a slot can be read.
    fn mapped_end(&self, slot: usize) -> u64 {
        self.memory.watermark(slot).load(Ordering::Acquire)
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Reached>> {
        self.slots.lock().expect("no holder should panic")
    }

    /// Unmaps everything: no row was reached, and none retired.
    fn empty(&self) -> Result<(), MemoryError> {
        for (slot, reached) in self.slots().iter_mut().enumerate() {
            self.memory.retire(slot, 0)?;
            *reached = Reached::default();
        }
        self.is_handed_in.store(false, Ordering::Release);
        self.times_emptied.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// That none of the rows that each slot needs was retired.
    fn check_kept(&self, rows: impl Fn(usize) -> Range<u64>) -> Result<(), CacheError> {
        let slots = self.slots();
        let lost = slots.iter().enumerate().find(|(slot, reached)| rows(*slot).start < reached.retired);
        lost.map_or(Ok(()), |(slot, reached)| {
            let (arena, needed, retired) = (self.plan.name.clone(), rows(slot).start, reached.retired);
            Err(CacheError::Retired { arena, slot, needed, retired })
        })
    }

    /// Notes that steps have reached these rows of each slot, if all are mapped and there is nothing to ask for. Else it changes nothing, and is false.
    fn advance(&self, rows: impl Fn(usize) -> Range<u64>) -> bool {
        let mut slots = self.slots();
        let is_there = slots.iter().enumerate().all(|(slot, reached)| rows(slot).end <= reached.ensured);
        if is_there {
            slots
                .iter_mut()
                .enumerate()
                .for_each(|(slot, reached)| reached.tokens = reached.tokens.max(rows(slot).end));
        }
        is_there
    }

    /// How many rows lie in the handles that are asked for with the first `rows`.
    fn asked_with(&self, rows: u64) -> u64 {
        let bytes = (rows * self.plan.token_bytes).next_multiple_of(self.plan.handle_bytes);
        (bytes / self.plan.token_bytes).min(self.plan.tokens_max)
    }
}

/// What is mapped of a slot, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotState {
    /// The arena's name.
    pub arena: String,
    /// The slot.
    pub slot: usize,
    /// Tokens that steps have reached.
    pub tokens: u64,
    /// How many of them, the first, were retired: their rows are gone.
    pub retired: u64,
    /// Bytes that are mapped.
    pub mapped_bytes: u64,
}

/// Why caches are not what a step needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// Rows could not be mapped.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// A position has gone back to before a window that was left.
    #[error(
        "the step needs rows of @{arena} from {needed} on in slot {slot}, and those below {retired} were given up when a window had left \
         them: begin with empty caches, or compile with --kv-rows-kept for positions that go back"
    )]
    Retired {
        /// The arena's name.
        arena: String,
        /// The slot.
        slot: usize,
        /// The first row that the step needs.
        needed: u64,
        /// The first row that is there.
        retired: u64,
    },
    /// Some caches are given anew while rows of the others are gone.
    #[error(
        "caches are set in @{arena}, of which rows below {retired} were given up in slot {slot}: begin with empty caches before"
    )]
    HandedInLate {
        /// The arena's name.
        arena: String,
        /// A slot that has lost rows.
        slot: usize,
        /// The first row that is there.
        retired: u64,
    },
}

impl Caches {
    /// Reserves addresses of the host for every arena of a plan. Nothing is mapped. All arenas have handles of one size, as validation
    /// checks.
    pub fn new(plan: &Plan, options: CacheOptions) -> Result<Caches, MemoryError> {
        Caches::on(plan, options, None)
    }

    /// The same on a model's device.
    pub fn for_model(model: &Model, options: CacheOptions) -> Result<Caches, MemoryError> {
        Caches::on(model.artifact().plan(), options, model.gpu().cloned())
    }

    fn on(plan: &Plan, options: CacheOptions, gpu: Option<Arc<Gpu>>) -> Result<Caches, MemoryError> {
        let CacheOptions { limit_bytes, handles_ahead, thread_delay, patience, poison } = options;
        let new_memory = |handle_bytes| match &gpu {
            None => PhysicalMemory::new(handle_bytes, limit_bytes),
            Some(gpu) => physical_memory(gpu.context(), handle_bytes, limit_bytes),
        };
        let memory = plan.arenas.first().map(|arena| new_memory(arena.handle_bytes)).transpose()?;
        let arenas = plan.arenas.iter().zip(memory.iter().cycle()).map(|(arena, memory)| {
            let slots = arena.slots as usize;
            let options = ArenaOptions { slots, slot_bytes: arena.rows_bytes(), handles_ahead, thread_delay };
            let memory = GrowingArena::new(memory, options)?;
            let slots = Mutex::new(vec![Reached::default(); slots]);
            let (has_content, is_handed_in) = (AtomicBool::new(false), AtomicBool::new(false));
            let times_emptied = AtomicU64::new(0);
            Ok(OneArena { plan: arena.clone(), memory, has_content, is_handed_in, times_emptied, slots })
        });
        Ok(Caches {
            arenas: arenas.collect::<Result<_, MemoryError>>()?,
            memory,
            gpu,
            patience,
            poison,
            retiring: Retiring::default(),
            turn: Mutex::default(),
        })
    }

    /// Waits until nobody else reads or writes what is mapped: a step of another session, or somebody who collects a cache.
    pub(crate) fn take_turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().expect("no holder should panic")
    }

    /// The number of the GPU whose memory they have; none if it is the host's.
    pub(crate) fn gpu(&self) -> Option<u32> {
        self.gpu.as_ref().map(|gpu| gpu.ordinal())
    }

    /// Where the first element of a cache lies.
    pub(crate) fn cache_address(&self, layout: &CacheLayout) -> u64 {
        self.arenas[layout.arena as usize].address() + layout.offset
    }

    /// True if they are the caches of a plan.
    pub fn are_of(&self, plan: &Plan) -> bool {
        self.arenas.iter().map(|arena| &arena.plan).eq(&plan.arenas)
    }

    /// How long a loop on the device waits for rows, if somebody said so.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.patience
    }

    /// Physical memory in use, and the most that was, in bytes.
    pub fn physical_bytes(&self) -> (u64, u64) {
        self.memory.as_ref().map_or((0, 0), |memory| {
            let counts = memory.counts();
            (counts.live * memory.handle_bytes(), counts.peak * memory.handle_bytes())
        })
    }

    /// Sets the most physical memory that all arenas may have together from now on, in bytes. What is mapped stays.
    pub fn set_limit_bytes(&self, limit_bytes: Option<u64>) {
        self.memory.iter().for_each(|memory| memory.set_limit_bytes(limit_bytes));
    }

    /// Every slot of every arena.
    pub fn slots(&self) -> Vec<SlotState> {
        let of = |arena: &OneArena| {
            let reached = arena.slots().clone();
            let slots = reached.into_iter().enumerate().map(|(slot, Reached { tokens, retired, .. })| SlotState {
                arena: arena.plan.name.clone(),
                slot,
                tokens,
                retired,
                mapped_bytes: arena.memory.mapped_bytes(slot).expect("the arena should have its slots"),
            });
            slots.collect::<Vec<_>>()
        };
        self.arenas.iter().flat_map(of).collect()
    }

    /// What was mapped in an arena, in order.
    pub fn events(&self, arena: usize) -> EventLog {
        self.arenas[arena].memory.events()
    }

    /// True if there is anything in the arena, if only nothing.
    pub fn has_content(&self, arena: u32) -> bool {
        self.arenas[arena as usize].has_content.load(Ordering::Acquire)
    }

    /// Says that there is nothing in the arena, as a request begins: every row is zero, and none is mapped.
    pub fn begin(&self, arena: u32) -> Result<(), MemoryError> {
        let _turn = self.take_turn();
        self.retiring.forget(arena);
        let arena = &self.arenas[arena as usize];
        arena.empty()?;
        arena.has_content.store(true, Ordering::Release);
        Ok(())
    }

    /// That caches can be handed in: no row of others in the arena is gone, unless all are of no use.
    pub(crate) fn check_hand_in(&self, arena: u32) -> Result<(), CacheError> {
        if !self.has_content(arena) {
            return Ok(());
        }
        let arena = &self.arenas[arena as usize];
        let slots = arena.slots();
        let lost = slots.iter().position(|reached| reached.retired > 0);
        lost.map_or(Ok(()), |slot| {
            let (arena, retired) = (arena.plan.name.clone(), slots[slot].retired);
            Err(CacheError::HandedInLate { arena, slot, retired })
        })
    }

    /// Maps every row of every slot, for caches that are about to be handed in.
    pub(crate) fn open_whole(&self, arena: u32) -> Result<(), MemoryError> {
        if !self.has_content(arena) {
            self.retiring.forget(arena);
            self.arenas[arena as usize].empty()?;
        }
        self.ensure_all(arena)
    }

    /// Says that the arena has been filled from outside.
    pub(crate) fn fill_in(&self, arena: u32) {
        let arena = &self.arenas[arena as usize];
        arena.is_handed_in.store(true, Ordering::Release);
        arena.has_content.store(true, Ordering::Release);
    }

    /// Says that what is in the arena is of no use.
    pub(crate) fn forget(&self, arena: u32) {
        let arena = &self.arenas[arena as usize];
        arena.has_content.store(false, Ordering::Release);
        arena.times_emptied.fetch_add(1, Ordering::AcqRel);
    }

    /// How often what was in the arena was given up.
    pub(crate) fn times_emptied(&self, arena: u32) -> u64 {
        self.arenas[arena as usize].times_emptied.load(Ordering::Acquire)
    }

    /// That no row which a step needs is gone.
    pub(crate) fn check_kept(&self, rows: &SlotRows, positions: &[i64]) -> Result<(), CacheError> {
        let arena = &self.arenas[rows.arena as usize];
        arena.check_kept(|slot| rows.of_slot(&arena.plan, positions, slot))
    }

    /// Maps what a step needs, none of which may be gone. Rows that are reached for the first time are zero.
    pub(crate) fn ensure(&self, rows: &SlotRows, positions: &[i64]) -> Result<(), CacheError> {
        self.ensure_within(rows, positions, None)
    }

    /// The same in a loop on the device, which cannot map: it waits until the mapping thread has, for a bounded time.
    pub(crate) fn wait_for(&self, rows: &SlotRows, positions: &[i64]) -> Result<(), CacheError> {
        self.ensure_within(rows, positions, self.patience)
    }

    /// Maps every row of every slot that is not gone.
    pub(crate) fn ensure_all(&self, arena: u32) -> Result<(), MemoryError> {
        let arena = &self.arenas[arena as usize];
        self.reach(arena, |_| 0..arena.plan.tokens_max, None)
    }

    fn ensure_within(&self, rows: &SlotRows, positions: &[i64], patience: Option<Duration>) -> Result<(), CacheError> {
        let arena = &self.arenas[rows.arena as usize];
        let needed = |slot| rows.of_slot(&arena.plan, positions, slot);
        arena.check_kept(needed)?;
        Ok(self.reach(arena, needed, patience)?)
    }

    /// Gives up rows below these, which nobody reads who has not begun: whole handles of them are unmapped; on a GPU when it has done what it was
    /// given until now. What was handed in stays.
    pub(crate) fn retire(&self, rows: &SlotRows, positions: &[i64]) -> Result<(), MemoryError> {
        let arena = &self.arenas[rows.arena as usize];
        if arena.is_handed_in.load(Ordering::Acquire) {
            return Ok(());
        }
        self.unmap_retired()?;
        let row = arena.plan.token_bytes;
        for (slot, reached) in arena.slots().iter_mut().enumerate() {
            let kept = rows.of_slot(&arena.plan, positions, slot);
            let before = reached.retired;
            // Rows that no step has reached are not there to be given up.
            let retired = kept.start.min(reached.tokens).max(before);
            reached.retired = retired;
            if self.gpu.is_none() {
                arena.memory.retire_below(slot, retired * row)?;
            }
            if self.poison {
                let mapped = arena.memory.mapped_range(slot)?;
                self.fill(arena, slot, (before * row).max(mapped.start)..retired * row, 0xff)?;
            }
        }
        let Some(gpu) = &self.gpu else { return Ok(()) };
        let slots = arena.slots();
        let edges = slots.iter().map(|reached| reached.retired * row);
        Ok(self.retiring.add(gpu, rows.arena, edges, arena.plan.handle_bytes)?)
    }

    /// Maps rows of each slot, none of which may be gone. Most steps find them mapped: those allocate nothing.
    fn reach(
        &self,
        arena: &OneArena,
        rows: impl Fn(usize) -> Range<u64>,
        patience: Option<Duration>,
    ) -> Result<(), MemoryError> {
        if arena.advance(&rows) {
            return Ok(());
        }
        let ends: Vec<u64> = (0..arena.plan.slots as usize).map(|slot| rows(slot).end).collect();
        let wanted: Vec<(usize, u64)> = ends.iter().map(|end| end * arena.plan.token_bytes).enumerate().collect();
        let before: Vec<u64> = (0..ends.len()).map(|slot| arena.mapped_end(slot)).collect();
        match patience {
            None => self.map(arena, &wanted)?,
            Some(patience) => {
                wanted.iter().try_for_each(|(slot, bytes)| arena.memory.request(*slot, *bytes))?;
                wanted.iter().try_for_each(|(slot, bytes)| arena.memory.wait_for(*slot, *bytes, patience))?;
            }
        }
        for (slot, (reached, new)) in arena.slots().iter_mut().zip(ends).enumerate() {
            let old = reached.tokens;
            if self.poison && new > old {
                let (row, mapped) = (arena.plan.token_bytes, arena.mapped_end(slot));
                self.fill(arena, slot, (new * row).max(before[slot])..mapped, 0xff)?;
                self.fill(arena, slot, old * row..(new * row).min(before[slot]), 0)?;
            }
            reached.tokens = old.max(new);
            // Poisoned rows have to be looked at one by one.
            if !self.poison {
                reached.ensured = reached.ensured.max(arena.asked_with(new));
            }
        }
        Ok(())
    }

    /// Sets bytes of a slot, all of which must be mapped.
    fn fill(&self, arena: &OneArena, slot: usize, bytes: Range<u64>, value: u8) -> Result<(), MemoryError> {
        if bytes.start >= bytes.end {
            return Ok(());
        }
        let start = arena.address() + slot as u64 * arena.plan.slot_bytes() + bytes.start;
        let size = bytes.end - bytes.start;
        if let Some(gpu) = &self.gpu {
            // SAFETY: the range is mapped, and stays so until the GPU has done what it was given.
            return Ok(unsafe { gpu.stream().fill(start, value, size) }?);
        }
        // SAFETY: the range is mapped, and no step runs: whoever ensures rows is the one who runs steps.
        let buffer = unsafe { Buffer::at_address(start, size as usize, true) };
        buffer.write_from(&vec![value; size as usize]);
        Ok(())
    }

    /// A cache as launches see it: from its first element to its last, most of it between rows of others or not mapped.
    ///
    /// # Safety
    /// Launches touch elements of the cache in rows that were ensured, and nothing else does while they run.
    pub(crate) unsafe fn buffer<'a>(&'a self, param: &Param, layout: &CacheLayout) -> Buffer<'a> {
        let arena = &self.arenas[layout.arena as usize];
        // SAFETY: validation has checked that the elements lie in the arena; what is not mapped is not touched.
        unsafe { Buffer::at_address(arena.address() + layout.offset, span_bytes(param, layout), true) }
    }

    /// Lays a dense array out as a cache; every row must be mapped.
    pub(crate) fn import(&self, param: &Param, layout: &CacheLayout, dense: &[u8]) -> Result<(), CudaError> {
        let arena = &self.arenas[layout.arena as usize];
        if let Some(gpu) = &self.gpu {
            return each_rows(param, layout, None, &mut |at| {
                let from = &dense[at.dense as usize..];
                // SAFETY: every row is mapped.
                unsafe { gpu.stream().upload_rows_now(from, arena.address() + at.offset, at.rows) }
            });
        }
        each_run(param, layout, &mut |run| {
            let address = arena.address() + run.offset;
            // SAFETY: every row is mapped, and no step runs.
            let buffer = unsafe { Buffer::at_address(address, run.bytes, true) };
            buffer.write_from(&dense[run.dense..run.dense + run.bytes]);
        });
        Ok(())
    }

    /// Collects a cache into a dense array of zeros; rows that no step has reached, and those that were retired, stay zero.
    pub(crate) fn export(&self, param: &Param, layout: &CacheLayout, dense: &mut [u8]) -> Result<(), CudaError> {
        let _turn = self.take_turn();
        let arena = &self.arenas[layout.arena as usize];
        let slots = arena.slots().clone();
        if let Some(gpu) = &self.gpu {
            let tokens: Vec<Range<u64>> = slots.iter().map(|reached| reached.retired..reached.tokens).collect();
            return each_rows(param, layout, Some(&tokens), &mut |at| {
                let to = &mut dense[at.dense as usize..];
                // SAFETY: rows that were reached and not retired are mapped.
                unsafe { gpu.stream().download_rows_now(arena.address() + at.offset, to, at.rows) }
            });
        }
        each_run(param, layout, &mut |run| {
            let Reached { tokens, retired, .. } = slots[run.slot];
            if (retired..tokens).contains(&run.token) {
                let address = arena.address() + run.offset;
                // SAFETY: a row that was reached and not retired is mapped, and no step runs.
                let buffer = unsafe { Buffer::at_address(address, run.bytes, false) };
                buffer.read_into(&mut dense[run.dense..run.dense + run.bytes]);
            }
        });
        Ok(())
    }
}

/// Integers of any width; none if the type is of none.
pub(crate) fn integers(dtype: DType, bytes: &[u8]) -> Option<Vec<i64>> {
    let mut read = Vec::new();
    read_integers(dtype, bytes, &mut read).then_some(read)
}

/// The same into a list that is used again and again; false, and an empty list, if the type is of none.
pub(crate) fn read_integers(dtype: DType, bytes: &[u8], into: &mut Vec<i64>) -> bool {
    into.clear();
    let is_signed = match dtype.family() {
        Family::Signed => true,
        Family::Unsigned => false,
        _ => return false,
    };
    let value = |element: &[u8]| {
        let mut wide = [if is_signed && element.last().is_some_and(|top| top & 0x80 != 0) { 0xff } else { 0 }; 8];
        wide[..element.len()].copy_from_slice(element);
        if is_signed { i64::from_le_bytes(wide) } else { i64::try_from(u64::from_le_bytes(wide)).unwrap_or(i64::MAX) }
    };
    into.extend(bytes.chunks_exact(dtype.size_bytes()).map(value));
    true
}
