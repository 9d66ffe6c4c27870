//! An ONNX file as far as this crate has to know it: operators, shapes, constants' sizes. Reads nothing that the file only claims: a length
//! that reaches beyond what is around it is an error, so that the runtime, which reads the same bytes afterwards, meets none.

use std::fmt;

use crate::limits;

mod wire;

use wire::Fields;

/// What is wrong with the bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage(pub String);

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

type Result<T> = std::result::Result<T, Damage>;

fn damage<T>(what: impl Into<String>) -> Result<T> {
    Err(Damage(what.into()))
}

/// A model.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub graph: Graph,
    /// `metadata_props`.
    pub metadata: Vec<(String, String)>,
}

/// A graph, or the branch of an `If`.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// Operators in the order of the file, without `Constant`.
    pub nodes: Vec<Node>,
    /// Initializers and the values of `Constant`.
    pub constants: Vec<(String, Constant)>,
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
}

/// An input or output of a graph.
#[derive(Debug, Clone, Default)]
pub(crate) struct Port {
    pub name: String,
    /// Sizes as far as the file says them; none where it says no shape.
    pub dims: Option<Vec<Option<u64>>>,
    /// `TensorProto.DataType`, 0 where the file says none.
    pub element: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Node {
    pub op: String,
    pub domain: String,
    pub name: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub attributes: Vec<Attribute>,
}

#[derive(Debug, Default)]
pub(crate) struct Attribute {
    pub name: String,
    pub int: Option<i64>,
    pub float: Option<f32>,
    pub text: Option<String>,
    pub ints: Vec<i64>,
    pub floats: Vec<f32>,
    pub tensor: Option<Constant>,
    pub graph: Option<Graph>,
}

/// A tensor of the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Constant {
    pub dims: Vec<u64>,
    /// `TensorProto.DataType`.
    pub element: u64,
    /// Values of a small tensor, if it is not external.
    pub values: Option<Vec<f64>>,
    pub external: Option<External>,
}

/// Where the data of a tensor lies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct External {
    pub location: String,
    pub offset: u64,
    pub length: u64,
}

pub(crate) const FLOAT: u64 = 1;
const UINT8: u64 = 2;
const INT8: u64 = 3;
const INT32: u64 = 6;
pub(crate) const INT64: u64 = 7;
pub(crate) const BOOL: u64 = 9;
const FLOAT16: u64 = 10;
pub(crate) const DOUBLE: u64 = 11;

/// Whether arithmetic on elements of a type is that of integers.
pub(crate) fn is_integer(element: u64) -> bool {
    !matches!(element, FLOAT | FLOAT16 | DOUBLE)
}

fn element_size(element: u64) -> Option<u64> {
    match element {
        FLOAT | INT32 => Some(4),
        UINT8 | INT8 | BOOL => Some(1),
        INT64 | DOUBLE => Some(8),
        FLOAT16 => Some(2),
        _ => None,
    }
}

/// Product of sizes; none where it is beyond 64 bits.
pub(crate) fn elements(dims: &[u64]) -> Option<u64> {
    dims.iter().try_fold(1_u64, |product, &dim| product.checked_mul(dim))
}

/// Puts a value into a field that may be there once: two readers may disagree on which of two counts.
fn once<T>(slot: &mut Option<T>, value: T, what: &str) -> Result<()> {
    if slot.replace(value).is_some() {
        return damage(format!("{what} is there twice"));
    }
    Ok(())
}

/// Reads a model.
pub(crate) fn model(bytes: &[u8]) -> Result<Model> {
    let mut fields = Fields { bytes };
    let (mut graph, mut version) = (None, None);
    let mut model = Model::default();
    let mut nodes = limits::NODES;
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => once(&mut version, value.number()?, "ir_version")?,
            7 => once(&mut graph, read_graph(value.bytes()?, 0, &mut nodes)?, "the graph")?,
            8 => check_opset(value.bytes()?)?,
            14 => model.metadata.push(read_entry(value.bytes()?)?),
            _ => {}
        }
    }
    if version.is_none() {
        return damage("there is no ir_version: this is no ONNX file");
    }
    match graph {
        None => damage("there is no graph: this is no ONNX file"),
        Some(graph) => Ok(Model { graph, ..model }),
    }
}

fn check_opset(bytes: &[u8]) -> Result<()> {
    let mut fields = Fields { bytes };
    while let Some((number, value)) = fields.next()? {
        if number == 1 {
            value.text()?;
        }
    }
    Ok(())
}

/// A `StringStringEntryProto`.
fn read_entry(bytes: &[u8]) -> Result<(String, String)> {
    let mut fields = Fields { bytes };
    let (mut key, mut text) = (String::new(), String::new());
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => key = value.text()?,
            2 => text = value.text()?,
            _ => {}
        }
    }
    Ok((key, text))
}

