//! Rows for a loop on a GPU while it runs: what it finds mapped, what it is granted, and how far it got.

use super::{CacheError, Caches, OneArena, Reached};
use crate::memory::MemoryError;

impl Caches {
    /// Maps the first rows of a slot.
    pub(crate) fn ensure_slot(&self, arena: u32, slot: usize, rows: u64) -> Result<(), MemoryError> {
        let arena = &self.arenas[arena as usize];
        self.map(arena, &[(slot, rows * arena.plan.token_bytes)])?;
        self.note_reached_in(arena, slot, rows);
        Ok(())
    }

    /// That no row of an arena is gone, for a loop on a GPU: nobody knows its positions before.
    pub(crate) fn check_whole(&self, arena: u32) -> Result<(), CacheError> {
        let arena = &self.arenas[arena as usize];
        arena.check_kept(|_| 0..arena.plan.tokens_max)
    }

    /// How many rows of each slot a loop on a GPU finds mapped, and zero where nobody has written. They stay so until the loop has ended.
    pub(crate) fn lend(&self, arena: u32) -> Result<Vec<u64>, MemoryError> {
        let arena = &self.arenas[arena as usize];
        let reached = arena.slots().clone();
        for (slot, Reached { tokens, .. }) in reached.iter().enumerate().filter(|_| self.poison) {
            // Whoever maps for the loop does not follow its positions.
            self.fill(arena, slot, tokens * arena.plan.token_bytes..arena.mapped_end(slot), 0)?;
        }
        Ok(reached.into_iter().map(|reached| reached.tokens).collect())
    }

    /// Asks the mapping thread for the first rows of a slot, and to go on by a handle. Says how many rows are there once these are.
    pub(crate) fn grant(&self, arena: u32, slot: usize, rows: u64) -> Result<Option<u64>, MemoryError> {
        let arena = &self.arenas[arena as usize];
        let (bytes, handle_bytes) = (rows * arena.plan.token_bytes, arena.plan.handle_bytes);
        arena.memory.request(slot, bytes)?;
        if arena.mapped_end(slot) < bytes {
            return Ok(None);
        }
        arena.memory.expect(slot, bytes.saturating_add(handle_bytes).min(arena.memory.slot_bytes()))?;
        Ok(Some(arena.asked_with(rows)))
    }

    /// Says that a step has reached the first rows of a slot, all of which are mapped.
    pub(crate) fn note_reached(&self, arena: u32, slot: usize, rows: u64) {
        self.note_reached_in(&self.arenas[arena as usize], slot, rows);
    }

    fn note_reached_in(&self, arena: &OneArena, slot: usize, rows: u64) {
        let reached = &mut arena.slots()[slot];
        reached.tokens = reached.tokens.max(rows);
    }
}
