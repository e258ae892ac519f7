//! Models written by hand, each of a few hundred bytes, and what they would cost.

use super::{
    resize::float_info,
    wire::{write_bytes, write_number},
    *,
};

const FLOAT32: u64 = 1;
const INT64: u64 = 7;

fn message(fields: &[(u64, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    fields.iter().for_each(|(number, bytes)| write_bytes(&mut out, *number, bytes));
    out
}

fn info(name: &str, dims: &[u32]) -> Vec<u8> {
    let dims: Vec<_> = dims.iter().map(|dim| (Some(*dim), String::new())).collect();
    float_info(name, &dims)
}

fn tensor(name: &str, dims: &[u64], element: u64, raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    dims.iter().for_each(|dim| write_number(&mut out, TENSOR_DIMS, *dim));
    write_number(&mut out, TENSOR_TYPE, element);
    write_bytes(&mut out, TENSOR_NAME, name.as_bytes());
    write_bytes(&mut out, TENSOR_RAW, raw);
    out
}

fn ints(name: &str, values: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, &[values.len() as u64], INT64, &raw)
}

fn floats(name: &str, values: &[f32]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, &[values.len() as u64], FLOAT32, &raw)
}

/// An attribute of whole numbers.
fn attribute(name: &str, values: &[i64]) -> Vec<u8> {
    let mut out = Vec::new();
    write_bytes(&mut out, 1, name.as_bytes());
    values.iter().for_each(|value| write_number(&mut out, 8, value.cast_unsigned()));
    out
}

fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    inputs.iter().for_each(|name| write_bytes(&mut out, NODE_INPUT, name.as_bytes()));
    write_bytes(&mut out, NODE_OUTPUT, output.as_bytes());
    write_bytes(&mut out, NODE_OPERATOR, operator.as_bytes());
    attributes.iter().for_each(|attribute| write_bytes(&mut out, NODE_ATTRIBUTE, attribute));
    out
}

/// A model with the input `input` of 416x416, the output of the last node, and `constants`.
fn model(nodes: &[Vec<u8>], constants: &[Vec<u8>]) -> Vec<u8> {
    let mut graph = Vec::new();
    nodes.iter().for_each(|node| write_bytes(&mut graph, GRAPH_NODE, node));
    constants.iter().for_each(|tensor| write_bytes(&mut graph, GRAPH_INITIALIZER, tensor));
    write_bytes(&mut graph, GRAPH_INPUT, &info("input", &[1, 3, 416, 416]));
    let output = Fields::new(nodes.last().unwrap()).flatten().find_map(|field| match field.value {
        Value::Bytes(name) if field.number == NODE_OUTPUT => Some(text(name).unwrap()),
        _ => None,
    });
    write_bytes(&mut graph, GRAPH_OUTPUT, &info(output.unwrap(), &[1, 3, 416, 416]));
    message(&[(MODEL_GRAPH, &graph)])
}

fn weighed(bytes: &[u8]) -> Result<(), String> {
    let size = inspect(bytes)?.size.unwrap();
    weigh(bytes, size)
}

/// That `nodes` are refused, and what for.
#[track_caller]
fn assert_refused(nodes: &[Vec<u8>], constants: &[Vec<u8>], says: &str) {
    let bytes = model(nodes, constants);
    let problem = weighed(&bytes).expect_err("refused");
    assert!(problem.contains(says), "{problem}");
    assert!(bytes.len() < 1500, "{} bytes are no bomb", bytes.len());
}

const TOO_MUCH: &str = "needs more than 1024 MiB of memory";
const UNTOLD: &str = "cannot be told";

#[test]
fn a_tensor_made_of_a_number_is_refused_when_it_is_huge() {
    for side in [1i64 << 28, 1 << 30, 1 << 40, i64::MAX] {
        let nodes = [
            node("ConstantOfShape", &["s"], "b", &[]),
            node("ReduceSum", &["b"], "r", &[]),
            node("Add", &["input", "r"], "out", &[]),
        ];
        let says = if side == i64::MAX { "do not fit" } else { TOO_MUCH };
        if side > 1 << 28 {
            assert_refused(&nodes, &[ints("s", &[side])], says);
        }
        assert_refused(&nodes, &[ints("s", &[1024, 1024, side])], says);
    }
    let small = node("ConstantOfShape", &["s"], "out", &[]);
    weighed(&model(&[small], &[ints("s", &[3, 416, 416])])).unwrap();
}

