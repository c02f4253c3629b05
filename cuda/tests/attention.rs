//! Attention: in the emulator and by the plain executor.

mod support;

use pygraph_artifact::{dtype::DType, plan::KernelAttr};
use support::{
    Case,
    kernels::{Array, array, call, check, ints, output, random},
};

use DType::{Bf16, F16, F32, I1, I32, I64};

/// A call, piece by piece.
#[derive(Clone)]
struct Attention {
    types: [DType; 3],
    /// Batches, queries, heads, features.
    q: [u64; 4],
    tokens: u64,
    groups: u64,
    value_features: u64,
    attributes: Vec<(&'static str, KernelAttr)>,
    optional: [Option<Array>; 5],
}

fn attention(types: [DType; 3], q: [u64; 4], tokens: u64, groups: u64, value_features: u64) -> Attention {
    let text = |name: &str| KernelAttr::Text(name.to_string());
    let mut attributes: Vec<(&'static str, KernelAttr)> = vec![
        ("diagonal", KernelAttr::Int(0)),
        ("divisor", KernelAttr::Float(1.0)),
        ("fill", KernelAttr::Float(f64::NEG_INFINITY)),
        ("key_scale", KernelAttr::Float(1.0)),
        ("mask_adds", KernelAttr::Bool(false)),
        ("safe", KernelAttr::Bool(false)),
        ("scale", KernelAttr::Float(1.0)),
        ("skips_below", KernelAttr::Bool(false)),
        ("window", KernelAttr::Int(0)),
    ];
    for name in ["q_dims", "k_dims", "v_dims", "output_dims"] {
        attributes.push((name, ints(&[0, 1, 2, 3])));
    }
    for name in ["key_type", "value_type", "score_type", "logit_type", "softmax_type", "probability_type"] {
        attributes.push((name, text("f32")));
    }
    attributes.push(("heads", ints(&[q[2] as i64, groups as i64, 0, 0, 0])));
    attributes.push(("batches", ints(&[q[0] as i64, 0, 0, 0])));
    Attention { types, q, tokens, groups, value_features, attributes, optional: [const { None }; 5] }
}

impl Attention {
    fn set(mut self, name: &'static str, value: KernelAttr) -> Attention {
        let attribute = self.attributes.iter_mut().find(|(of, _)| *of == name).expect("the attribute should be there");
        attribute.1 = value;
        self
    }

    fn with(mut self, number: usize, array: Array) -> Attention {
        self.optional[number] = Some(array);
        self
    }

