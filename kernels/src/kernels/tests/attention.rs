use half::{bf16, f16};

use super::*;

/// Attention of two heads on one of keys: one row, two queries, three keys, one feature, all in f32.
fn plain() -> Case {
    let dims = || ints(&[0, 1, 2, 3]);
    let text = |name: &str| KernelAttr::Text(name.to_string());
    Case {
        kernel: "attention",
        attributes: vec![
            ("diagonal", KernelAttr::Int(0)),
            ("divisor", KernelAttr::Float(1.0)),
            ("fill", KernelAttr::Float(f64::NEG_INFINITY)),
            ("batches", ints(&[1, 0, 0, 0])),
            ("heads", ints(&[2, 1, 0, 0, 0])),
            ("k_dims", dims()),
            ("key_scale", KernelAttr::Float(1.0)),
            ("key_type", text("f32")),
            ("logit_type", text("f32")),
            ("mask_adds", KernelAttr::Bool(false)),
            ("optional", ints(&[0, 0, 0, 0, 0])),
            ("output_dims", dims()),
            ("probability_type", text("f32")),
            ("q_dims", dims()),
            ("safe", KernelAttr::Bool(false)),
            ("scale", KernelAttr::Float(1.0)),
            ("score_type", text("f32")),
            ("skips_below", KernelAttr::Bool(false)),
            ("softmax_type", text("f32")),
            ("v_dims", dims()),
            ("value_type", text("f32")),
            ("window", KernelAttr::Int(0)),
        ],
        bodies: vec![],
        // Products with zero: all weights are equal where keys are visible.
        inputs: vec![
            zeros(DType::F32, &[1, 2, 2, 1]),
            tensor(&[1, 3, 1, 1], &[1f32, 2.0, 3.0]),
            tensor(&[1, 3, 1, 1], &[3f32, 6.0, 12.0]),
        ],
        outputs: vec![zeros(DType::F32, &[1, 2, 2, 1])],
    }
}

/// The case with one more input, which is the optional one of that number.
fn with(number: usize, input: Tensor) -> Case {
    let mut case = plain();
    let mut optional = [0; 5];
    optional[number] = 1;
    case.set("optional", ints(&optional));
    case.inputs.push(input);
    case
}

const MASK: usize = 0;
const BIAS: usize = 1;
const POSITIONS: usize = 2;
const LENGTH: usize = 3;
const LAYER: usize = 4;

#[test]
fn equal_scores_average_what_is_visible() {
    assert_eq!(plain().first::<f32>(), [7.0; 4]);
    // Queries are dimension 1 and heads 2: the first query sees one key, the second two.
    let positions = with(POSITIONS, tensor(&[1, 2], &[0i32, 1]));
    assert_eq!(positions.first::<f32>(), [3.0, 3.0, 4.5, 4.5]);
    let mut strict = positions.clone();
    strict.set("diagonal", KernelAttr::Int(1));
    assert_eq!(strict.first::<f32>(), [4.5, 4.5, 7.0, 7.0]);
    strict.set("window", KernelAttr::Int(1));
    assert_eq!(strict.first::<f32>(), [6.0, 6.0, 12.0, 12.0], "the last key that is visible");
    strict.set("window", KernelAttr::Int(2));
    assert_eq!(strict.first::<f32>(), [4.5, 4.5, 9.0, 9.0]);
    strict.set("diagonal", KernelAttr::Int(i64::MIN));
    assert!(strict.first::<f32>().iter().all(|value| value.is_nan()), "no key is visible");
    strict.set("safe", KernelAttr::Bool(true));
    assert_eq!(strict.first::<f32>(), [0.0; 4]);
    strict.set("safe", KernelAttr::Bool(false));
    strict.set("fill", KernelAttr::Float(-5.0));
    assert_eq!(strict.first::<f32>(), [7.0; 4], "where all are hidden by the same number, all count the same");
    let by_head = with(MASK, typed(DType::I1, &[1, 2, 1, 3], &[1u8, 0, 0, 0, 0, 1]));
    assert_eq!(by_head.first::<f32>(), [3.0, 12.0, 3.0, 12.0]);
}

#[test]
fn rows_from_the_length_on_are_not_read() {
    for (length, expected) in [(1i64, 3.0), (2, 4.5), (3, 7.0), (100, 7.0)] {
        let mut case = with(LENGTH, tensor(&[1], &[length]));
        for values in &mut case.inputs[1..3] {
            let bytes = values.bytes.as_mut_slice();
            let rows: &mut [f32] = bytemuck::cast_slice_mut(bytes);
            rows.iter_mut().skip(length as usize).for_each(|row| *row = f32::NAN);
        }
        assert_eq!(case.first::<f32>(), [expected; 4], "{length} rows");
    }
    let none = with(LENGTH, tensor(&[1], &[-1i32]));
    assert_eq!(none.first::<f32>(), [0.0; 4], "nothing is read, nothing is added");
}

