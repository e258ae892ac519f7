//! Nodes and tensors of an ONNX file as [`mod@super::weigh`] needs them. The file has passed [`super::inspect`]'s checks of its
//! form, so that what is strange here is passed over.

use super::{
    proto::{
        ATTRIBUTE_TENSOR, NODE_ATTRIBUTE, NODE_INPUT, NODE_OPERATOR, NODE_OUTPUT, Problem, TENSOR_DIMS,
        TENSOR_FLOATS, TENSOR_INT32S, TENSOR_INT64S, TENSOR_NAME, TENSOR_RAW, TENSOR_TYPE, text,
    },
    wire::{self, Fields, Value},
};

const NODE_DOMAIN: u64 = 7;
const ATTRIBUTE_NAME: u64 = 1;
const ATTRIBUTE_FLOAT: u64 = 2;
const ATTRIBUTE_INT: u64 = 3;
const ATTRIBUTE_STRING: u64 = 4;
const ATTRIBUTE_FLOATS: u64 = 7;
const ATTRIBUTE_INTS: u64 = 8;

/// An operation.
#[derive(Debug, Default)]
pub(in crate::detect) struct Node<'a> {
    pub(super) operator: &'a str,
    pub(super) domain: &'a str,
    pub(super) inputs: Vec<&'a str>,
    pub(super) outputs: Vec<&'a str>,
    attributes: Vec<Attribute<'a>>,
}

#[derive(Debug, Default)]
struct Attribute<'a> {
    name: &'a str,
    numbers: Vec<f64>,
    string: &'a [u8],
    tensor: Option<Tensor<'a>>,
}

/// Constant values.
#[derive(Debug, Default)]
pub(in crate::detect) struct Tensor<'a> {
    pub(super) name: &'a str,
    pub(super) dims: Vec<u64>,
    pub(super) element: u64,
    raw: Option<&'a [u8]>,
    listed: Vec<f64>,
}

/// Numbers kept of a list: more are no shape.
const MOST_LISTED: usize = 4096;

impl<'a> Node<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Problem> {
        let mut node = Self::default();
        for field in Fields::new(bytes) {
            match field.map(|f| (f.number, f.value))? {
                (NODE_INPUT, Value::Bytes(name)) => node.inputs.push(text(name)?),
                (NODE_OUTPUT, Value::Bytes(name)) => node.outputs.push(text(name)?),
                (NODE_OPERATOR, Value::Bytes(name)) => node.operator = text(name)?,
                (NODE_DOMAIN, Value::Bytes(name)) => node.domain = text(name)?,
                (NODE_ATTRIBUTE, Value::Bytes(attribute)) => {
                    let attribute = Attribute::read(attribute)?;
                    if node.attribute(attribute.name).is_some() {
                        return Err(format!("it gives '{}' twice", attribute.name));
                    }
                    node.attributes.push(attribute);
                }
                _ => {}
            }
        }
        Ok(node)
    }

    fn attribute(&self, name: &str) -> Option<&Attribute<'a>> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The numbers of an attribute; `None` where it is not given.
    pub(super) fn numbers(&self, name: &str) -> Option<&[f64]> {
        self.attribute(name).map(|attribute| attribute.numbers.as_slice())
    }

    /// The only number of an attribute, or `otherwise`.
    pub(super) fn number(&self, name: &str, otherwise: f64) -> f64 {
        self.numbers(name).and_then(|numbers| numbers.first().copied()).unwrap_or(otherwise)
    }

    /// The text of an attribute; empty where it is not given.
    pub(super) fn string(&self, name: &str) -> &[u8] {
        self.attribute(name).map_or(&[], |attribute| attribute.string)
    }

    pub(super) fn tensor(&self, name: &str) -> Option<&Tensor<'a>> {
        self.attribute(name)?.tensor.as_ref()
    }
}

