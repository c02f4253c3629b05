//! `sdy`: shardings, kept and shown.

use super::{
    def::{Effect, Facts, op},
    names::Sdy::{self, *},
};

pub(super) fn facts(name: Sdy) -> Facts {
    match name {
        SdyMesh => op("a named mesh of devices").symbol(),
        SdyReturn => op("ends sdy.manual_computation and gives its values").terminator(),
        SdyShardingConstraint => op("operand with a required sharding"),
        SdyManualComputation => op("a region on one shard").effect(Effect::Regions),
    }
}