/// Rows below `first` of keys and values hold no numbers.
fn poison_below(case: &mut Case, first: usize) {
    for values in &mut case.inputs[1..3] {
        let rows: &mut [f32] = bytemuck::cast_slice_mut(values.bytes.as_mut_slice());
        rows.iter_mut().take(first).for_each(|row| *row = f32::NAN);
    }
}

#[test]
fn rows_below_all_windows_are_not_read() {
    let windowed = |positions: [i32; 2], window: i64, first: usize| {
        let mut case = with(POSITIONS, tensor(&[1, 2], &positions));
        case.set("window", KernelAttr::Int(window));
        let whole = case.first::<f32>();
        case.set("skips_below", KernelAttr::Bool(true));
        assert_eq!(case.first::<f32>(), whole, "{positions:?}, {window}");
        poison_below(&mut case, first);
        assert_eq!(case.first::<f32>(), whole, "{positions:?}, {window}: {first} rows are not read");
        let mut more = case.clone();
        poison_below(&mut more, first + 1);
        assert!(more.first::<f32>().iter().any(|value| value.is_nan()), "{positions:?}, {window}: row {first} is read");
        whole
    };
    assert_eq!(windowed([2, 2], 1, 2), [12.0; 4]);
    assert_eq!(windowed([2, 2], 2, 1), [9.0; 4]);
    assert_eq!(windowed([2, 2], i64::MAX, 0), [7.0; 4]);
    // The least of the positions says where all windows begin.
    assert_eq!(windowed([1, 2], 1, 1), [6.0, 6.0, 12.0, 12.0]);
    assert_eq!(windowed([2, 0], 1, 0), [12.0, 12.0, 3.0, 3.0]);
}

#[test]
fn where_a_query_has_no_last_key_all_rows_are_read() {
    // Negative and overlong positions see no key in a window of one: with a finite fill all rows count alike.
    for position in [-1i32, 3, i32::MIN, i32::MAX] {
        let mut case = with(POSITIONS, tensor(&[1, 2], &[position, 2]));
        case.set("window", KernelAttr::Int(1));
        case.set("fill", KernelAttr::Float(-1e30));
        case.set("skips_below", KernelAttr::Bool(true));
        assert_eq!(case.first::<f32>(), [7.0, 7.0, 12.0, 12.0], "{position}");
        case.set("fill", KernelAttr::Float(f64::NEG_INFINITY));
        case.set("safe", KernelAttr::Bool(true));
        assert_eq!(case.first::<f32>(), [0.0, 0.0, 12.0, 12.0], "{position}");
    }
}

#[test]
fn logits_are_scaled_divided_biased_and_masked_in_this_order() {
    // One key of score 2, and one of score 0 that is visible: the weight of the first tells its logit.
    let logit = |change: &dyn Fn(&mut Case)| {
        let mut case = with(BIAS, tensor(&[1, 1, 1, 2], &[1f32, 0.0]));
        case.inputs[0] = tensor(&[1, 1, 1, 1], &[2f32]);
        case.inputs[1] = tensor(&[1, 2, 1, 1], &[1f32, 0.0]);
        case.inputs[2] = tensor(&[1, 2, 1, 1], &[1f32, 0.0]);
        case.outputs = vec![zeros(DType::F32, &[1, 1, 1, 1])];
        case.set("heads", ints(&[1, 1, 0, 0, 0]));
        change(&mut case);
        let weight = f64::from(case.first::<f32>()[0]);
        ((weight / (1.0 - weight)).ln() * 1e3).round() / 1e3
    };
    assert_eq!(logit(&|_| {}), 3.0);
    assert_eq!(logit(&|case| case.set("scale", KernelAttr::Float(3.0))), 7.0);
    assert_eq!(logit(&|case| case.set("key_scale", KernelAttr::Float(0.5))), 2.0);
    assert_eq!(logit(&|case| case.set("divisor", KernelAttr::Float(4.0))), 1.5);
    let hidden = |case: &mut Case| {
        case.set("optional", ints(&[1, 1, 0, 0, 0]));
        case.set("fill", KernelAttr::Float(-4.0));
        case.inputs.insert(3, typed(DType::I1, &[1, 1, 1, 2], &[0u8, 1]));
    };
    assert_eq!(logit(&hidden), -4.0);
    let added = |case: &mut Case| {
        hidden(case);
        case.set("mask_adds", KernelAttr::Bool(true));
    };
    assert_eq!(logit(&added), -1.0);
}

