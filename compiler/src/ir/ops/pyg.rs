//! `pyg`: launches and plans.

use super::{
    def::{Effect, Facts, op},
    names::Pyg::{self, *},
};

pub(super) fn facts(name: Pyg) -> Facts {
    match name {
        PygEmpty => op("a tensor whose elements nobody has set"),
        PygNest => op("a launch: a loop nest with a scalar body").effect(Effect::Regions),
        PygKernel => op("a launch of a named kernel").effect(Effect::Some),
        PygView => op("the same bytes in another shape, or another type of equal width"),
        PygConstant => op("a constant of the artifact"),
        PygWhile => op("a region repeated while another gives true").effect(Effect::Regions),
        PygSwitch => op("one of several regions, by an index; out of range is the last").effect(Effect::Regions),
        PygSegment => op("launches between two points where the host takes part").effect(Effect::Some),
        PygYield => op("ends a region and gives its values").terminator(),
        PygReturn => op("ends a program and gives its results").terminator(),
    }
}
