//! Pickles of NumPy arrays, dicts, lists and text. Data is read, nothing is run: the few functions that such a pickle
//! names (array and dtype construction, `_codecs.encode`) are recognised by name and stand for themselves; any other name
//! is an error. `serde-pickle` drops the arguments of these calls, and with them the type of an array's numbers.
//!
//! All containers lie in one list and refer to each other by index, so that neither deep nesting nor shared parts can
//! use up stack or memory: both are bounded by the file's size.

use std::{borrow::Cow, collections::HashMap};

/// A value on the stack: small, or the index of a [`Node`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    None,
    Bool(bool),
    Int(i64),
    Node(usize),
    Mark,
}

/// What has parts.
#[derive(Debug)]
enum Node<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    /// Bytes as text of code points below 256, decoded where they are used: a call costs a few bytes of file.
    Latin1(&'a str),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    Global(Global),
    /// `numpy.dtype(code)`, and its byte order once it is built.
    Dtype {
        code: &'a str,
        big_endian: bool,
    },
    /// An array, and its state once it is built: (version, shape, dtype, is_fortran, data).
    Array(Option<[Value; 5]>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Global {
    Reconstruct,
    Ndarray,
    Dtype,
    Encode,
}

/// A pickle that has been read.
#[derive(Debug)]
pub struct Pickle<'a> {
    nodes: Vec<Node<'a>>,
    root: Value,
}

type Result<T> = std::result::Result<T, String>;

/// Reads a pickle.
///
/// # Errors
/// In words, with the position: an end too early, an operation or a name that has no place in such a pickle.
pub fn load(bytes: &[u8]) -> Result<Pickle<'_>> {
    let mut machine = Machine { bytes, at: 0, stack: Vec::new(), memo: HashMap::new(), nodes: Vec::new() };
    let root = machine.run().map_err(|e| format!("pickle, byte {}: {e}", machine.at))?;
    Ok(Pickle { nodes: machine.nodes, root })
}

