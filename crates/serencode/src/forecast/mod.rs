//! What a run will cost, before it runs: every shape in the graph at one length of input, the memory that the tensors take while they are
//! needed, and the operations. A graph is run only where all of that is known and within the limits.

mod einsum;
mod rules;
mod tensor;

use std::collections::HashMap;

use crate::limits;
use crate::proto::{Constant, Graph, Node, elements, is_integer};
pub(crate) use tensor::Known;

/// The cost of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forecast {
    /// Samples of the longest window that is run.
    pub samples: usize,
    /// Number of runs, one a window.
    pub runs: usize,
    /// Upper bound of the bytes that one run takes at a time, beside the model's own.
    pub bytes: u64,
    /// Floating-point operations of one run.
    pub operations: u64,
}

/// What the walk over a graph gives.
#[derive(Debug)]
pub(crate) struct Cost {
    pub bytes: u64,
    pub operations: u64,
    /// Shapes of the outputs, in their order.
    pub outputs: Vec<Vec<u64>>,
}

/// Why a graph cannot be run at a length.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// A convolution or pooling wider than its input.
    Short(String),
    /// More bytes than the limit.
    Memory(String),
    /// Anything else, at an operator.
    Graph(String),
}

/// The cost of a graph whose inputs have the shapes given.
pub(crate) fn cost(graph: &Graph, inputs: &[(&str, Vec<u64>)], memory: u64) -> Result<Cost, Fault> {
    let mut walk = Walk { memory, pool: Pool::default(), operations: 0, known: HashMap::new() };
    for (name, dims) in inputs {
        walk.hold(name, Some(Known::shape(dims.clone())), "an input")?;
    }
    walk.graph(graph, true)?;
    let shape = |port: &crate::proto::Port| match walk.known.get(port.name.as_str()) {
        Some((Some(known), _)) => Ok(known.dims.clone()),
        _ => Err(Fault::Graph(format!("output `{}` is made by no operator", port.name))),
    };
    let outputs = graph.outputs.iter().map(shape).collect::<Result<_, _>>()?;
    Ok(Cost { bytes: walk.pool.total, operations: walk.operations, outputs })
}

/// The runtime's pool of buffers: a freed one serves a later tensor that fits, and none is given back before the end.
#[derive(Debug, Default)]
struct Pool {
    free: Vec<u64>,
    total: u64,
}

impl Pool {
    /// A buffer of at least `bytes`; its size.
    fn take(&mut self, bytes: u64) -> u64 {
        let fits = (0..self.free.len()).filter(|&at| self.free[at] >= bytes).min_by_key(|&at| self.free[at]);
        match fits {
            Some(at) => self.free.swap_remove(at),
            None => {
                self.total = self.total.saturating_add(bytes);
                bytes
            }
        }
    }
}

struct Walk<'a> {
    memory: u64,
    pool: Pool,
    operations: u64,
    /// Values by name, none where a branch not taken could not be followed, and the buffers that they lie in.
    known: HashMap<&'a str, (Option<Known>, u64)>,
}

fn place(node: &Node) -> String {
    match node.name.as_str() {
        "" => format!("{} that makes `{}`", node.op, node.outputs.first().map_or("", String::as_str)),
        name => format!("{} `{name}`", node.op),
    }
}

impl<'a> Walk<'a> {
    /// Puts a tensor into memory under a name.
    fn hold(&mut self, name: &'a str, known: Option<Known>, at: &str) -> Result<(), Fault> {
        let bytes = match &known {
            None => 0,
            Some(known) => {
                let count = elements(&known.dims).filter(|_| known.dims.len() <= limits::RANK);
                if known.dims.len() == 1 && known.dims[0] > limits::VECTOR {
                    return Err(Fault::Memory(at.to_owned()));
                }
                count.and_then(|count| count.checked_mul(4)).ok_or_else(|| Fault::Memory(at.to_owned()))?
            }
        };
        let buffer = self.pool.take(bytes);
        if self.pool.total > self.memory {
            return Err(Fault::Memory(at.to_owned()));
        }
        if self.known.insert(name, (known, buffer)).is_some() {
            return Err(Fault::Graph(format!("two values are called `{name}`")));
        }
        Ok(())
    }

    fn release(&mut self, name: &str) {
        if let Some((_, buffer)) = self.known.remove(name) {
            self.pool.free.push(buffer);
        }
    }

    /// Walks over a graph. In a branch that is not taken (`taken` false) an operator that cannot be followed is no error, but what is
    /// too large still is: the runtime computes what depends on constants alone while it loads.
    fn graph(&mut self, graph: &'a Graph, taken: bool) -> Result<(), Fault> {
        for (name, constant) in &graph.constants {
            if self.known.insert(name, (Some(Known::constant(constant)), 0)).is_some() {
                return Err(Fault::Graph(format!("two values are called `{name}`")));
            }
        }
        let last = last_uses(graph);
        for (at, node) in graph.nodes.iter().enumerate() {
            self.node(node, taken)?;
            for name in node.inputs.iter().chain(&node.outputs) {
                if last.get(name.as_str()).is_some_and(|&last| last <= at) {
                    self.release(name);
                }
            }
        }
        Ok(())
    }

