//! What became of a program's state: arenas of caches, how they grow, and what is no cache.

use pygraph_artifact::plan::Bind;

use super::{Decided, bytes_of, number, symbol};
use crate::{
    diagnostic::DecisionKind,
    ir::{Attribute, Module, OpId, Opcode},
    passes::{
        find_caches::subject,
        signature::{dictionaries, text},
    },
};

/// Arenas, and state that lies in none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kv {
    /// Arenas in which arguments lie, in order of the text.
    pub arenas: Vec<Arena>,
    /// State that was not recognised as a cache.
    pub refusals: Vec<Refused>,
}

/// Reserved addresses `[slot][token][layer][k|v][head][feature]`, and what lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arena {
    /// Its symbol.
    pub name: String,
    /// Rows of the batch.
    pub slots: u64,
    /// Tokens that a slot holds at most.
    pub tokens_max: u64,
    /// Layers.
    pub layers: u64,
    /// Bytes of a token of all layers.
    pub token_bytes: u64,
    /// Bytes that are mapped at a time.
    pub handle_bytes: u64,
    /// Features of a head, for each role.
    pub features: Vec<i64>,
    /// True if rows beyond the position are read by nobody, and need not be mapped.
    pub is_bounded: bool,
    /// Rows up to the position that stay mapped, where that is fewer than all.
    pub window: Option<u64>,
    /// What lies in it.
    pub arguments: Vec<Place>,
}

/// An argument in an arena.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its name.
    pub argument: String,
    /// Which layer, or the first of those that it holds.
    pub layer: u64,
    /// `k` or `v`.
    pub role: String,
    /// Its bytes as the program has it.
    pub bytes: u64,
}

/// State that is no cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its name.
    pub argument: String,
    /// Its bytes.
    pub bytes: u64,
    /// Where that shows, and why.
    pub decided: Decided,
}

/// How much is mapped when every slot holds that many tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// Tokens in every slot.
    pub tokens: u64,
    /// Bytes mapped, in whole handles.
    pub mapped_bytes: u64,
}

/// Edges of handles that a curve lists at most; of more, as many at even distances.
const EDGES_MAX: u64 = 64;

impl Arena {
    /// Bytes of addresses: every slot begins with a handle of its own.
    pub fn reservation_bytes(&self) -> u64 {
        self.slots.saturating_mul(self.handles(self.tokens_max)).saturating_mul(self.handle_bytes)
    }

    /// Handles that the first tokens of a slot touch.
    fn handles(&self, tokens: u64) -> u64 {
        tokens.saturating_mul(self.token_bytes).div_ceil(self.handle_bytes.max(1))
    }

    /// Bytes that are mapped when every slot holds that many tokens, the last of which came alone: whole handles, of the window only if there is
    /// one.
    pub fn mapped_bytes(&self, tokens: u64) -> u64 {
        if !self.is_bounded {
            return self.reservation_bytes();
        }
        let hidden = self.window.map_or(0, |window| tokens.saturating_sub(window));
        let retired = hidden.saturating_mul(self.token_bytes) / self.handle_bytes.max(1);
        self.slots.saturating_mul(self.handles(tokens) - retired).saturating_mul(self.handle_bytes)
    }

    /// What is mapped at every length at which that changes, or at a sample of them.
    pub fn growth(&self) -> Vec<Growth> {
        let mut lengths = vec![0, self.tokens_max];
        if self.is_bounded {
            let count = self.handles(self.tokens_max);
            let token_bytes = self.token_bytes.max(1);
            let edges = (0..count).step_by(count.div_ceil(EDGES_MAX).max(1) as usize);
            for edge in edges.map(|handle| handle.saturating_mul(self.handle_bytes)) {
                lengths.push(edge / token_bytes + 1);
                lengths.extend(self.window.map(|window| edge.div_ceil(token_bytes).saturating_add(window)));
            }
        }
        lengths.retain(|tokens| *tokens <= self.tokens_max);
        lengths.sort_unstable();
        lengths.dedup();
        lengths.into_iter().map(|tokens| Growth { tokens, mapped_bytes: self.mapped_bytes(tokens) }).collect()
    }
}