impl<'a> Attribute<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Problem> {
        let mut attribute = Self::default();
        let mut given = [false; ATTRIBUTE_TENSOR as usize + 1];
        for field in Fields::new(bytes) {
            let field = field?;
            // Of a value that is there twice readers take the first, the last, or both joined.
            if let ATTRIBUTE_NAME..=ATTRIBUTE_TENSOR = field.number
                && std::mem::replace(&mut given[field.number as usize], true)
            {
                return Err("it gives a value twice".into());
            }
            match (field.number, field.value) {
                (ATTRIBUTE_NAME, Value::Bytes(name)) => attribute.name = text(name)?,
                (ATTRIBUTE_FLOAT | ATTRIBUTE_FLOATS, Value::Fixed(bytes)) => {
                    push_floats(&mut attribute.numbers, bytes);
                }
                (ATTRIBUTE_FLOATS, Value::Bytes(packed)) => push_floats(&mut attribute.numbers, packed),
                (ATTRIBUTE_INT | ATTRIBUTE_INTS, Value::Number(value)) => {
                    push_ints(&mut attribute.numbers, [value]);
                }
                (ATTRIBUTE_INTS, Value::Bytes(packed)) => {
                    push_ints(&mut attribute.numbers, wire::varints(packed, MOST_LISTED)?);
                }
                (ATTRIBUTE_STRING, Value::Bytes(string)) => attribute.string = string,
                (ATTRIBUTE_TENSOR, Value::Bytes(tensor)) => attribute.tensor = Some(Tensor::read(tensor)?),
                _ => {}
            }
        }
        Ok(attribute)
    }
}

impl<'a> Tensor<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Problem> {
        let mut tensor = Self::default();
        for field in Fields::new(bytes) {
            match field.map(|f| (f.number, f.value))? {
                (TENSOR_NAME, Value::Bytes(name)) => tensor.name = text(name)?,
                (TENSOR_TYPE, Value::Number(code)) => tensor.element = code,
                (TENSOR_RAW, Value::Bytes(data)) => tensor.raw = Some(data),
                (TENSOR_DIMS, Value::Number(dim)) => tensor.dims.push(dim),
                (TENSOR_DIMS, Value::Bytes(packed)) => {
                    tensor.dims.extend(wire::varints(packed, MOST_LISTED)?);
                }
                (TENSOR_FLOATS, Value::Bytes(packed) | Value::Fixed(packed)) => {
                    push_floats(&mut tensor.listed, packed);
                }
                (TENSOR_INT32S | TENSOR_INT64S, Value::Bytes(packed)) => {
                    push_ints(&mut tensor.listed, wire::varints(packed, MOST_LISTED)?);
                }
                (TENSOR_INT32S | TENSOR_INT64S, Value::Number(value)) => {
                    push_ints(&mut tensor.listed, [value]);
                }
                _ => {}
            }
        }
        Ok(tensor)
    }

    /// Its values, where it is of a type that shapes and scales have.
    pub(super) fn values(&self) -> Option<Vec<f64>> {
        let Some(raw) = self.raw else { return Some(self.listed.clone()) };
        match self.element {
            1 => Some(words(raw).map(|b| f64::from(f32::from_le_bytes(b))).collect()),
            6 => Some(words(raw).map(|b| f64::from(i32::from_le_bytes(b))).collect()),
            7 => Some(words(raw).map(|b| i64::from_le_bytes(b) as f64).collect()),
            11 => Some(words(raw).map(f64::from_le_bytes).collect()),
            9 => Some(raw.iter().map(|b| f64::from(*b)).collect()),
            _ => None,
        }
    }
}

/// The whole words of `N` bytes.
fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.chunks_exact(N).filter_map(|word| word.try_into().ok())
}

fn push_floats(list: &mut Vec<f64>, bytes: &[u8]) {
    let room = MOST_LISTED.saturating_sub(list.len());
    list.extend(words(bytes).take(room).map(|b| f64::from(f32::from_le_bytes(b))));
}

fn push_ints(list: &mut Vec<f64>, values: impl IntoIterator<Item = u64>) {
    let room = MOST_LISTED.saturating_sub(list.len());
    list.extend(values.into_iter().take(room).map(|value| value.cast_signed() as f64));
}