    fn case(&self, name: &str) -> Case {
        let [batches, queries, heads, features] = self.q;
        let dims = |name: &str| match &self.attributes.iter().find(|(of, _)| *of == name).expect("it should be there").1
        {
            KernelAttr::Ints(dims) => dims.clone(),
            _ => unreachable!("dimensions are lists"),
        };
        let shape = |name: &str, extents: [u64; 4]| {
            let dims = dims(name);
            let mut shape = vec![0; dims.len()];
            let extents = extents.into_iter().chain([LAYERS]);
            dims.iter().zip(extents).for_each(|(dimension, extent)| shape[*dimension as usize] = extent);
            shape
        };
        // Batches and heads before those that are read, and one more head behind them.
        let numbers = |name: &str| dims(name).into_iter().map(|number| number as u64).collect::<Vec<u64>>();
        let (of_heads, of_batches) = (numbers("heads"), numbers("batches"));
        let all = |operand: usize, heads: u64| {
            let first = of_heads[2 + operand];
            [batches + of_batches[1 + operand], first + heads + u64::from(first > 0)]
        };
        let [[q_batches, q_heads], [k_batches, k_heads], [v_batches, v_heads]] =
            [all(0, heads), all(1, self.groups), all(2, self.groups)];
        let mut inputs = vec![
            random(self.types[0], &shape("q_dims", [q_batches, queries, q_heads, features]), 1),
            random(self.types[1], &shape("k_dims", [k_batches, self.tokens, k_heads, features]), 2),
            random(self.types[1], &shape("v_dims", [v_batches, self.tokens, v_heads, self.value_features]), 3),
        ];
        inputs.extend(self.optional.iter().flatten().cloned());
        let flags: Vec<i64> = self.optional.iter().map(|input| i64::from(input.is_some())).collect();
        let attributes = [&self.attributes[..], &[("optional", ints(&flags))]].concat();
        let shape = shape("output_dims", [batches, queries, heads, self.value_features]);
        call(name, "attention", &attributes, &[], inputs, vec![output(self.types[2], &shape)])
    }
}

const MASK: usize = 0;
const BIAS: usize = 1;
const POSITIONS: usize = 2;
const LENGTH: usize = 3;
const LAYER: usize = 4;

/// How many there are where one is chosen.
const LAYERS: u64 = 3;

fn float(value: f64) -> KernelAttr {
    KernelAttr::Float(value)
}

#[test]
fn one_query_reads_up_to_a_length() {
    let decode = |types, heads, groups, features| {
        attention(types, [2, 1, heads, features], 200, groups, features)
            .with(POSITIONS, array(I32, &[2, 1], [130.0, -3.0]))
            .with(LENGTH, array(I64, &[2], [131.0, 200.0]))
            .set("scale", float(0.3))
    };
    check(
        &[
            decode([Bf16, Bf16, Bf16], 4, 2, 64).case("bf16"),
            decode([Bf16, Bf16, Bf16], 4, 2, 64).set("fill", float(-1e9)).case("fill"),
            decode([Bf16, Bf16, Bf16], 4, 2, 64).set("safe", KernelAttr::Bool(true)).case("safe"),
            decode([F16, F16, F32], 6, 1, 24)
                .set("fill", float(-3.0))
                .set("mask_adds", KernelAttr::Bool(true))
                .case("adds"),
            decode([F32, F32, F32], 3, 3, 6).case("odd"),
            decode([F32, F32, F32], 2, 1, 130).set("fill", float(-2.0)).case("near"),
        ],
        1e-2,
    );
}

#[test]
fn few_rows_on_tensor_cores() {
    let text = |name: &str| KernelAttr::Text(name.to_string());
    let of = |types, heads, groups, [features, value_features]: [u64; 2]| {
        attention(types, [2, 1, heads, features], 150, groups, value_features)
            .with(LENGTH, array(I64, &[2], [131.0, 20.0]))
            .set("scale", float(0.2))
    };
    let wide = of([Bf16, Bf16, Bf16], 16, 1, [128, 128]);
    let window = wide.clone().with(POSITIONS, array(I32, &[2, 1], [120.0, 7.0])).set("window", KernelAttr::Int(40));
    let several =
        attention([F16, F16, F32], [1, 3, 4, 32], 90, 2, 64).with(POSITIONS, array(I32, &[1, 3], [70.0, 71.0, 72.0]));
    check(
        &[
            of([F16, F16, F32], 3, 3, [64, 64]).case("one_row"),
            wide.case("wide"),
            wide.clone().set("probability_type", text("bf16")).set("softmax_type", text("bf16")).case("rounded"),
            window.case("window"),
            window.set("skips_below", KernelAttr::Bool(true)).case("skips"),
            several.case("several"),
            several.clone().with(MASK, random(I1, &[1, 4, 3, 90], 9)).set("fill", float(-1e9)).case("mask"),
            several.clone().with(BIAS, random(F32, &[1, 4, 1, 90], 8)).case("bias"),
            several.clone().set("k_dims", ints(&[3, 0, 2, 1])).set("v_dims", ints(&[1, 0, 2, 3])).case("across"),
            several.set("q_dims", ints(&[0, 2, 1, 3])).set("output_dims", ints(&[3, 1, 2, 0])).case("turned"),
        ],
        1e-2,
    );
}

#[test]
fn sums_of_f32_are_close() {
    let plain = attention([F32, F32, F32], [1, 5, 2, 8], 77, 1, 12);
    let mask = random(I1, &[1, 2, 1, 77], 9);
    check(
        &[
            plain.case("plain"),
            plain.clone().with(MASK, mask.clone()).case("mask"),
            plain.clone().with(BIAS, random(F32, &[1, 1, 5, 77], 8)).set("divisor", float(3.0)).case("bias"),
            plain.clone().with(MASK, random(I1, &[1, 2, 5, 1], 4)).set("fill", float(-1e30)).case("rows"),
            plain.clone().with(MASK, random(I1, &[1, 2, 5, 1], 4)).case("hidden"),
            plain
                .clone()
                .with(MASK, mask)
                .with(BIAS, random(F32, &[1, 1, 1, 1], 8))
                .set("key_scale", float(0.25))
                .case("both"),
            plain.with(LENGTH, array(I32, &[1], [0.0])).case("none"),
        ],
        1e-5,
    );
}

#[test]
fn many_queries_see_their_windows() {
    let positions = |from: i32, count: u64| array(I32, &[1, count], (0..count).map(|at| f64::from(from) + at as f64));
    let prefill = attention([Bf16, Bf16, Bf16], [1, 40, 4, 32], 100, 2, 32).with(POSITIONS, positions(0, 40));
    let later = attention([F32, F32, F32], [2, 9, 2, 16], 150, 2, 16).with(POSITIONS, positions(70, 9));
    let window = later.clone().set("window", KernelAttr::Int(20));
    check(
        &[
            prefill.case("causal"),
            prefill.clone().set("fill", float(f64::from(f32::MIN))).case("lowest"),
            prefill
                .clone()
                .set("fill", float(f64::from(f32::MIN)))
                .set("mask_adds", KernelAttr::Bool(true))
                .case("added"),
            window.case("window"),
            window.clone().set("fill", float(-1e30)).case("window_fill"),
            window.clone().set("fill", float(-1e30)).set("diagonal", KernelAttr::Int(-100)).case("before"),
            window.clone().set("diagonal", KernelAttr::Int(i64::MAX)).case("after"),
            window.set("safe", KernelAttr::Bool(true)).set("diagonal", KernelAttr::Int(i64::MIN)).case("nowhere"),
        ],
        1e-2,
    );
}

#[test]
fn tiles_of_queries_give_what_rows_do() {
    let positions = |from: i32, count: u64| array(I32, &[1, count], (0..count).map(|at| f64::from(from) + at as f64));
    let text = |name: &str| KernelAttr::Text(name.to_string());
    let plain = attention([Bf16, Bf16, Bf16], [2, 70, 4, 32], 150, 2, 48).set("scale", float(1.5));
    let causal = plain.clone().with(POSITIONS, positions(40, 70));
    let window = causal.clone().set("window", KernelAttr::Int(20));
    let skips = window.clone().set("skips_below", KernelAttr::Bool(true));
    let lengths = || array(I64, &[2], [131.0, 3.0]);
    let lowest = float(f64::from(f32::MIN));
    check(
        &[
            plain.case("plain"),
            plain.clone().with(LENGTH, lengths()).set("safe", KernelAttr::Bool(true)).case("lengths"),
            plain.clone().with(MASK, random(I1, &[2, 1, 1, 150], 9)).set("fill", float(-1e9)).case("mask"),
            plain
                .clone()
                .with(MASK, random(I1, &[1, 4, 70, 150], 9))
                .set("fill", float(-3.0))
                .set("mask_adds", KernelAttr::Bool(true))
                .case("mask_adds"),
            plain.clone().with(BIAS, random(F32, &[1, 4, 70, 150], 8)).set("divisor", float(3.0)).case("bias"),
            plain.clone().set("probability_type", text("bf16")).set("score_type", text("bf16")).case("torch"),
            causal.case("causal"),
            causal.clone().set("fill", float(-1e30)).case("fill"),
            causal.clone().set("fill", float(-4.0)).case("near"),
            causal.clone().set("fill", float(-4.0)).set("mask_adds", KernelAttr::Bool(true)).case("adds"),
            causal.clone().set("fill", lowest.clone()).with(LENGTH, lengths()).case("lowest"),
            causal.clone().set("fill", lowest.clone()).set("diagonal", KernelAttr::Int(-75)).case("some_see_nothing"),
            causal.clone().set("safe", KernelAttr::Bool(true)).set("diagonal", KernelAttr::Int(-75)).case("safe"),
            causal.clone().set("diagonal", KernelAttr::Int(i64::MAX)).case("after"),
            window.case("window"),
            window.clone().set("fill", float(-1e30)).case("window_fill"),
            window.clone().set("fill", float(-2.0)).case("window_near"),
            skips.case("skips"),
            skips.clone().set("fill", lowest.clone()).with(LENGTH, array(I64, &[1], [110.0])).case("skips_fill"),
            skips.set("fill", lowest).set("mask_adds", KernelAttr::Bool(true)).case("skips_added"),
        ],
        2e-2,
    );
}

#[test]
fn parts_of_arrays() {
    let parts = |of: Attention, heads: [i64; 2]| {
        of.set("heads", ints(&[heads[0], heads[1], 3, 1, 2])).set("batches", ints(&[2, 1, 0, 2]))
    };
    let tiles = parts(attention([Bf16, Bf16, Bf16], [2, 40, 4, 16], 70, 2, 16), [4, 2]);
    check(
        &[
            tiles.case("tiles"),
            tiles.clone().set("q_dims", ints(&[2, 0, 1, 3])).set("v_dims", ints(&[1, 2, 0, 3])).case("tiles_turned"),
            parts(attention([Bf16, Bf16, Bf16], [2, 1, 4, 64], 70, 2, 64), [4, 2]).case("rows"),
            parts(attention([F32, F32, F32], [2, 3, 2, 5], 20, 1, 7), [2, 1]).case("odd"),
        ],
        2e-2,
    );
}

#[test]
fn tiles_have_more_queries_where_there_are_more_blocks() {
    let positions = array(I32, &[1, 40], (0..40).map(|at| f64::from(at) + 50.0));
    let of = |heads: u64| attention([Bf16, Bf16, Bf16], [1, 40, heads, 16], 96, heads / 6, 16);
    let causal = |heads: u64| of(heads).with(POSITIONS, positions.clone());
    check(
        &[
            of(66).case("half"),
            causal(66).case("half_causal"),
            of(132).case("whole"),
            causal(132).set("fill", float(-4.0)).case("whole_near"),
            attention([Bf16, Bf16, Bf16], [1, 40, 132, 80], 70, 22, 72)
                .with(POSITIONS, positions.clone())
                .case("whole_wide"),
        ],
        2e-2,
    );
}

#[test]
fn tiles_of_other_types_and_layouts() {
    let positions = array(I32, &[2, 33], (0..66).map(|at| f64::from(at % 33 + at / 33 * 9)));
    let of = |types, features, value_features| {
        attention(types, [2, 33, 2, features], 66, 1, value_features).with(POSITIONS, positions.clone())
    };
    let halves = of([F16, F16, F32], 24, 8);
    check(
        &[
            halves.case("halves"),
            halves.clone().set("q_dims", ints(&[0, 2, 1, 3])).set("output_dims", ints(&[3, 1, 2, 0])).case("turned"),
            halves.clone().set("k_dims", ints(&[3, 0, 2, 1])).set("v_dims", ints(&[1, 0, 2, 3])).case("across"),
            of([F16, F16, F32], 7, 3).case("odd"),
            of([F16, F16, F32], 128, 128).case("wide"),
            of([F16, F16, F32], 136, 16).case("too_wide"),
        ],
        2e-4,
    );
}

#[test]
fn layouts_and_roundings() {
    let text = |name: &str| KernelAttr::Text(name.to_string());
    let plain = attention([Bf16, Bf16, Bf16], [2, 3, 4, 16], 33, 4, 16).set("scale", float(0.25));
    let all = |types: [&str; 6]| {
        let names = ["key_type", "value_type", "score_type", "logit_type", "softmax_type", "probability_type"];
        names.into_iter().zip(types).fold(plain.clone(), |of, (name, ty)| of.set(name, text(ty)))
    };
    let turned = plain
        .clone()
        .set("q_dims", ints(&[0, 2, 1, 3]))
        .set("k_dims", ints(&[3, 0, 2, 1]))
        .set("v_dims", ints(&[1, 0, 2, 3]));
    check(
        &[
            all(["bf16", "bf16", "bf16", "f32", "f32", "bf16"]).case("torch"),
            all(["bf16", "bf16", "bf16", "bf16", "bf16", "bf16"]).case("bf16"),
            all(["f16", "f32", "f32", "f16", "f32", "f32"]).case("f16"),
            turned.set("output_dims", ints(&[0, 2, 1, 3])).case("turned"),
        ],
        2e-2,
    );
}

#[test]
fn one_layer_of_several() {
    let of = |types, queries: u64, layer: f64| {
        attention(types, [2, queries, 4, 16], 70, 2, 24)
            .with(LENGTH, array(I32, &[2], [61.0, 70.0]))
            .with(LAYER, array(I32, &[], [layer]))
            .set("k_dims", ints(&[1, 2, 3, 4, 0]))
            .set("v_dims", ints(&[0, 2, 3, 4, 1]))
    };
    check(
        &[
            of([F32, F32, F32], 1, 0.0).case("first"),
            of([F32, F32, F32], 3, 1.0).case("second"),
            of([F32, F32, F32], 1, 9.0).case("beyond"),
            of([Bf16, Bf16, F32], 1, -9.0).case("before"),
            of([Bf16, Bf16, F32], 40, 2.0).case("tiles"),
            of([F16, F16, F32], 40, 1.0).set("k_dims", ints(&[2, 0, 1, 4, 3])).case("inside"),
            // Few rows on tensor cores.
            attention([Bf16, Bf16, F32], [2, 1, 16, 128], 150, 1, 128)
                .with(LENGTH, array(I64, &[2], [131.0, 20.0]))
                .with(LAYER, array(I32, &[], [2.0]))
                .set("scale", float(0.2))
                .set("k_dims", ints(&[1, 2, 3, 4, 0]))
                .set("v_dims", ints(&[1, 2, 3, 4, 0]))
                .case("rows"),
        ],
        2e-3,
    );
}

#[test]
fn nothing_to_do_and_nothing_to_see() {
    check(
        &[
            attention([F32, F32, F32], [0, 1, 2, 4], 5, 1, 4).case("no_batch"),
            attention([F32, F32, F32], [1, 1, 2, 0], 5, 1, 4).case("no_features"),
            attention([F32, F32, F32], [1, 1, 2, 4], 5, 1, 0).case("no_value_features"),
            attention([F32, F32, F32], [1, 1, 2, 4], 0, 1, 4).case("no_tokens"),
        ],
        1e-5,
    );
}
