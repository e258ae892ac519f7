//! How much memory and work one run of a network takes, told from its file before an engine sees it.
//!
//! A file of two hundred bytes can ask for a tensor of four terabytes. So the shape of every tensor is computed
//! here for one size of the frame, and with it the most bytes that are needed at a time and the number of
//! multiplications. Shapes that are computed while the network runs are followed too, as far as they come from
//! other shapes and from constants. What can make something large out of something small
//! (`ConstantOfShape`, `Expand`, `Tile`, `Pad`, `Resize` ..) is refused where its size cannot be told, and so are
//! operators that are not known here: detectors need none of them.

use std::collections::HashMap;

use super::{
    proto::Problem,
    read::{Node, Tensor},
};
use inferred::{FLOAT, Inferred, MOST_DIMS, of_tensor};
use shapes::call::Unknown;

mod inferred;
mod shapes;

/// Most bytes that a run may need at a time.
pub(super) const MOST_BYTES: u64 = 1 << 30;

/// Most multiplications of a run: a minute's work for a processor.
const MOST_WORK: u64 = 1 << 40;

/// Most nodes: engines need time for each that grows faster than their number.
const MOST_NODES: usize = 20_000;

/// Checks that a run on a frame of `size` (width, height) in pixels stays within bounds.
///
/// # Errors
/// A part of a sentence that says what goes beyond them.
pub(super) fn weigh(
    picture: &str,
    size: (u32, u32),
    weights: &[Tensor<'_>],
    nodes: &[Node<'_>],
    outputs: &[&str],
) -> Result<(), Problem> {
    if nodes.len() > MOST_NODES {
        return Err(format!("it has {} nodes, but at most {MOST_NODES} are run", nodes.len()));
    }
    let mut run = Run::default();
    for name in nodes.iter().flat_map(|node| &node.inputs).chain(outputs) {
        *run.readers.entry(name).or_default() += 1;
    }
    for tensor in weights {
        let known = of_tensor(tensor)?;
        run.keep(tensor.name, known)?;
    }
    let shape = vec![1, 3, u64::from(size.1), u64::from(size.0)];
    run.keep(picture, Inferred::of_shape(shape, FLOAT))?;
    for node in nodes {
        run.step(node).map_err(|problem| format!("{problem} (for an input of {}x{})", size.0, size.1))?;
    }
    Ok(())
}

/// What is there at one moment of a run.
#[derive(Default)]
struct Run<'a> {
    known: HashMap<&'a str, Inferred>,
    /// How often each result will still be read.
    readers: HashMap<&'a str, usize>,
    bytes: u64,
    work: u64,
}

impl<'a> Run<'a> {
    fn keep(&mut self, name: &'a str, known: Inferred) -> Result<(), Problem> {
        self.bytes = self.bytes.saturating_add(known.bytes());
        self.known.insert(name, known);
        self.check(0)
    }

    /// Checks the bounds, with `more` bytes that are needed for a moment.
    fn check(&self, more: u64) -> Result<(), Problem> {
        if self.bytes.saturating_add(more) > MOST_BYTES {
            return Err(format!("it needs more than {} MiB of memory", MOST_BYTES >> 20));
        }
        if self.work > MOST_WORK {
            return Err(format!(
                "it needs more than {} billion multiplications for a frame",
                MOST_WORK / 1_000_000_000
            ));
        }
        Ok(())
    }

    fn step(&mut self, node: &'a Node<'a>) -> Result<(), Problem> {
        if !matches!(node.domain, "" | "ai.onnx" | "com.microsoft") {
            return Err(format!("it has operators of '{}', which no engine here knows", node.domain));
        }
        let empty = Inferred::at_most(0, FLOAT);
        let inputs: Vec<Option<&Inferred>> = node
            .inputs
            .iter()
            .map(|name| if name.is_empty() { None } else { Some(self.known.get(name).unwrap_or(&empty)) })
            .collect();
        // Engines know a shape before the run, and compute at once and keep what follows from it alone.
        let tells_shape = matches!(node.operator, "Shape" | "Size");
        let constant = tells_shape || inputs.iter().flatten().all(|input| input.constant);
        let result = shapes::of(node, &inputs).map_err(|problem| match problem {
            Unknown::Operator => {
                format!("it has an operator '{}', which detectors have no use for", node.operator)
            }
            Unknown::Size => {
                format!("how large the result of its operator '{}' is cannot be told", node.operator)
            }
            Unknown::Wrong => format!("its operator '{}' has inputs that do not fit", node.operator),
        })?;
        self.work = self.work.saturating_add(result.work);
        self.check(result.buffer)?;
        for (index, name) in node.outputs.iter().enumerate() {
            if name.is_empty() {
                continue;
            }
            let Some(known) = result.outputs.get(index).or(result.outputs.last()) else { continue };
            if known.dims.as_ref().is_some_and(|dims| dims.len() > MOST_DIMS) {
                return Err(format!("'{name}' has more than {MOST_DIMS} dimensions"));
            }
            self.work = self.work.saturating_add(known.count);
            self.keep(name, Inferred { constant, ..known.clone() })?;
        }
        for name in &node.inputs {
            self.release(name);
        }
        Ok(())
    }

    /// Notes that `name` has been read once.
    fn release(&mut self, name: &'a str) {
        let Some(left) = self.readers.get_mut(name) else { return };
        *left -= 1;
        if *left == 0
            && let Some(known) = self.known.get(name)
            && !known.constant
        {
            self.bytes = self.bytes.saturating_sub(known.bytes());
        }
    }
}
