//! What the operation table says of one operation.

use super::Opcode;

/// Everything there is to know about one operation.
#[derive(Debug, Clone)]
pub struct OpDef {
    /// Which operation.
    pub opcode: Opcode,
    /// One line: what it computes.
    pub summary: &'static str,
    /// What it does beside computing its results.
    pub effect: Effect,
    /// Facts that passes ask for.
    pub traits: Traits,
}

/// What an operation does beside computing its results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: equal operands give equal results, and without a reader it can go.
    None,
    /// What the operations in its regions do.
    Regions,
    /// What the function does that it calls.
    Callee,
    /// Something, unless the attribute `has_side_effect` is false or missing.
    Declared,
    /// Something, if the ATen operator that it calls mutates, is random or is unknown.
    Operator,
    /// It checks, sends, draws random numbers, ends a block, or defines a symbol.
    Some,
}

/// Facts that passes ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traits {
    /// Swapping its two operands changes nothing.
    pub commutative: bool,
    /// Computes each element of its result from the elements of its operands at the same place.
    pub elementwise: bool,
    /// Ends a block.
    pub terminator: bool,
    /// Values from outside may not be used in its regions.
    pub isolated: bool,
    /// Is a symbol: has `sym_name`.
    pub symbol: bool,
}

impl OpDef {
    /// True if equal operands give equal results and nothing else happens, whatever the attributes and regions hold.
    /// [`super::effects::is_pure_op`] knows more of a given operation.
    pub fn is_pure(&self) -> bool {
        self.effect == Effect::None
    }

    /// True if swapping its two operands changes nothing.
    pub fn is_commutative(&self) -> bool {
        self.traits.commutative
    }

    /// True if it computes each element of its result from the elements of its operands at the same place.
    pub fn is_elementwise(&self) -> bool {
        self.traits.elementwise
    }

    /// True if it ends a block.
    pub fn is_terminator(&self) -> bool {
        self.traits.terminator
    }
}

/// The facts of one operation as the dialect files write them: a summary and what differs from the plainest case
/// (pure, no operands, no results, no attributes, no regions).
pub(super) fn op(summary: &'static str) -> Facts {
    Facts { summary, effect: Effect::None, traits: Traits::default() }
}

/// See [`op`].
#[derive(Debug, Clone)]
pub(super) struct Facts {
    summary: &'static str,
    effect: Effect,
    traits: Traits,
}

impl Facts {
    pub(super) fn effect(mut self, effect: Effect) -> Facts {
        self.effect = effect;
        self
    }

    pub(super) fn commutative(mut self) -> Facts {
        self.traits.commutative = true;
        self
    }

    pub(super) fn elementwise(mut self) -> Facts {
        self.traits.elementwise = true;
        self
    }

    pub(super) fn terminator(mut self) -> Facts {
        self.traits.terminator = true;
        self.effect = Effect::Some;
        self
    }

    pub(super) fn isolated(mut self) -> Facts {
        self.traits.isolated = true;
        self
    }

    pub(super) fn symbol(mut self) -> Facts {
        self.traits.symbol = true;
        self.effect = Effect::Some;
        self
    }

    pub(super) fn define(self, opcode: Opcode) -> OpDef {
        OpDef { opcode, summary: self.summary, effect: self.effect, traits: self.traits }
    }
}
