//! The default pipeline: named phases, each a short list, each step with the reason it stands where it stands.

use super::{
    PassDef, Phase, assign_bindings, canonicalize, choose_deployment, decompose_compound_ops, decompose_fx,
    drop_dead_ops, eliminate_common_subexpressions, find_caches, fold_constants, form_segments, fuse_launches,
    inline_calls, keep_excess_precision, legalize_custom_calls, legalize_shape_ops, lower_to_launches, make_graphable,
    place_caches, plan_memory, recognize_attention, simplify, thread_random_state, widen_minifloats, write_blocks,
};

/// One pass in the pipeline.
#[derive(Debug)]
pub struct Step {
    /// The pass; its phase is the step's.
    pub pass: &'static PassDef,
    /// Why it stands here.
    pub why: &'static str,
}

/// Everything, in order.
pub static DEFAULT: &[Step] = &[
    Step { pass: &decompose_fx::PASS, why: "everything after it sees StableHLO alone, and mutations as results" },
    Step { pass: &legalize_shape_ops::PASS, why: "what follows takes static shapes from types" },
    Step { pass: &decompose_compound_ops::PASS, why: "composites become calls, which are inlined next" },
    Step { pass: &legalize_custom_calls::PASS, why: "what a call says of place stays on operations" },
    Step { pass: &assign_bindings::PASS, why: "mutations are results now, and arguments are final" },
    Step { pass: &inline_calls::PASS, why: "everything after it sees whole programs and no calls" },
    Step { pass: &make_graphable::PASS, why: "operations still say the device that the user gave them" },
    Step { pass: &thread_random_state::PASS, why: "no call hides what draws, and nothing is merged or dropped yet" },
    Step {
        pass: &keep_excess_precision::PASS,
        why: "a rounding and the widening that undoes it stood in two functions",
    },
    Step { pass: &canonicalize::PASS, why: "equal operations look equal, and known branches are gone" },
    Step { pass: &eliminate_common_subexpressions::PASS, why: "nothing later looks at one computation twice" },
    Step { pass: &fold_constants::PASS, why: "what is known is a constant that rules can see" },
    Step { pass: &simplify::PASS, why: "its windows hold only what is left" },
    Step { pass: &recognize_attention::PASS, why: "constants and masks have one spelling, and nothing is fused yet" },
    Step { pass: &drop_dead_ops::PASS, why: "nothing later pays for what nobody reads" },
    Step { pass: &find_caches::PASS, why: "every reader of a cache is known, and attention is one of them" },
    Step { pass: &widen_minifloats::PASS, why: "scalars compute on no float of eight bits" },
    Step { pass: &lower_to_launches::PASS, why: "the plan is made of launches" },
    Step { pass: &fuse_launches::PASS, why: "all launches are known, and none has a place yet" },
    Step { pass: &form_segments::PASS, why: "all launches that can be one graph are known" },
    Step { pass: &plan_memory::PASS, why: "the order of launches is final, so lifetimes are" },
    Step { pass: &place_caches::PASS, why: "which state is updated where it lies is known" },
    Step { pass: &write_blocks::PASS, why: "which results lie where their callers want them is known" },
    Step { pass: &choose_deployment::PASS, why: "copies that memory asked for are launches too" },
];

/// The default pipeline up to and including a phase.
pub fn default_passes(last: Phase) -> Vec<&'static PassDef> {
    DEFAULT.iter().map(|step| step.pass).filter(|pass| pass.phase <= last).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_follow_one_another() {
        assert!(DEFAULT.windows(2).all(|pair| pair[0].pass.phase <= pair[1].pass.phase));
    }
}