    fn node(&mut self, node: &'a Node, taken: bool) -> Result<(), Fault> {
        let fail = |what: String| Fault::Graph(format!("operator {}: {what}", place(node)));
        if node.op == "If" {
            return self.branches(node, taken);
        }
        if node.attributes.iter().any(|attribute| attribute.graph.is_some()) {
            return Err(fail("loops are not run: nothing bounds how often they turn".to_owned()));
        }
        let mut inputs = Vec::with_capacity(node.inputs.len());
        let mut complete = true;
        for name in &node.inputs {
            match self.known.get(name.as_str()) {
                _ if name.is_empty() => inputs.push(None),
                None => return Err(fail(format!("its input `{name}` is made by no operator before it"))),
                Some((known, _)) => {
                    complete &= known.is_some();
                    inputs.push(known.as_ref());
                }
            }
        }
        let made = if complete { rules::apply(node, &inputs) } else { Err(rules::Stop::Wrong(String::new())) };
        let made = match made {
            Ok(made) => made,
            Err(_) if !taken => {
                rules::Made { outputs: node.outputs.iter().map(|_| None).collect(), operations: 0, scratch: 0 }
            }
            Err(rules::Stop::Short) => return Err(Fault::Short(place(node))),
            Err(rules::Stop::Large) => return Err(Fault::Memory(place(node))),
            Err(rules::Stop::Wrong(what)) => return Err(fail(what)),
        };
        self.operations = self.operations.saturating_add(made.operations);
        if self.operations > limits::OPERATIONS {
            return Err(fail(format!("a run would need more than {} operations", limits::OPERATIONS)));
        }
        let scratch = self.pool.take(made.scratch);
        let mut outputs = made.outputs.into_iter();
        for name in &node.outputs {
            match outputs.next() {
                _ if name.is_empty() => {}
                Some(known) => self.hold(name, known, &place(node))?,
                None => return Err(fail(format!("its output `{name}` is not supported"))),
            }
        }
        self.pool.free.push(scratch);
        Ok(())
    }

    /// Both branches of an `If`; the shapes are those of the one that is taken.
    fn branches(&mut self, node: &'a Node, taken: bool) -> Result<(), Fault> {
        let fail = |what: &str| Fault::Graph(format!("operator {}: {what}", place(node)));
        let branch = |name: &str| node.attributes.iter().find(|a| a.name == name).and_then(|a| a.graph.as_ref());
        let (Some(then), Some(other)) = (branch("then_branch"), branch("else_branch")) else {
            return Err(fail("it has no two branches"));
        };
        let condition = node.inputs.first().and_then(|name| self.known.get(name.as_str()));
        let condition = condition.and_then(|(known, _)| known.as_ref()?.values.as_ref()?.first().copied());
        let mut results = Vec::new();
        for (graph, value) in [(then, true), (other, false)] {
            if !graph.inputs.is_empty() || graph.nodes.len() > limits::BRANCH {
                return Err(fail("its branches have inputs, or too many operators"));
            }
            let mine = taken && condition.is_none_or(|condition| (condition != 0.0) == value);
            self.graph(graph, mine)?;
            let output =
                |port: &crate::proto::Port| self.known.get(port.name.as_str()).and_then(|(known, _)| known.clone());
            let outputs: Vec<Option<Known>> = graph.outputs.iter().map(output).collect();
            if mine {
                results.push(outputs);
            }
            let made = graph.nodes.iter().flat_map(|node| &node.outputs);
            made.chain(graph.constants.iter().map(|(name, _)| name)).for_each(|name| self.release(name));
        }
        let shapes =
            |outputs: &[Option<Known>]| outputs.iter().map(|k| k.as_ref().map(|k| k.dims.clone())).collect::<Vec<_>>();
        let outputs = match &results[..] {
            [] => node.outputs.iter().map(|_| None).collect(),
            [one] => one.clone(),
            [one, two, ..] if shapes(one) == shapes(two) => {
                one.iter().map(|known| known.as_ref().map(|known| Known::shape(known.dims.clone()))).collect()
            }
            _ => return Err(fail("which branch is taken depends on the recording, and their results differ in shape")),
        };
        if outputs.len() < node.outputs.len() || (taken && outputs.iter().any(Option::is_none)) {
            return Err(fail("a branch does not make all outputs"));
        }
        for (name, known) in node.outputs.iter().zip(outputs) {
            if !name.is_empty() {
                self.hold(name, known, &place(node))?;
            }
        }
        Ok(())
    }
}

/// The last operator that uses each value that an operator makes; those that a branch or an output uses have none.
fn last_uses(graph: &Graph) -> HashMap<&str, usize> {
    let mut last = HashMap::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        last.extend(node.outputs.iter().map(|name| (name.as_str(), at)));
        for name in &node.inputs {
            if let Some(last) = last.get_mut(name.as_str()) {
                *last = at;
            }
        }
    }
    fn forget<'a>(graph: &'a Graph, last: &mut HashMap<&'a str, usize>) {
        for node in &graph.nodes {
            for branch in node.attributes.iter().filter_map(|attribute| attribute.graph.as_ref()) {
                let used = branch.nodes.iter().flat_map(|node| &node.inputs);
                for name in used.chain(branch.outputs.iter().map(|port| &port.name)) {
                    last.remove(name.as_str());
                }
                forget(branch, last);
            }
        }
    }
    forget(graph, &mut last);
    for port in &graph.outputs {
        last.remove(port.name.as_str());
    }
    last
}

impl Known {
    /// A tensor of the file.
    fn constant(constant: &Constant) -> Known {
        Known { dims: constant.dims.clone(), integer: is_integer(constant.element), values: constant.values.clone() }
    }
}