#[test]
fn each_operator_that_enlarges_is_bounded() {
    let big = 1i64 << 16;
    let one = |operator: &str, inputs: &[&str], constant: Vec<u8>, attributes: &[Vec<u8>]| {
        assert_refused(&[node(operator, inputs, "out", attributes)], &[constant], TOO_MUCH);
    };
    one("Expand", &["input", "c"], ints("c", &[big, 3, 416, 416]), &[]);
    one("Tile", &["input", "c"], ints("c", &[big, 1, 1, 1]), &[]);
    one("Pad", &["input", "c"], ints("c", &[0, 0, 0, 0, 0, 0, big, big]), &[]);
    one("Pad", &["input"], ints("c", &[0]), &[attribute("pads", &[0, 0, big, 0, 0, 0, 0, big])]);
    one("Resize", &["input", "", "c"], floats("c", &[1.0, 1.0, 1e3, 1e3]), &[]);
    one("Resize", &["input", "c"], floats("c", &[1.0, 1.0, 1e3, 1e3]), &[]);
    one("Resize", &["input", "", "", "c"], ints("c", &[1, 3, big, big]), &[]);
    one("Upsample", &["input", "c"], floats("c", &[1.0, 1.0, 1e3, 1e3]), &[]);
    one(
        "Conv",
        &["input", "c"],
        tensor("c", &[1, 3, 1, 1], FLOAT32, &[0; 12]),
        &[attribute("pads", &[big; 4])],
    );
    one(
        "ConvTranspose",
        &["input", "c"],
        tensor("c", &[3, 1, 1, 1], FLOAT32, &[0; 12]),
        &[attribute("strides", &[999, 999])],
    );
    one(
        "MaxPool",
        &["input"],
        ints("c", &[0]),
        &[attribute("kernel_shape", &[1, 1]), attribute("pads", &[big; 4])],
    );
    let range = [ints("0", &[0]), ints("l", &[1 << 40]), ints("1", &[1])];
    assert_refused(&[node("Range", &["0", "l", "1"], "out", &[])], &range, TOO_MUCH);
    let onehot = [ints("i", &[0; 64]), ints("d", &[1 << 40]), ints("v", &[0, 1])];
    assert_refused(&[node("OneHot", &["i", "d", "v"], "out", &[])], &onehot, TOO_MUCH);
}

#[test]
fn growth_in_steps_and_by_fitting_shapes_is_bounded() {
    // [519168, 1] + [1, 519168] has 270 thousand million values.
    let nodes = [
        node("Reshape", &["input", "column"], "a", &[]),
        node("Reshape", &["input", "row"], "b", &[]),
        node("Add", &["a", "b"], "out", &[]),
    ];
    assert_refused(&nodes, &[ints("column", &[-1, 1]), ints("row", &[1, -1])], TOO_MUCH);
    let product = [nodes[0].clone(), nodes[1].clone(), node("MatMul", &["a", "b"], "out", &[])];
    assert_refused(&product, &[ints("column", &[-1, 1]), ints("row", &[1, -1])], TOO_MUCH);
    // Doubled, over and over.
    let names: Vec<String> = (0..12).map(|i| format!("n{i}")).collect();
    let mut doubled = vec![node("Identity", &["input"], "n0", &[])];
    for pair in names.windows(2) {
        doubled.push(node("Concat", &[&pair[0], &pair[0]], &pair[1], &[attribute("axis", &[1])]));
    }
    assert_refused(&doubled, &[], TOO_MUCH);
    // Many of an allowed size, all of which are constants and stay.
    let many: Vec<_> = (0..5).map(|i| node("ConstantOfShape", &["s"], &format!("c{i}"), &[])).collect();
    assert_refused(&many, &[ints("s", &[1 << 26])], TOO_MUCH);
    // The same where it follows from the frame's shape alone, each read and forgotten.
    let mut from_shape = vec![
        node("Shape", &["input"], "shape", &[]),
        node("Slice", &["shape", "two", "three", "zero"], "height", &[]),
        node("Mul", &["height", "many"], "s", &[]),
    ];
    for i in 0..5 {
        from_shape.push(node("ConstantOfShape", &["s"], &format!("c{i}"), &[]));
        from_shape.push(node("ReduceSum", &[&format!("c{i}")], &format!("r{i}"), &[]));
    }
    let constants = [ints("zero", &[0]), ints("two", &[2]), ints("three", &[3]), ints("many", &[150_000])];
    assert_refused(&from_shape, &constants, TOO_MUCH);
    // The same, read and forgotten one after the other, is fine: `Relu` of what depends on the frame.
    let chain: Vec<_> = (0..50)
        .map(|i| {
            node(
                "Relu",
                &[if i == 0 { "input".into() } else { format!("r{}", i - 1) }.as_str()],
                &format!("r{i}"),
                &[],
            )
        })
        .collect();
    weighed(&model(&chain, &[])).unwrap();
}

