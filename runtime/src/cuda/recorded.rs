//! Segments that are ready to run: graphs, and lists that the host steps through.

use std::time::Duration;

use pygraph_artifact::{
    deployment::Deployment,
    device_code::{Argument, DeviceLaunch},
    plan::Segment,
};

use super::{
    addresses::Addresses,
    driver::{CudaError, GraphExec},
    gate::{Attendant, Gates, gated_list},
    libraries::{LibraryProduct, LibraryReport},
    lists::{CudaList, of_segments},
    measure::{LaunchProbe, Measuring},
    program::CudaProgram,
    streams::{Piece, StreamRun, count_graphs, pieces},
};
use crate::{
    caches::Caches,
    host::RunError,
    knobs::DebugLevel,
    session::{Resume, StepCounts},
};

/// A segment that is ready to run.
#[derive(Debug)]
pub(super) enum Recorded {
    Graph { exec: GraphExec, nodes: usize, gates: Option<Gates> },
    Pieces(Vec<Piece>),
}

/// What a run of a segment goes by.
pub(super) struct SegmentRun<'a> {
    pub(super) program: &'a CudaProgram,
    pub(super) addresses: &'a Addresses,
    pub(super) caches: Option<&'a Caches>,
    pub(super) debug: DebugLevel,
}

/// What segments are recorded from.
pub(super) struct Recording<'a> {
    pub(super) program: &'a CudaProgram,
    pub(super) addresses: &'a Addresses,
    /// What is measured decides about forms.
    pub(super) measuring: Option<&'a Measuring>,
    /// How long gates of loops wait, if somebody said so.
    pub(super) patience: Option<Duration>,
    pub(super) debug: DebugLevel,
}

impl Recording<'_> {
    /// Makes graphs of all segments that are to be graphs; says what libraries compute of them.
    ///
    /// # Safety
    /// The addresses are those of memory that is there as long as what is recorded.
    pub(super) unsafe fn record(&self) -> Result<(Vec<Recorded>, LibraryReport), CudaError> {
        let segments = &self.program.program().segments;
        let (gpu, device) = (self.program.gpu(), self.program.device());
        let resolve = |argument| self.addresses.resolve(self.program.program(), argument);
        let (products, report) = gpu.libraries().prepare(gpu, device, &resolve)?;
        self.debug.say(DebugLevel::DEVICES, || format!("`{}`: {report}", self.program.program().name));
        let parts = of_segments(segments, &device.launches).into_iter().zip(of_segments(segments, &products));
        // SAFETY: the caller's promise.
        let record = |(segment, (part, products))| unsafe { self.record_segment(segment, part, products) };
        Ok((segments.iter().zip(parts).map(record).collect::<Result<_, _>>()?, report))
    }

    unsafe fn record_segment(
        &self,
        segment: &Segment,
        part: &[DeviceLaunch],
        products: &[Option<LibraryProduct>],
    ) -> Result<Recorded, CudaError> {
        let resolve = |argument| self.addresses.resolve(self.program.program(), argument);
        let form = self.measuring.map_or(segment.deploy, |measuring| measuring.form_of(segment));
        if matches!(form, Deployment::Stream | Deployment::HostLoop) {
            let list = CudaList::stepped(&segment.nodes, part, products, &resolve);
            // SAFETY: the caller's promise.
            let pieces = unsafe { pieces(self.program, list.nodes, form == Deployment::HostLoop) }?;
            let (graphs, nodes) = count_graphs(&pieces);
            self.debug.say(DebugLevel::LAUNCHES, || {
                format!("segment `{}`: {graphs} graphs of {nodes} nodes, which the host steps through", segment.name)
            });
            return Ok(Recorded::Pieces(pieces));
        }
        let (list, gates) = match gated_list(self.program, segment, part, products, self.patience, &resolve)? {
            Some((list, gates)) => (list, Some(gates)),
            None => (CudaList::new(&segment.nodes, part, products, &resolve), None),
        };
        // SAFETY: the caller's promise.
        let exec = unsafe { self.program.instantiate(&list) }?;
        let nodes = list.count();
        self.debug.say(DebugLevel::LAUNCHES, || format!("segment `{}`: a graph of {nodes} nodes", segment.name));
        Ok(Recorded::Graph { exec, nodes, gates })
    }
}

impl Recorded {
    /// Runs it, or gives it to the GPU; a probe times its kernels. One with a loop that was stopped goes on from there.
    ///
    /// # Safety
    /// As for [`Recording::record`], and what parameter blocks point to is there until the step has ended.
    pub(super) unsafe fn run(
        &mut self,
        run: &SegmentRun<'_>,
        from: Option<Resume>,
        probe: Option<&mut LaunchProbe>,
    ) -> Result<(), RunError> {
        let SegmentRun { program, addresses, caches, debug } = *run;
        match (self, caches) {
            (Recorded::Graph { exec, gates: Some(gates), .. }, Some(caches)) => {
                let by = Attendant { program, caches, debug };
                match from {
                    // SAFETY: the caller's promise.
                    None => unsafe { gates.run(exec, &by) },
                    // SAFETY: as above.
                    Some(from) => unsafe { gates.resume(from, &by) },
                }
            }
            (Recorded::Graph { exec, .. }, _) => Ok(exec.launch(program.gpu().stream())?),
            (Recorded::Pieces(pieces), caches) => {
                let address_of = |id| addresses.resolve(program.program(), Argument::Buffer(id));
                let mut run = StreamRun { program, caches, address_of: &address_of, probe };
                // SAFETY: the caller's promise.
                unsafe { run.run(pieces) }
            }
        }
    }

    /// Adds what it gives to the GPU.
    pub(super) fn count(&self, counts: &mut StepCounts) {
        let (graphs, nodes) = match self {
            Recorded::Graph { nodes, .. } => (1, *nodes),
            Recorded::Pieces(pieces) => count_graphs(pieces),
        };
        counts.graphs += graphs;
        counts.nodes += nodes;
        counts.streams += usize::from(graphs == 0);
    }
}
