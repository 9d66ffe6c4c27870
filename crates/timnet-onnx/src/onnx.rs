//! The part of ONNX that is needed. Field numbers are those of `onnx.proto` (ONNX 1.12, IR version 8).

use std::collections::BTreeMap;

use crate::protobuf::Message;

const IR_VERSION: i64 = 8;
const OPSET: i64 = 17;
/// `TensorProto.DataType.FLOAT` and `INT64`.
const FLOAT: i64 = 1;
const INT64: i64 = 7;

/// An attribute of a node.
pub(crate) enum Attribute<'a> {
    Int(i64),
    Float(f32),
    Ints(&'a [i64]),
}

/// A dimension of an input or output.
pub(crate) enum Dim {
    Free(&'static str),
    Fixed(usize),
}

/// A graph being built; values are named by the node that makes them.
#[derive(Default)]
pub(crate) struct Graph {
    nodes: Vec<Message>,
    tensors: Vec<Message>,
}

impl Graph {
    /// Adds a node with one output, `name`, and returns that name.
    pub(crate) fn node(
        &mut self,
        op: &str,
        name: impl Into<String>,
        inputs: &[&str],
        attributes: &[(&str, Attribute<'_>)],
    ) -> String {
        let name = name.into();
        let mut node = Message::default();
        for input in inputs {
            node = node.bytes(1, input);
        }
        node = node.bytes(2, &name).bytes(3, &name).bytes(4, op);
        self.nodes.push(node.messages(5, attributes.iter().map(|(key, value)| attribute(key, value))));
        name
    }

    /// Adds a constant and returns its name.
    pub(crate) fn floats(&mut self, name: impl Into<String>, shape: &[usize], values: &[f32]) -> String {
        let name = name.into();
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensors.push(tensor(&name, shape, FLOAT, &bytes));
        name
    }

    /// Adds an index constant without dimensions and returns its name.
    pub(crate) fn index(&mut self, name: &str, value: i64) -> String {
        self.tensors.push(tensor(name, &[], INT64, &value.to_le_bytes()));
        name.to_owned()
    }

    /// The file.
    pub(crate) fn finish(
        self,
        (input, input_shape): (&str, &[Dim]),
        (output, output_shape): (&str, &[Dim]),
        metadata: &BTreeMap<String, String>,
    ) -> Vec<u8> {
        let graph = Message::default()
            .messages(1, self.nodes)
            .bytes(2, "TIM-Net")
            .messages(5, self.tensors)
            .message(11, value(input, input_shape))
            .message(12, value(output, output_shape));
        Message::default()
            .int(1, IR_VERSION)
            .bytes(2, env!("CARGO_PKG_NAME"))
            .bytes(3, env!("CARGO_PKG_VERSION"))
            .message(7, graph)
            .message(8, Message::default().bytes(1, "").int(2, OPSET))
            .messages(14, metadata.iter().map(|(key, value)| Message::default().bytes(1, key).bytes(2, value)))
            .into_bytes()
    }
}

fn attribute(name: &str, value: &Attribute<'_>) -> Message {
    let attribute = Message::default().bytes(1, name);
    match value {
        Attribute::Float(value) => attribute.float(2, *value).int(20, 1),
        Attribute::Int(value) => attribute.int(3, *value).int(20, 2),
        Attribute::Ints(values) => values.iter().fold(attribute, |a, value| a.int(8, *value)).int(20, 7),
    }
}

fn tensor(name: &str, shape: &[usize], kind: i64, bytes: &[u8]) -> Message {
    let dims = shape.iter().fold(Message::default(), |message, &dim| message.int(1, dim as i64));
    dims.int(2, kind).bytes(8, name).bytes(9, bytes)
}

fn value(name: &str, shape: &[Dim]) -> Message {
    let dims = shape.iter().map(|dim| match dim {
        Dim::Fixed(value) => Message::default().int(1, *value as i64),
        Dim::Free(name) => Message::default().bytes(2, name),
    });
    let tensor = Message::default().int(1, FLOAT).message(2, Message::default().messages(1, dims));
    Message::default().bytes(1, name).message(2, Message::default().message(1, tensor))
}
