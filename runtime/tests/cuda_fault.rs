//! A kernel that goes wrong on a real GPU: the process of this test can give the GPU nothing afterwards.

mod support;

use pygraph_artifact::{dtype::DType, plan::Bind};
use pygraph_runtime::session::{StepError, Ticket};
use support::{
    Builder,
    gpu::{OnGpu, call, gpu},
    ints, kernel, tensor,
};

#[test]
fn a_stray_access_is_an_error_that_says_so_and_the_process_goes_on() {
    let Some((_gpu, _guard)) = gpu("faults") else { return };
    let mut b = Builder::new("main");
    let address = b.param("address", DType::I64, &[], Bind::Host);
    let k = b.param("k", DType::I32, &[], Bind::State);
    let updated = b.result("k'", k);
    b.update(1, updated);
    let steps = vec![kernel("stray", vec![address, k], k)];
    let mut session = OnGpu::new(b.finish(steps), vec![call("stray", &[address])]).session();
    session.set(0, tensor(DType::I64, &[], &16_i64.to_le_bytes())).expect("fits");
    session.set(1, ints(&[], &[1])).expect("fits");
    let error = session.step().and_then(Ticket::wait).map(|_| ()).expect_err("nothing lies at address 16");
    assert!(matches!(error, StepError::StateLost { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("CUDA_ERROR_ILLEGAL_ADDRESS") && text.contains("arg1 `k`"), "{text}");
    // Nothing runs any more, and everything says so.
    session.set(1, ints(&[], &[1])).expect("fits");
    let error = session.step().and_then(Ticket::wait).map(|_| ()).expect_err("the GPU takes nothing");
    assert!(error.to_string().contains("CUDA_ERROR_ILLEGAL_ADDRESS"), "{error}");
}
