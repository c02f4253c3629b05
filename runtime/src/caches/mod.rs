//! Caches that grow: the arenas of an artifact in virtual memory, and what is in them.
//!
//! A cache that a caller hands in is laid out once and stays mapped whole; an empty one grows from nothing. Rows that no step has
//! reached read as zero.

mod rows;

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use pygraph_artifact::{
    dtype::{DType, Family},
    plan::{CacheLayout, Ensure, KvArena, Param, Plan},
};
use pygraph_kernels::memory::Buffer;

use self::rows::{each_rows, each_run, span_bytes};
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
    /// Fill what is mapped beyond the rows that are needed with bytes that are no numbers, so that reading them shows.
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
    /// Whoever reads or writes what is mapped holds it.
    turn: Mutex<()>,
}

#[derive(Debug)]
struct OneArena {
    plan: KvArena,
    memory: GrowingArena,
    /// Whether there is anything in it, if only nothing.
    has_content: AtomicBool,
    /// For each slot, how many tokens steps have reached.
    tokens: Mutex<Vec<u64>>,
}

impl OneArena {
    fn address(&self) -> u64 {
        self.memory.address()
    }

    /// Up to where a slot can be read.
    fn mapped_bytes(&self, slot: usize) -> u64 {
        self.memory.watermark(slot).load(Ordering::Acquire)
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
    /// Bytes that are mapped.
    pub mapped_bytes: u64,
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
            let tokens = Mutex::new(vec![0; slots]);
            Ok(OneArena { plan: arena.clone(), memory, has_content: AtomicBool::new(false), tokens })
        });
        Ok(Caches {
            arenas: arenas.collect::<Result<_, MemoryError>>()?,
            memory,
            gpu,
            patience,
            poison,
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

    /// Physical memory in use, and the most that was, in bytes.
    pub fn physical_bytes(&self) -> (u64, u64) {
        self.memory.as_ref().map_or((0, 0), |memory| {
            let counts = memory.counts();
            (counts.live * memory.handle_bytes(), counts.peak * memory.handle_bytes())
        })
    }

    /// Every slot of every arena.
    pub fn slots(&self) -> Vec<SlotState> {
        let of = |arena: &OneArena| {
            let tokens = arena.tokens.lock().expect("no holder should panic").clone();
            let slots = tokens.into_iter().enumerate().map(|(slot, tokens)| SlotState {
                arena: arena.plan.name.clone(),
                slot,
                tokens,
                mapped_bytes: arena.mapped_bytes(slot),
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
        let arena = &self.arenas[arena as usize];
        let mut tokens = arena.tokens.lock().expect("no holder should panic");
        for (slot, tokens) in tokens.iter_mut().enumerate() {
            arena.memory.retire(slot, 0)?;
            *tokens = 0;
        }
        arena.has_content.store(true, Ordering::Release);
        Ok(())
    }

    /// Says that the arena has been filled from outside.
    pub(crate) fn fill_in(&self, arena: u32) {
        self.arenas[arena as usize].has_content.store(true, Ordering::Release);
    }

    /// Says that what is in the arena is of no use.
    pub(crate) fn forget(&self, arena: u32) {
        self.arenas[arena as usize].has_content.store(false, Ordering::Release);
    }

    /// Maps what a step needs. Rows that are reached for the first time are zero.
    pub(crate) fn ensure(&self, ensure: &Ensure, positions: &[i64]) -> Result<(), MemoryError> {
        let arena = &self.arenas[ensure.arena as usize];
        self.reach(arena, &ensure.tokens(&arena.plan, positions), None)
    }

    /// The same in a loop on the device, which cannot map: it waits until the mapping thread has, for a bounded time.
    pub(crate) fn wait_for(&self, ensure: &Ensure, positions: &[i64]) -> Result<(), MemoryError> {
        let arena = &self.arenas[ensure.arena as usize];
        self.reach(arena, &ensure.tokens(&arena.plan, positions), self.patience)
    }

    /// Maps every row of every slot.
    pub(crate) fn ensure_all(&self, arena: u32) -> Result<(), MemoryError> {
        let arena = &self.arenas[arena as usize];
        self.reach(arena, &vec![arena.plan.tokens_max; arena.plan.slots as usize], None)
    }

    fn reach(&self, arena: &OneArena, tokens: &[u64], patience: Option<Duration>) -> Result<(), MemoryError> {
        let wanted: Vec<(usize, u64)> =
            tokens.iter().map(|tokens| tokens * arena.plan.token_bytes).enumerate().collect();
        let before: Vec<u64> = (0..tokens.len()).map(|slot| arena.mapped_bytes(slot)).collect();
        match patience {
            None => arena.memory.ensure_all(&wanted)?,
            Some(patience) => {
                wanted.iter().try_for_each(|(slot, bytes)| arena.memory.request(*slot, *bytes))?;
                wanted.iter().try_for_each(|(slot, bytes)| arena.memory.wait_for(*slot, *bytes, patience))?;
            }
        }
        let mut reached = arena.tokens.lock().expect("no holder should panic");
        for (slot, (old, new)) in reached.iter_mut().zip(tokens).enumerate() {
            if self.poison && *new > *old {
                let (row, mapped) = (arena.plan.token_bytes, arena.mapped_bytes(slot));
                self.fill(arena, slot, (*new * row).max(before[slot])..mapped, 0xff)?;
                self.fill(arena, slot, *old * row..(*new * row).min(before[slot]), 0)?;
            }
            *old = (*old).max(*new);
        }
        Ok(())
    }

    /// Sets bytes of a slot, all of which must be mapped.
    fn fill(&self, arena: &OneArena, slot: usize, bytes: std::ops::Range<u64>, value: u8) -> Result<(), MemoryError> {
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

    /// Collects a cache into a dense array of zeros; rows that no step has reached stay zero.
    pub(crate) fn export(&self, param: &Param, layout: &CacheLayout, dense: &mut [u8]) -> Result<(), CudaError> {
        let _turn = self.take_turn();
        let arena = &self.arenas[layout.arena as usize];
        let tokens = arena.tokens.lock().expect("no holder should panic").clone();
        if let Some(gpu) = &self.gpu {
            return each_rows(param, layout, Some(&tokens), &mut |at| {
                let to = &mut dense[at.dense as usize..];
                // SAFETY: rows that were reached are mapped.
                unsafe { gpu.stream().download_rows_now(arena.address() + at.offset, to, at.rows) }
            });
        }
        each_run(param, layout, &mut |run| {
            if run.token < tokens[run.slot] {
                let address = arena.address() + run.offset;
                // SAFETY: a row that was reached is mapped, and no step runs.
                let buffer = unsafe { Buffer::at_address(address, run.bytes, false) };
                buffer.read_into(&mut dense[run.dense..run.dense + run.bytes]);
            }
        });
        Ok(())
    }
}

/// Integers of any width; none if the type is of none.
pub(crate) fn integers(dtype: DType, bytes: &[u8]) -> Option<Vec<i64>> {
    let is_signed = match dtype.family() {
        Family::Signed => true,
        Family::Unsigned => false,
        _ => return None,
    };
    let value = |element: &[u8]| {
        let mut wide = [if is_signed && element.last().is_some_and(|top| top & 0x80 != 0) { 0xff } else { 0 }; 8];
        wide[..element.len()].copy_from_slice(element);
        if is_signed { i64::from_le_bytes(wide) } else { i64::try_from(u64::from_le_bytes(wide)).unwrap_or(i64::MAX) }
    };
    Some(bytes.chunks_exact(dtype.size_bytes()).map(value).collect())
}
