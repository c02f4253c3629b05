//! Lists that are run on the stream, one kernel after the other, with what the host does between: it reads what decides about loops and choices,
//! and maps rows of caches.

use pygraph_artifact::plan::{PositionSource, SlotRows};

use super::{
    driver::CudaError,
    libraries::LibraryProduct,
    lists::{CudaNode, NodeWork},
    measure::LaunchProbe,
    program::CudaProgram,
};
use crate::{
    caches::{CacheError, Caches, integers},
    host::RunError,
};

/// One run of a list.
pub(super) struct StreamRun<'a> {
    pub(super) program: &'a CudaProgram,
    pub(super) caches: Option<&'a Caches>,
    /// Where a buffer's bytes lie.
    pub(super) address_of: &'a dyn Fn(pygraph_artifact::plan::BufferId) -> u64,
    /// Times each kernel.
    pub(super) probe: Option<&'a mut LaunchProbe>,
}

impl StreamRun<'_> {
    /// Runs it. Recurses as deep as steps nest, which validation limits.
    ///
    /// # Safety
    /// As for [`CudaProgram::instantiate`], while this runs and until the stream is done.
    pub(super) unsafe fn run(&mut self, list: &[CudaNode]) -> Result<(), RunError> {
        for node in list {
            match &node.work {
                NodeWork::Call { launch, kernel, grid, addresses } => {
                    let stream = self.program.gpu().stream();
                    if let Some(probe) = &mut self.probe {
                        probe.before(stream, *launch)?;
                    }
                    // SAFETY: the caller's promise.
                    unsafe { self.program.kernel(*kernel).launch(stream, *grid, addresses) }?;
                    if let Some(probe) = &mut self.probe {
                        probe.behind(stream)?;
                    }
                }
                NodeWork::Product { launch, product: LibraryProduct { prepared, addresses } } => {
                    let stream = self.program.gpu().stream();
                    if let Some(probe) = &mut self.probe {
                        probe.before(stream, *launch)?;
                    }
                    // SAFETY: the caller's promise: the addresses are those of matrices as large as a checked offer says.
                    unsafe { prepared.matrices.enqueue(&prepared.algorithm, *addresses, stream) }?;
                    if let Some(probe) = &mut self.probe {
                        probe.behind(stream)?;
                    }
                }
                NodeWork::SetWhile { .. } | NodeWork::SetSwitch { .. } => {}
                NodeWork::SetGatedWhile { .. } | NodeWork::Gate { .. } => {
                    unreachable!("a list that is run kernel by kernel should have no gates")
                }
                NodeWork::Ensure { rows } => {
                    let positions = self.positions(rows)?;
                    self.caches().ensure(rows, &positions)?;
                }
                NodeWork::Retire { rows } => {
                    let positions = self.positions(rows)?;
                    self.caches().retire(rows, &positions).map_err(CacheError::Memory)?;
                }
                NodeWork::While { predicate, body, .. } => loop {
                    // A predicate is an `i1` in memory of the session.
                    if self.read(*predicate, 1)? == [0] {
                        break;
                    }
                    // SAFETY: the caller's promise.
                    unsafe { self.run(body) }?;
                },
                NodeWork::Switch { index, branches, .. } => {
                    let last = branches.len() - 1;
                    // An index is an `i32` in memory of the session.
                    let index =
                        integers(pygraph_artifact::dtype::DType::I32, &self.read(*index, 4)?).unwrap_or_default();
                    let branch = usize::try_from(index[0]).map_or(last, |index| index.min(last));
                    // SAFETY: the caller's promise.
                    unsafe { self.run(&branches[branch]) }?;
                }
            }
        }
        Ok(())
    }

    fn caches(&self) -> &Caches {
        self.caches.expect("a program with arenas should have them")
    }

    /// The positions that rows go by, as launches have computed them.
    fn positions(&mut self, rows: &SlotRows) -> Result<Vec<i64>, CudaError> {
        let Some(PositionSource::Buffer(id)) = rows.source else { return Ok(Vec::new()) };
        let buffer = &self.program.program().buffers[id.0 as usize];
        let elements: u64 = buffer.shape.iter().product();
        let bytes = self.read((self.address_of)(id), elements as usize * buffer.dtype.size_bytes())?;
        Ok(integers(buffer.dtype, &bytes).unwrap_or_default())
    }

    /// Waits for what was given to the stream, and reads bytes.
    fn read(&mut self, address: u64, bytes: usize) -> Result<Vec<u8>, CudaError> {
        if let Some(probe) = &mut self.probe {
            probe.flush()?;
        }
        let mut read = vec![0; bytes];
        // SAFETY: lists are made with addresses of so many bytes.
        unsafe { self.program.gpu().stream().download_now(address, &mut read) }?;
        Ok(read)
    }
}
