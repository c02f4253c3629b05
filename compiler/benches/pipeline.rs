//! Shows that the default pipeline takes time in proportion to the program, and rewrites long programs like short ones.
//!
//! `cargo bench -p pygraph-compiler --bench pipeline` prints one line a size: 1,000, 10,000 and 100,000 operations.

use std::{fmt::Write, time::Instant};

use pygraph_compiler::{
    driver::{Chunk, Settings, Source, compile_chunk},
    passes::{Phase, pipeline},
};

fn main() {
    println!("{:>10} {:>10} {:>12} {:>14} {:>16}", "operations", "time", "per op", "left", "rewrites per 1k");
    for op_count in [1_000, 10_000, 100_000] {
        let source = Source { name: "generated.mlir".into(), text: generate(op_count) };
        // The best of a few: the machine does other things too.
        let runs = (0..3).map(|_| measure(&source, op_count)).min_by(|a, b| a.seconds.total_cmp(&b.seconds));
        let run = runs.expect("there should be a run");
        println!(
            "{op_count:>10} {:>8.1}ms {:>10.2}us {:>14} {:>16.1}",
            run.seconds * 1e3,
            run.seconds * 1e6 / op_count as f64,
            run.operations_left,
            1e3 * run.rewrites as f64 / op_count as f64,
        );
    }
}

struct Run {
    seconds: f64,
    operations_left: usize,
    rewrites: u64,
}

/// Parses, verifies and runs the default pipeline of the tensor level, verifying after every pass.
fn measure(source: &Source, op_count: usize) -> Run {
    let settings = Settings { passes: pipeline::default_passes(Phase::Tensor), ..Settings::default() };
    let start = Instant::now();
    let compiled = compile_chunk(source, Chunk { text: &source.text, first_line: 1 }, &settings, &mut std::io::sink());
    let seconds = start.elapsed().as_secs_f64();
    let compiled = compiled.unwrap_or_else(|error| panic!("a program of {op_count} operations fails: {error}"));
    let counts = compiled.timings.iter().flat_map(|timing| &timing.statistics);
    let rewrites = counts.filter(|(name, _)| !name.starts_with("windows")).map(|(_, count)| count).sum();
    Run { seconds, operations_left: compiled.module.walk(compiled.module.root()).len(), rewrites }
}

/// Layers as exporters write them, 20 operations each: a product with a transposed weight, a broadcast bias, a call of an
/// activation function, a softmax, and work done twice.
fn generate(op_count: usize) -> String {
    let mut text = String::from(
        "func.func @main(%x0: tensor<8x16xf32>, %w: tensor<16x16xf32>, %b: tensor<16xf32>) -> tensor<8x16xf32> {\n",
    );
    let layers = op_count / 20;
    for layer in 0..layers {
        let next = layer + 1;
        let _ = write!(
            text,
            "  %t{layer} = stablehlo.transpose %w, dims = [1, 0] : (tensor<16x16xf32>) -> tensor<16x16xf32>
  %d{layer} = stablehlo.dot_general %x{layer}, %t{layer}, contracting_dims = [1] x [0] : (tensor<8x16xf32>, tensor<16x16xf32>) -> tensor<8x16xf32>
  %bb{layer} = stablehlo.broadcast_in_dim %b, dims = [1] : (tensor<16xf32>) -> tensor<8x16xf32>
  %one{layer} = stablehlo.constant dense<{next}.0> : tensor<f32>
  %ob{layer} = stablehlo.broadcast_in_dim %one{layer}, dims = [] : (tensor<f32>) -> tensor<8x16xf32>
  %bo{layer} = stablehlo.multiply %bb{layer}, %ob{layer} : tensor<8x16xf32>
  %s{layer} = stablehlo.add %d{layer}, %bo{layer} : tensor<8x16xf32>
  %r{layer} = call @relu(%s{layer}) : (tensor<8x16xf32>) -> tensor<8x16xf32>
  %ninf{layer} = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %m{layer} = stablehlo.reduce(%r{layer} init: %ninf{layer}) applies stablehlo.maximum across dimensions = [1] : (tensor<8x16xf32>, tensor<f32>) -> tensor<8xf32>
  %mb{layer} = stablehlo.broadcast_in_dim %m{layer}, dims = [0] : (tensor<8xf32>) -> tensor<8x16xf32>
  %c{layer} = stablehlo.subtract %r{layer}, %mb{layer} : tensor<8x16xf32>
  %e{layer} = stablehlo.exponential %c{layer} : tensor<8x16xf32>
  %again{layer} = stablehlo.exponential %c{layer} : tensor<8x16xf32>
  %dead{layer} = stablehlo.sine %again{layer} : tensor<8x16xf32>
  %n{layer} = stablehlo.add %e{layer}, %again{layer} : tensor<8x16xf32>
  %p{layer} = stablehlo.convert %n{layer} : (tensor<8x16xf32>) -> tensor<8x16xf64>
  %q{layer} = stablehlo.convert %p{layer} : (tensor<8x16xf64>) -> tensor<8x16xf32>
  %x{next} = stablehlo.divide %q{layer}, %ob{layer} : tensor<8x16xf32>
"
        );
    }
    let _ = write!(
        text,
        "  return %x{layers} : tensor<8x16xf32>
}}
func.func private @relu(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {{
  %zero = stablehlo.constant dense<0.0> : tensor<8x16xf32>
  %0 = stablehlo.maximum %x, %zero : tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}}
"
    );
    text
}