fn read_graph(bytes: &[u8], depth: usize, nodes: &mut usize) -> Result<Graph> {
    if depth > limits::DEPTH {
        return damage(format!("branches lie more than {} deep in one another", limits::DEPTH));
    }
    let mut fields = Fields { bytes };
    let mut graph = Graph::default();
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => {
                let Some(left) = nodes.checked_sub(1) else {
                    return damage(format!("the graph has more than {} operators", limits::NODES));
                };
                *nodes = left;
                let node = read_node(value.bytes()?, depth, nodes)?;
                if node.op == "Constant" {
                    graph.constants.push(constant_node(node)?);
                } else {
                    graph.nodes.push(node);
                }
            }
            5 => graph.constants.push(read_tensor(value.bytes()?)?),
            11 => graph.inputs.push(read_port(value.bytes()?)?),
            12 => graph.outputs.push(read_port(value.bytes()?)?),
            13 => drop(read_port(value.bytes()?)?),
            15 => return damage("it has sparse tensors, which are not supported"),
            _ => {}
        }
    }
    Ok(graph)
}

fn read_node(bytes: &[u8], depth: usize, nodes: &mut usize) -> Result<Node> {
    let mut fields = Fields { bytes };
    let (mut op, mut name, mut domain) = (None, None, None);
    let mut node = Node::default();
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => node.inputs.push(value.text()?),
            2 => node.outputs.push(value.text()?),
            3 => once(&mut name, value.text()?, "the name of an operator")?,
            4 => once(&mut op, value.text()?, "the type of an operator")?,
            5 => node.attributes.push(read_attribute(value.bytes()?, depth, nodes)?),
            7 => once(&mut domain, value.text()?, "the domain of an operator")?,
            _ => {}
        }
    }
    for (at, attribute) in node.attributes.iter().enumerate() {
        if node.attributes[..at].iter().any(|other| other.name == attribute.name) {
            return damage(format!("an operator has the attribute `{}` twice", attribute.name));
        }
    }
    let (op, name, domain) = (op.unwrap_or_default(), name.unwrap_or_default(), domain.unwrap_or_default());
    Ok(Node { op, name, domain, ..node })
}

fn read_attribute(bytes: &[u8], depth: usize, nodes: &mut usize) -> Result<Attribute> {
    let mut fields = Fields { bytes };
    let mut out = Attribute::default();
    let mut name = None;
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => once(&mut name, value.text()?, "the name of an attribute")?,
            2 => once(&mut out.float, value.float()?, "an attribute's value")?,
            3 => once(&mut out.int, value.number()? as i64, "an attribute's value")?,
            4 => once(&mut out.text, value.text()?, "an attribute's value")?,
            5 => once(&mut out.tensor, read_tensor(value.bytes()?)?.1, "an attribute's value")?,
            6 => once(&mut out.graph, read_graph(value.bytes()?, depth + 1, nodes)?, "an attribute's value")?,
            7 => value.floats(|float| out.floats.push(float))?,
            8 => value.numbers(|number| out.ints.push(number as i64))?,
            10 | 11 => return damage("an attribute holds several tensors or graphs, which is not supported"),
            _ => {}
        }
    }
    out.name = name.unwrap_or_default();
    Ok(out)
}

fn constant_node(node: Node) -> Result<(String, Constant)> {
    let ([name], [attribute]) = (&node.outputs[..], &node.attributes[..]) else {
        return damage("a Constant has another number of outputs or values than one");
    };
    let list = |values: Vec<f64>, element, dims| Constant { dims, element, values: Some(values), external: None };
    let (ints, floats) = (&attribute.ints, &attribute.floats);
    let constant = match (attribute.name.as_str(), &attribute.tensor, attribute.int, attribute.float) {
        ("value", Some(tensor), ..) => tensor.clone(),
        ("value_int", _, Some(int), _) => list(vec![int as f64], INT64, vec![]),
        ("value_float", .., Some(float)) => list(vec![f64::from(float)], FLOAT, vec![]),
        ("value_ints", ..) => list(ints.iter().map(|&i| i as f64).collect(), INT64, vec![ints.len() as u64]),
        ("value_floats", ..) => list(floats.iter().map(|&f| f64::from(f)).collect(), FLOAT, vec![floats.len() as u64]),
        (other, ..) => return damage(format!("a Constant has its value in `{other}`, which is not supported")),
    };
    Ok((name.clone(), constant))
}

fn read_port(bytes: &[u8]) -> Result<Port> {
    let mut fields = Fields { bytes };
    let mut port = Port::default();
    let (mut name, mut kind) = (None, None);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => once(&mut name, value.text()?, "the name of a value")?,
            2 => once(&mut kind, value.bytes()?, "the type of a value")?,
            _ => {}
        }
    }
    port.name = name.unwrap_or_default();
    let mut fields = Fields { bytes: kind.unwrap_or_default() };
    let mut tensor = None;
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => once(&mut tensor, value.bytes()?, "the type of a value")?,
            6 => {}
            _ => return damage(format!("`{}` is no tensor", port.name)),
        }
    }
    let mut fields = Fields { bytes: tensor.unwrap_or_default() };
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => port.element = value.number()?,
            2 => once(&mut port.dims, read_dims(value.bytes()?)?, "the shape of a value")?,
            _ => {}
        }
    }
    Ok(port)
}

