//! Code for GPUs: what the command line says of it, and what is made.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use pygraph_artifact::{device_code::DeviceCode, plan::Plan};
use pygraph_compiler::{driver::output::write_output, knobs};
use pygraph_cuda::{Options, nvrtc::Nvrtc};

/// Names the library if the command line does not.
const NVRTC_VARIABLE: &str = "PYGRAPH_NVRTC";

/// What was asked for.
#[derive(Debug)]
pub struct Choice {
    /// Compiles for this target; none makes no code.
    compiler: Option<(String, Nvrtc)>,
    /// Where the text of the kernels goes.
    text: Option<PathBuf>,
    options: Options,
}

/// Reads the command line, and loads the compiler of kernels if code is asked for.
pub fn choice(matches: &ArgMatches) -> Result<Choice, String> {
    let compiler = knobs::TARGET.value(matches).map(|target| {
        let is_name = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !target.strip_prefix("sm_").is_some_and(is_name) {
            return Err(format!("--{}: `{target}` is no name of a GPU such as sm_90", knobs::TARGET.name));
        }
        let named = knobs::NVRTC.value(matches).map(PathBuf::from);
        let path = named.or_else(|| std::env::var_os(NVRTC_VARIABLE).map(PathBuf::from));
        let nvrtc = Nvrtc::load(path.as_deref()).map_err(|error| error.to_string())?;
        Ok((target.to_string(), nvrtc))
    });
    Ok(Choice {
        compiler: compiler.transpose()?,
        text: knobs::EMIT_CUDA.value(matches).map(PathBuf::from),
        options: Options { joins: !knobs::NO_JOIN.is_set(matches) },
    })
}

/// Makes what was asked for; every launch without code is an error.
pub fn generate(plan: &Plan, choice: &Choice) -> Result<Option<DeviceCode>, Vec<String>> {
    if choice.compiler.is_none() && choice.text.is_none() {
        return Ok(None);
    }
    let source = pygraph_cuda::source(plan, &choice.options)
        .map_err(|refused| refused.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    if let Some(path) = &choice.text {
        write_text(path, &pygraph_cuda::module_text(&source.kernels))?;
    }
    let compiled = choice.compiler.as_ref().map(|(target, nvrtc)| pygraph_cuda::compile(source, target, nvrtc));
    compiled.transpose().map_err(|error| vec![error.to_string()])
}

fn write_text(path: &Path, text: &str) -> Result<(), Vec<String>> {
    write_output(Some(path), text.as_bytes()).map_err(|error| vec![error.to_string()])
}
