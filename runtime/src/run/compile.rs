//! Compiles a model by starting the `pygraph-compile` that lies beside this executable.

use std::{
    env, io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use super::Options;

/// The compiler's name.
const COMPILER: &str = "pygraph-compile";

/// Compiles the model at `model` (`-` is standard input) into `folder`, for a GPU too if there is a `target`; returns the artifacts, one a
/// chunk.
///
/// The compiler's messages go to standard error as they are.
pub fn compile(
    model: &Path,
    options: &Options,
    target: Option<&str>,
    folder: &Path,
) -> Result<Vec<PathBuf>, CompileError> {
    let compiler = find_compiler()?;
    let output = folder.join("model.pyg");
    let mut command = Command::new(&compiler);
    command.arg(model).arg("-o").arg(&output);
    for binding in &options.bind {
        command.arg("--bind").arg(binding);
    }
    if let Some(target) = target {
        command.arg("--target").arg(target);
    }
    if options.split_input_file {
        command.arg("--split-input-file");
    }
    let status = command.status().map_err(|source| CompileError::Start { compiler, source })?;
    match status.code() {
        Some(0) => {}
        Some(code @ (1 | 2)) => return Err(CompileError::Refused { code: code as u8 }),
        _ => return Err(CompileError::Crashed { status }),
    }
    let artifacts: Vec<PathBuf> = if options.split_input_file {
        (0..).map(|chunk| folder.join(format!("model.{chunk}.pyg"))).take_while(|path| path.exists()).collect()
    } else {
        vec![output]
    };
    if artifacts.is_empty() { Err(CompileError::NoChunks) } else { Ok(artifacts) }
}

fn find_compiler() -> Result<PathBuf, CompileError> {
    let path = env::current_exe().map_err(CompileError::WhereAmI)?.with_file_name(COMPILER);
    if path.is_file() { Ok(path) } else { Err(CompileError::NoCompiler { path }) }
}

/// Why there is no artifact.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The system does not say where this executable lies.
    #[error("cannot find out where pygraph-run lies: {0}")]
    WhereAmI(io::Error),
    /// The compiler is not beside this executable.
    #[error("there is no {}: it compiles MLIR files and must lie beside pygraph-run", path.display())]
    NoCompiler {
        /// Where it should be.
        path: PathBuf,
    },
    /// The compiler does not start.
    #[error("cannot start {}: {source}", compiler.display())]
    Start {
        /// Its path.
        compiler: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The compiler has said what is wrong.
    #[error("the model does not compile")]
    Refused {
        /// Its exit status.
        code: u8,
    },
    /// The compiler ended in another way.
    #[error("{COMPILER} ended with {status}")]
    Crashed {
        /// How.
        status: ExitStatus,
    },
    /// A split file without a chunk.
    #[error("{COMPILER} --split-input-file wrote no artifact: the file has no chunk with a program")]
    NoChunks,
}

impl CompileError {
    /// The compiler's own where it refused the input or the call, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            CompileError::Refused { code } => *code,
            _ => 1,
        }
    }
}
