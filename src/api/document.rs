//! The OpenAPI document of the API (OpenAPI 3.1, whose schemas are JSON Schema 2020-12), made of the list of addresses and of the
//! types that travel.

use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::routes::{Content, Possible, Route, routes};
use crate::protocol::Refused;

/// The document.
pub fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes() {
        let method = if route.is_post { "post" } else { "get" };
        let operation = operation(&route, &mut generator);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[method] = operation;
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "pcount-tui",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Counts of people crossing lines in many cameras and videos: state, events and \
                 commands. Available on the socket 'control.sock' in the output folder, for its owner \
                 alone, and over TCP where 'http' is configured."
        },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "description": "Needed over \
                 TCP; the socket needs none." } }
        },
        "security": [{}, { "token": [] }]
    });
    bound(&mut document);
    document
}

/// Says of whole numbers how large they may be, which their types know.
fn bound(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(bound),
        Value::Object(values) => {
            let (least, most): (Value, Value) = match values.get("format").and_then(Value::as_str) {
                Some("uint" | "uint64") => (0.into(), u64::MAX.into()),
                Some("uint32") => (0.into(), u32::MAX.into()),
                Some("int64") => (i64::MIN.into(), i64::MAX.into()),
                Some("int32") => (i32::MIN.into(), i32::MAX.into()),
                _ => (Value::Null, Value::Null),
            };
            for (name, limit) in [("minimum", least), ("maximum", most)] {
                if !limit.is_null() && !values.contains_key(name) {
                    values.insert(name.into(), limit);
                }
            }
            values.values_mut().for_each(bound);
        }
        _ => {}
    }
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = Vec::new();
    for (name, about) in route.parameters.path {
        parameters.push(json!({ "name": name, "in": "path", "required": true, "description": about, "schema": { "type": "string" } }));
    }
    for (name, about) in route.parameters.headers {
        parameters.push(
            json!({ "name": name, "in": "header", "description": about, "schema": { "type": "string" } }),
        );
    }
    if let Some(query) = route.parameters.query {
        parameters.extend(query_parameters(&query(generator)));
    }
    let mut answers: Map<String, Value> = Map::new();
    for possible in &route.answers {
        answers.insert(possible.status.to_string(), answer(possible, generator));
    }
    let refused = generator.subschema_for::<Refused>();
    answers.insert(
        "default".into(),
        json!({ "description": "Refused, for this reason.", "content": { "application/json": { "schema": refused } } }),
    );
    let mut operation = json!({ "operationId": route.name, "summary": route.about, "parameters": parameters, "responses": answers });
    if let Some(body) = route.body {
        let schema = body(generator);
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    operation
}

fn answer(possible: &Possible, generator: &mut SchemaGenerator) -> Value {
    let (kind, schema) = match possible.content {
        Content::Json(schema) => ("application/json", Some(schema(generator))),
        Content::Bytes(kind) => (kind, None),
    };
    let content = schema.map_or_else(|| json!({}), |schema| json!({ "schema": schema }));
    json!({ "description": possible.about, "content": { kind: content } })
}

/// The properties of a type as parameters of an address. Text that means a number stands there as well, so that null is none.
fn query_parameters(schema: &Schema) -> Vec<Value> {
    let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let parameter = |(name, mut property): (String, Value)| {
        let about = property.get("description").cloned().unwrap_or_default();
        if let Some(kinds) = property.get("type").and_then(Value::as_array).cloned() {
            property["type"] = kinds.into_iter().find(|kind| kind != "null").unwrap_or_default();
        }
        if let Some(some) = property.get("anyOf").and_then(Value::as_array).cloned() {
            let mut some: Vec<_> =
                some.into_iter().filter(|one| one.get("type").is_none_or(|kind| kind != "null")).collect();
            property = if some.len() == 1 { some.remove(0) } else { json!({ "anyOf": some }) };
        }
        json!({ "name": name, "in": "query", "description": about, "schema": property })
    };
    properties.into_iter().map(parameter).collect()
}
