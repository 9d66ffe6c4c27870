//! Every limit on what a file may ask for, in one place. What a setting can change has its default here.

/// Bytes of a model: the ONNX file and its external data together.
pub const FILE_BYTES: u64 = 6 << 30;
/// Bytes of `config.json` and of `preprocessor_config.json`.
pub const JSON_BYTES: u64 = 4 << 20;
/// Operators in a graph, those of branches included.
pub const NODES: usize = 20_000;
/// Operators in a branch: the runtime plans branches on threads with a smaller stack.
pub const BRANCH: usize = 1000;
/// Branches within branches.
pub const DEPTH: usize = 4;
/// Dimensions of a tensor.
pub const RANK: usize = 8;
/// Elements of a vector, a tensor with one dimension: the runtime keeps those of shapes as expressions while it loads.
pub const VECTOR: u64 = 1 << 22;
/// Values of shapes and lengths that are followed through the graph.
pub const VALUES: u64 = 4096;
/// Floating-point operations of one run: ten minutes at 50 GFLOP/s.
pub const OPERATIONS: u64 = 30_000_000_000_000;
/// Bytes of one run: default of [`crate::Settings::memory`].
pub const MEMORY: u64 = 8 << 30;
/// Longest window in seconds: default of [`crate::Settings::window`].
pub const WINDOW: f64 = 30.0;
/// Labels of a classifier.
pub const LABELS: usize = 1000;
/// Characters of a label.
pub const LABEL: usize = 100;
/// Threads of one run.
pub const THREADS: usize = 256;
/// Stack of the thread that loads a file, in bytes: the runtime's planner calls itself once for each operator of a chain.
pub const STACK: usize = 64 << 20;
