//! What a session has of its own on a GPU, from its program.

use std::collections::BTreeSet;

use pygraph_artifact::{
    deployment::Deployment,
    plan::{Bind, Program, Segment, Step},
};

use super::{
    addresses::Reach,
    lists::{GatedLoop, Ungated},
    program::CudaProgram,
    tensor::DeviceTensor,
};
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
    ascending(graphs(program).flat_map(|segment| &segment.nodes).flat_map(|node| ensured(&node.step)))
}

/// Those of them that are grown by something which cannot wait for rows, and why it cannot.
pub(super) fn ensured_whole(program: &Program) -> Vec<(u32, Ungated)> {
    let of_segment = |segment: &Segment| {
        let ungated = GatedLoop::of_segment(&segment.nodes).1.into_iter();
        let arenas = |(node, why): (usize, Ungated)| {
            ensured(&segment.nodes[node].step).into_iter().map(move |arena| (arena, why))
        };
        ungated.flat_map(arenas).collect::<Vec<_>>()
    };
    ascending(graphs(program).flat_map(of_segment))
}

/// The segments that are graphs. In others the host maps rows between kernels.
fn graphs(program: &Program) -> impl Iterator<Item = &Segment> {
    program.segments.iter().filter(|segment| !matches!(segment.deploy, Deployment::Stream | Deployment::HostLoop))
}

/// The arenas of which a step ensures rows, itself or inside. Recurses as deep as steps nest, which validation limits.
fn ensured(step: &Step) -> Vec<u32> {
    match step {
        Step::Ensure(rows) => vec![rows.arena],
        step => step.inside().into_iter().flatten().flat_map(|node| ensured(&node.step)).collect(),
    }
}

fn ascending<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.collect::<BTreeSet<T>>().into_iter().collect()
}
