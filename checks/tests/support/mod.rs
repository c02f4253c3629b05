//! What tests of whole sessions share.

use std::{env, process::Command, sync::Arc};

use std::os::unix::process::ExitStatusExt;

use pygraph_artifact::{
    container::{Artifact, Code, encode},
    plan::Plan,
};
use pygraph_runtime::{
    caches::{CacheOptions, Caches},
    device::Device,
    model::Model,
    session::Session,
};

/// A word in the environment of a child: what it should do.
pub const CHILD: &str = "PYGRAPH_CHILD";

/// A session of a plan's first program, with caches of its own.
pub fn session(plan: &Plan, constants: &[u8], options: CacheOptions) -> Session {
    let artifact = Artifact::from_bytes(&encode(plan, constants, Code::default()).expect("valid")).expect("loads");
    let caches = Arc::new(Caches::new(artifact.plan(), options).expect("addresses"));
    let model = Model::load(Arc::new(artifact), None, Device::Host).expect("prepares");
    Session::with_caches(Arc::new(model), caches).expect("memory")
}

/// Runs this test alone in a child, with a word in its environment; its exit status and its signal.
pub fn in_child(test: &str, word: &str) -> (Option<i32>, Option<i32>) {
    let program = env::current_exe().expect("this program");
    let mut command = Command::new(program);
    let status = command.args(["--exact", test]).env(CHILD, word).output().expect("started").status;
    (status.code(), status.signal())
}