#[test]
fn layouts_and_types_are_as_said() {
    let mut case = plain();
    // Keys with heads before tokens, values in bf16 and turned around, the result in f16 with heads first.
    case.inputs[1].shape = vec![1, 1, 3, 1];
    case.set("k_dims", ints(&[0, 2, 1, 3]));
    case.inputs[2] = tensor(&[1, 1, 3, 1], &[3f32, 6.0, 12.0].map(bf16::from_f32));
    case.set("v_dims", ints(&[3, 2, 1, 0]));
    case.outputs = vec![zeros(DType::F16, &[2, 2, 1, 1])];
    case.set("output_dims", ints(&[2, 1, 0, 3]));
    case.set("optional", ints(&[0, 0, 1, 0, 0]));
    case.inputs.push(tensor(&[1, 2], &[0i64, 1]));
    assert_eq!(case.first::<f16>(), [3.0, 4.5, 3.0, 4.5].map(f16::from_f32));
    // A weight of a third, rounded to bf16 before it is multiplied.
    let mut rounded = plain();
    rounded.set("probability_type", KernelAttr::Text("bf16".to_string()));
    let third = bf16::from_f32(1.0 / 3.0).to_f32();
    assert_eq!(rounded.first::<f32>()[0], third * 3.0 + third * 6.0 + third * 12.0);
    // Scores rounded to bf16: 1 + 2^-9 is 1 there, so that the two keys weigh the same.
    let mut near = plain();
    near.set("heads", ints(&[1, 1, 0, 0, 0]));
    near.inputs = vec![
        tensor(&[1, 1, 1, 1], &[1f32]),
        tensor(&[1, 2, 1, 1], &[1f32, 1.0 + f32::powi(2.0, -9)]),
        tensor(&[1, 2, 1, 1], &[0f32, 1.0]),
    ];
    near.outputs = vec![zeros(DType::F32, &[1, 1, 1, 1])];
    assert!(near.first::<f32>()[0] > 0.5);
    for step in ["key_type", "score_type", "logit_type", "softmax_type"] {
        let mut near = near.clone();
        near.set(step, KernelAttr::Text("bf16".to_string()));
        assert_eq!(near.first::<f32>(), [0.5], "{step}");
    }
}

#[test]
fn parts_of_an_array_are_read() {
    // Queries, keys and values side by side as heads, of the second batch of two.
    let mut case = plain();
    case.inputs[1] = tensor(&[2, 3, 3, 1], &[[9f32; 9], [9.0, 0.0, 3.0, 9.0, 0.0, 6.0, 9.0, 0.0, 12.0]].concat());
    case.inputs[2] = case.inputs[1].clone();
    case.set("heads", ints(&[2, 1, 0, 1, 2]));
    case.set("batches", ints(&[1, 0, 1, 1]));
    assert_eq!(case.first::<f32>(), [7.0; 4]);
    case.set("heads", ints(&[2, 1, 0, 1, 0]));
    assert_eq!(case.first::<f32>(), [9.0; 4]);
}

/// Two layers: the second, in the middle of the values' dimensions, has other numbers.
fn layered(layer: i32) -> Case {
    let mut case = with(LAYER, tensor(&[], &[layer]));
    case.inputs[1] = tensor(&[2, 1, 3, 1, 1], &[1f32, 2.0, 3.0, 0.0, 0.0, 0.0]);
    case.set("k_dims", ints(&[1, 2, 3, 4, 0]));
    case.inputs[2] = tensor(&[1, 3, 2, 1, 1], &[3f32, 10.0, 6.0, 20.0, 12.0, 60.0]);
    case.set("v_dims", ints(&[0, 1, 3, 4, 2]));
    case
}

#[test]
fn one_layer_of_several_is_read() {
    assert_eq!(layered(0).first::<f32>(), [7.0; 4]);
    assert_eq!(layered(1).first::<f32>(), [30.0; 4]);
    // As a slice would be, it is moved inside.
    assert_eq!(layered(-1).first::<f32>(), [7.0; 4]);
    assert_eq!(layered(2).first::<f32>(), [30.0; 4]);
    // Of the other one nothing is read.
    let mut poisoned = layered(1);
    poisoned.inputs[1] = tensor(&[2, 1, 3, 1, 1], &[f32::NAN, f32::NAN, f32::NAN, 0.0, 0.0, 0.0]);
    assert_eq!(poisoned.first::<f32>(), [30.0; 4]);
}

#[test]
fn layers_that_do_not_fit_are_refused() {
    let refuses =
        |change: &dyn Fn(&mut Case), message: &str| layered(0).refuses(change, &format!("attention: {message}"));
    refuses(&|case| case.set("k_dims", ints(&[1, 2, 3, 4])), "k_dims names 4 of the 5 dimensions of [2, 1, 3, 1, 1]");
    refuses(&|case| case.inputs[2] = zeros(DType::F32, &[1, 3, 3, 1, 1]), "keys are of 2 layers, values of 3");
    refuses(&|case| case.inputs[3] = zeros(DType::I32, &[1]), "the layer is [1], which does not go with []");
    refuses(&|case| case.inputs[3] = zeros(DType::F32, &[]), "the layer holds f32, not integers");
}