impl Pickle<'_> {
    /// The value as a whole.
    pub fn root(&self) -> Value {
        self.root
    }

    fn node(&self, value: Value) -> Option<&Node<'_>> {
        match value {
            Value::Node(i) => self.nodes.get(i),
            _ => None,
        }
    }

    /// Text, where it is that.
    pub fn text(&self, value: Value) -> Option<&str> {
        match self.node(value)? {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a dict.
    pub fn dict(&self, value: Value) -> Option<&[(Value, Value)]> {
        match self.node(value)? {
            Node::Dict(entries) => Some(entries),
            _ => None,
        }
    }

    fn tuple(&self, value: Value) -> Option<&[Value]> {
        match self.node(value)? {
            Node::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The items of an object array.
    pub fn objects(&self, value: Value) -> Option<&[Value]> {
        let Node::Array(Some([_, _, _, _, data])) = self.node(value)? else { return None };
        match self.node(*data)? {
            Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// Shape and numbers of an array of numbers, row by row.
    ///
    /// # Errors
    /// A type other than bool, int and float; data that does not have the shape's size.
    pub fn numbers(&self, value: Value) -> Result<(Vec<usize>, Vec<f64>)> {
        let Some(Node::Array(Some([_, shape, dtype, fortran, data]))) = self.node(value) else {
            return Err("it is no array".into());
        };
        let dimension = |v: &Value| match v {
            Value::Int(n) => usize::try_from(*n).ok(),
            _ => None,
        };
        let shape: Option<Vec<usize>> = self.tuple(*shape).and_then(|s| s.iter().map(dimension).collect());
        let shape = shape.filter(|s| s.len() <= 32).ok_or("the array's shape is no tuple of sizes")?;
        let latin1 =
            |text: &str| text.chars().map(|c| u8::try_from(u32::from(c))).collect::<std::result::Result<_, _>>();
        let data: Cow<'_, [u8]> = match self.node(*data) {
            Some(Node::Bytes(bytes)) => Cow::Borrowed(bytes),
            Some(Node::Latin1(text)) => Cow::Owned(latin1(text).map_err(|_| "text that is not latin-1")?),
            _ => return Err("the array holds no numbers".into()),
        };
        let Some(Node::Dtype { code, big_endian }) = self.node(*dtype) else {
            return Err("the array holds no numbers".into());
        };
        let (size, read) = reader(code, *big_endian).ok_or_else(|| format!("arrays of type `{code}` are not read"))?;
        let count = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).and_then(|n| n.checked_mul(size));
        if count != Some(data.len()) {
            return Err(format!("{} bytes for shape {shape:?} of type `{code}`", data.len()));
        }
        let values: Vec<f64> = data.chunks_exact(size).map(read).collect();
        Ok((shape.clone(), if *fortran == Value::Bool(true) { row_major(&values, &shape) } else { values }))
    }
}

type Read = Box<dyn Fn(&[u8]) -> f64>;

/// Bytes of a number, and how they are read.
fn reader(code: &str, big_endian: bool) -> Option<(usize, Read)> {
    macro_rules! number {
        ($type:ty) => {{
            const SIZE: usize = size_of::<$type>();
            let read = move |bytes: &[u8]| {
                let mut raw = [0; SIZE];
                raw.copy_from_slice(bytes);
                let value = if big_endian { <$type>::from_be_bytes(raw) } else { <$type>::from_le_bytes(raw) };
                value as f64
            };
            Some((SIZE, Box::new(read) as Read))
        }};
    }
    match code {
        "f4" => number!(f32),
        "f8" => number!(f64),
        "b1" | "u1" => number!(u8),
        "u2" => number!(u16),
        "u4" => number!(u32),
        "u8" => number!(u64),
        "i1" => number!(i8),
        "i2" => number!(i16),
        "i4" => number!(i32),
        "i8" => number!(i64),
        _ => None,
    }
}

/// From the first axis fastest to the last one fastest.
fn row_major(values: &[f64], shape: &[usize]) -> Vec<f64> {
    let mut index = vec![0; shape.len()];
    let mut out = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        let at = index.iter().zip(shape).rev().fold(0, |at, (i, n)| at * n + i);
        out.push(values[at]);
        for (i, n) in index.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < *n {
                break;
            }
            *i = 0;
        }
    }
    out
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    memo: HashMap<u32, Value>,
    nodes: Vec<Node<'a>>,
}

impl<'a> Machine<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let taken = self.at.checked_add(n).and_then(|end| self.bytes.get(self.at..end)).ok_or("the file ends here")?;
        self.at += n;
        Ok(taken)
    }

    /// A little-endian number of `n` bytes.
    fn number(&mut self, n: usize) -> Result<u64> {
        Ok(self.take(n)?.iter().rev().fold(0, |value, &b| value << 8 | u64::from(b)))
    }

    /// Bytes behind their count of `n` bytes.
    fn counted(&mut self, n: usize) -> Result<&'a [u8]> {
        let count = self.number(n)?;
        self.take(usize::try_from(count).map_err(|_| "a count beyond memory")?)
    }

    fn text(&mut self, n: usize) -> Result<()> {
        let text = std::str::from_utf8(self.counted(n)?).map_err(|_| "text that is not UTF-8")?;
        self.push(Node::Text(text));
        Ok(())
    }

    fn data(&mut self, n: usize) -> Result<()> {
        let bytes = self.counted(n)?;
        self.push(Node::Bytes(bytes));
        Ok(())
    }

    fn line(&mut self) -> Result<&'a str> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&b| b == b'\n').ok_or("a name without end")?;
        let line = std::str::from_utf8(self.take(length + 1)?).map_err(|_| "a name that is not UTF-8")?;
        Ok(line.trim_end_matches('\n'))
    }

    fn push(&mut self, node: Node<'a>) {
        self.stack.push(Value::Node(self.nodes.len()));
        self.nodes.push(node);
    }

    fn pop(&mut self) -> Result<Value> {
        match self.stack.pop() {
            None | Some(Value::Mark) => Err("nothing on the stack".into()),
            Some(value) => Ok(value),
        }
    }

    fn popped(&mut self, n: usize) -> Result<Vec<Value>> {
        let mut items = (0..n).map(|_| self.pop()).collect::<Result<Vec<_>>>()?;
        items.reverse();
        Ok(items)
    }

    fn since_mark(&mut self) -> Result<Vec<Value>> {
        let mark = self.stack.iter().rposition(|v| *v == Value::Mark).ok_or("no mark on the stack")?;
        let items = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(items)
    }

    fn top(&mut self) -> Result<&mut Node<'a>> {
        match self.stack.last() {
            Some(&Value::Node(i)) => Ok(&mut self.nodes[i]),
            _ => Err("nothing on the stack that has parts".into()),
        }
    }

    fn extend_list(&mut self, items: Vec<Value>) -> Result<()> {
        match self.top()? {
            Node::List(list) => list.extend(items),
            _ => return Err("an item for what is no list".into()),
        }
        Ok(())
    }

    fn extend_dict(&mut self, items: Vec<Value>) -> Result<()> {
        match self.top()? {
            Node::Dict(dict) => dict.extend(items.as_chunks::<2>().0.iter().map(|[k, v]| (*k, *v))),
            _ => return Err("an entry for what is no dict".into()),
        }
        Ok(())
    }

    fn run(&mut self) -> Result<Value> {
        loop {
            let operation = self.take(1)?[0];
            match operation {
                0x80 => drop(self.take(1)?),
                0x95 => drop(self.take(8)?),
                b'.' => return self.pop(),
                b'(' => self.stack.push(Value::Mark),
                b'N' => self.stack.push(Value::None),
                0x88 => self.stack.push(Value::Bool(true)),
                0x89 => self.stack.push(Value::Bool(false)),
                b'J' => {
                    let value = self.number(4)? as u32 as i32;
                    self.stack.push(Value::Int(i64::from(value)));
                }
                b'K' => self.int(1)?,
                b'M' => self.int(2)?,
                0x8a => {
                    let bytes = self.counted(1)?;
                    let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
                    let start = if negative { -1 } else { 0 };
                    if bytes.len() > 8 {
                        return Err("a number beyond 64 bits".into());
                    }
                    self.stack.push(Value::Int(bytes.iter().rev().fold(start, |v, &b| v << 8 | i64::from(b))));
                }
                b'X' => self.text(4)?,
                0x8c => self.text(1)?,
                0x8d => self.text(8)?,
                b'C' => self.data(1)?,
                b'B' => self.data(4)?,
                0x8e => self.data(8)?,
                b')' => self.push(Node::Tuple(Vec::new())),
                0x85..=0x87 => {
                    let items = self.popped(usize::from(operation - 0x84))?;
                    self.push(Node::Tuple(items));
                }
                b't' => {
                    let items = self.since_mark()?;
                    self.push(Node::Tuple(items));
                }
                b']' => self.push(Node::List(Vec::new())),
                b'a' | b'e' => {
                    let items = if operation == b'a' { self.popped(1)? } else { self.since_mark()? };
                    self.extend_list(items)?;
                }
                b'}' => self.push(Node::Dict(Vec::new())),
                b's' | b'u' => {
                    let items = if operation == b's' { self.popped(2)? } else { self.since_mark()? };
                    self.extend_dict(items)?;
                }
                b'q' | b'r' | 0x94 => {
                    let key = match operation {
                        b'q' => self.number(1)? as u32,
                        b'r' => self.number(4)? as u32,
                        _ => self.memo.len() as u32,
                    };
                    let value = *self.stack.last().ok_or("nothing on the stack")?;
                    self.memo.insert(key, value);
                }
                b'h' | b'j' => {
                    let key = self.number(if operation == b'h' { 1 } else { 4 })? as u32;
                    let value = *self.memo.get(&key).ok_or("a reference to nothing")?;
                    self.stack.push(value);
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.global(module, name)?;
                }
                0x93 => {
                    let names = self.popped(2)?;
                    let text = |v: &Value| match self.of(*v) {
                        Some(&Node::Text(text)) => Ok(text),
                        _ => Err("a name that is no text"),
                    };
                    let (module, name) = (text(&names[0])?, text(&names[1])?);
                    self.global(module, name)?;
                }
                b'R' => self.reduce()?,
                b'b' => self.build()?,
                other => return Err(format!("operation {other:#04x}, which no file of arrays has")),
            }
        }
    }

    fn int(&mut self, size: usize) -> Result<()> {
        let value = self.number(size)? as i64;
        self.stack.push(Value::Int(value));
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Result<()> {
        let global = match (module, name) {
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => Global::Reconstruct,
            ("numpy", "ndarray") => Global::Ndarray,
            ("numpy", "dtype") => Global::Dtype,
            ("_codecs", "encode") => Global::Encode,
            _ => return Err(format!("it names `{module}.{name}`; only NumPy arrays are read, and nothing is run")),
        };
        self.push(Node::Global(global));
        Ok(())
    }

    fn of(&self, value: Value) -> Option<&Node<'a>> {
        match value {
            Value::Node(i) => self.nodes.get(i),
            _ => None,
        }
    }

    fn reduce(&mut self) -> Result<()> {
        let (arguments, callee) = (self.pop()?, self.pop()?);
        let (Some(Node::Global(callee)), Some(Node::Tuple(arguments))) = (self.of(callee), self.of(arguments)) else {
            return Err("a call of what is no function".into());
        };
        let first = arguments.first().and_then(|v| self.of(*v));
        let node = match (callee, first) {
            (Global::Reconstruct, Some(Node::Global(Global::Ndarray))) => Node::Array(None),
            (Global::Dtype, Some(&Node::Text(code))) => Node::Dtype { code, big_endian: false },
            // Bytes as protocol 2 writes them: text of code points below 256.
            (Global::Encode, Some(&Node::Text(text))) => Node::Latin1(text),
            _ => return Err(format!("a call of {callee:?} with other arguments than NumPy writes")),
        };
        self.push(node);
        Ok(())
    }

    fn build(&mut self) -> Result<()> {
        let state = self.pop()?;
        let Some(Node::Tuple(state)) = self.of(state) else { return Err("a state that is no tuple".into()) };
        let parts = <[Value; 5]>::try_from(&state[..]).ok();
        let big = matches!(state.get(1).and_then(|v| self.of(*v)), Some(Node::Text(">")));
        match (self.top()?, parts) {
            (Node::Dtype { big_endian, .. }, _) => *big_endian = big,
            (Node::Array(to), Some(parts)) => *to = Some(parts),
            _ => return Err("a state for what has none".into()),
        }
        Ok(())
    }
}
