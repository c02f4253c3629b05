//! The forms in which a segment can run.

use serde::{Deserialize, Serialize};

/// How a segment's launches are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Deployment {
    /// One launch after the other on a stream.
    Stream,
    /// One graph; what changes is read from the parameter block. Library calls, which take addresses by value, are patched
    /// where an address changed.
    Graph,
    /// One graph; what library calls read of changing addresses is copied to a fixed one first.
    GraphCopies,
    /// One graph with its loops inside, as conditional nodes.
    DeviceLoop,
    /// Graphs for what is between loops and for each body; the host reads the predicates.
    HostLoop,
}

impl Deployment {
    /// Every form, in order of declaration.
    pub const ALL: &[Deployment] =
        &[Deployment::Stream, Deployment::Graph, Deployment::GraphCopies, Deployment::DeviceLoop, Deployment::HostLoop];

    /// The spelling in the IR and in `--deploy`.
    pub fn name(self) -> &'static str {
        match self {
            Deployment::Stream => "stream",
            Deployment::Graph => "graph",
            Deployment::GraphCopies => "graph-copies",
            Deployment::DeviceLoop => "device-loop",
            Deployment::HostLoop => "host-loop",
        }
    }

    /// The form of that name.
    pub fn from_name(name: &str) -> Option<Deployment> {
        Deployment::ALL.iter().copied().find(|form| form.name() == name)
    }

    /// True if the launches run as nodes of a graph.
    pub fn is_graph(self) -> bool {
        self != Deployment::Stream
    }
}