#[test]
fn rows_of_no_features_and_no_keys_give_nothing() {
    let mut case = plain();
    case.inputs[0] = zeros(DType::F32, &[1, 2, 2, 0]);
    case.inputs[1] = zeros(DType::F32, &[1, 3, 1, 0]);
    assert_eq!(case.first::<f32>(), [7.0; 4]);
    case.inputs[1] = zeros(DType::F32, &[1, 0, 1, 0]);
    case.inputs[2] = zeros(DType::F32, &[1, 0, 1, 1]);
    assert_eq!(case.first::<f32>(), [0.0; 4]);
    case.inputs[2] = zeros(DType::F32, &[1, 0, 1, 0]);
    case.outputs = vec![zeros(DType::F32, &[1, 2, 2, 0])];
    assert!(case.first::<f32>().is_empty());
}

#[test]
fn calls_that_do_not_fit_are_refused() {
    let case = plain();
    let refuses = |change: &dyn Fn(&mut Case), message: &str| case.refuses(change, &format!("attention: {message}"));
    refuses(
        &|case| case.set("optional", ints(&[2, 0, 0, 0, 0])),
        "optional is [2, 0, 0, 0, 0], not a 0 or 1 for each of mask, bias, positions, length, layer",
    );
    refuses(&|case| case.set("window", KernelAttr::Int(-1)), "window is -1, not at least 0");
    refuses(&|case| case.set("skips_below", KernelAttr::Bool(true)), "skips_below goes with a window and positions");
    refuses(&|case| case.set("optional", ints(&[1, 0, 0, 0, 0])), "takes 4 inputs and 1 outputs, not 3 and 1");
    refuses(
        &|case| case.set("key_type", KernelAttr::Text("f64".to_string())),
        "key_type is `f64`, not f32, f16 or bf16",
    );
    refuses(&|case| case.inputs[0].dtype = DType::I32, "q_dims belongs to i32, not f32, f16 or bf16");
    refuses(&|case| case.set("q_dims", ints(&[0, 1, 2, 2])), "q_dims has 2, which is twice there or no dimension of 4");
    refuses(&|case| case.set("v_dims", ints(&[0, 1, 2])), "v_dims names 3 of the 4 dimensions of [1, 3, 1, 1]");
    refuses(&|case| case.inputs[1] = zeros(DType::F32, &[1, 3, 1, 2]), "queries have 1 features, keys 2");
    refuses(&|case| case.inputs[2] = zeros(DType::F32, &[1, 4, 1, 1]), "there are 3 keys and 4 values");
    refuses(&|case| case.outputs[0] = zeros(DType::F32, &[1, 2, 1, 1]), "the output is [1, 2, 1, 1], not [1, 2, 2, 1]");
    refuses(&|case| case.set("heads", ints(&[2, 1, 1, 0, 0])), "queries have 2 heads, not 2 from 1 on");
    refuses(
        &|case| case.set("heads", ints(&[2, 1, 0, 0, i64::MAX])),
        "values have 1 heads, not 1 from 9223372036854775807 on",
    );
    refuses(&|case| case.set("batches", ints(&[1, 0, 1, 0])), "keys have 1 batches, not 1 from 1 on");
    refuses(
        &|case| case.set("batches", ints(&[1, 0, -1, 0])),
        "heads and batches are [2, 1, 0, 0, 0] and [1, 0, -1, 0], not two numbers and three first heads, and one number and three first batches",
    );
    let three = |case: &mut Case| {
        case.set("heads", ints(&[2, 3, 0, 0, 0]));
        case.inputs[1] = zeros(DType::F32, &[1, 3, 3, 1]);
        case.inputs[2] = zeros(DType::F32, &[1, 3, 3, 1]);
    };
    refuses(&three, "2 heads do not share 3");
    let refuses = |case: Case, message: &str| case.refuses(|_| {}, &format!("attention: {message}"));
    refuses(
        with(MASK, zeros(DType::I1, &[1, 1, 1, 2])),
        "the mask is [1, 1, 1, 2], which does not go with [1, 2, 2, 3]",
    );
    refuses(with(MASK, zeros(DType::I32, &[1, 1, 1, 3])), "the mask is [1, 1, 1, 3] of i32, not [1, 1, 1, 3] of i1");
    refuses(with(BIAS, zeros(DType::I32, &[1, 1, 1, 3])), "the bias holds i32, not f32, f16 or bf16");
    refuses(with(POSITIONS, zeros(DType::F32, &[1, 2])), "the positions holds f32, not integers");
    refuses(with(LENGTH, zeros(DType::I32, &[2])), "the length is [2], which does not go with [1]");
}
