//! What the operation table says of one operation.

use super::{
    Opcode,
    constraint::{AttrKind, TypeConstraint},
    view::View,
};
use crate::ir::Type;

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
    /// Values read, in order.
    pub operands: Vec<ValueDef>,
    /// Values defined, in order.
    pub results: Vec<ValueDef>,
    /// Attributes; those with a dialect's prefix (`mhlo.sharding`) are allowed everywhere beside them.
    pub attributes: Vec<AttrDef>,
    /// Nested regions.
    pub regions: Vec<RegionDef>,
    /// The types of its results, where operands, attributes and regions determine them; an error says what does not
    /// fit. The verifier compares: a dimension that is not known on one side fits any on the other within its bounds.
    pub infer: Option<Infer>,
    /// What its operands, attributes, regions and results must fulfil beyond all this.
    pub check: Option<Check>,
}

/// See [`OpDef::infer`].
pub type Infer = fn(&View) -> Result<Vec<Type>, String>;
/// See [`OpDef::check`].
pub type Check = fn(&View) -> Result<(), String>;

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
    /// Nothing, unless it is a kernel that checks: one that gives no result.
    Launch,
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
    /// The blocks of its regions need no terminator.
    pub no_terminator: bool,
}

/// An operand or result, or a group of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueDef {
    /// Name in messages and docs.
    pub name: &'static str,
    /// What its type must be.
    pub ty: TypeConstraint,
    /// How many values go by this name. All groups of [`Count::Any`] and [`Count::Some`] of an operation have one size, unless
    /// `operandSegmentSizes` says another of each.
    pub count: Count,
}

/// How many of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// One.
    One,
    /// None or one; only the last of an operation's operands.
    Optional,
    /// Any number.
    Any,
    /// At least one.
    Some,
}

/// An attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttrDef {
    /// Name.
    pub name: &'static str,
    /// What its value must be.
    pub kind: AttrKind,
    /// Whether it may be missing.
    pub presence: Presence,
}

/// Whether an attribute may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It may not.
    Required,
    /// It may; what that means is the operation's.
    Optional,
    /// It may, and means that.
    Default(&'static str),
}

/// A region, or a group of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegionDef {
    /// Name in messages and docs.
    pub name: &'static str,
    /// How many regions go by this name. A group other than [`Count::One`] is the last.
    pub count: Count,
    /// The terminator of its block; none where the block has none.
    pub terminator: Option<Opcode>,
    /// True if it may have no block (a declaration).
    pub may_be_empty: bool,
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

    /// True if an operation of this kind may have regions.
    pub fn has_regions(&self) -> bool {
        !self.regions.is_empty()
    }

    /// The attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<&AttrDef> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// The facts of one operation as the dialect files write them: a summary and what differs from the plainest case
/// (pure, no operands, no results, no attributes, no regions).
pub(super) fn op(summary: &'static str) -> Facts {
    Facts(OpDef {
        opcode: Opcode::BuiltinModule,
        summary,
        effect: Effect::None,
        traits: Traits::default(),
        operands: Vec::new(),
        results: Vec::new(),
        attributes: Vec::new(),
        regions: Vec::new(),
        infer: None,
        check: None,
    })
}

/// See [`op`].
#[derive(Debug, Clone)]
pub(super) struct Facts(OpDef);

impl Facts {
    pub(super) fn effect(mut self, effect: Effect) -> Facts {
        self.0.effect = effect;
        self
    }

    pub(super) fn commutative(mut self) -> Facts {
        self.0.traits.commutative = true;
        self
    }

    pub(super) fn elementwise(mut self) -> Facts {
        self.0.traits.elementwise = true;
        self
    }

    pub(super) fn terminator(mut self) -> Facts {
        self.0.traits.terminator = true;
        self.0.effect = Effect::Some;
        self
    }

    pub(super) fn isolated(mut self) -> Facts {
        self.0.traits.isolated = true;
        self
    }

    pub(super) fn symbol(mut self) -> Facts {
        self.0.traits.symbol = true;
        self.0.effect = Effect::Some;
        self.attr("sym_name", AttrKind::String).optional("sym_visibility", AttrKind::String)
    }

    /// One operand.
    pub(super) fn operand(self, name: &'static str, ty: TypeConstraint) -> Facts {
        self.operands(name, ty, Count::One)
    }

    /// A group of operands.
    pub(super) fn operands(mut self, name: &'static str, ty: TypeConstraint, count: Count) -> Facts {
        self.0.operands.push(ValueDef { name, ty, count });
        self
    }

    /// One result.
    pub(super) fn result(self, ty: TypeConstraint) -> Facts {
        self.results("result", ty, Count::One)
    }

    /// One result with a name, or a group of them.
    pub(super) fn results(mut self, name: &'static str, ty: TypeConstraint, count: Count) -> Facts {
        self.0.results.push(ValueDef { name, ty, count });
        self
    }

    /// A required attribute.
    pub(super) fn attr(self, name: &'static str, kind: AttrKind) -> Facts {
        self.attribute(name, kind, Presence::Required)
    }

    /// An attribute that may be missing.
    pub(super) fn optional(self, name: &'static str, kind: AttrKind) -> Facts {
        self.attribute(name, kind, Presence::Optional)
    }

    /// An attribute that may be missing and then means `default`.
    pub(super) fn default(self, name: &'static str, kind: AttrKind, default: &'static str) -> Facts {
        self.attribute(name, kind, Presence::Default(default))
    }

    fn attribute(mut self, name: &'static str, kind: AttrKind, presence: Presence) -> Facts {
        self.0.attributes.push(AttrDef { name, kind, presence });
        self
    }

    /// One region of one block.
    pub(super) fn region(self, name: &'static str, terminator: Opcode) -> Facts {
        self.regions(name, terminator, Count::One)
    }

    /// A group of regions of one block each.
    pub(super) fn regions(mut self, name: &'static str, terminator: Opcode, count: Count) -> Facts {
        self.0.regions.push(RegionDef { name, count, terminator: Some(terminator), may_be_empty: false });
        self
    }

    /// One region that may lack its block.
    pub(super) fn region_or_declaration(mut self, name: &'static str, terminator: Opcode) -> Facts {
        let terminator = Some(terminator);
        self.0.regions.push(RegionDef { name, count: Count::One, terminator, may_be_empty: true });
        self
    }

    /// One region whose block needs no terminator.
    pub(super) fn open_region(mut self, name: &'static str) -> Facts {
        self.0.traits.no_terminator = true;
        self.0.regions.push(RegionDef { name, count: Count::One, terminator: None, may_be_empty: false });
        self
    }

    /// See [`OpDef::infer`].
    pub(super) fn infer(mut self, infer: Infer) -> Facts {
        self.0.infer = Some(infer);
        self
    }

    /// See [`OpDef::check`].
    pub(super) fn check(mut self, check: Check) -> Facts {
        self.0.check = Some(check);
        self
    }

    pub(super) fn define(self, opcode: Opcode) -> OpDef {
        OpDef { opcode, ..self.0 }
    }
}