/// A `TensorShapeProto`.
fn read_dims(bytes: &[u8]) -> Result<Vec<Option<u64>>> {
    let mut fields = Fields { bytes };
    let mut dims = Vec::new();
    while let Some((number, value)) = fields.next()? {
        if number != 1 {
            continue;
        }
        let mut inner = Fields { bytes: value.bytes()? };
        let mut size = None;
        while let Some((number, value)) = inner.next()? {
            match number {
                1 => size = u64::try_from(value.number()? as i64).ok(),
                2 => drop(value.text()?),
                _ => {}
            }
        }
        dims.push(size);
    }
    Ok(dims)
}

/// A `TensorProto`, whose data has the size that its dimensions say.
fn read_tensor(bytes: &[u8]) -> Result<(String, Constant)> {
    let mut fields = Fields { bytes };
    let mut out = Constant::default();
    let (mut name, mut element, mut raw, mut location) = (None, None, None, None);
    let (mut typed, mut entries) = (Vec::new(), Vec::new());
    let mut count = 0_u64;
    // Values beyond the first few are counted only.
    let mut push = |value: f64| {
        count += 1;
        if count <= limits::VALUES {
            typed.push(value);
        }
    };
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => value.numbers(|dim| out.dims.push(dim))?,
            2 => once(&mut element, value.number()?, "the type of a tensor")?,
            3 => return damage("a tensor is in segments, which is not supported"),
            4 => value.floats(|float| push(f64::from(float)))?,
            5 => value.numbers(|number| push(f64::from(number as i32)))?,
            7 => value.numbers(|number| push(number as i64 as f64))?,
            8 => once(&mut name, value.text()?, "the name of a tensor")?,
            9 => once(&mut raw, value.bytes()?, "the data of a tensor")?,
            10 => value.doubles(&mut push)?,
            13 => entries.push(read_entry(value.bytes()?)?),
            14 => once(&mut location, value.number()?, "the place of a tensor")?,
            _ => {}
        }
    }
    let name = name.unwrap_or_default();
    out.element = element.unwrap_or_default();
    let Some(size) = element_size(out.element) else {
        return damage(format!("tensor `{name}` has elements of type {}, which is not supported", out.element));
    };
    let declared = elements(&out.dims).filter(|_| out.dims.len() <= limits::RANK);
    let bytes = declared.and_then(|count| count.checked_mul(size));
    let (Some(declared), Some(bytes)) = (declared, bytes) else {
        return damage(format!("tensor `{name}` has the shape {:?}, more than there can be", out.dims));
    };
    let wrong = |found: u64, what: &str| {
        damage(format!("tensor `{name}` of shape {:?} needs {bytes} bytes and {what} {found}", out.dims))
    };
    if location == Some(1) {
        let external = read_external(&name, &entries)?;
        if external.length != bytes {
            return wrong(external.length, "its external data has");
        }
        out.external = Some(external);
        return Ok((name, out));
    }
    match raw {
        Some(raw) if raw.len() as u64 != bytes => return wrong(raw.len() as u64, "has"),
        Some(raw) if declared <= limits::VALUES => out.values = raw_values(raw, out.element),
        Some(_) => {}
        None if count != declared => {
            return damage(format!("tensor `{name}` of shape {:?} has {count} values", out.dims));
        }
        None if out.element == FLOAT16 || count > limits::VALUES => {}
        None => out.values = Some(typed),
    }
    Ok((name, out))
}

fn raw_values(raw: &[u8], element: u64) -> Option<Vec<f64>> {
    Some(match element {
        FLOAT => raw.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect(),
        DOUBLE => raw.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
        INT32 => raw.as_chunks().0.iter().map(|b| f64::from(i32::from_le_bytes(*b))).collect(),
        INT64 => raw.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as f64).collect(),
        INT8 => raw.iter().map(|&b| f64::from(b as i8)).collect(),
        UINT8 => raw.iter().map(|&b| f64::from(b)).collect(),
        BOOL => raw.iter().map(|&b| f64::from(u8::from(b != 0))).collect(),
        _ => return None,
    })
}

fn read_external(tensor: &str, entries: &[(String, String)]) -> Result<External> {
    let find = |wanted: &str| match entries.iter().filter(|(key, _)| key == wanted).collect::<Vec<_>>()[..] {
        [(_, text)] => Ok(text),
        _ => damage(format!("tensor `{tensor}` has external data without one `{wanted}`")),
    };
    let number = |wanted: &str| match find(wanted)?.parse() {
        Ok(number) => Ok(number),
        Err(_) => damage(format!("tensor `{tensor}` has external data whose `{wanted}` is no number")),
    };
    Ok(External { location: find("location")?.clone(), offset: number("offset")?, length: number("length")? })
}
