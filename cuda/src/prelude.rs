//! What every generated kernel builds on, in CUDA C++.

/// Element types, scalar operations and groups of threads.
pub const PRELUDE: &str = concat!(
    include_str!("prelude/types.cuh"),
    include_str!("prelude/integer.cuh"),
    include_str!("prelude/real.cuh"),
    include_str!("prelude/bits.cuh"),
    include_str!("prelude/half.cuh"),
    include_str!("prelude/special.cuh"),
    include_str!("prelude/complex.cuh"),
    include_str!("prelude/minifloat.cuh"),
    include_str!("prelude/convert.cuh"),
    include_str!("prelude/words.cuh"),
    include_str!("prelude/group.cuh"),
);

/// The kernels of loops, choices and waits ([`pygraph_artifact::device_code::Control`]).
pub const CONTROL: &str = include_str!("prelude/control.cu");
