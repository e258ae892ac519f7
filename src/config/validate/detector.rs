//! Which detector a part of the configuration asks for.

use crate::config::{
    BuiltinConfig, DetectorChoice, ModelConfig, ModelFormat,
    detector::{INPUT_SIDES, INPUT_STEP},
    keys::{MODEL, ModelKeys},
    section::{Field, Section},
};

/// A detector: a name, or an object that describes a model file or how the embedded model is run.
pub(super) fn detector(field: &Field<'_>) -> Option<DetectorChoice> {
    if field.is_text() {
        let written = field.raw_text().unwrap_or_default();
        if let Some((format, _)) = written.split_once(':')
            && ModelFormat::NAMES.iter().any(|(name, _)| *name == format)
        {
            let written = field.quoted(written);
            field.problem(&format!(
                "'{written}' is the form of the command line; write {{\"format\": \"{format}\", \"model\": PATH}}"
            ));
            return None;
        }
        return field
            .choice(&[("auto", Name::Auto), ("builtin", Name::Builtin), ("motion", Name::Motion)])
            .map(|name| match name {
                Name::Auto => DetectorChoice::Auto,
                Name::Builtin => DetectorChoice::Builtin(BuiltinConfig::default()),
                Name::Motion => DetectorChoice::Motion,
            });
    }
    let section = field.section::<ModelKeys>()?;
    let format_field = section.required(&MODEL.format);
    let format = format_field.and_then(|field| {
        let files = ModelFormat::NAMES.map(|(name, format)| (name, Format::File(format)));
        field.choice(&[&files[..], &[("builtin", Format::Embedded)]].concat())
    });
    let format = match format {
        Some(Format::Embedded) => return Some(embedded(&section)),
        Some(Format::File(format)) => Some(format),
        None => None,
    };
    let model = section.read(&MODEL.model);
    if section.field(&MODEL.model).is_none() {
        section.problem("'model' is missing; name the file with the weights");
    }
    let prototxt_field = section.field(&MODEL.prototxt);
    let prototxt = section.read(&MODEL.prototxt);
    match (format, &prototxt_field) {
        (Some(ModelFormat::CaffeSsd), None) => {
            section
                .problem("'prototxt' is missing; caffe-ssd needs the network description beside the weights");
        }
        (Some(ModelFormat::CaffeSsd) | None, _) | (_, None) => {}
        (Some(_), Some(field)) => field.problem("belongs to the format caffe-ssd only; remove it"),
    }
    let BuiltinConfig { input, confidence, engine } = run(&section, format);
    Some(DetectorChoice::Model(ModelConfig {
        format: format?,
        model: model?,
        prototxt,
        input,
        confidence,
        engine,
    }))
}

/// The embedded model with settings of its own.
fn embedded(section: &Section<'_>) -> DetectorChoice {
    for key in [&MODEL.model, &MODEL.prototxt] {
        if let Some(field) = section.field(key) {
            field.problem(
                "belongs to formats of files; 'builtin' has its weights inside the program; remove it",
            );
        }
    }
    DetectorChoice::Builtin(run(section, Some(ModelFormat::Pcount)))
}

/// How a network is run.
fn run(section: &Section<'_>, format: Option<ModelFormat>) -> BuiltinConfig {
    BuiltinConfig {
        input: section.field(&MODEL.input).and_then(|f| input_size(&f, format)),
        confidence: section.read(&MODEL.confidence).map(|score| score as f32),
        engine: section.read(&MODEL.engine).unwrap_or_default(),
    }
}

#[derive(Clone, Copy)]
enum Format {
    File(ModelFormat),
    Embedded,
}

#[derive(Clone, Copy)]
enum Name {
    Auto,
    Builtin,
    Motion,
}

fn input_size(field: &Field<'_>, format: Option<ModelFormat>) -> Option<(u32, u32)> {
    let items = field.items()?;
    let [width, height] = items.as_slice() else {
        field.problem("expected [width, height] in pixels, such as [320, 192]");
        return None;
    };
    let side = |item: &Field<'_>| {
        let (least, most) = (i64::from(*INPUT_SIDES.start()), i64::from(*INPUT_SIDES.end()));
        let side = item.integer(least..=most)? as u32;
        if matches!(format, Some(ModelFormat::Pcount | ModelFormat::Rtmdet | ModelFormat::Yolox))
            && !side.is_multiple_of(INPUT_STEP)
        {
            let near = (side + INPUT_STEP / 2) / INPUT_STEP * INPUT_STEP;
            item.problem(&format!(
                "'{side}' is not a multiple of {INPUT_STEP}, which this format needs; '{near}' is the nearest"
            ));
            return None;
        }
        Some(side)
    };
    let (width, height) = (side(width), side(height));
    Some((width?, height?))
}
