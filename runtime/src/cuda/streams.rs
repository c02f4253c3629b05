//! Segments that the host steps through: it gives the GPU kernels on the stream, or graphs of those that follow one another, and between them
//! reads what decides about loops and choices, and maps rows of caches.

use pygraph_artifact::plan::{PositionSource, SlotRows};

use super::{
    driver::{CudaError, GraphExec},
    libraries::LibraryProduct,
    lists::{CudaList, CudaNode, NodeWork},
    measure::LaunchProbe,
    program::CudaProgram,
};
use crate::{
    caches::{CacheError, Caches, integers},
    host::RunError,
};

/// What the host does at once.
#[derive(Debug)]
pub(super) enum Piece {
    /// Launches several kernels.
    Graph { exec: GraphExec, nodes: usize },
    /// Launches a kernel, or a library's product.
    Launch(NodeWork),
    /// Maps rows.
    Ensure(SlotRows),
    /// Gives up rows.
    Retire(SlotRows),
    /// Goes through these again and again while the `i1` at an address is true.
    While { predicate: u64, body: Vec<Piece> },
    /// Goes through the list whose number lies at an address, or else the last.
    Switch { index: u64, branches: Vec<Vec<Piece>> },
}

/// The pieces of a list with steps of the host. With `has_graphs`, launches that follow one another become a graph. Recurses as deep as steps nest,
/// which validation limits.
///
/// # Safety
/// As for [`CudaProgram::instantiate`].
pub(super) unsafe fn pieces(
    program: &CudaProgram,
    list: Vec<CudaNode>,
    has_graphs: bool,
) -> Result<Vec<Piece>, CudaError> {
    let mut pieces = Vec::new();
    // Launches since the last other piece, with their positions in the list.
    let mut launches: Vec<(usize, CudaNode)> = Vec::new();
    for (number, node) in list.into_iter().enumerate() {
        // SAFETY: the caller's promise.
        let inside = |list| unsafe { self::pieces(program, list, has_graphs) };
        let piece = match node.work {
            NodeWork::Call { .. } | NodeWork::Product { .. } => {
                launches.push((number, node));
                continue;
            }
            // The host reads what these would set.
            NodeWork::SetWhile { .. } | NodeWork::SetSwitch { .. } => continue,
            NodeWork::Ensure { rows } => Piece::Ensure(rows),
            NodeWork::Retire { rows } => Piece::Retire(rows),
            NodeWork::While { predicate, body, .. } => Piece::While { predicate, body: inside(body)? },
            NodeWork::Switch { index, branches, .. } => {
                Piece::Switch { index, branches: branches.into_iter().map(inside).collect::<Result<_, _>>()? }
            }
            NodeWork::SetGatedWhile { .. } | NodeWork::Gate { .. } => {
                unreachable!("a list that the host steps through should have no gates")
            }
        };
        // SAFETY: the caller's promise.
        unsafe { add_launches(program, std::mem::take(&mut launches), has_graphs, &mut pieces) }?;
        pieces.push(piece);
    }
    // SAFETY: the caller's promise.
    unsafe { add_launches(program, launches, has_graphs, &mut pieces) }?;
    Ok(pieces)
}

/// Adds launches that follow one another. They wait for what was given to the stream before, and for each other as they say.
///
/// # Safety
/// As for [`CudaProgram::instantiate`].
unsafe fn add_launches(
    program: &CudaProgram,
    launches: Vec<(usize, CudaNode)>,
    has_graphs: bool,
    pieces: &mut Vec<Piece>,
) -> Result<(), CudaError> {
    if !has_graphs || launches.len() < 2 {
        pieces.extend(launches.into_iter().map(|(_, node)| Piece::Launch(node.work)));
        return Ok(());
    }
    let (numbers, mut nodes): (Vec<usize>, Vec<CudaNode>) = launches.into_iter().unzip();
    for node in &mut nodes {
        node.after = node.after.iter().filter_map(|earlier| numbers.binary_search(earlier).ok()).collect();
    }
    let list = CudaList { nodes, conditionals: 0 };
    // SAFETY: the caller's promise.
    pieces.push(Piece::Graph { exec: unsafe { program.instantiate(&list) }?, nodes: list.count() });
    Ok(())
}

