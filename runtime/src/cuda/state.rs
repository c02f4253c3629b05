//! What a session has of its own on a GPU, from its program.

use pygraph_artifact::{
    deployment::Deployment,
    plan::{Bind, Node, Program, Segment, Step},
};

use super::{addresses::Reach, lists::GatedLoop, program::CudaProgram, tensor::DeviceTensor};
use crate::{
    caches::Caches,
    tensor::{Array, TensorError},
};

/// Arrays for what the session writes, and where each argument lies that kernels are given by a fixed address.
#[allow(clippy::type_complexity, reason = "both are one a parameter")]
pub(super) fn place_params(
    program: &CudaProgram,
    reaches: &[Reach],
    weights: &[Option<Array>],
    caches: Option<&Caches>,
) -> Result<(Vec<Option<DeviceTensor>>, Vec<u64>), TensorError> {
    let mut own = Vec::new();
    let mut addresses = Vec::new();
    for ((param, reach), weight) in program.program().params.iter().zip(reaches).zip(weights) {
        let is_weight = param.bind == Bind::Once && param.updated_by.is_none();
        let (array, address) = match (reach, weight) {
            (Reach::Fixed, Some(Array::Device(tensor))) if is_weight => (None, tensor.address()),
            (Reach::Fixed, _) if is_weight => (None, 0),
            (Reach::Fixed, _) => {
                let tensor = DeviceTensor::new(program.gpu(), "state", param.dtype, &param.shape)?;
                let address = tensor.address();
                (Some(tensor), address)
            }
            (Reach::Cache, _) => {
                let address = param.cache.as_ref().zip(caches).map(|(layout, caches)| caches.cache_address(layout));
                (None, address.unwrap_or(0))
            }
            (Reach::ByValue | Reach::ByAddress, _) => (None, 0),
        };
        own.push(array);
        addresses.push(address);
    }
    Ok((own, addresses))
}

/// The arenas that are grown inside of graphs.
pub(super) fn ensured_in_graphs(program: &Program) -> Vec<u32> {
    ensured(program, |_| true)
}

/// Those of them that are grown by loops which cannot wait for rows.
pub(super) fn ensured_whole(program: &Program) -> Vec<u32> {
    ensured(program, |is_gated| !is_gated)
}

/// The arenas that are grown by steps of graphs, all of those or only those that have gates or not.
fn ensured(program: &Program, counts: impl Fn(bool) -> bool) -> Vec<u32> {
    fn look(nodes: &[Node], arenas: &mut Vec<u32>) {
        for node in nodes {
            if let Step::Ensure(ensure) = &node.step {
                arenas.push(ensure.arena);
            }
            node.step.inside().into_iter().for_each(|nodes| look(nodes, arenas));
        }
    }
    let mut arenas = Vec::new();
    // Elsewhere the host maps rows between kernels.
    let is_graph = |segment: &&Segment| !matches!(segment.deploy, Deployment::Stream | Deployment::HostLoop);
    for segment in program.segments.iter().filter(is_graph) {
        let gated = GatedLoop::find(&segment.nodes).map(|gated| gated.node);
        let nodes = segment.nodes.iter().enumerate().filter(|(number, _)| counts(Some(*number) == gated));
        for (_, node) in nodes {
            look(std::slice::from_ref(node), &mut arenas);
        }
    }
    arenas.sort_unstable();
    arenas.dedup();
    arenas
}
