//! Attributes that are one of a few names.

macro_rules! enums {
    ($($(#[$doc:meta])* $ty:ident, $mnemonic:literal { $($variant:ident = $name:literal),* $(,)? })*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the names are StableHLO's")]
        pub enum $ty { $($variant),* }

        impl $ty {
            /// Every case, in order of declaration.
            pub const ALL: &[$ty] = &[$($ty::$variant),*];

            /// The spelling in text.
            pub fn name(self) -> &'static str { match self { $($ty::$variant => $name),* } }

            /// The case of that spelling.
            pub fn from_name(name: &str) -> Option<$ty> { match name { $($name => Some($ty::$variant),)* _ => None } }
        })*

        /// An attribute that is one of a few names (`#stablehlo<comparison_direction LT>`).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EnumAttr { $(#[allow(missing_docs, reason = "it wraps the type of its name")] $ty($ty)),* }

        impl EnumAttr {
            /// The mnemonics of all of them (`comparison_direction`), each with the names of its cases.
            pub const MNEMONICS: &[(&str, &[&str])] = &[$(($mnemonic, &[$($name),*])),*];

            /// The mnemonic (`comparison_direction`).
            pub fn mnemonic(self) -> &'static str { match self { $(EnumAttr::$ty(_) => $mnemonic),* } }

            /// The spelling of the case.
            pub fn name(self) -> &'static str { match self { $(EnumAttr::$ty(case) => case.name()),* } }

            /// The attribute with that mnemonic and that case.
            pub fn parse(mnemonic: &str, name: &str) -> Option<EnumAttr> {
                match mnemonic { $($mnemonic => $ty::from_name(name).map(EnumAttr::$ty),)* _ => None }
            }
        }
    };
}

enums! {
    /// Which relation `compare` tests.
    ComparisonDirection, "comparison_direction" { Eq = "EQ", Ne = "NE", Ge = "GE", Gt = "GT", Le = "LE", Lt = "LT" }
    /// Which order `compare` uses.
    ComparisonType, "comparison_type" { NoType = "NOTYPE", Float = "FLOAT", TotalOrder = "TOTALORDER", Signed = "SIGNED", Unsigned = "UNSIGNED" }
    /// How exact a product has to be.
    Precision, "precision" { Default = "DEFAULT", High = "HIGH", Highest = "HIGHEST" }
    /// Algorithm of `rng_bit_generator`.
    RngAlgorithm, "rng_algorithm" { Default = "DEFAULT", ThreeFry = "THREE_FRY", Philox = "PHILOX" }
    /// Distribution of `rng`.
    RngDistribution, "rng_distribution" { Uniform = "UNIFORM", Normal = "NORMAL" }
    /// Which transform `fft` computes.
    FftType, "fft_type" { Fft = "FFT", Ifft = "IFFT", Rfft = "RFFT", Irfft = "IRFFT" }
    /// What `triangular_solve` does to its first operand.
    Transpose, "transpose" { Invalid = "TRANSPOSE_INVALID", No = "NO_TRANSPOSE", Transpose = "TRANSPOSE", Adjoint = "ADJOINT" }
    /// Calling convention of a custom call.
    CustomCallApiVersion, "custom_call_api_version" {
        Unspecified = "API_VERSION_UNSPECIFIED", Original = "API_VERSION_ORIGINAL",
        StatusReturning = "API_VERSION_STATUS_RETURNING",
        StatusReturningUnified = "API_VERSION_STATUS_RETURNING_UNIFIED", TypedFfi = "API_VERSION_TYPED_FFI",
    }
    /// How exact an elementary function has to be.
    ResultAccuracyMode, "result_accuracy_mode" { Default = "DEFAULT", Highest = "HIGHEST", Tolerance = "TOLERANCE" }
}