/// Reads what a function's arguments say of arenas, and what was decided about the others.
pub fn gather(module: &Module, function: OpId, decisions: &[Decided]) -> Kv {
    let Some(block) = module.region_block(function, 0) else { return Kv::default() };
    let arguments = &module.block(block).arguments;
    let mut kv = Kv::default();
    for (index, (value, attrs)) in
        arguments.iter().zip(dictionaries(module, function, "arg_attrs", arguments.len())).enumerate()
    {
        let argument = text(&attrs, "pyg.name").map_or(format!("arg{index}"), |name| name.to_string());
        let bytes = bytes_of(module, *value);
        if let Some(Attribute::Dictionary(place)) = attrs.get("pyg.kv") {
            let Some(Attribute::Symbol(path)) = place.get("arena") else { continue };
            let op = path.first().and_then(|name| module.symbol(name));
            let Some(op) = op.filter(|op| module.op(*op).opcode == Opcode::PygKvArena) else { continue };
            let layer = place.get("layer").and_then(Attribute::as_i64);
            let layer = layer.and_then(|layer| u64::try_from(layer).ok()).unwrap_or(0);
            let role = place.get("role").and_then(Attribute::as_str).unwrap_or_default().to_string();
            let place = Place { argument, layer, role, bytes };
            match kv.arenas.iter_mut().find(|arena| arena.name == symbol(module, op)) {
                Some(arena) => arena.arguments.push(place),
                None => kv.arenas.push(Arena { arguments: vec![place], ..arena(module, op) }),
            }
        } else if text(&attrs, "pyg.bind").as_deref() == Some(Bind::State.name()) {
            let wanted = subject(&argument, symbol(module, function));
            let decided = decisions.iter().find(|of| of.kind == DecisionKind::Refusal && of.op == wanted);
            kv.refusals.extend(decided.map(|decided| Refused { argument, bytes, decided: decided.clone() }));
        }
    }
    for arena in &mut kv.arenas {
        arena.arguments.sort_by(|a, b| (a.layer, &a.role).cmp(&(b.layer, &b.role)));
    }
    kv
}

fn arena(module: &Module, op: OpId) -> Arena {
    let attr = |name| module.op(op).attr(name);
    Arena {
        name: symbol(module, op).to_string(),
        slots: number(module, op, "slots"),
        tokens_max: number(module, op, "tokens_max"),
        layers: number(module, op, "layers"),
        token_bytes: number(module, op, "token_bytes"),
        handle_bytes: number(module, op, "handle_bytes"),
        features: attr("features").and_then(Attribute::as_i64_slice).unwrap_or_default().to_vec(),
        is_bounded: matches!(attr("bounded"), Some(Attribute::Bool(true))),
        window: attr("window").and_then(Attribute::as_i64).and_then(|window| u64::try_from(window).ok()),
        arguments: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Arena, EDGES_MAX};

    /// Two slots of 16 tokens of 100 bytes, in handles of 400.
    fn arena(is_bounded: bool, window: Option<u64>) -> Arena {
        Arena {
            name: "kv".to_string(),
            slots: 2,
            tokens_max: 16,
            layers: 1,
            token_bytes: 100,
            handle_bytes: 400,
            features: vec![4],
            is_bounded,
            window,
            arguments: Vec::new(),
        }
    }

    fn check(arena: &Arena, wanted: &[(u64, u64)]) {
        let found: Vec<(u64, u64)> = arena.growth().iter().map(|at| (at.tokens, at.mapped_bytes)).collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_bounded_arena_grows_by_a_handle_a_slot() {
        check(&arena(true, None), &[(0, 0), (1, 800), (5, 1600), (9, 2400), (13, 3200), (16, 3200)]);
    }

    #[test]
    fn an_arena_without_a_bound_is_mapped_in_full() {
        check(&arena(false, None), &[(0, 3200), (16, 3200)]);
    }

    #[test]
    fn a_window_lets_handles_go() {
        let grown = arena(true, Some(4)).growth();
        let mapped = |tokens| grown.iter().find(|at| at.tokens == tokens).map(|at| at.mapped_bytes);
        assert_eq!([mapped(5), mapped(8), mapped(9), mapped(16)], [Some(1600), Some(800), Some(1600), Some(800)]);
    }

    #[test]
    fn many_edges_are_a_sample() {
        let arena = Arena { tokens_max: 1 << 40, ..arena(true, None) };
        assert!(arena.growth().len() as u64 <= EDGES_MAX + 2);
    }
}
