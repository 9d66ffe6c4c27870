//! Writes small ONNX files.
#![allow(dead_code)] // each test file uses a part

use std::path::{Path, PathBuf};

/// A message of Protocol Buffers.
#[derive(Clone, Default)]
pub struct Message(pub Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value > 127 {
            self.0.push(value as u8 | 128);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub fn number(mut self, field: u64, value: u64) -> Message {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    pub fn bytes(mut self, field: u64, bytes: &[u8]) -> Message {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    pub fn text(self, field: u64, text: &str) -> Message {
        self.bytes(field, text.as_bytes())
    }
}

/// A graph: inputs, nodes and constants, outputs, in this order.
#[derive(Clone, Default)]
pub struct Graph(Message);

pub const FLOAT: u64 = 1;
pub const INT64: u64 = 7;

impl Graph {
    /// `dims`: a size, or none for one that is not fixed.
    fn port(self, field: u64, name: &str, element: u64, dims: &[Option<u64>]) -> Graph {
        let mut shape = Message::default();
        for dim in dims {
            let dim = dim.map_or(Message::default().text(2, "n"), |size| Message::default().number(1, size));
            shape = shape.bytes(1, &dim.0);
        }
        let tensor = Message::default().number(1, element).bytes(2, &shape.0);
        let kind = Message::default().bytes(1, &tensor.0);
        Graph(self.0.bytes(field, &Message::default().text(1, name).bytes(2, &kind.0).0))
    }

    /// A graph of samples `x` [1, n].
    pub fn of_samples() -> Graph {
        Graph::default().port(11, "x", FLOAT, &[Some(1), None])
    }

    pub fn input(self, name: &str, element: u64, dims: &[Option<u64>]) -> Graph {
        self.port(11, name, element, dims)
    }

    /// An output, whose shape is not said.
    pub fn output(self, name: &str) -> Graph {
        Graph(self.0.bytes(12, &Message::default().text(1, name).0))
    }

    pub fn node(self, op: &str, inputs: &[&str], outputs: &[&str], attributes: &[Message]) -> Graph {
        let mut node = Message::default().text(4, op);
        node = inputs.iter().fold(node, |node, name| node.text(1, name));
        node = outputs.iter().fold(node, |node, name| node.text(2, name));
        node = attributes.iter().fold(node, |node, attribute| node.bytes(5, &attribute.0));
        Graph(self.0.bytes(1, &node.0))
    }

    pub fn tensor(self, tensor: Message) -> Graph {
        Graph(self.0.bytes(5, &tensor.0))
    }

    pub fn ints(self, name: &str, dims: &[u64], values: &[i64]) -> Graph {
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(shaped(name, INT64, dims).bytes(9, &raw))
    }

    pub fn floats(self, name: &str, dims: &[u64], values: &[f32]) -> Graph {
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(shaped(name, FLOAT, dims).bytes(9, &raw))
    }

    pub fn message(&self) -> &Message {
        &self.0
    }

    /// A whole file.
    pub fn file(&self) -> Vec<u8> {
        let opset = Message::default().text(1, "").number(2, 17);
        Message::default().number(1, 8).bytes(8, &opset.0).bytes(7, &self.0.0).0
    }

    /// Writes the file into a folder.
    pub fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("model.onnx");
        std::fs::write(&path, self.file()).unwrap();
        path
    }
}

/// A tensor without data.
pub fn shaped(name: &str, element: u64, dims: &[u64]) -> Message {
    let tensor = dims.iter().fold(Message::default(), |tensor, &dim| tensor.number(1, dim));
    tensor.number(2, element).text(8, name)
}

/// The tensor with its data in a file.
pub fn external(name: &str, dims: &[u64], location: &str, offset: &str, length: &str) -> Message {
    let entry = |key: &str, value: &str| Message::default().text(1, key).text(2, value).0;
    let tensor = shaped(name, FLOAT, dims).number(14, 1);
    [("location", location), ("offset", offset), ("length", length)]
        .iter()
        .fold(tensor, |t, (k, v)| t.bytes(13, &entry(k, v)))
}

pub fn int(name: &str, value: i64) -> Message {
    Message::default().text(1, name).number(3, value as u64).number(20, 2)
}

pub fn ints(name: &str, values: &[i64]) -> Message {
    values.iter().fold(Message::default().text(1, name), |m, &value| m.number(8, value as u64)).number(20, 7)
}

pub fn branch(name: &str, graph: &Graph) -> Message {
    Message::default().text(1, name).bytes(6, &graph.message().0).number(20, 5)
}

/// Samples as frames of one value each: `y` [1, n, 1].
pub fn frames() -> Graph {
    Graph::of_samples().ints("last", &[1], &[-1]).node("Unsqueeze", &["x", "last"], &["y"], &[])
}