#[test]
fn sizes_that_only_the_run_knows_are_refused_where_they_matter() {
    let depends = [
        node("ReduceMax", &["input"], "m", &[]),
        node("Cast", &["m"], "i", &[attribute("to", &[7])]),
        node("Reshape", &["i", "one"], "s", &[]),
    ];
    for (operator, inputs) in [
        ("ConstantOfShape", &["s"][..]),
        ("Expand", &["input", "s"]),
        ("Tile", &["input", "s"]),
        ("Range", &["s", "s", "s"]),
        ("Pad", &["input", "s"]),
        ("Resize", &["input", "", "", "s"]),
    ] {
        let nodes: Vec<_> = depends.iter().cloned().chain([node(operator, inputs, "out", &[])]).collect();
        assert_refused(&nodes, &[ints("one", &[1])], UNTOLD);
    }
}

#[test]
fn shapes_computed_from_the_picture_are_followed() {
    // As exporters write it: twice the height and width of the frame.
    let nodes = [
        node("Shape", &["input"], "shape", &[]),
        node("Slice", &["shape", "two", "four", "zero"], "sides", &[]),
        node("Mul", &["sides", "two"], "twice", &[]),
        node("Slice", &["shape", "zero", "two", "zero"], "head", &[]),
        node("Concat", &["head", "twice"], "sizes", &[attribute("axis", &[0])]),
        node("Resize", &["input", "", "", "sizes"], "out", &[]),
    ];
    let constants = [ints("zero", &[0]), ints("two", &[2]), ints("four", &[4])];
    weighed(&model(&nodes, &constants)).unwrap();
    let constants = [ints("zero", &[0]), ints("two", &[2]), ints("four", &[4]), ints("many", &[100])];
    let mut nodes = nodes;
    nodes[2] = node("Mul", &["sides", "many"], "twice", &[]);
    assert_refused(&nodes, &constants, TOO_MUCH);
}