/// How many graphs there are among pieces, and how many nodes these have; each counted once.
pub(super) fn count_graphs(pieces: &[Piece]) -> (usize, usize) {
    let sum = |(graphs, nodes): (usize, usize), more: (usize, usize)| (graphs + more.0, nodes + more.1);
    let of = |piece: &Piece| match piece {
        Piece::Graph { nodes, .. } => (1, *nodes),
        Piece::While { body, .. } => count_graphs(body),
        Piece::Switch { branches, .. } => branches.iter().map(|branch| count_graphs(branch)).fold((0, 0), sum),
        Piece::Launch(_) | Piece::Ensure(_) | Piece::Retire(_) => (0, 0),
    };
    pieces.iter().map(of).fold((0, 0), sum)
}

/// One run of pieces.
pub(super) struct StreamRun<'a> {
    pub(super) program: &'a CudaProgram,
    pub(super) caches: Option<&'a Caches>,
    /// Where a buffer's bytes lie.
    pub(super) address_of: &'a dyn Fn(pygraph_artifact::plan::BufferId) -> u64,
    /// Times each kernel that is no node of a graph.
    pub(super) probe: Option<&'a mut LaunchProbe>,
}

impl StreamRun<'_> {
    /// Runs them. Recurses as deep as steps nest, which validation limits.
    ///
    /// # Safety
    /// As for [`CudaProgram::instantiate`], while this runs and until the stream is done.
    pub(super) unsafe fn run(&mut self, pieces: &mut [Piece]) -> Result<(), RunError> {
        for piece in pieces {
            match piece {
                Piece::Graph { exec, .. } => exec.launch(self.program.gpu().stream())?,
                // SAFETY: the caller's promise.
                Piece::Launch(work) => unsafe { self.launch(work) }?,
                Piece::Ensure(rows) => {
                    let positions = self.positions(rows)?;
                    self.caches().ensure(rows, &positions)?;
                }
                Piece::Retire(rows) => {
                    let positions = self.positions(rows)?;
                    self.caches().retire(rows, &positions).map_err(CacheError::Memory)?;
                }
                Piece::While { predicate, body } => loop {
                    // A predicate is an `i1` in memory of the session.
                    if self.read(*predicate, 1)? == [0] {
                        break;
                    }
                    // SAFETY: the caller's promise.
                    unsafe { self.run(body) }?;
                },
                Piece::Switch { index, branches } => {
                    let last = branches.len() - 1;
                    // An index is an `i32` in memory of the session.
                    let index =
                        integers(pygraph_artifact::dtype::DType::I32, &self.read(*index, 4)?).unwrap_or_default();
                    let branch = usize::try_from(index[0]).map_or(last, |index| index.min(last));
                    // SAFETY: the caller's promise.
                    unsafe { self.run(&mut branches[branch]) }?;
                }
            }
        }
        Ok(())
    }

    /// Launches a kernel or a library's product.
    ///
    /// # Safety
    /// As for [`StreamRun::run`].
    unsafe fn launch(&mut self, work: &NodeWork) -> Result<(), CudaError> {
        let stream = self.program.gpu().stream();
        let (NodeWork::Call { launch, .. } | NodeWork::Product { launch, .. }) = work else {
            unreachable!("only these should be launched by themselves")
        };
        if let Some(probe) = &mut self.probe {
            probe.before(stream, *launch)?;
        }
        match work {
            NodeWork::Call { kernel, grid, addresses, .. } => {
                // SAFETY: the caller's promise.
                unsafe { self.program.kernel(*kernel).launch(stream, *grid, addresses) }?;
            }
            NodeWork::Product { product: LibraryProduct { prepared, addresses }, .. } => {
                // SAFETY: the caller's promise: the addresses are those of matrices as large as a checked offer says.
                unsafe { prepared.matrices.enqueue(&prepared.algorithm, *addresses, stream) }?;
            }
            _ => {}
        }
        self.probe.as_mut().map_or(Ok(()), |probe| probe.behind(stream))
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