#[test]
fn what_detectors_have_no_use_for_is_refused() {
    let mut custom = node("Relu", &["input"], "out", &[]);
    write_bytes(&mut custom, 7, b"evil.domain");
    assert_refused(&[custom], &[], "operators of 'evil.domain', which no engine here knows");
    assert_refused(
        &[node("RandomNormal", &[], "out", &[])],
        &[],
        "an operator 'RandomNormal', which detectors",
    );
    let mut twice = attribute("pads", &[0; 8]);
    assert_refused(&[node("Pad", &["input"], "out", &[twice.clone(), twice.clone()])], &[], "'pads' twice");
    write_bytes(&mut twice, 1, b"other");
    assert_refused(&[node("Pad", &["input"], "out", &[twice])], &[], "a value twice");
    let graphs = message(&[(1, b"body"), (ATTRIBUTE_GRAPHS, b"")]);
    assert_refused(&[node("Loop", &["input"], "out", &[graphs])], &[], "control flow");
    let two = [ints("s", &[1]), ints("s", &[1 << 40])];
    assert_refused(&[node("ConstantOfShape", &["s"], "out", &[])], &two, "'s' is defined twice");
    let mut external =
        message(&[(TENSOR_NAME, b"w"), (TENSOR_EXTERNAL, b"\x0a\x08location\x12\x0b/etc/passwd")]);
    write_number(&mut external, TENSOR_TYPE, FLOAT32);
    assert_refused(&[node("Add", &["input", "w"], "out", &[])], &[external], "weights are in another file");
    let functions =
        [model(&[node("Relu", &["input"], "out", &[])], &[]), message(&[(MODEL_FUNCTION, b"")])].concat();
    assert!(inspect(&functions).unwrap_err().contains("functions or training"));
    let orders = node("Evil\x1b[2J\nOp", &["input"], "out", &[]);
    assert!(weighed(&model(&[orders], &[])).unwrap_err().contains("a name in it is not text"));
    let work = node(
        "MaxPool",
        &["input"],
        "out",
        &[attribute("kernel_shape", &[416, 416]), attribute("pads", &[208; 4])],
    );
    let many: Vec<_> = (0..16)
        .map(|i| {
            node(
                "MaxPool",
                &["input"],
                &format!("o{i}"),
                &[attribute("kernel_shape", &[416, 416]), attribute("pads", &[208; 4])],
            )
        })
        .collect();
    weighed(&model(&[work], &[])).unwrap();
    assert_refused(&many, &[], "multiplications");
}

#[test]
fn declared_sizes_are_bounded_too() {
    let nodes = [node("Identity", &["input"], "out", &[])];
    let whole = model(&nodes, &[]);
    for (input, output) in
        [([1, 3, 1 << 20, 1 << 20], [1, 3, 416, 416]), ([1, 3, 416, 416], [1, 3, 1 << 20, 1 << 20])]
    {
        let mut graph = message(&[(GRAPH_NODE, &nodes[0]), (GRAPH_INPUT, &info("input", &input))]);
        write_bytes(&mut graph, GRAPH_OUTPUT, &info("out", &output));
        assert!(inspect(&message(&[(MODEL_GRAPH, &graph)])).is_err());
    }
    weighed(&whole).unwrap();
}

#[test]
fn the_embedded_model_would_pass_and_its_form_in_eight_bits_takes_no_picture() {
    let floats = include_bytes!("../../../models/person.onnx");
    inspect(floats).unwrap();
    for size in [(96, 64), (320, 192), (640, 384), (2048, 2048)] {
        weigh(floats, size).unwrap();
    }
    let problem = inspect(include_bytes!("../../../models/person_int8.onnx")).unwrap_err();
    assert!(problem.contains("use the detector 'builtin'"), "{problem}");
}

#[test]
fn networks_in_eight_bits_are_weighed_like_others() {
    let constants = [floats("scale", &[0.5]), tensor("zero", &[], UINT8, &[114])];
    let quantized = |first: &str| {
        [
            node("QuantizeLinear", &[first, "scale", "zero"], "bytes", &[]),
            node("DequantizeLinear", &["bytes", "scale", "zero"], "floats", &[]),
            node("Relu", &["floats"], "out", &[]),
        ]
    };
    weighed(&model(&quantized("input"), &constants)).unwrap();
    let larger = [node("ConstantOfShape", &["s"], "b", &[])];
    let nodes: Vec<_> = larger.into_iter().chain(quantized("b")).collect();
    let constants: Vec<_> = constants.into_iter().chain([ints("s", &[1 << 30])]).collect();
    assert_refused(&nodes, &constants, TOO_MUCH);
}

#[test]
fn published_detectors_would_pass() {
    let Some(shared) = crate::detect::load::tests::shared() else { return };
    for known in crate::detect::load::tests::there(&shared) {
        let path = shared.join("models").join(known.weights.name);
        let bytes = std::fs::read(&path).unwrap();
        if path.extension().is_some_and(|ending| ending == "onnx") {
            let size = inspect(&bytes).unwrap().size.unwrap_or((416, 416));
            weigh(&bytes, size).unwrap_or_else(|problem| panic!("{}: {problem}", known.name));
        }
    }
}
